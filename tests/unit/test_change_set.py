"""A change set of a deployment, where SAM is not what makes it fail or succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from deployment import change_set
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.stack import Target

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef


def test_without_sam_it_says_where_sam_comes_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Instead of a traceback: it is the first thing that a new machine lacks."""
    monkeypatch.setattr(change_set, "_change_sets", lambda *_: [])
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CommandError, match="local_stack/bootstrap sam"):
        change_set.plan(Target("stack", "us-east-1", None), environment="staging", role_arn=None)


SELF_HOSTED = {"Provider": "self-hosted", "SigningAlgorithm": "HS256", "JaasAppId": ""}
JAAS = {"Provider": "jaas", "SigningAlgorithm": "HS256", "JaasAppId": "0" * 32}
KEPT: list[ParameterTypeDef] = [{"ParameterKey": "JitsiDomain", "UsePreviousValue": True}]


def given(parameters: dict[str, str]) -> list[ParameterTypeDef]:
    """Return parameters as CloudFormation lists them."""
    return [{"ParameterKey": key, "ParameterValue": each} for key, each in parameters.items()]


@pytest.mark.parametrize(
    ("before", "change", "has_key"),
    [
        (SELF_HOSTED, {"SigningAlgorithm": "RS256"}, False),
        (SELF_HOSTED, JAAS, False),
        (JAAS, SELF_HOSTED, False),
        (JAAS, {"JaasAppId": "1" * 32}, False),
        (SELF_HOSTED, {}, True),
        (SELF_HOSTED, {"JaasAppId": "0" * 32}, True),
        # JaaS takes RS256 whatever SigningAlgorithm is, and its App ID with and without prefix.
        (JAAS, {"JaasAppId": f"vpaas-magic-cookie-{'0' * 32}"}, True),
        (JAAS, {"SigningAlgorithm": "RS256"}, True),
    ],
)
def test_a_canary_that_would_have_no_key_is_refused(
    before: dict[str, str], change: dict[str, str], *, has_key: bool
) -> None:
    """Its alarm would take the update back; a stack that is new, or has no canary, has none."""
    stack: Any = {"StackStatus": "UPDATE_COMPLETE", "Parameters": given(before)}
    new: Any = {"StackStatus": "REVIEW_IN_PROGRESS"}
    with_canary, without = (
        [*given(change | {"CanaryEnabled": each}), *KEPT] for each in ("true", "false")
    )

    change_set.refuse_canary_without_key(stack, without)
    change_set.refuse_canary_without_key(new, with_canary)
    if has_key:
        change_set.refuse_canary_without_key(stack, with_canary)
    else:
        with pytest.raises(CommandError, match="CanaryEnabled=false"):
            change_set.refuse_canary_without_key(stack, with_canary)

"""The handlers to measure: the built ones of a deployed stack, and one that does nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jitsi_tokens.keys import read_key
from local_stack import deployment
from local_stack.emulator import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens.keys import Algorithm
    from tests.stack.service import Service

_BUILT = ROOT / ".aws-sam" / "build"
_LAYERS = (_BUILT / "JitsiTokensLayer" / "python",)


class Subject(NamedTuple):
    """A handler to measure: where it is, what it is called with, what it must answer."""

    name: str
    folder: Path
    layers: tuple[Path, ...]
    environment: dict[str, str]
    event: dict[str, Any]
    check: Callable[[Any], None]


EMPTY = Subject("an empty handler", Path(__file__).parent / "empty", (), {}, {}, lambda _: None)


def issue_token(service: Service, algorithm: Algorithm) -> Subject:
    """Return what signs; each of its tokens is verified with the stack's key."""
    document = json.dumps(service.secret_document())
    key = read_key(document, algorithm=algorithm, kid_prefix="")

    def check(answer: Any) -> None:
        key.verify(json.loads(answer["body"])["token"])

    return Subject(
        f"IssueToken, {algorithm}",
        _BUILT / "IssueToken",
        _LAYERS,
        _variables(service, "IssueToken"),
        _event("issue_token_doctor"),
        check,
    )


def authorize_client(service: Service) -> Subject:
    """Return what recognises callers; it has to know its own."""
    api_key = service.add_client("caller", "--any-room")

    def check(answer: Any) -> None:
        if answer["principalId"] != "caller":
            raise ValueError("another client")

    return Subject(
        "AuthorizeClient",
        _BUILT / "AuthorizeClient",
        _LAYERS,
        _variables(service, "AuthorizeClient"),
        _event("authorize_client") | {"authorizationToken": f"Bearer {api_key}"},
        check,
    )


def _variables(service: Service, function: str) -> dict[str, str]:
    running, name = service.emulator, service.stack.name
    resource = deployment.client(running, "cloudformation").describe_stack_resource(
        StackName=name, LogicalResourceId=function
    )
    configuration = deployment.client(running, "lambda").get_function_configuration(
        FunctionName=resource["StackResourceDetail"]["PhysicalResourceId"]
    )
    variables: dict[str, str] = configuration["Environment"]["Variables"]
    return variables | running.environment()


def _event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event

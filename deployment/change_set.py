"""A change of a stack in two steps: the change set that somebody looks at, and its execution."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.exceptions import ClientError, WaiterError

from jitsi_tokens.aws import error_code
from jitsi_tokens.settings import jaas_app_id
from jitsi_tokens_cli.errors import CommandError, Unreachable, UsageError
from jitsi_tokens_cli.output import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import (
        ChangeSetSummaryTypeDef,
        ParameterTypeDef,
        ResourceChangeTypeDef,
        StackTypeDef,
        WaiterConfigTypeDef,
    )

    from jitsi_tokens_cli.stack import Target

# A canary takes five minutes, and rolling back as long again: three quarters of an hour is plenty,
# and leaves the rest of the role's session, which is an hour, to what looks at the result.
_WAIT: WaiterConfigTypeDef = {"Delay": 5, "MaxAttempts": 540}


class Planned(NamedTuple):
    """A change set, and what it would change."""

    arn: str
    changes: list[ResourceChangeTypeDef]


def plan(target: Target, *, environment: str, role_arn: str | None) -> Planned:
    """Have SAM make a change set of what it built, and read it; nothing is changed.

    Raises:
        UsageError: no stack was named.
        CommandError: there is no change set, or it was deleted as its canary would have no key.
    """
    client, name = _client(target), _name(target)
    before = {summary.get("ChangeSetId") for summary in _change_sets(client, name)}
    _sam_deploy(target, environment, role_arn)
    made = [
        summary
        for summary in _change_sets(client, name)
        if summary.get("ChangeSetId") not in before
    ]
    if len(made) != 1:
        raise CommandError(
            f"{len(made)} change sets were created instead of one. Look at the stack's change"
            " sets: another deployment may be running."
        )
    arn = made[0]["ChangeSetId"]
    paginator = client.get_paginator("describe_change_set")
    pages = list(paginator.paginate(ChangeSetName=arn, StackName=name))
    stack = client.describe_stacks(StackName=name)["Stacks"][0]
    try:
        refuse_canary_without_key(stack, pages[0].get("Parameters", []))
    except CommandError:
        client.delete_change_set(ChangeSetName=arn, StackName=name)
        raise
    changes = [change["ResourceChange"] for page in pages for change in page["Changes"]]
    return Planned(arn, changes)


def refuse_canary_without_key(stack: StackTypeDef, parameters: Sequence[ParameterTypeDef]) -> None:
    """Refuse new parameters whose canary the alarm *missing signing key* would take back.

    Raises:
        CommandError: it would.
    """
    if stack["StackStatus"] == "REVIEW_IN_PROGRESS":
        return
    before = _values(stack.get("Parameters", []))
    after = before | _values(parameters)
    if after.get("CanaryEnabled") == "true" and _key_wanted(before) != _key_wanted(after):
        raise CommandError(
            "The stack's key does not fit another Provider, SigningAlgorithm or JaasAppId, so a"
            " canary could not sign and would be rolled back. Deploy this change with"
            " CanaryEnabled=false."
        )


def apply(target: Target, arn: str) -> str:
    """Execute a change set, wait for its end, and return the stack's status.

    Raises:
        UsageError: no stack was named.
        CommandError: the stack was rolled back, or is stuck half way.
        Unreachable: it is still at it after three quarters of an hour.
    """
    client, name = _client(target), _name(target)
    is_new = _status(client, name) == "REVIEW_IN_PROGRESS"
    token = str(uuid.uuid4())
    client.execute_change_set(ChangeSetName=arn, StackName=name, ClientRequestToken=token)
    try:
        if is_new:
            client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=_WAIT)
        else:
            client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig=_WAIT)
    except WaiterError:
        status = _status(client, name)
        if status.endswith("_IN_PROGRESS"):
            raise Unreachable(
                f"The change is still running ({status}). Watch the stack, or cancel it with `aws"
                f" cloudformation cancel-update-stack --stack-name {name}`."
            ) from None
        raise CommandError(
            f"The change failed ({status}).\n" + "\n".join(_failures(client, name, token))
        ) from None
    return _status(client, name)


def as_markdown(changes: Sequence[ResourceChangeTypeDef]) -> str:
    """Return the changes as a table for the people who approve them."""
    rows = [
        (
            change.get("Action", ""),
            change.get("LogicalResourceId", ""),
            change.get("ResourceType", ""),
            _replacement(change),
            ", ".join(_properties(change)),
        )
        for change in changes
    ]
    table = [("Action", "Resource", "Type", "Replaced", "Because of"), ("---",) * 5, *sorted(rows)]
    return "\n".join(f"| {' | '.join(map(printable, row))} |" for row in table)


def _replacement(change: ResourceChangeTypeDef) -> str:
    return {"True": "**yes**", "Conditional": "perhaps"}.get(change.get("Replacement", ""), "")


def _properties(change: ResourceChangeTypeDef) -> list[str]:
    targets = [detail.get("Target", {}) for detail in change.get("Details", [])]
    names = {target.get("Name") or target.get("Attribute") for target in targets}
    return sorted(name for name in names if name)


def _sam_deploy(target: Target, environment: str, role_arn: str | None) -> None:
    command = ["sam", "deploy", "--config-env", environment]
    command += ["--stack-name", _name(target)]
    command += ["--no-execute-changeset", "--no-confirm-changeset"]
    command += ["--region", target.region] if target.region else []
    command += ["--role-arn", role_arn] if role_arn else []
    try:
        # Standard output is for the ARN.
        finished = subprocess.run(command, stdout=sys.stderr.fileno(), check=False)  # noqa: S603 - sam
    except FileNotFoundError:
        raise CommandError(
            "sam is not installed. Run `local_stack/bootstrap sam`, then put .local/sam/bin first"
            " on PATH."
        ) from None
    if finished.returncode:
        raise CommandError("sam deploy failed: see above.")


def _values(parameters: Sequence[ParameterTypeDef]) -> dict[str, str]:
    return {
        parameter["ParameterKey"]: parameter["ParameterValue"]
        for parameter in parameters
        # Absent where the stack's value stays.
        if "ParameterKey" in parameter and "ParameterValue" in parameter
    }


def _key_wanted(parameters: dict[str, str]) -> tuple[str, str]:
    if parameters.get("Provider") == "jaas":
        return "jaas", jaas_app_id(parameters.get("JaasAppId", ""))
    return "self-hosted", parameters.get("SigningAlgorithm", "")


def _client(target: Target) -> CloudFormationClient:
    return boto3.client("cloudformation", region_name=target.region)


def _name(target: Target) -> str:
    if not target.stack_name:
        raise UsageError("Which stack? Give --stack-name before the command.")
    return target.stack_name


def _change_sets(client: CloudFormationClient, name: str) -> list[ChangeSetSummaryTypeDef]:
    pages = client.get_paginator("list_change_sets").paginate(StackName=name)
    try:
        return [summary for page in pages for summary in page["Summaries"]]
    except ClientError as error:
        # There is no stack of that name yet.
        if error_code(error) != "ValidationError":
            raise
        return []


def _status(client: CloudFormationClient, name: str) -> str:
    return client.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]


def _failures(client: CloudFormationClient, name: str, token: str) -> list[str]:
    """Return what failed in the operation of that token, the cause first."""
    events = client.describe_stack_events(StackName=name)["StackEvents"]
    return [
        f"{event.get('LogicalResourceId')}: {printable(event.get('ResourceStatusReason', ''))}"
        for event in reversed(events)
        if event.get("ClientRequestToken") == token
        and event.get("ResourceStatus", "").endswith("_FAILED")
    ]

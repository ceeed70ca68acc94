"""The roles of the deployed stacks: what each lists, and whose call a call was."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple

from local_stack import deployment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from local_stack.emulator import Emulator
    from tests.stack.calls import Call

ATTEMPTS = "attempt-"  # what test_permissions.py runs in a function's role
_MOST_VERSIONS = 200  # of one function, in one run


class Caller(NamedTuple):
    """Who made a call: a function, in a role that a template names."""

    stack: str
    role: str
    function: str


class Roles(NamedTuple):
    """The roles of the deployed stacks, and what they list.

    Attributes:
        names: stack and logical id of each, by the name that it has in IAM.
        actions: what each lists, by the same name.
    """

    names: dict[str, tuple[str, str]]
    actions: dict[str, set[str]]

    def union(self) -> dict[str, set[str]]:
        """Return what a role lists on any stack, by its logical id."""
        return union((self.names[name][1], actions) for name, actions in self.actions.items())


def union(found: Iterable[tuple[str, Iterable[str]]]) -> dict[str, set[str]]:
    """Return the actions of a role together, by its logical id."""
    together: dict[str, set[str]] = {}
    for role, actions in found:
        together.setdefault(role, set()).update(actions)
    return together


def deployed_roles(emulator: Emulator) -> Roles:
    """Return the functions' roles of every stack that is there, with their policies in IAM."""
    formation = deployment.client(emulator, "cloudformation")
    iam = deployment.client(emulator, "iam")
    used = {_role_of(function) for function in _functions(emulator)}
    roles = Roles({}, {})
    for stack in formation.describe_stacks()["Stacks"]:
        pages = formation.get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=stack["StackName"]):
            for found in page["StackResourceSummaries"]:
                name = found["PhysicalResourceId"]
                if found["ResourceType"] == "AWS::IAM::Role" and name in used:
                    roles.names[name] = (stack["StackName"], found["LogicalResourceId"])
                    roles.actions[name] = set(actions_of(iam, name))
    return roles


def actions_of(iam: Any, role: str) -> Iterator[str]:
    """Yield what the policies of a role allow."""
    assert not iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for statement in document["Statement"]:
            assert statement["Effect"] == "Allow"
            listed = statement["Action"]
            yield from [listed] if isinstance(listed, str) else listed


def callers(emulator: Emulator, roles: Roles, calls: list[Call]) -> list[Caller]:
    """Return who made each call.

    Raises:
        KeyError: no function of these stacks, nor an attempt in its place, has such credentials.
    """
    known: dict[str, Caller] = {}
    for function in _functions(emulator):
        name, role = function["FunctionName"], _role_of(function)
        if role not in roles.names or name.startswith(ATTEMPTS):
            continue
        stack, _ = roles.names[role]
        attempted = ATTEMPTS + "-".join((stack, name.removeprefix(f"{stack}-").split("-")[0]))
        for each in (name, attempted):
            arn = function["FunctionArn"].replace(name, each)
            for version in ("", ":live", *(f":{number}" for number in range(1, _MOST_VERSIONS))):
                key = access_key(f"{arn}{version}", function["Role"])
                known[key] = Caller(*roles.names[role], each)
    return [known[call.access_key] for call in calls]


def access_key(function_arn: str, role_arn: str) -> str:
    """Return the access key that the emulator gives a function: ministack, lambda_runtime.py."""
    text = hashlib.sha256(f"{function_arn}:{role_arn}".encode()).hexdigest()
    return f"ASIA{text[:16].upper()}"


def _functions(emulator: Emulator) -> Iterator[dict[str, Any]]:
    pages = deployment.client(emulator, "lambda").get_paginator("list_functions").paginate()
    return (function for page in pages for function in page["Functions"])


def _role_of(function: dict[str, Any]) -> str:
    return str(function["Role"].rpartition("/")[2])

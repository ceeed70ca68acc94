"""template.yaml as the tests read it, without its tags."""

import re
from typing import Any

from jitsi_tokens.core import problems
from jitsi_tokens.core.problems import Kind
from local_stack.template import read_template

KINDS = {kind.type: kind for kind in vars(problems).values() if isinstance(kind, Kind)}
SIGNING_KEYS = {"JaasSigningKey", "SharedSigningKey", "PublishedSigningKey"}
TEMPLATE = read_template()
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
GATEWAY_RESPONSES: dict[str, Any] = RESOURCES["Api"]["Properties"]["GatewayResponses"]


def properties(resource: str) -> dict[str, Any]:
    """Return a resource's properties."""
    found: dict[str, Any] = RESOURCES[resource]["Properties"]
    return found


def of_type(kind: str) -> list[str]:
    """Return the logical ids of the resources of a type."""
    return [name for name, resource in RESOURCES.items() if resource["Type"] == kind]


FUNCTIONS = of_type("AWS::Serverless::Function")
ROLES = of_type("AWS::IAM::Role")
POLICIES = of_type("AWS::IAM::ManagedPolicy")


def log_of(function: str) -> str:
    """Return the log group of a function: what visits do is part of the audit record."""
    return "IssueTokenLog" if function in ("ManageVisits", "JoinVisit") else f"{function}Log"


def references(value: Any) -> set[str]:
    """Return the parameters and resources that a value, or a condition in it, refers to."""
    match value:
        case str():
            names = [value, *re.findall(r"\$\{([^}]+)\}", value)]
            return {name.partition(".")[0] for name in names} & (PARAMETERS | RESOURCES).keys()
        case [str(condition), *branches] if condition in TEMPLATE["Conditions"]:
            return references(TEMPLATE["Conditions"][condition]).union(*map(references, branches))
        case dict():
            return set[str]().union(*map(references, value.values()))
        case list():
            return set[str]().union(*map(references, value))
    return set()


def as_list(value: Any) -> list[Any]:
    """Return what IAM takes as one or as a list of several, always as a list."""
    return value if isinstance(value, list) else [value]


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a policy document's statements, including conditional ones."""
    return [
        statement[1] if isinstance(statement, list) else statement
        for statement in policy["Statement"]
    ]


def permissions(name: str, resources: dict[str, Any] = RESOURCES) -> list[dict[str, Any]]:
    """Return the statements of a role's policies or of a managed policy."""
    found = resources[name]["Properties"]
    if "PolicyDocument" in found:
        return statements(found["PolicyDocument"])
    return [
        statement
        for policy in found.get("Policies", [])
        for statement in statements(
            (policy[1] if isinstance(policy, list) else policy)["PolicyDocument"]
        )
    ]


def routes() -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    """Return the function and the properties of each route's event."""
    found = {}
    for name in FUNCTIONS:
        for event in properties(name).get("Events", {}).values():
            if event["Type"] == "Api":
                route = event["Properties"]
                found[route["Path"], route["Method"].upper()] = (name, route)
    return found

"""template.yaml as the tests read it, its tags dropped: what stands where and refers to what."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from jitsi_tokens.core import problems
from jitsi_tokens.core.problems import Kind
from local_stack.template import read_template

KINDS = {kind.type: kind for kind in vars(problems).values() if isinstance(kind, Kind)}
PUBLISHED = ["AuthorizeClient", "IssueToken", "CheckKey", "ProbeConfig", "ServePublicKey"]
FUNCTIONS = [*PUBLISHED, "RotateSigningKey"]
# `!If [IsJaas, !GetAtt JaasSigningKey.Id, !If [SharesSecret, …]]`, its tags dropped.
SIGNING_KEY = [
    "IsJaas",
    "JaasSigningKey.Id",
    ["SharesSecret", "SharedSigningKey.Id", "PublishedSigningKey.Id"],
]
SIGNING_KEYS = {"JaasSigningKey", "SharedSigningKey", "PublishedSigningKey"}
PUBLIC_KEYS_PATH = "/jitsi-tokens/${AWS::StackName}/public-keys"
PUBLIC_KEYS_ARN = [
    ":",
    [
        "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}",
        f"parameter{PUBLIC_KEYS_PATH}",
    ],
]
NO_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
HEX = "0123456789abcdef0123456789ABCDEF"
LONGEST_APP_ID = f"vpaas-magic-cookie-{HEX}"


TEMPLATE = read_template()
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
GATEWAY_RESPONSES: dict[str, Any] = RESOURCES["Api"]["Properties"]["GatewayResponses"]


def properties(resource: str) -> dict[str, Any]:
    """Return a resource's properties."""
    found: dict[str, Any] = RESOURCES[resource]["Properties"]
    return found


def function(name: str) -> dict[str, Any]:
    """Return a function's properties, with those that all functions share."""
    shared: dict[str, Any] = TEMPLATE["Globals"]["Function"]
    return shared | properties(name)


def of_type(kind: str) -> list[str]:
    """Return the logical ids of the resources of a type."""
    return [name for name, resource in RESOURCES.items() if resource["Type"] == kind]


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


def values(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """Return what stands at the ends of a tree of YAML, tags and all.

    Types are left out, and what is named without a tag.
    """
    match node:
        case yaml.MappingNode():
            for key, child in node.value:
                if key.value not in ("Type", "DependsOn"):
                    yield from values(child)
        case yaml.SequenceNode():
            for child in node.value:
                yield from values(child)
        case yaml.ScalarNode():
            yield node


def leaves(value: Any) -> list[str]:
    """Return the texts and numbers at the ends of a value, as text."""
    match value:
        case dict():
            return [leaf for each in value.values() for leaf in leaves(each)]
        case list():
            return [leaf for each in value for leaf in leaves(each)]
    return [str(value)]


def longest(parameter: str) -> int:
    """Return how many characters the longest value of a parameter has."""
    rules = PARAMETERS[parameter]
    if parameter == "JaasAppId":
        assert rules["AllowedPattern"] == "^$|^(vpaas-magic-cookie-)?[0-9A-Fa-f]{32}$"
        return len(LONGEST_APP_ID)
    if "AllowedValues" in rules:
        return max(len(str(value)) for value in rules["AllowedValues"])
    return len(str(rules["MaxValue"])) if rules["Type"] == "Number" else int(rules["MaxLength"])


def accepts(parameter: str, value: str) -> bool:
    """Tell whether CloudFormation takes a value for a parameter."""
    rules = PARAMETERS[parameter]
    fits = rules.get("MinLength", 0) <= len(value) <= rules.get("MaxLength", 4096)
    return fits and bool(re.search(rules["AllowedPattern"], value))


def as_list(value: Any) -> list[Any]:
    """Return what IAM takes as one or as a list of several, always as a list."""
    return value if isinstance(value, list) else [value]


def statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a policy document's statements, also those that hold on a condition."""
    return [
        statement[1] if isinstance(statement, list) else statement
        for statement in policy["Statement"]
    ]


def permissions(role: str) -> list[dict[str, Any]]:
    """Return the statements of a role's policies, also of those that hold on a condition."""
    return [
        statement
        for policy in properties(role).get("Policies", [])
        for statement in statements(
            (policy[1] if isinstance(policy, list) else policy)["PolicyDocument"]
        )
    ]


def longest_text(value: Any, *, is_jaas: bool) -> int:
    """Return how many characters a value resolves to at most."""
    match value:
        case str() if value in PARAMETERS:
            return longest(value)
        case [7, [":", "JitsiTokensLayer"]]:
            return 5  # the layer's version
        case ["SharesSecret" | "Traces" | "TakesSnapshots", str(then), str(other)]:
            return max(len(then), len(other))
        case ["IsJaas", then, other]:
            return longest_text(then if is_jaas else other, is_jaas=is_jaas)
        case [str(separator), [*parts]]:
            lengths = [longest_text(part, is_jaas=is_jaas) for part in parts]
            return sum(lengths) + len(separator) * (len(parts) - 1)
    raise AssertionError(f"cannot tell the length of {value}")


def routes() -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    """Return the function and the properties of each route's event."""
    found = {}
    for name in FUNCTIONS:
        for event in properties(name).get("Events", {}).values():
            if event["Type"] == "Api":
                route = event["Properties"]
                found[route["Path"], route["Method"].upper()] = (name, route)
    return found

"""What the template promises: read as it stands, and asserted where no emulator would notice."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from jitsi_tokens import problems
from jitsi_tokens.problems import Kind
from jitsi_tokens.status import NEVER_CHECKED, KeyStatus

KINDS = {kind.type: kind for kind in vars(problems).values() if isinstance(kind, Kind)}
FUNCTIONS = ["AuthorizeClient", "IssueToken", "CheckKey", "ProbeConfig"]
SIGNING_KEY = {
    "Fn::If": ["IsJaas", {"Fn::GetAtt": "JaasSigningKey.Id"}, {"Fn::GetAtt": "SharedSigningKey.Id"}]
}
NO_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
LONGEST_APP_ID = "vpaas-magic-cookie-" + "0" * 32


class _Loader(yaml.SafeLoader):
    """A YAML loader that reads CloudFormation's tags as the objects they are short for."""


def _intrinsic(loader: _Loader, tag: str, node: yaml.Node) -> dict[str, Any]:
    name = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
    match node:
        case yaml.ScalarNode():
            return {name: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {name: loader.construct_sequence(node, deep=True)}
        case _:
            assert isinstance(node, yaml.MappingNode)
            return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _intrinsic)

TEXT = (Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8")
TEMPLATE: dict[str, Any] = yaml.load(TEXT, Loader=_Loader)  # noqa: S506 - a SafeLoader
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
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::If": [condition, *branches]}:
            return references(TEMPLATE["Conditions"][condition]).union(*map(references, branches))
        case dict():
            return set[str]().union(*map(references, value.values()))
        case list():
            return set[str]().union(*map(references, value))
    return set()


def longest(parameter: str) -> int:
    """Return how many characters the longest value of a parameter has."""
    rules = PARAMETERS[parameter]
    if parameter == "JaasAppId":
        assert rules["AllowedPattern"] == "^$|^(vpaas-magic-cookie-)?[0-9A-Fa-f]{32}$"
        return len(LONGEST_APP_ID)
    if "AllowedValues" in rules:
        return max(len(str(value)) for value in rules["AllowedValues"])
    return len(str(rules["MaxValue"])) if rules["Type"] == "Number" else int(rules["MaxLength"])


def longest_text(value: Any, *, is_jaas: bool) -> int:
    """Return how many characters a value resolves to at most."""
    match value:
        case str():
            return len(value)
        case {"Ref": name}:
            return longest(name)
        case {"Fn::Select": [7, {"Fn::Split": [":", {"Ref": "JitsiTokensLayer"}]}]}:
            return 5  # the layer's version
        case {"Fn::If": ["IsJaas", then, other]}:
            return longest_text(then if is_jaas else other, is_jaas=is_jaas)
        case {"Fn::Join": [separator, parts]}:
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


# API Gateway's own errors


@pytest.mark.parametrize("name", GATEWAY_RESPONSES)
def test_a_gateway_response_is_a_problem_of_ours(name: str) -> None:
    """API Gateway's own errors read as the functions' do: type, title and status of one kind."""
    response = GATEWAY_RESPONSES[name]

    document = json.loads(response["ResponseTemplates"]["application/json"])

    kind = KINDS[document["type"]]
    assert (document["title"], document["status"]) == (kind.title, kind.status)
    assert response["StatusCode"] == kind.status
    assert document.keys() == {"type", "title", "status", "detail"}
    assert document["detail"]


@pytest.mark.parametrize("name", GATEWAY_RESPONSES)
def test_a_gateway_response_has_the_headers_of_a_problem(name: str) -> None:
    """Its type, and that nobody stores it; when to try again; the scheme of a 401."""
    response = GATEWAY_RESPONSES[name]
    headers = response["ResponseParameters"]["Headers"]

    assert headers["Content-Type"] == "'application/problem+json'"
    assert headers["Cache-Control"] == "'no-store'"
    assert ("Retry-After" in headers) == (response["StatusCode"] in (429, 503))
    assert headers.get("WWW-Authenticate") == ("'Bearer'" if name == "UNAUTHORIZED" else None)


def test_no_gateway_response_repeats_what_api_gateway_says() -> None:
    """Its messages can hold the caller's Authorization header."""
    assert "$context" not in json.dumps(GATEWAY_RESPONSES)
    assert "$" not in json.dumps([r["ResponseTemplates"] for r in GATEWAY_RESPONSES.values()])


def test_every_error_of_api_gateway_has_a_response() -> None:
    """Both defaults are there, and what the authorizer and the throttle say."""
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "ACCESS_DENIED", "THROTTLED"} <= (
        GATEWAY_RESPONSES.keys()
    )


# Who may do what


@pytest.mark.parametrize(
    ("name", "actions"),
    [
        ("AuthorizeClient", {"dynamodb:GetItem", "kms:Decrypt"}),
        ("IssueToken", {"secretsmanager:GetSecretValue", "kms:Decrypt"}),
        ("CheckKey", {"secretsmanager:GetSecretValue", "kms:Decrypt", "ssm:PutParameter"}),
        ("ProbeConfig", {"ssm:GetParameter"}),
    ],
)
def test_a_function_may_do_exactly_what_it_does(name: str, actions: set[str]) -> None:
    """Beside writing its own log; nothing on every resource, and nothing from a managed policy."""
    assert properties(name)["Role"] == {"Fn::GetAtt": f"{name}Role.Arn"}
    role = properties(f"{name}Role")
    [policy] = role["Policies"]
    statements = policy["PolicyDocument"]["Statement"]

    allowed = [
        action
        for statement in statements
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    ]

    assert sorted(allowed) == sorted({"logs:CreateLogStream", "logs:PutLogEvents", *actions})
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    assert "*" not in [statement["Resource"] for statement in statements]
    assert "ManagedPolicyArns" not in role
    assert not {"Policies", "ManagedPolicyArns"} & function(name).keys()
    assert statements[0]["Resource"] == {"Fn::GetAtt": f"{name}Log.Arn"}
    assert properties(name)["LoggingConfig"] == {"LogGroup": {"Ref": f"{name}Log"}}


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("AuthorizeClient", None),
        ("IssueToken", [SIGNING_KEY, {"Fn::GetAtt": "DigestKey.Id"}]),
        ("CheckKey", SIGNING_KEY),
        ("ProbeConfig", None),
    ],
)
def test_a_function_may_read_exactly_its_secrets(name: str, secrets: object) -> None:
    """Only what signs and what checks reads the signing key."""
    [policy] = properties(f"{name}Role")["Policies"]

    readable = [
        statement["Resource"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "secretsmanager:GetSecretValue"
    ]

    assert readable == ([] if secrets is None else [secrets])
    assert secrets or "SigningKey" not in json.dumps(properties(f"{name}Role"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_decrypts_through_one_service_only(name: str) -> None:
    """The key's policy leaves it to the roles, and they name the service."""
    [policy] = properties(f"{name}Role")["Policies"]

    services = [
        statement["Condition"]["StringEquals"]["kms:ViaService"]["Fn::Sub"].partition(".")[0]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "kms:Decrypt"
    ]

    expected = {
        "AuthorizeClient": ["dynamodb"],
        "IssueToken": ["secretsmanager"],
        "CheckKey": ["secretsmanager"],
    }
    assert services == expected.get(name, [])


# What must never be lost or change


@pytest.mark.parametrize(
    ("name", "generated"),
    [
        (
            "SharedSigningKey",
            {
                "SecretStringTemplate": '{"algorithm": "HS256", "kid": "initial"}',
                "GenerateStringKey": "secret",
                "PasswordLength": 64,
                "ExcludePunctuation": True,
                "ExcludeCharacters": NO_PUNCTUATION,
            },
        ),
        (
            "DigestKey",
            {
                "PasswordLength": 64,
                "ExcludePunctuation": True,
                "ExcludeCharacters": NO_PUNCTUATION,
            },
        ),
    ],
)
def test_a_generated_secret_is_frozen(name: str, generated: dict[str, Any]) -> None:
    """Any change to how it is generated would replace it, and with it the key of every token."""
    assert properties(name)["GenerateSecretString"] == generated
    assert properties(name)["KmsKeyId"] == {"Fn::GetAtt": "EncryptionKey.Arn"}


def test_the_key_of_jaas_is_not_generated() -> None:
    """8x8 has to know its public part."""
    assert "GenerateSecretString" not in properties("JaasSigningKey")
    assert "SecretString" not in properties("JaasSigningKey")


@pytest.mark.parametrize(
    "name", ["JaasSigningKey", "SharedSigningKey", "DigestKey", "Clients", "EncryptionKey"]
)
def test_what_cannot_be_made_again_is_retained(name: str) -> None:
    """When the stack is deleted, and when an update would replace it."""
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_every_secret_table_and_key_is_among_those() -> None:
    """One that comes later must be retained too."""
    kinds = ("AWS::SecretsManager::Secret", "AWS::DynamoDB::Table", "AWS::KMS::Key")

    assert all(
        RESOURCES[name].get("DeletionPolicy") == "Retain"
        for kind in kinds
        for name in of_type(kind)
    )


def test_the_table_is_encrypted_and_can_be_restored() -> None:
    """With the stack's key, to any point in time."""
    table = properties("Clients")

    assert table["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": {"Fn::GetAtt": "EncryptionKey.Arn"},
    }
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_table_has_one_item_a_key() -> None:
    """Under the key's digest, and found by the client's name."""
    table = properties("Clients")

    assert table["KeySchema"] == [{"AttributeName": "key_digest", "KeyType": "HASH"}]
    [index] = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by-client"


@pytest.mark.parametrize("name", of_type("AWS::Logs::LogGroup"))
def test_a_log_group_is_encrypted_and_ends(name: str) -> None:
    """With the stack's key, after the days of the parameter."""
    assert properties(name)["KmsKeyId"] == {"Fn::GetAtt": "EncryptionKey.Arn"}
    assert properties(name)["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_every_function_has_its_log_group() -> None:
    """Lambda would make one without encryption and without an end."""
    assert {f"{name}Log" for name in FUNCTIONS} <= set(of_type("AWS::Logs::LogGroup"))


# Functions


def test_there_are_these_functions() -> None:
    """Each is held to the rules of this file."""
    assert of_type("AWS::Serverless::Function") == FUNCTIONS


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_starts_from_a_snapshot_behind_an_alias(name: str) -> None:
    """Published as `live`, on the runtime that the layer is compiled for."""
    found = function(name)

    assert found["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert found["AutoPublishAlias"] == "live"
    assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["x86_64"])
    assert found["Layers"] == [{"Ref": "JitsiTokensLayer"}]


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [("IssueToken", 1769), ("AuthorizeClient", 512), ("CheckKey", 512), ("ProbeConfig", 512)],
)
def test_memory_is_processor(name: str, megabytes: int) -> None:
    """What signs has one whole vCPU."""
    assert function(name)["MemorySize"] == megabytes


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_environment_holds_no_secret(name: str) -> None:
    """Names of things only: nothing typed in, nothing resolved at deployment."""
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    variables = shared | properties(name)["Environment"]["Variables"]

    for value in variables.values():
        assert isinstance(value, dict)
        assert value.keys() <= {"Ref", "Fn::GetAtt", "Fn::If"}
    assert "{{resolve:" not in json.dumps(variables)
    assert not any(PARAMETERS[name].get("NoEcho") for name in PARAMETERS)


@pytest.mark.parametrize("name", ["IssueToken", "CheckKey", "ProbeConfig"])
def test_a_change_of_a_setting_makes_a_new_version(name: str) -> None:
    """Every parameter in the environment is in the description, and so is the layer."""
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    settings = references(variables) - {"AWS::StackName"}

    assert settings | {"JitsiTokensLayer"} <= references(properties(name)["VersionDescription"])


def test_a_change_of_the_log_level_makes_a_new_version_of_the_authorizer() -> None:
    """It reads no other setting; the layer is in its description too."""
    described = references(properties("AuthorizeClient")["VersionDescription"])

    assert described == {"JitsiTokensLayer", "LogLevel"}


@pytest.mark.parametrize("is_jaas", [True, False], ids=["jaas", "self-hosted"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_versions_description_always_fits(name: str, *, is_jaas: bool) -> None:
    """Lambda takes 256 characters, whatever the parameters are."""
    assert longest_text(properties(name)["VersionDescription"], is_jaas=is_jaas) <= 256


def test_the_descriptions_are_not_shared() -> None:
    """SAM takes none from Globals."""
    assert "VersionDescription" not in TEMPLATE["Globals"]["Function"]


def test_the_key_is_checked_every_five_minutes() -> None:
    """And its status says so from the start."""
    events = properties("CheckKey")["Events"].values()

    assert "rate(5 minutes)" in [event["Properties"].get("Schedule") for event in events]


def test_the_first_status_is_that_nothing_was_checked() -> None:
    """The parameter's first value reads as the constant does."""
    status = msgspec.json.decode(properties("KeyStatus")["Value"], type=KeyStatus)

    assert status == NEVER_CHECKED


# The API


def test_the_api_is_regional_and_logs_no_data() -> None:
    """Data traces would hold the Authorization header."""
    api = properties("Api")
    [settings] = api["MethodSettings"]

    assert api["EndpointConfiguration"] == {"Type": "REGIONAL"}
    assert settings["DataTraceEnabled"] is False
    assert (settings["ResourcePath"], settings["HttpMethod"]) == ("/*", "*")


def test_the_authorizer_reads_one_header_and_turns_junk_away() -> None:
    """A key that is none costs no invocation; the answer is kept as long as the parameter says."""
    auth = properties("Api")["Auth"]
    authorizer = auth["Authorizers"][auth["DefaultAuthorizer"]]

    assert authorizer["FunctionPayloadType"] == "TOKEN"
    assert authorizer["FunctionArn"] == {"Ref": "AuthorizeClient.Alias"}
    assert authorizer["Identity"] == {
        "Header": "Authorization",
        "ValidationExpression": "^[Bb][Ee][Aa][Rr][Ee][Rr] +jtk_[0-9A-Za-z]{49}$",
        "ReauthorizeEvery": {"Ref": "AuthorizerCacheSeconds"},
    }


@pytest.mark.parametrize(
    ("route", "name"),
    [
        (("/api/jitsi/jwt", "POST"), "IssueToken"),
        (("/api/jitsi/diagnostics", "GET"), "ProbeConfig"),
    ],
)
def test_a_route_that_gives_something_wants_credentials(route: tuple[str, str], name: str) -> None:
    """It leaves the default authorizer in its place."""
    answering, event = routes()[route]

    assert answering == name
    assert "Auth" not in event


def test_every_other_route_is_open_and_gives_nothing() -> None:
    """The probe, and all that is 404."""
    closed = {("/api/jitsi/jwt", "POST"), ("/api/jitsi/diagnostics", "GET")}
    others = {route: found for route, found in routes().items() if route not in closed}

    assert ("/api/jitsi/jwt", "GET") in others
    assert {name for name, _ in others.values()} == {"ProbeConfig"}
    assert all(event["Auth"] == {"Authorizer": "NONE"} for _, event in others.values())


def test_every_path_and_method_is_matched() -> None:
    """What is unmatched API Gateway answers with the caller's header in the text."""
    paths = {path for path, _ in routes()}

    assert {"/", "/{proxy+}"} <= paths
    assert all((path, "ANY") in routes() for path in paths)


def test_no_function_refers_to_the_api_it_serves() -> None:
    """That would be a cycle; events name it, and SAM takes care of those."""
    for name in FUNCTIONS:
        own = {key: value for key, value in properties(name).items() if key != "Events"}
        assert "Api" not in references(own)


# Parameters


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_says_what_it_is(name: str) -> None:
    """Whoever deploys reads it, and finds it in a group."""
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]

    assert PARAMETERS[name]["Description"].strip()
    assert [name in group["Parameters"] for group in groups].count(True) == 1


@pytest.mark.parametrize(
    ("name", "default", "most"),
    [
        ("MaximumLifetimeSeconds", 14_400, 86_400),
        ("MaximumAdvanceSeconds", 604_800, 2_678_400),
        ("ClockSkewSeconds", 10, 300),
        ("MaximumStaleSeconds", 14_400, 86_400),
        ("AuthorizerCacheSeconds", 60, 3600),
    ],
)
def test_a_limit_has_its_default_and_its_own_limit(name: str, default: int, most: int) -> None:
    """As the contract says."""
    assert (PARAMETERS[name]["Default"], PARAMETERS[name]["MaxValue"]) == (default, most)

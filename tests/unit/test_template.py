"""What the template promises: read as it stands, and asserted where no emulator would notice."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import yaml

from jitsi_tokens import problems
from jitsi_tokens.problems import Kind
from jitsi_tokens.status import NEVER_CHECKED, KeyStatus
from local_stack.emulator import ROOT
from local_stack.template import read_template

KINDS = {kind.type: kind for kind in vars(problems).values() if isinstance(kind, Kind)}
FUNCTIONS = ["AuthorizeClient", "IssueToken", "CheckKey", "ProbeConfig"]
# `!If [IsJaas, !GetAtt JaasSigningKey.Id, !GetAtt SharedSigningKey.Id]`, its tags dropped.
SIGNING_KEY = ["IsJaas", "JaasSigningKey.Id", "SharedSigningKey.Id"]
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
    """Return what stands at the ends of a tree of YAML, tags and all; types left out."""
    match node:
        case yaml.MappingNode():
            for key, child in node.value:
                if key.value != "Type":
                    yield from values(child)
        case yaml.SequenceNode():
            for child in node.value:
                yield from values(child)
        case yaml.ScalarNode():
            yield node


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


def longest_text(value: Any, *, is_jaas: bool) -> int:
    """Return how many characters a value resolves to at most."""
    match value:
        case str() if value in PARAMETERS:
            return longest(value)
        case [7, [":", "JitsiTokensLayer"]]:
            return 5  # the layer's version
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


def test_what_has_the_name_of_a_parameter_or_a_resource_refers_to_it() -> None:
    """The tags are dropped in what follows: without this a forgotten `!Ref` would pass."""
    tree = yaml.compose((ROOT / "template.yaml").read_text(encoding="utf-8"), yaml.SafeLoader)
    assert isinstance(tree, yaml.MappingNode)
    sections = {key.value: section for key, section in tree.value}
    dropped = {"Metadata", "Parameters", "Transform", "AWSTemplateFormatVersion", "Description"}

    forgotten = [
        node.value
        for name in sections.keys() - dropped
        for node in values(sections[name])
        if references(node.value) and not node.tag.startswith("!")
    ]

    assert forgotten == []


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
    """Beside writing its own log; and nothing from a managed policy."""
    assert properties(name)["Role"] == f"{name}Role.Arn"
    role = properties(f"{name}Role")
    [policy] = role["Policies"]
    statements = policy["PolicyDocument"]["Statement"]

    allowed = [action for statement in statements for action in as_list(statement["Action"])]

    assert sorted(allowed) == sorted({"logs:CreateLogStream", "logs:PutLogEvents", *actions})
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    assert "ManagedPolicyArns" not in role
    assert not {"Policies", "ManagedPolicyArns"} & function(name).keys()
    assert statements[0]["Resource"] == f"{name}Log.Arn"
    assert properties(name)["LoggingConfig"] == {"LogGroup": f"{name}Log"}


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("AuthorizeClient", None),
        ("IssueToken", [SIGNING_KEY, "DigestKey.Id"]),
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
        statement["Condition"]["StringEquals"]["kms:ViaService"].partition(".")[0]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "kms:Decrypt"
    ]

    expected = {
        "AuthorizeClient": ["dynamodb"],
        "IssueToken": ["secretsmanager"],
        "CheckKey": ["secretsmanager"],
    }
    assert services == expected.get(name, [])


@pytest.mark.parametrize("name", of_type("AWS::IAM::Role"))
def test_no_role_has_a_bare_star(name: str) -> None:
    """Neither for what may be done nor for what it may be done to."""
    role = properties(name)

    statements = [
        statement
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]

    for statement in statements:
        assert {"Action", "Resource"} <= statement.keys()
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        assert "*" not in as_list(statement["Resource"])


def test_the_encryption_key_is_for_the_account_and_its_logs() -> None:
    """Roles get their part from their own policies; the logs are this stack's alone."""
    account, logs = properties("EncryptionKey")["KeyPolicy"]["Statement"]

    assert account["Principal"] == {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    assert logs["Principal"] == {"Service": "logs.${AWS::Region}.amazonaws.com"}
    assert "kms:*" not in as_list(logs["Action"])
    [context] = logs["Condition"]["ArnLike"].items()
    assert context[0] == "kms:EncryptionContext:aws:logs:arn"
    assert "${AWS::AccountId}" in json.dumps(context[1])
    assert "log-group:/aws/lambda/${AWS::StackName}-*" in json.dumps(context[1])


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
    assert properties(name)["KmsKeyId"] == "EncryptionKey.Arn"


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
        "KMSMasterKeyId": "EncryptionKey.Arn",
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
    assert properties(name)["KmsKeyId"] == "EncryptionKey.Arn"
    assert properties(name)["RetentionInDays"] == "LogRetentionDays"


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
    assert found["Layers"] == ["JitsiTokensLayer"]


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [("IssueToken", 1769), ("AuthorizeClient", 512), ("CheckKey", 512), ("ProbeConfig", 512)],
)
def test_memory_is_processor(name: str, megabytes: int) -> None:
    """What signs has one whole vCPU."""
    assert function(name)["MemorySize"] == megabytes


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_outlives_its_waits(name: str) -> None:
    """For AWS: its own answer, and not Lambda's end of it, is what a caller gets."""
    assert function(name)["Timeout"] >= 15


def test_the_layer_is_built_by_its_makefile_for_lambda() -> None:
    """Without it nothing is compiled; its architecture is told by the metadata alone."""
    metadata = RESOURCES["JitsiTokensLayer"]["Metadata"]

    assert metadata == {"BuildMethod": "makefile", "BuildArchitecture": "x86_64"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_environment_holds_no_secret(name: str) -> None:
    """Names of things only: nothing typed in, nothing resolved at deployment."""
    shared = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    variables = shared | properties(name)["Environment"]["Variables"]

    for value in variables.values():
        assert value == "AWS::StackName" or references(value)
    assert not re.search(r"[${]", json.dumps(list(variables.values())))
    assert not any(PARAMETERS[name].get("NoEcho") for name in PARAMETERS)


@pytest.mark.parametrize("name", ["IssueToken", "CheckKey", "ProbeConfig"])
def test_a_change_of_a_setting_makes_a_new_version(name: str) -> None:
    """Every parameter in the environment is in the description, and so is the layer."""
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    settings = references(variables)

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


def test_the_stage_is_throttled_as_the_parameters_say() -> None:
    """For every route; whoever deploys knows what the health record needs."""
    [settings] = properties("Api")["MethodSettings"]

    assert settings["ThrottlingRateLimit"] == "ThrottlingRate"
    assert settings["ThrottlingBurstLimit"] == "ThrottlingBurst"


def test_the_authorizer_reads_one_header_and_turns_junk_away() -> None:
    """A key that is none costs no invocation; the answer is kept as long as the parameter says."""
    auth = properties("Api")["Auth"]
    authorizer = auth["Authorizers"][auth["DefaultAuthorizer"]]

    assert authorizer["FunctionPayloadType"] == "TOKEN"
    assert authorizer["FunctionArn"] == "AuthorizeClient.Alias"
    assert authorizer["Identity"] == {
        "Header": "Authorization",
        "ValidationExpression": "^[Bb][Ee][Aa][Rr][Ee][Rr] +jtk_[0-9A-Za-z]{49}$",
        "ReauthorizeEvery": "AuthorizerCacheSeconds",
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


@pytest.mark.parametrize(
    ("rule", "provider", "needed"),
    [
        ("JaasNeedsAppId", "jaas", "JaasAppId"),
        ("SelfHostedNeedsDomain", "self-hosted", "JitsiDomain"),
    ],
)
def test_a_provider_has_what_it_needs(rule: str, provider: str, needed: str) -> None:
    """Before anything is deployed, and with a sentence that names the parameter."""
    found = TEMPLATE["Rules"][rule]

    assert found["RuleCondition"] == ["Provider", provider]  # !Equals
    [assertion] = found["Assertions"]
    assert assertion["Assert"] == [[needed, ""]]  # !Not [!Equals …]
    assert needed in assertion["AssertDescription"]
    assert provider in PARAMETERS["Provider"]["AllowedValues"]


GOOD_VALUES = {
    "JitsiDomain": [
        "",
        *("meet.example.org", "meet", "MEET.example.org", "meet-1.example.org"),
        *("203.0.113.10", "meet.example.org:8443", "x" * 64),
    ],
    "JaasAppId": ["", HEX, LONGEST_APP_ID],
    "JitsiAppId": ["openemr_telehealth", "a", "A.b-c_1", "x" * 25],
    "JitsiIssuer": ["openemr", "a", "A.b-c_1", "x" * 25],
    "JitsiAudience": ["openemr_telehealth", "jitsi", "A.b-c_1", "x" * 25],
    "JitsiSubject": ["", "*", "meet.jitsi", "meet.example.org", "clinic_1", "x" * 40],
    "JitsiTenant": ["", "clinic", "clinic-1", "clinic_1", "x" * 24],
}
BAD_VALUES = {
    "JitsiDomain": [
        *("https://meet.example.org", "meet.example.org/", "meet.example.org/clinic"),
        *("meet example.org", " meet.example.org", "meet.example.org ", "meet_1.example.org"),
        *("meet.example.org:", "meet.example.org:https", "meet.example.org:123456"),
        *("-meet.example.org", ".example.org", "meet.example.org.", "user@meet.example.org"),
        *("meet.example.org?x", "meet.example.org#x", "*.example.org", "x" * 65),
    ],
    "JaasAppId": [
        *(HEX[:-1], f"{HEX}0", f"{HEX[:-1]}g", LONGEST_APP_ID[:-1], f"{LONGEST_APP_ID}0"),
        *("vpaas-magic-cookie-", f"vpaas-magic-{HEX}", f"VPAAS-MAGIC-COOKIE-{HEX}"),
        *(f"{LONGEST_APP_ID}/4f4910", f" {HEX}", f"{HEX} ", f"{LONGEST_APP_ID}{LONGEST_APP_ID}"),
    ],
    **{
        name: ["", 'a"b', "a'b", "a\\b", "a b", "a,b", "a/b", "a|b", "*", "é", "x" * 26]
        for name in ("JitsiAppId", "JitsiIssuer", "JitsiAudience")
    },
    "JitsiSubject": ['a"b', "a b", "a/b", "https://meet.example.org", "é", "x" * 41],
    "JitsiTenant": ["Clinic", "clinic/1", "/clinic", "a b", "a.b", "a%20b", "é", "x" * 25],
}


def test_every_text_is_tried() -> None:
    """A parameter that a person types, and no list that it is chosen from."""
    texts = {
        name
        for name, rules in PARAMETERS.items()
        if rules["Type"] == "String" and "AllowedValues" not in rules
    }

    assert GOOD_VALUES.keys() == BAD_VALUES.keys() == texts
    assert all("ConstraintDescription" in PARAMETERS[name] for name in texts)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, good in GOOD_VALUES.items() for value in good]
)
def test_a_parameter_takes_what_is_right(name: str, value: str) -> None:
    """As people paste it."""
    assert accepts(name, value)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, bad in BAD_VALUES.items() for value in bad]
)
def test_a_parameter_refuses_what_would_fail_later(name: str, value: str) -> None:
    """In a meeting's address, in a claim, or in docker-jitsi-meet's configuration."""
    assert not accepts(name, value)


# Outputs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ApiUrl", "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1"),
        ("Provider", "Provider"),
        ("SigningAlgorithm", ["IsJaas", "RS256", "HS256"]),
        ("SigningKeySecret", SIGNING_KEY),
        ("ClientsTable", "Clients"),
        ("CheckKeyFunction", "CheckKey.Alias"),
    ],
)
def test_the_stack_tells_what_its_users_need(name: str, value: object) -> None:
    """The command line and the health record read these, of either provider."""
    output = TEMPLATE["Outputs"][name]

    assert output["Value"] == value
    assert "Condition" not in output
    assert output["Description"]

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
from jitsi_tokens.publication import FRESH_SECONDS
from jitsi_tokens.rotation import FETCH_SECONDS
from jitsi_tokens.status import NEVER_CHECKED, KeyStatus
from local_stack.emulator import ROOT
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
        for policy in properties(role)["Policies"]
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
        case ["SharesSecret", str(then), str(other)]:
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
        (
            "CheckKey",
            {
                "secretsmanager:GetSecretValue",
                "kms:Decrypt",
                "ssm:PutParameter",
                "ssm:GetParametersByPath",
            },
        ),
        ("ProbeConfig", {"ssm:GetParameter"}),
        ("ServePublicKey", {"ssm:GetParametersByPath"}),
        (
            "RotateSigningKey",
            {
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
                "kms:Decrypt",
                "kms:GenerateDataKey",
                "ssm:GetParametersByPath",
                "ssm:PutParameter",
                "ssm:DeleteParameter",
            },
        ),
    ],
)
def test_a_function_may_do_exactly_what_it_does(name: str, actions: set[str]) -> None:
    """Beside writing its own log; and nothing from a managed policy."""
    assert properties(name)["Role"] == f"{name}Role.Arn"
    allowed = permissions(f"{name}Role")

    done = [action for statement in allowed for action in as_list(statement["Action"])]

    assert sorted(done) == sorted({"logs:CreateLogStream", "logs:PutLogEvents", *actions})
    assert {statement["Effect"] for statement in allowed} == {"Allow"}
    assert "ManagedPolicyArns" not in properties(f"{name}Role")
    assert not {"Policies", "ManagedPolicyArns"} & function(name).keys()
    assert allowed[0]["Resource"] == f"{name}Log.Arn"
    assert properties(name)["LoggingConfig"] == {"LogGroup": f"{name}Log"}


@pytest.mark.parametrize(
    ("name", "secrets"),
    [
        ("AuthorizeClient", None),
        ("IssueToken", [SIGNING_KEY, "DigestKey.Id"]),
        ("CheckKey", SIGNING_KEY),
        ("ProbeConfig", None),
        ("ServePublicKey", None),
        ("RotateSigningKey", "PublishedSigningKey.Id"),
    ],
)
def test_a_function_may_read_exactly_its_secrets(name: str, secrets: object) -> None:
    """Only what signs, what checks and what rotates reads the signing key."""
    readable = [
        statement["Resource"]
        for statement in permissions(f"{name}Role")
        if "secretsmanager:GetSecretValue" in as_list(statement["Action"])
    ]

    assert readable == ([] if secrets is None else [secrets])
    assert secrets or not SIGNING_KEYS & references(properties(f"{name}Role"))


def test_these_roles_alone_may_read_the_signing_secret() -> None:
    """Asked of every role in the template, whatever it is for."""
    readers = {
        role
        for role in of_type("AWS::IAM::Role")
        for statement in permissions(role)
        if any(action.startswith("secretsmanager:") for action in as_list(statement["Action"]))
        and SIGNING_KEYS & references(statement["Resource"])
    }

    assert readers == {"IssueTokenRole", "CheckKeyRole", "RotateSigningKeyRole"}


def test_the_rotation_alone_writes_public_keys() -> None:
    """Asked of every role and of every policy for people: these can withdraw one at most."""
    writers = {
        name: set(as_list(statement["Action"]))
        for name, statement in everybodys_statements()
        if "public-keys/*" in json.dumps(statement["Resource"])
    }

    assert writers == {
        "RotateSigningKeyRole": {"ssm:PutParameter", "ssm:DeleteParameter"},
        "KeyOperatorPolicy": {"ssm:DeleteParameter"},
    }


def everybodys_statements() -> list[tuple[str, dict[str, Any]]]:
    """Return every statement of every role and managed policy, under its resource's name."""
    found = [(role, each) for role in of_type("AWS::IAM::Role") for each in permissions(role)]
    return found + [
        (policy, each)
        for policy in of_type("AWS::IAM::ManagedPolicy")
        for each in statements(properties(policy)["PolicyDocument"])
    ]


def test_a_parameter_of_ssm_is_written_by_its_own_path() -> None:
    """Nobody may put a parameter anywhere but the check its status and the rotation its keys."""
    written = {
        name: json.dumps(statement["Resource"])
        for name, statement in everybodys_statements()
        if "ssm:PutParameter" in as_list(statement["Action"])
    }

    assert written.keys() == {"CheckKeyRole", "RotateSigningKeyRole"}
    assert "parameter${KeyStatus}" in written["CheckKeyRole"]
    assert "public-keys" not in written["CheckKeyRole"]


def test_where_no_key_rotates_the_rotation_may_touch_nothing() -> None:
    """All that its role may do beside its log holds for published keys alone."""
    always, (condition, _, otherwise) = properties("RotateSigningKeyRole")["Policies"]
    [log] = always["PolicyDocument"]["Statement"]

    assert log["Resource"] == "RotateSigningKeyLog.Arn"
    assert (condition, otherwise) == ("PublishesKeys", "AWS::NoValue")


@pytest.mark.parametrize("role", ["CheckKeyRole", "ServePublicKeyRole", "RotateSigningKeyRole"])
def test_the_public_keys_are_read_by_their_path(role: str) -> None:
    """AWS asks for the path itself, without a slash at its end."""
    [resource] = [
        statement["Resource"]
        for statement in permissions(role)
        if statement["Action"] == "ssm:GetParametersByPath"
    ]

    assert resource == PUBLIC_KEYS_ARN


def test_who_operates_keys_does_not_read_clients_and_so_on() -> None:
    """Three policies for people: each has its part, and the auditor never what signs."""
    parts = {
        "KeyOperatorPolicy": ("secretsmanager:PutSecretValue", {"Clients", "DigestKey"}),
        "ClientOperatorPolicy": ("dynamodb:PutItem", {*SIGNING_KEYS, "DigestKey"}),
        "AuditorPolicy": ("logs:FilterLogEvents", {"Clients"}),
    }
    assert of_type("AWS::IAM::ManagedPolicy") == list(parts)

    for policy, (action, others) in parts.items():
        document = properties(policy)["PolicyDocument"]
        allowed = statements(document)
        assert action in {each for statement in allowed for each in as_list(statement["Action"])}
        assert not others & references(document)
        assert not [each for each in allowed if "*" in as_list(each["Resource"])]
        assert TEMPLATE["Outputs"][policy]["Value"] == policy


def test_the_auditor_reads_the_digest_key_and_not_the_signing_key() -> None:
    """With it rooms and people are found in the log; of the signing key only its labels."""
    allowed = statements(properties("AuditorPolicy")["PolicyDocument"])

    read = [
        each["Resource"] for each in allowed if each["Action"] == "secretsmanager:GetSecretValue"
    ]
    logs = next(each["Resource"] for each in allowed if "logs:GetLogEvents" in each["Action"])

    assert read == ["DigestKey.Id"]
    assert [references(each) for each in logs] == [{f"{name}Log"} for name in FUNCTIONS]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_decrypts_through_one_service_only(name: str) -> None:
    """The key's policy leaves it to the roles, and they name the service."""
    services = [
        statement["Condition"]["StringEquals"]["kms:ViaService"].partition(".")[0]
        for statement in permissions(f"{name}Role")
        if "kms:Decrypt" in as_list(statement["Action"])
    ]

    expected = {
        "AuthorizeClient": ["dynamodb"],
        "IssueToken": ["secretsmanager"],
        "CheckKey": ["secretsmanager"],
        "RotateSigningKey": ["secretsmanager"],
    }
    assert services == expected.get(name, [])


@pytest.mark.parametrize("name", of_type("AWS::IAM::Role"))
def test_no_role_has_a_bare_star(name: str) -> None:
    """Neither for what may be done nor for what it may be done to."""
    for statement in permissions(name):
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


@pytest.mark.parametrize("name", ["JaasSigningKey", "PublishedSigningKey"])
def test_an_rsa_key_is_not_generated_by_cloudformation(name: str) -> None:
    """It makes no RSA keys; a person or the rotation does."""
    assert not {"GenerateSecretString", "SecretString"} & properties(name).keys()
    assert properties(name)["KmsKeyId"] == "EncryptionKey.Arn"


def test_there_is_one_signing_key() -> None:
    """Each provider and algorithm has a resource of its own, and a stack has one of them."""
    assert TEMPLATE["Conditions"]["SharesSecret"] == [
        ["Provider", "self-hosted"],
        ["SigningAlgorithm", "HS256"],
    ]
    assert TEMPLATE["Conditions"]["PublishesKeys"] == [
        ["Provider", "self-hosted"],
        ["SigningAlgorithm", "RS256"],
    ]
    assert {name: RESOURCES[name]["Condition"] for name in sorted(SIGNING_KEYS)} == {
        "JaasSigningKey": "IsJaas",
        "PublishedSigningKey": "PublishesKeys",
        "SharedSigningKey": "SharesSecret",
    }


def test_the_key_rotates_once_it_can() -> None:
    """The schedule makes the first key at once, so the address and the permission come before."""
    schedule = RESOURCES["RotationSchedule"]

    assert schedule["Condition"] == "RotatesBySchedule"
    assert TEMPLATE["Conditions"]["RotatesBySchedule"] == ["PublishesKeys", [["RotationDays", 0]]]
    assert schedule["DependsOn"] == ["RotationPermission", "Apiv1Stage"]
    assert schedule["Properties"] == {
        "SecretId": "PublishedSigningKey.Id",
        "RotationLambdaARN": "RotateSigningKey.Arn",
        "RotationRules": {"AutomaticallyAfterDays": "RotationDays"},
    }


def test_secrets_manager_alone_may_call_the_rotation() -> None:
    """For this account and this secret: nobody's confused deputy."""
    permission = RESOURCES["RotationPermission"]

    assert permission["Condition"] == "PublishesKeys"
    assert permission["Properties"] == {
        "FunctionName": "RotateSigningKey.Arn",
        "Action": "lambda:InvokeFunction",
        "Principal": "secretsmanager.amazonaws.com",
        "SourceAccount": "AWS::AccountId",
        "SourceArn": "PublishedSigningKey.Id",
    }


def test_the_rotation_has_no_alias_and_no_snapshot() -> None:
    """Secrets Manager calls it by its name, so a change reaches it at once."""
    found = function("RotateSigningKey")

    assert found["AutoPublishAlias"] == ""
    assert found["SnapStart"] == {"ApplyOn": "None"}
    assert found["MemorySize"] == 1769


def test_the_rotation_outlives_its_longest_wait() -> None:
    """The lead, and then the wait for the public address."""
    longest_lead = PARAMETERS["PublicationLeadSeconds"]["MaxValue"]

    assert function("RotateSigningKey")["Timeout"] >= longest_lead + FETCH_SECONDS + 60
    # A list of the keys that is kept for a minute here, and for another by who fetched it.
    assert PARAMETERS["PublicationLeadSeconds"]["Default"] > 2 * FRESH_SECONDS


@pytest.mark.parametrize("name", [*sorted(SIGNING_KEYS), "DigestKey", "Clients", "EncryptionKey"])
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


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_function_starts_from_a_snapshot_behind_an_alias(name: str) -> None:
    """Published as `live`, on the runtime that the layer is compiled for."""
    found = function(name)

    assert found["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    assert found["AutoPublishAlias"] == "live"
    assert (found["Runtime"], found["Architectures"]) == ("python3.13", ["x86_64"])
    assert found["Layers"] == ["JitsiTokensLayer"]


@pytest.mark.parametrize(
    ("name", "megabytes"),
    [
        ("IssueToken", 1769),
        ("AuthorizeClient", 512),
        ("CheckKey", 512),
        ("ProbeConfig", 512),
        ("ServePublicKey", 512),
        ("RotateSigningKey", 1769),
    ],
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

    api = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1"
    named = ["AWS::StackName", PUBLIC_KEYS_PATH, api]
    for value in variables.values():
        others = [part for part in as_list(value) if part not in named]
        assert not others or references(value)
        assert not re.search(r"[${]", json.dumps(others))
    assert not any(PARAMETERS[name].get("NoEcho") for name in PARAMETERS)


@pytest.mark.parametrize("name", ["IssueToken", "CheckKey", "ProbeConfig"])
def test_a_change_of_a_setting_makes_a_new_version(name: str) -> None:
    """Every parameter in the environment is in the description, and so is the layer."""
    variables = TEMPLATE["Globals"]["Function"]["Environment"]["Variables"]
    settings = references(variables)

    assert settings | {"JitsiTokensLayer"} <= references(properties(name)["VersionDescription"])


@pytest.mark.parametrize("name", ["AuthorizeClient", "ServePublicKey"])
def test_a_change_of_the_log_level_makes_a_new_version(name: str) -> None:
    """These read no other setting; the layer is in their description too."""
    described = references(properties(name)["VersionDescription"])

    assert described == {"JitsiTokensLayer", "LogLevel"}


@pytest.mark.parametrize("is_jaas", [True, False], ids=["jaas", "self-hosted"])
@pytest.mark.parametrize("name", PUBLISHED)
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


def test_every_other_route_is_open_and_gives_nothing_secret() -> None:
    """The probe, the public keys, and all that is 404."""
    closed = {("/api/jitsi/jwt", "POST"), ("/api/jitsi/diagnostics", "GET")}
    others = {route: found for route, found in routes().items() if route not in closed}

    assert ("/api/jitsi/jwt", "GET") in others
    public = {("/asap/{file}", "GET"), ("/.well-known/jwks.json", "GET")}
    assert {route for route, (name, _) in others.items() if name == "ServePublicKey"} == public
    assert {name for name, _ in others.values()} == {"ProbeConfig", "ServePublicKey"}
    assert all(event["Auth"] == {"Authorizer": "NONE"} for _, event in others.values())


def test_every_path_and_method_is_matched() -> None:
    """What is unmatched API Gateway answers with the caller's header in the text."""
    paths = {path for path, _ in routes()}

    assert {"/", "/{proxy+}"} <= paths
    assert all((path, "ANY") in routes() for path in paths)


def test_no_function_refers_to_the_api_it_serves() -> None:
    """That would be a cycle; events name it, and SAM takes care of those."""
    for name in PUBLISHED:
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
        ("RotationDays", 90, 1000),
        ("PublicationLeadSeconds", 130, 600),
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
    "JitsiSubject": ["", "*", "meet.jitsi", "meet.example.org", "clinic_1", "x" * 38],
    "JitsiTenant": ["", "clinic", "clinic-1", "clinic_1", "x" * 24],
    "PublicUrl": [
        "",
        *("https://tokens.example.org", "https://tokens.example.org:8443"),
        *("https://example.org/tokens", "https://example.org/a/b-1", "https://10.0.0.1/v1"),
    ],
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
    "JitsiSubject": ['a"b', "a b", "a/b", "https://meet.example.org", "é", "x" * 39],
    "PublicUrl": [
        *("http://tokens.example.org", "tokens.example.org", "https://", "https://a.example/"),
        *("https://a.example/v1/", "https://a.example?x", "https://a.example#x"),
        *("https://user@a.example", "https://a.example//v1", "https://a b.example"),
        *("https://a.example/v1 ", f"https://{'x' * 200}"),
    ],
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
        (
            "ApiUrl",
            [
                "HasPublicUrl",
                "PublicUrl",
                "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1",
            ],
        ),
        ("Provider", "Provider"),
        ("SigningAlgorithm", ["IsJaas", "RS256", "SigningAlgorithm"]),
        ("SigningKeySecret", SIGNING_KEY),
        ("ClientsTable", "Clients"),
        ("CheckKeyFunction", "CheckKey.Alias"),
        ("IssueTokenFunction", "IssueToken"),
        ("RotateSigningKeyFunction", "RotateSigningKey.Arn"),
        ("KeyStatusParameter", "KeyStatus"),
        ("PublicKeysPath", PUBLIC_KEYS_PATH),
    ],
)
def test_the_stack_tells_what_its_users_need(name: str, value: object) -> None:
    """The command line and the health record read these, of either provider."""
    output = TEMPLATE["Outputs"][name]

    assert output["Value"] == value
    assert "Condition" not in output
    assert output["Description"]

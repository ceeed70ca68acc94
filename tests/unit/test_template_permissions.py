"""Who may do what, as the template gives it."""

import json
import re
from typing import Any

import pytest

from tests.template_reading import (
    FUNCTIONS,
    PUBLIC_KEYS_ARN,
    SIGNING_KEY,
    SIGNING_KEYS,
    TEMPLATE,
    as_list,
    function,
    of_type,
    permissions,
    properties,
    references,
    statements,
)

# Of metrics, alarms, queries and traces: AWS lets no policy name them.
READING = re.compile(r"(cloudwatch|logs|xray):(Describe|Get|List|BatchGet|Stop)")
TRACING = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]


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
    """Beside writing its own log and its traces; and nothing from a managed policy."""
    assert properties(name)["Role"] == f"{name}Role.Arn"
    allowed = [each for each in permissions(f"{name}Role") if each["Action"] != TRACING]

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
    always, (condition, _, otherwise), _tracing = properties("RotateSigningKeyRole")["Policies"]
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
    """Four policies for people: each has its part, and the auditor never what signs."""
    parts = {
        "KeyOperatorPolicy": ("secretsmanager:PutSecretValue", {"Clients", "DigestKey"}),
        "ClientOperatorPolicy": ("dynamodb:PutItem", {*SIGNING_KEYS, "DigestKey"}),
        "OnCallPolicy": ("logs:StartQuery", {*SIGNING_KEYS, "DigestKey", "Clients"}),
        "AuditorPolicy": ("logs:FilterLogEvents", {"Clients"}),
    }
    assert of_type("AWS::IAM::ManagedPolicy") == list(parts)

    for policy, (action, others) in parts.items():
        document = properties(policy)["PolicyDocument"]
        allowed = statements(document)
        assert action in {each for statement in allowed for each in as_list(statement["Action"])}
        assert not others & references(document)
        unnamed = [each["Action"] for each in allowed if "*" in as_list(each["Resource"])]
        assert not [action for each in unnamed for action in each if not READING.match(action)]
        assert TEMPLATE["Outputs"][policy]["Value"] == policy


def test_nobody_but_the_deployment_changes_a_function() -> None:
    """A function's settings alone make it run other code; and only what answers a person is run."""
    allowed = [
        (policy, action, each["Resource"])
        for policy in of_type("AWS::IAM::ManagedPolicy")
        for each in statements(properties(policy)["PolicyDocument"])
        for action in as_list(each["Action"])
        if action.startswith(("lambda:", "*"))
    ]

    assert allowed == [
        ("KeyOperatorPolicy", "lambda:InvokeFunction", "CheckKey.Alias"),
        ("KeyOperatorPolicy", "lambda:InvokeFunction", "RotateSigningKey.Arn"),
        ("OnCallPolicy", "lambda:InvokeFunction", "CheckKey.Alias"),
    ]


def test_a_key_operator_rotates_by_the_stacks_function_alone() -> None:
    """Secrets Manager would go on calling one of their own after they are gone."""
    [rotates] = [
        each
        for each in statements(properties("KeyOperatorPolicy")["PolicyDocument"])
        if each["Action"] == "secretsmanager:RotateSecret"
    ]

    assert rotates["Condition"] == {
        "ArnEqualsIfExists": {"secretsmanager:RotationLambdaARN": "RotateSigningKey.Arn"}
    }


def test_the_auditor_reads_the_digest_key_and_not_the_signing_key() -> None:
    """With it rooms and people are found in the log; of the signing key only its labels."""
    allowed = statements(properties("AuditorPolicy")["PolicyDocument"])

    read = [
        each["Resource"] for each in allowed if each["Action"] == "secretsmanager:GetSecretValue"
    ]
    logs = next(each["Resource"] for each in allowed if "logs:GetLogEvents" in each["Action"])

    assert read == ["DigestKey.Id"]
    assert set().union(*map(references, logs)) == set(of_type("AWS::Logs::LogGroup"))


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
        # X-Ray has nothing that a policy could name.
        assert "*" not in as_list(statement["Resource"]) or statement["Action"] == TRACING


@pytest.mark.parametrize("name", FUNCTIONS)
def test_traces_are_written_only_where_there_are_any(name: str) -> None:
    """A parameter switches them off."""
    *_, (condition, policy, otherwise) = properties(f"{name}Role")["Policies"]

    assert (condition, policy["PolicyName"], otherwise) == ("Traces", "tracing", "AWS::NoValue")
    assert TEMPLATE["Conditions"]["Traces"] == ["Tracing", "Active"]


@pytest.mark.parametrize(
    ("role", "policy"),
    [
        ("ApiGatewayLogRole", "AmazonAPIGatewayPushToCloudWatchLogs"),
        ("CanaryRole", "AWSCodeDeployRoleForLambdaLimited"),
    ],
)
def test_a_role_for_a_service_has_that_services_policy_alone(role: str, policy: str) -> None:
    """These two are no function's."""
    others = set(of_type("AWS::IAM::Role")) - {f"{name}Role" for name in FUNCTIONS}

    assert others == {"ApiGatewayLogRole", "CanaryRole"}
    [attached] = properties(role)["ManagedPolicyArns"]
    assert attached.endswith(f":aws:policy/service-role/{policy}")
    assert "Policies" not in properties(role)


@pytest.mark.parametrize("role", of_type("AWS::IAM::Role"))
def test_a_role_takes_the_boundary_that_is_given(role: str) -> None:
    """So that whoever deploys can make no role that may more."""
    boundary = properties(role)["PermissionsBoundary"]

    assert boundary == ["HasBoundary", "PermissionsBoundary", "AWS::NoValue"]


def test_the_encryption_key_is_for_the_account_its_logs_and_its_notices() -> None:
    """Roles get their part from their own policies; the logs are this stack's alone."""
    account, logs, alarms, events, (condition, deletion, _) = properties("EncryptionKey")[
        "KeyPolicy"
    ]["Statement"]

    assert account["Principal"] == {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    assert logs["Principal"] == {"Service": "logs.${AWS::Region}.amazonaws.com"}
    assert "kms:*" not in as_list(logs["Action"])
    [context] = logs["Condition"]["ArnLike"].items()
    assert context[0] == "kms:EncryptionContext:aws:logs:arn"
    for pattern, variables in context[1]:
        assert "${AWS::StackName}-" in pattern
        assert "${AWS::AccountId}" in variables["Logs"]
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": "AWS::AccountId"}}
    # With a condition EventBridge could publish nothing, and nobody would be told.
    assert (events["Principal"], "Condition" in events) == (
        {"Service": "events.amazonaws.com"},
        False,
    )
    assert (condition, deletion["Effect"]) == ("ProtectsFromDeletion", "Deny")
    assert deletion["Action"] == ["kms:ScheduleKeyDeletion", "kms:DisableKey"]

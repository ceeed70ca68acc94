"""Least privilege where no deployment shows it: asked of every role and policy of the template.

tests/stack/test_whole_calls.py compares what each function may do with what it calls, and
tests/stack/test_permissions.py tries what functions and operators may not do.
"""

import json
import re
from typing import Any

import pytest

from tests.template_reading import (
    FUNCTIONS,
    POLICIES,
    ROLES,
    SIGNING_KEYS,
    as_list,
    log_of,
    of_type,
    permissions,
    properties,
    references,
)

# Of metrics, alarms, queries and traces: AWS lets no policy name them.
READING = re.compile(r"(cloudwatch|logs|xray):(Describe|Get|List|BatchGet|Stop)")
TRACING = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
SIGNS = {"IssueTokenRole", "JoinVisitRole", "CheckKeyRole", "RotateSigningKeyRole"}
VISITS = {"ManageVisitsRole", "JoinVisitRole"}
OF_VISITS = {"LinkKey", "VisitsTable"}


def allowed(action: str) -> dict[str, list[Any]]:
    """Return the roles and policies that allow an action, with the resources."""
    found: dict[str, list[Any]] = {}
    for name in ROLES + POLICIES:
        for statement in permissions(name):
            if action in as_list(statement["Action"]):
                found.setdefault(name, []).append(statement["Resource"])
    return found


@pytest.mark.parametrize(
    ("action", "resource", "names"),
    [
        ("secretsmanager:GetSecretValue", "SigningKey", SIGNS | {"KeyOperatorPolicy"}),
        *(
            (f"secretsmanager:{action}", "", {"RotateSigningKeyRole", "KeyOperatorPolicy"})
            for action in ("PutSecretValue", "UpdateSecretVersionStage")
        ),
        (
            "secretsmanager:GetSecretValue",
            "DigestKey",
            VISITS | {"IssueTokenRole", "AuditorPolicy"},
        ),
        ("secretsmanager:GetSecretValue", "LinkKey", {"ManageVisitsRole"}),
        ("ssm:PutParameter", "", {"CheckKeyRole", "RotateSigningKeyRole"}),
        ("ssm:PutParameter", "public-keys", {"RotateSigningKeyRole"}),
        ("ssm:PutParameter", "${KeyStatus}", {"CheckKeyRole"}),
        ("ssm:DeleteParameter", "", {"RotateSigningKeyRole", "KeyOperatorPolicy"}),
        ("dynamodb:PutItem", "Clients", {"ClientOperatorPolicy"}),
        ("dynamodb:PutItem", "VisitsTable", VISITS),
        ("dynamodb:DeleteItem", "VisitsTable", set()),
        ("dynamodb:Query", "VisitsTable", {"ManageVisitsRole"}),
        ("dynamodb:Scan", "", {"ClientOperatorPolicy"}),
        ("lambda:InvokeFunction", "", {"KeyOperatorPolicy", "OnCallPolicy"}),
    ],
)
def test_nobody_else_may_do_this(action: str, resource: str, names: set[str]) -> None:
    """To read what signs, or to change what Jitsi, a health record or the authorizer believes."""
    found = {
        name for name, resources in allowed(action).items() if resource in json.dumps(resources)
    }

    assert found == names


@pytest.mark.parametrize("name", [*ROLES, *POLICIES])
def test_a_permission_names_its_actions_and_resources(name: str) -> None:
    """No star, except where AWS has nothing that a policy could name."""
    for statement in permissions(name):
        actions = as_list(statement["Action"])
        assert {"Action", "Resource"} <= statement.keys()
        assert not [action for action in actions if "*" in action]
        if "*" in as_list(statement["Resource"]) and actions != TRACING:
            assert not [action for action in actions if not READING.match(action)]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_its_own_policies_and_the_boundary(role: str) -> None:
    """AWS's own policies are for the two roles that AWS's services take."""
    found = properties(role)

    assert found["PermissionsBoundary"] == ["HasBoundary", "PermissionsBoundary", "AWS::NoValue"]
    attached = found.get("ManagedPolicyArns", [])
    assert len(attached) == (role in ("ApiGatewayLogRole", "CanaryRole"))
    assert all(":aws:policy/service-role/" in arn for arn in attached)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_writes_its_own_log_and_decrypts_through_what_it_reads(name: str) -> None:
    """The key's policy leaves decryption to the roles."""
    log, *others = permissions(f"{name}Role")
    services = {
        service.partition(".")[0]
        for statement in others
        if "kms:Decrypt" in as_list(statement["Action"])
        for service in as_list(statement["Condition"]["StringEquals"]["kms:ViaService"])
    }

    assert properties(name)["Role"] == f"{name}Role.Arn"
    assert not {"Policies", "ManagedPolicyArns"} & properties(name).keys()
    assert log["Resource"] == f"{log_of(name)}.Arn"
    assert services <= {"dynamodb", "secretsmanager"}
    assert len(services) <= (2 if f"{name}Role" in VISITS else 1)


def test_the_public_keys_are_read_by_their_path() -> None:
    """AWS asks for the path itself, without a slash at its end; the emulator takes both."""
    found = allowed("ssm:GetParametersByPath")

    assert found.keys() >= {"CheckKeyRole", "ServePublicKeyRole", "RotateSigningKeyRole"}
    for [resource] in found.values():
        assert resource[1][-1] == "parameter/jitsi-tokens/${AWS::StackName}/public-keys"


@pytest.mark.parametrize(
    ("policy", "others"),
    [
        ("KeyOperatorPolicy", {"Clients", "DigestKey", *OF_VISITS}),
        ("ClientOperatorPolicy", {*SIGNING_KEYS, "DigestKey", *OF_VISITS}),
        ("OnCallPolicy", {"DigestKey", "Clients", *OF_VISITS}),
        ("AuditorPolicy", {"Clients", *OF_VISITS}),
    ],
)
def test_operators_do_not_do_each_others_work(policy: str, others: set[str]) -> None:
    """And only the deployment changes a function."""
    actions = {each for statement in permissions(policy) for each in as_list(statement["Action"])}

    assert not others & references(properties(policy)["PolicyDocument"])
    assert {each for each in actions if each.startswith("lambda:")} <= {"lambda:InvokeFunction"}


def test_secrets_manager_and_the_rotation_call_each_other_alone() -> None:
    """Else an operator's own function would be called after they left, or ours for others."""
    [rotates] = [
        each
        for each in permissions("KeyOperatorPolicy")
        if each["Action"] == "secretsmanager:RotateSecret"
    ]
    permission = properties("RotationPermission")

    assert rotates["Condition"] == {
        "ArnEqualsIfExists": {"secretsmanager:RotationLambdaARN": "RotateSigningKey.Arn"}
    }
    assert permission["Principal"] == "secretsmanager.amazonaws.com"
    assert permission["SourceAccount"] == "AWS::AccountId"
    assert permission["SourceArn"] == "PublishedSigningKey.Id"


def test_the_auditor_reads_every_log_and_of_the_secrets_the_digest_key() -> None:
    """With that key rooms and people are found in the log."""
    assert allowed("secretsmanager:GetSecretValue")["AuditorPolicy"] == ["DigestKey.Id"]
    logs = allowed("logs:GetLogEvents")["AuditorPolicy"]
    assert references(logs) == set(of_type("AWS::Logs::LogGroup"))


def test_the_encryption_key_is_for_the_logs_of_this_stack_and_cannot_be_deleted() -> None:
    """Roles get their part from their own policies."""
    account, logs, *_, (condition, deletion, _) = properties("EncryptionKey")["KeyPolicy"][
        "Statement"
    ]

    assert account["Principal"] == {"AWS": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    assert "kms:*" not in as_list(logs["Action"])
    for pattern, variables in logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]:
        assert "${AWS::StackName}-" in pattern
        assert "${AWS::AccountId}" in variables["Logs"]
    assert (condition, deletion["Effect"]) == ("ProtectsFromDeletion", "Deny")
    assert deletion["Action"] == ["kms:ScheduleKeyDeletion", "kms:DisableKey"]

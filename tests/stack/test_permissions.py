"""Least privilege, asked of the roles themselves: IAM is enforced on the local stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local_stack import deployment
from local_stack.commands import CommandFailure, Commands
from tests.stack.as_role import ON_THE_EMULATOR, attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.stack.as_role import Attempt
    from tests.stack.service import Service


__all__ = ["attempt"]  # a fixture

pytestmark = pytest.mark.stack

FUNCTIONS = [
    *("IssueToken", "CheckKey", "ProbeConfig", "AuthorizeClient"),
    *("ServePublicKey", "RotateSigningKey"),
]
type PersonWith = Callable[[Service, str], dict[str, str]]


@pytest.fixture
def person(tenant: Service) -> Iterator[PersonWith]:
    """Return the maker of somebody who has one of a stack's managed policies, and nothing else."""
    iam = deployment.client(tenant.emulator, "iam")
    made: list[tuple[str, str, str]] = []

    def make(service: Service, policy: str) -> dict[str, str]:
        name = f"person-{len(made)}"
        arn = service.stack.outputs[policy]
        iam.create_user(UserName=name)
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
        iam.put_user_policy(
            UserName=name, PolicyName="on-the-emulator", PolicyDocument=ON_THE_EMULATOR
        )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made.append((name, arn, key["AccessKeyId"]))
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    yield make
    for name, arn, access_key in made:
        iam.detach_user_policy(UserName=name, PolicyArn=arn)
        iam.delete_user_policy(UserName=name, PolicyName="on-the-emulator")
        iam.delete_access_key(UserName=name, AccessKeyId=access_key)
        iam.delete_user(UserName=name)


@pytest.mark.parametrize(
    ("function", "outcome"),
    [
        ("IssueToken", "allowed"),
        ("CheckKey", "allowed"),
        ("ProbeConfig", "AccessDeniedException"),
        ("AuthorizeClient", "AccessDeniedException"),
        ("ServePublicKey", "AccessDeniedException"),
        # Where the key does not rotate there is nothing that it may touch.
        ("RotateSigningKey", "AccessDeniedException"),
    ],
)
def test_who_may_read_the_signing_key(
    tenant: Service, attempt: Attempt, function: str, outcome: str
) -> None:
    """The functions that sign may; those that recognise and report may not."""
    secret = tenant.stack.outputs["SigningKeySecret"]

    answer = attempt(tenant, function, "secretsmanager.get_secret_value", SecretId=secret)

    assert answer == outcome


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nobody_may_write_the_signing_key(tenant: Service, attempt: Attempt, function: str) -> None:
    """A function that is taken over cannot put a key of its own in place."""
    secret = tenant.stack.outputs["SigningKeySecret"]

    answer = attempt(
        tenant, function, "secretsmanager.put_secret_value", SecretId=secret, SecretString="x"
    )

    assert answer == "AccessDeniedException"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_authorizer_reads_a_client(
    tenant: Service, attempt: Attempt, function: str
) -> None:
    """By the digest of a key that it was shown."""
    answer = attempt(
        tenant,
        function,
        "dynamodb.get_item",
        TableName=tenant.stack.outputs["ClientsTable"],
        Key={"key_digest": {"S": "0" * 64}},
    )

    assert answer == ("allowed" if function == "AuthorizeClient" else "AccessDeniedException")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nobody_lists_the_clients(tenant: Service, attempt: Attempt, function: str) -> None:
    """But an operator."""
    table = tenant.stack.outputs["ClientsTable"]

    answer = attempt(tenant, function, "dynamodb.scan", TableName=table)

    assert answer == "AccessDeniedException"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_check_writes_what_it_found(
    tenant: Service, attempt: Attempt, function: str
) -> None:
    """Nobody else tells a health record that the key signs."""
    name = f"/jitsi-tokens/{tenant.stack.name}/key-status"
    ssm = deployment.client(tenant.emulator, "ssm")
    status = ssm.get_parameter(Name=name)["Parameter"]["Value"]

    answer = attempt(
        tenant,
        function,
        "ssm.put_parameter",
        Name=name,
        Value=status,
        Type="String",
        Overwrite=True,
    )

    assert answer == ("allowed" if function == "CheckKey" else "AccessDeniedException")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_who_may_read_a_key_that_rotates(
    published: Service, attempt: Attempt, function: str
) -> None:
    """What signs, what checks, and what rotates."""
    secret = published.stack.outputs["SigningKeySecret"]

    answer = attempt(published, function, "secretsmanager.get_secret_value", SecretId=secret)

    may = function in ("IssueToken", "CheckKey", "RotateSigningKey")
    assert answer == ("allowed" if may else "AccessDeniedException")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_rotation_alone_publishes(published: Service, attempt: Attempt, function: str) -> None:
    """And it writes nothing but public keys."""
    path = published.stack.outputs["PublicKeysPath"]

    answers = [
        attempt(published, function, "ssm.put_parameter", Name=name, Value="x", Type="String")
        for name in (f"{path}/x", f"{path}-other/x")
    ]

    rotates = function == "RotateSigningKey"
    assert answers == ["allowed" if rotates else "AccessDeniedException", "AccessDeniedException"]


@pytest.mark.parametrize(
    ("policy", "allowed", "refused"),
    [
        ("KeyOperatorPolicy", ["key", "show"], ["client", "list"]),
        ("KeyOperatorPolicy", ["key", "list"], ["client", "add", "mallory", "--any-room"]),
        ("KeyOperatorPolicy", ["key", "check"], ["client", "revoke", "everything", "--yes"]),
        ("ClientOperatorPolicy", ["client", "list"], ["key", "show"]),
        ("ClientOperatorPolicy", ["client", "add", "by-operator", "--any-room"], ["key", "list"]),
        ("ClientOperatorPolicy", ["client", "rotate", "by-operator"], ["key", "check"]),
        ("OnCallPolicy", ["key", "check"], ["key", "show"]),
        ("OnCallPolicy", ["key", "check"], ["client", "list"]),
        ("AuditorPolicy", ["jitsi-config"], ["key", "show"]),
        ("AuditorPolicy", ["jitsi-config"], ["client", "list"]),
        ("AuditorPolicy", ["audit", "--room", "visit-1"], ["client", "add", "eve", "--any-room"]),
        ("ClientOperatorPolicy", ["client", "list"], ["audit"]),
        ("ClientOperatorPolicy", ["client", "list"], ["audit", "--room", "visit-1"]),
        ("KeyOperatorPolicy", ["key", "show"], ["audit"]),
    ],
)
def test_each_operator_does_their_part(
    published: Service, person: PersonWith, policy: str, allowed: list[str], refused: list[str]
) -> None:
    """With one of the stack's managed policies and no other leave."""
    as_person = Commands(published.emulator, published.stack, **person(published, policy))

    as_person.run(*allowed)

    with pytest.raises(CommandFailure, match=r"AccessDenied|may not"):
        as_person.run(*refused)


@pytest.mark.parametrize(
    "policy", ["KeyOperatorPolicy", "ClientOperatorPolicy", "OnCallPolicy", "AuditorPolicy"]
)
def test_nobody_but_the_deployment_changes_a_function(
    self_hosted: Service, published: Service, person: PersonWith, policy: str
) -> None:
    """Its settings alone, such as PYTHONWARNINGS and BROWSER, would have it run their code."""
    for service in (self_hosted, published):
        functions = deployment.client(service.emulator, "lambda", person(service, policy))
        name = service.function("IssueToken")["FunctionName"]
        changes: dict[str, dict[str, Any]] = {
            "update_function_configuration": {"Environment": {"Variables": {"BROWSER": "sh"}}},
            "update_function_code": {"ZipFile": b"x"},
            "publish_version": {},
            "update_alias": {"Name": "live", "FunctionVersion": "1"},
            "delete_function": {"Qualifier": "1"},
            "invoke": {},
        }
        for operation, arguments in changes.items():
            with pytest.raises(ClientError, match="AccessDenied"):
                getattr(functions, operation)(FunctionName=name, **arguments)


def test_an_auditor_reads_the_digest_key_and_the_log(
    published: Service, person: PersonWith
) -> None:
    """So that a room is found in the log; the signing key stays closed."""
    environment = person(published, "AuditorPolicy")
    manager = deployment.client(published.emulator, "secretsmanager", environment)
    logs = deployment.client(published.emulator, "logs", environment)
    secrets = {
        name: found
        for found in (
            each["Name"]
            for each in deployment.client(published.emulator, "secretsmanager").list_secrets()[
                "SecretList"
            ]
        )
        for name in ("DigestKey", "PublishedSigningKey")
        if found.startswith(f"{published.stack.name}-{name}-")
    }

    read = manager.get_secret_value(SecretId=secrets["DigestKey"])["SecretString"]
    events = logs.filter_log_events(logGroupName=published.stack.outputs["AuditLogGroup"], limit=1)

    assert len(read) == 64
    assert "events" in events
    with pytest.raises(ClientError, match="AccessDenied"):
        manager.get_secret_value(SecretId=secrets["PublishedSigningKey"])

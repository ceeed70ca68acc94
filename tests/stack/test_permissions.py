"""Least privilege, asked of the roles themselves: IAM is enforced on the local stack."""

from __future__ import annotations

import io
import json
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore
import pytest
from botocore.exceptions import ClientError

from local_stack import deployment
from local_stack.commands import CommandFailure, Commands
from tests.template_reading import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_stack.emulator import Emulator
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

# The emulator asks for these on every resource, where AWS asks for them on the policy's own.
ON_THE_EMULATOR = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["cloudformation:DescribeStacks", "ssm:GetParametersByPath"],
                "Resource": "*",
            }
        ],
    }
)
ATTEMPT = """
import boto3
from botocore.exceptions import ClientError

def handler(event, _context):
    try:
        getattr(boto3.client(event["service"]), event["operation"])(**event["arguments"])
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"
"""

STATUS = json.dumps({"configured": True, "checkedAt": int(time.time())})
QUERY = {
    "IndexName": "by-start",
    "KeyConditionExpression": "client = :client",
    "ExpressionAttributeValues": {":client": {"S": "a"}},
}

type Attempt = Callable[..., str]


@pytest.fixture(scope="module")
def attempt(running_emulator: Emulator) -> Iterator[Attempt]:
    """Run a call in a function's own role, and return its error code or `allowed`."""
    client = deployment.client(running_emulator, "lambda")
    # The layer knows the services that the functions use, and no other.
    services = {"AWS_DATA_PATH": str(Path(botocore.__file__).parent / "data")}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("app.py", ATTEMPT)
    made: list[str] = []

    def run(service: Service, function: str, operation: str, arguments: dict[str, Any]) -> str:
        name = f"attempt-{service.stack.name}-{function}"
        if name not in made:
            deployed = service.function(function)
            client.create_function(
                FunctionName=name,
                Role=deployed["Role"],
                Runtime="python3.13",
                Handler="app.handler",
                Layers=[layer["Arn"] for layer in deployed["Layers"]],
                Environment={"Variables": services},
                Code={"ZipFile": archive.getvalue()},
            )
            made.append(name)
        wanted, method = operation.split(".")
        event = {"service": wanted, "operation": method, "arguments": arguments}
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
        return str(json.load(answer["Payload"]))

    yield run
    for name in made:
        client.delete_function(FunctionName=name)


@pytest.mark.parametrize(
    ("stack", "operation", "arguments", "allowed"),
    [
        # Those that sign read the key; those that recognise and report do not.
        (
            "self_hosted",
            "secretsmanager.get_secret_value",
            {"SecretId": "%(SigningKeySecret)s"},
            {"IssueToken", "JoinVisit", "CheckKey"},
        ),
        (
            "published",
            "secretsmanager.get_secret_value",
            {"SecretId": "%(SigningKeySecret)s"},
            {"IssueToken", "JoinVisit", "CheckKey", "RotateSigningKey"},
        ),
        # A function that is taken over cannot put a key of its own in place.
        (
            "self_hosted",
            "secretsmanager.put_secret_value",
            {"SecretId": "%(SigningKeySecret)s", "SecretString": "x"},
            set(),
        ),
        (
            "self_hosted",
            "dynamodb.get_item",
            {"TableName": "%(ClientsTable)s", "Key": {"key_digest": {"S": "0" * 64}}},
            {"AuthorizeClient"},
        ),
        ("self_hosted", "dynamodb.scan", {"TableName": "%(ClientsTable)s"}, set()),
        # Who derives links does not sign, and who signs derives none; one lists a client's visits.
        (
            "self_hosted",
            "secretsmanager.get_secret_value",
            {"SecretId": "%(LinkKeySecret)s"},
            {"ManageVisits"},
        ),
        (
            "self_hosted",
            "dynamodb.query",
            {"TableName": "%(VisitsTable)s", **QUERY},
            {"ManageVisits"},
        ),
        ("self_hosted", "dynamodb.scan", {"TableName": "%(VisitsTable)s"}, set()),
        # Nobody else tells a health record that the key signs.
        (
            "self_hosted",
            "ssm.put_parameter",
            {"Name": "/jitsi-tokens/%(StackName)s/key-status", "Value": STATUS, "Overwrite": True},
            {"CheckKey"},
        ),
        # The rotation alone publishes, and writes nothing but public keys.
        (
            "published",
            "ssm.put_parameter",
            {"Name": "%(PublicKeysPath)s/x", "Value": "x", "Type": "String"},
            {"RotateSigningKey"},
        ),
        (
            "published",
            "ssm.put_parameter",
            {"Name": "%(PublicKeysPath)s-other/x", "Value": "x", "Type": "String"},
            set(),
        ),
    ],
)
def test_what_a_functions_role_may_do(
    request: pytest.FixtureRequest,
    attempt: Attempt,
    *,
    stack: str,
    operation: str,
    arguments: dict[str, Any],
    allowed: set[str],
) -> None:
    """Each function tries it in its own role."""
    service: Service = request.getfixturevalue(stack)
    link_key = service.function("ManageVisits")["Environment"]["Variables"]["LINK_KEY_SECRET"]
    names = service.stack.outputs | {"StackName": service.stack.name, "LinkKeySecret": link_key}
    filled = {
        name: value % names if isinstance(value, str) else value
        for name, value in arguments.items()
    }

    answers = {each: attempt(service, each, operation, filled) for each in FUNCTIONS}

    assert answers == dict.fromkeys(FUNCTIONS, "AccessDeniedException") | dict.fromkeys(
        allowed, "allowed"
    )


@pytest.mark.parametrize(
    ("policy", "allowed", "refused"),
    [
        (
            "KeyOperatorPolicy",
            ["key show", "key list", "key check"],
            ["client list", "client add mallory --any-room", "audit"],
        ),
        (
            "ClientOperatorPolicy",
            ["client list", "client add by-operator --any-room", "client rotate by-operator"],
            ["key show", "key check", "audit"],
        ),
        ("OnCallPolicy", ["key check", "key list"], ["key show", "client list"]),
        # The digest key finds a room in the log.
        ("AuditorPolicy", ["jitsi-config", "audit --room visit-1"], ["key show", "client list"]),
    ],
)
def test_each_operator_does_their_part(
    published: Service, policy: str, allowed: list[str], refused: list[str]
) -> None:
    """With one of the stack's managed policies and no other leave.

    None of them changes a function: its settings alone would have it run their code.
    """
    iam = deployment.client(published.emulator, "iam")
    iam.create_user(UserName=policy)
    iam.attach_user_policy(UserName=policy, PolicyArn=published.stack.outputs[policy])
    iam.put_user_policy(
        UserName=policy, PolicyName="on-the-emulator", PolicyDocument=ON_THE_EMULATOR
    )
    key = iam.create_access_key(UserName=policy)["AccessKey"]
    person = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    as_person = Commands(published.emulator, published.stack, **person)
    functions = deployment.client(published.emulator, "lambda", person)
    changes: dict[str, dict[str, Any]] = {
        "update_function_configuration": {"Environment": {"Variables": {"BROWSER": "sh"}}},
        "update_function_code": {"ZipFile": b"x"},
        "update_alias": {"Name": "live", "FunctionVersion": "1"},
        "invoke": {},
    }

    for command in allowed:
        as_person.run(*command.split())
    for command in refused:
        with pytest.raises(CommandFailure, match=r"AccessDenied|Missing permission"):
            as_person.run(*command.split())
    name = published.function("IssueToken")["FunctionName"]
    for operation, arguments in changes.items():
        with pytest.raises(ClientError, match="AccessDenied"):
            getattr(functions, operation)(FunctionName=name, **arguments)

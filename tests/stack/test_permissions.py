"""Least privilege, asked of the roles themselves: IAM is enforced on the local stack."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from local_stack import deployment

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

FUNCTIONS = ["IssueToken", "CheckKey", "ProbeConfig", "AuthorizeClient"]
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


def attempt(service: Service, function: str, operation: str, **arguments: Any) -> str:
    """Run a call in a function's own role and return its error code, or `allowed`."""
    client = deployment.client(service.emulator, "lambda")
    name = next(
        found["FunctionName"]
        for found in client.list_functions()["Functions"]
        if found["FunctionName"].startswith(f"{service.stack.name}-{function}-")
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("app.py", ATTEMPT)
    # The unpublished code alone changes: the alias, which the API calls, keeps its version.
    client.update_function_code(FunctionName=name, ZipFile=archive.getvalue())
    event = {
        "service": operation.split(".", maxsplit=1)[0],
        "operation": operation.split(".")[1],
        "arguments": arguments,
    }
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event))
    return str(json.load(answer["Payload"]))


@pytest.mark.parametrize(
    ("function", "outcome"),
    [
        ("IssueToken", "allowed"),
        ("CheckKey", "allowed"),
        ("ProbeConfig", "AccessDeniedException"),
        ("AuthorizeClient", "AccessDeniedException"),
    ],
)
def test_who_may_read_the_signing_key(tenant: Service, function: str, outcome: str) -> None:
    """The functions that sign may; those that recognise and report may not."""
    secret = tenant.stack.outputs["SigningKeySecret"]

    answer = attempt(tenant, function, "secretsmanager.get_secret_value", SecretId=secret)

    assert answer == outcome


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nobody_may_write_the_signing_key(tenant: Service, function: str) -> None:
    """A function that is taken over cannot put a key of its own in place."""
    secret = tenant.stack.outputs["SigningKeySecret"]

    answer = attempt(
        tenant, function, "secretsmanager.put_secret_value", SecretId=secret, SecretString="x"
    )

    assert answer == "AccessDeniedException"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_authorizer_reads_a_client(tenant: Service, function: str) -> None:
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
def test_nobody_lists_the_clients(tenant: Service, function: str) -> None:
    """But an operator."""
    table = tenant.stack.outputs["ClientsTable"]

    answer = attempt(tenant, function, "dynamodb.scan", TableName=table)

    assert answer == "AccessDeniedException"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_the_check_writes_what_it_found(tenant: Service, function: str) -> None:
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


def test_the_service_still_answers(tenant: Service) -> None:
    """What was tried above did not reach the published versions."""
    assert tenant.post().status_code == 200

"""Calls to AWS in a function's own role, and what the emulator asks for beyond AWS."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore
import pytest

from local_stack import deployment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_stack.emulator import Emulator
    from tests.stack.service import Service

type Attempt = Callable[..., str]

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

    def run(service: Service, function: str, operation: str, **arguments: Any) -> str:
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

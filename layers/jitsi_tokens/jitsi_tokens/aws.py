"""Clients of AWS: how they are made, how long a request waits for them, how AWS names errors.

Each time limit is in seconds, and for one address of a service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

# Nothing can be answered without it: worth a second try.
FIRST_FETCH = Config(
    connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2, "mode": "standard"}
)
# There is an answer already, which this call may only renew.
REFRESH = Config(connect_timeout=0.5, read_timeout=1, retries={"total_max_attempts": 1})

_SESSION = botocore.session.Session()


@overload
def client(service: Literal["dynamodb"], limits: Config) -> DynamoDBClient: ...


@overload
def client(service: Literal["secretsmanager"], limits: Config) -> SecretsManagerClient: ...


@overload
def client(service: Literal["ssm"], limits: Config) -> SSMClient: ...


def client(service: str, limits: Config) -> Any:
    """Return a client, which keeps its connections: make it once a container.

    It is what boto3 would make, without what boto3 adds to a start (docs/performance.md).
    """
    return _SESSION.create_client(service, config=limits)


def error_code(error: ClientError) -> str:
    """Return the code by which AWS names an error; empty where it names none."""
    return error.response.get("Error", {}).get("Code", "")

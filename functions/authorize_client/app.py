"""API Gateway authorizer: who is calling, and what may they ask for."""

from __future__ import annotations

import os
from typing import Any

import boto3

from jitsi_tokens import clients, telemetry
from jitsi_tokens.aws import IMPATIENT

TABLE_NAME = os.environ["CLIENTS_TABLE"]
TABLE = boto3.client("dynamodb", config=IMPATIENT)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Recognise the bearer of an API key; what the key allows is enforced where tokens are made."""
    api_key = clients.api_key_in(event.get("authorizationToken") or "")
    client = _find(clients.digest(api_key)) if api_key else None
    if client is None:
        # API Gateway answers 401 to exactly this text, and 500 to any other.
        raise Exception("Unauthorized")  # noqa: TRY002
    return _allow(event["methodArn"], client)


def _find(key_digest: str) -> clients.Client | None:
    answer = TABLE.get_item(
        TableName=TABLE_NAME,
        Key={"key_digest": {"S": key_digest}},
        ProjectionExpression="#record",
        ExpressionAttributeNames={"#record": "record"},
        ConsistentRead=True,
    )
    if "Item" not in answer:
        return None
    client = clients.read_client(answer["Item"].get("record", {}).get("S", ""))
    if client is None:
        telemetry.logger().error("a client's record cannot be read", item=key_digest[:12])
    return client


def _allow(method_arn: str, client: clients.Client) -> dict[str, Any]:
    # The whole stage: API Gateway keeps this answer and uses it for every route.
    api, stage, *_ = method_arn.split("/")
    return {
        "principalId": client.name,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow",
                    "Resource": f"{api}/{stage}/*",
                }
            ],
        },
        "context": {"client": clients.write_client(client)},
    }

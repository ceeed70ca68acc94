"""API Gateway authorizer: who is calling, and what may they ask for."""

from __future__ import annotations

import gc

gc.disable()  # Hardly anything that loads is garbage: docs/performance.md.

import os
from typing import Any

from jitsi_tokens import aws, telemetry
from jitsi_tokens.core import clients, keep_alive

TABLE_NAME = os.environ["CLIENTS_TABLE"]
TABLE = aws.client("dynamodb", aws.FIRST_FETCH)

# What has loaded stays for good, and is not looked through again.
gc.freeze()
gc.enable()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Recognise the bearer of an API key; what the key allows is enforced where tokens are made."""
    if keep_alive.is_keep_alive(event):
        return keep_alive.ANSWER
    api_key = clients.api_key_in(event.get("authorizationToken") or "")
    if api_key is None:
        raise _unauthorized()
    key_digest = clients.digest(api_key)
    key = key_digest[: clients.KEY_DIGITS]
    item = _find(key_digest)
    if item is None:
        raise _unauthorized()
    client = clients.client_of(item)
    if client is None:
        telemetry.logger().error("a client's item is refused", item=key)
        raise _unauthorized()
    context = {"client": item["record"]["S"], "key": key}
    if client.policy.max_advance_seconds is not None:
        context["maxAdvanceSeconds"] = str(client.policy.max_advance_seconds)
    return _allow(event["methodArn"], client.name, context)


def _find(key_digest: str) -> dict[str, Any] | None:
    answer = TABLE.get_item(
        TableName=TABLE_NAME,
        Key={"key_digest": {"S": key_digest}},
        ProjectionExpression="client, #record, max_advance_seconds",
        ExpressionAttributeNames={"#record": "record"},
        ConsistentRead=True,
    )
    return answer.get("Item")


def _unauthorized() -> Exception:
    # API Gateway answers 401 to exactly this text, and 500 to any other.
    return Exception("Unauthorized")


def _allow(method_arn: str, name: str, context: dict[str, str]) -> dict[str, Any]:
    # The whole stage: API Gateway keeps this answer and uses it for every route.
    api, stage, *_ = method_arn.split("/")
    return {
        "principalId": name,
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
        "context": context,
    }

"""Nothing that names a person, opens a room or signs a token stands in any log of these tests."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import pytest

from local_stack import deployment
from local_stack.emulator import ROOT
from tests.stack.service import API_KEYS, EMAIL, FORGED, NAME, ROOM, TOKENS, USER_ID

if TYPE_CHECKING:
    from local_stack.emulator import Emulator
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

# Runs last, as files run in the order of their names: what it searches is what the others left.
MIN_LINES = 500


def whole_log(emulator: Emulator) -> list[str]:
    """Return every line that any function of any stack has printed."""
    logs = deployment.client(emulator, "logs")
    groups = [
        group["logGroupName"]
        for page in logs.get_paginator("describe_log_groups").paginate()
        for group in page["logGroups"]
    ]
    return [
        event["message"]
        for group in groups
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for event in page["events"]
    ]


def needles(*services: Service) -> dict[str, list[str]]:
    """Return what must not be found, by kind."""
    names = NAME.split()
    documents = [
        msgspec.json.decode(
            deployment.client(service.emulator, "secretsmanager").get_secret_value(
                SecretId=service.stack.outputs["SigningKeySecret"]
            )["SecretString"]
        )
        for service in services
    ]
    pem_lines = [
        line for document in documents for line in document.get("private_key", "").splitlines()
    ]
    return {
        "name": [NAME, *names, *(name.lower() for name in names)],
        "e-mail address": [EMAIL, EMAIL.upper(), quote(EMAIL)],
        "user id": [USER_ID],
        "header": [FORGED],
        "room": [ROOM, ROOM.upper(), "xylophone"],
        "token": [part for token in TOKENS for part in token.split(".")[1:]],
        "API key": [*API_KEYS, "jtk_"],
        "private key": [*pem_lines, "PRIVATE KEY"],
        "shared secret": [document["secret"] for document in documents if "secret" in document],
    }


def found(lines: list[str], forbidden: dict[str, list[str]]) -> set[str]:
    """Return the kinds of which something stands in the log; never what it was."""
    text = "\n".join(lines)
    return {kind for kind, values in forbidden.items() if any(value in text for value in values)}


def test_the_whole_log_holds_nothing_of_anybody(
    jaas: Service, self_hosted: Service, tenant: Service
) -> None:
    """Every kind was used in these tests, and none is in the log."""
    for service in (jaas, self_hosted, tenant):
        assert service.post(isModerator=True).status_code == 200
    forbidden = needles(jaas, self_hosted, tenant)
    assert all(forbidden.values())

    lines = whole_log(jaas.emulator)

    assert len(lines) > MIN_LINES
    assert found(lines, forbidden) == set()


def test_every_request_left_one_line(tenant: Service) -> None:
    """The line is the audit record: who asked, what came of it, and digests for the rest."""
    answer = tenant.post(isModerator=True)
    records: list[dict[str, Any]] = [
        json.loads(line) for line in whole_log(tenant.emulator) if line.startswith('{"_aws"')
    ]

    claims = msgspec.json.decode(_payload(answer.json()["token"]))
    mine = [record for record in records if record.get("jti") == claims["jti"]]
    assert len(mine) == 1
    assert mine[0]["outcome"] == "issued"
    assert mine[0]["role"] == "moderator"
    assert mine[0]["client"] == "everything"
    assert mine[0]["exp"] == claims["exp"]
    assert len(mine[0]["room"]) == len(mine[0]["user"]) == 64


def test_the_search_finds_a_line_that_prints_the_request(tenant: Service) -> None:
    """With `print(event)` put into the handler the search above would fail."""
    client = deployment.client(tenant.emulator, "lambda")
    name = tenant.function("IssueToken")["FunctionName"]
    source = (ROOT / "functions" / "issue_token" / "app.py").read_text()
    marker = "    now, started = "
    assert marker in source
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("app.py", source.replace(marker, f"    print(event)\n{marker}"))
    client.update_function_code(FunctionName=name, ZipFile=archive.getvalue())
    person = {"userId": USER_ID, "userName": NAME, "userEmail": EMAIL, "roomName": ROOM}
    event = {
        "body": json.dumps(person),
        "headers": {"content-type": "application/json", "Authorization": f"Bearer {API_KEYS[0]}"},
        "requestContext": {},
    }

    client.invoke(FunctionName=name, Payload=json.dumps(event))

    kinds = found(whole_log(tenant.emulator), needles(tenant))
    assert {"name", "e-mail address", "user id", "room", "API key"} <= kinds


def _payload(token: str) -> bytes:
    part = token.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

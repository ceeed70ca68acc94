"""An auditor finds again what was asked for over HTTP, and no person in it."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens.core.clients import digest
from local_stack import deployment
from local_stack.emulator import ROOT
from tests.stack.log_search import found, needles, whole_log
from tests.stack.service import ROOM

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = pytest.mark.stack


def test_a_room_a_token_a_client_and_a_key_lead_to_what_was_asked_for(
    self_hosted: Service,
) -> None:
    """Refusals too, in the order of the requests; neither what is printed nor a log names anybody.

    A room in the log is a digest, and is found however its name is typed.
    """
    mark = uuid.uuid4().hex[:8]
    client, room = f"audited-{mark}", f"{ROOM} {mark}"
    api_key = self_hosted.add_client(client, "--room", room)
    answers = [self_hosted.post(api_key, roomName=name) for name in (room, f"{room} 2", "*")]
    assert [answer.status_code for answer in answers] == [200, 403, 400]
    claims = self_hosted.claims(answers[0].json()["token"])

    def audit(*arguments: str) -> list[dict[str, Any]]:
        return list(json.loads(self_hosted.commands.run("audit", *arguments, "--json")))

    issued, forbidden, invalid = audit("--client", client)
    for options in (
        ("--room", room.upper()),
        ("--jti", claims["jti"]),
        ("--key", digest(api_key), "--alive"),
        ("--client", client, "--outcome", "issued"),
    ):
        assert audit(*options) == [issued]
    for record, reason in ((forbidden, "forbidden"), (invalid, "invalid-request")):
        assert (record["outcome"], record["reason"]) == ("refused", reason)
        assert record["field"] == "/roomName"
    assert {
        name: issued[name] for name in ("client", "key", "jti", "exp", "role", "moderator")
    } == {
        "client": client,
        "key": digest(api_key)[:12],
        "jti": claims["jti"],
        "exp": claims["exp"],
        "role": "guest",
        "moderator": False,
    }
    printed = [
        self_hosted.commands.run("audit", "--client", client, *form)
        for form in ([], ["--csv"], ["--json"])
    ]
    assert all(claims["jti"] in text for text in printed)
    assert found([*printed, *whole_log(self_hosted.emulator)], needles(self_hosted)) == set()


def test_the_daily_call_is_no_request_in_the_audit_record(self_hosted: Service) -> None:
    """On the version that is published: tests/unit/test_events.py asks every function."""
    before = self_hosted.commands.run("audit", "--json")

    answer = deployment.client(self_hosted.emulator, "lambda").invoke(
        FunctionName=f"{self_hosted.function('IssueToken')['FunctionName']}:live",
        Payload=(ROOT / "events/keep_alive.json").read_bytes(),
    )

    assert json.load(answer["Payload"]) == {"keptAlive": True}
    assert self_hosted.commands.run("audit", "--json") == before

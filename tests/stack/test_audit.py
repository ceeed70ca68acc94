"""An auditor finds again what was asked for over HTTP, and no person in it."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
import pytest

from jitsi_tokens.core.clients import digest
from local_stack import deployment
from local_stack.emulator import ROOT
from tests.stack.log_search import found, needles, whole_log
from tests.stack.service import ROOM

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = pytest.mark.stack


class Asked(NamedTuple):
    """What a client asked for: one token that it got, and two that it did not."""

    service: Service
    client: str
    key: str
    room: str
    jti: str

    def audit(self, *arguments: str) -> list[dict[str, Any]]:
        """Return what the command finds."""
        return list(json.loads(self.service.commands.run("audit", *arguments, "--json")))


@pytest.fixture(scope="module")
def asked(self_hosted: Service) -> Asked:
    """What a client of its own asked for just now: 200, 403 and 400."""
    mark = uuid.uuid4().hex[:8]
    client, room = f"audited-{mark}", f"{ROOM} {mark}"
    api_key = self_hosted.add_client(client, "--room", room)

    answers = [self_hosted.post(api_key, roomName=name) for name in (room, f"{room} 2", "*")]

    assert [answer.status_code for answer in answers] == [200, 403, 400]
    claims = jwt.decode(answers[0].json()["token"], options={"verify_signature": False})
    return Asked(self_hosted, client, digest(api_key), room, claims["jti"])


def test_a_room_leads_to_its_token(asked: Asked) -> None:
    """However its name is typed."""
    [record] = asked.audit("--room", asked.room.upper())

    assert (record["outcome"], record["jti"]) == ("issued", asked.jti)
    assert record["client"] == asked.client


def test_a_token_leads_to_who_asked_for_it(asked: Asked) -> None:
    """By the claim that a Jitsi or a link shows."""
    [record] = asked.audit("--jti", asked.jti)

    assert (record["client"], record["role"], record["moderator"]) == (asked.client, "guest", False)
    assert record["room"] == asked.audit("--room", asked.room)[0]["room"]


def test_a_client_leads_to_all_that_came_of_it(asked: Asked) -> None:
    """Refusals too, in the order of the requests."""
    records = asked.audit("--client", asked.client)

    assert [(record["outcome"], record["reason"], record["field"]) for record in records] == [
        ("issued", None, None),
        ("refused", "forbidden", "/roomName"),
        ("refused", "invalid-request", "/roomName"),
    ]
    refused = asked.audit("--client", asked.client, "--outcome", "refused")
    assert refused == records[1:]


def test_an_api_key_leads_to_its_tokens_that_are_still_alive(asked: Asked) -> None:
    """What a thief may hold after the key is revoked."""
    [record] = asked.audit("--key", asked.key, "--alive")

    assert (record["jti"], record["key"]) == (asked.jti, asked.key[:12])


def test_neither_what_is_printed_nor_the_log_names_a_person(asked: Asked) -> None:
    """A room in the log is a digest, and so it is in each of the forms."""
    options = ("--client", asked.client)

    printed = [asked.service.commands.run("audit", *options, form) for form in ("--csv", "--json")]
    printed.append(asked.service.commands.run("audit", *options))

    assert len(list(csv.DictReader(io.StringIO(printed[0])))) == 3
    assert all(asked.jti in text for text in printed)
    assert found(printed, needles(asked.service)) == set()
    assert found(whole_log(asked.service.emulator), needles(asked.service)) == set()


@pytest.mark.parametrize("name", ["AuthorizeClient", "IssueToken", "ProbeConfig", "ServePublicKey"])
def test_the_daily_call_leaves_no_line(self_hosted: Service, name: str) -> None:
    """Of ours: Lambda's own stay. So it is no request in the audit record, and no metric."""
    function = self_hosted.function(name)["FunctionName"]
    before, audited = whole_log(self_hosted.emulator), self_hosted.commands.run("audit", "--json")

    answer = deployment.client(self_hosted.emulator, "lambda").invoke(
        FunctionName=f"{function}:live", Payload=(ROOT / "events/keep_alive.json").read_bytes()
    )

    assert json.load(answer["Payload"]) == {"keptAlive": True}
    added = Counter(whole_log(self_hosted.emulator)) - Counter(before)
    assert not [line for line in added if not line.startswith(("START ", "END ", "REPORT "))]
    assert self_hosted.commands.run("audit", "--json") == audited

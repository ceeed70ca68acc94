"""Who is recognised, and what each may have."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens.core.clients import Client, digest, make_api_key, write_client
from jitsi_tokens.core.policy import Policy
from local_stack import deployment
from local_stack.commands import CommandFailure
from tests.stack.service import PERSON, ROOM

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer jtk_short"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": f"Bearer {make_api_key()}"},
        {"Authorization": "Bearer jtk_" + "0" * 49},
    ],
    ids=["none", "empty", "no key", "malformed", "basic", "unknown", "wrong checksum"],
)
def test_callers_nobody_knows_are_unauthorized(jaas: Service, headers: dict[str, str]) -> None:
    """No key, a malformed one and an unknown one are answered alike."""
    answer = jaas.http.post("/api/jitsi/jwt", json=PERSON, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["type"] == "urn:jitsi-tokens:problem:unauthorized"


def test_a_key_of_another_stack_is_unauthorized(jaas: Service, self_hosted: Service) -> None:
    """Each stack knows its own clients."""
    answer = self_hosted.post(jaas.api_key)

    assert answer.status_code == 401


def test_a_client_gets_what_its_policy_allows_and_nothing_else(jaas: Service) -> None:
    """Moderators, rooms, lifetimes, features and diagnostics are refused with the reason."""
    api_key = jaas.add_client(
        "narrow", "--room", f"{ROOM}-*", "--max-lifetime", "600", "--feature", "lobby"
    )
    room = f"{ROOM}-7"
    refused: dict[str, dict[str, Any]] = {
        "/isModerator": {"isModerator": True},
        "/roomName": {"roomName": f"other-{ROOM}"},
        "/expirationSeconds": {"expirationSeconds": 601},
        "/notBefore": {"notBefore": int(time.time()) + 3600},
        "/features/recording": {"features": {"recording": True}},
    }

    allowed = jaas.post(api_key, roomName=room, expirationSeconds=600, features={"lobby": True})
    answers = {
        pointer: jaas.post(api_key, **({"roomName": room, "expirationSeconds": 600} | fields))
        for pointer, fields in refused.items()
    }
    diagnostics = jaas.http.get(
        "/api/jitsi/diagnostics", headers={"Authorization": f"Bearer {api_key}"}
    )

    assert allowed.status_code == 200
    assert diagnostics.status_code == 403
    for pointer, answer in answers.items():
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:jitsi-tokens:problem:forbidden"
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert answer.json()["detail"]


def test_a_changed_policy_holds_for_every_key_of_the_client(self_hosted: Service) -> None:
    """`client set` reaches all keys, within the authorizer's cache time."""
    first = self_hosted.add_client("changing", "--any-room")
    second = self_hosted.add_client("changing")
    assert self_hosted.post(first, isModerator=True).status_code == 403

    self_hosted.commands.run("client", "set", "changing", "--any-room", "--moderator")

    for api_key in (first, second):
        deadline = time.monotonic() + 15
        while self_hosted.post(api_key, isModerator=True).status_code == 403:
            assert time.monotonic() < deadline, "the new policy never came into force"


def test_two_keys_work_and_a_revoked_one_stops(self_hosted: Service) -> None:
    """A client's key can be replaced without a gap; the old one ends with the cache."""
    first = self_hosted.add_client("rotating", "--any-room")
    second = self_hosted.add_client("rotating")
    assert self_hosted.post(first).status_code == 200
    assert self_hosted.post(second).status_code == 200
    listed = self_hosted.commands.run("client", "list", "--json")
    assert first not in listed

    self_hosted.commands.run("client", "revoke", "rotating", "--key", digest(first)[:12], "--yes")

    deadline = time.monotonic() + 15
    while self_hosted.post(first).status_code == 200:
        assert time.monotonic() < deadline, "the revoked key never stopped"
    assert self_hosted.post(first).status_code == 401
    assert self_hosted.post(second).status_code == 200


def _file(service: Service, name: str | None, holder: str) -> str:
    """Put an item that no command writes, and return its API key."""
    api_key = make_api_key()
    record = write_client(Client(name=holder, policy=Policy(rooms=["*"], moderator=True)))
    item = {"key_digest": {"S": digest(api_key)}, "record": {"S": record}}
    deployment.client(service.emulator, "dynamodb").put_item(
        TableName=service.stack.outputs["ClientsTable"],
        Item=item | ({} if name is None else {"client": {"S": name}}),
    )
    return api_key


@pytest.mark.parametrize("name", [None, "another"])
def test_a_key_filed_under_another_name_does_not_work(
    self_hosted: Service, name: str | None
) -> None:
    """`doctor` finds it, and its digest revokes it."""
    api_key = _file(self_hosted, name, "everything")
    digits = digest(api_key)[:12]

    assert self_hosted.post(api_key).status_code == 401

    doctor = ("doctor", "--url", self_hosted.stack.url)
    with pytest.raises(CommandFailure, match=digits):
        self_hosted.commands.run(*doctor)
    revoked = self_hosted.commands.run("client", "revoke", "--key", digits, "--yes", "--json")
    assert json.loads(revoked)["keys"] == [digest(api_key)]
    assert "ok       clients" in self_hosted.commands.run(*doctor)


def test_after_client_revoke_no_key_of_it_gets_a_token(self_hosted: Service) -> None:
    """Past the authorizer's cache time, whatever the items look like."""
    name = "revoked"
    working = [self_hosted.add_client(name, "--any-room"), self_hosted.add_client(name)]
    misfiled = [
        _file(self_hosted, filed, holder)
        for filed, holder in ((None, name), ("another", name), (name, "another"))
    ]
    assert [self_hosted.post(key).status_code for key in working] == [200, 200]

    self_hosted.commands.run("client", "revoke", name, "--yes")

    deadline = time.monotonic() + 15
    while any(self_hosted.post(key).status_code == 200 for key in working):
        assert time.monotonic() < deadline, "a revoked key never stopped"
    answers = [self_hosted.post(key) for key in (*working, *misfiled)]
    assert [answer.status_code for answer in answers] == [401] * 5
    left = self_hosted.commands.run("client", "list", "--json")
    assert not [key for key in (*working, *misfiled) if digest(key) in left]


def test_one_key_serves_every_route_and_is_never_repeated(jaas: Service) -> None:
    """The cached authorizer's answer covers the stage; unknown routes do not echo the header."""
    api_key = jaas.add_client("routes", "--any-room", "--diagnostics")
    headers = {"Authorization": f"Bearer {api_key}"}

    answers = [
        jaas.http.get("/api/jitsi/diagnostics", headers=headers),
        jaas.http.post("/api/jitsi/jwt", json=PERSON, headers=headers),
        jaas.http.get("/api/jitsi/nothing", headers=headers),
        jaas.http.delete("/api/jitsi/jwt", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 404, 405]
    for answer in answers:
        assert api_key not in answer.text
        assert api_key not in str(answer.headers)
        assert answer.headers["cache-control"] == "no-store"
    assert answers[2].json()["type"] == "urn:jitsi-tokens:problem:not-found"

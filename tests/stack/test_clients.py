"""Who is recognised, and what each may have."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens.core.clients import Client, digest, make_api_key, write_client
from jitsi_tokens.core.policy import Policy
from local_stack import deployment
from tests.stack.service import PERSON, ROOM

if TYPE_CHECKING:
    from tests.stack.fault_proxy import FaultProxy
    from tests.stack.service import Service

pytestmark = pytest.mark.stack


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"Authorization": f"Bearer {make_api_key()}"},
        {"Authorization": "Bearer jtk_" + "0" * 49},
    ],
    ids=["none", "malformed", "unknown", "wrong checksum"],
)
def test_callers_nobody_knows_are_unauthorized(jaas: Service, headers: dict[str, str]) -> None:
    """Whether API Gateway refuses them or the authorizer does, the answer is the same."""
    answer = jaas.http.post("/api/jitsi/jwt", json=PERSON, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["type"] == "urn:jitsi-tokens:problem:unauthorized"


def test_a_client_gets_what_its_policy_allows_and_nothing_else(jaas: Service) -> None:
    """Moderators, rooms, lifetimes, features and diagnostics are refused with the reason."""
    api_key = jaas.add_client(
        "narrow", "--room", f"{ROOM}-*", "--max-lifetime", "600", "--feature", "lobby"
    )
    asked: dict[str, Any] = {"roomName": f"{ROOM}-7", "expirationSeconds": 600}
    refused: dict[str, dict[str, Any]] = {
        "/isModerator": {"isModerator": True},
        "/roomName": {"roomName": f"other-{ROOM}"},
        "/expirationSeconds": {"expirationSeconds": 601},
        "/notBefore": {"notBefore": int(time.time()) + 3600},
        "/features/recording": {"features": {"recording": True}},
    }

    allowed = jaas.post(api_key, **asked, features={"lobby": True})
    answers = {pointer: jaas.post(api_key, **asked | more) for pointer, more in refused.items()}
    diagnostics = jaas.http.get(
        "/api/jitsi/diagnostics", headers={"Authorization": f"Bearer {api_key}"}
    )

    assert (allowed.status_code, diagnostics.status_code) == (200, 403)
    for pointer, answer in answers.items():
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:jitsi-tokens:problem:forbidden"
        assert answer.json()["errors"][0]["pointer"] == pointer
        assert answer.json()["detail"]


def test_what_is_changed_and_revoked_holds_for_every_key(self_hosted: Service) -> None:
    """Within the authorizer's cache time, and whatever the items of the table look like."""
    name, run = "changing", self_hosted.commands.run
    first = self_hosted.add_client(name, "--any-room")
    second, third = (self_hosted.add_client(name) for _ in range(2))
    record = write_client(Client(name=name, policy=Policy(rooms=["*"])))
    misfiled = make_api_key()
    deployment.client(self_hosted.emulator, "dynamodb").put_item(
        TableName=self_hosted.stack.outputs["ClientsTable"],
        Item={"key_digest": {"S": digest(misfiled)}, "record": {"S": record}},
    )

    def wait_for(status: int, *api_keys: str) -> None:
        deadline = time.monotonic() + 15
        for api_key in api_keys:
            while self_hosted.post(api_key, isModerator=True).status_code != status:
                assert time.monotonic() < deadline, f"never {status}"

    wait_for(403, first, second, third)
    run("client", "set", name, "--any-room", "--moderator")
    wait_for(200, first, second, third)
    run("client", "revoke", name, "--key", digest(first)[:12], "--yes")
    wait_for(401, first, misfiled)
    wait_for(200, second, third)
    run("client", "revoke", name, "--yes")
    wait_for(401, second, third, misfiled)
    assert name not in run("client", "list", "--json")


def test_a_caller_may_try_again_when_the_clients_cannot_be_read(
    jaas: Service, dynamodb: FaultProxy
) -> None:
    """The authorizer's failure is a 503 and no refusal, and over when the table is back."""
    api_key = jaas.add_client("patient-two", "--any-room")
    dynamodb.switch("refuse")
    try:
        unavailable = jaas.post(api_key)
    finally:
        dynamodb.switch("through")

    assert unavailable.status_code == 503
    assert unavailable.headers["content-type"] == "application/problem+json"
    assert int(unavailable.headers["retry-after"]) > 0
    assert jaas.post(api_key).status_code == 200

"""Does a deployed service answer as it should? Asked over its address, as a health record asks."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx

from jitsi_tokens.core.clients import Client, digest, make_api_key
from jitsi_tokens.core.policy import make_policy
from jitsi_tokens.core.request_fields import MIN_LIFETIME_SECONDS
from jitsi_tokens_cli.client.store import ClientStore, StoredKey
from jitsi_tokens_cli.errors import CommandError, Unreachable
from jitsi_tokens_cli.output import echo, info
from jitsi_tokens_cli.token import service, text
from jitsi_tokens_cli.web import TOKEN_PATH, Unanswered

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jitsi_tokens_cli.stack import Stack
    from jitsi_tokens_cli.web import Reply, Web

CLIENT = "smoke-test"


def smoke_test(stack: Stack, web: Web) -> None:
    """Ask for the probe, and for tokens that may be had and that may not.

    The client is revoked at the end, whatever that is. One that an earlier run left behind, as its
    machine was lost, is revoked first, so two runs at a time disturb each other.

    Raises:
        CommandError: an answer is not what it should be.
        Unreachable: none came.
    """
    room = f"{CLIENT}-{secrets.token_hex(8)}"
    try:
        probe = web.get(TOKEN_PATH)
        _expect(probe, httpx.codes.OK, "the probe")
        if probe.document().get("configured") is not True:
            raise CommandError(
                'The probe does not say {"configured": true}. `jitsi-tokens doctor` says why.'
            )
        info('The probe says {"configured": true}.')
        _expect(web.ask_token(_request(room), None), httpx.codes.UNAUTHORIZED, "no API key")
        with _client(ClientStore(stack), room) as api_key:
            _expect_token(web.ask_token(_request(room), api_key), room)
            _expect_refusal(web.ask_token(_request(f"{room}-other"), api_key))
    except Unanswered as error:
        raise Unreachable(str(error)) from None


@contextmanager
def _client(store: ClientStore, room: str) -> Iterator[str]:
    """Hand out the API key of a client that may ask for one room, for a minute, as a guest."""
    left_behind = store.indexed_keys_of(CLIENT)
    if left_behind:
        store.remove(left_behind)
        info("Revoked the client that an earlier run left behind.")
    policy = make_policy(rooms=[room], features=[], max_lifetime_seconds=MIN_LIFETIME_SECONDS)
    client = Client(name=CLIENT, policy=policy)
    api_key, now = make_api_key(), datetime.now(UTC)
    _mask(api_key)
    try:
        store.add(client, api_key, now)
        yield api_key
    finally:
        # Read back by name, it might not be found yet.
        store.remove([StoredKey(digest(api_key), CLIENT, now.isoformat(), client)])
        info("The client of this run is revoked.")


def _request(room: str) -> dict[str, Any]:
    return {
        "userId": CLIENT,
        "userName": CLIENT,
        "roomName": room,
        "expirationSeconds": MIN_LIFETIME_SECONDS,
    }


def _expect(reply: Reply, status: httpx.codes, asked: str) -> None:
    if reply.status != status:
        raise CommandError(f"Expected HTTP {status.value} for {asked}; it was {reply.status}.")
    info(f"HTTP {reply.status} for {asked}.")


def _expect_token(reply: Reply, room: str) -> None:
    _expect(reply, httpx.codes.OK, "the client's room")
    issued = service.issued(reply)
    _mask(issued.token)
    try:
        claims = text.decode(issued.token).claims
    except ValueError:
        raise CommandError("The service's answer contains no valid token.") from None
    if issued.room_name != room or claims.get("room") != room:
        raise CommandError("The token is for another room.")
    if claims.get("exp", 0) != issued.expires_at:
        raise CommandError("The token expires at another time than the service says.")
    info("The token is for that room, and expires when the service says.")


def _expect_refusal(reply: Reply) -> None:
    _expect(reply, httpx.codes.FORBIDDEN, "another room")
    # A firewall says 403 too.
    if not any(error.pointer == "/roomName" for error in reply.problem().errors):
        raise CommandError(
            "Something in front of the service refused the request, not the service."
        )


def _mask(secret: str) -> None:
    """Have GitHub's runner cut it out of all that the job prints after this.

    The runner handles this line itself and does not log it. No other program reads it.
    """
    if os.environ.get("GITHUB_ACTIONS") == "true":
        echo(f"::add-mask::{secret}")

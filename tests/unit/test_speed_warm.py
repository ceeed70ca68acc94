"""The requests that `make bench` times: each is one that the service answers with a token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks.speed import warm
from benchmarks.speed.issuing import BODY, issuing
from benchmarks.speed.turns import BLOCKS
from benchmarks.speed.warm import ENCODE, HANDLER, PATTERNS, SIGN
from jitsi_tokens import http, requests
from jitsi_tokens.rooms import matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measured import Series
    from benchmarks.speed.issuing import Issuing


@pytest.fixture(params=["HS256", "RSA-2048"])
def service(request: pytest.FixtureRequest) -> Iterator[Issuing]:
    """IssueToken, as it is timed."""
    with issuing(request.param) as ready:
        yield ready


def test_a_token_is_issued(service: Issuing) -> None:
    """Its key verifies it, and it is for whom was asked."""
    claims = service.key.verify(service.token())

    assert claims["room"] == BODY["roomName"]
    assert claims["context"]["user"]["id"] == BODY["userId"]


def test_the_peer_issues_one_too(service: Issuing) -> None:
    """With the same key: what is compared does the same work."""
    answer = service.peer(service.event())

    assert service.key.verify(json.loads(answer["body"])["token"])["room"] == BODY["roomName"]


def test_what_is_signed_bare_is_signed_with_the_same_key(service: Issuing) -> None:
    """A signature as long as a token's own."""
    signature = service.bare_sign()()

    assert isinstance(signature, bytes)
    assert len(signature) == (32 if service.pem is None else 256)


def test_what_is_refused_is_not_timed(service: Issuing, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal is faster than a token."""
    monkeypatch.setitem(BODY, "roomName", "elsewhere")

    with pytest.raises(ValueError, match="roomName"):
        service.token()


@pytest.mark.parametrize("service", ["HS256"], indirect=True)
@pytest.mark.parametrize("count", PATTERNS)
def test_the_last_of_the_room_patterns_matches(service: Issuing, count: int) -> None:
    """And no other: the handler tries them all, and answers with a token."""
    event = service.event(patterns=count)
    patterns = http.caller(event).policy.rooms
    room = requests.parse(http.json_body(event)).room()

    assert len(patterns) == count
    assert [matches(pattern, room) for pattern in patterns] == [False] * (count - 1) + [True]
    assert service.app.handler(event, None)["statusCode"] == 200


def blocks_of(series: list[Series]) -> dict[str, list[float]]:
    """Return the blocks of the one key that was timed: some, and all of them above nothing."""
    [timed] = series
    assert timed.title == "HS256"
    assert all(len(taken) == BLOCKS and min(taken) > 0 for taken in timed.blocks.values())
    return timed.blocks


def test_the_handler_in_parts() -> None:
    """Each by itself, beside the whole."""
    blocks = blocks_of(warm.in_parts(BLOCKS, ["HS256"]))

    assert [*blocks] == ["parse", "policy", "claims", "sign", "line", "response", HANDLER, SIGN]
    assert all(min(blocks[HANDLER]) > min(blocks[name]) for name in blocks if name != HANDLER)


def test_the_handler_beside_its_signature() -> None:
    """And a bare encode, which is more than the signature and less than the handler."""
    blocks = blocks_of(warm.over_the_signature(BLOCKS, ["HS256"]))

    assert {*blocks} == {HANDLER, SIGN, ENCODE}
    assert min(blocks[SIGN]) < min(blocks[ENCODE]) < min(blocks[HANDLER])

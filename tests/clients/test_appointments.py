"""A link for an appointment, held against Jitsi's rules at times that are handed in."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import jwt
import pytest

from jitsi_tokens.core.claims import meeting_claims
from jitsi_tokens.core.requests import parse
from jitsi_tokens.settings import read_settings
from jitsi_tokens_cli.token.explain.expectations import KeyFound, TokenUnderTest, of_settings
from jitsi_tokens_cli.token.explain.rules import explain
from jitsi_tokens_cli.token.text import decode, token_in
from tests.clients.samples import PATIENT, WELL, settings
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from jitsi_tokens.settings import Settings
    from tests.clients.callers import Caller

NEW_YORK = ZoneInfo("America/New_York")
SECRET = b"0123456789abcdef0123456789abcdef"
HALF_HOUR = 1800


class Jitsi(NamedTuple):
    """A Jitsi, and the service that issues tokens for it."""

    settings: Settings

    def issue(self, body: bytes, asked_at: int) -> str:
        """Return the token that the service makes of a request."""
        request = parse(body)
        claims = meeting_claims(
            request,
            profile=self.settings.profile,
            room=request.room(),
            validity=request.validity(self.settings.limits, asked_at),
            clock_skew_seconds=self.settings.clock_skew_seconds,
            now=asked_at,
            jti=str(uuid.uuid4()),
        )
        return jwt.encode(claims, SECRET, "HS256", headers={"kid": "initial"})

    def refuses(self, token: str, now: int) -> list[str]:
        """Return the rules that a token breaks at a time."""
        found = token_in(token)
        assert found
        expected = of_settings(self.settings, lambda _: KeyFound(SECRET))
        explanation = explain(TokenUnderTest(found, decode(found.text), expected, "visit", now))
        return [check.name for check in explanation.failures]


@pytest.fixture
def jitsi(self_hosted_environ: dict[str, str]) -> Jitsi:
    """A self-hosted Jitsi with a shared secret."""
    return Jitsi(read_settings(self_hosted_environ))


def requested(caller: Caller, **appointment: Any) -> bytes:
    """Return what a caller sends for an appointment."""
    with UnrulyServer(WELL) as server:
        outcome = caller.issue(settings(server), **PATIENT, appointment=appointment)
        assert outcome.kind == "meeting", outcome
        return server.received[0].body


def at(day: str, time: str, fold: int = 0) -> int:
    """Return a time in New York as epoch seconds."""
    local = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=NEW_YORK, fold=fold)
    return int(local.timestamp())


def test_a_link_for_tomorrow_works_in_its_hour_and_only_then(caller: Caller, jitsi: Jitsi) -> None:
    """10:00 for 30 minutes: from 15 minutes before until 30 after."""
    body = requested(
        caller, date="2026-06-02", time="10:00:00", zone="America/New_York", duration=HALF_HOUR
    )
    link = jitsi.issue(body, at("2026-06-01", "16:20"))

    day = "2026-06-02"
    assert jitsi.refuses(link, at(day, "09:44")) == ["nbf"]
    assert jitsi.refuses(link, at(day, "09:46")) == []
    assert jitsi.refuses(link, at(day, "10:59")) == []
    assert jitsi.refuses(link, at(day, "11:01")) == ["exp"]
    # Pressed at 10:05, a button sends the same.
    assert jitsi.refuses(jitsi.issue(body, at(day, "10:05")), at(day, "10:05") + 1) == []


@pytest.mark.parametrize("day", ["2027-03-14", "2026-11-01"], ids=["spring", "autumn"])
def test_a_day_on_which_the_clocks_change_is_a_day_like_others(
    caller: Caller, jitsi: Jitsi, day: str
) -> None:
    """The link was sent before the change, and the visit is after it."""
    body = requested(caller, date=day, time="10:00", zone="America/New_York", duration=HALF_HOUR)
    the_day_before = (datetime.fromisoformat(day) - timedelta(days=1)).date().isoformat()
    link = jitsi.issue(body, at(the_day_before, "16:20"))

    assert jitsi.refuses(link, at(day, "09:44")) == ["nbf"]
    assert jitsi.refuses(link, at(day, "09:46")) == []
    assert jitsi.refuses(link, at(day, "10:59")) == []
    assert jitsi.refuses(link, at(day, "11:01")) == ["exp"]


@pytest.mark.parametrize(
    ("day", "time", "begins"),
    [
        # In spring 02:30 is no time: an hour after 01:30 the clocks show 03:30.
        ("2027-03-14", "02:30", at("2027-03-14", "03:30")),
        # In autumn 01:30 is twice: the first is meant.
        ("2026-11-01", "01:30", at("2026-11-01", "01:30", fold=0)),
        ("2026-11-01", "00:50", at("2026-11-01", "00:50")),
        ("2027-03-14", "01:50", at("2027-03-14", "01:50")),
    ],
)
def test_a_visit_while_the_clocks_change_keeps_its_length(
    caller: Caller, jitsi: Jitsi, day: str, time: str, begins: int
) -> None:
    """Early entry and overrun are counted in seconds that pass, not on the clock's face."""
    body = requested(caller, date=day, time=time, zone="America/New_York", duration=HALF_HOUR)
    link = jitsi.issue(body, begins - 86_400)

    assert jitsi.refuses(link, begins - 16 * 60) == ["nbf"]
    assert jitsi.refuses(link, begins - 14 * 60) == []
    assert jitsi.refuses(link, begins + 59 * 60) == []
    assert jitsi.refuses(link, begins + 61 * 60) == ["exp"]

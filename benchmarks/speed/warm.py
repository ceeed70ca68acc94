"""A warm request: beside what it is compared with, part by part, and by its client's patterns."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from benchmarks.measured import Series
from benchmarks.peers.scripts import pasted_secret, pem_each_time
from benchmarks.speed.issuing import BODY, KEYS, issuing
from benchmarks.speed.turns import take_turns
from jitsi_tokens import http, requests, telemetry
from jitsi_tokens.claims import meeting_claims
from jitsi_tokens.issued import IssuedToken
from jitsi_tokens.rooms import meeting_url
from tests.conftest import APP_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.speed.issuing import Issuing

PATTERNS = (1, 5, 10, 25, 50)
PATTERN_KEYS = ("HS256", "RSA-4096")

HANDLER, SIGN, ENCODE = "the handler", "bare sign", "bare HS256 encode"
SCRIPT, PEM, PEER = "pasted secret", "PEM each time", "Powertools and pydantic"


def over_the_signature(times: int, keys: Iterable[str] = tuple(KEYS)) -> list[Series]:
    """Return the handler beside the bare signature and a bare encode, for each key."""
    series = []
    for name in keys:
        with issuing(name) as service:
            calls = {
                HANDLER: _handler(service),
                SIGN: service.bare_sign(),
                ENCODE: service.bare_encode(),
            }
            series.append(Series(name, times, take_turns(calls, times=times)))
    return series


def beside_others(times: int, keys: Iterable[str] = tuple(KEYS)) -> list[Series]:
    """Return the handler beside what else one could run, for each key."""
    series = []
    for name in keys:
        with issuing(name) as service:
            calls = {HANDLER: _handler(service), **_others(service)}
            blocks = take_turns(calls, times=times, seldom=(PEM,))
        series.append(Series(name, times, blocks))
    return series


def in_parts(times: int, keys: Iterable[str] = tuple(KEYS)) -> list[Series]:
    """Return the parts of the handler, and the whole of it, for each key."""
    series = []
    for name in keys:
        with issuing(name) as service:
            blocks = take_turns(_parts(service), times=times)
        series.append(Series(name, times, blocks))
    return series


def by_patterns(times: int, keys: Iterable[str] = PATTERN_KEYS) -> list[Series]:
    """Return the handler for clients with more and more room patterns; the last one matches."""
    series = []
    for name in keys:
        with issuing(name) as service:
            calls = {str(count): _handler(service, patterns=count) for count in PATTERNS}
            blocks = take_turns(calls, times=times)
        series.append(Series(name, times, blocks))
    return series


def _handler(service: Issuing, *, patterns: int = 1) -> Callable[[], object]:
    service.token()
    event = service.event(patterns=patterns)
    return lambda: service.app.handler(event, None)


def _others(service: Issuing) -> dict[str, Callable[[], object]]:
    person = (str(BODY["roomName"]), str(BODY["userName"]), str(BODY["userEmail"]))
    event = service.event()
    peer: dict[str, Callable[[], object]] = {PEER: lambda: service.peer(event)}
    if service.pem is None:
        script = pasted_secret(service.secret)
        return {SCRIPT: lambda: script(*person, is_moderator=True), **peer}
    sample = pem_each_time(service.pem, app_id=APP_ID, kid=f"{APP_ID}/measured")
    return {PEM: lambda: sample(*person, is_moderator=True), **peer}


def _parts(service: Issuing) -> dict[str, Callable[[], object]]:
    """Return what the handler does, cut where one thing is handed to the next."""
    app, event, now = service.app, service.event(), time.time()
    settings = app.SETTINGS
    client = http.caller(event)
    request = requests.parse(http.json_body(event))
    room = request.room()
    validity = request.validity(settings.limits, int(now))

    def parse() -> None:
        http.caller(event)
        requests.parse(http.json_body(event))

    def policy() -> None:
        room = request.room()
        request.validity(settings.limits, int(now))
        client.policy.check(request, room, 0)

    def claims() -> dict[str, Any]:
        return meeting_claims(
            request,
            issuer=settings.issuer,
            room=room,
            validity=validity,
            clock_skew_seconds=settings.clock_skew_seconds,
            now=int(now),
            jti=str(uuid.uuid4()),
        )

    made = claims()
    token = service.key.sign(made)

    def line() -> None:
        written = telemetry.RequestLine(app.SERVICE, http.request_id(event))
        written.called_by(client.name)
        written.asked(request, room)
        written.issued(made, service.key.kid, stale=False)
        written.write(now, 0.001, lambda: app.DIGEST_KEY.get(now))

    def response() -> None:
        url = meeting_url(settings.domain, settings.tenant, room, token, settings.token_placement)
        http.ok(
            IssuedToken(
                token=token,
                expires_at=made["exp"],
                not_before=made["nbf"],
                meeting_url=url,
                room_name=room,
            )
        )

    return {
        "parse": parse,
        "policy": policy,
        "claims": claims,
        "sign": lambda: service.key.sign(made),
        "line": line,
        "response": response,
        HANDLER: _handler(service),
        SIGN: service.bare_sign(),
    }

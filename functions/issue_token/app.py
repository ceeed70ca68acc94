"""POST /api/jitsi/jwt: a meeting token for one person, one room and one time."""

from __future__ import annotations

import gc

gc.disable()  # Hardly anything that loads is garbage: docs/performance.md.

import os
import time
import uuid
from typing import TYPE_CHECKING

from jitsi_tokens import handling, http, telemetry
from jitsi_tokens.core import faults, keep_alive, requests
from jitsi_tokens.core.claims import meeting_claims
from jitsi_tokens.core.issued import IssuedToken
from jitsi_tokens.core.keys import read_key
from jitsi_tokens.core.problems import Problem
from jitsi_tokens.core.rooms import meeting_url
from jitsi_tokens.settings import read_settings

if TYPE_CHECKING:
    from jitsi_tokens.core.policy import Policy

SERVICE = os.environ["POWERTOOLS_SERVICE_NAME"]
SETTINGS = read_settings(os.environ)
SECRETS = handling.ContainerSecrets(SETTINGS.max_stale_seconds)
SIGNING_KEY = SECRETS.cached(
    os.environ["SIGNING_KEY_SECRET"],
    lambda text: read_key(text, algorithm=SETTINGS.algorithm, kid_prefix=SETTINGS.kid_prefix),
    trips_breaker=True,
)
DIGEST_KEY = SECRETS.cached(os.environ["DIGEST_KEY_SECRET"], str.encode, trips_breaker=False)

# What has loaded stays for good, and is not looked through again.
gc.freeze()
gc.enable()


def handler(event: http.Event, _context: object) -> http.Response:
    """Answer the request, and leave its one line."""
    if keep_alive.is_keep_alive(event):
        return keep_alive.ANSWER
    now, started = time.time(), time.perf_counter()
    line = telemetry.RequestLine(SERVICE, http.request_id(event))
    response = handling.answered(
        line, lambda: http.ok(_issue(event, now, line)), faults.known_field
    )
    line.write(now, time.perf_counter() - started, lambda: handling.digest_key(DIGEST_KEY, now))
    return response


def _issue(event: http.Event, now: float, line: telemetry.RequestLine) -> IssuedToken:
    client = http.caller(event)
    line.called_by(client.name, http.key_digits(event))
    request, room, validity = _read(event, client.policy, int(now), line)
    client.policy.check(request, room, validity.starts_at - int(now) - SETTINGS.clock_skew_seconds)
    key = handling.signing_key(SIGNING_KEY, now, line)
    claims = meeting_claims(
        request,
        profile=SETTINGS.profile,
        room=room,
        validity=validity,
        clock_skew_seconds=SETTINGS.clock_skew_seconds,
        now=int(now),
        jti=str(uuid.uuid4()),
    )
    token = key.sign(claims)
    line.issued(claims, key.kid, stale=SIGNING_KEY.stale)
    return IssuedToken(
        token=token,
        expires_at=claims["exp"],
        not_before=claims["nbf"],
        meeting_url=meeting_url(
            SETTINGS.domain, SETTINGS.tenant, room, token, SETTINGS.token_placement
        ),
        room_name=room,
    )


def _read(
    event: http.Event, policy: Policy, now: int, line: telemetry.RequestLine
) -> tuple[requests.TokenRequest, str, requests.Validity]:
    body = http.json_body(event)
    limits = policy.limits(SETTINGS.limits)
    try:
        request = requests.parse(body)
        room = request.room()
        line.asked(request, room)
        return request, room, request.validity(limits, now)
    except Problem as first:
        raise faults.every_fault(first, body, limits, now) from None

"""GET /asap/{file} and GET /.well-known/jwks.json: the public keys that verify the tokens."""

from __future__ import annotations

import gc

gc.disable()  # Hardly anything that loads is garbage: docs/performance.md.

import os
import re
import time

import msgspec

from jitsi_tokens import aws, http, telemetry
from jitsi_tokens.core import keep_alive
from jitsi_tokens.core.problems import NOT_FOUND, Problem, unexpected
from jitsi_tokens.core.public_keys import PublicKey, jwks
from jitsi_tokens.publication import FRESH_SECONDS, CachedPublication, Publication

FIRST_FETCH = aws.client("ssm", aws.FIRST_FETCH)
REFRESH = aws.client("ssm", aws.REFRESH)
KEYS = CachedPublication(
    first_fetch=Publication(FIRST_FETCH, os.environ["PUBLIC_KEYS_PATH"]),
    refresh=Publication(REFRESH, os.environ["PUBLIC_KEYS_PATH"]),
)

_FILE = re.compile(r"([0-9a-f]{64})\.pem")

# What has loaded stays for good, and is not looked through again.
gc.freeze()
gc.enable()


def handler(event: http.Event, _context: object) -> http.Response:
    """Answer with a published key, with all of them, or with 404."""
    if keep_alive.is_keep_alive(event):
        return keep_alive.ANSWER
    try:
        response = _answer(event, time.time())
    except Problem as problem:
        response = http.refused(problem)
    except Exception as error:  # noqa: BLE001 - callers get nothing that a bug would print
        telemetry.report(error)
        response = http.refused(unexpected())
    return http.for_method(event, response)


def _answer(event: http.Event, now: float) -> http.Response:
    if event.get("resource") == "/.well-known/jwks.json":
        keys = KEYS.all(now)
        body = msgspec.json.encode(jwks(keys)).decode()
        content_type = "application/jwk-set+json"
    else:
        keys = _named((event.get("pathParameters") or {}).get("file"), now)
        body = keys[0].pem if keys else ""
        content_type = "application/x-pem-file"
    if not keys:
        raise Problem(NOT_FOUND, "No public key is published here.")
    return http.cacheable(event, content_type, body, _seconds_to_keep(keys, now))


def _named(file: object, now: float) -> list[PublicKey]:
    name = _FILE.fullmatch(file) if isinstance(file, str) else None
    key = KEYS.find(name[1], now) if name else None
    return [key] if key else []


def _seconds_to_keep(keys: list[PublicKey], now: float) -> int:
    ends = [int(key.expires_at - now) for key in keys if key.expires_at is not None]
    return max(0, min([FRESH_SECONDS, *ends]))

"""GET /api/jitsi/jwt and /api/jitsi/diagnostics, and what no other function answers."""

from __future__ import annotations

import gc

gc.disable()  # Hardly anything that loads is garbage: docs/performance.md.

import os
import time

from jitsi_tokens import aws, diagnostics, http, telemetry
from jitsi_tokens.core import keep_alive
from jitsi_tokens.core.problems import METHOD_NOT_ALLOWED, NOT_FOUND, Problem, unexpected
from jitsi_tokens.settings import read_settings
from jitsi_tokens.status import CachedStatus

SETTINGS = read_settings(os.environ)
FIRST_FETCH = aws.client("ssm", aws.FIRST_FETCH)
REFRESH = aws.client("ssm", aws.REFRESH)
STATUS = CachedStatus(first_fetch=FIRST_FETCH, refresh=REFRESH, name=os.environ["STATUS_PARAMETER"])

# Every route of the API, and the methods that some function answers on it.
ROUTES = {
    "/api/jitsi/jwt": "GET, HEAD, POST",
    "/api/jitsi/diagnostics": "GET, HEAD",
    "/api/visits": "GET",
    "/api/visits/{visitId}": "DELETE, GET, PATCH, PUT",
    "/api/visits/{visitId}/end": "POST",
    "/api/visits/{visitId}/participants/{participantId}": "DELETE, PUT",
    "/api/visits/{visitId}/participants/{participantId}/join": "POST",
    "/api/visits/{visitId}/participants/{participantId}/new-link": "POST",
    "/join": "GET, HEAD",
    "/join/{proxy+}": "GET, HEAD",
    "/join/enter": "POST",
    "/join/status": "POST",
    "/asap/{file}": "GET, HEAD",
    "/.well-known/jwks.json": "GET, HEAD",
}

# What has loaded stays for good, and is not looked through again.
gc.freeze()
gc.enable()


def handler(event: http.Event, _context: object) -> http.Response:
    """Answer the two routes, 405 for a wrong method, and 404 for every other path."""
    if keep_alive.is_keep_alive(event):
        return keep_alive.ANSWER
    try:
        response = http.ok(_answer(event, time.time()))
    except Problem as problem:
        response = http.refused(problem)
    except Exception as error:  # noqa: BLE001 - callers get nothing that a bug would print
        telemetry.report(error)
        response = http.refused(unexpected())
    return http.for_method(event, response)


def _answer(event: http.Event, now: float) -> diagnostics.Probe:
    match event.get("httpMethod"), event.get("resource"):
        case "GET" | "HEAD", "/api/jitsi/jwt":
            return diagnostics.Probe(configured=STATUS.get(now).configured)
        case "GET" | "HEAD", "/api/jitsi/diagnostics":
            policy = http.caller(event).policy
            policy.check_diagnostics()
            return diagnostics.diagnosis(SETTINGS, policy, STATUS.get(now), int(now))
        case _, str(path) if path in ROUTES:
            allow = ROUTES[path]
            raise Problem(METHOD_NOT_ALLOWED, f"{path} answers {allow}.", allow=allow)
        case _:
            raise Problem(NOT_FOUND, f"The service answers at {', '.join(ROUTES)}.")

"""GET /api/jitsi/jwt and GET /api/jitsi/diagnostics: what the last key check found."""

from __future__ import annotations

import gc

gc.disable()  # Hardly anything that loads is garbage: docs/performance.md.

import os
import time

from jitsi_tokens import aws, diagnostics, http, telemetry
from jitsi_tokens.problems import NOT_FOUND, Problem, unexpected
from jitsi_tokens.settings import read_settings
from jitsi_tokens.status import CachedStatus

SETTINGS = read_settings(os.environ)
READING = aws.client("ssm", aws.PATIENT)
RENEWING = aws.client("ssm", aws.IMPATIENT)
STATUS = CachedStatus(reading=READING, renewing=RENEWING, name=os.environ["STATUS_PARAMETER"])

# What has loaded stays for good, and is not looked through again.
gc.freeze()
gc.enable()


def handler(event: http.Event, _context: object) -> http.Response:
    """Answer the two routes, and every path and method that is none of ours."""
    try:
        return http.ok(_answer(event, time.time()))
    except Problem as problem:
        return http.refused(problem)
    except Exception as error:  # noqa: BLE001 - a caller is told nothing that a bug would print
        telemetry.report(error)
        return http.refused(unexpected())


def _answer(event: http.Event, now: float) -> diagnostics.Probe:
    match event.get("httpMethod"), event.get("resource"):
        case "GET", "/api/jitsi/jwt":
            return diagnostics.Probe(configured=STATUS.get(now).configured)
        case "GET", "/api/jitsi/diagnostics":
            policy = http.caller(event).policy
            policy.check_diagnostics()
            return diagnostics.diagnosis(SETTINGS, policy, STATUS.get(now), int(now))
        case _:
            raise Problem(NOT_FOUND, "The service answers GET and POST /api/jitsi/jwt.")

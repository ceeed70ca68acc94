"""The check of visits: one is made and cancelled, as a health record does."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

import httpx

from jitsi_tokens_cli.checks import Check, failed, passed, skipped
from jitsi_tokens_cli.doctor.unknown import DAY_SECONDS, rate_limited
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import find_api_key
from jitsi_tokens_cli.output import time_text
from jitsi_tokens_cli.web import VISITS_PATH

if TYPE_CHECKING:
    from jitsi_tokens_cli.web import Reply, Web

_NAME = "visit"
# Erased soon afterwards, and in nobody's list of today.
_AHEAD_DAYS = 2


def visit_check(web: Web, token: Check, now: float) -> Check:
    """Make a visit and cancel it, unless the token's check could not use the API key.

    Raises `Unanswered` where nothing comes.
    """
    if not any(os.environ.get(f"JITSI_TOKENS_API_KEY{end}") for end in ("", "_FILE")):
        return skipped(_NAME, "Set JITSI_TOKENS_API_KEY to try a visit.")
    try:
        api_key = find_api_key(os.environ)
    except CommandError:
        return skipped(_NAME, f"There is no API key to try it with ({token.name}).")
    body = {
        "startsAt": time_text(now + _AHEAD_DAYS * DAY_SECONDS),
        "durationMinutes": 1,
        "timeZone": "Etc/UTC",
        "contact": {"name": "jitsi-tokens doctor", "phone": "0"},
        "participants": [
            {"participantId": "doctor", "userName": "jitsi-tokens doctor", "isModerator": True}
        ],
    }
    path = f"{VISITS_PATH}/doctor-{secrets.token_hex(8)}"
    put = web.call("PUT", path, api_key, body)
    if put.status == httpx.codes.FORBIDDEN:
        why = put.problem().detail or "This client may not make visits."
        return skipped(_NAME, f"{why} `jitsi-tokens client set` changes that.")
    if put.status != httpx.codes.CREATED:
        return _refused(put, "Making a visit")
    cancelled = web.call("DELETE", path, api_key)
    if cancelled.status != httpx.codes.OK:
        return _refused(cancelled, "Cancelling a visit")
    return passed(_NAME, "A visit was made, and cancelled.")


def _refused(reply: Reply, what: str) -> Check:
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(_NAME)
    found = f"{what} gets HTTP {reply.status}. {reply.problem().detail}".strip()
    if reply.status == httpx.codes.UNAUTHORIZED:
        remedy = "Is it revoked, or another stack's? `jitsi-tokens client list`"
        return failed(_NAME, "The authorizer refuses this API key (HTTP 401).", remedy)
    if reply.is_failure:
        return failed(_NAME, found, "Look at the logs of ManageVisits and AuthorizeClient.")
    return failed(
        _NAME, found, "Check that the URL is this stack's, and that the stack has this release."
    )

"""The check of a token: issued as a health record gets it, read as Jitsi reads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import httpx

from jitsi_tokens.core.rooms import backend_safe
from jitsi_tokens_cli.checks import Check, failed, passed, skipped, warning
from jitsi_tokens_cli.doctor.unknown import rate_limited
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import find_api_key
from jitsi_tokens_cli.output import printable
from jitsi_tokens_cli.token import service, text
from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest
from jitsi_tokens_cli.token.explain.rules import explain
from jitsi_tokens_cli.token.explain.stack import expectations_of_stack

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Stack
    from jitsi_tokens_cli.web import Reply, Web

LIFETIME_SECONDS = 60


def token_check(stack: Stack, web: Web, room: str, now: float, *, reads_key: bool) -> Check:
    """Ask for a token as a health record does, and read it as Jitsi does.

    Raises:
        Unanswered: nothing came.
    """
    name = "token"
    if not any(os.environ.get(f"JITSI_TOKENS_API_KEY{end}") for end in ("", "_FILE")):
        return skipped(name, "Set JITSI_TOKENS_API_KEY to try a token.")
    try:
        api_key = find_api_key(os.environ)
    except CommandError as error:
        return failed(name, str(error), "Copy it anew, or make one: `jitsi-tokens client add`.")
    reply = web.ask_token(
        {
            "userId": "doctor",
            "userName": "jitsi-tokens doctor",
            "roomName": room,
            "expirationSeconds": LIFETIME_SECONDS,
        },
        api_key,
    )
    if reply.status != httpx.codes.OK:
        return _refused(reply, room)
    try:
        issued = service.issued(reply)
        token = text.decode(issued.token)
    except (CommandError, ValueError):
        return failed(
            name, "The answer holds no token.", "Look whether the URL is that of this stack."
        )
    return _read_by_jitsi(
        TokenUnderTest(
            found=text.Found(issued.token, issued.meeting_url),
            token=token,
            expected=expectations_of_stack(stack, web.url, reads_key=reads_key),
            intended_room=backend_safe(room),
            # Jitsi's clock is that of the address, as near as anyone here can tell.
            now=int(now) if reply.date is None else reply.date,
        )
    )


def _read_by_jitsi(evidence: TokenUnderTest) -> Check:
    explanation = explain(evidence)
    if broken := explanation.failures:
        first = broken[0]
        more = f" ({len(broken) - 1} more rules)" if len(broken) > 1 else ""
        return failed(
            "token",
            f"Jitsi refuses the token for its {first.name}: {first.found}. {first.why}{more}",
            first.remedy,
        )
    if left := explanation.not_checked:
        return warning(
            "token",
            f"One was issued, and Jitsi accepts what could be checked of it; not checked:"
            f" {', '.join(rule.name for rule in left)}. {left[0].why}",
            left[0].remedy,
        )
    return passed("token", "One was issued, and Jitsi accepts it by every rule.")


def _refused(reply: Reply, room: str) -> Check:
    name = "token"
    problem = reply.problem()
    told = f"HTTP {reply.status}. {printable(problem.detail)}".strip()
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(name)
    if reply.status == httpx.codes.UNAUTHORIZED:
        return failed(
            name,
            "The authorizer refuses this API key (HTTP 401).",
            "Look whether it was revoked, or is another stack's: `jitsi-tokens client list`.",
        )
    is_about_room = any(error.pointer == "/roomName" for error in problem.errors)
    if reply.status == httpx.codes.FORBIDDEN and is_about_room:
        return skipped(
            name,
            f"This client may not ask for the room {room}: give --room with one that it may.",
        )
    if reply.is_failure:
        return failed(
            name,
            told,
            "Look at the logs of IssueToken and of AuthorizeClient: may they read the key, and the"
            " table of clients?",
        )
    return failed(name, told, "Look whether the URL is that of this stack, and of this release.")

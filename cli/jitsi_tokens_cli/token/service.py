"""The service, asked as a health record asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from jitsi_tokens.core.issued import IssuedToken
from jitsi_tokens_cli.errors import CommandError, Unreachable
from jitsi_tokens_cli.output import printable, time_text
from jitsi_tokens_cli.web import TOKEN_PATH, Unanswered, Web

if TYPE_CHECKING:
    from jitsi_tokens_cli.web import Reply


def issue(web: Web, api_key: str, request: dict[str, Any]) -> IssuedToken:
    """Return the token that the service issues.

    Raises:
        CommandError: it refuses, or is no service of jitsi-tokens.
        Unreachable: it cannot be reached, fails, or limits the rate.
    """
    return issued(call(web, "POST", TOKEN_PATH, api_key, request))


def call(
    web: Web, method: str, path: str, api_key: str, request: dict[str, Any] | None = None
) -> Reply:
    """Return what the service answers where it does not refuse.

    Raises:
        CommandError: it refuses.
        Unreachable: it cannot be reached, fails, or limits the rate.
    """
    try:
        reply = web.call(method, path, api_key, request)
    except Unanswered as error:
        raise Unreachable(str(error)) from None
    if reply.status != httpx.codes.OK:
        later = reply.is_failure or reply.status == httpx.codes.TOO_MANY_REQUESTS
        raise (Unreachable if later else CommandError)(_refusal(reply))
    return reply


def issued(reply: Reply) -> IssuedToken:
    """Return the token of an answer.

    Raises:
        CommandError: there is none in it.
    """
    return read(reply, IssuedToken)


def read[T](reply: Reply, kind: type[T]) -> T:
    """Return an answer's document.

    Raises:
        CommandError: it is another one.
    """
    try:
        return msgspec.json.decode(reply.content, type=kind)
    except (msgspec.DecodeError, UnicodeError):
        raise CommandError("The answer does not come from jitsi-tokens.") from None


def _refusal(reply: Reply) -> str:
    problem = reply.problem()
    if not problem.title:
        return (
            f"The service answered HTTP {reply.status} without saying why: is its URL a"
            " jitsi-tokens stack's?"
        )
    if reply.status == httpx.codes.NOT_FOUND and problem.detail:
        # Its title is about paths.
        return printable(f"{problem.detail} (HTTP {reply.status})")
    lines = [f"{problem.title} (HTTP {reply.status})", problem.detail]
    lines += [f"{error.pointer}: {error.detail}" for error in problem.errors]
    if problem.opens_at is not None:
        lines.append(f"It opens at {time_text(problem.opens_at)}.")
    if problem.because:
        lines.append(f"It was ended: {problem.because}.")
    return printable("\n  ".join(line for line in lines if line))

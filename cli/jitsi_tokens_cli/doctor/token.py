"""The check of a token: requested as a health record does, judged as Jitsi does."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import httpx
import jwt

from jitsi_tokens.core.rooms import backend_safe
from jitsi_tokens.secrets import CURRENT, PREVIOUS, KeyVersion
from jitsi_tokens_cli.checks import Check, failed, passed, skipped, warning
from jitsi_tokens_cli.doctor.unknown import Unknown, rate_limited
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import find_api_key
from jitsi_tokens_cli.token import service, text
from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest
from jitsi_tokens_cli.token.explain.keys import expectations_of_stack
from jitsi_tokens_cli.token.explain.rules import explain

if TYPE_CHECKING:
    from jitsi_tokens_cli.doctor.secret import Secret
    from jitsi_tokens_cli.web import Reply, Web

_NAME = "token"
_LIFETIME_SECONDS = 60
_WHOSE_KEY = "It may be revoked, or another stack's: look at `jitsi-tokens client list`."
_IS_URL_RIGHT = "Check that the URL is this stack's, and that the stack has this release."


def token_check(secret: Secret, web: Web, room: str, now: float) -> Check:
    """Request a token; raises `Unanswered` where nothing comes."""
    if not any(os.environ.get(f"JITSI_TOKENS_API_KEY{end}") for end in ("", "_FILE")):
        return skipped(_NAME, "Set JITSI_TOKENS_API_KEY to try a token.")
    try:
        api_key = find_api_key(os.environ)
    except CommandError as error:
        return failed(_NAME, str(error), "Copy it again, or make one: `jitsi-tokens client add`.")
    request = {
        "userId": "doctor",
        "userName": "jitsi-tokens doctor",
        "roomName": room,
        "expirationSeconds": _LIFETIME_SECONDS,
    }
    reply = web.ask_token(request, api_key)
    if reply.status != httpx.codes.OK:
        return _refused(reply, room)
    try:
        issued = service.issued(reply)
        token = text.decode(issued.token)
    except (CommandError, ValueError):
        return failed(_NAME, "The answer holds no token.", _IS_URL_RIGHT)
    signer = _signer(secret, issued.token)

    def read(label: str) -> KeyVersion | None:
        version = secret.version(signer if label == CURRENT else label)
        if isinstance(version, Unknown):
            raise CommandError(version.why)
        return version if isinstance(version, KeyVersion) else None

    evidence = TokenUnderTest(
        found=text.Found(issued.token, issued.meeting_url),
        token=token,
        expected=expectations_of_stack(secret.stack, web.url, read),
        intended_room=backend_safe(room),
        # Jitsi's clock is assumed to be the same as the address's.
        now=int(now) if reply.date is None else reply.date,
    )
    return _judged(evidence, secret, signer)


def _judged(token: TokenUnderTest, secret: Secret, signer: str) -> Check:
    explanation = explain(token)
    if broken := explanation.failures:
        first = broken[0]
        more = f" ({len(broken) - 1} more rules)" if len(broken) > 1 else ""
        return failed(
            _NAME,
            f"Jitsi refuses the token for its {first.name}: {first.found}. {first.why}{more}",
            first.remedy,
        )
    if unchecked := explanation.not_checked:
        names = ", ".join(rule.name for rule in unchecked)
        return warning(
            _NAME,
            f"A token was issued, and Jitsi accepts what could be checked of it; not checked:"
            f" {names}. {unchecked[0].why}",
            unchecked[0].remedy,
        )
    if doubted := explanation.with_outcome("warning"):
        first = doubted[0]
        found = f"Jitsi accepts the token, whose {first.name} is {first.found}. {first.why}"
        return warning(_NAME, found, first.remedy)
    if signer == CURRENT:
        return passed(_NAME, "A token was issued, and Jitsi accepts it by every rule.")
    found = "The token is signed with the previous key"
    if secret.key(CURRENT) is None:
        return passed(_NAME, f"{found}, which functions keep while there is no other.")
    if secret.stack.trust == "console":
        check = passed(_NAME, f"{found}, which functions keep for five minutes.")
    else:
        check = warning(
            _NAME,
            f"{found}, which functions keep for five minutes. A Jitsi that has the current one"
            " refuses it.",
            "Wait: `jitsi-tokens doctor --wait`. If it takes longer, IssueToken's log says why.",
        )
    return check._replace(transient=True)


def _signer(secret: Secret, token: str) -> str:
    """Return the label of the key that signed a token: the current one's, unless it did not."""
    if secret.stack.trust == "published":
        return CURRENT
    for label in (CURRENT, PREVIOUS):
        if key := secret.key(label):
            with contextlib.suppress(jwt.PyJWTError):
                key.verify(token)
                return label
    return CURRENT


def _refused(reply: Reply, room: str) -> Check:
    problem = reply.problem()
    found = f"HTTP {reply.status}. {problem.detail}".strip()
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(_NAME)
    if reply.status == httpx.codes.UNAUTHORIZED:
        found = "The authorizer refuses this API key (HTTP 401)."
        return failed(_NAME, found, _WHOSE_KEY)
    is_about_room = any(error.pointer == "/roomName" for error in problem.errors)
    if reply.status == httpx.codes.FORBIDDEN and is_about_room:
        return skipped(_NAME, f"This client may not request the room {room}: add --room NAME.")
    if reply.is_failure:
        return failed(_NAME, found, "Look at the logs of IssueToken and AuthorizeClient.")
    return failed(_NAME, found, _IS_URL_RIGHT)

"""The checks from outside: the address, the clocks, the public keys, Jitsi's meeting page.

Those that follow the first request raise `Unanswered` where nothing comes.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from jitsi_tokens import publication, status
from jitsi_tokens.core.clients import make_api_key
from jitsi_tokens.core.public_keys import name_of
from jitsi_tokens.core.rooms import web_origin
from jitsi_tokens.core.rsa_keys import fingerprint, read_public_pem
from jitsi_tokens_cli.checks import Check, failed, passed, skipped, warning
from jitsi_tokens_cli.doctor.unknown import DAY_SECONDS, NO_KEY, Unknown, attempt, rate_limited
from jitsi_tokens_cli.output import duration_text, time_text
from jitsi_tokens_cli.web import PROBLEM, TOKEN_PATH, CertificateRefused, Unanswered, Web

if TYPE_CHECKING:
    from jitsi_tokens.core.clock import Clock
    from jitsi_tokens.settings import Settings
    from jitsi_tokens.status import KeyFacts
    from jitsi_tokens_cli.stack import Stack
    from jitsi_tokens_cli.web import Reply

# The service answers in two, from a cold start.
LIMIT_SECONDS = 10
_CERTIFICATE_DAYS = 14
_CLOCK_SECONDS = 5
_PEM_BEGINS = b"-----BEGIN PUBLIC KEY-----"
_SERVER_LOG = "Look at the log of ServePublicKey, and check that the URL is this stack's."
_WAIT = f"Wait {publication.FRESH_SECONDS} seconds, then run doctor again. {_SERVER_LOG}"
_IS_URL_RIGHT = "Check that the URL is the stack's, with the stage and the whole path."


class Contact(NamedTuple):
    """What the probe answered, and between which times it was asked.

    Attributes:
        reply: None where nothing came, or not this service's answer.
        date: the time by the clock there; None where it tells none.
    """

    check: Check
    reply: Reply | None
    date: int | None
    asked_at: float
    answered_at: float


def make_contact(web: Web, clock: Clock) -> Contact:
    """Request the probe, which needs no credentials."""
    asked_at = clock.now()
    try:
        reply = web.get(TOKEN_PATH)
    except Unanswered as error:
        return Contact(_unanswered(error, web), None, None, asked_at, asked_at)
    answered_at = clock.now()
    check = _address(web, reply, answered_at)
    is_service = check.outcome in ("pass", "warning")
    return Contact(check, reply if is_service else None, reply.date, asked_at, answered_at)


def clock_check(contact: Contact, clock_skew_seconds: int) -> Check:
    """Compare the clock here with the one at the address.

    Its time comes in whole seconds, and the answer takes a while: the difference is the least
    that explains both.
    """
    name = "clock"
    if contact.date is None:
        return skipped(name, "The address sends no Date header.")
    behind = contact.date - contact.answered_at
    ahead = contact.asked_at - (contact.date + 1)
    difference = max(behind, ahead, 0)
    if difference <= min(_CLOCK_SECONDS, clock_skew_seconds):
        return passed(name, "This machine's clock and the address's agree.")
    way = "behind" if behind > 0 else "ahead of"
    found = f"This machine's clock is {duration_text(difference)} {way} the address's."
    remedy = "AWS's clock is right: let NTP set this machine's."
    if difference <= clock_skew_seconds:
        return warning(name, found, remedy)
    jitsi = f"A Jitsi that differs by over ClockSkewSeconds ({clock_skew_seconds}) refuses tokens."
    return failed(name, found, f"{remedy} {jitsi}")


def meeting_page_check(settings: Settings, frames_at: str | None = None) -> Check:
    """Open a meeting's page at the stack's own Jitsi, without a token.

    `frames_at`: the address whose page shows it in a frame, if one does. A Jitsi that cannot be
    reached from here is no failure: browsers may reach it.
    """
    name = "meeting-page"
    tenant = f"/{settings.tenant}" if settings.tenant else ""
    web = Web(web_origin(settings.domain), limit_seconds=LIMIT_SECONDS)
    try:
        reply = web.get(f"{tenant}/doctor-{secrets.token_hex(8)}")
    except Unanswered as error:
        return skipped(name, str(error))
    found = f"{web.host} answers a meeting's page with HTTP {reply.status}."
    if reply.status == httpx.codes.NOT_FOUND:
        return failed(
            name,
            found,
            "Apache: use the RewriteRule that `jitsi-tokens jitsi-config --format prosody` prints."
            f" Other web servers: serve Jitsi's index.html for {tenant}/<room>.",
        )
    if reply.status != httpx.codes.OK:
        return skipped(name, found)
    if frames_at and (header := _frame_forbidden_by(reply.headers, web.url, frames_at)):
        return warning(
            name,
            f"{web.host} opens a meeting's page, but its header {header} forbids the frame in which"
            " visits show it.",
            f"Let the header allow {_origin(frames_at)} (CSP frame-ancestors), or deploy with"
            " JoinMode=redirect.",
        )
    return passed(name, f"{web.host} opens a meeting's page.")


def probe_check(web: Web, contact: Contact, key_check: Check, clock: Clock) -> Check:
    """Judge what the probe tells everybody."""
    name, yes, no = "probe", 'It answers {"configured": true}', 'It answers {"configured": false}'
    if _says_configured(contact.reply):
        return passed(name, f"{yes}.")
    if key_check.outcome == "fail":
        return failed(name, f"{no}.", f"Repair what {key_check.name} found.")
    # The answer may be older than the check, and the function keeps it for a while.
    clock.sleep(status.FRESH_SECONDS + 1)
    if _says_configured(web.get(TOKEN_PATH)):
        return passed(name, f"{yes}, since the check just now.")
    found = f"{no}, but the last key check found nothing wrong."
    return failed(name, found, "Check that the URL is this stack's. Look at ProbeConfig's log.")


def authorizer_check(web: Web) -> Check:
    """Request a token without an API key, and with one that nobody has."""
    name = "authorizer"
    for api_key, whom in ((None, "without an API key"), (make_api_key(), "with an unknown one")):
        reply = web.ask_token({}, api_key)
        if reply.status == httpx.codes.TOO_MANY_REQUESTS:
            return rate_limited(name)
        found = f"A caller {whom} gets HTTP {reply.status}"
        if reply.is_failure:
            remedy = "Look at the log of AuthorizeClient: may it read the table of clients?"
        elif reply.status == httpx.codes.FORBIDDEN:
            found += ", before the authorizer"
            remedy = "Look at the API's resource policy, and at the web application firewall."
        elif reply.status != httpx.codes.UNAUTHORIZED:
            found = f"A caller {whom} is not refused: HTTP {reply.status}"
            remedy = f"Check that the route POST {TOKEN_PATH} has its authorizer, and deploy again."
        elif reply.media_type != PROBLEM:
            found += f", but not as the stack answers it ({PROBLEM})"
            remedy = "Look for a proxy or CDN in between; check that the stage is deployed."
        else:
            continue
        return failed(name, f"{found}.", remedy)
    return passed(name, "Callers without an API key, and with an unknown one, get 401.")


def published_check(stack: Stack, web: Web, facts: KeyFacts | None) -> Check:
    """Fetch the key that verifies what the stack signs."""
    name = "published-key"
    if facts is None:
        return skipped(name, NO_KEY)
    file = name_of(facts.kid)
    stored = attempt(stack.publication.keys)
    # Who may not read SSM goes by the address alone.
    kept = None if isinstance(stored, Unknown) else stored.get(file)
    if kept is None and not isinstance(stored, Unknown):
        return _found(stack, name, "not-published")
    reply = web.get(f"/asap/{file}.pem")
    key = read_public_pem(reply.content.decode(errors="replace"))
    if reply.status == httpx.codes.NOT_FOUND and kept is None:
        code = "not-published"
    elif reply.status != httpx.codes.OK:
        return failed(name, f"The signing key's public part gets HTTP {reply.status}.", _WAIT)
    elif key is None or not reply.content.startswith(_PEM_BEGINS):
        found = "The address serves no public key. Prosody keeps that answer, and logins hang."
        return failed(name, found, f"{_SERVER_LOG} Then restart Prosody.")
    elif fingerprint(key) != facts.fingerprint:
        code = "published-key-differs"
    elif kept and kept.expires_at is not None:
        code = "published-key-ends"
    else:
        return passed(name, f"The address serves the public part of {facts.kid}.")
    return _found(stack, name, code)


def unknown_key_check(web: Web) -> Check:
    """Fetch a key that nobody has: Prosody keeps any other answer than 404 until it restarts."""
    name = "missing-key-404"
    reply = web.get(f"/asap/{secrets.token_hex(32)}.pem")
    if reply.status != httpx.codes.NOT_FOUND:
        found = f"A key that does not exist gets HTTP {reply.status}; Jitsi needs 404."
        return failed(name, found, f"Look for a CDN with its own error page. {_SERVER_LOG}")
    if "no-store" not in str(reply.headers.get("Cache-Control", "")):
        found = (
            "The 404 lacks Cache-Control: no-store, so caches may hide the next key that is"
            " published."
        )
        return failed(name, found, "Look for a CDN in between that changes headers.")
    return passed(name, "A key that does not exist gets 404.")


def jwks_check(web: Web, facts: KeyFacts | None) -> Check:
    """Look for the key in the JWKS."""
    name = "jwks"
    if facts is None:
        return skipped(name, NO_KEY)
    reply = web.get("/.well-known/jwks.json")
    if reply.status != httpx.codes.OK:
        return failed(name, f"The JWKS gets HTTP {reply.status}.", _WAIT)
    keys = reply.document().get("keys")
    entries = [entry for entry in keys if isinstance(entry, dict)] if isinstance(keys, list) else []
    found = [entry for entry in entries if entry.get("kid") == facts.kid]
    if not found:
        return failed(name, f"The JWKS does not hold {facts.kid}.", _WAIT)
    if any(_fingerprint(entry) != facts.fingerprint for entry in found):
        return failed(name, f"The JWKS holds another key as {facts.kid}.", _WAIT)
    return passed(name, f"The JWKS holds the key (keys in it: {len(entries)}).")


def _frame_forbidden_by(headers: httpx.Headers, jitsi: str, page: str) -> str | None:
    """Return the header by which a browser keeps a page out of another's frame.

    As CSP Level 3 has it: each policy must allow it, and X-Frame-Options counts only without one.
    """
    policies = [
        sources
        for policy in str(headers.get("Content-Security-Policy", "")).split(",")
        for name, *sources in (
            directive.lower().split() for directive in policy.split(";") if directive.strip()
        )
        if name == "frame-ancestors"
    ]
    if policies:
        allowed = all(
            any(_allows(source, _origin(jitsi), _origin(page)) for source in sources)
            for sources in policies
        )
        return None if allowed else "Content-Security-Policy (frame-ancestors)"
    option = str(headers.get("X-Frame-Options", "")).strip().lower()
    same = _origin(jitsi) == _origin(page)
    return "X-Frame-Options" if option == "deny" or (option == "sameorigin" and not same) else None


def _allows(source: str, own: str, page: str) -> bool:
    """Tell whether a source of frame-ancestors names an origin."""
    scheme, _, host = page.partition("://")
    if source in ("*", f"{scheme}:"):
        return True
    if source == "'self'":
        return own == page
    before, _, named = source.rstrip("/").rpartition("://")
    if before not in ("", scheme):
        return False
    return host.endswith(named[1:]) if named.startswith("*.") else host == named


def _origin(url: str) -> str:
    parts = urlsplit(url.lower())
    return f"{parts.scheme}://{parts.netloc}"


def _says_configured(reply: Reply | None) -> bool:
    return reply is not None and reply.document().get("configured") is True


def _unanswered(error: Unanswered, web: Web) -> Check:
    remedy = "Check that the name resolves here, and that no firewall or proxy blocks it."
    if isinstance(error, CertificateRefused):
        remedy = (
            f"Check the certificate of {web.host}, and its domain name in API Gateway. If your"
            " own proxy terminates TLS, name its certificate authority in SSL_CERT_FILE."
        )
    return failed("address", str(error), remedy)


def _address(web: Web, reply: Reply, now: float) -> Check:
    name, ends_at = "address", reply.certificate_ends_at
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited(name)
    if reply.status != httpx.codes.OK:
        remedy = "Look at the log of ProbeConfig." if reply.is_failure else _IS_URL_RIGHT
        return failed(name, f"{web.host} answers the probe with HTTP {reply.status}.", remedy)
    if not isinstance(reply.document().get("configured"), bool):
        return failed(name, f"{web.host} answers, but not as jitsi-tokens does.", _IS_URL_RIGHT)
    if ends_at is None:
        return passed(name, f"{web.host} answers (loopback, without TLS).")
    days = int((ends_at - now) // DAY_SECONDS)
    if days >= _CERTIFICATE_DAYS:
        return passed(name, f"{web.host} answers; its certificate is valid for {days} days.")
    return warning(
        name,
        f"{web.host} answers; its certificate ends in {days} days, at {time_text(ends_at)}.",
        "Renew it. Certificate Manager renews its own only while their DNS record exists.",
    )


def _fingerprint(entry: dict[str, Any]) -> str | None:
    try:
        key = RSAAlgorithm.from_jwk(entry)
    except (jwt.InvalidKeyError, ValueError, TypeError):
        return None
    return fingerprint(key) if isinstance(key, RSAPublicKey) else None


def _found(stack: Stack, name: str, code: str) -> Check:
    finding = stack.finding(code)
    return failed(name, finding.what, finding.remedy)

"""The checks of the address, of the clocks on both sides, and of Jitsi's meeting page."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

import httpx

from jitsi_tokens_cli.checks import Check, failed, passed, skipped, warning
from jitsi_tokens_cli.doctor.unknown import DAY_SECONDS, rate_limited
from jitsi_tokens_cli.output import duration_text, time_text
from jitsi_tokens_cli.web import CertificateRefused, Unanswered, Web

if TYPE_CHECKING:
    from jitsi_tokens.core.clock import Clock
    from jitsi_tokens.settings import Settings
    from jitsi_tokens_cli.web import Reply

PROBE_PATH = "/api/jitsi/jwt"
_CERTIFICATE_DAYS = 14
_CLOCK_SECONDS = 5


class Contact(NamedTuple):
    """What the probe's answer was, and between which times it was sent.

    Attributes:
        reply: None where nothing came, or something else than this service's answer.
        date: what the clock there said; None where it said nothing.
    """

    check: Check
    reply: Reply | None
    date: int | None
    asked_at: float
    answered_at: float


def make_contact(web: Web, clock: Clock) -> Contact:
    """Ask the address for the probe, which anybody may read."""
    asked_at = clock.now()
    try:
        reply = web.get(PROBE_PATH)
    except Unanswered as error:
        return Contact(_unanswered(error, web), None, None, asked_at, asked_at)
    answered_at = clock.now()
    check = _address(web, reply, answered_at)
    is_service = check.outcome in ("pass", "warning")
    return Contact(check, reply if is_service else None, reply.date, asked_at, answered_at)


def clock_check(contact: Contact, clock_skew_seconds: int) -> Check:
    """Compare the clock here with the one of the address.

    Its time comes in whole seconds, and the answer takes a while: what is told is the least
    difference that explains both.
    """
    if contact.date is None:
        return skipped("clock", "The address tells no time.")
    behind = contact.date - contact.answered_at
    ahead = contact.asked_at - (contact.date + 1)
    difference = max(behind, ahead, 0)
    if difference <= min(_CLOCK_SECONDS, clock_skew_seconds):
        return passed("clock", "This machine's clock and the address's agree.")
    way = "behind" if behind > 0 else "ahead of"
    found = f"This machine's clock is {duration_text(difference)} {way} the address's."
    if difference > clock_skew_seconds:
        return failed(
            "clock",
            found,
            f"AWS's clock is right: set this machine's (NTP). On a host of Jitsi that differs by"
            f" more than the stack's ClockSkewSeconds ({clock_skew_seconds}), tokens are refused.",
        )
    return warning("clock", found, "AWS's clock is right: let NTP set this machine's.")


def meeting_page_check(settings: Settings) -> Check:
    """Open a meeting's page at the stack's own Jitsi, without a token.

    A Jitsi that is not reachable from here is no failure: browsers may reach it.
    """
    name = "meeting-page"
    tenant = f"/{settings.tenant}" if settings.tenant else ""
    web = Web(f"https://{settings.domain}")
    try:
        reply = web.get(f"{tenant}/doctor-{secrets.token_hex(8)}")
    except Unanswered as error:
        return skipped(name, str(error))
    if reply.status == httpx.codes.NOT_FOUND:
        return failed(
            name,
            f"{web.host} answers a meeting's page with HTTP 404.",
            "Apache: replace Jitsi's RewriteRule by the line that `jitsi-tokens jitsi-config"
            " --format prosody` prints. Any other web server: let it serve Jitsi's index.html for"
            f" {tenant}/<room>, as Jitsi's configuration for nginx does.",
        )
    if reply.status != httpx.codes.OK:
        return skipped(name, f"{web.host} answers a meeting's page with HTTP {reply.status}.")
    return passed(name, f"{web.host} opens a meeting's page.")


def _unanswered(error: Unanswered, web: Web) -> Check:
    if isinstance(error, CertificateRefused):
        return failed(
            "address",
            str(error),
            f"Look at the certificate of {web.host}, and at its domain name in API Gateway; where a"
            " proxy opens TLS, name its authority in SSL_CERT_FILE.",
        )
    return failed(
        "address",
        str(error),
        "Look whether the name is right and resolves here, and whether a firewall or a proxy stands"
        " between.",
    )


def _address(web: Web, reply: Reply, now: float) -> Check:
    if reply.status == httpx.codes.TOO_MANY_REQUESTS:
        return rate_limited("address")
    if reply.status != httpx.codes.OK:
        return failed(
            "address",
            f"{web.host} answers the probe with HTTP {reply.status}.",
            "Look at the log of ProbeConfig, which answers it."
            if reply.is_failure
            else "Look whether the URL is that of the stack's stage, with its whole path.",
        )
    if not isinstance(reply.document().get("configured"), bool):
        return failed(
            "address",
            f"{web.host} answers, but not as jitsi-tokens does.",
            "Look whether the URL is that of the stack's stage, with its whole path.",
        )
    return _certificate(web, reply.certificate_ends_at, now)


def _certificate(web: Web, ends_at: int | None, now: float) -> Check:
    if ends_at is None:
        return passed("address", f"{web.host} answers (loopback, without TLS).")
    days = int((ends_at - now) // DAY_SECONDS)
    if days < _CERTIFICATE_DAYS:
        return warning(
            "address",
            f"{web.host} answers; its certificate ends in {days} days, at {time_text(ends_at)}.",
            "Renew it. Certificate Manager renews its own only while their DNS record is there.",
        )
    return passed("address", f"{web.host} answers; its certificate holds for {days} days.")

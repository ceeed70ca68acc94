"""A token as people have it, read without a key."""

import base64
import binascii
import json
import re
from datetime import UTC, datetime
from typing import Any, NamedTuple

from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.output import iso_time

_JWT = r"eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
# Matched once all white space is gone.
_BARE = re.compile(rf"(?P<bytes>b(?=[\"']))?[\"']?(?:Bearer)?(?P<token>{_JWT})[\"']?")
_IN_URL = re.compile(
    rf"https?://.*[?#&]jwt=(?:(?P<bytes>b['\"]|b%2[27])|%22|\")?(?P<token>{_JWT})"
    r"(?:%2[27]|['\"])?(?:[&#].*)?"
)
# Mail breaks long lines, and indents what it quotes.
_LINE_BREAK = re.compile(r"\s*[\r\n]\s*")
_TIMES = ("iat", "nbf", "exp")


class Token(NamedTuple):
    """What a token says. Nobody has checked that it is true."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    def __repr__(self) -> str:
        return "Token()"


class Found(NamedTuple):
    """A token as somebody has it.

    Attributes:
        url: the meeting URL that holds it, if one does.
        is_bytes: whether Python's `b'…'` stands around it.
    """

    text: str
    url: str | None = None
    is_bytes: bool = False

    def __repr__(self) -> str:
        return "Found()"


def token_in(text: str) -> Found | None:
    """Return the token of a bare token or of a meeting URL, broken into lines or not."""
    if bare := _BARE.fullmatch("".join(text.split())):
        return Found(bare["token"], None, bool(bare["bytes"]))
    url = _LINE_BREAK.sub("", text.strip())
    if within := _IN_URL.fullmatch(url):
        return Found(within["token"], url, bool(within["bytes"]))
    return None


def decode(text: str) -> Token:
    """Return what a token says.

    Raises:
        CommandError: its parts cannot be read.
    """
    header, claims, _ = text.split(".")
    try:
        return Token(text, _part(header), _part(claims))
    except (ValueError, RecursionError):
        raise CommandError("This is no JWT: its parts are not JSON objects in base64url.") from None


def validity(claims: dict[str, Any], now: float) -> str:
    """Say whether a token is valid at `now`, in epoch seconds, as Jitsi reads its times."""
    for name in ("nbf", "exp"):
        if name in claims and type(claims[name]) is not int:
            return f"no: {name} is not a whole number"
    if "exp" not in claims:
        return "no: exp is missing"
    if claims["exp"] <= now:
        return f"no: it ended {duration_text(now - claims['exp'])} ago"
    if claims.get("nbf", now) > now:
        return f"not yet: it begins in {duration_text(claims['nbf'] - now)}"
    return f"yes, for {duration_text(claims['exp'] - now)} more"


def rows(part: dict[str, Any]) -> list[list[str]]:
    """Return the rows of a table, nested names with dots between, times readable."""
    return [[name, _shown(name, value)] for name, value in _flat(part)]


def time_text(seconds: float) -> str:
    """Return epoch seconds as ISO 8601, where the calendar goes so far."""
    try:
        return iso_time(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return "beyond the calendar: milliseconds?"


def duration_text(seconds: float) -> str:
    """Return a length of time in hours, minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min {rest:02} s" if hours else f"{minutes} min {rest:02} s"


def _part(text: str) -> dict[str, Any]:
    try:
        part = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error as error:
        raise ValueError from error
    if not isinstance(part, dict):
        raise ValueError  # noqa: TRY004 - what is wrong is the token's content
    return part


def _flat(part: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in part.items():
        if isinstance(value, dict) and value:
            flat += _flat(value, f"{prefix}{name}.")
        else:
            flat.append((f"{prefix}{name}", value))
    return flat


def _shown(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if name in _TIMES and isinstance(value, int | float):
        return f"{text} ({time_text(value)})"
    return text

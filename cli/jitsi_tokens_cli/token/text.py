"""A token as people have it, read without a key."""

import base64
import binascii
import json
import re
from typing import Any, NamedTuple

from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.output import duration_text, time_text

_JWT = r"eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"
# Matched once all white space is gone.
_BARE = re.compile(rf"(?P<bytes>b(?=[\"']))?[\"']?(?:Bearer)?(?P<token>{_JWT})[\"']?")
_IN_URL = re.compile(
    rf"https?://.*[?#&]jwt=(?:(?P<bytes>b['\"]|b%2[27])|%22|\")?(?P<token>{_JWT})"
    r"(?:%2[27]|['\"])?(?:[&#].*)?"
)
_DEEPEST = 50
_FAR_SECONDS = 10**12
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
    # Mail breaks long lines, and indents what it quotes.
    url = "".join(map(str.strip, text.splitlines()))
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
    ends, begins = _in_calendar(claims["exp"]), _in_calendar(claims.get("nbf", now))
    if ends <= now:
        return f"no: it ended {duration_text(now - ends)} ago"
    if begins > now:
        return f"not yet: it begins in {duration_text(begins - now)}"
    return f"yes, for {duration_text(ends - now)} more"


def rows(part: dict[str, Any]) -> list[list[str]]:
    """Return the rows of a table, nested names with dots between, times readable."""
    return [[name, _shown(name, value)] for name, value in _flat(part)]


def _in_calendar(seconds: float) -> float:
    """Return a time no farther off than a float can reckon with."""
    return max(-_FAR_SECONDS, min(seconds, _FAR_SECONDS))


def _part(text: str) -> dict[str, Any]:
    try:
        part = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except binascii.Error as error:
        raise ValueError from error
    if not isinstance(part, dict) or not _is_shallow(part):
        raise ValueError
    return part


def _is_shallow(part: object) -> bool:
    """Tell whether nothing is nested deeper than anybody reads, level by level."""
    level = [part]
    for _ in range(_DEEPEST):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
    return not level


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

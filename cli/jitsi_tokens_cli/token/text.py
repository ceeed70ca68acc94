"""A token as people have it: found in whatever text holds it, and read without a key."""

from __future__ import annotations

import base64
import html
import json
import math
import re
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from urllib.parse import unquote

import typer

from jitsi_tokens_cli import inputs
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.output import duration_text, info, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

TokenSource = Annotated[
    str,
    typer.Argument(
        metavar="TOKEN",
        help="A token, a meeting link, or a file that holds one anywhere in its text; - reads"
        " stdin. A token as an argument stays in the shell's history.",
        show_default=False,
    ),
]

# Terminals' colours, and what chat programs, editors and web pages insert unseen.
_NOISE = re.compile("\x1b\\[[0-9;]*m|<wbr ?/?>|[\x00\u00ad\u200b-\u200f\u2060\ufeff]")
# Mail breaks long lines, ends them with = and begins them with >; shells end them with a backslash.
_BREAK = re.compile(
    r"(?<![ \t])[ \t]*+(?:(?<!jwt)=|\\)?\r?\n[ \t>|]*+(?=[\w.%=\"'-])(?![A-Za-z][A-Za-z0-9+.-]*://)"
)
_BROKEN = "\x00"
# A JSON object begins so in base64url. A header has an end: long texts are read at once.
_JWT = re.compile(
    r"(?P<header>e[yw][\w\x00-]{2,2000})\.\x00?[\w\x00-]+\.(?P<signature>[\w\x00-]*)", re.ASCII
)
# JSON may write & as \u0026 and / as \/, Markdown _ as \_.
_ESCAPED = re.compile(r"\\u00([0-9A-Fa-f]{2})|\\([^A-Za-z0-9\s])")
_BYTES = re.compile(r"(?<![A-Za-z])b(?:%2[27]|[\"'])\Z")
_LINK = re.compile(
    # A redirection's address before it is not the meeting's.
    r"[A-Za-z][A-Za-z0-9+.-]*://(?:(?!://)[^<>\"'\n])*"
    r"[?#&]jwt=(?:=?3D)?(?:b?(?:%2[27]|[\"']))?\Z"
)
_LONGEST_SCHEME = 30
_LONGEST_LINK = 4096
# In base64url; RSA keys have 1024 to 8192 bits.
_SIGNATURE_LENGTHS = {"HS256": (43,), "HS384": (64,), "HS512": (86,)}
_RSA_SIGNATURE_LENGTHS = (171, 342, 512, 683, 1366)
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
        url: the meeting link that holds it, up to the token's end, if one does.
        is_bytes: whether Python's `b'…'` is around it.
    """

    text: str
    url: str | None = None
    is_bytes: bool = False

    def __repr__(self) -> str:
        return "Found()"


def read_token(source: str) -> Found:
    """Return the token that an argument is, holds or leads to.

    Raises:
        CommandError: there is none, or more than one.
    """
    if found := token_in(source):
        return found
    if "://" in source:
        raise CommandError("The link holds no token.")
    if source.startswith("eyJ"):
        raise CommandError("The token is incomplete: a JWT has three parts, separated by dots.")
    if source == inputs.STDIN and inputs.is_interactive():
        info("Paste a text with a token, then press Ctrl-D.")
    content = inputs.read_file(source)
    # PowerShell's > writes UTF-16.
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    found = token_in(content.decode(encoding, errors="replace"))
    if found is None:
        raise CommandError("There is no token: the text holds no JWT.")
    return found


def token_in(text: str) -> Found | None:
    """Return the one token anywhere in a text, with the meeting link that holds it.

    Raises:
        CommandError: there are two different ones.
    """
    found = [token for reading in _readings(text) for token in _tokens_in(reading)]
    if not any(_is_readable(token.text) for token in found):
        found += _tokens_in("".join(text.split()))
    tokens = {token.text for token in found if _is_readable(token.text)}
    # A copy that was cut off, or read before it was unescaped, is the beginning of another.
    tokens -= {token for token in tokens for other in tokens - {token} if other.startswith(token)}
    if len(tokens) > 1:
        raise CommandError("The text holds several tokens that differ: pass one of them.")
    candidates = [token for token in found if not tokens or token.text in tokens]
    return next((token for token in candidates if token.url), next(iter(candidates), None))


def decode(text: str) -> Token:
    """Return what a token says.

    Raises:
        CommandError: its parts cannot be read.
    """
    header, claims, _ = map(_part, text.split("."))
    if header is None or claims is None:
        raise CommandError("This is not a JWT: its parts are not JSON objects in base64url.")
    return Token(text, header, claims)


def validity(claims: dict[str, Any], now: float) -> str:
    """Say whether a token is valid at `now`, in epoch seconds, as Prosody reads its times."""
    for name in ("nbf", "exp"):
        if name in claims and not is_number(claims[name]):
            return f"no: {name} is not a number"
    ends, begins = (_in_calendar(claims.get(name, now)) for name in ("exp", "nbf"))
    if "exp" in claims and ends <= now:
        return f"no: it ended {duration_text(now - ends)} ago"
    if begins > now:
        return f"not yet: it begins in {duration_text(begins - now)}"
    return (
        f"yes, for {duration_text(ends - now)} more" if "exp" in claims else "yes, without an end"
    )


def is_number(value: object) -> bool:
    """Tell whether a value is a number of JSON."""
    return type(value) is int or (type(value) is float and math.isfinite(value))


def rows(part: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return names and values, nested names with dots between, times readable."""
    flat: list[tuple[str, str]] = []
    for name, value in part.items():
        if isinstance(value, dict) and value:
            flat += rows(value, f"{prefix}{name}.")
        else:
            flat.append((f"{prefix}{name}", _shown(f"{prefix}{name}", value)))
    return flat


def _readings(text: str) -> Iterator[str]:
    """Yield a text as it is, then with one layer of escapes fewer each time."""
    yield text
    for unescaped in (_without_backslashes, html.unescape, unquote, unquote, unquote):
        before, text = text, unescaped(text)
        if text != before:
            yield text


def _without_backslashes(text: str) -> str:
    return _ESCAPED.sub(lambda found: found[2] or chr(int(found[1], 16)), text)


def _tokens_in(text: str) -> Iterator[Found]:
    """Yield what looks like a token in a text, its lines put together."""
    text = _BREAK.sub(_BROKEN, _NOISE.sub("", text))
    start = 0
    while match := _JWT.search(text, start):
        header = _part(match["header"].replace(_BROKEN, ""))
        # The ey of a "key" before a token, or of "they", begins none.
        start = match.start() + 1 if header is None else match.start("signature")
        if header is None and not match[0].startswith("eyJ"):
            continue
        token = _without_next_lines(match, (header or {}).get("alg"))
        before = text[max(0, match.start() - _LONGEST_LINK) : match.start()].replace(_BROKEN, "")
        link = _LINK.search(before, max(0, before.rfind("://") - _LONGEST_SCHEME))
        # Quoted-printable mail writes = as =3D.
        url = link and link[0].replace("=3D", "=") + token
        yield Found(token, url, bool(_BYTES.search(before)))


def _without_next_lines(match: re.Match[str], alg: object) -> str:
    """Return a token that ends where its signature has the length that its algorithm makes."""
    lines = match["signature"].split(_BROKEN)
    unsigned = match[0].removesuffix(match["signature"]).replace(_BROKEN, "")
    lengths = _SIGNATURE_LENGTHS.get(str(alg), _RSA_SIGNATURE_LENGTHS)
    for count in range(len(lines), 0, -1):
        signature = "".join(lines[:count])
        if len(signature) in lengths:
            return unsigned + signature
    # No signature of that algorithm. A line that goes on after it is other text.
    follower = match.string[match.end() : match.end() + 1]
    if len(lines) > 1 and follower not in ("", "\n", '"', "'", "%", "&", "<", "\\"):
        lines.pop()
    return unsigned + "".join(lines)


def _is_readable(text: str) -> bool:
    header, claims, _ = text.split(".")
    return _part(header) is not None and _part(claims) is not None


def _in_calendar(seconds: float) -> float:
    """Return a time no farther off than a float can reckon with."""
    return max(-_FAR_SECONDS, min(seconds, _FAR_SECONDS))


def _part(text: str) -> dict[str, Any] | None:
    try:
        part = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return part if isinstance(part, dict) and _depth(part) <= _DEEPEST else None
    except (ValueError, RecursionError):
        return None


def _depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _shown(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    if name in _TIMES and is_number(value):
        return f"{text} ({time_text(value)})"
    return text

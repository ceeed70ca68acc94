"""Tokens, found in whatever text holds them, and read without a key."""

from __future__ import annotations

import base64
import html
import json
import quopri
import textwrap
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import jwt
import pytest

from jitsi_tokens.core.issued import IssuedToken
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.output import time_text
from jitsi_tokens_cli.token.text import Found, Token, decode, rows, token_in, validity

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import rsa

NOW = 1_893_456_000
TOKEN = jwt.encode({"room": "visit-12", "exp": NOW, "pad": "_" * 70}, "s" * 40)
HOST = "https://meet.example.org"
LINK = f"{HOST}/visit-12#jwt=%22{TOKEN}%22"
IN_QUERY = f"{HOST}/visit-12?jwt={TOKEN}"
ANSWER = json.dumps({"token": TOKEN, "expiresAt": NOW, "meetingUrl": LINK})


def wrapped(text: str, prefix: str = "") -> str:
    """Return a text as mail breaks it."""
    return textwrap.fill(text, 72, subsequent_indent=prefix, break_on_hyphens=False)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f' "{TOKEN}"\n',
        f"\ufeff{TOKEN}",
        f"Bearer\n{TOKEN}",
        f"GET / HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nHost: example.org\r\n",
        f"Cookie: lang=en; jwt={TOKEN}; theme=dark",
        f"export MY_KEY={TOKEN} # key",
        f"curl https://example.org \\\n -H 'Authorization: Bearer {TOKEN}' \\\n -d '{{\"a\": 1}}'",
        f"2030-01-01T00:00:00Z INFO token={TOKEN} room=visit-12\n2030-01-01 next line",
        f"Token:\n{TOKEN}\nThanks\nBob",
        f"Hello,\n{wrapped(TOKEN)}\nRegards\nBob",
        wrapped(TOKEN, "> "),
        TOKEN.replace(".", ".\n\t"),
        f"{TOKEN[:30]} {TOKEN[30:]}",
        f"{TOKEN[:-9]}… (in full: {TOKEN})",
        f"\x1b[32m{TOKEN[:50]}\u200b{TOKEN[50:]}\x1b[0m",
        f"<code>{TOKEN[:50]}&#8203;{TOKEN[50:90]}<wbr>{TOKEN[90:]}</code>",
        TOKEN.replace("_", r"\_"),
        TOKEN.replace("-", "%2D").replace(".", "%2E"),
        f"{TOKEN}\n{TOKEN}",
    ],
)
def test_a_token_is_found_in_any_text(text: str) -> None:
    """Quoted, in a header, a command or a log, broken by mail, escaped, cut off, twice."""
    assert token_in(text) == Found(TOKEN)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (LINK, LINK),
        (f'{HOST}/visit-12#jwt="{TOKEN}"', f'{HOST}/visit-12#jwt="{TOKEN}"'),
        (f"{IN_QUERY}&lang=en#config.x=true", IN_QUERY),
        (f"{HOST}/x#a.b=1&jwt=%22{TOKEN}%22&y=1", f"{HOST}/x#a.b=1&jwt=%22{TOKEN}"),
        (
            f"org.jitsi.meet://h.example/abc?jwt={TOKEN}",
            f"org.jitsi.meet://h.example/abc?jwt={TOKEN}",
        ),
        (ANSWER, LINK),
        (json.dumps(json.loads(ANSWER), indent=2), LINK),
        (ANSWER.replace("/", r"\/"), LINK),
        (json.dumps(ANSWER), LINK),
        (f"Meeting URL\t{LINK}\nRoom\tvisit-12\nToken\t{TOKEN}\n", LINK),
        (f"Token:       {TOKEN}\nRoom:        visit-12\nMeeting URL: {LINK}\n", LINK),
        (f'<a href="{html.escape(IN_QUERY)}&amp;x=1">Join</a>', IN_QUERY),
        (f"href=&quot;{HOST}/x?a=1&amp;jwt={TOKEN}&quot;", f"{HOST}/x?a=1&jwt={TOKEN}"),
        (f"[Join]({IN_QUERY})", IN_QUERY),
        (f'198.51.100.7 "GET {IN_QUERY} HTTP/1.1" 200 "-" "Mozilla"', IN_QUERY),
        (f"https://login.example.org/?next={quote(LINK, safe='')}", LINK),
        (f"https://login.example.org/?next={quote(quote(LINK, safe=''), safe='')}", LINK),
        (f"https://www.example.org/url?q={quote(LINK)}", LINK),
        (wrapped(f"Join here: {LINK}"), LINK),
        (f"Hello\n> {wrapped(LINK, '> ')}\n> Bye", LINK),
        (
            f"{HOST}/My Room#jwt=\n  %22{TOKEN[:40]}\n{TOKEN[40:]}%22",
            f"{HOST}/My Room#jwt=%22{TOKEN}",
        ),
        (
            quopri.encodestring(f"Join <{IN_QUERY}>\nBye\n".encode()).decode(),
            IN_QUERY,
        ),
    ],
)
def test_the_link_around_a_token_is_found(text: str, url: str) -> None:
    """In an answer of the service, a page, a mail, a redirect; up to the token's end."""
    found = token_in(text)

    assert found
    assert (found.text, found.is_bytes) == (TOKEN, False)
    assert found.url == url.removesuffix("%22").removesuffix('"')


@pytest.mark.parametrize(
    "text",
    [
        f"b'{TOKEN}'",
        f'print: b"{TOKEN}"',
        f"{HOST}/x?jwt=b'{TOKEN}'",
        f"{HOST}/x#jwt=b%27{TOKEN}%27",
    ],
)
def test_pythons_notation_of_bytes_is_noticed(text: str) -> None:
    """The official Python sample prints a token so."""
    found = token_in(text)

    assert found
    assert (found.text, found.is_bytes) == (TOKEN, True)
    assert bool(found.url) is ("://" in text)


def test_a_long_signature_is_put_together_and_ends_where_it_ends(
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    """Wherever mail breaks it, and whatever word is on the next line."""
    for length in range(80):
        token = jwt.encode({"pad": "_" * length}, rsa_key, "RS256")

        assert token_in(f"Hello\n{wrapped(token)}\nRegards\nBob") == Found(token)


def test_a_token_that_was_cut_off_takes_nothing_from_the_next_line() -> None:
    """Its signature fails then; it must not depend on what is below it."""
    assert token_in(f"Token: {TOKEN[:-9]}\nRoom: visit-12") == Found(TOKEN[:-9])


@pytest.mark.parametrize(
    "text", ["", "a.b.c", "key.pem", "eyewear.tar.gz", "https://8x8.vc/x?jwt=", "eyJhbGciOi.x"]
)
def test_other_text_is_no_token(text: str) -> None:
    """A file's name is not taken for a token."""
    assert token_in(text) is None


@pytest.mark.parametrize("text", ["https://a" + " " * 60_000 + "b", "ey" * 32_000, "eyJ." * 16_000])
def test_a_long_text_without_a_token_is_read_at_once(text: str) -> None:
    """People who paste it wait."""
    started = time.process_time()

    assert token_in(text) is None or text.startswith("eyJ.")

    assert time.process_time() - started < 10


def test_a_token_that_is_nested_without_end_is_none() -> None:
    """Nobody reads it, and a table of it has no end."""
    for depth in (60, 2000):
        nested = b'{"a":' * depth + b"1" + b"}" * depth
        part = base64.urlsafe_b64encode(nested).rstrip(b"=").decode()

        with pytest.raises(CommandError, match="not a JWT"):
            decode(f"eyJhIjoxfQ.{part}.x")


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": NOW + 61}, "yes, for 1 min 01 s more"),
        ({"exp": NOW + 3661, "nbf": NOW}, "yes, for 1 h 01 min 01 s more"),
        ({"exp": NOW + 1.5}, "yes, for 1 s more"),
        ({}, "yes, without an end"),
        ({"exp": 10**400}, "yes"),
        ({"exp": -(10**400)}, "no: it ended"),
        ({"exp": NOW}, "no: it ended 0 s ago"),
        ({"exp": NOW + 9, "nbf": NOW + 5}, "not yet: it begins in 5 s"),
        ({"exp": str(NOW)}, "no: exp is not a number"),
        ({"exp": True}, "no: exp is not a number"),
        ({"exp": float("nan")}, "no: exp is not a number"),
        ({"exp": NOW + 9, "nbf": None}, "no: nbf is not a number"),
    ],
)
def test_validity_is_judged_as_prosody_does(claims: dict[str, Any], expected: str) -> None:
    """There is no leeway; a token without an end lives for ever."""
    assert validity(claims, NOW).startswith(expected)


def test_rows_make_times_readable() -> None:
    """Times are numbers and dates, milliseconds are recognised, nested names have dots between."""
    assert rows({"exp": NOW, "n": NOW, "nbf": "soon", "a": {"b": [1], "c": {}}}) == [
        ("exp", "1893456000 (2030-01-01T00:00:00Z)"),
        ("n", "1893456000"),
        ("nbf", "soon"),
        ("a.b", "[1]"),
        ("a.c", "{}"),
    ]
    assert time_text(NOW * 1000) == "beyond the calendar: milliseconds?"


def test_no_repr_holds_a_token() -> None:
    """A token is a credential, and a repr ends up in logs."""
    issued = IssuedToken(token=TOKEN, expires_at=2, not_before=1, meeting_url=LINK, room_name="x")

    assert repr(Token(TOKEN, {}, {"sub": "x"})) == "Token()"
    assert repr(Found(TOKEN)) == "Found()"
    assert repr(issued) == "IssuedToken()"

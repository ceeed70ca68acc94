"""Tokens, read without a key."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.output import time_text
from jitsi_tokens_cli.token.service import Issued
from jitsi_tokens_cli.token.text import Found, Token, decode, rows, token_in, validity

NOW = 1_893_456_000


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": NOW + 61}, "yes, for 1 min 01 s more"),
        ({"exp": NOW + 3661, "nbf": NOW}, "yes, for 1 h 01 min 01 s more"),
        ({"exp": NOW}, "no: it ended 0 min 00 s ago"),
        ({"exp": NOW + 9, "nbf": NOW + 5}, "not yet: it begins in 0 min 05 s"),
        ({}, "no: exp is missing"),
        ({"exp": str(NOW)}, "no: exp is not a whole number"),
        ({"exp": NOW + 1.5}, "no: exp is not a whole number"),
        ({"exp": True}, "no: exp is not a whole number"),
        ({"exp": NOW + 9, "nbf": None}, "no: nbf is not a whole number"),
    ],
)
def test_validity_is_judged_as_jitsi_does(claims: dict[str, Any], expected: str) -> None:
    """There is no leeway, and times are whole numbers."""
    assert validity(claims, NOW) == expected


def test_rows_make_times_readable() -> None:
    """Times are shown as numbers and as dates; other numbers are left alone."""
    assert rows({"exp": NOW, "n": NOW, "nbf": "soon"}) == [
        ["exp", "1893456000 (2030-01-01T00:00:00Z)"],
        ["n", "1893456000"],
        ["nbf", "soon"],
    ]


def test_a_time_in_milliseconds_is_told() -> None:
    """A year beyond the calendar is the usual mistake of milliseconds."""
    assert time_text(NOW * 1000) == "beyond the calendar: milliseconds?"


@pytest.mark.parametrize(
    "text",
    [
        "eyJh.e30.c2ln",
        "Bearer eyJh.e30.c2ln",
        '"eyJh.e30.c2ln"\n',
        "https://meet.example.org/room#jwt=%22eyJh.e30.c2ln%22",
        'https://meet.example.org/room#jwt="eyJh.e30.c2ln"',
        "https://meet.example.org/room?jwt=eyJh.e30.c2ln&lang=en#config.x=true",
        "https://meet.example.org/room#config.x=true&jwt=%22eyJh.e30.c2ln%22&y=1",
    ],
)
def test_a_token_is_found_where_people_have_it(text: str) -> None:
    """Bare, quoted, as a header, or in a meeting URL."""
    found = token_in(text)

    assert found
    assert found.text == "eyJh.e30.c2ln"
    assert found.url == (text if "://" in text else None)
    assert not found.is_bytes


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("eyJh.\n  e3\r\n0.c2ln", None),
        ("Bearer\neyJh.e30.c2ln", None),
        (
            "https://meet.example.org/My Room#jwt=\n  %22eyJh.e3\n0.c2ln%22",
            "https://meet.example.org/My Room#jwt=%22eyJh.e30.c2ln%22",
        ),
    ],
)
def test_a_token_that_mail_broke_into_lines_is_put_together(text: str, url: str | None) -> None:
    """White space inside a token means nothing; the spaces of a room's name stay."""
    found = token_in(text)

    assert found
    assert (found.text, found.url) == ("eyJh.e30.c2ln", url)


@pytest.mark.parametrize(
    "text",
    [
        "b'eyJh.e30.c2ln'",
        'b"eyJh.e30.c2ln"',
        "https://meet.example.org/room?jwt=b'eyJh.e30.c2ln'",
        "https://meet.example.org/room#jwt=b%27eyJh.e30.c2ln%27",
    ],
)
def test_pythons_notation_of_bytes_is_noticed(text: str) -> None:
    """The official Python sample prints a token so."""
    found = token_in(text)

    assert found
    assert (found.text, found.is_bytes) == ("eyJh.e30.c2ln", True)


@pytest.mark.parametrize("text", ["", "a.b.c", "key.pem", "https://8x8.vc/x?token=eyJh.e30.c"])
def test_other_text_is_no_token(text: str) -> None:
    """A file's name is not taken for a token."""
    assert token_in(text) is None


def test_a_tokens_repr_holds_nothing_of_it() -> None:
    """A token is a credential, and a repr ends up in logs."""
    assert repr(Token("eyJh.e30.c2ln", {}, {"sub": "x"})) == "Token()"
    assert repr(Found("eyJh.e30.c2ln")) == "Found()"


def test_an_issued_tokens_repr_holds_nothing_of_it() -> None:
    """The same goes for the service's answer."""
    issued = Issued(
        token="eyJh.e30.c2ln", expires_at=2, not_before=1, meeting_url="https://x", room_name="x"
    )

    assert repr(issued) == "Issued()"


@pytest.mark.parametrize("exp", [10**400, -(10**400)])
def test_a_time_that_nobody_can_reckon_with_is_told_all_the_same(exp: int) -> None:
    """Somebody wrote that into a token."""
    assert validity({"exp": exp}, 0.0).startswith("yes" if exp > 0 else "no")


def test_a_token_that_is_nested_without_end_is_none() -> None:
    """Nobody reads it, and a table of it has no end."""
    nested = b'{"a":' * 2000 + b"1" + b"}" * 2000
    part = base64.urlsafe_b64encode(nested).rstrip(b"=").decode()

    with pytest.raises(CommandError, match="no JWT"):
        decode(f"eyJhIjoxfQ.{part}.x")


def test_a_long_text_without_a_token_is_read_at_once() -> None:
    """Whoever pastes it waits."""
    started = time.monotonic()

    assert token_in("https://a" + " " * 60_000 + "b") is None

    assert time.monotonic() - started < 1

"""The room's backend-safe name, room patterns, and the meeting URL."""

import re
import string
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from jitsi_tokens.core.rooms import (
    MAX_ROOM_BYTES,
    RoomRefused,
    TokenPlacement,
    backend_safe,
    matches,
    meeting_url,
    normalised_pattern,
    scoped_room,
    web_origin,
)

LEFT_ALONE = frozenset((string.ascii_letters + string.digits + "!'()*-._~").encode())
ESCAPE = re.compile(b"%([0-9A-Fa-f]{2})")

# Text in which escapes, whole and broken, are as frequent as letters.
names = st.lists(
    st.one_of(
        st.text(max_size=4),
        st.sampled_from(
            ["%", "%2", "%2a", "%2F", "%C3%A9", "%e2%80", "ﬁ", "İ", "Straße", "+", "&"]
        ),
        st.integers(0, 255).map("%{:02X}".format),
    ),
    max_size=6,
).map("".join)


def oracle(name: str) -> str:
    """Return what jitsi-meet's getBackendSafeRoomName does, by the words of ECMA-262."""
    raw = name.encode()
    decoded = name
    if raw.count(b"%") == len(ESCAPE.findall(raw)):
        try:
            decoded = ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), raw).decode()
        except UnicodeDecodeError:
            decoded = name
    folded = unicodedata.normalize("NFKC", decoded).lower().encode()
    return "".join(chr(byte) if byte in LEFT_ALONE else f"%{byte:02x}" for byte in folded).lower()


@pytest.mark.parametrize(
    ("name", "room"),
    [
        *(("My Room", "my%20room"), ("Café", "caf%c3%a9"), ("Cafe\u0301", "caf%c3%a9")),
        *(("Caf%C3%A9", "caf%c3%a9"), ("a+b&c", "a%2bb%26c"), ("100%", "100%25")),
        *(("%c3", "%25c3"), ("%zz%20", "%25zz%2520"), ("Straße", "stra%c3%9fe"), ("ﬁn", "fin")),
        *(("İstanbul", "i%cc%87stanbul"), ("!'()*-._~", "!'()*-._~")),
        ("a/b?c#d", "a%2fb%3fc%23d"),
    ],
)
def test_backend_safe_is_what_jitsi_compares(name: str, room: str) -> None:
    """Decoded, folded, encoded, and in lower case: as the web client does."""
    assert backend_safe(name) == room


@given(names)
@example("%")
@example("%E2%80%AE")
@example("%ED%A0%80")
def test_backend_safe_agrees_with_an_independent_reading(name: str) -> None:
    """For any name the result is the one that an implementation of ECMA-262 gives."""
    assert backend_safe(name) == oracle(name)


def test_backend_safe_has_no_answer_for_a_lone_surrogate() -> None:
    """What UTF-8 cannot carry is an error, not another room."""
    with pytest.raises(UnicodeEncodeError):
        backend_safe("a\ud800")


WILDCARD = "a wildcard would open every room"
PATH = "must not be a relative path"
SLASH = "must not hold a slash: the tenant is a setting"
SERVER = "a path that Jitsi's web server answers itself"


@pytest.mark.parametrize(
    ("reason", "refused"),
    [
        (WILDCARD, ["*", "%2A", "%2a", "\uff0a", "\ufe61", "%EF%BC%8A", "%EF%B9%A1"]),
        (PATH, [".", "..", "%2e", "%2E.", "\u2024\u2024", "\u2025"]),
        (SLASH, ["tenant/room", "a%2Fb", "a%2fb", "/room", "a\uff0fb", "a\u2100"]),
        ("control characters", ["a%00b", "a%0Ab", "a%C2%85b"]),
        (r"U\+202E, right-to-left override$", ["a%E2%80%AEb"]),
        (r"U\+2066, left-to-right isolate$", ["a%E2%81%A6b"]),
        ("valid UTF-8", ["a%EF%BF%BDb"]),
        ("visible character", ["%20%20", "\u3164", "\u2800\u115f"]),
        ("lone surrogates", ["a\udfffb"]),
        ("no stable form", ["J\u030c"]),  # it folds to another name on each pass
        ("must fit 960 bytes", ["é" * 160 + "a", "a" * (MAX_ROOM_BYTES + 1)]),
        ("an apostrophe: Jitsi's web server opens no such room", ["o'brien", "o%27brien"]),
        ("an ampersand", ["me & you", "me%20%26%20you", "a\uff06b"]),
        ("a colon", ["Visit 16:23", "a%3ab", "a\ufe55b"]),
        ("a question mark", ["why?", "why\u2047"]),
        ("a quotation mark", ['a"b', "a\uff02b"]),
        (r"must not end in \.js:", ["config.js", "app.min.js"]),
        (r"must not end in \.html:", ["Visit.HTML"]),
        (r"must not end in \.txt:", ["robots%2Etxt"]),
        (r"must not end in \.json:", ["manifest\uff0ejson"]),
        (r"must not end in \.map:", [".map"]),
        (r"must not end in \.ico:", ["favicon.ico"]),
        (r"must not end in \.css:", ["all.css"]),
        (SERVER, ["HTTP-Bind", "http-bind-7", "Static", ".well-known", "config-js", "config%20js"]),
        ("Unicode 15", ["visit-\U0010fffe", "visit-\u0378", "\U0001fae9"]),
    ],
)
def test_a_room_that_nobody_could_join_is_refused(reason: str, refused: list[str]) -> None:
    """However it is spelt: it opens every room or another one, or no server leads into it."""
    for name in refused:
        with pytest.raises(RoomRefused, match=reason):
            scoped_room(name)


@pytest.mark.parametrize(
    "name",
    [
        *("**", "a*", "...", "%252A", "%2525", "\u2217", "a%2526b", "dr.smith", "visit.js.1"),
        *("statics", "my-http-bind", "config", "js", "#1"),
    ],
)
def test_what_only_resembles_a_refused_name_is_a_room(name: str) -> None:
    """Names that Jitsi compares as they are, are accepted as its own form of them."""
    assert scoped_room(name) == oracle(name)


def test_the_longest_room_is_accepted() -> None:
    """As many bytes as an XMPP address leaves for it, six of them a letter or one."""
    assert len(scoped_room("é" * 160)) == len(scoped_room("a" * 960)) == MAX_ROOM_BYTES


@given(st.one_of(names, st.text(st.characters())))
@example("Session 12")
def test_an_accepted_room_is_in_jitsis_form(name: str) -> None:
    """Whatever is accepted is ASCII in lower case, no wildcard, no path, and folds to itself."""
    try:
        room = scoped_room(name)
    except RoomRefused:
        assume(False)  # noqa: FBT003

    assert room.isascii()
    assert room == room.lower() == oracle(room)
    assert room not in ("", "*", ".", "..")
    assert "/" not in unquote(room)


@given(st.text(st.characters(), min_size=8))
def test_a_refusal_never_repeats_the_name(name: str) -> None:
    """Its text may be logged."""
    with pytest.raises(RoomRefused) as refused:
        scoped_room(f"{name}/*")

    assert name not in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "normal"),
    [
        *(("Clinic A-*", "clinic%20a-*"), ("*-Café", "*-caf%c3%a9"), ("caf?", "caf%3f")),
        *(("a*b*C", "a*b*c"), ("*", "*"), ("Room", "room"), ("100%*A%20", "100%25*a%20")),
    ],
)
def test_a_pattern_is_normalised_between_its_stars(pattern: str, normal: str) -> None:
    """The part between the stars is folded as rooms are, and the stars stay."""
    assert normalised_pattern(pattern) == normal


@pytest.mark.parametrize(
    ("pattern", "covered", "others"),
    [
        ("*", "anything", ""),
        ("**", "x", ""),
        ("room", "room", "rooms roo"),
        ("visit-*", "visit-1 visit-", "other-visit-1"),
        ("*-visit", "a-visit", "a-visit-1"),
        ("a*b*c", "a-b-c abc", "acb"),
        ("a*b*b*c", "a-b-b-c", "a-b-c"),
        ("ab*ba", "abba", "aba"),
        ("*ab*b", "ab-b abb", "ab"),
        ("a.c", "a.c", "abc"),
        ("a?c", "a?c", "abc"),
        ("[ab]", "[ab]", "a"),
        # The hex digits of an escape are no characters of the room.
        ("*7-open", "7-open", "%c3%a7-open"),
        ("*9", "9", "%c3%a9"),
        ("*c3*", "ac3", "%c3%a9"),
        ("visit-*a9*", "visit-a9 visit-%c3%a9a9", "visit-%c3%a9"),
        ("*a9*9", "%c3%a9a99", "%c3%a9a9"),
    ],
)
def test_a_pattern_covers(pattern: str, covered: str, others: str) -> None:
    """A star is any text, or none; both ends are anchored, and no other character is special."""
    for room in covered.split():
        assert matches(pattern, room), room
    for room in others.split():
        assert not matches(pattern, room), room


@given(st.text("ab9*.\u00e9\u00c9 ", max_size=9), st.text("ab9.\u00e9\u00c9 \n*", max_size=9))
@example("*a*", "\na\n")
@example("*9", "\u00e9")
@example("a*9*b", "a\u00e9b")
@example("*20", "x ")
def test_matches_agrees_with_a_regular_expression(pattern: str, name: str) -> None:
    """The parts in their order, whole characters between them, and nothing else."""
    parts = (re.escape(unquote(backend_safe(part))) for part in pattern.split("*"))
    expected = re.compile(".*".join(parts), re.DOTALL)
    room = backend_safe(name)

    assert matches(normalised_pattern(pattern), room) == bool(expected.fullmatch(unquote(room)))


@given(names, names)
def test_a_pattern_covers_what_it_was_written_for(prefix: str, rest: str) -> None:
    """A pattern and a room fold alike, so that a star after a name covers the name."""
    assume("*" not in unicodedata.normalize("NFKC", backend_safe(prefix)))
    room = backend_safe(prefix) + backend_safe(rest)

    assert matches(normalised_pattern(f"{prefix}*"), room)


@pytest.mark.parametrize(
    ("tenant", "placement", "url"),
    [
        (None, "fragment", "https://meet.example.org/a%20b%21%28%29%2A#jwt=%22h.p.s%22"),
        (None, "query", "https://meet.example.org/a%20b%21%28%29%2A?jwt=h.p.s"),
        ("clinic", "fragment", "https://meet.example.org/clinic/a%20b%21%28%29%2A#jwt=%22h.p.s%22"),
        ("clinic", "query", "https://meet.example.org/clinic/a%20b%21%28%29%2A?jwt=h.p.s"),
    ],
)
def test_the_meeting_url(tenant: str | None, placement: TokenPlacement, url: str) -> None:
    """The token in double quotes in the fragment, bare in the query.

    The claim keeps what encodeURIComponent leaves alone; in a path the web client removes it.
    """
    assert meeting_url("meet.example.org", tenant, "a%20b!()*", "h.p.s", placement) == url


@pytest.mark.parametrize(
    ("domain", "origin"),
    [
        ("localhost", "http://localhost"),
        ("127.0.0.1:8443", "http://127.0.0.1:8443"),
        ("localhost.example.org:8443", "https://localhost.example.org:8443"),
    ],
)
def test_only_this_machine_is_spoken_to_by_http(domain: str, origin: str) -> None:
    """Of the meeting URL too."""
    assert web_origin(domain) == origin
    assert meeting_url(domain, None, "r", "h.p.s", "query") == f"{origin}/r?jwt=h.p.s"

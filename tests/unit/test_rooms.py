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


def encode_uri_component(text: str) -> str:
    """Encode as ECMA-262 says: each byte of the UTF-8 but for the unreserved ones."""
    return "".join(
        chr(byte) if byte in LEFT_ALONE else f"%{byte:02X}" for byte in text.encode("utf-8")
    )


def decode_uri_component(text: str) -> str:
    """Decode as ECMA-262 says.

    Raises:
        ValueError: where ECMAScript throws a URIError.
    """
    raw = text.encode("utf-8")
    if raw.count(b"%") != len(ESCAPE.findall(raw)):
        raise ValueError("a percent sign without two hex digits")
    return ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), raw).decode("utf-8")


def backend_safe_oracle(name: str) -> str:
    """Return what jitsi-meet's getBackendSafeRoomName does."""
    try:
        decoded = decode_uri_component(name)
    except ValueError:
        decoded = name
    return encode_uri_component(unicodedata.normalize("NFKC", decoded).lower()).lower()


@pytest.mark.parametrize(
    ("name", "room"),
    [
        ("My Room", "my%20room"),
        ("Café", "caf%c3%a9"),
        ("Cafe\u0301", "caf%c3%a9"),
        ("Caf%C3%A9", "caf%c3%a9"),
        ("a+b&c", "a%2bb%26c"),
        ("100%", "100%25"),
        ("%c3", "%25c3"),
        ("%zz%20", "%25zz%2520"),
        ("Straße", "stra%c3%9fe"),
        ("ﬁn", "fin"),
        ("İstanbul", "i%cc%87stanbul"),
        ("!'()*-._~", "!'()*-._~"),
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
    assert backend_safe(name) == backend_safe_oracle(name)


@given(st.text())
def test_only_the_characters_of_encode_uri_component_stay(name: str) -> None:
    """Without percent signs nothing is decoded, and encoding alone is compared."""
    assume("%" not in name)
    folded = unicodedata.normalize("NFKC", name).lower()

    room = backend_safe(name)

    assert room == encode_uri_component(folded).lower()


def test_backend_safe_has_no_answer_for_a_lone_surrogate() -> None:
    """What UTF-8 cannot carry is an error, not another room."""
    with pytest.raises(UnicodeEncodeError):
        backend_safe("a\ud800")


@pytest.mark.parametrize(
    "name",
    ["*", "%2A", "%2a", "＊", "﹡", "%EF%BC%8A", "%EF%B9%A1"],  # noqa: RUF001
    ids=[
        "star",
        "escaped",
        "escaped-lower",
        "full-width",
        "small",
        "wide-escaped",
        "small-escaped",
    ],
)
def test_a_wildcard_is_refused_in_every_disguise(name: str) -> None:
    """No spelling of a star becomes the claim that opens every room."""
    with pytest.raises(RoomRefused, match="a wildcard would open every room"):
        scoped_room(name)


@pytest.mark.parametrize("name", [".", "..", "%2e", "%2E.", "․․", "‥"])  # noqa: RUF001
def test_relative_paths_are_refused(name: str) -> None:
    """A browser would resolve them to another address."""
    with pytest.raises(RoomRefused, match="must not be a relative path"):
        scoped_room(name)


@pytest.mark.parametrize(
    "name",
    ["tenant/room", "vpaas-magic-cookie-0/room", "a%2Fb", "a%2fb", "/room", "a／b", "a℀"],  # noqa: RUF001
    ids=["tenant", "jaas", "escaped", "escaped-lower", "leading", "full-width", "account-of"],
)
def test_a_room_with_its_tenant_is_refused(name: str) -> None:
    """A slash in any disguise would make the claim another room than the URL's."""
    with pytest.raises(RoomRefused, match="must not hold a slash: the tenant is a setting"):
        scoped_room(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a%00b", "control characters"),
        ("a%0Ab", "control characters"),
        ("a%C2%85b", "control characters"),
        ("a%E2%80%AEb", r"U\+202E, right-to-left override$"),
        ("a%E2%81%A6b", r"U\+2066, left-to-right isolate$"),
        ("a%EF%BF%BDb", "valid UTF-8"),
        ("%20%20", "visible character"),
        ("a\udfffb", "lone surrogates"),
    ],
)
def test_escapes_hide_no_flaw(name: str, reason: str) -> None:
    """What is refused as itself is refused percent-encoded too."""
    with pytest.raises(RoomRefused, match=reason):
        scoped_room(name)


def test_a_room_without_a_stable_form_is_refused() -> None:
    """J and a combining caron fold to another name on each pass."""
    with pytest.raises(RoomRefused, match="no stable form"):
        scoped_room("J\u030c")


@pytest.mark.parametrize(
    "name", ["é" * 160, "a" * MAX_ROOM_BYTES], ids=["six-bytes-a-letter", "one-byte-a-letter"]
)
def test_the_longest_room_is_accepted(name: str) -> None:
    """As many bytes as an XMPP address leaves for it."""
    assert len(scoped_room(name)) == MAX_ROOM_BYTES


@pytest.mark.parametrize("name", ["é" * 160 + "a", "a" * (MAX_ROOM_BYTES + 1)], ids=["é", "a"])
def test_a_room_over_the_limit_is_refused(name: str) -> None:
    """One byte more is one too many."""
    with pytest.raises(RoomRefused, match="must fit 960 bytes"):
        scoped_room(name)


@pytest.mark.parametrize("name", ["**", "a*", "...", "%252A", "%2525", "∗"])  # noqa: RUF001
def test_what_only_looks_like_a_wildcard_is_a_room(name: str) -> None:
    """Names that Jitsi compares as they stand are accepted as its own form of them."""
    assert scoped_room(name) == backend_safe_oracle(name)


@given(st.one_of(names, st.text(st.characters())))
@example("Session 12")
def test_an_accepted_room_is_in_jitsis_form(name: str) -> None:
    """Whatever is accepted is ASCII in lower case, no wildcard, no path, and folds to itself."""
    try:
        room = scoped_room(name)
    except RoomRefused:
        assume(False)  # noqa: FBT003

    assert room.isascii()
    assert room == room.lower()
    assert room not in ("", "*", ".", "..")
    assert "/" not in decode_uri_component(room)
    assert backend_safe_oracle(room) == room


@given(st.text(st.characters(), min_size=8))
def test_a_refusal_never_repeats_the_name(name: str) -> None:
    """Its text may be logged."""
    wildcard_of_the_tenant = f"{name}/*"

    with pytest.raises(RoomRefused) as refused:
        scoped_room(wildcard_of_the_tenant)

    assert name not in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "normal"),
    [
        ("Clinic A-*", "clinic%20a-*"),
        ("*-Café", "*-caf%c3%a9"),
        ("caf?", "caf%3f"),
        ("a*b*C", "a*b*c"),
        ("*", "*"),
        ("Room", "room"),
    ],
)
def test_a_pattern_is_normalised_between_its_stars(pattern: str, normal: str) -> None:
    """What stands between the stars is folded as rooms are, and the stars stay."""
    assert normalised_pattern(pattern) == normal


@pytest.mark.parametrize(
    ("pattern", "room"),
    [
        ("*", "anything"),
        ("visit-*", "visit-1"),
        ("visit-*", "visit-"),
        ("*-visit", "a-visit"),
        ("a*b*c", "a-b-c"),
        ("a*b*c", "abc"),
        ("a*b*b*c", "a-b-b-c"),
        ("room", "room"),
        ("**", "x"),
    ],
)
def test_a_pattern_covers(pattern: str, room: str) -> None:
    """A star stands for any text, the empty one too."""
    assert matches(pattern, room)


@pytest.mark.parametrize(
    ("pattern", "room"),
    [
        ("visit-*", "other-visit-1"),
        ("*-visit", "a-visit-1"),
        ("room", "rooms"),
        ("room", "roo"),
        ("ab*ba", "aba"),
        ("a*b*b*c", "a-b-c"),
        ("a*b*c", "acb"),
        ("a.c", "abc"),
        ("a?c", "abc"),
        ("[ab]", "a"),
    ],
)
def test_a_pattern_does_not_cover(pattern: str, room: str) -> None:
    """Both ends are anchored, nothing is used twice, and no other character is special."""
    assert not matches(pattern, room)


@given(st.text("ab9*.\u00e9\u00c9 ", max_size=9), st.text("ab9.\u00e9\u00c9 \n*", max_size=9))
@example("*a*", "\na\n")
@example("*9", "\u00e9")
@example("a*9*b", "a\u00e9b")
@example("*20", "x ")
def test_matches_agrees_with_a_regular_expression(pattern: str, name: str) -> None:
    """The parts in their order, whole characters between them, and nothing else."""
    parts = (re.escape(unquote(backend_safe(part))) for part in pattern.split("*"))
    oracle = re.compile(".*".join(parts), re.DOTALL)
    room = backend_safe(name)

    assert matches(normalised_pattern(pattern), room) == bool(oracle.fullmatch(unquote(room)))


@given(names, names)
def test_a_pattern_covers_what_it_was_written_for(prefix: str, rest: str) -> None:
    """A pattern and a room fold alike, so that a star after a name covers the name."""
    assume("*" not in unicodedata.normalize("NFKC", backend_safe(prefix)))
    room = backend_safe(prefix) + backend_safe(rest)

    assert matches(normalised_pattern(f"{prefix}*"), room)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [("*7-open", "ç-open"), ("*9", "é"), ("visit-*a9*", "visit-é"), ("*20", "visit ")],
)
def test_a_pattern_does_not_match_inside_an_escape(pattern: str, name: str) -> None:
    """The hex digits of an escape are no characters of the room."""
    assert not matches(pattern, backend_safe(name))


def test_a_pattern_matches_behind_a_look_alike_in_an_escape() -> None:
    """What stands in an escape is passed over, not the end of the search."""
    assert matches("*a9*", backend_safe("éa9"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("o'brien", "an apostrophe: Jitsi's web server opens no such room"),
        ("o%27brien", "an apostrophe"),
        ("me & you", "an ampersand"),
        ("me%20%26%20you", "an ampersand"),
        ("a\uff06b", "an ampersand"),
        ("Visit 16:23", "a colon"),
        ("a%3ab", "a colon"),
        ("a\ufe55b", "a colon"),
        ("why?", "a question mark"),
        ("why\u2047", "a question mark"),
        ('a"b', "a quotation mark"),
        ("a\uff02b", "a quotation mark"),
        ("config.js", "must not end in .js"),
        ("Visit.HTML", "must not end in .html"),
        ("robots%2Etxt", "must not end in .txt"),
        ("manifest\uff0ejson", "must not end in .json"),
        (".map", "must not end in .map"),
        ("HTTP-Bind", "a path that Jitsi's web server answers itself"),
        ("http-bind-7", "a path that Jitsi's web server answers itself"),
        ("Static", "a path that Jitsi's web server answers itself"),
        (".well-known", "a path that Jitsi's web server answers itself"),
        ("config-js", "a path that Jitsi's web server answers itself"),
        ("config%20js", "a path that Jitsi's web server answers itself"),
        ("visit-\U0010fffe", "Unicode 15"),
        ("visit-\u0378", "Unicode 15"),
        ("\U0001fae9", "Unicode 15"),
        ("\u3164", "visible"),
        ("\u2800\u115f", "visible"),
    ],
)
def test_a_room_that_nobody_could_join_is_refused(name: str, reason: str) -> None:
    """Web servers, XMPP, and browsers that are older or newer would not lead into it."""
    with pytest.raises(RoomRefused, match=reason):
        scoped_room(name)


@pytest.mark.parametrize(
    "name", ["a%2526b", "dr.smith", "visit.js.1", "statics", "my-http-bind", "config", "js", "#1"]
)
def test_a_room_that_web_servers_open_is_accepted(name: str) -> None:
    """A name that only resembles one of theirs."""
    assert scoped_room(name) == backend_safe_oracle(name)


def test_the_meeting_url_escapes_what_the_web_client_drops() -> None:
    """The claim keeps what encodeURIComponent leaves alone; in a path the client removes it."""
    url = meeting_url("meet.example.org", None, "a!(b)*%20c", "h.p.s", "fragment")

    assert url == "https://meet.example.org/a%21%28b%29%2A%20c#jwt=%22h.p.s%22"
    assert backend_safe("a%21%28b%29%2A%20c") == "a!(b)*%20c"


@pytest.mark.parametrize(
    ("tenant", "placement", "url"),
    [
        (None, "fragment", "https://meet.example.org/a%20b#jwt=%22h.p.s%22"),
        (None, "query", "https://meet.example.org/a%20b?jwt=h.p.s"),
        ("clinic", "fragment", "https://meet.example.org/clinic/a%20b#jwt=%22h.p.s%22"),
        ("clinic", "query", "https://meet.example.org/clinic/a%20b?jwt=h.p.s"),
    ],
    ids=["fragment", "query", "tenant-fragment", "tenant-query"],
)
def test_the_meeting_url(tenant: str | None, placement: TokenPlacement, url: str) -> None:
    """Tenant in the path; the token in double quotes in the fragment, bare in the query."""
    assert meeting_url("meet.example.org", tenant, "a%20b", "h.p.s", placement) == url

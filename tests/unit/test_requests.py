"""What a caller may send, and for which time it asks."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from jitsi_tokens.core import requests
from jitsi_tokens.core.faults import every_fault, known_field
from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.problems import INVALID_REQUEST, MALFORMED_REQUEST, Kind, Problem
from jitsi_tokens.core.requests import Limits, TokenRequest, Validity, parse
from jitsi_tokens.core.validation import problem_from

NOW = 1_800_000_000  # 2027-01-15T08:00:00Z
LIMITS = Limits(max_lifetime_seconds=14_400, max_advance_seconds=604_800)
REQUIRED = {"userId": "u-1", "userName": "Anna", "roomName": "Room 1"}
TEXTS = ["userId", "userName", "roomName", "userEmail", "userAvatar"]
KNOWN = {*TEXTS, "isModerator", "expirationSeconds", "notBefore", "features"}


def body(**fields: Any) -> bytes:
    """Return a request's body with these fields beside the required ones."""
    return json.dumps({**REQUIRED, **fields}).encode()


def body_with(raw: str) -> bytes:
    """Return a request's body with raw JSON after the required fields."""
    return f"{json.dumps(REQUIRED)[:-1]}, {raw}}}".encode()


def accept(raw: bytes) -> tuple[TokenRequest, str, Validity]:
    """Do all that is asked of a request alone."""
    request = parse(raw)
    return request, request.room(), request.validity(LIMITS, NOW)


def refusal(raw: bytes) -> Problem:
    """Return the problem that a body meets, with all of its faults."""
    with pytest.raises(Problem) as refused:
        accept(raw)
    return every_fault(refused.value, raw, LIMITS, NOW)


def assert_field(problem: Problem, pointer: str, kind: Kind = INVALID_REQUEST) -> None:
    """Check that one field is named as the one at fault."""
    assert problem.kind is kind
    assert [error.pointer for error in problem.errors] == [pointer]
    assert problem.errors[0].detail


def test_the_required_fields_are_enough() -> None:
    """All else has a default or stays out: a guest, for an hour, from now."""
    request, room, validity = accept(body())

    assert request == TokenRequest(user_id="u-1", user_name="Anna", room_name="Room 1")
    assert not request.is_moderator
    assert room == "room%201"
    assert validity == Validity(NOW, NOW + 3600)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_field_is_missed(name: str) -> None:
    """Each required field is asked for by its name."""
    sent = {other: value for other, value in REQUIRED.items() if other != name}

    problem = refusal(json.dumps(sent).encode())

    assert_field(problem, f"/{name}")
    assert problem.detail == f"{name} is required."


@pytest.mark.parametrize("name", ["userEmail", "userAvatar"])
def test_an_empty_text_is_left_out_instead(name: str) -> None:
    """A form that sends what was not filled in reads what to do."""
    assert refusal(body(**{name: ""})).detail == f"{name} must not be empty: leave it out."


FLAGS = ["1", "0", '"true"', '"false"', '""', "null", "[]", "{}"]
WRONG_TYPES = {
    **{f"/{name}": ["1", "1.5", "true", "null", "[]", "{}", '["a"]'] for name in TEXTS},
    "/isModerator": FLAGS,
    "/expirationSeconds": ["3600.0", "1e3", '"3600"', "true", "null", "[]", "{}", "60.5"],
    "/notBefore": ["1800000000.0", '"1800000000"', "true", "null", "[]", "{}", '""', '"tomorrow"'],
    "/features": ["null", "true", "1", '"recording"', "[]", '["recording"]'],
    "/features/recording": FLAGS,
}


@pytest.mark.parametrize("pointer", WRONG_TYPES)
def test_a_value_of_the_wrong_type_is_refused(pointer: str) -> None:
    """Nothing is converted in silence, and null is no way to leave a field out."""
    _, name, *inner = pointer.split("/")
    for value in WRONG_TYPES[pointer]:
        raw = f'{{"lobby": true, "{inner[0]}": {value}}}' if inner else value
        sent = {other: json.dumps(text) for other, text in REQUIRED.items()} | {name: raw}
        members = ", ".join(f'"{other}": {given}' for other, given in sent.items())

        assert_field(refusal(f"{{{members}}}".encode()), pointer)


def test_a_type_is_named_as_json_names_it() -> None:
    """Whatever Python calls it."""
    assert refusal(body(notBefore=[])).detail == (
        "notBefore is not valid: expected whole number or RFC 3339 time, got array."
    )
    assert refusal(body(userEmail=None)).detail == (
        "userEmail is not valid: expected string, got null: leave the field out to give no value."
    )


@pytest.mark.parametrize("name", ["", "admin", "Recording", "screen_sharing", "recording "])
def test_an_unknown_feature_is_refused(name: str) -> None:
    """The web client would report it as an error: the typo is named instead."""
    problem = refusal(body(features={"lobby": True, name: False}))

    assert_field(problem, f"/features/{name}")


BELOW_ALL = body_with('"features": {"zz": true, "lobby": 1, "recording": false, "aa": null}')


@pytest.mark.parametrize(
    ("sent", "pointers"),
    [
        (
            rb"""{"isModerator": "yes", "userEmail": "", "roomName": "*", "admin": true,
                "expirationSeconds": 14401, "userId": "a\u202eb"}""",
            "/isModerator /userEmail /roomName /admin /expirationSeconds /userId /userName",
        ),
        (BELOW_ALL, "/features/zz /features/lobby /features/aa"),
        (body(notBefore=NOW * 1000, expirationSeconds=59), "/notBefore /expirationSeconds"),
        (body(notBefore=NOW - 7200, expirationSeconds=600), "/notBefore"),
        (body(userId="", notBefore=NOW - 600, expirationSeconds=60), "/userId /notBefore"),
        (
            body(**{f"unknown{number:02}": 1 for number in range(30)}),
            " ".join(f"/unknown{number:02}" for number in range(10)),
        ),
        (b"{}", "/userId /userName /roomName"),
        (body(userName={"first": "John", "last": "Doe"}), "/userName"),
        (
            body(features={f"unknown{number:04}": 1 for number in range(500)}),
            " ".join(f"/features/unknown{number:04}" for number in range(10)),
        ),
        (body(expirationSeconds=99_999, notBefore=NOW - 5000), "/expirationSeconds"),
    ],
    ids=lambda _: "fault",  # some bodies are long
)
def test_every_fault_is_named(sent: bytes, pointers: str) -> None:
    """In the order of the body, what is missing last, and ten at most."""
    assert [error.pointer for error in refusal(sent).errors] == pointers.split()


@pytest.mark.parametrize(
    ("sent", "known"),
    [
        (body(features={"lobby": 1}), "/features/lobby"),
        (body(userEmail=""), "/userEmail"),
        *((body(secret=1), None), (body(features={"secret": True}), None), (b"[]", None)),
    ],
)
def test_a_made_up_field_is_not_known(sent: bytes, known: str | None) -> None:
    """Its name is the caller's text, and the audit record holds none."""
    assert known_field(refusal(sent)) == known


def test_a_window_is_judged_with_its_own_lifetime() -> None:
    """Only what is wrong is named: the window would be over after the default lifetime."""
    sent = body(userEmail="", notBefore=NOW - 7200, expirationSeconds=7201)

    assert_field(refusal(sent), "/userEmail")


def test_a_fault_in_a_malformed_body_does_not_hide_it() -> None:
    """The body is read to its end before a field is called wrong."""
    fault = body_with('"isModerator": 5, "userEmail": "X"')

    for sent in (fault[:-1], fault + b" x", fault.replace(b"X", b"\xff")):
        assert refusal(sent).kind is MALFORMED_REQUEST


class Extended(TokenRequest, forbid_unknown_fields=True, rename="camel", frozen=True, kw_only=True):
    """A request with fields that nobody wrote a rule for."""

    nickname: str | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET
    labels: dict[str, str] | UnsetType = UNSET


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nickname", "a\u202eb"),
        ("nickname", ""),
        ("tags", ["fine", "a\x00b"]),
        ("labels", {"fine": "a\u2066b"}),
        ("labels", {"a\ufffdb": "fine"}),
    ],
)
def test_a_new_field_has_the_rules_of_texts(name: str, value: Any) -> None:
    """Text is checked by its type: no list has to name the field."""
    fine = Extended(user_id="u", user_name="n", room_name="r", **{name: "fine"})  # type: ignore[arg-type]
    requests.check_values(fine)

    with pytest.raises(Problem) as refused:
        requests.check_values(msgspec.structs.replace(fine, **{name: value}))

    assert_field(refused.value, f"/{name}")


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("admin", "/admin"),
        ("ismoderator", "/ismoderator"),
        ("is_moderator", "/is_moderator"),
        ("a/b", "/a~1b"),
        ("a~b", "/a~0b"),
        ("~1", "/~01"),
        ("a`b", "/a`b"),
        ("a` - at `$.userId", "/a` - at `$.userId"),
        ("two\nlines", "/two\nlines"),
        ("", "/"),
    ],
)
def test_an_unknown_field_is_named_by_its_json_pointer(name: str, pointer: str) -> None:
    """A typo is refused, and the pointer escapes what RFC 6901 says."""
    problem = refusal(body(**{name: True}))

    assert_field(problem, pointer)
    assert problem.detail.endswith("is not a field of this request.")


def test_a_feature_is_pointed_at_with_escapes() -> None:
    """In the second part of a pointer too."""
    assert_field(refusal(body(features={"a/b~c": True})), "/features/a~1b~0c")


LONG = f"{'e' * 64}@{'d' * 63}.{'d' * 63}."


@pytest.mark.parametrize(
    ("name", "accepted", "refused"),
    [
        ("userId", ["i" * 128, "é" * 128], ["", "i" * 129]),
        ("userName", ["n" * 255], ["", "n" * 256]),
        ("roomName", ["r" * 255, "é" * 160], ["", "r" * 256, "é" * 161]),
        ("userEmail", [LONG + "d" * 61], [LONG + "d" * 62, f"{'e' * 65}@a.org", f"e@{'d' * 64}.a"]),
        ("userAvatar", ["https://a.org/".ljust(2048, "a")], ["https://a.org/".ljust(2049, "a")]),
        ("expirationSeconds", [60, 14_400], [59, 0, -3600, 14_401]),
        ("notBefore", [NOW + 604_800, NOW - 3599], [NOW + 604_801, NOW - 3600]),
    ],
)
def test_a_limit_is_the_last_value_that_passes(
    name: str, accepted: list[Any], refused: list[Any]
) -> None:
    """One past the limit is refused, never trimmed to fit."""
    for value in accepted:
        request, _, _ = accept(body(**{name: value}))
        assert json.loads(msgspec.json.encode(request))[name] == value
    for value in refused:
        assert_field(refusal(body(**{name: value})), f"/{name}")


@pytest.mark.parametrize("name", TEXTS)
def test_a_character_that_deceives_is_refused(name: str) -> None:
    """In every string, named, and without the text that held it."""
    problem = refusal(body(**{name: "secret\u202etext"}))

    assert_field(problem, f"/{name}")
    assert problem.detail == f"{name} must not hold U+202E, right-to-left override."


def test_a_room_that_cannot_be_scoped_is_refused() -> None:
    """With the reason that rooms give."""
    problem = refusal(body(roomName="tenant%2Froom"))

    assert_field(problem, "/roomName")
    assert problem.detail == (
        "roomName must not hold a slash: the tenant is a setting of the stack."
    )


NO_JSON_OBJECTS = [
    *(b"", b" \n", b"[]", b"[%s]" % body(), b'"roomName"', b"1", b"null", b"true"),
    *(body()[:-1], body()[:-1] + b",}", body() + b"{}", body() + b"x", body() + b"// comment"),
    *(body().replace(b'"', b"'"), b"[" * 5000, b"[" * 5000 + b"]" * 5000),
]
NO_UTF_8 = [
    *(
        b"\xef\xbb\xbf" + body(),
        body().decode().encode("utf-16"),
        body().decode().encode("utf-16-le"),
    ),
    # Broken, overlong, a surrogate, cut; then a raw newline, and escapes that make no character.
    *(
        body().replace(b"Anna", b"A" + end)
        for end in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xc3")
    ),
    body().replace(b"Anna", b"An\nna"),
    *(
        body().replace(b"Anna", b"A" + escape)
        for escape in (rb"\ud800", rb"\udfff", rb"\udc00\ud800", rb"\ud800x")
    ),
]
NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "0x60", "0600", "+600"]
TWICE = [
    *('"userId": "u-2"', '"userId": "u-1"', r'"user\u0049d": "u-1"'),
    *('"isModerator": false, "isModerator": true', '"features": {"lobby": false, "lobby": true}'),
]


def test_a_body_that_is_no_request_is_refused() -> None:
    """What parsers could read in two ways, or not at all, is refused as a whole."""
    numbers = [body_with(f'"notBefore": {number}') for number in NO_NUMBERS]
    for sent in NO_JSON_OBJECTS + NO_UTF_8 + numbers + [body_with(raw) for raw in TWICE]:
        problem = refusal(sent)

        assert problem.kind is MALFORMED_REQUEST, sent[:99]
        assert not problem.errors


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("expirationSeconds", ["1e999", "9" * 10_000]),
        ("notBefore", ["-1e999", "9" * 10_000, "-" + "9" * 10_000, str(2**64 - 1), str(-(2**63))]),
        ("features", ["[" * 5000 + "]" * 5000]),
        ("deep", ["[" * 5000 + "]" * 5000, '[{"a":' * 2500 + "1" + "}]" * 2500]),
        ("deeper", ['{"a":' * 5000 + "1" + "}" * 5000]),
    ],
    ids=["lifetime", "start", "features", "unknown", "unknown-objects"],
)
def test_a_number_or_a_depth_beyond_reason_is_refused(name: str, values: list[str]) -> None:
    """Ten thousand digits or five thousand levels are a 400 like any other."""
    for value in values:
        assert_field(refusal(body_with(f'"{name}": {value}')), f"/{name}")


def test_a_depth_beyond_reason_in_a_feature_is_refused() -> None:
    """And the feature is named."""
    nested = f'"features": {{"lobby": {"[" * 5000}{"]" * 5000}}}'

    assert_field(refusal(body_with(nested)), "/features/lobby")


@pytest.mark.parametrize(
    "address",
    [
        *("anna", "anna@", "@example.org", "a@@example.org", "a@b@example.org", "a b@example.org"),
        *("anna@exa mple.org", "anna@-example.org", "anna@example-.org", "anna@.example.org"),
        *("anna@example..org", "anna@example.org.", "Anna <anna@example.org>", '"a"@example.org'),
        *("a,b@example.org", "anna@example_.org", "anna@[127.0.0.1]", "anna\u00a0@example.org"),
        *("anna@example.org\u3000", "mailto:anna@example.org", "anna@example.org/x", r"a\@b.org"),
    ],
)
def test_what_is_no_email_address_is_refused(address: str) -> None:
    """One bare address, with nothing around it."""
    assert_field(refusal(body(userEmail=address)), "/userEmail")


@pytest.mark.parametrize(
    "address",
    [
        *("anna@example.org", "a@localhost", "Anna.O'Neil+visit@sub.example.co.uk", "a_b@e-x.org"),
        *("jörg@bücher.example", "用户@例子.公司", "علی@مثال.ایران", "प्रयोग@उदाहरण.भारत"),
    ],
)
def test_an_email_address_of_any_script_is_accepted(address: str) -> None:
    """International addresses (RFC 6531), combining vowel signs and all."""
    assert parse(body(userEmail=address)).user_email == address


@pytest.mark.parametrize(
    "url",
    [
        *("http://example.org/a.png", "javascript:alert(1)", "data:image/png;base64,AAAA"),
        *("//example.org/a.png", "/a.png", "a.png", "https:", "https://", "https:///a.png"),
        *("https:example.org", "https://:443/a.png", "https://user@example.org/", "ftp://a.org/"),
        *("https://user:pass@example.org/", "https://@example.org/", "https://a:b:c/"),
        *("https://example.org:99999/", "https://example.org:-1/", "https://example.org:port/"),
        *("https://[::1/", "https://exa mple.org/", "https://example.org/a b", " https://a.org/"),
        *("https://a.org/\u00a0", "https://good.org\\@evil.org/"),
    ],
)
def test_what_is_no_https_url_is_refused(url: str) -> None:
    """An avatar comes over https from a host, without credentials in its address."""
    assert_field(refusal(body(userAvatar=url)), "/userAvatar")


@pytest.mark.parametrize(
    "url",
    ["https://a.org", "HTTPS://a.org:8443/a?b#c", "https://[::1]/a", "https://bücher.de"],
)
def test_an_https_url_is_accepted(url: str) -> None:
    """With a port, a query, an address in brackets, or letters of another script."""
    assert parse(body(userAvatar=url)).user_avatar == url


@pytest.mark.parametrize(
    "moment",
    [
        *("2027-01-15T08:00:00", "2027-01-15", "08:00:00Z", "2027-01-15T25:00:00Z"),
        *("2027-1-15T8:0Z", "2027-02-30T08:00:00Z", "2027-01-15T08:00:00 UTC"),
        "Fri, 15 Jan 2027 08:00:00 GMT",
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"),  # too far
    ],
)
def test_a_time_that_is_not_rfc_3339_is_refused(moment: str) -> None:
    """A time without its zone is nobody's time."""
    assert_field(refusal(body(notBefore=moment)), "/notBefore")


@pytest.mark.parametrize(
    "moment",
    [
        *("2027-01-15T08:10:00Z", "2027-01-15T11:40:00+03:30", "2027-01-14T22:10:00-10:00"),
        *("2027-01-15t08:10:00z", "2027-01-15T08:10:00.999Z"),
    ],
)
def test_a_time_with_its_zone_is_that_moment(moment: str) -> None:
    """RFC 3339 in any zone, its fraction of a second dropped."""
    _, _, validity = accept(body(notBefore=moment))

    assert validity == Validity(NOW + 600, NOW + 600 + 3600)


def test_the_window_must_not_be_over() -> None:
    """A button pressed during the visit sends the visit's start: the end stays the visit's."""
    _, _, validity = accept(body(notBefore=NOW - 1800, expirationSeconds=3600))
    problem = refusal(body(notBefore=NOW - 3600, expirationSeconds=3600))

    assert validity == Validity(NOW - 1800, NOW + 1800)
    assert problem.detail == "notBefore plus expirationSeconds must lie in the future."


def test_milliseconds_are_recognised() -> None:
    """The usual mistake is too far ahead, and the refusal says what it looks like."""
    problem = refusal(body(notBefore=NOW * 1000))

    assert_field(problem, "/notBefore")
    assert "not milliseconds" in problem.detail


def test_a_complaint_without_a_path_is_still_a_problem() -> None:
    """Should msgspec word a complaint in a new way, it is a 400 that names no field."""
    problem = problem_from("Something new about `this`")

    assert problem.kind is INVALID_REQUEST
    assert not problem.errors
    assert problem.detail == "The body is not valid: something new about this."


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from([NOW, NOW * 1000, "2027-01-15T08:00:00Z", "*", "a@b.org", "https://a.org"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted(FEATURES)) | st.text(max_size=5), inner, max_size=3
        )
    ),
    max_leaves=6,
)
field_names = st.sampled_from(sorted(KNOWN)) | st.text(max_size=5)


@given(st.binary())
@example(b'{"":')
@example(b"\xff\xfe{\x00}\x00")
def test_arbitrary_bytes_are_a_400(sent: bytes) -> None:
    """Bytes that are no request meet a 400, and nothing but a 400."""
    assert refusal(sent).kind.status == 400


@given(st.dictionaries(field_names, json_values, max_size=5))
def test_arbitrary_json_is_accepted_or_a_400(fields: dict[str, Any]) -> None:
    """Nothing but a Problem comes out, whatever the fields contain."""
    try:
        request, room, validity = accept(json.dumps({**REQUIRED, **fields}).encode())
    except Problem as problem:
        status: int | None = problem.kind.status
    else:
        status = None
        assert fields.keys() <= KNOWN
        assert room
        wanted = request.expiration_seconds
        assert validity.expires_at - validity.starts_at == (3600 if wanted is UNSET else wanted)
        assert type(validity.starts_at) is int
        assert validity.expires_at > NOW

    assert status in (None, 400)

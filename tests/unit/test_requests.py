"""What a caller may send, and for which time it asks."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from msgspec import UNSET, UnsetType

from jitsi_tokens.core import requests
from jitsi_tokens.core.claims import TokenProfile, meeting_claims
from jitsi_tokens.core.faults import every_fault
from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.problems import INVALID_REQUEST, MALFORMED_REQUEST, Kind, Problem
from jitsi_tokens.core.requests import Limits, TokenRequest, Validity, parse
from jitsi_tokens.core.validation import problem_from

NOW = 1_800_000_000  # 2027-01-15T08:00:00Z
LIMITS = Limits(max_lifetime_seconds=14_400, max_advance_seconds=604_800)
PROFILE = TokenProfile("chat", "jitsi", "app", affiliation=True, features_expected=True)
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


def test_every_field_arrives() -> None:
    """What is sent is what is read."""
    sent = body(
        userEmail="anna@example.org",
        userAvatar="https://example.org/a.png",
        isModerator=True,
        expirationSeconds=900,
        notBefore=NOW + 60,
        features={"recording": False, "lobby": True},
    )

    request = parse(sent)

    assert request == TokenRequest(
        user_id="u-1",
        user_name="Anna",
        room_name="Room 1",
        user_email="anna@example.org",
        user_avatar="https://example.org/a.png",
        is_moderator=True,
        expiration_seconds=900,
        not_before=NOW + 60,
        features={"recording": False, "lobby": True},
    )


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_field_is_missed(name: str) -> None:
    """Each required field is asked for by its name."""
    sent = {other: value for other, value in REQUIRED.items() if other != name}

    problem = refusal(json.dumps(sent).encode())

    assert_field(problem, f"/{name}")
    assert problem.detail == f"{name} is required."


@pytest.mark.parametrize("name", ["userEmail", "userAvatar"])
def test_an_empty_text_is_left_out_instead(name: str) -> None:
    """A form that sends what was not filled in is told what to do."""
    assert refusal(body(**{name: ""})).detail == f"{name} must not be empty: leave it out."


WRONG_TYPES = {
    **{name: ["1", "1.5", "true", "null", "[]", "{}", '["a"]'] for name in TEXTS},
    "isModerator": ["1", "0", '"true"', '"false"', '""', "null", "[]", "{}"],
    "expirationSeconds": ["3600.0", "1e3", '"3600"', "true", "null", "[]", "{}", "60.5"],
    "notBefore": ["1800000000.0", '"1800000000"', "true", "null", "[]", "{}", '""', '"tomorrow"'],
    "features": ["null", "true", "1", '"recording"', "[]", '["recording"]'],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG_TYPES.items() for value in values],
)
def test_a_value_of_the_wrong_type_is_refused(name: str, value: str) -> None:
    """Nothing is converted in silence, and null is no way to leave a field out."""
    sent = {other: json.dumps(text) for other, text in REQUIRED.items()} | {name: value}

    problem = refusal(
        ("{" + ", ".join(f'"{other}": {raw}' for other, raw in sent.items()) + "}").encode()
    )

    assert_field(problem, f"/{name}")


@pytest.mark.parametrize("value", ["1", "0", '"true"', "null", "[]", "{}"])
def test_a_feature_of_the_wrong_type_is_refused(value: str) -> None:
    """A feature is true or false, and the one that is not is pointed at."""
    sent = body_with(f'"features": {{"lobby": true, "recording": {value}}}')

    assert_field(refusal(sent), "/features/recording")


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
    ids=[
        "fields",
        "features",
        "times",
        "window",
        "ten-at-most",
        "empty",
        "object",
        "ten-features",
        "lifetime",
    ],
)
def test_every_fault_is_named(sent: bytes, pointers: str) -> None:
    """In the order of the body, what is missing last, and ten at most."""
    assert [error.pointer for error in refusal(sent).errors] == pointers.split()


def test_a_window_is_judged_with_its_own_lifetime() -> None:
    """Only what is wrong is named: the window would be over after the default lifetime."""
    sent = body(userEmail="", notBefore=NOW - 7200, expirationSeconds=7201)

    assert_field(refusal(sent), "/userEmail")


@pytest.mark.parametrize(
    "sent",
    [
        b'{"isModerator": 5, "userId": "u",',
        body_with('"isModerator": 5') + b" x",
        body_with('"isModerator": 5, "userEmail": "X"').replace(b"X", b"\xff"),
    ],
    ids=["cut", "trailing", "broken-utf-8"],
)
def test_a_fault_in_a_malformed_body_does_not_hide_it(sent: bytes) -> None:
    """The body is read to its end before a field is called wrong."""
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


def test_every_known_feature_is_accepted() -> None:
    """On or off, all twenty."""
    wanted = {name: index % 2 == 0 for index, name in enumerate(sorted(FEATURES))}

    request = parse(body(features=wanted))

    assert len(wanted) == 20
    assert request.features == wanted


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("userId", "i" * 128),
        ("userId", "é" * 128),
        ("userName", "n" * 255),
        ("roomName", "r" * 255),
        ("userEmail", f"{'e' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 61}"),
        ("userAvatar", "https://example.org/".ljust(2048, "a")),
        ("expirationSeconds", 60),
        ("expirationSeconds", 14_400),
        ("notBefore", NOW + 604_800),
        ("notBefore", NOW - 3599),
    ],
)
def test_a_value_at_the_limit_is_accepted(name: str, value: object) -> None:
    """A limit is the last value that passes."""
    request, _, _ = accept(body(**{name: value}))

    assert value in (request.user_id, request.user_name, request.room_name) or value in (
        request.user_email,
        request.user_avatar,
        request.expiration_seconds,
        request.not_before,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("userId", ""),
        ("userId", "i" * 129),
        ("userName", ""),
        ("userName", "n" * 256),
        ("roomName", ""),
        ("roomName", "r" * 256),
        ("roomName", "é" * 161),
        ("userEmail", ""),
        ("userEmail", f"{'e' * 64}@{'d' * 63}.{'d' * 63}.{'d' * 62}"),
        ("userEmail", f"{'e' * 65}@example.org"),
        ("userEmail", f"e@{'d' * 64}.org"),
        ("userAvatar", ""),
        ("userAvatar", "https://example.org/".ljust(2049, "a")),
        ("expirationSeconds", 59),
        ("expirationSeconds", 0),
        ("expirationSeconds", -3600),
        ("expirationSeconds", 14_401),
        ("notBefore", NOW + 604_801),
        ("notBefore", NOW - 3600),
    ],
)
def test_a_value_past_the_limit_is_refused(name: str, value: object) -> None:
    """One past the limit is refused, never trimmed to fit."""
    assert_field(refusal(body(**{name: value})), f"/{name}")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(
    "code",
    [0x00, 0x0A, 0x1B, 0x7F, 0x85, 0x2028, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFFFD],
    ids=hex,
)
def test_a_character_that_deceives_is_refused(name: str, code: int) -> None:
    """Control characters, overrides and U+FFFD are refused in every string, named, unrepeated."""
    problem = refusal(body(**{name: f"secret{chr(code)}text"}))

    assert_field(problem, f"/{name}")
    assert "secret" not in json.dumps(msgspec.to_builtins(problem.details()))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("escape", [r"\ud800", r"\udfff", r"\udc00\ud800", r"\ud800x"])
def test_a_lone_surrogate_is_refused(name: str, escape: str) -> None:
    """Escapes that make no character make no JSON that can be read."""
    sent = {other: json.dumps(text) for other, text in REQUIRED.items()} | {name: f'"a{escape}"'}

    problem = refusal(
        ("{" + ", ".join(f'"{other}": {raw}' for other, raw in sent.items()) + "}").encode()
    )

    assert problem.kind is MALFORMED_REQUEST


@pytest.mark.parametrize(
    "room",
    [
        *("*", "%2A", "\uff0a", "\ufe61", "%EF%BC%8A", ".", "..", "%2e%2E", "tenant/room"),
        *("tenant%2Froom", "vpaas-magic-cookie-0/room", "a\uff0fb", "a%00b", "a%E2%80%AEb"),
        *("a%E2%81%A9b", "J\u030c", " ", "%20"),
    ],
)
def test_a_room_that_cannot_be_scoped_is_refused(room: str) -> None:
    """A wildcard, a path, a tenant or a hidden character, however it is spelt."""
    problem = refusal(body(roomName=room))

    assert_field(problem, "/roomName")


MALFORMED = {
    "empty": b"",
    "blank": b" \n",
    "array": b"[]",
    "array-of-a-request": b"[%s]" % body(),
    "string": b'"roomName"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "unclosed": body()[:-1],
    "trailing-comma": body()[:-1] + b",}",
    "trailing-data": body() + b"{}",
    "trailing-letter": body() + b"x",
    "single-quotes": body().replace(b'"', b"'"),
    "comment": body() + b"// that was it",
    "byte-order-mark": b"\xef\xbb\xbf" + body(),
    "utf-16": body().decode().encode("utf-16"),
    "utf-16-le": body().decode().encode("utf-16-le"),
    "broken-utf-8": body().replace(b"Anna", b"Ann\xff"),
    "overlong-utf-8": body().replace(b"Anna", b"Ann\xc0\xaf"),
    "surrogate-in-utf-8": body().replace(b"Anna", b"Ann\xed\xa0\x80"),
    "cut-utf-8": body().replace(b"Anna", b"Ann\xc3"),
    "raw-newline": body().replace(b"Anna", b"An\nna"),
    "nan": body_with('"expirationSeconds": NaN'),
    "infinity": body_with('"expirationSeconds": Infinity'),
    "minus-infinity": body_with('"notBefore": -Infinity'),
    "hexadecimal": body_with('"notBefore": 0x60'),
    "leading-zero": body_with('"expirationSeconds": 0600'),
    "leading-plus": body_with('"expirationSeconds": +600'),
    "nested-arrays": b"[" * 5000,
    "nested-closed-arrays": b"[" * 5000 + b"]" * 5000,
    "same-name-twice": body_with('"userId": "u-2"'),
    "same-name-and-value-twice": body_with('"userId": "u-1"'),
    "same-name-escaped": body_with(r'"user\u0049d": "u-1"'),
    "moderator-twice": body_with('"isModerator": false, "isModerator": true'),
    "feature-twice": body_with('"features": {"lobby": false, "lobby": true}'),
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_is_no_request_is_refused(sent: bytes) -> None:
    """What parsers could read in two ways, or not at all, is refused as a whole."""
    problem = refusal(sent)

    assert problem.kind is MALFORMED_REQUEST
    assert not problem.errors


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        ('"expirationSeconds": 1e999', "/expirationSeconds"),
        ('"notBefore": -1e999', "/notBefore"),
        (f'"expirationSeconds": {"9" * 10_000}', "/expirationSeconds"),
        (f'"notBefore": {"9" * 10_000}', "/notBefore"),
        (f'"notBefore": -{"9" * 10_000}', "/notBefore"),
        ('"notBefore": 18446744073709551615', "/notBefore"),
        ('"notBefore": -9223372036854775808', "/notBefore"),
        (f'"features": {{"lobby": {"[" * 5000}{"]" * 5000}}}', "/features/lobby"),
        (f'"features": {"[" * 5000}{"]" * 5000}', "/features"),
        (f'"deep": {"[" * 5000}{"]" * 5000}', "/deep"),
        (f'"deep": {'[{"a":' * 2500}1{"}]" * 2500}', "/deep"),
        (f'"deep": {'{"a":' * 5000}1{"}" * 5000}', "/deep"),
    ],
    ids=[
        *("float-overflow", "float-underflow", "long-lifetime", "long-start", "long-past"),
        *("unsigned-64-bits", "signed-64-bits", "nested-feature", "nested-features"),
        *("nested-unknown", "nested-objects-in-arrays", "nested-objects"),
    ],
)
def test_a_number_or_a_depth_beyond_reason_is_refused(raw: str, pointer: str) -> None:
    """Ten thousand digits or five thousand levels are a 400 like any other."""
    problem = refusal(body_with(raw))

    assert_field(problem, pointer)


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
    [
        "https://example.org",
        "HTTPS://example.org:8443/a?b#c",
        "https://[::1]/a",
        "https://bücher.de",
    ],
)
def test_an_https_url_is_accepted(url: str) -> None:
    """With a port, a query, an address in brackets, or letters of another script."""
    assert parse(body(userAvatar=url)).user_avatar == url


@pytest.mark.parametrize(
    "moment",
    [
        *(
            "2027-01-15T08:00:00",
            "2027-01-15",
            "08:00:00Z",
            "2027-01-15T25:00:00Z",
            "2027-1-15T8:0Z",
        ),
        *("2027-02-30T08:00:00Z", "2027-01-15T08:00:00 UTC", "Fri, 15 Jan 2027 08:00:00 GMT"),
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


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"], ids=["first", "last"]
)
def test_a_time_at_the_ends_of_the_calendar_is_refused(moment: str) -> None:
    """It is as far away as any other that is too far."""
    assert_field(refusal(body(notBefore=moment)), "/notBefore")


def test_a_start_in_the_past_inside_its_window_is_fine() -> None:
    """A button pressed during the visit sends the visit's start: the end stays the visit's."""
    _, _, validity = accept(body(notBefore=NOW - 1800, expirationSeconds=3600))

    assert validity == Validity(NOW - 1800, NOW + 1800)


def test_a_window_that_is_over_is_refused() -> None:
    """With the reason."""
    problem = refusal(body(notBefore=NOW - 3600, expirationSeconds=3600))

    assert problem.detail == "notBefore plus expirationSeconds must lie in the future."


def test_milliseconds_are_recognised() -> None:
    """The usual mistake is too far ahead, and the refusal says what it looks like."""
    problem = refusal(body(notBefore=NOW * 1000))

    assert_field(problem, "/notBefore")
    assert "not milliseconds" in problem.detail


@pytest.mark.parametrize(
    "name", ["زهرا می\u200cنویسد", "श्री\u200dमान", "👩\u200d⚕️ Dr. Li", "O'Brien-Łuczak"]
)
def test_a_name_keeps_its_joiners(name: str) -> None:
    """Persian and Indic names need them."""
    assert parse(body(userName=name)).user_name == name


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
    """Nothing but a Problem comes out, whatever stands in the fields."""
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

    assert status in (None, 400)


@given(json_values)
def test_json_that_is_no_object_is_a_400(value: Any) -> None:
    """An array, a string, a number or a null is no request."""
    assume(not isinstance(value, dict))

    assert refusal(json.dumps(value).encode()).kind.status == 400


@given(
    st.integers(60, 14_400),
    st.none()
    | st.integers(NOW - 20_000, NOW + 700_000)
    | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    st.integers(0, 300),
)
@example(14_400, NOW - 14_399, 0)
@example(60, "2027-01-15T08:00:00.999999+00:00", 0)
def test_an_accepted_request_yields_whole_numbers_in_order(
    lifetime: int, start: int | str | None, clock_skew: int
) -> None:
    """Exp and nbf are integers, exp is in the future, and nbf comes before it."""
    fields = {"expirationSeconds": lifetime} | ({} if start is None else {"notBefore": start})
    try:
        request, room, validity = accept(body(**fields))
    except Problem:
        assume(False)  # noqa: FBT003

    claims = meeting_claims(
        request,
        profile=PROFILE,
        room=room,
        validity=validity,
        clock_skew_seconds=clock_skew,
        now=NOW,
        jti="j",
    )

    assert type(claims["exp"]) is int
    assert type(claims["nbf"]) is int
    assert claims["exp"] > max(claims["nbf"], NOW)
    assert claims["exp"] - claims["nbf"] == lifetime + clock_skew

"""API keys, and the record of the client that holds one."""

import hashlib
import json
import re
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jitsi_tokens.core.clients import (
    MAX_CLIENT_BYTES,
    Client,
    ClientRefused,
    api_key_in,
    check_name,
    client_of,
    client_with_keys,
    digest,
    make_api_key,
    own_item_key,
    read_client,
    write_client,
)
from jitsi_tokens.core.policy import Policy

CLIENT = Client(
    name="clinic-a", policy=Policy(rooms=["visit-*"], moderator=True, max_lifetime_seconds=600)
)
AHEAD = replace(CLIENT, policy=replace(CLIENT.policy, max_advance_seconds=60))
RECORD = (
    '{"name":"clinic-a","policy":{"rooms":["visit-*"],"moderator":true,"max_lifetime_seconds":600}}'
)
api_keys = st.builds(make_api_key)


def test_an_api_key_is_recognisable_and_random() -> None:
    """A prefix that secret scanners find, 43 characters of secret, 6 of checksum."""
    made = {make_api_key() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch("jtk_[0-9A-Za-z]{49}", api_key) for api_key in made)


def test_the_checksum_is_the_documented_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """256 bits in base 62, then their CRC-32 in base 62: keys that were handed out stay good."""
    monkeypatch.setattr("secrets.randbits", {256: 62**42 + 61}.__getitem__)

    assert make_api_key() == "jtk_1" + "0" * 41 + "z" + "36FfaM"


@given(api_keys, st.sampled_from(["Bearer", "bearer", "BEARER", "bEaReR"]), st.integers(1, 3))
def test_a_made_api_key_is_found_in_its_header(api_key: str, scheme: str, blanks: int) -> None:
    """The scheme's name is case-insensitive, and blanks may follow it."""
    assert api_key_in(scheme + " " * blanks + api_key) == api_key


@given(api_keys, st.sampled_from(string.ascii_letters + string.digits), st.integers(0, 52))
def test_a_mistyped_api_key_is_none(api_key: str, character: str, place: int) -> None:
    """The checksum finds one character that is wrong, too many, missing, or swapped."""
    before, typed, after = api_key[:place], api_key[place], api_key[place + 1 :]
    mistyped = {
        before + character + after,
        before + character + typed + after,
        before + after,
        before + after[:1] + typed + after[1:],
    }

    for wrong in mistyped - {api_key}:
        assert api_key_in(f"Bearer {wrong}") is None


@pytest.mark.parametrize(
    "header",
    [
        *("", "Bearer", "Bearer ", "{key}", "Basic {key}", "Bearer{key}", "Bearer\t{key}"),
        *(" Bearer {key}", "Bearer {key} ", "Bearer {key}\n", "Bearer {key} {key}"),
        *("Bearer {key},Bearer {key}", "Bearer null", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA"),
    ],
)
def test_a_header_of_another_form_holds_no_api_key(header: str) -> None:
    """Bearer, blanks, the key, and nothing else."""
    assert api_key_in(header.format(key=make_api_key())) is None


@given(st.text(st.characters()))
def test_arbitrary_headers_hold_no_api_key(header: str) -> None:
    """No text makes the check fail in another way."""
    assert api_key_in(header) is None
    assert api_key_in(f"Bearer {header}") is None


def test_the_table_holds_the_sha_256_of_an_api_key() -> None:
    """In hex, as `sha256sum` says it."""
    assert digest("jtk_example") == hashlib.sha256(b"jtk_example").hexdigest()


@pytest.mark.parametrize("name", ["a", "0", "clinic-a", "a" * 63, "a--b-"])
def test_a_name_of_the_right_form(name: str) -> None:
    """Lower-case letters, digits and hyphens."""
    check_name(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "A", "a" * 64, "a_b", "a.b", "a b", "a\n", "é", "a/b", "٣"]
)
def test_a_name_of_another_form_is_refused(name: str) -> None:
    """With the rule."""
    with pytest.raises(ClientRefused, match="1 to 63 lower-case letters, digits and hyphens"):
        check_name(name)


def test_a_client_is_one_compact_line_of_json() -> None:
    """API Gateway hands on one string; the advance is kept beside it, for earlier versions."""
    assert write_client(CLIENT) == write_client(AHEAD) == RECORD
    assert read_client(RECORD) == CLIENT
    assert read_client(RECORD, "60") == AHEAD


def test_the_largest_client_is_accepted_and_one_byte_more_is_not() -> None:
    """Counted in bytes, as API Gateway does, by who writes and by who reads."""
    empty = len(write_client(Client(name="a", policy=Policy(rooms=[""]))))
    room = "r" * (MAX_CLIENT_BYTES - empty)
    largest = write_client(Client(name="a", policy=Policy(rooms=[room])))

    assert len(largest) == MAX_CLIENT_BYTES == 4096
    assert read_client(largest)
    assert read_client(largest + " ") is None
    for longer in (room + "r", room[:-1] + "é"):
        with pytest.raises(ClientRefused, match="fewer or shorter room patterns"):
            write_client(Client(name="a", policy=Policy(rooms=[longer])))


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "null", "[]", '"clinic"', "{}", '{"name": "a"}', '{"policy": {}}'),
        *('{"name": 1, "policy": {}}', '{"name": "a", "policy": null}', '{"name":"A","policy":{}}'),
        '{"name": "a", "policy": {}, "admin": true}',
        '{"name": "a", "policy": {"room": ["*"]}}',
        '{"name": "a", "policy": {"rooms": "*"}}',
        '{"name": "a", "policy": {"moderator": "true"}}',
        '{"name": "a", "policy": {"max_lifetime_seconds": 59}}',
        f'{{"name": "a", "policy": {{"rooms": {json.dumps(["a"] * 51)}}}}}',
        '{"name": "\ud800", "policy": {}}',
    ],
)
def test_a_malformed_client_is_none(text: str) -> None:
    """Its reader refuses the caller: nothing is guessed."""
    assert read_client(text) is None


def test_a_client_without_leaves_may_do_nothing() -> None:
    """The defaults of a policy give nothing."""
    client = read_client('{"name": "a", "policy": {}}')

    assert client is not None
    assert client.policy == Policy(
        rooms=[], moderator=False, features=[], max_lifetime_seconds=None, diagnostics=False
    )


ITEM: dict[str, Any] = {"client": {"S": "clinic-a"}, "record": {"S": RECORD}}


@pytest.mark.parametrize(
    ("changes", "client"),
    [
        ({}, CLIENT),
        ({"max_advance_seconds": {"N": "60"}}, AHEAD),
        *(({"max_advance_seconds": {"N": advance}}, None) for advance in ("-1", "0.5", "", "x")),
        *(({"max_advance_seconds": {kind: "0"}}, None) for kind in ("S", "NULL")),
        *(({"client": name}, None) for name in (None, {"S": "other"}, {"N": "clinic-a"})),
        *(({"record": record}, None) for record in ({}, {"S": ""}, {"B": RECORD})),
    ],
)
def test_a_client_is_read_from_its_item(changes: dict[str, Any], client: Client | None) -> None:
    """With the advance beside its record; None where a part is unsound or names another client."""
    assert client_of(ITEM | changes) == client
    assert client_of({"client": {"S": "clinic-a"}}) is None


def test_a_clients_own_item_says_whether_it_has_keys() -> None:
    """Without one, under another name, or unreadable, there is no client."""
    item = {
        "key_digest": {"S": own_item_key("clinic-a")},
        "record": {"S": write_client(CLIENT)},
        "key_count": {"N": "2"},
    }
    assert client_with_keys(item, "clinic-a") == CLIENT
    assert client_with_keys(item, "clinic-b") is None
    assert client_with_keys(item | {"key_count": {"N": "0"}}, "clinic-a") is None
    assert client_with_keys({}, "clinic-a") is None


def test_a_record_leaves_out_what_a_client_has_no_leave_for() -> None:
    """Earlier versions refuse what they do not know."""
    assert "visits" not in write_client(CLIENT)
    assert "moderator_links" not in write_client(CLIENT)

"""API keys, and the record of the client that holds one."""

import hashlib
import json
import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jitsi_tokens.core.clients import (
    MAX_CLIENT_BYTES,
    Client,
    ClientRefused,
    api_key_in,
    check_name,
    digest,
    make_api_key,
    read_client,
    write_client,
)
from jitsi_tokens.core.policy import Policy

CLIENT = Client(
    name="clinic-a", policy=Policy(rooms=["visit-*"], moderator=True, max_lifetime_seconds=600)
)
api_keys = st.builds(make_api_key)


def test_an_api_key_is_recognisable() -> None:
    """A prefix that secret scanners find, 43 characters of secret, 6 of checksum."""
    assert re.fullmatch("jtk_[0-9A-Za-z]{49}", make_api_key())


def test_no_two_api_keys_are_the_same() -> None:
    """They are random."""
    assert len({make_api_key() for _ in range(100)}) == 100


def test_the_checksum_is_the_documented_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret in base 62, then its CRC-32 in base 62: keys that were handed out stay good."""
    monkeypatch.setattr("secrets.randbits", lambda _bits: 62**42 + 61)

    assert make_api_key() == "jtk_1" + "0" * 41 + "z" + "36FfaM"


@given(api_keys, st.sampled_from(["Bearer", "bearer", "BEARER", "bEaReR"]), st.integers(1, 3))
def test_a_made_api_key_is_found_in_its_header(api_key: str, scheme: str, blanks: int) -> None:
    """The scheme's name is case-insensitive, and blanks may follow it."""
    assert api_key_in(scheme + " " * blanks + api_key) == api_key


@given(api_keys, st.integers(0, 52), st.characters())
def test_a_mutated_api_key_is_none(api_key: str, place: int, character: str) -> None:
    """The checksum finds every change of one character."""
    mutated = api_key[:place] + character + api_key[place + 1 :]
    assume(mutated != api_key)

    assert api_key_in(f"Bearer {mutated}") is None


@given(api_keys, st.integers(0, 51))
def test_two_swapped_characters_make_none(api_key: str, place: int) -> None:
    """Neither do transpositions pass."""
    swapped = f"{api_key[:place]}{api_key[place + 1]}{api_key[place]}{api_key[place + 2 :]}"
    assume(swapped != api_key)

    assert api_key_in(f"Bearer {swapped}") is None


@given(api_keys, st.sampled_from(string.ascii_letters + string.digits), st.integers(0, 53))
def test_a_longer_or_shorter_api_key_is_none(api_key: str, character: str, place: int) -> None:
    """One character more, or one fewer."""
    longer = api_key[:place] + character + api_key[place:]
    shorter = api_key[:place] + api_key[place + 1 :]

    assert api_key_in(f"Bearer {longer}") is None
    assert place == 53 or api_key_in(f"Bearer {shorter}") is None


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
    """Lower-case letters, digits and hyphens pass, and change one letter's case: they do not."""
    check_name(name)

    with pytest.raises(ClientRefused):
        check_name(f"{name[:-1]}A")


@pytest.mark.parametrize(
    "name", ["", "-a", "A", "a" * 64, "a_b", "a.b", "a b", "a\n", "é", "a/b", "٣"]
)
def test_a_name_of_another_form_is_refused(name: str) -> None:
    """With the rule."""
    with pytest.raises(ClientRefused, match="1 to 63 lower-case letters, digits and hyphens"):
        check_name(name)


def test_a_client_survives_the_authorizer() -> None:
    """What is written is what is read."""
    assert read_client(write_client(CLIENT)) == CLIENT


def test_a_client_is_one_compact_line_of_json() -> None:
    """API Gateway hands on one string."""
    text = write_client(CLIENT)

    assert json.loads(text)["policy"]["rooms"] == ["visit-*"]
    assert not any(map(str.isspace, text))


def test_the_largest_client_is_accepted_and_one_byte_more_is_not() -> None:
    """Counted in bytes, as API Gateway does."""
    empty = len(write_client(Client(name="a", policy=Policy(rooms=[""]))))
    room = "r" * (MAX_CLIENT_BYTES - empty)

    assert len(write_client(Client(name="a", policy=Policy(rooms=[room])))) == MAX_CLIENT_BYTES
    with pytest.raises(ClientRefused, match="fewer or shorter room patterns"):
        write_client(Client(name="a", policy=Policy(rooms=[room + "r"])))
    with pytest.raises(ClientRefused, match="fewer or shorter room patterns"):
        write_client(Client(name="a", policy=Policy(rooms=[room[:-1] + "é"])))


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "null", "[]", '"clinic"', "{}", '{"name": "a"}', '{"policy": {}}'),
        '{"name": 1, "policy": {}}',
        '{"name": "a", "policy": null}',
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
    """Whoever reads it refuses the caller: nothing is guessed."""
    assert read_client(text) is None


def test_a_client_without_leaves_may_do_nothing() -> None:
    """The defaults of a policy give nothing."""
    client = read_client('{"name": "a", "policy": {}}')

    assert client is not None
    assert client.policy == Policy(
        rooms=[], moderator=False, features=[], max_lifetime_seconds=None, diagnostics=False
    )

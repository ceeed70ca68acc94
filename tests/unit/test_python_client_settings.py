"""Where the Python client finds address and keys, and which of them it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jitsi_tokens_client import ConfigurationError, Secret
from jitsi_tokens_client.address import Address, read_address
from jitsi_tokens_client.settings import Settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://tokens.example.org/prod"
NAMES = ("JITSI_TOKENS_URL", "JITSI_TOKENS_API_KEY", "JITSI_TOKENS_ID_KEY")
VALUE = "Value-That-No-Message-Holds"


def settings(environ: dict[str, str], **given: Any) -> Settings:
    """Return what is read."""
    read = read_settings(**{"url": None, "api_key": None, "id_key": None} | given, environ=environ)
    assert isinstance(read, Settings)
    return read


def complaint(environ: dict[str, str], **given: Any) -> str:
    """Return why it cannot be read."""
    read = read_settings(**{"url": None, "api_key": None, "id_key": None} | given, environ=environ)
    assert isinstance(read, ConfigurationError)
    assert VALUE not in str(read)
    assert read.status is None
    return str(read)


@pytest.mark.parametrize(
    ("text", "url", "host"),
    [
        ("https://tokens.example.org", "https://tokens.example.org", "tokens.example.org"),
        ("https://tokens.example.org:8443/prod/", "https://tokens.example.org:8443/prod", None),
        ("HTTPS://Tokens.Example.ORG/", "HTTPS://Tokens.Example.ORG", "tokens.example.org"),
        ("http://localhost:3000/", "http://localhost:3000", "localhost"),
        ("http://127.8.9.1", "http://127.8.9.1", "127.8.9.1"),
        ("http://[::1]:3000", "http://[::1]:3000", "::1"),
        ("http://[0:0::0001]", "http://[0:0::0001]", "0:0::0001"),
        ("https://[2001:DB8::1]", "https://[2001:DB8::1]", "2001:db8::1"),
        ("https://b\u00fccher.example", "https://b\u00fccher.example", "b\u00fccher.example"),
    ],
)
def test_an_address_is_taken(text: str, url: str, host: str | None) -> None:
    """https, or http where nobody listens in; without the slash at its end."""
    assert read_address(text) == Address(url, host or "tokens.example.org")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "must begin with https://"),
        ("https:h//i", "must begin with https://"),
        ("https:://h", "must begin with https://"),
        ("https:///prod", "must begin with https://"),
        ("http://localhost.example.org", "must be https"),
        ("http://127.1", "must be https"),
        ("http://0.0.0.0", "must be https"),
        ("http://[::2]", "must be https"),
        ("http://[::ffff:127.0.0.1]", "must be https"),
        ("https://@tokens.example.org", "user name or password"),
        ("http://localhost@tokens.example.org", "user name or password"),
        ("https://tokens.example.org?", "leave out what follows"),
        ("https://tokens.example.org#", "leave out what follows"),
        (" https://tokens.example.org", "blanks"),
        ("https://tokens.example.org\x00", "blanks"),
        ("https://tokens.example.org\u00a0", "blanks"),
        ("https://localhost\\@tokens.example.org", "backslashes"),
        ("https://tokens.example.org:port", "malformed"),
        ("https://tokens.example.org:0", "malformed"),
        ("https://%74okens.example.org", "malformed"),
        ("https://[tokens", "malformed"),
        ("https://xn--a.example", "malformed"),
        ("https://h:", "malformed"),
        ("https://h:/prod", "malformed"),
        ("https://[::1]:", "malformed"),
        ("https://h:+8", "malformed"),
        ("https://h:\uff18", "malformed"),
        ("https://h,i", "malformed"),
        ("https://h;i", "malformed"),
        ("https://h!", "malformed"),
        ("https://h_i", "malformed"),
        ("https://h..i", "malformed"),
        ("https://256.1.1.1", "malformed"),
        ("https://[1.2.3.4]", "malformed"),
        ("https://[::1%25lo]", "malformed"),
        ("https://\uff11.example", "malformed"),
        ("https://\u2603\ufe0f.example..org", "malformed"),
    ],
)
def test_an_address_is_refused(text: str, complaint: str) -> None:
    """An API key must not go there, or nothing could."""
    flaw = read_address(text)

    assert isinstance(flaw, str)
    assert complaint in flaw


def test_what_is_given_comes_before_the_environment() -> None:
    """Argument by argument."""
    environ = dict(zip(NAMES, ("https://other.example.org", "env-key", "env-id"), strict=True))
    key = Secret("given")

    read = settings(environ, url=URL, api_key=key)

    assert read.address.url == URL
    assert read.api_key is not None
    assert read.api_key.reveal() == "given"
    assert read.id_key is not None
    assert read.id_key.reveal() == "env-id"


def test_an_empty_variable_is_not_set() -> None:
    """Compose files set them so."""
    empty = {f"{name}{end}": "" for name in NAMES for end in ("", "_FILE")}

    assert settings(empty, url=URL) == (Address(URL, "tokens.example.org"), None, None)
    assert "JITSI_TOKENS_URL is not set" in complaint(empty)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_holds_the_value(name: str, tmp_path: Path) -> None:
    """Of an editor, or of a pipe."""
    file = tmp_path / "value"
    file.write_text(URL)

    read = settings({NAMES[0]: URL} | {name: "", f"{name}_FILE": str(file)})

    address, *keys = read
    values = [address.url, *(key.reveal() if key else None for key in keys)]
    assert values[NAMES.index(name)] == URL


@pytest.mark.parametrize("name", NAMES)
def test_a_file_and_a_value_are_one_too_many(name: str, tmp_path: Path) -> None:
    """Which of them counts nobody should have to know."""
    file = tmp_path / "value"
    file.write_text(VALUE)

    text = complaint({NAMES[0]: URL, name: VALUE} | {f"{name}_FILE": str(file)})

    assert f"{name} and {name}_FILE" in text


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_cannot_be_read_is_named_by_its_variable(name: str, tmp_path: Path) -> None:
    """Missing, a folder, no path at all, empty."""
    (tmp_path / "empty").write_text("\n")
    for file in (tmp_path / VALUE, tmp_path, "a\0b", tmp_path / "empty"):
        environ = {NAMES[0]: URL} | {name: "", f"{name}_FILE": str(file)}
        assert f"{name}_FILE" in complaint(environ)


@pytest.mark.parametrize(
    "key", ["", f"{VALUE} a", f"{VALUE}\u00e9", "\ud800", f"a\0{VALUE}", b"bytes"]
)
def test_an_api_key_is_visible_ascii(key: str) -> None:
    """It would break the header, or not be the key that was meant."""
    assert "API key" in complaint({}, url=URL, api_key=Secret(key))


def test_an_id_key_is_any_text() -> None:
    """As long as it is there, and can be encoded."""
    read = settings({}, url=URL, id_key=Secret("\u00e4 b\udcff"))
    assert read.id_key

    for key in ("", "\ud800"):
        assert "id key" in complaint({}, url=URL, id_key=Secret(key))

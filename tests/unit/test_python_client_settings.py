"""Where the Python client finds address and keys; what it refuses: tests/clients/test_alike.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jitsi_tokens_client import ConfigurationError, Secret
from jitsi_tokens_client.settings import Settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://tokens.example.org/prod"
NAMES = ("JITSI_TOKENS_URL", "JITSI_TOKENS_API_KEY", "JITSI_TOKENS_ID_KEY")
VALUE = "Value-That-No-Message-Holds"


def settings(environ: dict[str, str], **given: Any) -> Settings:
    """Return what is read."""
    return read_settings(**{"url": None, "api_key": None, "id_key": None} | given, environ=environ)


def values(read: Settings) -> tuple[str | None, ...]:
    """Return the three values."""
    return (read.url, *(key.reveal() if key else None for key in (read.api_key, read.id_key)))


def complaint(environ: dict[str, str], **given: Any) -> str:
    """Return why it cannot be read."""
    with pytest.raises(ConfigurationError) as raised:
        settings(environ, **given)
    assert VALUE not in str(raised.value)
    assert raised.value.__context__ is None
    return str(raised.value)


def test_an_argument_comes_before_the_environment() -> None:
    """One by one, and a key is a string or a Secret."""
    environ = dict(zip(NAMES, ("https://other.example.org", "env-key", "env-id"), strict=True))

    assert values(settings(environ, url=URL, api_key="given")) == (URL, "given", "env-id")
    assert values(settings(environ, url=URL, id_key=Secret("x"))) == (URL, "env-key", "x")


def test_an_empty_variable_is_not_set() -> None:
    """Compose files set them so."""
    empty = {f"{name}{end}": "" for name in NAMES for end in ("", "_FILE")}

    assert values(settings(empty, url=URL)) == (URL, None, None)
    assert "JITSI_TOKENS_URL is not set" in complaint(empty)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_holds_the_value(name: str, tmp_path: Path) -> None:
    """Alone: the variable besides is one too many."""
    file = tmp_path / "value"
    file.write_text(f"{URL}\n")
    environ = {NAMES[0]: URL} | {name: "", f"{name}_FILE": str(file)}

    assert values(settings(environ))[NAMES.index(name)] == URL
    assert f"{name} and {name}_FILE" in complaint(environ | {name: VALUE})


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_cannot_be_read_is_named_by_its_variable(name: str, tmp_path: Path) -> None:
    """Missing, a folder, no path at all, empty. Its path may be a key by mistake."""
    (tmp_path / "empty").write_text("\n")
    for file in (tmp_path / VALUE, tmp_path, "a\0b", tmp_path / "empty"):
        environ = {NAMES[0]: URL} | {name: "", f"{name}_FILE": str(file)}
        assert f"{name}_FILE" in complaint(environ)


def test_a_host_that_cannot_be_decoded_is_malformed() -> None:
    """Better here than where it is sent; more addresses stand in tests/clients, for PHP too."""
    assert "is malformed" in complaint({}, url="https://xn--a.example")


def test_an_id_key_is_any_text() -> None:
    """As long as it can be encoded."""
    assert values(settings({}, url=URL, id_key="\u00e4 b\udcff"))[2] == "\u00e4 b\udcff"
    for key in ("", f"{VALUE}\ud800"):
        assert "id key" in complaint({}, url=URL, id_key=key)

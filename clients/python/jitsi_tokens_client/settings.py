"""Address and keys, from arguments, the environment, or files that it names."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import NamedTuple

import httpx

from jitsi_tokens_client.errors import ConfigurationError
from jitsi_tokens_client.request import TOKEN_PATH
from jitsi_tokens_client.secret import Secret

_URL = "JITSI_TOKENS_URL"
API_KEY = "JITSI_TOKENS_API_KEY"
_ID_KEY = "JITSI_TOKENS_ID_KEY"
_BYTE_ORDER_MARK = "\ufeff"
_BLANKS = " \t\n\v\f\r"
_API_KEY_TEXT = re.compile(r"[\x21\x23-\x26\x28-\x7e]+")
# People paste the address of the request.
_PASTED = re.compile(rf"(?<!:/){TOKEN_PATH}/*([?#].*)?\Z", re.DOTALL)
_BEGIN = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_LABEL = r"(?:[^\W_]|-)+"
_SERVER = re.compile(
    rf"[^/]+//(?P<user>[^/?#]*@)?(?P<host>\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*\.?)"
    r"(?::[0-9]+)?(?:[/?#]|\Z)"
)
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


class Settings(NamedTuple):
    """The service's URL without a slash at the end, its host for messages, and the keys."""

    url: str
    host: str
    api_key: Secret | None
    id_key: Secret | None


def read_settings(
    url: str | None, api_key: str | Secret | None, id_key: str | Secret | None
) -> Settings:
    """Return the settings; an argument comes before the environment.

    Raises:
        ConfigurationError: the address is missing, or a value is malformed.
    """
    address = _value(url, _URL)
    if address is None:
        raise missing(_URL)
    base_url, host = read_address(address.reveal())
    api_key, id_key = _value(api_key, API_KEY), _value(id_key, _ID_KEY)
    if api_key and not _API_KEY_TEXT.fullmatch(api_key.reveal()):
        raise ConfigurationError(
            f"The API key ({API_KEY}) must be printable ASCII without blanks or quotes."
        )
    if id_key and not id_key.reveal():
        raise ConfigurationError(f"The id key ({_ID_KEY}) must be text, and not empty.")
    return Settings(base_url, host, api_key, id_key)


def missing(name: str) -> ConfigurationError:
    """Return the error for a variable that is not set."""
    return ConfigurationError(f"{name} is not set (nor {name}_FILE).")


def read_address(text: str) -> tuple[str, str]:
    """Return the service's URL and its host, if an API key may go there.

    Raises:
        ConfigurationError: it is malformed, or not https.
    """
    text = _PASTED.sub("", text)
    if not text.isprintable() or " " in text or "\\" in text:
        raise _wrong_address("holds blanks, control characters or backslashes.")
    if not _BEGIN.match(text):
        raise _wrong_address("must begin with https:// and a host name.")
    server = _SERVER.match(text)
    if server is None or not _is_sendable(text):
        raise _wrong_address("is malformed.")
    if server["user"]:
        raise _wrong_address("holds a user name or password: leave them out.")
    if "?" in text or "#" in text:
        raise _wrong_address("must end with its path: leave out what follows ? or #.")
    host = server["host"].strip("[]").lower()
    if text.lower().startswith("http:") and not _is_loopback(host):
        raise _wrong_address("must be https: it would show the API key to others.")
    return text.rstrip("/"), host


def _wrong_address(flaw: str) -> ConfigurationError:
    return ConfigurationError(f"The service's address ({_URL}) {flaw}")


def _is_sendable(text: str) -> bool:
    try:
        url = httpx.URL(text)
        # `host` is decoded when it is read, which may fail: better here than when sending.
        return bool(url.host) and (url.port is None or 0 < url.port < 65_536)  # noqa: PLR2004
    # idna's errors are UnicodeErrors, and so ValueErrors.
    except (httpx.InvalidURL, ValueError):
        return False


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return any(address in network for network in _LOOPBACK)


def _value(given: str | Secret | None, name: str) -> Secret | None:
    # The argument, else the variable, else what its file holds; None if none is set.
    if given is not None:
        return Secret(_trimmed(given.reveal() if isinstance(given, Secret) else given))
    value, file = (_trimmed(os.environ.get(one, "")) for one in (name, f"{name}_FILE"))
    if value and file:
        raise ConfigurationError(f"{name} and {name}_FILE are both set: set one of them.")
    if not file:
        return Secret(value) if value else None
    try:
        # As os.environ decodes.
        content = _trimmed(Path(file).read_bytes().decode("utf-8", "surrogateescape"))
    except (OSError, ValueError):
        # Without the path: that may be a key by mistake.
        raise ConfigurationError(f"The file that {name}_FILE names cannot be read.") from None
    if not content:
        raise ConfigurationError(f"The file that {name}_FILE names is empty.")
    return Secret(content)


def _trimmed(value: str) -> str:
    # What editors and pipes put around a value: `echo` ends it with a line break.
    return value.removeprefix(_BYTE_ORDER_MARK).strip(_BLANKS)

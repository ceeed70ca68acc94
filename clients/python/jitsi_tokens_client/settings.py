"""Address and keys: given, else from the environment, else from files that it names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jitsi_tokens_client.address import Address, read_address
from jitsi_tokens_client.errors import ConfigurationError
from jitsi_tokens_client.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

URL = "JITSI_TOKENS_URL"
API_KEY = "JITSI_TOKENS_API_KEY"
ID_KEY = "JITSI_TOKENS_ID_KEY"
_VISIBLE = re.compile(r"[\x21\x23-\x26\x28-\x7e]+")
_BLANKS = " \t\n\v\f\r"
_BYTE_ORDER_MARK = "\ufeff"


class Settings(NamedTuple):
    """Where the service is, and the keys: None where none is set."""

    address: Address
    api_key: Secret | None
    id_key: Secret | None


def read_settings(
    url: str | None, api_key: Secret | None, id_key: Secret | None, environ: Mapping[str, str]
) -> Settings | ConfigurationError:
    """Return what is given, else what the environment says; or what is wrong with it.

    The error is returned: raised here, its frames would hold what was read.
    """
    address = _address(url, environ)
    if isinstance(address, ConfigurationError):
        return address
    keys: list[Secret | None] = []
    for given, name in ((api_key, API_KEY), (id_key, ID_KEY)):
        key = _trimmed(given) if given else _variable(name, environ)
        if isinstance(key, ConfigurationError):
            return key
        keys.append(key)
    if keys[0] and not _VISIBLE.fullmatch(keys[0].reveal()):
        return ConfigurationError(
            f"The API key ({API_KEY}) must be printable ASCII without blanks or quotes."
        )
    if keys[1] and not _is_encodable(keys[1].reveal()):
        return ConfigurationError(f"The id key ({ID_KEY}) must be text, and not empty.")
    return Settings(address, *keys)


def missing_api_key() -> ConfigurationError:
    """Return the error of whoever needs an API key where none is set."""
    return _missing(API_KEY)


def _address(url: str | None, environ: Mapping[str, str]) -> Address | ConfigurationError:
    given = _variable(URL, environ) if url is None else _trimmed(Secret(url))
    if given is None:
        return _missing(URL)
    if isinstance(given, ConfigurationError):
        return given
    address = read_address(given.reveal())
    if isinstance(address, str):
        return ConfigurationError(f"The service's address ({URL}) {address}")
    return address


def _variable(name: str, environ: Mapping[str, str]) -> Secret | ConfigurationError | None:
    value, file = (
        _trimmed(Secret(environ.get(one, ""))).reveal() for one in (name, f"{name}_FILE")
    )
    if value and file:
        return ConfigurationError(f"{name} and {name}_FILE are both set: set one of them.")
    if not file:
        return Secret(value) if value else None
    content = _content(file)
    if content is None:
        return ConfigurationError(f"The file that {name}_FILE names cannot be read.")
    if not content.reveal():
        return ConfigurationError(f"The file that {name}_FILE names is empty.")
    return content


def _content(file: str) -> Secret | None:
    try:
        content = Path(file).read_bytes()
    except (OSError, ValueError):
        return None
    # As os.environ decodes.
    return _trimmed(Secret(content.decode("utf-8", "surrogateescape")))


def _trimmed(value: Secret) -> Secret:
    # What editors and pipes put around a value: `echo` ends it with a line break.
    return Secret(value.reveal().removeprefix(_BYTE_ORDER_MARK).strip(_BLANKS))


def _is_encodable(text: str) -> bool:
    try:
        return bool(text.encode("utf-8", "surrogateescape"))
    except UnicodeError:
        return False


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(f"{name} is not set (nor {name}_FILE).")

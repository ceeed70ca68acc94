"""API keys, and the record of the client that holds one."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from jitsi_tokens.core.base62 import CHECKSUM_CHARACTERS, checksum, encoded
from jitsi_tokens.core.policy import Policy

MAX_CLIENT_BYTES = 4096
# One transaction writes them all, and the client's own item.
MAX_KEYS = 99
# Of an API key's digest: enough to find the key in the table, and none to guess it by.
KEY_DIGITS = 12

_PREFIX = "jtk_"
_SECRET_CHARACTERS = 43  # 256 bits in base 62
_API_KEY = re.compile(f"{_PREFIX}[0-9A-Za-z]{{{_SECRET_CHARACTERS + CHECKSUM_CHARACTERS}}}")
# RFC 9110, 11.1: the scheme's name is case-insensitive.
_BEARER = re.compile(r"[Bb][Ee][Aa][Rr][Ee][Rr] +(\S+)")
_SECONDS = re.compile(r"[0-9]{1,9}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class ClientRefused(ValueError):
    """A client that cannot be made. The text says what to change."""


class Client(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is calling, and what they may ask for."""

    name: str
    policy: Policy


_DECODER = msgspec.json.Decoder(Client)


def make_api_key() -> str:
    """Return a new API key: 256 random bits and a checksum behind a recognisable prefix."""
    secret = encoded(secrets.randbits(256), _SECRET_CHARACTERS)
    return f"{_PREFIX}{secret}{checksum(secret)}"


def api_key_in(authorization: str) -> str | None:
    """Return the API key of an Authorization header; None where it cannot be one."""
    found = _BEARER.fullmatch(authorization)
    return found[1] if found and is_api_key(found[1]) else None


def is_api_key(text: str) -> bool:
    """Tell whether a text has the form and the checksum of an API key."""
    if not _API_KEY.fullmatch(text):
        return False
    secret = text.removeprefix(_PREFIX)[:_SECRET_CHARACTERS]
    return hmac.compare_digest(text[-CHECKSUM_CHARACTERS:], checksum(secret))


def digest(api_key: str) -> str:
    """Return the API key's digest, as in the table: its SHA-256, in hex."""
    return hashlib.sha256(api_key.encode()).hexdigest()


def check_name(name: str) -> None:
    """Refuse a name that a client cannot have.

    Raises:
        ClientRefused: with the rule.
    """
    if not _NAME.fullmatch(name):
        raise ClientRefused(
            "A client's name is 1 to 63 lower-case letters, digits and hyphens, and does not"
            " begin with a hyphen."
        )


def write_client(client: Client) -> str:
    """Return a client's record: the one string that the authorizer hands on.

    `max_advance_seconds` is stored and handed on beside it: code without that field, such as an
    earlier version after a rollback, refuses a record that has it.

    Raises:
        ClientRefused: the string would be longer than API Gateway carries safely.
    """
    policy = replace(client.policy, max_advance_seconds=None)
    text = msgspec.json.encode(replace(client, policy=policy)).decode()
    if len(text.encode()) > MAX_CLIENT_BYTES:
        raise ClientRefused(
            f"A client's policy fits {MAX_CLIENT_BYTES} bytes: use fewer or shorter room patterns."
        )
    return text


def read_client(text: str, max_advance_seconds: str | None = None) -> Client | None:
    """Return the client in a record; None when it is malformed, or too long to hand on.

    Args:
        text: the record.
        max_advance_seconds: what is kept beside it; None where nothing is.
    """
    try:
        client = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        return None
    if max_advance_seconds is not None:
        if not _SECONDS.fullmatch(max_advance_seconds):
            return None
        policy = replace(client.policy, max_advance_seconds=int(max_advance_seconds))
        client = replace(client, policy=policy)
    sound = _NAME.fullmatch(client.name) and len(text.encode()) <= MAX_CLIENT_BYTES
    return client if sound else None


def own_item_key(name: str) -> str:
    """Return the `key_digest` of the item that says of a client what its keys' items say.

    It holds `record` and `max_advance_seconds` as they do, and `key_count`; no `client`, so it is
    in no index. Written in one transaction with the keys, it tells what a client's links may do.
    """
    return f"client#{name}"


def client_with_keys(item: Mapping[str, Any], name: str) -> Client | None:
    """Return the client of its own item; None if it has no keys, or its record is none of it."""
    client = _client_in(item)
    has_keys = int(item.get("key_count", {}).get("N", "0")) > 0
    return client if client and client.name == name and has_keys else None


def client_of(item: Mapping[str, Any]) -> Client | None:
    """Return the client of an item of the table.

    None if its record cannot be read, or names another client than the item: the commands know
    an API key by both names, and what they would miss must not work.
    """
    client = _client_in(item)
    return client if client and item.get("client") == {"S": client.name} else None


def _client_in(item: Mapping[str, Any]) -> Client | None:
    advance = item.get("max_advance_seconds")
    seconds = None if advance is None else advance.get("N", "")
    return read_client(item.get("record", {}).get("S", ""), seconds)

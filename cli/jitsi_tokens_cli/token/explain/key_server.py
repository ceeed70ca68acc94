"""Prosody's key server, asked for a public key as Prosody asks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from jitsi_tokens.core.public_keys import name_of
from jitsi_tokens.core.rsa_keys import read_public_pem
from jitsi_tokens_cli.token.explain.expectations import (
    FindKey,
    KeyAnswer,
    KeyFound,
    KeyUnknown,
    NoKey,
)
from jitsi_tokens_cli.web import Unanswered, Web

if TYPE_CHECKING:
    from jitsi_tokens_cli.web import Reply

_NO_PEM = (
    "In place of a public key (BEGIN PUBLIC KEY, RSA) the key server sends something else. Prosody"
    " keeps that until it restarts, and logins hang."
)


def of_key_server(url: str) -> FindKey:
    """Return the way to the keys of a key server, asked as Prosody does (token/util.lib.lua).

    Raises:
        UsageError: it is no address.
    """
    web = Web(url, is_key_server=True)

    def find(kid: str | None) -> KeyAnswer:
        try:
            reply = web.get(f"/{name_of(kid or '')}.pem")
        except UnicodeError:
            return KeyUnknown("It is not valid Unicode, and has no name to ask the key server by.")
        except Unanswered as error:
            return KeyUnknown(f"The key server is silent. {error}")
        return _answered(reply)

    return find


def _answered(reply: Reply) -> KeyAnswer:
    status = reply.status
    if status == httpx.codes.NOT_FOUND:
        return NoKey(
            "It is not published: the key server answers 404, and Jitsi has no key to check with.",
            "Sign with a key that is published, under its kid; look whether Jitsi's"
            " JWT_ASAP_KEYSERVER is this server.",
        )
    if httpx.codes.is_client_error(status):
        return NoKey(
            f"It cannot be obtained: the key server answers HTTP {status}.",
            "Look whether the key server's address is right, with its whole path.",
        )
    if status not in (httpx.codes.OK, httpx.codes.NO_CONTENT):
        return KeyUnknown(f"The key server answers HTTP {status} in place of a key.")
    if key := read_public_pem(reply.content.decode(errors="replace")):
        return KeyFound(key)
    return NoKey(_NO_PEM, "Let it answer 404 for what it does not know, then restart Prosody.")

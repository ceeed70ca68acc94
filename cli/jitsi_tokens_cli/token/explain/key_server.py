"""Prosody's key server, asked for a public key as Prosody asks it."""

from __future__ import annotations

from functools import cache
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


def of_key_server(url: str) -> FindKey:
    """Return the way to the keys of a key server, asked as Prosody does (token/util.lib.lua).

    Raises:
        UsageError: it is no address.
    """
    web = Web(url, is_key_server=True)

    @cache
    def find(kid: str | None) -> KeyAnswer:
        try:
            reply = web.get(f"/{name_of(kid or '')}.pem")
        except UnicodeError:
            return KeyUnknown("It is not valid Unicode: the key server cannot be asked for it.")
        except Unanswered as error:
            return KeyUnknown(f"The key server cannot be asked. {error}")
        return _answered(reply)

    return find


def _answered(reply: Reply) -> KeyAnswer:
    status = reply.status
    if status == httpx.codes.NOT_FOUND:
        return NoKey(
            "It is not published: the key server answers 404, and Jitsi has no key to check with.",
            "Sign with a published key, under its kid. Check that Jitsi's JWT_ASAP_KEYSERVER is"
            " this server.",
        )
    if httpx.codes.is_client_error(status):
        return NoKey(
            f"Jitsi cannot fetch it: the key server answers HTTP {status}.",
            "Check the key server's address, with its whole path.",
        )
    if status not in (httpx.codes.OK, httpx.codes.NO_CONTENT):
        return KeyUnknown(f"The key server answers HTTP {status} instead of a key.")
    if key := read_public_pem(reply.content.decode(errors="replace")):
        return KeyFound(key)
    return NoKey(
        "The key server sends something else than a public key (BEGIN PUBLIC KEY, RSA). Prosody"
        " keeps that until it restarts, and logins hang.",
        "Let the key server answer 404 for what it does not know, then restart Prosody.",
    )

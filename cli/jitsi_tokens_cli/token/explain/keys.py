"""The ways to the key that Jitsi checks a signature with: a stack's secret, or a key server."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, assert_never

import httpx
import msgspec

from jitsi_tokens.core.keys import KeyDocument, KeyRefused
from jitsi_tokens.core.public_keys import name_of
from jitsi_tokens.core.rsa_keys import read_public_pem
from jitsi_tokens.secrets import CURRENT, PREVIOUS
from jitsi_tokens_cli.address import key_server_of
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.signing_secret import labelled_version
from jitsi_tokens_cli.token.explain.expectations import KeyFound, KeyUnknown, NoKey, of_settings
from jitsi_tokens_cli.web import Unanswered, Web

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens.secrets import KeyVersion
    from jitsi_tokens_cli.stack import Stack
    from jitsi_tokens_cli.token.explain.expectations import Expectations, FindKey, KeyAnswer
    from jitsi_tokens_cli.web import Reply

    type ReadVersion = Callable[[str], KeyVersion | None]


def expectations_of_stack(stack: Stack, url: str, read: ReadVersion | None = None) -> Expectations:
    """Return what the Jitsi of a stack wants, whose service is at `url`.

    `read` returns the version of the signing secret under a label, and raises CommandError where
    it may not; left out, Secrets Manager is asked.
    """
    match stack.trust:
        case "console" | "shared":
            find_key = _of_secret(stack, read or partial(labelled_version, stack))
        case "published":
            find_key = of_key_server(key_server_of(url))
        case _:
            assert_never(stack.trust)
    return of_settings(stack.settings, find_key)


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


def _of_secret(stack: Stack, read: ReadVersion) -> FindKey:
    """Return the way to the stack's present key and the one before; the answer says if denied."""

    @cache
    def find(kid: str | None) -> KeyAnswer:
        try:
            return _stored_key(stack, read, kid)
        except CommandError as error:
            return KeyUnknown(str(error))

    return find


def _stored_key(stack: Stack, read: ReadVersion, kid: str | None) -> KeyAnswer:
    version = read(CURRENT)
    if version is None:
        return KeyUnknown(f"The stack {stack.name} has no signing key yet.")
    try:
        present, key = _of_document(version.text, stack)
    except KeyRefused as refused:
        return KeyUnknown(f"The stack's key cannot sign: {refused}")
    if kid in (None, present):
        return key
    before = _of_version(read(PREVIOUS), stack)
    if before and kid == before[0]:
        return before[1]._replace(
            remark="It is the stack's previous key: it works as long as 8x8 has its public part."
        )
    return NoKey(
        f"The stack signs under {present}. Under another key id 8x8 finds another key or none.",
        "Let the header name the key that signs. Where the stack has a mistyped id:"
        " `jitsi-tokens key promote` with the right --kid.",
    )


def _of_version(version: KeyVersion | None, stack: Stack) -> tuple[str, KeyFound] | None:
    try:
        return _of_document(version.text, stack) if version else None
    except KeyRefused:
        return None


def _of_document(text: str, stack: Stack) -> tuple[str, KeyFound]:
    key = stack.read_key(text)
    if key.public_key:
        return key.kid, KeyFound(key.public_key)
    # A signing key gives its secret away to nobody; read_key has seen that there is one.
    secret = msgspec.json.decode(text, type=KeyDocument).secret or ""
    return key.kid, KeyFound(secret.encode())


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
        "The key server sends something other than a public key (BEGIN PUBLIC KEY, RSA). Prosody"
        " keeps that until it restarts, and logins hang.",
        "Let the key server answer 404 for what it does not know, then restart Prosody.",
    )

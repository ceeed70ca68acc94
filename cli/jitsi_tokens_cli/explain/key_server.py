"""Prosody's key server, asked for a public key as Prosody asks it."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx

from jitsi_tokens.public_keys import name_of
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.explain.expectations import FindKey, KeyAnswer, KeyFound, KeyUnknown, NoKey
from jitsi_tokens_cli.explain.pem import read_public_key

_TIMEOUT = httpx.Timeout(10, connect=5)
_HTTP_REFUSALS = range(400, 500)
_NO_PEM = (
    "In place of a public key (BEGIN PUBLIC KEY, RSA) the key server sends something else. Prosody"
    " keeps that until it restarts, and logins hang."
)


def of_key_server(url: str) -> FindKey:
    """Return the way to the keys of a key server, asked as Prosody does (token/util.lib.lua).

    Raises:
        CommandError: it is no address.
    """
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("https", "http") and bool(parts.hostname)
    except ValueError:
        named = False
    if not named:
        raise CommandError("The key server's URL begins with https:// and a host name.")

    def find(kid: str | None) -> KeyAnswer:
        try:
            response = httpx.get(
                f"{url.rstrip('/')}/{name_of(kid or '')}.pem",
                timeout=_TIMEOUT,
                follow_redirects=False,
                # A proxy has no way to what is meant for loopback.
                trust_env=parts.scheme == "https",
            )
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            return KeyUnknown(
                f"The key server {parts.hostname} does not answer ({type(error).__name__})."
            )
        return _answered(response)

    return find


def _answered(response: httpx.Response) -> KeyAnswer:
    status = response.status_code
    if status == httpx.codes.NOT_FOUND:
        return NoKey(
            "It is not published: the key server answers 404, and Jitsi has no key to check with.",
            "Sign with a key that is published, under its kid; look whether Jitsi's"
            " JWT_ASAP_KEYSERVER is this server.",
        )
    if status in _HTTP_REFUSALS:
        return NoKey(
            f"It cannot be obtained: the key server answers HTTP {status}.",
            "Look whether the key server's address is right, with its whole path.",
        )
    if status not in (httpx.codes.OK, httpx.codes.NO_CONTENT):
        return KeyUnknown(f"The key server answers HTTP {status} in place of a key.")
    if key := read_public_key(response.content):
        return KeyFound(key)
    return NoKey(_NO_PEM, "Let it answer 404 for what it does not know, then restart Prosody.")

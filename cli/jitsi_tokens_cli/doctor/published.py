"""The checks of the public keys, fetched as Jitsi fetches them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from jitsi_tokens.core.public_keys import name_of
from jitsi_tokens.core.rsa_keys import fingerprint, read_public_pem
from jitsi_tokens.publication import FRESH_SECONDS
from jitsi_tokens_cli.checks import Check, failed, passed

if TYPE_CHECKING:
    from jitsi_tokens.core.public_keys import PublicKey
    from jitsi_tokens.status import KeyFacts
    from jitsi_tokens_cli.stack import Stack
    from jitsi_tokens_cli.web import Reply, Web

_NAME = "published-key"
_PEM_BEGINS = b"-----BEGIN PUBLIC KEY-----"
_SERVER_LOG = "Look at the log of ServePublicKey, and whether the URL is this stack's."


def published_check(
    stack: Stack, web: Web, facts: KeyFacts, published: dict[str, PublicKey] | None
) -> Check:
    """Fetch the key that verifies what the stack signs.

    Where `published`, what SSM holds by name, cannot be read, it is None.

    Raises:
        Unanswered: nothing came.
    """
    kept = published.get(name_of(facts.kid)) if published is not None else None
    if published is not None and kept is None:
        return _found(stack, "not-published")
    reply = web.get(f"/asap/{name_of(facts.kid)}.pem")
    if reply.status == httpx.codes.NOT_FOUND and kept is None:
        return _found(stack, "not-published")
    if reply.status != httpx.codes.OK:
        return failed(
            _NAME,
            f"The signing key's public part is answered HTTP {reply.status}.",
            f"Wait {FRESH_SECONDS} seconds, then ask again. {_SERVER_LOG}",
        )
    return _given_out(stack, reply, facts, kept)


def _given_out(stack: Stack, reply: Reply, facts: KeyFacts, kept: PublicKey | None) -> Check:
    key = read_public_pem(reply.content.decode(errors="replace"))
    if key is None or not reply.content.startswith(_PEM_BEGINS):
        return failed(
            _NAME,
            "The address gives out something else than a public key. Prosody keeps it, and logins"
            " hang until it restarts.",
            f"{_SERVER_LOG} Then restart Prosody.",
        )
    if fingerprint(key) != facts.fingerprint:
        return _found(stack, "published-key-differs")
    if kept and kept.expires_at is not None:
        return _found(stack, "published-key-ends")
    return passed(_NAME, f"The address gives out the public part of {facts.kid}.")


def unknown_key_check(web: Web) -> Check:
    """Ask for a key that nobody has: Prosody keeps any other answer than 404 until it restarts.

    Raises:
        Unanswered: nothing came.
    """
    name = "missing-key-404"
    reply = web.get(f"/asap/{secrets.token_hex(32)}.pem")
    if reply.status != httpx.codes.NOT_FOUND:
        return failed(
            name,
            f"A key that does not exist is answered HTTP {reply.status}, where Jitsi needs 404.",
            "Look for what stands between, such as a CDN with an error page of its own."
            f" {_SERVER_LOG}",
        )
    if "no-store" not in str(reply.headers.get("Cache-Control", "")):
        return failed(
            name,
            "The 404 for a key that does not exist lacks Cache-Control: no-store: a key that is"
            " published a moment later may not be found.",
            "Look for what stands between and changes headers, such as a CDN.",
        )
    return passed(name, "A key that does not exist is answered 404.")


def jwks_check(web: Web, facts: KeyFacts) -> Check:
    """Look for the key in the JWKS.

    Raises:
        Unanswered: nothing came.
    """
    name, remedy = "jwks", f"Wait {FRESH_SECONDS} seconds, then ask again. {_SERVER_LOG}"
    reply = web.get("/.well-known/jwks.json")
    if reply.status != httpx.codes.OK:
        return failed(name, f"The JWKS is answered HTTP {reply.status}.", remedy)
    entries = _entries(reply)
    found = [entry for entry in entries if entry.get("kid") == facts.kid]
    if not found:
        return failed(name, f"The JWKS does not hold {facts.kid}.", remedy)
    if any(_fingerprint(entry) != facts.fingerprint for entry in found):
        return failed(name, f"The JWKS holds another key as {facts.kid}.", remedy)
    return passed(name, f"The JWKS holds it (keys in it: {len(entries)}).")


def _fingerprint(entry: dict[str, Any]) -> str | None:
    try:
        key = RSAAlgorithm.from_jwk(entry)
    except (jwt.InvalidKeyError, ValueError, TypeError):
        return None
    return fingerprint(key) if isinstance(key, RSAPublicKey) else None


def _entries(reply: Reply) -> list[dict[str, Any]]:
    keys = reply.document().get("keys")
    entries = keys if isinstance(keys, list) else []
    return [entry for entry in entries if isinstance(entry, dict)]


def _found(stack: Stack, code: str) -> Check:
    found = stack.finding(code)
    return failed(_NAME, found.what, found.remedy)

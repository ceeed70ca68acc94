"""What the Jitsi at hand wants of a token, and what is known of its keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from jitsi_tokens.settings import JAAS_DOMAIN, jaas_app_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from jitsi_tokens.settings import Provider, Settings
    from jitsi_tokens_cli.token.text import Found, Token

# Prosody: luajwtjitsi.lib.lua.
ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512")
APP_ID_PREFIX = jaas_app_id("")
APP_ID = re.compile(f"{APP_ID_PREFIX}[0-9A-Fa-f]{{32}}")


class KeyFound(NamedTuple):
    """The key that Jitsi checks the signature with: a public key or a shared secret."""

    key: RSAPublicKey | bytes
    remark: str = ""

    def __repr__(self) -> str:
        return "KeyFound()"


class NoKey(NamedTuple):
    """Jitsi finds no key under the `kid`."""

    why: str
    remedy: str


class KeyUnknown(NamedTuple):
    """Nobody can tell here which key Jitsi has."""

    why: str
    remedy: str = ""


type KeyAnswer = KeyFound | NoKey | KeyUnknown
# Takes the `kid`; None where keys are not chosen by it.
type FindKey = Callable[[str | None], KeyAnswer]


class Expectations(NamedTuple):
    """What a Jitsi wants. None, or no members, where it is not known.

    Attributes:
        tenant: the part of the path before the room; empty for none.
        clock_skew_seconds: how long before its start a token should be valid.
    """

    provider: Provider | None
    find_key: FindKey
    algorithm: str | None = None
    issuers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    subject: str | None = None
    domain: str | None = None
    tenant: str | None = None
    clock_skew_seconds: int = 10

    @property
    def is_jaas(self) -> bool:
        """Whether 8x8 reads the token."""
        return self.provider == "jaas"


class TokenUnderTest(NamedTuple):
    """All that the rules are applied to; `now` in epoch seconds, as Prosody's os.time().

    Attributes:
        intended_room: the room that the person means to join, as Jitsi compares it.
    """

    found: Found
    token: Token
    expected: Expectations
    intended_room: str | None
    now: int

    @property
    def header(self) -> dict[str, Any]:
        """What the header says."""
        return self.token.header

    @property
    def claims(self) -> dict[str, Any]:
        """What the token says."""
        return self.token.claims


def of_settings(settings: Settings, find_key: FindKey) -> Expectations:
    """Return what the Jitsi of a stack wants."""
    profile = settings.profile
    return Expectations(
        provider=settings.provider,
        find_key=find_key,
        algorithm=settings.algorithm,
        issuers=(profile.issuer,),
        audiences=(profile.audience,),
        subject=profile.subject,
        domain=settings.domain,
        tenant=settings.tenant or "",
        clock_skew_seconds=settings.clock_skew_seconds,
    )


def of_jaas(app_id: str | None, find_key: FindKey) -> Expectations:
    """Return what JaaS wants; the App ID with its prefix, where it is known."""
    return Expectations(
        provider="jaas",
        find_key=find_key,
        algorithm="RS256",
        issuers=("chat",),
        audiences=("jitsi",),
        subject=app_id,
        domain=JAAS_DOMAIN,
        tenant=app_id,
    )


def looks_like_jaas(header: dict[str, Any], claims: dict[str, Any]) -> bool:
    """Tell whether a token was plainly made for JaaS."""
    names = (header.get("kid"), claims.get("sub"))
    return (claims.get("iss"), claims.get("aud")) == ("chat", "jitsi") or any(
        isinstance(name, str) and name.startswith(APP_ID_PREFIX) for name in names
    )

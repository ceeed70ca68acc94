"""What the Jitsi at hand wants of a token, and what is known of its keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from jitsi_tokens.settings import JAAS_DOMAIN, jaas_app_id
from jitsi_tokens_cli.output import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from jitsi_tokens.settings import Provider, Settings
    from jitsi_tokens_cli.token.text import Found, Token

# Prosody: luajwtjitsi.lib.lua.
ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512")
APP_ID_PREFIX = jaas_app_id("")
_LONGEST = 120
_MOST_MEMBERS = 5


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
# Takes the `kid`; None where keys are not chosen by it. Asked twice, it must not fetch twice.
type FindKey = Callable[[str | None], KeyAnswer]


class Expectations(NamedTuple):
    """What a Jitsi wants. None, or no members, where it is not known.

    Attributes:
        verifies_domain: whether it compares `sub` with `subject`; None where it is not known.
        tenant: the part of the path before the room; empty for none.
        clock_skew_seconds: how long before its start a token should be valid.
    """

    provider: Provider | None
    find_key: FindKey
    algorithm: str | None = None
    issuers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    subject: str | None = None
    verifies_domain: bool | None = None
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

    @property
    def context(self) -> dict[str, Any]:
        """The claim `context`; empty where it is none."""
        return _object(self.claims.get("context"))

    @property
    def user(self) -> dict[str, Any]:
        """The person in it; empty where there is none."""
        return _object(self.context.get("user"))


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


def claim(claims: dict[str, Any], name: str) -> str:
    """Return what a token has under a name, for a person to read."""
    return shown(claims[name]) if name in claims else "missing"


def shown(value: object) -> str:
    """Return a JSON value on one line, cut where it is long."""
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, list) and (len(value) > _MOST_MEMBERS or not all(map(_is_flat, value))):
        return f"an array of {len(value)}"
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def listed(names: Sequence[str]) -> str:
    """Return the first of some names, quoted."""
    more = f" and {len(names) - _MOST_MEMBERS} more" if len(names) > _MOST_MEMBERS else ""
    return ", ".join(map(shown, names[:_MOST_MEMBERS])) + more


def _is_flat(value: object) -> bool:
    return not isinstance(value, dict | list)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

"""The stack's settings, read once from the environment and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from jitsi_tokens.core.claims import TokenProfile
from jitsi_tokens.core.requests import Limits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jitsi_tokens.core.keys import Algorithm, Trust
    from jitsi_tokens.core.rooms import TokenPlacement

type Provider = Literal["jaas", "self-hosted"]

JAAS_DOMAIN = "8x8.vc"
# How long a container goes on with the key that it fetched.
KEY_FRESH_SECONDS = 300
_JAAS_APP_ID_PREFIX = "vpaas-magic-cookie-"


class SettingMissing(ValueError):
    """A variable that the template should have set. The text names it, never its value."""


class Settings(NamedTuple):
    """What every token of this stack has in common. Times in seconds."""

    trust: Trust
    provider: Provider
    algorithm: Algorithm
    domain: str
    app_id: str
    tenant: str | None
    profile: TokenProfile
    limits: Limits
    clock_skew_seconds: int
    max_stale_seconds: int
    token_placement: TokenPlacement

    @property
    def kid_prefix(self) -> str:
        """What the `kid` of this stack's keys begins with: `<App ID>/` for JaaS."""
        return f"{self.app_id}/" if self.provider == "jaas" else ""

    @property
    def key_retention_seconds(self) -> int:
        """How long a key's public part is needed after the key was replaced.

        Containers keep a key for five minutes, and for the stale bound while Secrets Manager
        fails; the last token signed with it may begin the longest advance ahead, and live the
        longest life.
        """
        return (
            KEY_FRESH_SECONDS
            + self.max_stale_seconds
            + self.limits.max_advance_seconds
            + self.limits.max_lifetime_seconds
        )


def jaas_app_id(text: str) -> str:
    """Return a JaaS App ID with its prefix: people paste it with and without."""
    return _JAAS_APP_ID_PREFIX + text.removeprefix(_JAAS_APP_ID_PREFIX)


def trust_of(provider: str, algorithm: str) -> Trust:
    """Return the kind of stack that these two parameters make."""
    if provider == "jaas":
        return "console"
    return "shared" if algorithm == "HS256" else "published"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return the settings.

    Raises:
        SettingMissing: a variable is not set, or is not of its form.
    """
    provider = _one_of(environ, "PROVIDER", "jaas", "self-hosted")
    if provider == "jaas":
        algorithm = "RS256"
        app_id = jaas_app_id(_text(environ, "JAAS_APP_ID"))
        domain = environ.get("JITSI_DOMAIN") or JAAS_DOMAIN
        tenant: str | None = app_id
        profile = TokenProfile("chat", "jitsi", app_id, affiliation=False, features_expected=True)
    else:
        algorithm = _one_of(environ, "SIGNING_ALGORITHM", "HS256", "RS256")
        app_id = _text(environ, "JITSI_APP_ID")
        domain = _text(environ, "JITSI_DOMAIN")
        tenant = environ.get("JITSI_TENANT") or None
        profile = TokenProfile(
            _text(environ, "JITSI_ISSUER"),
            environ.get("JITSI_AUDIENCE") or app_id,
            environ.get("JITSI_SUBJECT") or tenant or domain.partition(":")[0],
            affiliation=True,
            features_expected=False,
        )
    return Settings(
        trust=trust_of(provider, algorithm),
        provider=cast("Provider", provider),
        algorithm=cast("Algorithm", algorithm),
        domain=domain,
        app_id=app_id,
        tenant=tenant,
        profile=profile,
        limits=Limits(
            _seconds(environ, "MAXIMUM_LIFETIME_SECONDS"),
            _seconds(environ, "MAXIMUM_ADVANCE_SECONDS"),
        ),
        clock_skew_seconds=_seconds(environ, "CLOCK_SKEW_SECONDS"),
        max_stale_seconds=_seconds(environ, "MAXIMUM_STALE_SECONDS"),
        token_placement=cast(
            "TokenPlacement", _one_of(environ, "MEETING_URL_TOKEN_PLACEMENT", "fragment", "query")
        ),
    )


def _text(environ: Mapping[str, str], name: str) -> str:
    if not (value := environ.get(name)):
        raise SettingMissing(f"{name} is not set")
    return value


def _one_of(environ: Mapping[str, str], name: str, *values: str) -> str:
    if (value := _text(environ, name)) not in values:
        raise SettingMissing(f"{name} must be one of: {', '.join(values)}")
    return value


def _seconds(environ: Mapping[str, str], name: str) -> int:
    text = _text(environ, name)
    if not text.isdecimal():
        raise SettingMissing(f"{name} must be a whole number of seconds")
    return int(text)

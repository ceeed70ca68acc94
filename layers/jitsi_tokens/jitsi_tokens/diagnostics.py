"""What GET /api/jitsi/jwt answers anybody, and GET /api/jitsi/diagnostics an allowed client."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from jitsi_tokens.core import moderators
from jitsi_tokens.core.findings import Finding
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.request_fields import MIN_LIFETIME_SECONDS
from jitsi_tokens.settings import Provider, Settings
from jitsi_tokens.status import KeyStatus, problems_of

# No server tells us how it is set up, so a self-hosted stack says this always.
_MODERATOR_ADVICE = Finding(
    "moderator-settings",
    moderators.MODERATOR_WARNING,
    f"In Jitsi set {moderators.settings_text()}. `jitsi-tokens jitsi-config` says what each does.",
)


class Probe(Struct, rename="camel", frozen=True, kw_only=True):
    """Whether the service works."""

    configured: Annotated[
        bool,
        Meta(
            description="Whether the last check signed a token that Jitsi can verify.",
            examples=[True],
        ),
    ]


class Lifetimes(Struct, rename="camel", frozen=True, kw_only=True):
    """The limits of this stack, in seconds."""

    minimum_seconds: Annotated[
        int, Meta(description="The shortest lifetime of a token, in seconds.", examples=[60])
    ]
    default_seconds: Annotated[
        int,
        Meta(
            description=(
                "The lifetime of a token without `expirationSeconds`, in seconds: 3600, or the"
                " client's or the stack's limit if that is lower."
            ),
            examples=[3600],
        ),
    ]
    maximum_seconds: Annotated[
        int, Meta(description="The longest lifetime of a token, in seconds.", examples=[14400])
    ]
    maximum_advance_seconds: Annotated[
        int,
        Meta(description="How far in the future a token may start, in seconds.", examples=[604800]),
    ]
    clock_skew_seconds: Annotated[
        int,
        Meta(
            description="How many seconds before the requested time a token starts to work.",
            examples=[10],
        ),
    ]
    maximum_stale_seconds: Annotated[
        int,
        Meta(
            description=(
                "How many seconds the last known key keeps signing while Secrets Manager fails."
            ),
            examples=[14400],
        ),
    ]


class Diagnostics(Probe, rename="camel", frozen=True, kw_only=True):
    """Which key signs, how long tokens live, and what is wrong."""

    checked_at: Annotated[
        int | None,
        Meta(
            description="When the key was last checked, in epoch seconds; null if never.",
            examples=[1795315936],
        ),
    ]
    provider: Annotated[
        Provider,
        Meta(
            description="Which Jitsi the tokens are for: 8x8's JaaS or a self-hosted server.",
            examples=["self-hosted"],
        ),
    ]
    domain: Annotated[
        str, Meta(description="The host name of the Jitsi server.", examples=["meet.example.org"])
    ]
    app_id: Annotated[
        str,
        Meta(
            description="The JaaS App ID, or Prosody's `app_id`.", examples=["openemr_telehealth"]
        ),
    ]
    algorithm: Annotated[
        Literal["HS256", "RS256"],
        Meta(description="The signature algorithm of the tokens.", examples=["RS256"]),
    ]
    key_id: Annotated[
        str | None,
        Meta(
            description="The `kid` of the signing key; null if there is no key.",
            examples=["initial"],
        ),
    ]
    public_key_fingerprint: Annotated[
        str | None,
        Meta(
            description="The SHA-256 of the public key, in hex; null with a shared secret.",
            examples=["0123456789abcdef" * 4],
        ),
    ]
    key_age_seconds: Annotated[
        int | None,
        Meta(
            description="The age of the signing key, in seconds; null if there is no key.",
            examples=[86400],
        ),
    ]
    lifetimes: Annotated[
        Lifetimes,
        Meta(
            description="The limits of this stack, in seconds.",
            examples=[
                {
                    "minimumSeconds": 60,
                    "defaultSeconds": 3600,
                    "maximumSeconds": 14400,
                    "maximumAdvanceSeconds": 604800,
                    "clockSkewSeconds": 10,
                    "maximumStaleSeconds": 14400,
                }
            ],
        ),
    ]
    problems: Annotated[
        list[Finding], Meta(description="What is wrong with the key.", examples=[[]])
    ]
    advice: Annotated[
        list[Finding],
        Meta(
            description="What the service cannot check itself and you should look at.",
            examples=[[]],
        ),
    ]


def diagnosis(settings: Settings, policy: Policy, status: KeyStatus, now: int) -> Diagnostics:
    """Return the diagnostics; `now` in epoch seconds, ages and lifetimes in seconds."""
    key = status.key
    return Diagnostics(
        configured=status.configured,
        checked_at=status.checked_at or None,
        provider=settings.provider,
        domain=settings.domain,
        app_id=settings.app_id,
        algorithm=settings.algorithm,
        key_id=key.kid if key else None,
        public_key_fingerprint=key.fingerprint if key else None,
        key_age_seconds=max(0, now - key.created_at) if key else None,
        lifetimes=Lifetimes(
            minimum_seconds=MIN_LIFETIME_SECONDS,
            default_seconds=policy.limits(settings.limits).default_lifetime_seconds,
            maximum_seconds=settings.limits.max_lifetime_seconds,
            maximum_advance_seconds=settings.limits.max_advance_seconds,
            clock_skew_seconds=settings.clock_skew_seconds,
            maximum_stale_seconds=settings.max_stale_seconds,
        ),
        problems=problems_of(status, now),
        advice=[_MODERATOR_ADVICE] if settings.provider == "self-hosted" else [],
    )

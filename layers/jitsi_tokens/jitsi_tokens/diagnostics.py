"""What GET /api/jitsi/diagnostics tells a client that may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from jitsi_tokens import moderators
from jitsi_tokens.requests import DEFAULT_LIFETIME_SECONDS, MIN_LIFETIME_SECONDS
from jitsi_tokens.status import problems_of

if TYPE_CHECKING:
    from jitsi_tokens.settings import Settings
    from jitsi_tokens.status import KeyStatus

# No server tells us how it is set up, so a self-hosted stack says this always.
_MODERATOR_ADVICE = {
    "code": "moderator-settings",
    "what": moderators.SENTENCE,
    "remedy": f"In Jitsi set {moderators.settings_text()}.",
}


def document(settings: Settings, status: KeyStatus, now: int) -> dict[str, Any]:
    """Return the diagnostics; `now` in epoch seconds, ages and lifetimes in seconds."""
    key = status.key
    return {
        "configured": status.configured,
        "checkedAt": status.checked_at or None,
        "provider": settings.provider,
        "domain": settings.domain,
        "appId": settings.app_id,
        "algorithm": settings.algorithm,
        "keyId": key.kid if key else None,
        "publicKeyFingerprint": key.fingerprint if key else None,
        "keyAgeSeconds": max(0, now - key.created_at) if key else None,
        "lifetimes": {
            "minimumSeconds": MIN_LIFETIME_SECONDS,
            "defaultSeconds": DEFAULT_LIFETIME_SECONDS,
            "maximumSeconds": settings.limits.max_lifetime_seconds,
            "maximumAdvanceSeconds": settings.limits.max_advance_seconds,
            "clockSkewSeconds": settings.clock_skew_seconds,
            "maximumStaleSeconds": settings.max_stale_seconds,
        },
        "problems": msgspec.to_builtins(problems_of(status, now)),
        "advice": [_MODERATOR_ADVICE] if settings.provider == "self-hosted" else [],
    }

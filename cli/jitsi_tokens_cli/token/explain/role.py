"""The rules of what a person may do: features, moderator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jitsi_tokens.core import moderators
from jitsi_tokens.core.features import FEATURES
from jitsi_tokens_cli.token.explain.verdicts import (
    MISSING,
    Verdict,
    claim,
    failed,
    listed,
    passed,
    shown,
)

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest

# mod_token_affiliation: whoever has none of them is a member.
_OWNERS = ("owner", "moderator", "teacher")
_SETTINGS = f"{moderators.MODERATOR_WARNING} It heeds the token with {moderators.settings_text()}."


def role_rules(evidence: TokenUnderTest) -> list[Verdict]:
    """Apply the rules of features (web client: validateJwt) and moderator."""
    context = evidence.claims.get("context")
    inside = context if isinstance(context, dict) else {}
    return [_features(evidence, inside), _moderator(evidence, inside)]


def _features(evidence: TokenUnderTest, context: dict[str, Any]) -> Verdict:
    if "features" not in context:
        if evidence.expected.is_jaas:
            return failed(
                "features",
                MISSING,
                "JaaS's web client expects context.features, and reports a token without it.",
                'Add "features": {}: it allows none.',
            )
        return passed("features", "missing: a moderator has Jitsi's defaults")
    features = context["features"]
    if isinstance(features, dict):
        return _switches(features)
    return failed(
        "features",
        "not an object",
        "Jitsi wants an object of switches there.",
        'Write {"recording": "true"} and the like, or {} for none.',
    )


def _switches(features: dict[str, Any]) -> Verdict:
    if unknown := [name for name in features if name not in FEATURES]:
        return failed(
            "features",
            listed(unknown),
            "The web client knows no such feature, and reports it as an error.",
            f"Leave it out. Jitsi knows: {', '.join(sorted(FEATURES))}.",
        )
    if odd := [name for name, value in features.items() if not _is_flag_or_null(value)]:
        return failed(
            "features",
            f"{listed(odd)} neither true nor false",
            "The web client takes the strings true and false, and booleans; nothing else.",
            'Write "true" or "false".',
        )
    if not features:
        return passed("features", "none: {} denies all of them, even to a moderator")
    allowed = [name for name, value in features.items() if value in (True, "true")]
    return passed("features", f"allowed: {listed(allowed) or 'none'}")


def _moderator(evidence: TokenUnderTest, context: dict[str, Any]) -> Verdict:
    user = context.get("user")
    fields = user if isinstance(user, dict) else {}
    found = f"moderator {claim(fields, 'moderator')}"
    if not _is_flag_or_null(fields.get("moderator")):
        return failed(
            "moderator",
            found,
            "Jitsi reads true and false there, as strings or booleans. Anything else is a guest.",
            'Write "true" or "false".',
        )
    is_moderator = fields.get("moderator") in (True, "true")
    if evidence.expected.is_jaas:
        return passed("moderator", f"{found}: JaaS makes {_role(is_moderator)}")
    if "affiliation" in fields:
        found += f", affiliation {claim(fields, 'affiliation')}"
    is_owner = is_moderator or fields.get("affiliation") in _OWNERS
    found += f": a Jitsi that heeds it makes {_role(is_owner)}"
    bypass = fields.get("lobby_bypass", False)
    if isinstance(bypass, bool):
        return passed("moderator", found, _SETTINGS)
    return passed(
        "moderator",
        f"{found}; lobby_bypass {shown(bypass)} lets nobody past the lobby",
        f"Write lobby_bypass as the boolean true, or leave it out. {_SETTINGS}",
    )


def _role(is_moderator: bool) -> str:  # noqa: FBT001 - the value is the role
    return "a moderator" if is_moderator else "a guest"


def _is_flag_or_null(value: object) -> bool:
    # A null is the rule of context.
    return value is None or isinstance(value, bool) or value in ("true", "false")

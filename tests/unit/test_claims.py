"""The claims of a meeting token, as Prosody and JaaS read them."""

from typing import Any

import pytest

from jitsi_tokens.core.claims import TokenProfile, meeting_claims
from jitsi_tokens.core.requests import TokenRequest, Validity

NOW = 1_800_000_000
JAAS = TokenProfile("chat", "jitsi", "vpaas-app", affiliation=False, features_expected=True)
SELF_HOSTED = TokenProfile("openemr", "aud", "meet.org", affiliation=True, features_expected=False)


def claims_of(request: TokenRequest, profile: TokenProfile) -> dict[str, Any]:
    """Return the claims of a request for an hour from now."""
    return meeting_claims(
        request,
        profile=profile,
        room="room%201",
        validity=Validity(NOW, NOW + 3600),
        clock_skew_seconds=10,
        now=NOW,
        jti="jti-1",
    )


def test_a_jaas_guest() -> None:
    """The whole token of a guest who sent only what is required."""
    claims = claims_of(TokenRequest(user_id="u", user_name="Anna", room_name="Room 1"), JAAS)

    assert claims == {
        "aud": "jitsi",
        "iss": "chat",
        "sub": "vpaas-app",
        "room": "room%201",
        "exp": NOW + 3600,
        "nbf": NOW - 10,
        "iat": NOW,
        "jti": "jti-1",
        "context": {
            "user": {"id": "u", "name": "Anna", "moderator": "false"},
            "features": {},
        },
    }


def test_a_self_hosted_moderator_with_everything() -> None:
    """The whole token of a moderator who sent every field."""
    request = TokenRequest(
        user_id="u",
        user_name="Anna",
        room_name="Room 1",
        user_email="anna@example.org",
        user_avatar="https://example.org/a.png",
        is_moderator=True,
        features={"recording": True, "lobby": False},
    )

    claims = claims_of(request, SELF_HOSTED)

    assert claims == {
        "aud": "aud",
        "iss": "openemr",
        "sub": "meet.org",
        "room": "room%201",
        "exp": NOW + 3600,
        "nbf": NOW - 10,
        "iat": NOW,
        "jti": "jti-1",
        "context": {
            "user": {
                "id": "u",
                "name": "Anna",
                "email": "anna@example.org",
                "avatar": "https://example.org/a.png",
                "moderator": "true",
                "affiliation": "owner",
                "lobby_bypass": True,
            },
            "features": {"recording": "true", "lobby": "false"},
        },
    }


@pytest.mark.parametrize(
    ("profile", "is_moderator"), [(SELF_HOSTED, False), (JAAS, True)], ids=["guest", "jaas"]
)
def test_only_a_self_hosted_moderator_passes_the_lobby(
    profile: TokenProfile, *, is_moderator: bool
) -> None:
    """Nobody else has the claim, not even as false."""
    request = TokenRequest(user_id="u", user_name="Anna", room_name="r", is_moderator=is_moderator)

    assert "lobby_bypass" not in claims_of(request, profile)["context"]["user"]


@pytest.mark.parametrize(
    ("is_moderator", "affiliation"), [(True, "owner"), (False, "member")], ids=["owner", "member"]
)
def test_a_self_hosted_role_is_said_twice(*, is_moderator: bool, affiliation: str) -> None:
    """As moderator, and as mod_token_affiliation reads it; features stay out when not asked."""
    request = TokenRequest(user_id="u", user_name="Anna", room_name="r", is_moderator=is_moderator)

    context = claims_of(request, SELF_HOSTED)["context"]

    assert context["user"]["affiliation"] == affiliation
    assert "features" not in context


def test_features_that_deny_everything_stay() -> None:
    """An empty object is not the same as none: it denies everything."""
    request = TokenRequest(user_id="u", user_name="Anna", room_name="r", features={})

    assert claims_of(request, SELF_HOSTED)["context"]["features"] == {}

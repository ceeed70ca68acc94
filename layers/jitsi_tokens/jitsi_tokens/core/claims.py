"""The claims of a meeting token, as Prosody and JaaS read them."""

from typing import Any, NamedTuple

from msgspec import UNSET

from jitsi_tokens.core.requests import TokenRequest, Validity


class TokenProfile(NamedTuple):
    """Whose tokens these are: the fixed part of every token of a stack.

    Attributes:
        audience: one string: an array never matches (Prosody: token/util.lib.lua).
        subject: JaaS: the App ID; self-hosted: the XMPP domain, or the tenant.
        affiliation: also say the role as mod_token_affiliation reads it, and let a moderator
            past the lobby as mod_token_lobby_bypass does.
        features_expected: JaaS wants `features` to be there, empty for none.
    """

    issuer: str
    audience: str
    subject: str
    affiliation: bool
    features_expected: bool


def meeting_claims(
    request: TokenRequest,
    *,
    profile: TokenProfile,
    room: str,
    validity: Validity,
    clock_skew_seconds: int,
    now: int,
    jti: str,
) -> dict[str, Any]:
    """Return the claims. Times are epoch seconds.

    `nbf` lies the clock skew before the start, as Jitsi compares times with no leeway. Absent
    values are left out: a null in `context` or for `room` hangs the login.
    """
    user: dict[str, Any] = {
        "id": request.user_id,
        "name": request.user_name,
        "moderator": _flag(request.is_moderator),
    }
    if request.user_email is not UNSET:
        user["email"] = request.user_email
    if request.user_avatar is not UNSET:
        user["avatar"] = request.user_avatar
    if profile.affiliation:
        user["affiliation"] = "owner" if request.is_moderator else "member"
        if request.is_moderator:
            # The module takes a boolean alone; a Jitsi without the module ignores it.
            user["lobby_bypass"] = True
    context: dict[str, Any] = {"user": user}
    if request.features is not UNSET:
        context["features"] = {name: _flag(value) for name, value in request.features.items()}
    elif profile.features_expected:
        context["features"] = {}
    return {
        "aud": profile.audience,
        "iss": profile.issuer,
        "sub": profile.subject,
        "room": room,
        "exp": validity.expires_at,
        "nbf": validity.starts_at - clock_skew_seconds,
        "iat": now,
        "jti": jti,
        "context": context,
    }


def _flag(value: bool) -> str:  # noqa: FBT001 - the value is the flag
    # Strings, as 8x8 documents them; self-hosted Jitsi reads both.
    return "true" if value else "false"

"""The scripts that the service replaces, for one doctor. Neither checks who is calling."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable

_LIFETIME_SECONDS = 3600
_ROOM = "session-123"
_USER = {"name": "Dr. Smith", "email": "dr.smith@clinic.example"}
_FEATURES = ("livestreaming", "outbound-call", "transcription", "recording")
APP_ID = "vpaas-magic-cookie-0123456789abcdef"


def pasted_secret(secret: str) -> Callable[[], str]:
    """Return a self-hosted Jitsi's script: HS256, with the secret in its text."""

    def generate_jwt_token() -> str:
        now = int(time.time())
        claims = {
            "aud": "openemr_telehealth",
            "iss": "openemr",
            "sub": "meet.example.org",
            "room": _ROOM,
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME_SECONDS,
            "context": {"user": {**_USER, "moderator": True}},
        }
        return jwt.encode(claims, secret, algorithm="HS256")

    return generate_jwt_token


def pem_each_time(private_key: str) -> Callable[[], str]:
    """Return 8x8's sample for JaaS, which parses the PEM for each token."""

    def generate_jwt_token() -> str:
        now = int(time.time())
        claims = {
            "aud": "jitsi",
            "iss": "chat",
            "sub": APP_ID,
            "room": _ROOM,
            "nbf": now - 10,
            "exp": now + _LIFETIME_SECONDS,
            "context": {
                "user": {**_USER, "id": str(uuid.uuid4()), "avatar": "", "moderator": "true"},
                "features": dict.fromkeys(_FEATURES, "false"),
            },
        }
        headers = {"kid": f"{APP_ID}/key"}
        return jwt.encode(claims, private_key, algorithm="RS256", headers=headers)

    return generate_jwt_token

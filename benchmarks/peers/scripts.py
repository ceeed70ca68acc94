"""The scripts that the service replaces, as functions of this process.

Each is given what its original has as a constant or reads from a file. Neither asks who is calling.
"""

from __future__ import annotations

import time
import uuid
from typing import Any, Protocol

import jwt

_LIFETIME_SECONDS = 3600
# The samples' allowance for clocks that differ.
_EARLIER_SECONDS = 10


class GenerateToken(Protocol):
    """The scripts' one function."""

    def __call__(
        self, room_name: str, user_name: str, user_email: str, *, is_moderator: bool = False
    ) -> str:
        """Return a token for one user in one room, for an hour."""


def pasted_secret(
    secret: str,
    *,
    app_id: str = "openemr_telehealth",
    issuer: str = "openemr",
    domain: str = "meet.example.org",
) -> GenerateToken:
    """Return the generate_jwt_token of a self-hosted Jitsi's script with this secret in its text.

    HS256, of a string that is at hand: nothing is fetched, checked or written down.
    """

    def generate_jwt_token(
        room_name: str, user_name: str, user_email: str, *, is_moderator: bool = False
    ) -> str:
        now = int(time.time())
        claims = {
            "aud": app_id,
            "iss": issuer,
            "sub": domain,
            "room": room_name,
            "iat": now,
            "nbf": now,
            "exp": now + _LIFETIME_SECONDS,
            "context": {
                "user": {"name": user_name, "email": user_email, "moderator": is_moderator}
            },
        }
        return jwt.encode(claims, secret, algorithm="HS256")

    return generate_jwt_token


def pem_each_time(private_key: str, *, app_id: str, kid: str) -> GenerateToken:
    """Return what 8x8's samples for JaaS do: the PEM's text signs, parsed anew for each token.

    Args:
        private_key: an RSA key, PEM.
        app_id: JaaS's, with its prefix.
        kid: of that key: `<app_id>/<key id>`.
    """

    def generate_jwt_token(
        room_name: str, user_name: str, user_email: str, *, is_moderator: bool = False
    ) -> str:
        now = int(time.time())
        claims: dict[str, Any] = {
            "aud": "jitsi",
            "iss": "chat",
            "sub": app_id,
            "room": room_name,
            "nbf": now - _EARLIER_SECONDS,
            "exp": now + _LIFETIME_SECONDS,
            "context": {
                "user": {
                    "id": str(uuid.uuid4()),
                    "name": user_name,
                    "email": user_email,
                    "avatar": "",
                    "moderator": "true" if is_moderator else "false",
                },
                "features": {
                    "livestreaming": "false",
                    "outbound-call": "false",
                    "transcription": "false",
                    "recording": "false",
                },
            },
        }
        return jwt.encode(claims, private_key, algorithm="RS256", headers={"kid": kid})

    return generate_jwt_token

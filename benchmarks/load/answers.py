"""What each call must be answered: anything else is an error, whatever its status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    # What is wrong with the text of an answer; None where nothing is.
    type Check = Callable[[str], str | None]

type Keys = Mapping[str | None, jwt.PyJWK]


def read_keys(document: str) -> Keys:
    """Return the keys of a JWK set by their ids."""
    return {key.key_id: key for key in jwt.PyJWKSet.from_json(document).keys}


def token_for(person: Mapping[str, Any], keys: Keys) -> Check:
    """Check a token: its signature, its room, and whether it makes a moderator."""

    def check(text: str) -> str | None:
        answer = json.loads(text)
        kid = jwt.get_unverified_header(answer["token"]).get("kid")
        if kid not in keys:
            return "a token by an unknown key"
        claims = jwt.decode(
            answer["token"], keys[kid], algorithms=["RS256"], options={"verify_aud": False}
        )
        if not person["roomName"] == claims["room"] == answer["roomName"]:
            return "another room"
        if claims["context"]["user"]["moderator"] not in _written(person.get("isModerator", False)):
            return "another role"
        return None

    return _read(check)


def problem(kind: str) -> Check:
    """Check a refusal of the service's own."""

    def check(text: str) -> str | None:
        return None if json.loads(text)["type"].endswith(f":{kind}") else "another problem"

    return _read(check)


def configured(text: str) -> str | None:
    """Check the probe's answer."""
    return None if json.loads(text) == {"configured": True} else "not configured"


def key_set(text: str) -> str | None:
    """Check that there are public keys."""
    return None if read_keys(text) else "no keys"


def pem(text: str) -> str | None:
    """Check that it is a public key."""
    return None if text.startswith("-----BEGIN PUBLIC KEY-----") else "no public key"


def any_text(_text: str) -> None:
    """Check nothing: API Gateway's own refusals say all by their status."""


def _written(moderator: bool) -> tuple[bool, str]:  # noqa: FBT001 - a claim's value
    # JaaS has it as text.
    return moderator, str(moderator).lower()


def _read(check: Check) -> Check:
    def careful(text: str) -> str | None:
        try:
            return check(text)
        except (ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            # By its name alone: what it says may quote a token.
            return type(error).__name__

    return careful

"""What the client sends."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING

from jitsi_tokens_client.errors import InvalidRequestError

if TYPE_CHECKING:
    from jitsi_tokens_client.appointment import Appointment
    from jitsi_tokens_client.secret import Secret

TOKEN_PATH = "/api/jitsi/jwt"
# Lower-casing by Unicode would differ from language to language, and by version.
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


@dataclass(frozen=True, repr=False)
class Request:
    """One request; `path` follows the service's address, and `body` is JSON."""

    method: str
    path: str
    body: bytes | None = None
    api_key: Secret | None = None


@dataclass(frozen=True, repr=False)
class TokenRequest:
    """The arguments of `issue`; its repr shows none of them."""

    room_name: str
    user_name: str
    user_email: str | None = None
    is_moderator: bool = False
    user_id: str | None = None
    user_avatar: str | None = None
    appointment: Appointment | None = None
    expiration_seconds: int | None = None
    not_before: int | None = None
    features: Mapping[str, bool] | None = None

    def body(self, id_key: Secret) -> bytes:
        """Return the JSON to send, or raise InvalidRequestError."""
        self._check()
        document = {
            "userId": self.user_id or self._derived_user_id(id_key),
            "userName": self.user_name,
            "roomName": self.room_name,
            "userEmail": self.user_email or None,
            "userAvatar": self.user_avatar or None,
            "isModerator": self.is_moderator,
            "notBefore": (self.appointment or self).not_before,
            "expirationSeconds": (self.appointment or self).expiration_seconds,
            "features": None if self.features is None else dict(self.features),
        }
        present = {name: value for name, value in document.items() if value is not None}
        return json.dumps(present, ensure_ascii=False).encode()

    def _derived_user_id(self, key: Secret) -> str:
        # Stable for a user, without naming the user.
        if self.user_email:
            message = f"email\n{self.user_email.translate(_LOWER)}"
        else:
            message = f"name\n{self.user_name}\n{self.room_name}"
        # os.environ keeps bytes that are not UTF-8 as surrogates.
        key_bytes = key.reveal().encode("utf-8", "surrogateescape")
        return hmac.new(key_bytes, message.encode(), hashlib.sha256).hexdigest()

    def _check(self) -> None:
        if self.appointment is not None and (
            self.expiration_seconds is not None or self.not_before is not None
        ):
            raise InvalidRequestError(
                "Give either an appointment, or not_before and expiration_seconds."
            )
        texts = {
            "/roomName": self.room_name,
            "/userName": self.user_name,
            "/userEmail": self.user_email or "",
            "/userAvatar": self.user_avatar or "",
            "/userId": self.user_id or "",
        }
        for pointer, text in texts.items():
            if not is_text(text):
                raise _not_sent(pointer, "must be a string of whole Unicode characters")
        # Any string is true, "false" too.
        if not isinstance(self.is_moderator, bool):
            raise _not_sent("/isModerator", "must be true or false")
        if self.features is not None and not _is_features(self.features):
            raise _not_sent("/features", "must hold true or false by the features' names")


def is_text(value: object) -> bool:
    """Return whether it is a string without surrogates, which UTF-8 cannot hold."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_features(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        is_text(name) and isinstance(is_on, bool) for name, is_on in value.items()
    )


def _not_sent(pointer: str, flaw: str) -> InvalidRequestError:
    return InvalidRequestError(f"The request is not sent: {pointer} {flaw}.", field=pointer)

"""What the client sends."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any

from jitsi_tokens_client.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jitsi_tokens_client.appointment import Appointment
    from jitsi_tokens_client.secret import Secret

TOKEN_PATH = "/api/jitsi/jwt"
# Lower-casing by Unicode would differ from language to language, and by version.
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, repr=False)
class Request:
    """One request.

    Attributes:
        path: follows the service's address.
        body: JSON.
        is_repeatable: whether it may be sent again while an earlier attempt may be under way.
    """

    method: str
    path: str
    body: bytes | None = None
    api_key: Secret | None = None
    is_repeatable: bool = True


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

    def document(self, id_key: Secret) -> dict[str, Any]:
        """Return the fields of the request, or raise InvalidRequestError."""
        if self.appointment is not None and (
            self.expiration_seconds is not None or self.not_before is not None
        ):
            raise InvalidRequestError(
                "Give either an appointment, or not_before and expiration_seconds."
            )
        optional = {
            "userEmail": self.user_email or None,
            "userAvatar": self.user_avatar or None,
            "notBefore": (self.appointment or self).not_before,
            "expirationSeconds": (self.appointment or self).expiration_seconds,
            "features": None if self.features is None else dict(self.features),
        }
        return {
            "userId": self.user_id or self._derived_user_id(id_key),
            "userName": self.user_name,
            "roomName": self.room_name,
            "isModerator": self.is_moderator,
            **{name: value for name, value in optional.items() if value is not None},
        }

    def _derived_user_id(self, key: Secret) -> str:
        # Stable for a user, without naming the user.
        if self.user_email:
            message = f"email\n{self.user_email.translate(_LOWER)}"
        else:
            message = f"name\n{self.user_name}\n{self.room_name}"
        # os.environ keeps bytes that are not UTF-8 as surrogates.
        key_bytes = key.reveal().encode("utf-8", "surrogateescape")
        return hmac.new(key_bytes, message.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def json_body(document: Mapping[str, Any]) -> bytes:
    """Return the JSON of a document.

    Raises:
        InvalidRequestError: a string holds half a surrogate pair, which UTF-8 cannot hold.
    """
    for name, value in document.items():
        if _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
            raise InvalidRequestError(
                f"The request is not sent: /{name} must hold whole Unicode characters only.",
                field=f"/{name}",
            )
    return json.dumps(document, ensure_ascii=False).encode()

"""What is asked of the service, as the JSON that it reads."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any

from jitsi_tokens_client.appointment import Appointment
from jitsi_tokens_client.errors import InvalidRequestError

if TYPE_CHECKING:
    from jitsi_tokens_client.secret import Secret

_INT64 = range(-(2**63), 2**63)
# Lower-casing by Unicode would differ from language to language, and by version.
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


@dataclass(frozen=True, repr=False)
class TokenRequest:
    """What the caller asks for; its repr shows none of it."""

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


def encode(request: TokenRequest, id_key: Secret) -> bytes | InvalidRequestError:
    """Return the body of `POST /api/jitsi/jwt`, or why there can be none.

    The error is returned: raised here, its frames would hold what is asked for.
    """
    error = _error(request)
    if error:
        return error
    appointment = request.appointment
    document: dict[str, Any] = {
        "userId": request.user_id or _derived_user_id(request, id_key),
        "userName": request.user_name,
        "roomName": request.room_name,
        "userEmail": request.user_email or None,
        "userAvatar": request.user_avatar or None,
        "isModerator": request.is_moderator,
        "notBefore": (appointment or request).not_before,
        "expirationSeconds": (appointment or request).expiration_seconds,
        "features": None if request.features is None else dict(request.features),
    }
    present = {name: value for name, value in document.items() if value is not None}
    return json.dumps(present, ensure_ascii=False).encode()


def is_text(value: object) -> bool:
    """Return whether it is a string that UTF-8 can hold: it has no surrogate."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def is_whole(value: object) -> bool:
    """Return whether it is a number that JSON's readers take for whole; True is none."""
    return type(value) is int and value in _INT64


def _derived_user_id(request: TokenRequest, key: Secret) -> str:
    # The same for the same user, and no name.
    if request.user_email:
        message = f"email\n{request.user_email.translate(_LOWER)}"
    else:
        message = f"name\n{request.user_name}\n{request.room_name}"
    # The environment may hold bytes that are no UTF-8: os.environ keeps them as surrogates.
    key_bytes = key.reveal().encode("utf-8", "surrogateescape")
    return hmac.new(key_bytes, message.encode(), hashlib.sha256).hexdigest()


def _error(request: TokenRequest) -> InvalidRequestError | None:
    own_times = (request.expiration_seconds, request.not_before)
    if request.appointment is not None and own_times != (None, None):
        return InvalidRequestError(
            "Give either an appointment, or not_before and expiration_seconds."
        )
    required = {"/roomName": request.room_name, "/userName": request.user_name}
    optional = {
        "/userEmail": request.user_email,
        "/userAvatar": request.user_avatar,
        "/userId": request.user_id,
    }
    texts = required | {pointer: text for pointer, text in optional.items() if text is not None}
    for pointer, text in texts.items():
        if not is_text(text):
            return _field_error(pointer, "must be a string of whole Unicode characters.")
    for pointer, number in zip(("/expirationSeconds", "/notBefore"), own_times, strict=True):
        if number is not None and not is_whole(number):
            return _field_error(pointer, "must be a whole number of seconds.")
    others = (
        # Any string is true, "false" too.
        (isinstance(request.is_moderator, bool), "/isModerator", "must be true or false."),
        (
            _is_features(request.features),
            "/features",
            "must hold true or false by the features' names.",
        ),
        (
            isinstance(request.appointment, Appointment | None),
            "/appointment",
            "must be an Appointment.",
        ),
    )
    flawed = (_field_error(pointer, flaw) for is_fit, pointer, flaw in others if not is_fit)
    return next(flawed, None)


def _is_features(value: object) -> bool:
    return value is None or (
        isinstance(value, Mapping)
        and all(is_text(name) and isinstance(is_on, bool) for name, is_on in value.items())
    )


def _field_error(pointer: str, flaw: str) -> InvalidRequestError:
    return InvalidRequestError(f"The request is not sent: {pointer} {flaw}", field=pointer)

"""What a caller may send, and for which time it asks."""

import functools
import json
import re
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Struct, UnsetType

from jitsi_tokens.core import request_fields as fields
from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.problems import (
    MALFORMED_REQUEST,
    Problem,
    invalid_field,
)
from jitsi_tokens.core.rooms import RoomRefused, scoped_room
from jitsi_tokens.core.text import rejection_reason
from jitsi_tokens.core.validation import json_pointer, problem_from

# HTML's "valid e-mail address", with letters of every script (RFC 6531).
_LABEL = r"(?!-)[^\s\x00-,./:-@\[-`{-\x7f]{1,63}(?<!-)"
_EMAIL = re.compile(rf"[^\s\"(),:;<>@\[\\\]]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")


class Limits(NamedTuple):
    """What the stack allows anyone, and gives where a request names no lifetime; in seconds."""

    max_lifetime_seconds: int
    max_advance_seconds: int
    default_lifetime_seconds: int = fields.DEFAULT_LIFETIME_SECONDS


class Validity(NamedTuple):
    """When a token is meant to work, in epoch seconds, before any allowance for clock skew."""

    starts_at: int
    expires_at: int


class TokenRequest(Struct, forbid_unknown_fields=True, rename="camel", frozen=True, kw_only=True):
    """Who joins which room, in which role, and when. Unknown fields are rejected."""

    user_id: fields.UserId
    user_name: fields.UserName
    room_name: fields.RoomName
    user_email: fields.UserEmail | UnsetType = UNSET
    user_avatar: fields.UserAvatar | UnsetType = UNSET
    is_moderator: fields.IsModerator = False
    expiration_seconds: fields.ExpirationSeconds | UnsetType = UNSET
    not_before: fields.NotBefore | UnsetType = UNSET
    features: fields.Features | UnsetType = UNSET

    def room(self) -> str:
        """Return the room in the form that claim, URL and policy share.

        Raises:
            Problem: no meeting can be scoped to this name.
        """
        try:
            return scoped_room(self.room_name)
        except RoomRefused as refused:
            raise invalid_field("/roomName", str(refused)) from None

    def validity(self, limits: Limits, now: int) -> Validity:
        """Return the time asked for; `now` in epoch seconds.

        Raises:
            Problem: the lifetime is over the stack's, or the window is over or too far ahead.
        """
        lifetime = limits.default_lifetime_seconds
        if self.expiration_seconds is not UNSET:
            lifetime = self.expiration_seconds
        if lifetime > limits.max_lifetime_seconds:
            raise invalid_field(
                "/expirationSeconds", f"must be at most {limits.max_lifetime_seconds}"
            )
        match self.not_before:
            case UnsetType():
                starts_at = now
            case datetime() as moment:
                starts_at = int(moment.timestamp())
            case starts_at:
                pass
        if starts_at > now + limits.max_advance_seconds:
            raise invalid_field(
                "/notBefore",
                f"must lie at most {limits.max_advance_seconds} seconds ahead"
                " (epoch seconds, not milliseconds)",
            )
        expires_at = starts_at + lifetime
        if expires_at <= now:
            raise invalid_field("/notBefore", "plus expirationSeconds must lie in the future")
        return Validity(starts_at, expires_at)


_DECODER = msgspec.json.Decoder(TokenRequest)


def parse(body: bytes) -> TokenRequest:
    """Read a request body, refusing what the contract does not name.

    Raises:
        Problem: with a JSON pointer to the first field at fault, where there is one.
    """
    try:
        request = _DECODER.decode(body)
        refuse_repetition(body)
    except msgspec.ValidationError as error:
        raise problem_from(str(error)) from None
    except (msgspec.DecodeError, ValueError):
        raise malformed() from None
    check_values(request)
    return request


def malformed() -> Problem:
    """Return the problem of a body that is no JSON."""
    return Problem(MALFORMED_REQUEST, "The body must be valid JSON in UTF-8.")


def refuse_repetition(body: bytes) -> None:
    """Refuse a body in which an object holds a name twice.

    Raises:
        Problem: so it does.
        ValueError: it is no JSON.
    """
    json.loads(body, object_pairs_hook=_refuse_repeated_names)


def _refuse_repeated_names(pairs: list[tuple[str, Any]]) -> None:
    # Parsers disagree on which of two equal names counts, so neither does.
    if len({name for name, _ in pairs}) != len(pairs):
        raise Problem(MALFORMED_REQUEST, "The body must not hold the same name twice.")


def check_values(request: TokenRequest) -> None:
    """Refuse values that no type can rule out.

    Raises:
        Problem: with the first field at fault.
    """
    check_features("", request)
    for pointer, field in _fields_of(type(request)):
        value = getattr(request, field)
        if isinstance(value, str | list | dict):
            check_text(pointer, value)
    check_user("", request)


class Person(Protocol):
    """What a request says of somebody, beside id and name."""

    @property
    def user_email(self) -> str | UnsetType: ...  # noqa: D102 - as in TokenRequest
    @property
    def user_avatar(self) -> str | UnsetType: ...  # noqa: D102
    @property
    def features(self) -> dict[str, bool] | UnsetType: ...  # noqa: D102


def check_features(pointer: str, person: Person) -> None:
    """Refuse features that Jitsi does not know; `pointer` leads to the person in the body.

    Raises:
        Problem: with the first field at fault.
    """
    if person.features is not UNSET and (unknown := person.features.keys() - FEATURES):
        raise invalid_field(
            f"{pointer}/features{json_pointer(min(unknown))}", "is not a feature that Jitsi knows"
        )


def check_user(pointer: str, person: Person) -> None:
    """Refuse what is no e-mail address or no picture's; `pointer` leads to the person in the body.

    Raises:
        Problem: with the first field at fault.
    """
    if person.user_email is not UNSET and not _EMAIL.fullmatch(person.user_email):
        raise invalid_field(f"{pointer}/userEmail", "must be an e-mail address")
    if person.user_avatar is not UNSET and not is_https_url(person.user_avatar):
        raise invalid_field(
            f"{pointer}/userAvatar", "must be an https URL without user name or password"
        )


@functools.cache
def _fields_of(request_type: type[TokenRequest]) -> list[tuple[str, str]]:
    names = zip(request_type.__struct_encode_fields__, request_type.__struct_fields__, strict=True)
    return [(f"/{name}", field) for name, field in names]


def check_text(pointer: str, value: object) -> None:
    """Refuse unsafe text anywhere in a value."""
    if isinstance(value, str):
        if not value:
            raise invalid_field(pointer, "must not be empty: leave it out")
        if reason := rejection_reason(value):
            raise invalid_field(pointer, reason)
    elif isinstance(value, list):
        for item in value:
            check_text(pointer, item)
    elif isinstance(value, dict):
        for item in (*value, *value.values()):
            check_text(pointer, item)


def is_https_url(text: str) -> bool:
    """Tell whether a text is an https URL without user name or password."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return False
    named = bool(url.hostname) and url.username is None and url.password is None
    return url.scheme == "https" and named and not any(map(str.isspace, text))

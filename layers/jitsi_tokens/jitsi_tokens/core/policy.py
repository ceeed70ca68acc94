"""What a client may be given, and the refusal of all else."""

from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

from msgspec import UNSET, Meta, Struct

from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.problems import (
    FORBIDDEN,
    MAX_ERRORS,
    FieldError,
    Problem,
    field_error,
    field_problem,
)
from jitsi_tokens.core.request_fields import DEFAULT_LIFETIME_SECONDS, MIN_LIFETIME_SECONDS
from jitsi_tokens.core.requests import Limits, TokenRequest
from jitsi_tokens.core.rooms import backend_safe, matches, normalised_pattern, unopened
from jitsi_tokens.core.text import rejection_reason

MAX_ROOM_PATTERNS = 50


class PolicyRefused(ValueError):
    """A policy that cannot be written. The text says what to change."""


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one client may ask for. A record leaves out what is at its default.

    Attributes:
        rooms: normalised patterns in which `*` alone is special; none: no room at all.
        moderator: whether it may ask for moderators.
        features: those it may switch on; switching one off needs no leave.
        max_lifetime_seconds: its own limit, below the stack's; None: the stack's.
        diagnostics: whether it may read the diagnostics.
        max_advance_seconds: how far ahead its tokens may begin; None: the stack's limit.
        visits: whether it may make visits.
        moderator_links: whether moderators get links to its visits.
    """

    rooms: Annotated[list[str], Meta(max_length=MAX_ROOM_PATTERNS)] = []
    moderator: bool = False
    features: list[str] = []
    max_lifetime_seconds: Annotated[int, Meta(ge=MIN_LIFETIME_SECONDS)] | None = None
    diagnostics: bool = False
    max_advance_seconds: Annotated[int, Meta(ge=0)] | None = None
    visits: bool = False
    moderator_links: bool = False

    def check(self, request: TokenRequest, room: str, advance_seconds: int) -> None:
        """Refuse what this policy does not allow; `advance_seconds` from now to the start.

        Raises:
            Problem: 403, with each field at fault and the reason.
        """
        asked = Asked(request, room, advance_seconds)
        errors = [error for check in CHECKS.values() for error in check(self, asked)]
        if errors:
            raise field_problem(FORBIDDEN, errors[:MAX_ERRORS])

    def check_visits(self) -> None:
        """Refuse visits to a client without leave.

        Raises:
            Problem: 403.
        """
        if not self.visits:
            raise Problem(FORBIDDEN, "This client may not make visits.")

    def opens(self, room: str) -> bool:
        """Tell whether a room is among the client's."""
        return any(matches(pattern, room) for pattern in self.rooms)

    def faults_of_person(self, request: TokenRequest) -> list[FieldError]:
        """Return what this policy does not allow a person to be or to do, in whatever room."""
        asked = Asked(request, request.room_name, 0)
        return [*_check_moderator(self, asked), *_check_features(self, asked)]

    def limits(self, stack: Limits) -> Limits:
        """Return the stack's limits, with the lifetime that this client gets by default."""
        own = self.max_lifetime_seconds or stack.max_lifetime_seconds
        default = min(DEFAULT_LIFETIME_SECONDS, own, stack.max_lifetime_seconds)
        return Limits(stack.max_lifetime_seconds, stack.max_advance_seconds, default)

    def check_diagnostics(self) -> None:
        """Refuse the diagnostics to a client without leave.

        Raises:
            Problem: 403.
        """
        if not self.diagnostics:
            raise Problem(FORBIDDEN, "This client may not read the diagnostics.")


class Asked(NamedTuple):
    """What a policy is asked: the request, its room as Jitsi compares it, and how far ahead."""

    request: TokenRequest
    room: str
    advance_seconds: int


def _check_moderator(policy: Policy, asked: Asked) -> Sequence[FieldError]:
    if policy.moderator or not asked.request.is_moderator:
        return ()
    return [field_error("/isModerator", "must be false: this client makes no moderators")]


def _check_room(policy: Policy, asked: Asked) -> Sequence[FieldError]:
    if policy.opens(asked.room):
        return ()
    return [field_error("/roomName", "is outside the rooms of this client")]


def _check_lifetime(policy: Policy, asked: Asked) -> Sequence[FieldError]:
    longest, wanted = policy.max_lifetime_seconds, asked.request.expiration_seconds
    if longest is None or wanted is UNSET or wanted <= longest:
        return ()
    return [field_error("/expirationSeconds", f"must be at most {longest} for this client")]


def _check_advance(policy: Policy, asked: Asked) -> Sequence[FieldError]:
    furthest = policy.max_advance_seconds
    if furthest is None or asked.advance_seconds <= furthest:
        return ()
    rule = f"must lie at most {furthest} seconds ahead for this client"
    if not furthest:
        rule = "must not lie in the future: this client gets no tokens in advance"
    return [field_error("/notBefore", rule)]


def _check_features(policy: Policy, asked: Asked) -> Sequence[FieldError]:
    if asked.request.features is UNSET:
        return ()
    return [
        field_error(f"/features/{name}", "may not be switched on by this client")
        for name, wanted in asked.request.features.items()
        if wanted and name not in policy.features
    ]


# Each field of a request is here, or needs no leave: a test fails for one that is neither.
CHECKS: dict[str, Callable[[Policy, Asked], Sequence[FieldError]]] = {
    "room_name": _check_room,
    "is_moderator": _check_moderator,
    "expiration_seconds": _check_lifetime,
    "not_before": _check_advance,
    "features": _check_features,
}
NEEDS_NO_LEAVE = frozenset({"user_id", "user_name", "user_email", "user_avatar"})


def make_policy(
    *,
    rooms: list[str],
    any_room: bool = False,
    moderator: bool = False,
    features: list[str],
    max_lifetime_seconds: int | None = None,
    diagnostics: bool = False,
    max_advance_seconds: int | None = None,
    visits: bool = False,
    moderator_links: bool = False,
) -> Policy:
    """Check and normalise what a person wrote.

    Raises:
        PolicyRefused: with the sentence that person needs.
    """
    patterns = ["*"] if any_room else [_checked_pattern(pattern) for pattern in rooms]
    if any_room and rooms:
        raise PolicyRefused("Give room patterns or any room, not both.")
    if len(patterns) > MAX_ROOM_PATTERNS:
        raise PolicyRefused(f"A client has at most {MAX_ROOM_PATTERNS} room patterns.")
    if unknown := set(features) - FEATURES:
        known = ", ".join(sorted(FEATURES))
        raise PolicyRefused(f"Jitsi knows no feature {min(unknown)!r}. It knows: {known}.")
    if max_lifetime_seconds is not None and max_lifetime_seconds < MIN_LIFETIME_SECONDS:
        raise PolicyRefused(f"The longest lifetime is at least {MIN_LIFETIME_SECONDS} seconds.")
    return Policy(
        rooms=sorted(set(patterns)),
        moderator=moderator,
        features=sorted(set(features)),
        max_lifetime_seconds=max_lifetime_seconds,
        diagnostics=diagnostics,
        max_advance_seconds=max_advance_seconds,
        visits=visits,
        moderator_links=moderator_links,
    )


def _checked_pattern(pattern: str) -> str:
    if reason := rejection_reason(pattern):
        raise PolicyRefused(f"A room pattern {reason}.")
    normal = normalised_pattern(pattern)
    # A part such as %2a or a full-width star becomes a star, and would open more than was read.
    if normal.count("*") != pattern.count("*"):
        raise PolicyRefused("A room pattern's only wildcard is a plain '*'.")
    if not normal.strip("*"):
        raise PolicyRefused("A bare '*' opens every room: ask for any room by its own option.")
    if reason := unopened(normal):
        raise PolicyRefused(f"A room pattern {reason}.")
    if any(backend_safe(part) != part for part in normal.split("*")):
        raise PolicyRefused("A room pattern has no stable form in Jitsi: change its spelling.")
    return normal

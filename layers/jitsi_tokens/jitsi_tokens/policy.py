"""What a client may be given, and the refusal of all else."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct

from jitsi_tokens.features import FEATURES
from jitsi_tokens.problems import FORBIDDEN, Problem, forbidden_field
from jitsi_tokens.request_fields import MIN_LIFETIME_SECONDS
from jitsi_tokens.requests import TokenRequest
from jitsi_tokens.rooms import backend_safe, matches, normalised_pattern
from jitsi_tokens.text import flaw

MAX_ROOM_PATTERNS = 50


class PolicyRefused(ValueError):
    """A policy that cannot be written. The text says what to change."""


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one client may ask for.

    Attributes:
        rooms: normalised patterns in which `*` alone is special; none: no room at all.
        moderator: whether it may ask for moderators.
        features: those it may switch on; switching one off needs no leave.
        max_lifetime_seconds: its own limit, below the stack's; None: the stack's.
        diagnostics: whether it may read the diagnostics.
    """

    rooms: Annotated[list[str], Meta(max_length=MAX_ROOM_PATTERNS)] = []
    moderator: bool = False
    features: list[str] = []
    max_lifetime_seconds: Annotated[int, Meta(ge=MIN_LIFETIME_SECONDS)] | None = None
    diagnostics: bool = False

    def check(self, request: TokenRequest, room: str) -> None:
        """Refuse what this policy does not allow.

        Raises:
            Problem: 403, with the field at fault and the reason.
        """
        if request.is_moderator and not self.moderator:
            raise forbidden_field("/isModerator", "must be false: this client makes no moderators")
        if not any(matches(pattern, room) for pattern in self.rooms):
            raise forbidden_field("/roomName", "is outside the rooms of this client")
        longest = self.max_lifetime_seconds
        if longest is not None and request.expiration_seconds > longest:
            raise forbidden_field(
                "/expirationSeconds", f"must be at most {longest} for this client"
            )
        if request.features is UNSET:
            return
        for name, wanted in request.features.items():
            if wanted and name not in self.features:
                raise forbidden_field(f"/features/{name}", "may not be switched on by this client")

    def check_diagnostics(self) -> None:
        """Refuse the diagnostics to a client without leave.

        Raises:
            Problem: 403.
        """
        if not self.diagnostics:
            raise Problem(FORBIDDEN, "This client may not read the diagnostics.")


def make_policy(
    *,
    rooms: list[str],
    any_room: bool = False,
    moderator: bool = False,
    features: list[str],
    max_lifetime_seconds: int | None = None,
    diagnostics: bool = False,
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
    )


def _checked_pattern(pattern: str) -> str:
    if reason := flaw(pattern):
        raise PolicyRefused(f"A room pattern {reason}.")
    normal = normalised_pattern(pattern)
    # A part such as %2a or a full-width star becomes a star, and would open more than was read.
    if normal.count("*") != pattern.count("*"):
        raise PolicyRefused("A room pattern's only wildcard is a plain '*'.")
    if not normal.strip("*"):
        raise PolicyRefused("A bare '*' opens every room: ask for any room by its own option.")
    if "'" in normal or "%2f" in normal:
        raise PolicyRefused("No room has a slash or an apostrophe: the pattern would match none.")
    if any(backend_safe(part) != part for part in normal.split("*")):
        raise PolicyRefused("A room pattern has no stable form in Jitsi: change its spelling.")
    return normal

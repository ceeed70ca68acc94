"""When a visit is open, and for whom: facts and a time in, an answer out.

Every status is computed from what the health record said, what has happened, and the clock. Times
are epoch seconds.
"""

from typing import Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

type Admission = Literal["with-moderator", "on-time"]
type Because = Literal["done", "by-phone"]
type Status = Literal["scheduled", "open", "live", "over", "cancelled"]
type Refusal = Literal["too-early", "waiting-for-moderator", "visit-over", "visit-cancelled"]

_MAX_WINDOW_SECONDS = 24 * 3600
# How far from the window a moderator may join: the health record could issue that token anyway.
_MODERATOR_SECONDS = 24 * 3600


class Opening(NamedTuple):
    """A time in which a visit is open: from `opens_at` until before `closes_at`."""

    opens_at: int
    closes_at: int

    def holds(self, now: int) -> bool:
        """Tell whether it is open at a time."""
        return self.opens_at <= now < self.closes_at

    def touches(self, other: "Opening") -> bool:
        """Tell whether nothing lies between the two."""
        return self.opens_at <= other.closes_at and other.opens_at <= self.closes_at


class Plan(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What decides when a visit is open. Only the health record changes it.

    Attributes:
        opened_at: when it opened before it was moved a little; it stays open from then on.
        ended_at: when it was ended by hand.
        joins_after: moderators' joins up to then no longer count.
    """

    starts_at: int
    duration_seconds: int
    opens_before_seconds: int
    overrun_seconds: int
    admission: Admission
    delay_seconds: int = 0
    opened_at: int | None = None
    ended_at: int | None = None
    because: Because | None = None
    joins_after: int | None = None
    cancelled: bool = False

    @property
    def window(self) -> Opening:
        """The time around the appointment; a delay sends nobody back out."""
        opens_at = self.starts_at - self.opens_before_seconds
        if self.opened_at is not None:
            opens_at = min(opens_at, self.opened_at)
        return Opening(opens_at, self.starts_at + self.delay_seconds + self._stay_seconds)

    @property
    def is_too_long(self) -> bool:
        """Whether its window exceeds what a visit may have."""
        length = self.opens_before_seconds + self.delay_seconds + self._stay_seconds
        return length > _MAX_WINDOW_SECONDS

    @property
    def _stay_seconds(self) -> int:
        return self.duration_seconds + self.overrun_seconds

    def stretch(self, joined_at: int) -> Opening:
        """Return the time that a moderator's join opens by itself."""
        return Opening(joined_at, joined_at + self._stay_seconds)


class Facts(NamedTuple):
    """What has happened.

    Attributes:
        joined_at: when a moderator joined last.
        inside_until: until when somebody who got a token may be inside.
    """

    joined_at: int | None = None
    inside_until: int | None = None


class Entry(NamedTuple):
    """Somebody may enter: until when, and the facts once they have."""

    closes_at: int
    facts: Facts


class Refused(NamedTuple):
    """Nobody may enter now; `opens_at` says when it makes sense to come back."""

    reason: Refusal
    opens_at: int


def openings(plan: Plan, facts: Facts) -> list[Opening]:
    """Return when the visit is open, the earliest first: none, one, or two apart."""
    stretch = _stretch(plan, facts)
    if plan.cancelled or (plan.ended_at is not None and stretch is None):
        return []
    if stretch is None:
        return [plan.window]
    if stretch.touches(plan.window):
        both = (plan.window, stretch)
        return [Opening(min(o.opens_at for o in both), max(o.closes_at for o in both))]
    return sorted([plan.window, stretch])


def opening(plan: Plan, facts: Facts, now: int) -> Opening:
    """Return the opening that is on, else the next, else the last.

    Of a visit that is cancelled or ended: its window.
    """
    found = openings(plan, facts) or [plan.window]
    return next((each for each in found if now < each.closes_at), found[-1])


def status(plan: Plan, facts: Facts, now: int) -> Status:
    """Return where the visit is. It can go back: from `over` to `scheduled`, when it is moved."""
    if plan.cancelled:
        return "cancelled"
    if not openings(plan, facts):
        return "over"
    current = opening(plan, facts, now)
    if not current.holds(now):
        return "scheduled" if now < current.opens_at else "over"
    return "live" if _moderated(plan, facts, current) else "open"


def because(plan: Plan, facts: Facts) -> Because | None:
    """Return why it was ended by hand; None if it was not, or a moderator has joined since."""
    return None if plan.cancelled or openings(plan, facts) else plan.because


def for_guests(plan: Plan, facts: Facts) -> tuple[Plan, Facts]:
    """Return plan and facts without a stretch that opens nothing for guests.

    A moderator who tries the button the day before lets in nobody who comes by the clock.
    """
    stretch = _stretch(plan, facts)
    if plan.admission != "on-time" or stretch is None or stretch.touches(plan.window):
        return plan, facts
    return replace(plan, ended_at=None), facts._replace(joined_at=None)


def guest_enters(plan: Plan, facts: Facts, now: int) -> Entry | Refused:
    """Let a guest in, or say why not."""
    current = opening(*for_guests(plan, facts), now)
    if refused := _refused(plan, facts, current, now):
        return refused
    if plan.admission == "with-moderator" and not _moderated(plan, facts, current):
        return Refused("waiting-for-moderator", current.opens_at)
    return Entry(current.closes_at, _with_token(plan, facts, now, current.closes_at))


def moderator_joins(plan: Plan, facts: Facts, now: int) -> Entry | Refused:
    """Let a moderator in whom the health record sends: within a day of the window, at any time."""
    if plan.cancelled:
        return Refused("visit-cancelled", plan.window.opens_at)
    window = plan.window
    if now < window.opens_at - _MODERATOR_SECONDS:
        return Refused("too-early", window.opens_at)
    if now >= window.closes_at + _MODERATOR_SECONDS:
        return Refused("visit-over", window.opens_at)
    return _joined(plan, facts, now)


def moderator_enters(plan: Plan, facts: Facts, now: int) -> Entry | Refused:
    """Let a moderator in who opens a link: only while the visit is open."""
    return _refused(plan, facts, opening(plan, facts, now), now) or _joined(plan, facts, now)


def moved(plan: Plan, facts: Facts, new: Plan, now: int) -> tuple[Plan, bool]:
    """Return the plan after its appointment was moved, and whether the room stays.

    It stays where the new window touches the time in which somebody may be inside: people who
    have a token must not meet in two rooms. Then the visit stays open, too, if it was.
    """
    new = replace(new, delay_seconds=0, opened_at=None)
    if facts.inside_until is None or new.window.opens_at > facts.inside_until:
        return new, False
    if plan.window.opens_at <= now:
        new = replace(new, opened_at=min(plan.window.opens_at, new.window.opens_at))
    return new, True


def ended(plan: Plan, facts: Facts, now: int, because: Because) -> Plan:
    """Return the plan of a visit that is over now; a moderator's next join undoes it."""
    return replace(plan, ended_at=now, because=because, joins_after=_last_join(facts, now))


def revived(plan: Plan) -> Plan:
    """Return the plan of a visit that takes place after all."""
    return replace(plan, ended_at=None, because=None, cancelled=False)


def cancelled(plan: Plan, facts: Facts, now: int) -> Plan:
    """Return the plan of a visit that does not take place."""
    joins_after = _last_join(facts, now)
    return replace(plan, cancelled=True, ended_at=None, because=None, joins_after=joins_after)


def _last_join(facts: Facts, now: int) -> int:
    # A join in the second of an earlier end counts as later than it.
    return max(now, facts.joined_at or 0)


def _stretch(plan: Plan, facts: Facts) -> Opening | None:
    if facts.joined_at is None:
        return None
    if plan.joins_after is not None and facts.joined_at <= plan.joins_after:
        return None
    return plan.stretch(facts.joined_at)


def _moderated(plan: Plan, facts: Facts, current: Opening) -> bool:
    stretch = _stretch(plan, facts)
    return stretch is not None and stretch.touches(current)


def _refused(plan: Plan, facts: Facts, current: Opening, now: int) -> Refused | None:
    if plan.cancelled:
        return Refused("visit-cancelled", current.opens_at)
    if not openings(plan, facts) or now >= current.closes_at:
        return Refused("visit-over", current.opens_at)
    return Refused("too-early", current.opens_at) if now < current.opens_at else None


def _joined(plan: Plan, facts: Facts, now: int) -> Entry:
    # In the second of an end, a join is later than it; and none is earlier than one before it.
    joined_at = max(now, facts.joined_at or 0)
    if plan.joins_after is not None:
        joined_at = max(joined_at, plan.joins_after + 1)
    joined = facts._replace(joined_at=joined_at)
    closes_at = next(
        each.closes_at for each in openings(plan, joined) if each.touches(plan.stretch(joined_at))
    )
    return Entry(closes_at, _with_token(plan, joined, now, closes_at))


def _with_token(plan: Plan, facts: Facts, now: int, closes_at: int) -> Facts:
    until = max(facts.inside_until or 0, closes_at, plan.stretch(now).closes_at)
    return facts._replace(inside_until=until)

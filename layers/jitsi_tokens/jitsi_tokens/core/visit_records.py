"""A visit as the table holds it, and what each call of the health record makes of it.

Nothing here reads a clock or draws a number: times and random ids are handed in.
"""

from collections.abc import Callable, Mapping

from msgspec import UNSET, Struct
from msgspec.structs import asdict, replace

from jitsi_tokens.core import visits
from jitsi_tokens.core.contact import Contact
from jitsi_tokens.core.problems import (
    INVALID_REQUEST,
    NOT_FOUND,
    SUPERSEDED,
    VISIT_CANCELLED,
    Problem,
    invalid_field,
)
from jitsi_tokens.core.rooms import scoped_room
from jitsi_tokens.core.visit_requests import (
    MAX_PARTICIPANTS,
    Participant,
    ParticipantBody,
    VisitBody,
    known_time_zone,
)
from jitsi_tokens.core.visits import Because, Facts, Plan

# The item keeps everybody who was ever named, so that no old link opens: DynamoDB takes 400 KB.
_MAX_EVER_NAMED = 200
_EVER_NAMED = f"at most {_MAX_EVER_NAMED} people in all, revoked ones included: reuse their ids"


class Member(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A participant as the table holds it.

    Attributes:
        user_id: the health record's, or one drawn for this visit.
        generation: how often there was a new link; an older link is dead.
        link_hash: the SHA-256 of the link in force; empty until it is derived.
        participant: None once revoked, or once the visit is cancelled: names go at once.
    """

    participant: Participant | None
    is_moderator: bool
    user_id: str
    generation: int = 1
    link_hash: str = ""
    added_on_the_day: bool = False
    revoked: bool = False


class Visit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A visit as the table holds it, without the facts.

    Attributes:
        instance: random; another one than any earlier visit with the same id had.
        room_is_drawn: nobody chose the room, so it may change.
        revision: the health record's; None where it gives none.
    """

    instance: str
    room: str
    room_is_drawn: bool
    time_zone: str
    contact: Contact
    plan: Plan
    host_name: str | None = None
    revision: int | None = None
    members: dict[str, Member] = {}

    @property
    def active(self) -> dict[str, Member]:
        """The participants who are not revoked."""
        return {id_: member for id_, member in self.members.items() if not member.revoked}


class Change(Struct, frozen=True):
    """What a call makes of a visit.

    Attributes:
        forgets: joins, arrivals and waiting no longer count: the visit was moved away from them.
    """

    visit: Visit
    forgets: bool = False


def put(
    old: Visit | None, body: VisitBody, facts: Facts, now: int, draw: Callable[[], str]
) -> Change:
    """Create a visit, or make it what the health record says.

    `draw` returns a random text of 128 bits or more, another one at each call.

    Raises:
        Problem: 400 or 409, see docs/visits.md.
    """
    if old is None:
        return _created(body, now, draw)
    revision = old.revision if body.revision is UNSET else body.revision
    _refuse_superseded(old, revision)
    if body.room_name is not UNSET and scoped_room(body.room_name) != old.room:
        raise invalid_field("/roomName", "cannot be changed once the visit exists")
    if old.plan.cancelled and body.participants is UNSET:
        raise invalid_field("/participants", "is required to bring back a cancelled visit")
    plan, forgets = _replanned(old, body, facts, now)
    members = old.members
    if body.participants is not UNSET:
        members = _put_members(old.members, body.participants, draw)
    visit = replace(
        old,
        room=_room(draw) if forgets and old.room_is_drawn else old.room,
        time_zone=known_time_zone(body.time_zone),
        contact=body.contact,
        plan=plan,
        host_name=body.host_name or None,
        revision=revision,
        members=members,
    )
    _refuse_too_many(visit)
    return Change(visit, forgets)


def delayed(visit: Visit, delay_minutes: int) -> Visit:
    """Return the visit with its delay of the day.

    Raises:
        Problem: 400 or 409.
    """
    _refuse_cancelled(visit)
    plan = replace(visit.plan, delay_seconds=delay_minutes * 60)
    if plan.is_too_long:
        raise invalid_field("/delayMinutes", "makes the visit longer than 24 hours")
    return replace(visit, plan=plan)


def ended(visit: Visit, facts: Facts, now: int, because: Because) -> Visit:
    """Return the visit ended now.

    Raises:
        Problem: 409.
    """
    _refuse_cancelled(visit)
    return replace(visit, plan=visits.ended(visit.plan, facts, now, because))


def cancelled(visit: Visit, facts: Facts, now: int, revision: int | None) -> Visit:
    """Return the visit cancelled: without names, and without those added on the day.

    Raises:
        Problem: 409.
    """
    _refuse_superseded(visit, revision)
    visit = replace(visit, revision=visit.revision if revision is None else revision)
    if visit.plan.cancelled:
        return visit
    members = {
        id_: replace(member, participant=None, revoked=member.revoked or member.added_on_the_day)
        for id_, member in visit.members.items()
    }
    return replace(
        visit,
        plan=visits.cancelled(visit.plan, facts, now),
        host_name=None,
        members=members,
    )


def with_participant(
    visit: Visit, participant_id: str, body: ParticipantBody, draw: Callable[[], str]
) -> Visit:
    """Return the visit with a participant added or changed on the day.

    Raises:
        Problem: 400 or 409.
    """
    _refuse_cancelled(visit)
    participant = Participant(participant_id=participant_id, **asdict(body))
    old = visit.members.get(participant_id)
    on_the_day = old is None or old.revoked or old.added_on_the_day
    member = _member(old, participant, draw, added_on_the_day=on_the_day)
    changed = replace(visit, members={**visit.members, participant_id: member})
    if len(changed.active) > MAX_PARTICIPANTS:
        raise Problem(INVALID_REQUEST, f"A visit has at most {MAX_PARTICIPANTS} participants.")
    if len(changed.members) > _MAX_EVER_NAMED:
        raise Problem(INVALID_REQUEST, f"A visit names {_EVER_NAMED}.")
    return changed


def without_participant(visit: Visit, participant_id: str) -> Visit:
    """Return the visit with a participant revoked; again: the same.

    Raises:
        Problem: 404 or 409.
    """
    _refuse_cancelled(visit)
    member = _known(visit, participant_id)
    return replace(visit, members={**visit.members, participant_id: _revoked(member)})


def with_new_link(visit: Visit, participant_id: str) -> Visit:
    """Return the visit with another link for a participant; the old one is dead.

    Raises:
        Problem: 404 or 409.
    """
    _refuse_cancelled(visit)
    member = _known(visit, participant_id)
    if member.revoked:
        raise _unknown()
    renewed = replace(member, generation=member.generation + 1, link_hash="")
    return replace(visit, members={**visit.members, participant_id: renewed})


def with_link_hashes(visit: Visit, hash_of: Callable[[str, Member], str]) -> Visit:
    """Return the visit with the hashes of its new links, each made by `hash_of`."""
    members = {
        id_: member if member.link_hash else replace(member, link_hash=hash_of(id_, member))
        for id_, member in visit.members.items()
    }
    return replace(visit, members=members)


def _refuse_cancelled(visit: Visit) -> None:
    if visit.plan.cancelled:
        raise Problem(VISIT_CANCELLED, "The visit is cancelled: a PUT brings it back.")


def _refuse_superseded(visit: Visit, revision: int | None) -> None:
    if revision is not None and visit.revision is not None and revision < visit.revision:
        raise Problem(SUPERSEDED, "The visit has a higher revision: nothing was changed.")


def _created(body: VisitBody, now: int, draw: Callable[[], str]) -> Change:
    plan = body.plan()
    _refuse_past(plan, Facts(), now)
    return Change(
        Visit(
            instance=draw(),
            room=_room(draw) if body.room_name is UNSET else scoped_room(body.room_name),
            room_is_drawn=body.room_name is UNSET,
            time_zone=known_time_zone(body.time_zone),
            contact=body.contact,
            plan=plan,
            host_name=body.host_name or None,
            revision=None if body.revision is UNSET else body.revision,
            members=_put_members({}, body.participants or [], draw),
        )
    )


def _replanned(old: Visit, body: VisitBody, facts: Facts, now: int) -> tuple[Plan, bool]:
    """Return the new plan, and whether what has happened is forgotten."""
    wanted, before, forgets = body.plan(), old.plan, False
    plan = replace(
        before,
        starts_at=wanted.starts_at,
        duration_seconds=wanted.duration_seconds,
        opens_before_seconds=wanted.opens_before_seconds,
        overrun_seconds=wanted.overrun_seconds,
        admission=wanted.admission,
    )
    moved = wanted.starts_at != before.starts_at
    if moved:
        plan, stays = visits.moved(before, facts, plan, now)
        forgets = not stays
    if plan.is_too_long:
        raise invalid_field(
            "/durationMinutes", "with the delay makes the visit longer than 24 hours"
        )
    if moved or before.cancelled or wanted.duration_seconds > before.duration_seconds:
        plan = visits.revived(plan)
        _refuse_past(plan, Facts() if forgets else facts, now)
    return plan, forgets


def _refuse_past(plan: Plan, facts: Facts, now: int) -> None:
    if visits.opening(plan, facts, now).closes_at <= now:
        raise invalid_field("/startsAt", "is too long ago: the visit would be over")


def _put_members(
    old: Mapping[str, Member], participants: list[Participant], draw: Callable[[], str]
) -> dict[str, Member]:
    """Return the participants of a PUT, those added on the day, and the others revoked.

    In this order, as the first moderator is the host: no cover of the day comes before the doctor.
    """
    members = {
        each.participant_id: _member(
            old.get(each.participant_id), each, draw, added_on_the_day=False
        )
        for each in participants
    }
    for id_, member in old.items():
        if id_ not in members:
            members[id_] = member if member.added_on_the_day else _revoked(member)
    return members


def _member(
    old: Member | None,
    participant: Participant,
    draw: Callable[[], str],
    *,
    added_on_the_day: bool,
) -> Member:
    generation = 1 if old is None else old.generation + old.revoked
    if participant.user_id is not UNSET:
        user_id = participant.user_id
    elif old is None or old.revoked or _was_given(old):
        user_id = draw()
    else:
        user_id = old.user_id
    return Member(
        participant=participant,
        is_moderator=participant.is_moderator,
        user_id=user_id,
        generation=generation,
        link_hash=old.link_hash if old is not None and not old.revoked else "",
        added_on_the_day=added_on_the_day,
    )


def _revoked(member: Member) -> Member:
    return replace(member, revoked=True, participant=None)


def _was_given(member: Member) -> bool:
    return member.participant is not None and member.participant.user_id is not UNSET


def _known(visit: Visit, participant_id: str) -> Member:
    if participant_id not in visit.members:
        raise _unknown()
    return visit.members[participant_id]


def _unknown() -> Problem:
    return Problem(NOT_FOUND, "The visit has no such participant.")


def _refuse_too_many(visit: Visit) -> None:
    if len(visit.active) > MAX_PARTICIPANTS:
        raise invalid_field(
            "/participants",
            f"must name at most {MAX_PARTICIPANTS}, including those added on the day",
        )
    if len(visit.members) > _MAX_EVER_NAMED:
        raise invalid_field("/participants", f"must name {_EVER_NAMED}")


def _room(draw: Callable[[], str]) -> str:
    return f"visit-{draw()}"

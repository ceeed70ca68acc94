"""What the routes of visits answer. Times are epoch seconds, but for the appointment's own."""

import zoneinfo
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict, replace

from jitsi_tokens.core import contact, visits
from jitsi_tokens.core import request_fields as fields
from jitsi_tokens.core.problems import (
    TOO_EARLY,
    VISIT_CANCELLED,
    VISIT_OVER,
    WAITING_FOR_MODERATOR,
    Problem,
)
from jitsi_tokens.core.visit_records import Member, Visit
from jitsi_tokens.core.visit_requests import Language, ParticipantId, TimeZone, VisitBody
from jitsi_tokens.core.visits import Because, Facts, Refused, Status

type ParticipantStatus = Literal["invited", "waiting", "joined", "left", "revoked"]

_SILENT_SECONDS = 180  # A phone that locks asks no more for a while.
_LONGEST_PAUSE_SECONDS = 300
_DAY_SECONDS = 86_400


def _time(description: str, example: int) -> Meta:
    return Meta(description=f"{description}, in epoch seconds.", examples=[example])


_STATUS = Meta(
    description=(
        "The state of the visit now: `scheduled`, `open` without a moderator, `live` with one,"
        " `over` or `cancelled`. It can go back, for example when the appointment moves."
    ),
    examples=["open"],
)
_BECAUSE = Meta(
    description="Why the visit was ended by hand. Left out if it was not.", examples=["by-phone"]
)
_OPENS_AT = _time("When the visit opens or opened", 1796112900)
_CLOSES_AT = _time("When the visit closes or closed", 1796117400)
_DELAY_MINUTES = Meta(description="How many minutes late the visit starts.", examples=[0])
_LINK_EXAMPLE = "https://visits.example/join/#jtv_ExampleLinkThatNoTableHolds28Kzkk"
_PARTICIPANTS_EXAMPLE = [{"participantId": "patient", "status": "invited", "link": _LINK_EXAMPLE}]


class ParticipantState(Struct, rename="camel", frozen=True, kw_only=True):
    """The state of a participant. One added on the day has the fields of its own PUT, too."""

    participant_id: ParticipantId
    status: Annotated[
        ParticipantStatus,
        Meta(
            description=(
                "The state of the participant. Unless the visit is `observed`, `joined` only means"
                " that they got a token."
            ),
            examples=["waiting"],
        ),
    ]
    link: (
        Annotated[
            str,
            Meta(
                description=(
                    "The participant's link, the same until it is replaced. Anyone who has it can"
                    " join. Moderators have one only if the client's policy allows it. Lists do"
                    " not contain links."
                ),
                examples=[_LINK_EXAMPLE],
            ),
        ]
        | UnsetType
    ) = UNSET
    link_unknown: (
        Annotated[
            Literal[True],
            Meta(
                description=(
                    "The link still works but cannot be shown, because it was made with another"
                    " `LinkKey`."
                ),
                examples=[True],
            ),
        ]
        | UnsetType
    ) = UNSET
    waiting_since: (
        Annotated[int, _time("Since when the participant has been waiting", 1796113000)] | UnsetType
    ) = UNSET
    last_seen_at: (
        Annotated[
            int, _time("When the participant's page last asked, within 30 seconds", 1796113100)
        ]
        | UnsetType
    ) = UNSET
    joined_at: (
        Annotated[int, _time("When the participant last got a token", 1796113200)] | UnsetType
    ) = UNSET
    left_at: Annotated[int, _time("When the participant left", 1796115000)] | UnsetType = UNSET
    added_on_the_day: (
        Annotated[
            Literal[True],
            Meta(
                description="The participant was added on the day, by a PUT of their own.",
                examples=[True],
            ),
        ]
        | UnsetType
    ) = UNSET
    user_name: fields.UserName | UnsetType = UNSET
    is_moderator: fields.IsModerator | UnsetType = UNSET
    user_id: fields.UserId | UnsetType = UNSET
    user_email: fields.UserEmail | UnsetType = UNSET
    user_avatar: fields.UserAvatar | UnsetType = UNSET
    features: fields.Features | UnsetType = UNSET
    language: Language | UnsetType = UNSET


class VisitState(Struct, rename="camel", frozen=True, kw_only=True):
    """The state of a visit and of its participants."""

    visit_id: Annotated[
        str, Meta(description="Your id of the visit.", examples=["oe-default-4711"])
    ]
    status: Annotated[Status, _STATUS]
    because: Annotated[Because, _BECAUSE] | UnsetType = UNSET
    opens_at: Annotated[int, _OPENS_AT]
    closes_at: Annotated[int, _CLOSES_AT]
    delay_minutes: Annotated[int, _DELAY_MINUTES]
    observed: Annotated[
        bool,
        Meta(description="Whether the Jitsi server reports who is in the room.", examples=[False]),
    ]
    participants: Annotated[
        list[ParticipantState],
        Meta(
            description="Everybody ever named in the visit, including revoked participants.",
            examples=[_PARTICIPANTS_EXAMPLE],
        ),
    ]


class VisitAnswer(VisitBody, rename="camel", frozen=True, kw_only=True):
    """A visit: the fields of PUT, and its state. Without `state` it is a valid body of PUT."""

    state: Annotated[
        VisitState,
        Meta(
            description="The state of the visit and of its participants.",
            examples=[
                {
                    "visitId": "oe-default-4711",
                    "status": "scheduled",
                    "opensAt": 1796112900,
                    "closesAt": 1796117400,
                    "delayMinutes": 0,
                    "observed": False,
                    "participants": _PARTICIPANTS_EXAMPLE,
                }
            ],
        ),
    ]


class VisitList(Struct, rename="camel", frozen=True, kw_only=True):
    """A page of the client's visits, earliest first."""

    visits: Annotated[
        list[VisitAnswer],
        Meta(description="The visits, without links. A page can be empty.", examples=[[]]),
    ]
    next: (
        Annotated[
            str,
            Meta(
                description="Send it as `next` for the next page. Left out on the last page.",
                examples=["WzE3OTYxMTI5MDBd"],
            ),
        ]
        | UnsetType
    ) = UNSET


class StatusAnswer(Struct, rename="camel", frozen=True, kw_only=True):
    """What the waiting page shows of a visit, and when it asks again."""

    server_time: Annotated[int, _time("The time by the service's clock", 1796113100)]
    status: Annotated[Status, _STATUS]
    because: Annotated[Because, _BECAUSE] | UnsetType = UNSET
    starts_at: Annotated[int, _time("When the appointment starts", 1796113800)]
    delay_minutes: Annotated[int, _DELAY_MINUTES]
    opens_at: Annotated[int, _OPENS_AT]
    closes_at: Annotated[int, _CLOSES_AT]
    time_zone: TimeZone
    host_name: (
        Annotated[
            str,
            Meta(
                description="Who the visit is with. Left out once it is cancelled.",
                examples=["Dr. Novak"],
            ),
        ]
        | UnsetType
    ) = UNSET
    user_name: (
        Annotated[
            str,
            Meta(
                description="The participant's own name. Left out once the visit is cancelled.",
                examples=["Anna"],
            ),
        ]
        | UnsetType
    ) = UNSET
    language: Language | UnsetType = UNSET
    is_moderator: Annotated[
        bool, Meta(description="Whether the link is a moderator's.", examples=[False])
    ]
    contact: Annotated[
        contact.Contact,
        Meta(description="The clinic that the patient can call.", examples=[contact.EXAMPLE]),
    ]
    can_enter: Annotated[
        bool,
        Meta(
            description="Whether `POST /join/enter` would let the participant in now.",
            examples=[False],
        ),
    ]
    next_seconds: (
        Annotated[
            int,
            Meta(
                description="In how many seconds to ask again. Left out once nothing will change.",
                examples=[5],
            ),
        ]
        | UnsetType
    ) = UNSET


class EnterAnswer(Struct, rename="camel", frozen=True, kw_only=True):
    """The room, with a token issued for this click."""

    meeting_url: Annotated[
        str,
        Meta(
            description="The URL of the room. It contains the token.",
            examples=["https://meet.example.org/visit-4711#jwt=%22eyJhbGciOiJSUzI1NiIs…%22"],
        ),
    ]
    embed: Annotated[
        bool,
        Meta(
            description="Whether the page shows the room in a frame (`true`) or goes there.",
            examples=[True],
        ),
    ]
    closes_at: Annotated[int, _CLOSES_AT]


class Presence(NamedTuple):
    """What has happened with one participant, in epoch seconds; None until it has."""

    waiting_since: int | None = None
    last_seen_at: int | None = None
    joined_at: int | None = None

    def is_waiting(self, now: int) -> bool:
        """Tell whether the participant's page has asked more than once, and not long ago."""
        seen, since = self.last_seen_at, self.waiting_since
        return since is not None and seen is not None and now < seen + _SILENT_SECONDS


class Moment(NamedTuple):
    """A visit with what has happened, at a time in epoch seconds."""

    visit_id: str
    visit: Visit
    facts: Facts
    presence: Mapping[str, Presence]
    now: int

    def seen_by(self, participant_id: str) -> "Moment":
        """Return what a participant's page shows of it."""
        if self.visit.members[participant_id].is_moderator:
            return self
        plan, facts = visits.for_guests(self.visit.plan, self.facts)
        return self._replace(visit=replace(self.visit, plan=plan), facts=facts)

    @property
    def status(self) -> Status:
        """Where the visit is."""
        return visits.status(self.visit.plan, self.facts, self.now)

    @property
    def opening(self) -> visits.Opening:
        """The opening that is on, else the next, else the last."""
        return visits.opening(self.visit.plan, self.facts, self.now)

    @property
    def has_waiting(self) -> bool:
        """Whether somebody waits."""
        return any(
            self.status_of(id_, member) == "waiting" for id_, member in self.visit.members.items()
        )

    def presence_of(self, participant_id: str) -> Presence:
        """Return what has happened with a participant."""
        return self.presence.get(participant_id, Presence())

    def status_of(self, participant_id: str, member: Member) -> ParticipantStatus:
        """Return where a participant is."""
        if member.revoked:
            return "revoked"
        presence, status = self.presence_of(participant_id), self.status
        # Somebody who tried the link with the doctor the day before is not in the room today.
        is_empty = status == "scheduled" or (
            status == "open" and self.visit.plan.admission == "with-moderator"
        )
        if presence.joined_at is not None and not is_empty:
            return "joined"
        return "waiting" if presence.is_waiting(self.now) else "invited"


def visit_answer(moment: Moment, link_of: Callable[[str, Member], str | None]) -> VisitAnswer:
    """Return the visit as GET has it.

    `link_of` takes a participant, who is not revoked, and returns the link, None where there is
    none, or an empty text where it is not known.
    """
    visit, plan = moment.visit, moment.visit.plan
    # Neither on the day nor revoked, and with names.
    participants = [
        member.participant
        for member in visit.active.values()
        if member.participant and not member.added_on_the_day
    ]
    zone = zoneinfo.ZoneInfo(visit.time_zone)
    return VisitAnswer(
        starts_at=datetime.fromtimestamp(plan.starts_at, zone),
        duration_minutes=plan.duration_seconds // 60,
        time_zone=visit.time_zone,
        contact=visit.contact,
        opens_before_minutes=plan.opens_before_seconds // 60,
        overrun_minutes=plan.overrun_seconds // 60,
        admission=plan.admission,
        host_name=_or_unset(visit.host_name),
        # A drawn room may change, and a body that names it would be refused then.
        room_name=UNSET if visit.room_is_drawn else visit.room,
        revision=_or_unset(visit.revision),
        participants=participants,
        state=_state(moment, link_of),
    )


def status_answer(
    moment: Moment, participant_id: str, *, can_enter: bool, is_busy: bool
) -> StatusAnswer:
    """Return what a participant's page shows; `is_busy`: the route nears its limit."""
    visit, plan, opening = moment.visit, moment.visit.plan, moment.opening
    member = visit.members[participant_id]
    names: dict[str, Any] = {}
    if member.participant:
        names = {
            "host_name": host_name(visit),
            "user_name": member.participant.user_name,
            "language": member.participant.language,
        }
    return StatusAnswer(
        server_time=moment.now,
        status=moment.status,
        because=_or_unset(visits.because(plan, moment.facts)),
        starts_at=plan.starts_at,
        delay_minutes=plan.delay_seconds // 60,
        opens_at=opening.opens_at,
        closes_at=opening.closes_at,
        time_zone=visit.time_zone,
        is_moderator=member.is_moderator,
        contact=visit.contact,
        can_enter=can_enter,
        next_seconds=_next_seconds(
            moment, moment.presence_of(participant_id), can_enter=can_enter, is_busy=is_busy
        ),
        **names,
    )


def host_name(visit: Visit) -> str:
    """Return whom the visit is with."""
    moderators = (
        member.participant.user_name
        for member in visit.active.values()
        if member.is_moderator and member.participant
    )
    return visit.host_name or next(moderators, visit.contact.name)


def refusal(refused: Refused, moment: Moment) -> Problem:
    """Return the problem for somebody who may not enter now."""
    match refused.reason:
        case "too-early":
            return Problem(
                TOO_EARLY,
                "The visit opens at opensAt.",
                members={"opens_at": refused.opens_at, "server_time": moment.now},
            )
        case "waiting-for-moderator":
            return Problem(WAITING_FOR_MODERATOR, "Wait until a moderator has joined.")
        case "visit-over":
            because = visits.because(moment.visit.plan, moment.facts)
            members = {} if because is None else {"because": because}
            return Problem(VISIT_OVER, "The visit is over.", members=members)
        case "visit-cancelled":
            return Problem(VISIT_CANCELLED, "The visit is cancelled.")


def _state(moment: Moment, link_of: Callable[[str, Member], str | None]) -> VisitState:
    plan, opening = moment.visit.plan, moment.opening
    return VisitState(
        visit_id=moment.visit_id,
        status=moment.status,
        because=_or_unset(visits.because(plan, moment.facts)),
        opens_at=opening.opens_at,
        closes_at=opening.closes_at,
        delay_minutes=plan.delay_seconds // 60,
        observed=False,
        participants=[
            _participant(moment, id_, member, None if member.revoked else link_of(id_, member))
            for id_, member in moment.visit.members.items()
        ],
    )


def _participant(moment: Moment, id_: str, member: Member, link: str | None) -> ParticipantState:
    presence = moment.presence_of(id_)
    status = moment.status_of(id_, member)
    put: dict[str, Any] = {}
    if member.added_on_the_day and member.participant and not member.revoked:
        put = asdict(member.participant) | {"participant_id": id_}
    return ParticipantState(
        **({"participant_id": id_} | put),
        status=status,
        link=link or UNSET,
        link_unknown=True if link == "" else UNSET,
        waiting_since=_or_unset(presence.waiting_since if status == "waiting" else None),
        last_seen_at=_or_unset(presence.last_seen_at),
        joined_at=_or_unset(presence.joined_at),
        added_on_the_day=True if member.added_on_the_day else UNSET,
    )


def _next_seconds(
    moment: Moment, presence: Presence, *, can_enter: bool, is_busy: bool
) -> int | UnsetType:
    match moment.status:
        case "cancelled":
            return 60
        case "over":
            is_recent = moment.now < moment.opening.closes_at + _DAY_SECONDS
            return 30 if is_recent else UNSET
        case "scheduled":
            return min(moment.opening.opens_at - moment.now, _LONGEST_PAUSE_SECONDS)
        case "open" | "live":
            if is_busy or (can_enter and presence.joined_at is not None):
                return 30
            return 10 if can_enter else 5


def _or_unset[T](value: T | None) -> T | UnsetType:
    return UNSET if value is None else value

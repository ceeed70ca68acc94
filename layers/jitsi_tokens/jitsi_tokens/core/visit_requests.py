"""The bodies and queries of the routes under /api/visits, and of /join."""

import base64
import functools
import math
import re
import zoneinfo
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from jitsi_tokens.core import contact
from jitsi_tokens.core import request_fields as fields
from jitsi_tokens.core.contact import Contact
from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.problems import INVALID_REQUEST, MALFORMED_REQUEST, Problem, invalid_field
from jitsi_tokens.core.requests import (
    check_features,
    check_text,
    check_user,
    is_https_url,
    malformed,
    refuse_repetition,
)
from jitsi_tokens.core.rooms import RoomRefused, scoped_room
from jitsi_tokens.core.validation import problem_from
from jitsi_tokens.core.visits import Admission, Because, Plan

MAX_PARTICIPANTS = 30
VISIT_ID_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
PARTICIPANT_ID_PATTERN = "^[a-z0-9][a-z0-9-]{0,31}$"
MAX_SAFE_INTEGER = 2**53 - 1  # JavaScript's numbers are exact up to it.
_VISIT_ID = re.compile(VISIT_ID_PATTERN)
_PARTICIPANT_ID = re.compile(PARTICIPANT_ID_PATTERN)
_MAX_AHEAD_SECONDS = 400 * 86_400
# An hour more than 31 days: October, where its clocks go back.
_MAX_LIST_SECONDS = 31 * 86_400 + 3600
# Abbreviations that PHP reads without summer time, unlike the tz database; and names that are not
# places.
_NO_PLACES = frozenset(
    (
        *("cet", "eet", "est", "gmt+0", "gmt-0", "gmt0", "hst", "met", "mst", "uct", "wet"),
        *("factory", "localtime", "posixrules"),
    )
)

_Minutes = Annotated[int, Meta(ge=0, le=720)]
StartsAt = Annotated[
    datetime,
    Meta(
        tz=True,
        description=(
            "When the appointment starts, as an RFC 3339 time with an offset, at most 400 days"
            " ahead. It may be in the past as long as the visit closes in the future."
        ),
        examples=["2026-12-01T09:30:00+01:00"],
    ),
]
DurationMinutes = Annotated[
    int,
    Meta(
        ge=1,
        le=1380,
        description=(
            "How long the appointment lasts, in minutes: 1 to 1380. Together with"
            " `opensBeforeMinutes`, `overrunMinutes` and a delay, at most 24 hours."
        ),
        examples=[30],
    ),
]
TimeZone = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        description=(
            "The time zone in which patients read times: a place from the tz database, such as"
            " `Europe/Vienna`."
        ),
        examples=["Europe/Vienna"],
    ),
]
OpensBeforeMinutes = Annotated[
    _Minutes,
    Meta(description="How many minutes before its start the visit opens: 0 to 720.", examples=[15]),
]
OverrunMinutes = Annotated[
    _Minutes,
    Meta(
        description="How many minutes after its end the visit stays open: 0 to 720.",
        examples=[30],
    ),
]
AdmissionField = Annotated[
    Admission,
    Meta(
        description=(
            "When guests can enter: once a moderator has joined (`with-moderator`), or as soon as"
            " the visit opens (`on-time`)."
        ),
        examples=["with-moderator"],
    ),
]
RoomName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description=(
            "The room, under the same rules as in a token request. It cannot change once the visit"
            " exists. Left out: the service chooses a name that nobody can guess."
        ),
        examples=["visit-4711"],
    ),
]
Revision = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_SAFE_INTEGER,
        description=(
            "Your record's counter or time of change, as a whole number. A call with a lower one"
            " than the visit has is rejected with 409, so calls may arrive in any order."
        ),
        examples=[1],
    ),
]
DelayMinutes = Annotated[
    _Minutes,
    Meta(
        description="How many minutes late the visit starts: 0 to 720. It closes as much later.",
        examples=[20],
    ),
]
HostName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=255,
        description=(
            "Who the visit is with, as patients read it: 1 to 255 characters. Left out: the first"
            " moderator's `userName`, else the contact's `name`."
        ),
        examples=["Dr. Novak"],
    ),
]
Language = Annotated[
    str,
    Meta(
        max_length=35,
        pattern="^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$",
        description="The language of the page, as a BCP 47 tag. Left out: the browser's.",
        examples=["de"],
    ),
]
ParticipantId = Annotated[
    str,
    Meta(
        pattern=PARTICIPANT_ID_PATTERN,
        description=(
            "Your id of the participant, unique within the visit: 1 to 32 lower-case letters,"
            " digits and `-`, not starting with `-`."
        ),
        examples=["patient"],
    ),
]


class ParticipantBody(
    Struct, rename="camel", frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """The body of PUT /api/visits/{visitId}/participants/{participantId}."""

    user_name: fields.UserName
    is_moderator: fields.IsModerator = False
    user_id: fields.UserId | UnsetType = UNSET
    user_email: fields.UserEmail | UnsetType = UNSET
    user_avatar: fields.UserAvatar | UnsetType = UNSET
    features: fields.Features | UnsetType = UNSET
    language: Language | UnsetType = UNSET


class Participant(ParticipantBody, frozen=True, kw_only=True):
    """A participant of a visit."""

    participant_id: ParticipantId


class VisitBody(Struct, rename="camel", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An appointment: the body of PUT /api/visits/{visitId}."""

    starts_at: StartsAt
    duration_minutes: DurationMinutes
    time_zone: TimeZone
    contact: Annotated[
        Contact, Meta(description="The clinic that patients can call.", examples=[contact.EXAMPLE])
    ]
    opens_before_minutes: OpensBeforeMinutes = 15
    overrun_minutes: OverrunMinutes = 30
    admission: AdmissionField = "with-moderator"
    host_name: HostName | UnsetType = UNSET
    room_name: RoomName | UnsetType = UNSET
    revision: Revision | UnsetType = UNSET
    participants: (
        Annotated[
            list[Participant],
            Meta(
                description=(
                    "The participants: at most 30, including those added on the day. Participants"
                    " not in the list are revoked, except those added on the day. Left out: no"
                    " participant changes."
                ),
                examples=[
                    [
                        {"participantId": "doctor", "userName": "Dr. Novak", "isModerator": True},
                        {"participantId": "patient", "userName": "Anna", "language": "de"},
                    ]
                ],
            ),
        ]
        | UnsetType
    ) = UNSET

    def plan(self) -> Plan:
        """Return when the visit is to be open."""
        return Plan(
            starts_at=int(self.starts_at.timestamp()),
            duration_seconds=self.duration_minutes * 60,
            opens_before_seconds=self.opens_before_minutes * 60,
            overrun_seconds=self.overrun_minutes * 60,
            admission=self.admission,
        )


class DelayBody(Struct, rename="camel", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of PATCH /api/visits/{visitId}."""

    delay_minutes: DelayMinutes


class EndBody(Struct, rename="camel", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of POST /api/visits/{visitId}/end."""

    because: Annotated[
        Because,
        Meta(
            description="Why it is over: `done`, or `by-phone` if it continues by phone.",
            examples=["by-phone"],
        ),
    ] = "done"


class EnterBody(Struct, rename="camel", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of POST /join/enter."""

    link: Annotated[
        str,
        Meta(
            max_length=64,
            description="The secret of the link: the text after its `#`.",
            examples=["jtv_ExampleLinkThatNoTableHolds28Kzkk"],
        ),
    ]
    page: Annotated[
        str,
        Meta(
            pattern="^[A-Za-z0-9_-]{1,64}$",
            description="A random id that the page chooses each time it is opened.",
            examples=["b7Qk2mZx9TnL4wRd"],
        ),
    ]


class StatusBody(EnterBody, rename="camel", frozen=True, kw_only=True):
    """The body of POST /join/status."""

    asked: Annotated[
        int,
        Meta(
            ge=0,
            le=MAX_SAFE_INTEGER,
            description=(
                "How many times this page was answered `open` or `live` so far. From 1 on, the"
                " participant counts as waiting."
            ),
            examples=[1],
        ),
    ]


_PARTICIPANT = re.compile(r"\A/participants/[0-9]+")
_NAMES = FEATURES.union(
    *(
        body.__struct_encode_fields__
        for body in (VisitBody, Participant, Contact, DelayBody, EndBody, StatusBody)
    )
)


def read[T: Struct](body: bytes, body_type: type[T]) -> T:
    """Read a body, refusing what the contract does not name.

    Raises:
        Problem: 400, with a JSON pointer to the field at fault, where there is one.
    """
    try:
        found = msgspec.json.decode(body, type=body_type)
        refuse_repetition(body)
    except msgspec.ValidationError as error:
        raise problem_from(str(error)) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise malformed() from None
    return found


def read_revision(query: Mapping[str, str]) -> int | None:
    """Return the `revision` of a query; None where it has none.

    Raises:
        Problem: 400.
    """
    text = query.get("revision")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,16}", text) or int(text) > MAX_SAFE_INTEGER:
        raise Problem(INVALID_REQUEST, "revision must be a whole number from 0 to 2^53 - 1.")
    return int(text)


class Wanted(NamedTuple):
    """The query of a list: visits that start from `start` until before `end`.

    Attributes:
        waiting: only those in which somebody waits.
        after: start and id of the last visit of the page before.
    """

    start: int
    end: int
    waiting: bool
    after: tuple[int, str] | None = None

    def page_after(self, last: tuple[int, str] | None) -> str | UnsetType:
        """Return the `next` of a page that ends with a visit; UNSET on the last page."""
        if last is None:
            return UNSET
        return base64.urlsafe_b64encode(msgspec.json.encode(self._replace(after=last))).decode()


def read_list_query(query: Mapping[str, str]) -> Wanted:
    """Read the query of a list.

    Raises:
        Problem: 400.
    """
    start, end = _time(query, "from"), _time(query, "to")
    if not 0 < end - start <= _MAX_LIST_SECONDS:
        raise Problem(INVALID_REQUEST, "to must be later than from, by at most 31 days.")
    waiting = query.get("waiting", "false")
    if waiting not in ("true", "false"):
        raise Problem(INVALID_REQUEST, "waiting must be true or false.")
    wanted = Wanted(start, end, waiting == "true")
    if (text := query.get("next")) is None:
        return wanted
    try:
        following = msgspec.json.decode(base64.urlsafe_b64decode(text), type=Wanted)
    except (msgspec.DecodeError, ValueError):
        following = wanted
    start_of_last, visit_id = following.after or (0, "")
    is_within = wanted.start <= start_of_last < wanted.end and _VISIT_ID.fullmatch(visit_id)
    if following._replace(after=None) != wanted or not is_within:
        raise Problem(INVALID_REQUEST, "next must come from an answer to the same query.")
    return following


def _time(query: Mapping[str, str], name: str) -> int:
    try:
        moment: datetime = msgspec.convert(query.get(name), type=Annotated[datetime, Meta(tz=True)])
    except msgspec.ValidationError:
        raise Problem(INVALID_REQUEST, f"{name} must be an RFC 3339 time with an offset.") from None
    return math.ceil(moment.timestamp())


def check_visit(visit: VisitBody, now: int) -> None:
    """Refuse values that no type can rule out.

    Raises:
        Problem: 400, with the field at fault.
    """
    if visit.starts_at.timestamp() > now + _MAX_AHEAD_SECONDS:
        raise invalid_field("/startsAt", "must lie at most 400 days ahead")
    _check_texts("", visit)
    if visit.time_zone.lower() in _NO_PLACES or visit.time_zone.lower() not in _time_zones():
        raise invalid_field("/timeZone", "must name a place, such as Europe/Vienna")
    if visit.contact.privacy_url is not UNSET and not is_https_url(visit.contact.privacy_url):
        raise invalid_field("/contact/privacyUrl", "must be an https URL")
    if visit.room_name is not UNSET:
        try:
            scoped_room(visit.room_name)
        except RoomRefused as refused:
            raise invalid_field("/roomName", str(refused)) from None
    if visit.plan().is_too_long:
        raise invalid_field("/durationMinutes", "makes the visit longer than 24 hours")
    _check_participants(visit.participants or [])


def _check_participants(participants: list[Participant]) -> None:
    if len(participants) > MAX_PARTICIPANTS:
        raise invalid_field("/participants", f"must name at most {MAX_PARTICIPANTS}")
    known: set[str] = set()
    for number, participant in enumerate(participants):
        check_participant(f"/participants/{number}", participant)
        if participant.participant_id in known:
            raise invalid_field(
                f"/participants/{number}/participantId", "must be unique within the visit"
            )
        known.add(participant.participant_id)


def check_participant(pointer: str, participant: ParticipantBody) -> None:
    """Refuse a participant whose values break a rule of the token request.

    Raises:
        Problem: 400, with the field at fault.
    """
    check_features(pointer, participant)
    _check_texts(pointer, participant)
    check_user(pointer, participant)
    if participant.features is not UNSET and "flip" in participant.features:
        raise invalid_field(f"{pointer}/features/flip", "is not allowed in a visit")


def _check_texts(pointer: str, body: Struct) -> None:
    names = zip(body.__struct_encode_fields__, body.__struct_fields__, strict=True)
    for name, field in names:
        value: Any = getattr(body, field)
        if isinstance(value, str | dict):
            check_text(f"{pointer}/{name}", value)
        elif isinstance(value, Struct):
            _check_texts(f"{pointer}/{name}", value)


def known_time_zone(name: str) -> str:
    """Return a time zone that was checked, as the tz database spells it."""
    return _time_zones()[name.lower()]


def known_field(problem: Problem) -> str | None:
    """Return the pointer to the first field at fault; None if the caller made up its name."""
    pointer = problem.errors[0].pointer if problem.errors else ""
    names = _PARTICIPANT.sub("", pointer).split("/")[1:]
    return pointer if pointer and all(name in _NAMES for name in names) else None


def check_visit_id(visit_id: str) -> None:
    """Refuse an id that breaks its grammar.

    Raises:
        Problem: 400 without a pointer: it is no field of the body.
    """
    if not _VISIT_ID.fullmatch(visit_id):
        raise Problem(
            MALFORMED_REQUEST,
            "A visit's id is 1 to 128 letters, digits, dots, underscores and hyphens, and begins"
            " with a letter or a digit.",
        )


def check_participant_id(participant_id: str) -> None:
    """Refuse an id that breaks its grammar.

    Raises:
        Problem: 400 without a pointer: it is no field of the body.
    """
    if not _PARTICIPANT_ID.fullmatch(participant_id):
        raise Problem(
            MALFORMED_REQUEST,
            "A participant's id is 1 to 32 lower-case letters, digits and hyphens, and does not"
            " begin with a hyphen.",
        )


@functools.cache
def _time_zones() -> dict[str, str]:
    return {name.lower(): name for name in zoneinfo.available_timezones()}

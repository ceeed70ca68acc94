"""What the routes of visits answer. Times are epoch seconds, but for the appointment's own."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from jitsi_tokens.core import contact
from jitsi_tokens.core import request_fields as fields
from jitsi_tokens.core.visit_requests import Language, ParticipantId, TimeZone, VisitBody
from jitsi_tokens.core.visits import Because, Status

type ParticipantStatus = Literal["invited", "waiting", "joined", "left", "revoked"]

_STATUS = Meta(
    description=(
        "Where the visit is, computed from what has happened and the clock, so that it can go"
        " back: `scheduled`, `open` without a moderator, `live` with one, `over`, `cancelled`."
    ),
    examples=["open"],
)
_BECAUSE = Meta(description="Why the visit was ended by hand.", examples=["by-phone"])
_OPENS_AT = Meta(description="When the visit opens, or opened.", examples=[1796112900])
_CLOSES_AT = Meta(description="When the visit closes, or closed.", examples=[1796117400])
_DELAY_MINUTES = Meta(description="How late the visit starts.", examples=[0])
_LINK_EXAMPLE = "https://visits.example/join/#jtv_ExampleLinkThatNoTableHolds28Kzkk"


class ParticipantState(Struct, rename="camel", frozen=True, kw_only=True):
    """Where a participant is; of who was put by their own route also what was put."""

    participant_id: ParticipantId
    status: Annotated[
        ParticipantStatus,
        Meta(
            description=(
                "Where the participant is. `joined` means that they had a token, unless the visit"
                " is `observed`."
            ),
            examples=["waiting"],
        ),
    ]
    link: (
        Annotated[
            str,
            Meta(
                description=(
                    "The participant's link, the same until it is replaced. Whoever has it can"
                    " join. Moderators have one only if the client's policy allows it."
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
                    "The link was made with another `LinkKey`, so it cannot be shown. It works."
                ),
                examples=[True],
            ),
        ]
        | UnsetType
    ) = UNSET
    waiting_since: (
        Annotated[int, Meta(description="Since when the participant waits.", examples=[1796113000])]
        | UnsetType
    ) = UNSET
    last_seen_at: (
        Annotated[
            int,
            Meta(
                description="When the participant's page asked last, to 30 seconds.",
                examples=[1796113100],
            ),
        ]
        | UnsetType
    ) = UNSET
    joined_at: (
        Annotated[
            int, Meta(description="When the participant got a token last.", examples=[1796113200])
        ]
        | UnsetType
    ) = UNSET
    left_at: (
        Annotated[int, Meta(description="When the participant left.", examples=[1796115000])]
        | UnsetType
    ) = UNSET
    added_on_the_day: (
        Annotated[
            Literal[True],
            Meta(
                description="The participant was put by their own route, not by PUT of the visit.",
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
    """What the day made of a visit."""

    visit_id: Annotated[str, Meta(description="The visit's id.", examples=["oe-default-4711"])]
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
            description="Everybody who was ever named, the revoked included.",
            examples=[
                [
                    {
                        "participantId": "patient",
                        "status": "invited",
                        "link": _LINK_EXAMPLE,
                    }
                ]
            ],
        ),
    ]


class VisitAnswer(VisitBody, rename="camel", frozen=True, kw_only=True):
    """A visit: what PUT took, and its state. Without `state` it is a body of PUT again."""

    state: Annotated[
        VisitState,
        Meta(
            description="What the day made of the visit.",
            examples=[
                {
                    "visitId": "oe-default-4711",
                    "status": "scheduled",
                    "opensAt": 1796112900,
                    "closesAt": 1796117400,
                    "delayMinutes": 0,
                    "observed": False,
                    "participants": [
                        {
                            "participantId": "patient",
                            "status": "invited",
                            "link": _LINK_EXAMPLE,
                        }
                    ],
                }
            ],
        ),
    ]


class VisitList(Struct, rename="camel", frozen=True, kw_only=True):
    """A page of the client's visits, the earliest first."""

    visits: Annotated[
        list[VisitAnswer],
        Meta(description="The visits, without links. A page can be empty.", examples=[[]]),
    ]
    next: (
        Annotated[
            str,
            Meta(
                description="Send it as `next` for the next page; left out on the last one.",
                examples=["WzE3OTYxMTI5MDBd"],
            ),
        ]
        | UnsetType
    ) = UNSET


class StatusAnswer(Struct, rename="camel", frozen=True, kw_only=True):
    """What the page shows of a visit, and when it asks again."""

    server_time: Annotated[
        int, Meta(description="The time by the service's clock.", examples=[1796113100])
    ]
    status: Annotated[Status, _STATUS]
    because: Annotated[Because, _BECAUSE] | UnsetType = UNSET
    starts_at: Annotated[
        int, Meta(description="When the appointment begins.", examples=[1796113800])
    ]
    delay_minutes: Annotated[int, _DELAY_MINUTES]
    opens_at: Annotated[int, _OPENS_AT]
    closes_at: Annotated[int, _CLOSES_AT]
    time_zone: TimeZone
    host_name: (
        Annotated[
            str,
            Meta(
                description="Whom the visit is with. Left out once it is cancelled.",
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
        Meta(description="Whom a patient can call.", examples=[contact.EXAMPLE]),
    ]
    can_enter: Annotated[
        bool, Meta(description="Whether `POST /join/enter` would answer now.", examples=[False])
    ]
    next_seconds: (
        Annotated[
            int,
            Meta(
                description="When to ask again. Left out once nothing more will change.",
                examples=[5],
            ),
        ]
        | UnsetType
    ) = UNSET


class EnterAnswer(Struct, rename="camel", frozen=True, kw_only=True):
    """The room, with a token made at this click."""

    meeting_url: Annotated[
        str,
        Meta(
            description="The address of the room. It holds the token.",
            examples=["https://meet.example.org/visit-4711#jwt=%22eyJhbGciOiJSUzI1NiIs…%22"],
        ),
    ]
    embed: Annotated[
        bool,
        Meta(
            description="Whether the page shows the room in a frame, or sends the browser there.",
            examples=[True],
        ),
    ]
    closes_at: Annotated[int, _CLOSES_AT]

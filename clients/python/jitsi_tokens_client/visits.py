"""The calls about visits, the same for both clients."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Literal, TypedDict, TypeVar
from urllib.parse import quote, urlencode

from jitsi_tokens_client.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jitsi_tokens_client.secret import Secret

_PATH = "/api/visits"
_ID = re.compile("[A-Za-z0-9][A-Za-z0-9._-]*")
VisitT = TypeVar("VisitT")
PageT = TypeVar("PageT")
MeetingT = TypeVar("MeetingT")


class ParticipantState(TypedDict, total=False):
    """Where a participant is; times in epoch seconds. Anyone with the link can join."""

    participantId: str
    status: Literal["invited", "waiting", "joined", "left", "revoked"]
    link: Secret
    linkUnknown: bool
    waitingSince: int
    lastSeenAt: int
    joinedAt: int
    leftAt: int
    addedOnTheDay: bool


class VisitState(TypedDict, total=False):
    """What the day made of a visit; times in epoch seconds."""

    visitId: str
    status: Literal["scheduled", "open", "live", "over", "cancelled"]
    because: Literal["done", "by-phone"]
    opensAt: int
    closesAt: int
    delayMinutes: int
    observed: bool
    participants: list[ParticipantState]


class Visit(TypedDict, total=False):
    """A visit as the service answers it. Without `state` it can be put again."""

    startsAt: str
    durationMinutes: int
    timeZone: str
    opensBeforeMinutes: int
    overrunMinutes: int
    admission: Literal["with-moderator", "on-time"]
    contact: dict[str, str]
    hostName: str
    roomName: str
    revision: int
    participants: list[dict[str, Any]]
    state: VisitState


class VisitPage(TypedDict, total=False):
    """Some of the client's visits, the earliest first, without links. The last has no `next`."""

    visits: list[Visit]
    next: str


class VisitCalls(ABC, Generic[VisitT, PageT, MeetingT]):
    """The methods about visits; the service's docs/visits.md has the rules of each.

    The ids are yours, and stay the same if the appointment moves. Each method raises the errors of
    `issue`, NotFoundError if there is no such visit or participant, and ConflictError if the
    visit's state does not allow the call.
    """

    def put_visit(
        self, visit_id: str, visit: Mapping[str, Any], *, revision: int | None = None
    ) -> VisitT:
        """Create a visit or change it, and return it. It may be repeated at any time.

        Args:
            visit_id: never the appointment's date: that may change.
            visit: its fields as in the JSON: `startsAt`, `durationMinutes` and so on.
            revision: your record's counter or time of change. If the visit has a higher one,
                ConflictError "superseded" is raised and nothing changes.
        """
        document = {**visit} if revision is None else {**visit, "revision": revision}
        return self._visit("PUT", visit_id, document=document)

    def change_visit(self, visit_id: str, *, delay_minutes: int) -> VisitT:
        """Say how late a visit starts, 0 to 720 minutes, and return it."""
        return self._visit("PATCH", visit_id, document={"delayMinutes": delay_minutes})

    def get_visit(self, visit_id: str) -> VisitT:
        """Return a visit with its participants' links."""
        return self._visit("GET", visit_id)

    def list_visits(
        self, from_: str, to: str, *, waiting: bool = False, next_: str | None = None
    ) -> PageT:
        """Return one page of the visits that start in [from_, to), at most 31 days.

        Args:
            from_: an RFC 3339 time with an offset.
            to: likewise.
            waiting: only those with somebody waiting. Such a page can be empty and have a `next`.
            next_: the `next` of the page before, with the other arguments unchanged.
        """
        query = {"from": from_, "to": to, "waiting": "true" if waiting else None, "next": next_}
        return self._page("GET", query=query)

    def cancel_visit(self, visit_id: str, *, revision: int | None = None) -> VisitT:
        """Cancel a visit, and return it. See `put_visit` for the revision."""
        return self._visit("DELETE", visit_id, query={"revision": revision})

    def end_visit(self, visit_id: str, *, because: Literal["done", "by-phone"] = "done") -> VisitT:
        """End a visit now, and return it. A moderator's `join` undoes it."""
        return self._visit("POST", visit_id, "end", document={"because": because})

    def put_participant(
        self, visit_id: str, participant_id: str, participant: Mapping[str, Any]
    ) -> VisitT:
        """Add a participant on the day, or change one, and return the visit.

        `participant` has the fields as in the JSON, without `participantId`.
        """
        path = (visit_id, "participants", participant_id)
        return self._visit("PUT", *path, document=participant)

    def remove_participant(self, visit_id: str, participant_id: str) -> VisitT:
        """Revoke a participant, and return the visit."""
        return self._visit("DELETE", visit_id, "participants", participant_id)

    def new_link(self, visit_id: str, participant_id: str) -> VisitT:
        """Replace a participant's link, and return the visit with the new one.

        An attempt that gets no answer is not repeated: it could still replace the link that the
        next one returned. After UnavailableError, `get_visit` has the link in force.
        """
        path = (visit_id, "participants", participant_id, "new-link")
        return self._visit("POST", *path, is_repeatable=False)

    def join(self, visit_id: str, participant_id: str) -> MeetingT:
        """Return a token for a participant, at the click. A moderator's opens the visit."""
        return self._meeting("POST", visit_id, "participants", participant_id, "join")

    @abstractmethod
    def _visit(self, method: str, *path: str, **sent: Any) -> VisitT: ...

    @abstractmethod
    def _page(self, method: str, *path: str, **sent: Any) -> PageT: ...

    @abstractmethod
    def _meeting(self, method: str, *path: str, **sent: Any) -> MeetingT: ...


def visits_path(parts: tuple[str, ...], query: Mapping[str, object]) -> str:
    """Return the path below the service's address, with its query.

    Raises:
        InvalidRequestError: an id could turn it into the path of another call.
    """
    # Encoding them is not enough: a proxy in front of the service may decode a slash or dots.
    if not all(_ID.fullmatch(part) for part in parts):
        raise InvalidRequestError(
            "The request is not sent: an id must be letters, digits, dots, hyphens and underscores,"
            " and begin with a letter or digit."
        )
    path = "/".join((_PATH, *parts))
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given, quote_via=quote, errors='replace')}" if given else path

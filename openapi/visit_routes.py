"""The routes of visits: for the health record, and for people with a link."""

from __future__ import annotations

from typing import Any

from jitsi_tokens.core.visit_requests import (
    MAX_SAFE_INTEGER,
    PARTICIPANT_ID_PATTERN,
    VISIT_ID_PATTERN,
)
from openapi.answers import json_answer, not_modified, page_answer, refusals, with_head
from openapi.schemas import example, reference, schemas

_VISIT = "/api/visits/{visitId}"
_PARTICIPANT = f"{_VISIT}/participants/{{participantId}}"
_BEHIND = ("TooLarge", "TooMany", "Unavailable")
_BY_API_KEY = ("Refused", "Unknown", "Forbidden", "NoVisit", *_BEHIND)
_OF_VISIT = "The visit as it is now, with the links."

_VISIT_ID = {
    "name": "visitId",
    "in": "path",
    "required": True,
    "description": (
        "Your id of the visit, unique within the client: 1 to 128 letters, digits, `.`, `_` and"
        " `-`, starting with a letter or digit. It stays the same when the appointment moves, so"
        " never derive it from the date."
    ),
    "schema": {"type": "string", "pattern": VISIT_ID_PATTERN},
    "example": "oe-default-4711",
}
_PARTICIPANT_ID = {
    "name": "participantId",
    "in": "path",
    "required": True,
    "description": (
        "Your id of the participant, unique within the visit: 1 to 32 lower-case letters, digits"
        " and `-`, not starting with `-`."
    ),
    "schema": {"type": "string", "pattern": PARTICIPANT_ID_PATTERN},
    "example": "patient",
}
_REVISION = {
    "name": "revision",
    "in": "query",
    "required": False,
    "description": (
        "Your record's counter or time of change, as in PUT. If the visit has a higher one, the"
        " response is 409 and nothing changes."
    ),
    "schema": {"type": "integer", "minimum": 0, "maximum": MAX_SAFE_INTEGER},
    "example": 2,
}


def visit_paths() -> dict[str, Any]:
    """Return the routes that take an API key."""
    return {
        "/api/visits": {"get": _list()},
        _VISIT: {
            "put": _put(),
            "patch": _patch(),
            "get": _get(),
            "delete": _cancel(),
        },
        f"{_VISIT}/end": {"post": _end()},
        _PARTICIPANT: {"put": _put_participant(), "delete": _remove_participant()},
        f"{_PARTICIPANT}/new-link": {"post": _new_link()},
        f"{_PARTICIPANT}/join": {"post": _join()},
    }


def join_paths() -> dict[str, Any]:
    """Return the routes that take a link. OpenAPI has no path that holds slashes."""
    path = {
        "name": "proxy",
        "in": "path",
        "required": True,
        "description": "Any text. The page is the same for all paths.",
        "schema": {"type": "string"},
        "example": "visit",
    }
    return {
        "/join": with_head(_page("readPage")),
        "/join/{proxy}": with_head(
            _page("readPageBelow") | {"parameters": [path], "summary": "Open the page at any path"}
        ),
        "/join/status": {"post": _status()},
        "/join/enter": {"post": _enter()},
    }


def _of_api(
    operation_id: str,
    summary: str,
    description: str,
    *,
    parameters: list[dict[str, Any]],
    body: str | None = None,
    answers: dict[str, Any] | None = None,
    conflicts: str | None = "Cancelled",
) -> dict[str, Any]:
    names = [*_BY_API_KEY, *([conflicts] if conflicts else []), *(["NotJson"] if body else [])]
    responses = {**(answers or {"200": json_answer("VisitAnswer", _OF_VISIT)}), **refusals(*names)}
    return {
        "operationId": operation_id,
        "tags": ["visits"],
        "summary": summary,
        "description": description,
        "security": [{"apiKey": []}],
        "parameters": parameters,
        **({"requestBody": _body(body)} if body else {}),
        "responses": dict(sorted(responses.items())),
    }


def _body(schema: str) -> dict[str, Any]:
    return {
        "description": "A JSON object in UTF-8, at most 16,384 bytes, no `Content-Encoding`.",
        "required": True,
        "content": {
            "application/json": {
                "schema": reference(schema),
                "example": example(schemas()[schema]),
            }
        },
    }


def _list() -> dict[str, Any]:
    parameters = [
        {
            "name": name,
            "in": "query",
            "required": required,
            "description": description,
            "schema": schema,
            "example": shown,
        }
        for name, required, description, schema, shown in (
            (
                "from",
                True,
                "The start of the period, as an RFC 3339 time with an offset. Included.",
                {"type": "string", "format": "date-time"},
                "2026-12-01T00:00:00+01:00",
            ),
            (
                "to",
                True,
                (
                    "The end of the period, as an RFC 3339 time with an offset. Excluded; at most"
                    " 31 days after `from`."
                ),
                {"type": "string", "format": "date-time"},
                "2026-12-02T00:00:00+01:00",
            ),
            (
                "waiting",
                False,
                (
                    "`true`: only visits in which somebody is waiting. A page can then be empty and"
                    " still have `next`. Default `false`."
                ),
                {"type": "string", "enum": ["true", "false"]},
                "true",
            ),
            (
                "next",
                False,
                (
                    "`next` from the previous page. Send the other parameters unchanged. Leave it"
                    " out for the first page."
                ),
                {"type": "string"},
                "WzE3OTYxMTI5MDBd",
            ),
        )
    ]
    names = [name for name in _BY_API_KEY if name != "NoVisit"]
    answer = json_answer("VisitList", "A page of visits, without links.")
    return _of_api(
        "listVisits",
        "List visits",
        (
            "Returns this client's visits that start in a period, earliest first, including"
            " cancelled ones. A page has at most 500 visits or 1 MB. Links are not included."
        ),
        parameters=parameters,
    ) | {"responses": {"200": answer, **refusals(*names)}}


def _put() -> dict[str, Any]:
    return _of_api(
        "putVisit",
        "Create or change a visit",
        (
            "Stores the whole appointment. You can repeat the call at any time: an equal body"
            " changes nothing. Links stay the same, even when the appointment moves. A delay, an"
            " end and participants added on the day are kept. A new `startsAt` resets the delay to"
            " 0; a new `startsAt` or a longer `durationMinutes` reopens an ended visit."
        ),
        parameters=[_VISIT_ID],
        body="VisitBody",
        answers={
            "200": json_answer("VisitAnswer", _OF_VISIT),
            "201": json_answer("VisitAnswer", "The visit was created."),
        },
        conflicts="Superseded",
    )


def _patch() -> dict[str, Any]:
    return _of_api(
        "delayVisit",
        "Announce a delay",
        (
            "Shows the delay to waiting patients, and closes the visit as much later. A PUT with"
            " another `startsAt` resets the delay to 0."
        ),
        parameters=[_VISIT_ID],
        body="DelayBody",
    )


def _get() -> dict[str, Any]:
    return _of_api(
        "readVisit",
        "Read a visit",
        (
            "Returns the fields of the last PUT under the same names, and `state`: the status, the"
            " participants and their links."
        ),
        parameters=[_VISIT_ID],
        conflicts=None,
    )


def _cancel() -> dict[str, Any]:
    return _of_api(
        "cancelVisit",
        "Cancel a visit",
        (
            "Cancels the visit and erases all names at once. You can repeat the call. A PUT with"
            " `participants` revives the visit with the same links."
        ),
        parameters=[_VISIT_ID, _REVISION],
        conflicts="Superseded",
    )


def _end() -> dict[str, Any]:
    ended = _of_api(
        "endVisit",
        "End a visit",
        (
            "Ends the visit now: guests can no longer enter. A moderator who joins again reopens"
            " it. The body is optional."
        ),
        parameters=[_VISIT_ID],
        body="EndBody",
    )
    return ended | {"requestBody": _body("EndBody") | {"required": False}}


def _put_participant() -> dict[str, Any]:
    return _of_api(
        "putParticipant",
        "Add or change a participant on the day",
        (
            "Adds a relative, an interpreter or a substitute, or changes a participant. A later PUT"
            " of the visit keeps people added this way, even if it does not name them."
        ),
        parameters=[_VISIT_ID, _PARTICIPANT_ID],
        body="ParticipantBody",
    )


def _remove_participant() -> dict[str, Any]:
    return _of_api(
        "removeParticipant",
        "Revoke a participant",
        (
            "Revokes the participant. The link stops working at the next request. You can repeat"
            " the call."
        ),
        parameters=[_VISIT_ID, _PARTICIPANT_ID],
    )


def _new_link() -> dict[str, Any]:
    return _of_api(
        "newLink",
        "Replace a participant's link",
        (
            "Creates a new link, which is in the response. The old link stops working at the next"
            " request."
        ),
        parameters=[_VISIT_ID, _PARTICIPANT_ID],
    )


def _join() -> dict[str, Any]:
    return _of_api(
        "joinVisit",
        "Issue a participant's token",
        (
            "Returns a token for the *Join* button in your application. When a moderator joins, the"
            " visit opens for guests. A moderator can join from 24 hours before the visit opens"
            " to 24 hours after it closes. A guest is subject to the rules of `POST /join/enter`."
        ),
        parameters=[_VISIT_ID, _PARTICIPANT_ID],
        answers={"200": json_answer("IssuedToken", "The token, and the URL that joins the room.")},
        conflicts="NotNow",
    )


def _page(operation_id: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "tags": ["join"],
        "summary": "Open the waiting page",
        "description": (
            "Returns the page that participants' links open. It is the same for all visits: the"
            " secret of a link is in the URL's fragment, which browsers do not send."
        ),
        "security": [],
        "responses": {
            "200": page_answer(),
            "304": not_modified(),
            **refusals("Unreadable", "Filtered", *_BEHIND),
        },
    }


def _of_page(
    operation_id: str, summary: str, description: str, body: str, answers: dict[str, Any]
) -> dict[str, Any]:
    names = ("Refused", "Filtered", "NoLink", "TooLarge", "NotJson", "TooMany", "Interrupted")
    return {
        "operationId": operation_id,
        "tags": ["join"],
        "summary": summary,
        "description": description,
        "security": [],
        "requestBody": _body(body),
        "responses": dict(sorted({**answers, **refusals(*names)}.items())),
    }


def _status() -> dict[str, Any]:
    return _of_page(
        "askStatus",
        "Read the status of a visit",
        (
            "Returns what the waiting page shows. It changes nothing, except that a participant"
            " with `asked` from 1 on counts as waiting."
        ),
        "StatusBody",
        {"200": json_answer("StatusAnswer", "The state of the visit, and when to ask again.")},
    )


def _enter() -> dict[str, Any]:
    return _of_page(
        "enterVisit",
        "Enter a visit",
        (
            "Issues a token for the participant, at the click on *Join now*. It works while the"
            " visit lets the participant in, at most ten times a minute for each link."
        ),
        "EnterBody",
        {
            "200": json_answer("EnterAnswer", "The URL of the room, with a new token in it."),
            **refusals("NotNow"),
        },
    )

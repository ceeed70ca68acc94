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
        "The caller's own name of the visit, unique within the client: what stays the same when"
        " the appointment moves, never its date."
    ),
    "schema": {"type": "string", "pattern": VISIT_ID_PATTERN},
    "example": "oe-default-4711",
}
_PARTICIPANT_ID = {
    "name": "participantId",
    "in": "path",
    "required": True,
    "description": "The caller's name of the participant within the visit.",
    "schema": {"type": "string", "pattern": PARTICIPANT_ID_PATTERN},
    "example": "patient",
}
_REVISION = {
    "name": "revision",
    "in": "query",
    "required": False,
    "description": "As in PUT: a lower one than the visit has changes nothing.",
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
        "description": "Anything: the page is the same.",
        "schema": {"type": "string"},
        "example": "visit",
    }
    return {
        "/join": with_head(_page("readPage")),
        "/join/{proxy}": with_head(_page("readPageBelow") | {"parameters": [path]}),
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
        "description": "At most 16,384 bytes of JSON in UTF-8, without `Content-Encoding`.",
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
                "Visits that start then or later.",
                {"type": "string", "format": "date-time"},
                "2026-12-01T00:00:00+01:00",
            ),
            (
                "to",
                True,
                "Visits that start before; at most 31 days after `from`.",
                {"type": "string", "format": "date-time"},
                "2026-12-02T00:00:00+01:00",
            ),
            (
                "waiting",
                False,
                "Only visits in which somebody waits. A page can be empty and still have `next`.",
                {"type": "string", "enum": ["true", "false"]},
                "true",
            ),
            (
                "next",
                False,
                "`next` of the page before, with the other parameters unchanged.",
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
            "The client's visits that start in a period, the earliest first, cancelled ones"
            " included: at most 500, or 1 MB, a page."
        ),
        parameters=parameters,
    ) | {"responses": {"200": answer, **refusals(*names)}}


def _put() -> dict[str, Any]:
    return _of_api(
        "putVisit",
        "Create or change a visit",
        (
            "Makes the visit what the body says, and may be repeated at any time: an equal body"
            " changes nothing. Links stay the same, also when the appointment moves. What was set"
            " on the day (a delay, an end, further participants) stays."
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
        "Say that a visit starts late",
        "Patients read the delay while they wait. A PUT with another `startsAt` sets it to 0.",
        parameters=[_VISIT_ID],
        body="DelayBody",
    )


def _get() -> dict[str, Any]:
    return _of_api(
        "readVisit",
        "Read a visit",
        "What PUT took, under the same names, and `state`.",
        parameters=[_VISIT_ID],
        conflicts=None,
    )


def _cancel() -> dict[str, Any]:
    return _of_api(
        "cancelVisit",
        "Cancel a visit",
        "Names are erased at once. Again: the same answer. A PUT brings the visit back.",
        parameters=[_VISIT_ID, _REVISION],
        conflicts="Superseded",
    )


def _end() -> dict[str, Any]:
    ended = _of_api(
        "endVisit",
        "End a visit",
        "Over, now. A moderator's `join` undoes it.",
        parameters=[_VISIT_ID],
        body="EndBody",
    )
    return ended | {"requestBody": _body("EndBody") | {"required": False}}


def _put_participant() -> dict[str, Any]:
    return _of_api(
        "putParticipant",
        "Add or change a participant on the day",
        "A relative, an interpreter, cover: a PUT of the visit that does not name them keeps them.",
        parameters=[_VISIT_ID, _PARTICIPANT_ID],
        body="ParticipantBody",
    )


def _remove_participant() -> dict[str, Any]:
    return _of_api(
        "removeParticipant",
        "Revoke a participant",
        "The link is dead from the next request on. Again: the same answer.",
        parameters=[_VISIT_ID, _PARTICIPANT_ID],
    )


def _new_link() -> dict[str, Any]:
    return _of_api(
        "newLink",
        "Replace a participant's link",
        "The old link is dead from the next request on.",
        parameters=[_VISIT_ID, _PARTICIPANT_ID],
    )


def _join() -> dict[str, Any]:
    return _of_api(
        "joinVisit",
        "Issue a participant's token",
        (
            "For the button in the health record. A moderator's join opens the visit for guests,"
            " and is refused only more than 24 hours away from the visit. A guest's obeys the rules"
            " of `POST /join/enter`."
        ),
        parameters=[_VISIT_ID, _PARTICIPANT_ID],
        answers={
            "200": json_answer("IssuedToken", "The token, and the address that joins the room.")
        },
        conflicts="NotNow",
    )


def _page(operation_id: str) -> dict[str, Any]:
    return {
        "operationId": operation_id,
        "tags": ["join"],
        "summary": "Open the page of visits",
        "description": "The same for everybody: it knows no visit. The link is in the fragment.",
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
        "Ask what to show",
        "Opens nothing and changes nothing, except that somebody who asks twice is waiting.",
        "StatusBody",
        {"200": json_answer("StatusAnswer", "Where the visit is, and when to ask again.")},
    )


def _enter() -> dict[str, Any]:
    return _of_page(
        "enterVisit",
        "Enter a visit",
        (
            "The click: the service issues a token. Works any number of times while the visit lets"
            " the participant in, at most ten times a minute."
        ),
        "EnterBody",
        {
            "200": json_answer("EnterAnswer", "The room, with a token made now."),
            **refusals("NotNow"),
        },
    )

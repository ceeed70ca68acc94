"""A problem of each kind, where it can be as the service itself raises it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jitsi_tokens import http
from jitsi_tokens.core import contact, requests
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.problems import (
    LINK_INVALID,
    LINK_REPLACED,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    SUPERSEDED,
    TOO_EARLY,
    TOO_MANY_REQUESTS,
    VISIT_CANCELLED,
    VISIT_INTERRUPTED,
    VISIT_OVER,
    WAITING_FOR_MODERATOR,
    Kind,
    Problem,
    unexpected,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_CONTACT = {"contact": contact.EXAMPLE}
_BODY = {"userId": "user-123", "userName": "Dr. Jane Smith", "roomName": "session-123"}


def _parsed(**fields: object) -> requests.TokenRequest:
    return requests.parse(json.dumps(_BODY | fields).encode())


def _raised(refusing: Callable[[], object]) -> Problem:
    try:
        refusing()
    except Problem as problem:
        return problem
    raise AssertionError("nothing was refused")


_ALL = [
    _raised(lambda: requests.parse(b"{")),
    _raised(lambda: _parsed(roomName="*").room()),
    _raised(lambda: http.caller({})),
    _raised(lambda: Policy(rooms=["*"]).check(_parsed(isModerator=True), "session-123", 0)),
    Problem(NOT_FOUND, "No public key is published here."),
    Problem(METHOD_NOT_ALLOWED, "/api/jitsi/jwt answers GET, HEAD, POST.", allow="GET, HEAD, POST"),
    _raised(lambda: http.json_body({"body": " " * 4 * http.MAX_BODY_BYTES})),
    _raised(lambda: http.json_body({})),
    Problem(TOO_MANY_REQUESTS, "Wait, then try again.", retry_after_seconds=1),
    Problem(SUPERSEDED, "The visit has a higher revision: nothing was changed."),
    Problem(VISIT_CANCELLED, "The visit is cancelled: a PUT brings it back."),
    Problem(
        TOO_EARLY,
        "The visit opens at opensAt.",
        members={"opens_at": 1796112900, "server_time": 1796109300},
    ),
    Problem(WAITING_FOR_MODERATOR, "Wait until a moderator has joined."),
    Problem(VISIT_OVER, "The visit is over.", members={"because": "by-phone"}),
    Problem(LINK_INVALID, "The link is incomplete, or too old."),
    Problem(LINK_REPLACED, "Use the newest link, or call the clinic.", members=_CONTACT),
    Problem(VISIT_INTERRUPTED, "Call the clinic.", members=_CONTACT),
    unexpected(),
]
EXAMPLES: dict[Kind, Problem] = {problem.kind: problem for problem in _ALL}

"""The calls about visits, of each client: what is sent, what comes back, and what shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients import unruly_server as unruly
from tests.clients.samples import API_KEY, MEETING, WELL, settings
from tests.clients.test_alike import Case, assert_alike
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from tests.clients.callers import Caller
    from tests.clients.unruly_server import Deed

LINK = "https://visits.example.org/join/#jtv_ExampleLinkThatNoTableHolds28Kzkk"
PUT: dict[str, Any] = {
    "startsAt": "2026-12-01T09:30:00+01:00",
    "durationMinutes": 30,
    "timeZone": "Europe/Vienna",
    "contact": {"name": "Praxis Dr. Novák", "phone": "+43 1 2345678"},
    "participants": [
        {"participantId": "doctor", "userName": "Dr. Novák", "features": {}},
        {"participantId": "patient", "userName": "Anna", "features": {"recording": False}},
    ],
}
STATE = {
    "visitId": "oe-4711",
    "status": "scheduled",
    "opensAt": 1796112900,
    "participants": [{"participantId": "patient", "status": "invited", "link": LINK}],
}
VISIT = PUT | {"participants": PUT["participants"][1:], "state": STATE}
FOUND = unruly.answer(200, json.dumps(VISIT))
CREATED = unruly.answer(201, json.dumps(VISIT))
V: dict[str, Any] = {"visit_id": "oe-4711"}
P: dict[str, Any] = {**V, "participant_id": "patient"}
PATH = "/api/visits/oe-4711"
OF_PATIENT = f"{PATH}/participants/patient"
DAY = {"from_": "2026-12-01T00:00:00+01:00", "to": "2026-12-02T00:00:00+01:00"}
OF_DAY = "?from=2026-12-01T00%3A00%3A00%2B01%3A00&to=2026-12-02T00%3A00%3A00%2B01%3A00"
ANNA = {"userName": "Anna", "features": {}}


@pytest.mark.parametrize(
    ("method", "given", "line", "body"),
    [
        ("put_visit", V | {"visit": PUT}, f"PUT {PATH}", PUT),
        ("put_visit", V | {"visit": PUT, "revision": 0}, f"PUT {PATH}", PUT | {"revision": 0}),
        ("put_visit", V | {"visit": {"participants": []}}, f"PUT {PATH}", {"participants": []}),
        ("change_visit", V | {"delay_minutes": 0}, f"PATCH {PATH}", {"delayMinutes": 0}),
        ("get_visit", V, f"GET {PATH}", None),
        ("cancel_visit", V, f"DELETE {PATH}", None),
        ("cancel_visit", V | {"revision": 0}, f"DELETE {PATH}?revision=0", None),
        ("end_visit", V, f"POST {PATH}/end", {"because": "done"}),
        ("end_visit", V | {"because": "by-phone"}, f"POST {PATH}/end", {"because": "by-phone"}),
        ("put_participant", P | {"participant": ANNA}, f"PUT {OF_PATIENT}", ANNA),
        ("remove_participant", P, f"DELETE {OF_PATIENT}", None),
        ("new_link", P, f"POST {OF_PATIENT}/new-link", None),
        ("get_visit", {"visit_id": "A..b_-"}, "GET /api/visits/A..b_-", None),
    ],
)
def test_a_call_is_sent_as_the_contract_has_it(
    caller: Caller, method: str, given: dict[str, Any], line: str, body: dict[str, Any] | None
) -> None:
    """And the visit comes back, whether it is new or not."""
    with UnrulyServer(CREATED if method == "put_visit" else FOUND) as server:
        outcome = caller.call(method, settings(server), **given)

        assert (outcome.kind, outcome.values) == ("visit", VISIT), outcome
        [request] = server.received
    assert request.line == f"{line} HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    if body is None:
        assert "content-type" not in request.headers
        # What is before the service may refuse a POST of unknown length (411).
        length = "0" if line.startswith("POST") else None
        assert request.headers.get("content-length") == length
    else:
        assert json.loads(request.body) == body


def test_a_join_is_a_meeting(caller: Caller) -> None:
    """As a token that is asked for without a visit."""
    with UnrulyServer(WELL) as server:
        outcome = caller.call("join", settings(server), **P)

        assert (outcome.kind, outcome.values) == ("meeting", MEETING)
        assert server.received[0].line == f"POST {OF_PATIENT}/join HTTP/1.1"


@pytest.mark.parametrize(
    ("more", "query"),
    [({}, ""), ({"waiting": True, "next_": "Wz+/="}, "&waiting=true&next=Wz%2B%2F%3D")],
)
def test_a_page_of_the_list_may_be_long(caller: Caller, more: dict[str, Any], query: str) -> None:
    """It has up to 500 visits."""
    page = {"visits": [VISIT] * 500, "next": "Wz+/="}
    with UnrulyServer(unruly.answer(200, json.dumps(page))) as server:
        outcome = caller.call("list_visits", settings(server), **DAY | more)

        assert outcome.values == page, outcome
        assert server.received[0].line == f"GET /api/visits{OF_DAY}{query} HTTP/1.1"


@pytest.mark.parametrize("part", ["", ".", "..", "a/b", "a%2e", "a?b", "a\n", "ü", "-a"])
def test_an_id_that_could_change_the_path_is_not_sent(part: str) -> None:
    """To remove a participant called `..` would cancel the visit."""
    for given in ({"visit_id": part}, {"participant_id": part}):
        assert_alike(Case("InvalidRequest", request=P | given, method="remove_participant"))


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("superseded", {}),
        ("too-early", {"opensAt": 1796112900, "serverTime": 1796100000}),
        ("waiting-for-moderator", {"opensAt": 1796112900.5}),
        ("visit-over", {"because": "by-phone", "opensAt": True}),
        ("visit-cancelled", {}),
        ("eyJ", {}),
        ("a b", {}),
    ],
)
def test_a_conflict_is_told_alike(kind: str, more: dict[str, Any]) -> None:
    """By its kind, for programs, and the time of opening."""
    problem = {"type": f"urn:jitsi-tokens:problem:{kind}", "detail": "No."} | more
    deed = unruly.answer(409, json.dumps(problem), "application/problem+json")

    assert_alike(Case("Conflict", deed, request=P, method="join"))


def test_a_conflict_says_when_the_visit_opens(caller: Caller) -> None:
    """A doctor's desk can show it."""
    problem = {"type": "urn:jitsi-tokens:problem:too-early", "detail": "No.", "opensAt": 7}
    deed = unruly.answer(409, json.dumps(problem), "application/problem+json")
    with UnrulyServer(deed) as server:
        outcome = caller.call("join", settings(server), **P)

    assert outcome.kind == "Conflict", outcome
    assert (outcome.values["problem"], outcome.values["opensAt"]) == ("too-early", 7)


@pytest.mark.parametrize(
    ("kind", "deed"),
    [
        ("NotFound", unruly.problem("not-found", 404, "The visit has no such participant.")),
        ("Configuration", unruly.answer(404, "<html>", "text/html")),
        ("InvalidRequest", unruly.problem("invalid-request", 400, "must be 1.", "/contact/phone")),
        ("NotAllowed", unruly.problem("forbidden", 403, "This client may not make visits.")),
        ("Unavailable", unruly.answer(409, "<html>", "text/html")),
        ("Unavailable", unruly.answer(200, "[]")),
        ("Unavailable", WELL),
    ],
)
def test_no_visit_is_told_alike(kind: str, deed: Deed) -> None:
    """What the service does not know is no fault of its address."""
    assert_alike(Case(kind, deed, request=V, method="get_visit"))
    if kind == "Unavailable":
        assert_alike(Case(kind, deed, request=DAY, method="list_visits"))


@pytest.mark.parametrize(
    ("deed", "is_answer"),
    [
        (unruly.close, False),
        (unruly.half(json.dumps(VISIT)), False),
        (unruly.answer(503, ""), True),
    ],
)
def test_a_call_is_repeated_unless_a_link_could_die(
    caller: Caller,
    deed: Deed,
    is_answer: bool,  # noqa: FBT001
) -> None:
    """A lost new-link may still be under way, and would replace what the next one returned."""
    for method, repeats in (("remove_participant", True), ("new_link", is_answer)):
        with UnrulyServer(deed, FOUND) as server:
            outcome = caller.call(method, settings(server), **P)

            assert outcome.kind == ("visit" if repeats else "Unavailable"), outcome
            assert len(server.received) == 1 + repeats


@pytest.mark.parametrize(
    "deed",
    [
        FOUND,
        unruly.problem("invalid-request", 400, f"{LINK} is no phone number.", f"/{LINK}"),
        unruly.problem("too-early", 409, f"{LINK} does not open yet."),
        unruly.answer(200, json.dumps({"link": LINK})),
    ],
)
def test_nothing_that_is_printed_holds_a_link_or_a_name(caller: Caller, deed: Deed) -> None:
    """For every answer, and however visit, client and error are printed."""
    with UnrulyServer(deed) as server:
        outcome = caller.call(
            "put_visit", settings(server), **V, visit={**PUT, "hostName": "Zoë Q"}
        )

    assert "jtv_" not in outcome.dumps + str(outcome.values.get("message"))
    assert "Zoë Q" not in outcome.dumps
    assert API_KEY not in outcome.dumps

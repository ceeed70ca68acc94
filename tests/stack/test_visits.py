"""Visits over HTTP: what must hold for the health record, and for who has a link."""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.broken_visits import BROKEN
from tests.stack.service import EMAIL, LINKS, NAME
from tests.stack.visits import (
    CONTACT,
    DOCTOR,
    PATIENT,
    RELATIVE,
    Visits,
    at,
    body,
    claims_of,
    kind,
    links_of,
    token_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.stack.calls import Calls
    from tests.stack.service import Service

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def record(self_hosted: Service) -> Visits:
    """Return a health record whose moderators have no links."""
    api_key = self_hosted.add_client("visits", "--visits", "--moderator", "--room", "chosen-*")
    return Visits(self_hosted, api_key, "visits")


@pytest.fixture(scope="module")
def other(self_hosted: Service) -> Visits:
    """Return another client of the same stack, whose moderators have links."""
    options = ("--visits", "--moderator", "--moderator-links")
    return Visits(self_hosted, self_hosted.add_client("other-visits", *options), "other-visits")


def test_looking_mints_nothing_changes_nothing_and_makes_nobody_wait(record: Visits) -> None:
    """Mail scanners load the page, and messengers; a click works after them, and again."""
    link = links_of(record.put("looked-at", starts_in=3600))["patient"]
    before = record.items()

    for number in range(100):
        match number % 3:
            case 0:
                assert record.service.http.get("/join/").status_code == 200
            case 1:
                assert record.service.http.head("/join").status_code == 200
            case _:
                answer = record.status(link, asked=number)
                assert (answer.status_code, answer.json()["canEnter"]) == (200, False)

    assert record.items() == before
    record.put("looked-at")
    statuses = []
    for asked in (0, 1):
        record.status(link, asked)
        [patient] = [
            each
            for each in record.get("looked-at")["state"]["participants"]
            if each["participantId"] == "patient"
        ]
        statuses.append(patient["status"])
    assert statuses == ["invited", "waiting"]
    assert record.join("looked-at").status_code == 200
    assert [record.enter(link).status_code for _ in range(2)] == [200, 200]


def test_the_table_opens_nothing_and_what_was_erased_does_not_come_back(record: Visits) -> None:
    """It holds the SHA-256 of a link alone; a visit made again has other links."""
    first = links_of(record.put("erased"))["patient"]
    replaced = record.call("POST", "/erased/participants/patient/new-link")
    second = links_of(replaced.json())["patient"]
    LINKS.append(second)

    items = record.items()
    assert f"L#{hashlib.sha256(second.encode()).hexdigest()}" in items
    assert not [link for link in (first, second, "jtv_") if link in json.dumps(items)]
    assert first != second
    assert kind(record.enter(first)) == (404, "link-replaced")
    assert record.enter(first).json()["contact"] == CONTACT
    for item in items.values():
        if "erased" in (item["id"]["S"].rpartition("#")[2], item.get("visit", {}).get("S")):
            record.write(item | {"erase_at": {"N": str(int(time.time()))}})
    assert record.call("GET", "/erased").status_code == 404
    third = links_of(record.put("erased"))["patient"]
    assert third not in (first, second)
    for link in (first, second):
        assert kind(record.status(link)) == kind(record.enter(link)) == (404, "link-invalid")


def test_a_client_has_visits_of_its_own(record: Visits, other: Visits) -> None:
    """The same id is another visit; nobody reads, joins, cancels or lists another client's."""
    own, others = (each.put("oe-1") for each in (record, other))
    record.put("oe-2")

    assert not set(links_of(own).values()) & set(links_of(others).values())
    assert "doctor" not in links_of(own)
    assert "doctor" in links_of(others)
    for method, path in (
        *(("GET", "/oe-2"), ("DELETE", "/oe-2"), ("POST", "/oe-2/end")),
        *(("POST", "/oe-2/participants/doctor/join"), ("DELETE", "/oe-2/participants/doctor")),
        ("POST", "/oe-2/participants/patient/new-link"),
    ):
        assert kind(other.call(method, path)) == (404, "not-found")
    listed = other.call("GET", "", params={"from": at(-86400), "to": at(86400)}).json()
    assert [each["state"]["visitId"] for each in listed["visits"]] == ["oe-1"]
    assert record.get("oe-2")["state"]["status"] == "open"


def test_before_the_opening_it_is_too_early(record: Visits) -> None:
    """The answer has the time of the opening and the service's own, for a wrong clock."""
    link = links_of(record.put("early", starts_in=900 + 120))["patient"]

    refused, status = record.enter(link), record.status(link).json()

    assert kind(refused) == (409, "too-early")
    wait = refused.json()["opensAt"] - refused.json()["serverTime"]
    assert 110 <= wait <= 120
    assert abs(refused.json()["serverTime"] - time.time()) < 5
    assert status["opensAt"] == refused.json()["opensAt"]
    assert wait - 5 <= status["nextSeconds"] <= wait
    assert kind(record.join("early", "patient")) == (409, "too-early")
    assert record.join("early").status_code == 200


def test_a_moderator_lets_the_guests_in(record: Visits) -> None:
    """Also after the moderator has dropped out; not by a join of the day before."""
    link = links_of(record.put("moderated"))["patient"]

    assert kind(record.enter(link)) == (409, "waiting-for-moderator")
    assert record.status(link).json()["nextSeconds"] == 5
    assert record.join("moderated").status_code == 200
    assert record.status(link).json()["canEnter"] is True
    assert [record.enter(link).status_code for _ in range(2)] == [200, 200]
    yesterday = {"N": str(int(time.time()) - 20 * 3600)}
    item = record.item("moderated")
    record.write(item | {"joined_at": yesterday, "inside_until": yesterday})
    assert kind(record.enter(link)) == (409, "waiting-for-moderator")
    on_time = record.put("on-time", admission="on-time")
    assert record.enter(links_of(on_time)["patient"]).status_code == 200


def test_a_moved_visit_keeps_its_links_and_its_room_while_somebody_is_inside(
    record: Visits,
) -> None:
    """Three weeks on it has another room and is kept as much longer, across a change of clocks."""
    link = links_of(record.put("moved"))["patient"]
    inside = record.join("moved").json()["roomName"]
    for minutes in (5, 15, 60):
        record.put("moved", starts_in=300 + minutes * 60)
        assert record.join("moved").json()["roomName"] == inside
        assert claims_of(token_of(record.enter(link)))["room"] == inside
    before = record.items()

    start = datetime.now(UTC) + timedelta(days=21)
    moved = record.put("moved", startsAt=start.isoformat(timespec="seconds"))

    after = record.items()
    assert links_of(moved)["patient"] == link
    assert abs(moved["state"]["opensAt"] - (start.timestamp() - 900)) <= 1
    assert [each["status"] for each in moved["state"]["participants"]] == ["invited"] * 3
    rooms = {
        name
        for name, item in after.items()
        if name.startswith("R#") and item["visit"]["S"] == "moved"
    }
    assert len(rooms - before.keys()) == 1
    for name in ("V#visits#moved", f"L#{hashlib.sha256(link.encode()).hexdigest()}"):
        longer = int(after[name]["erase_at"]["N"]) - int(before[name]["erase_at"]["N"])
        assert abs(longer - 21 * 86400) < 2 * 3600
    zones = [
        record.put("clocks", startsAt=text)["state"]["opensAt"]
        for text in ("2027-03-27T09:30:00+01:00", "2027-03-28T09:30:00+02:00")
    ]
    assert zones[1] - zones[0] == 23 * 3600


def test_what_is_taken_back_is_refused_from_the_next_request_on(record: Visits) -> None:
    """A participant, a link, the visit: the others go on, until it is cancelled."""
    links = links_of(record.put("taken-back"))
    record.join("taken-back")
    assert record.enter(links["patient"]).status_code == 200

    revoked = record.call("DELETE", "/taken-back/participants/relative")
    assert record.call("DELETE", "/taken-back/participants/relative").json() == revoked.json()
    replaced = record.call("POST", "/taken-back/participants/patient/new-link").json()

    fresh = links_of(replaced)["patient"]
    LINKS.append(fresh)
    for link in (links["relative"], links["patient"]):
        assert kind(record.enter(link)) == kind(record.status(link)) == (404, "link-replaced")
    assert record.enter(fresh).status_code == 200
    cancelled = record.call("DELETE", "/taken-back")
    assert cancelled.json()["state"]["status"] == "cancelled"
    assert record.call("DELETE", "/taken-back").json() == cancelled.json()
    assert NAME not in json.dumps(record.item("taken-back"))
    assert kind(record.enter(fresh)) == (409, "visit-cancelled")
    status = record.status(fresh).json()
    assert (status["status"], status["nextSeconds"]) == ("cancelled", 60)
    assert not {"hostName", "userName", "language"} & status.keys()
    for method, path in (
        *(("POST", "/end"), ("POST", "/participants/patient/new-link")),
        *(("DELETE", "/participants/patient"), ("POST", "/participants/doctor/join")),
    ):
        assert kind(record.call(method, f"/taken-back{path}")) == (409, "visit-cancelled")
    again = record.put("taken-back")
    assert links_of(again)["patient"] == fresh


def test_who_enters_is_the_same_person_in_one_room_until_the_close(record: Visits) -> None:
    """However often, and from whatever device; a guest is never a moderator."""
    visit = record.put("entered", participants=[DOCTOR, RELATIVE], durationMinutes=20)
    link = links_of(visit)["relative"]
    moderator = claims_of(record.join("entered").json()["token"])

    answers = [record.enter(link) for _ in range(3)]

    claims = [claims_of(token_of(answer)) for answer in answers]
    assert len({each["context"]["user"]["id"] for each in claims}) == 1
    assert {each["room"] for each in [*claims, moderator]} == {moderator["room"]}
    assert moderator["context"]["user"]["moderator"] == "true"
    for answer, each in zip(answers, claims, strict=True):
        closes_at = record.get("entered")["state"]["closesAt"]
        assert each["exp"] == answer.json()["closesAt"] == closes_at
        assert each["context"]["user"]["moderator"] == "false"
        assert answer.json()["embed"] is True


def test_the_policy_is_asked_again_at_each_click(self_hosted: Service, other: Visits) -> None:
    """A client without leave, or without API keys: its links say that it is interrupted."""
    api_key = self_hosted.add_client("leaving", "--visits", "--moderator", "--moderator-links")
    leaving = Visits(self_hosted, api_key, "leaving")
    links = links_of(leaving.put("left"))
    leaving.join("left")
    assert leaving.enter(links["doctor"]).status_code == 200

    self_hosted.commands.run("client", "set", "leaving", "--visits")
    assert kind(leaving.enter(links["doctor"])) == (503, "visit-interrupted")
    assert leaving.enter(links["patient"]).status_code == 200
    self_hosted.commands.run("client", "revoke", "leaving", "--yes")

    for answer in (leaving.enter(links["patient"]), leaving.status(links["patient"])):
        assert kind(answer) == (503, "visit-interrupted")
        assert answer.json()["contact"] == CONTACT
        assert "retry-after" not in answer.headers
    assert other.enter(links_of(other.put("stays"))["doctor"]).status_code == 200


def test_puts_at_the_same_time_make_one_visit_and_a_late_one_nothing(record: Visits) -> None:
    """With one set of links; a call with a lower revision than the visit has is refused."""
    sent = body(revision=2)
    with ThreadPoolExecutor(10) as callers:
        answers = list(callers.map(lambda _: record.call("PUT", "/raced", json=sent), range(10)))

    made = [links_of(answer.json()) for answer in answers]
    assert [answer.status_code for answer in answers].count(201) == 1
    assert all(links == made[0] for links in made)
    LINKS.extend(made[0].values())
    late = record.call("PUT", "/raced", json=sent | {"durationMinutes": 45, "revision": 1})
    assert kind(late) == (409, "superseded")
    assert kind(record.call("DELETE", "/raced", params={"revision": 1})) == (409, "superseded")
    assert record.get("raced")["durationMinutes"] == 30


def test_a_click_is_four_calls_and_a_question_two(record: Visits, calls: Calls) -> None:
    """Every 30 seconds a question writes as well. Secrets are cached, so they are not counted."""
    link = links_of(record.put("counted", admission="on-time"))["patient"]
    reads = ["GetItem", "BatchGetItem"]

    def made(answer: Callable[[], httpx.Response]) -> list[str]:
        before = len(calls.so_far())
        assert answer().status_code == 200
        actions = [call.action.split(":") for call in calls.so_far()[before:]]
        return [operation for service, operation in actions if service == "dynamodb"]

    assert made(lambda: record.enter(link)) == [*reads, "PutItem", "UpdateItem"]
    assert made(lambda: record.status(link)) == reads
    half_a_minute_ago = {"N": str(int(time.time()) - 30)}
    record.write(record.item("counted") | {"seen#patient": half_a_minute_ago})
    assert made(lambda: record.status(link, 1)) == [*reads, "UpdateItem"]
    assert made(lambda: record.status(link, 2)) == reads


def test_a_day_of_500_visits_is_one_query_a_page(record: Visits, calls: Calls) -> None:
    """With who waits, without links, in the order of their times."""
    record.put("listed", starts_in=200 * 86400)
    item = record.item("listed")
    start = int(item["starts_at"]["N"])
    for number in range(1, 501):
        record.write(
            item
            | {"id": {"S": f"V#visits#listed-{number}"}, "starts_at": {"N": str(start + number)}}
        )
    now = str(int(time.time()))
    record.write(item | {"waiting#patient": {"N": now}, "seen#patient": {"N": now}})
    query = {
        "from": at(200 * 86400 - 60).replace("+00:00", " 00:00"),  # a plus that became a blank
        "to": at(201 * 86400),
    }
    queries = sum(call.action == "dynamodb:Query" for call in calls.so_far())

    first = record.call("GET", "", params=query).json()
    second = record.call("GET", "", params=query | {"next": first["next"]}).json()
    waiting = record.call("GET", "", params=query | {"waiting": "true"}).json()

    made = sum(call.action == "dynamodb:Query" for call in calls.so_far()) - queries
    assert made == 3
    assert (len(first["visits"]), len(second["visits"])) == (500, 1)
    assert "next" not in second
    assert [each["state"]["visitId"] for each in waiting["visits"]] == ["listed"]
    assert "jtv_" not in json.dumps([first, second])
    assert first["visits"][1]["state"]["visitId"] == "listed-1"


def test_what_the_day_makes_of_a_visit_outlasts_the_calendar(record: Visits) -> None:
    """A delay, a relative, an end by phone: a PUT of the calendar leaves them."""
    sent = body(participants=[DOCTOR, PATIENT])
    record.call("PUT", "/on-the-day", json=sent)
    record.call("PATCH", "/on-the-day", json={"delayMinutes": 20})
    daughter = {"userName": NAME, "userEmail": EMAIL}
    record.call("PUT", "/on-the-day/participants/daughter", json=daughter)
    record.call("POST", "/on-the-day/end", json={"because": "by-phone"})

    own = {name: value for name, value in record.get("on-the-day").items() if name != "state"}
    for again in (sent, own, sent | {"hostName": "Dr. Novak"}):
        state = record.call("PUT", "/on-the-day", json=again).json()["state"]
        assert (state["status"], state["because"], state["delayMinutes"]) == (
            *("over", "by-phone"),
            20,
        )
        [added] = [each for each in state["participants"] if each.get("addedOnTheDay")]
        assert (added["participantId"], added["userName"]) == ("daughter", NAME)
    link = added["link"].rpartition("#")[2]
    LINKS.append(link)
    assert kind(record.enter(link)) == (409, "visit-over")
    assert record.enter(link).json()["because"] == "by-phone"
    assert record.join("on-the-day").status_code == 200
    assert record.enter(link).status_code == 200


def test_a_doctor_extends_a_visit_after_its_close(record: Visits) -> None:
    """By pressing the button in the health record."""
    visit = record.put(
        "extended", starts_in=-58, durationMinutes=1, opensBeforeMinutes=0, overrunMinutes=0
    )
    link = links_of(visit)["patient"]
    while time.time() < visit["state"]["closesAt"]:
        time.sleep(0.2)

    assert kind(record.enter(link)) == (409, "visit-over")
    assert record.join("extended").status_code == 200
    assert record.enter(link).status_code == 200


@pytest.mark.parametrize(("changes", "pointer"), BROKEN.values(), ids=BROKEN)
def test_a_broken_rule_is_refused_with_its_field(
    record: Visits, changes: dict[str, Any], pointer: str
) -> None:
    """And nothing is made."""
    answer = record.call("PUT", "/never", json=body(**changes))

    assert answer.status_code == 400, answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert record.call("GET", "/never").status_code == 404


def test_the_other_rules_of_the_health_record(record: Visits, self_hosted: Service) -> None:
    """Of a delay, of ids, of rooms and of leave."""
    record.put("ruled", roomName="chosen-1")
    without = Visits(self_hosted, self_hosted.add_client("no-visits", "--any-room"), "no-visits")

    def pointers(method: str, path: str, status: int = 400, **fields: Any) -> list[str]:
        answer = record.call(method, path, json=fields)
        assert answer.status_code == status, answer.text
        return [error["pointer"] for error in answer.json().get("errors", [])]

    assert pointers("PATCH", "/ruled", delayMinutes=721) == ["/delayMinutes"]
    assert pointers("PATCH", "/ruled", delayMinutes=1, hostName="x") == ["/hostName"]
    assert pointers("POST", "/ruled/end", because="tired") == ["/because"]
    assert pointers("PUT", "/ruled", **body(roomName="chosen-2")) == ["/roomName"]
    assert pointers("PUT", "/other", 403, **body(roomName="other")) == ["/roomName"]
    for wrong in ("a%25b", "-a", "x" * 129, "%2e"):
        assert pointers("PUT", f"/{wrong}", **body()) == []
    for right in ("oe.default_1-2", "x" * 128, "A"):
        assert record.put(right)["state"]["visitId"] == right
    assert kind(record.call("POST", "/ruled/participants/doctor/new-link")) == (403, "forbidden")
    assert kind(record.call("POST", "/ruled/participants/no-one/join")) == (404, "not-found")
    assert kind(without.call("PUT", "/a", json=body())) == (403, "forbidden")
    assert kind(record.call("PUT", "/a", content=b"{}")) == (415, "unsupported-media-type")
    assert kind(record.enter("jtv_" + "0" * 33)) == (404, "link-invalid")
    for query in ({}, {"from": at(), "to": at(32 * 86400)}, {"from": at(), "to": at(-1)}):
        assert record.call("GET", "", params=query).status_code == 400

"""Entering a visit: the page, status and enter for people with a link, join for the record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from jitsi_tokens.core.base62 import checksum
from jitsi_tokens.core.policy import Policy
from tests.integration.visit_scene import (
    DAY,
    MINUTE,
    NOW,
    PARTICIPANT,
    POLICY,
    SHARED_SECRET,
    VISIT,
    Scene,
    body,
    scene,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.integration.visit_scene import Answer

__all__ = ["scene"]

OPENS_AT = NOW + 15 * MINUTE
STARTS_AT = NOW + 30 * MINUTE
CLOSES_AT = NOW + 90 * MINUTE
LINKS_FOR_ALL = Policy(moderator=True, visits=True, moderator_links=True)


def claims_of(answer: Answer) -> dict[str, Any]:
    """Return the claims of the token in an answer."""
    token = answer.body["meetingUrl"].partition("#jwt=%22")[2].removesuffix("%22")
    claims: dict[str, Any] = jwt.decode(
        token,
        SHARED_SECRET,
        algorithms=["HS256"],
        audience="openemr_audience",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    return claims


@pytest.fixture
def link(scene: Scene) -> str:
    """Return the patient's link to a visit in half an hour."""
    return scene.put().link_of("patient")


def test_a_click_makes_a_token(scene: Scene, link: str) -> None:
    """One room, a guest, until the close; a frame."""
    scene.now = OPENS_AT
    assert scene.doctor_joins().status == 200

    answer = scene.enter(link)

    assert answer.status == 200
    assert (answer.body["embed"], answer.body["closesAt"]) == (True, CLOSES_AT)
    claims = claims_of(answer)
    [room] = scene.items("R#")
    assert claims["room"] == room["id"]["S"][2:]
    assert (claims["nbf"], claims["exp"]) == (OPENS_AT - 10, CLOSES_AT)
    user = claims["context"]["user"]
    assert (user["name"], user["moderator"]) == ("Zerlina Quux", "false")
    assert len(user["id"]) == 32


def test_the_health_records_own_user_id_is_in_the_token(scene: Scene) -> None:
    """And no longer once it is taken back."""
    patient = {"participantId": "patient", "userName": "x"}
    named = scene.put(admission="on-time", participants=[patient | {"userId": "u-1"}])
    scene.now = OPENS_AT
    link = named.link_of("patient")
    assert claims_of(scene.enter(link))["context"]["user"]["id"] == "u-1"

    scene.put(admission="on-time", participants=[patient])
    assert claims_of(scene.enter(link))["context"]["user"]["id"] != "u-1"


def test_the_health_record_joins(scene: Scene) -> None:
    """The answer of POST /api/jitsi/jwt; the doctor moderates."""
    scene.put()
    scene.now = OPENS_AT

    answer = scene.doctor_joins()

    assert answer.status == 200
    claims = claims_of(answer)
    assert answer.body == {
        "token": answer.body["token"],
        "expiresAt": CLOSES_AT,
        "notBefore": OPENS_AT - 10,
        "meetingUrl": answer.body["meetingUrl"],
        "roomName": claims["room"],
    }
    assert claims["context"]["user"]["moderator"] == "true"
    state = scene.get().body["state"]
    assert (state["status"], state["participants"][0]["joinedAt"]) == ("live", OPENS_AT)


def test_each_token_is_known_by_its_id(scene: Scene, link: str) -> None:
    """The table says whose it is, until a day after its end."""
    scene.now = OPENS_AT
    scene.doctor_joins()
    jti = claims_of(scene.enter(link))["jti"]

    [item] = scene.items(f"J#{jti}")

    assert item == {
        "id": {"S": f"J#{jti}"},
        "client": {"S": "clinic"},
        "visit": {"S": "oe-1"},
        "participant": {"S": "patient"},
        "generation": {"N": "1"},
        "exp": {"N": str(CLOSES_AT)},
        "erase_at": {"N": str(CLOSES_AT + DAY)},
    }


def test_status_says_what_the_page_shows(scene: Scene, link: str) -> None:
    """The visit in words and times, with the delay of the day."""
    scene.api("PATCH", sent={"delayMinutes": 20})

    answer = scene.status(link)

    assert answer.body == {
        "serverTime": NOW,
        "status": "scheduled",
        "startsAt": STARTS_AT,
        "delayMinutes": 20,
        "opensAt": OPENS_AT,
        "closesAt": CLOSES_AT + 20 * MINUTE,
        "timeZone": "Europe/Vienna",
        "hostName": "Dr. Novak",
        "userName": "Zerlina Quux",
        "language": "de",
        "isModerator": False,
        "contact": {"name": "Praxis Novak", "phone": "+43 1 2345678"},
        "canEnter": False,
        "nextSeconds": 300,
    }


def test_the_host_is_the_contact_where_there_is_no_moderator(scene: Scene) -> None:
    """Or who is named."""
    participants = [{"participantId": "patient", "userName": "x"}]
    link = scene.put(participants=participants).link_of("patient")
    assert scene.status(link).body["hostName"] == "Praxis Novak"

    scene.put(participants=participants, hostName="Dr. Who")
    assert scene.status(link).body["hostName"] == "Dr. Who"


def test_the_page_asks_again_when_it_is_told_to(scene: Scene, link: str) -> None:
    """Seldom before the opening, often while it waits, less when it can enter or is in."""

    def next_seconds(at: int) -> int | None:
        scene.now = at
        seconds: int | None = scene.status(link).body.get("nextSeconds")
        return seconds

    assert next_seconds(NOW) == 300
    assert next_seconds(OPENS_AT - 7) == 7
    assert next_seconds(OPENS_AT) == 5
    scene.doctor_joins()
    assert next_seconds(OPENS_AT + 1) == 10
    scene.enter(link)
    assert next_seconds(OPENS_AT + 2) == 30
    assert next_seconds(CLOSES_AT) == 30
    assert next_seconds(CLOSES_AT + DAY) is None
    scene.api("DELETE")
    assert next_seconds(CLOSES_AT) == 60


def test_a_crowd_is_told_to_ask_less(scene: Scene, link: str) -> None:
    """When one container alone nears the route's limit."""
    scene.now = OPENS_AT
    assert scene.status(link).body["nextSeconds"] == 5
    for _ in range(scene.join.BUSY_QUESTIONS):
        answer = scene.status(link)

    assert answer.body["nextSeconds"] == 30


def test_a_page_that_asks_twice_waits(scene: Scene, link: str) -> None:
    """One write each 30 seconds; silent for three minutes: no more."""
    scene.now = OPENS_AT
    scene.status(link, asked=0)
    assert scene.get().state_of("patient")["status"] == "invited"
    scene.status(link, asked=1)
    scene.calls.clear()
    for asked in range(2, 9):
        scene.now += 5
        scene.status(link, asked=asked)

    assert scene.calls.count("UpdateItem") == 1
    state = scene.get().state_of("patient")
    assert (state["status"], state["waitingSince"]) == ("waiting", OPENS_AT)
    assert state["lastSeenAt"] == OPENS_AT + 30
    query = {"from": "2027-01-15T08:00:00Z", "to": "2027-01-16T08:00:00Z", "waiting": "true"}
    assert len(scene.api("GET", "/api/visits", query=query).body["visits"]) == 1

    scene.now = OPENS_AT + 30 + 180
    assert scene.get().state_of("patient")["status"] == "invited"
    assert scene.api("GET", "/api/visits", query=query).body["visits"] == []
    scene.status(link, asked=9)
    assert scene.get().state_of("patient")["waitingSince"] == scene.now


def test_a_guest_waits_for_the_moderator(scene: Scene, link: str) -> None:
    """A join the day before lets nobody in the next morning."""
    scene.now = OPENS_AT - DAY
    assert scene.doctor_joins().status == 200
    assert scene.enter(link).status == 200

    scene.now = OPENS_AT
    scene.status(link, asked=1)
    state = scene.get().body["state"]
    assert [each["status"] for each in state["participants"]] == ["invited", "waiting"]
    refused = scene.enter(link)
    assert (refused.status, refused.kind) == (409, "waiting-for-moderator")
    guest = scene.api("POST", f"{PARTICIPANT}/join")
    assert (guest.status, guest.kind) == (409, "waiting-for-moderator")

    scene.doctor_joins()
    assert scene.status(link).body["canEnter"]
    assert scene.enter(link).status == 200


def test_a_join_the_day_before_lets_no_on_time_guest_in(scene: Scene) -> None:
    """Nor does their page wait: it shows when the visit opens."""
    link = scene.put(admission="on-time").link_of("patient")
    scene.now = OPENS_AT - DAY
    scene.doctor_joins()

    shown = scene.status(link, asked=1).body

    assert (shown["status"], shown["opensAt"], shown["nextSeconds"]) == ("scheduled", OPENS_AT, 300)
    assert scene.enter(link).body["opensAt"] == OPENS_AT
    state = scene.get().body["state"]
    assert [each["status"] for each in state["participants"]] == ["joined", "invited"]


def test_a_visit_is_over(scene: Scene, link: str) -> None:
    """At its close, or by hand, with the reason; the doctor's join undoes it."""
    scene.now = OPENS_AT
    scene.doctor_joins()
    scene.api("POST", f"{VISIT}/end", {"because": "by-phone"})

    refused = scene.enter(link)
    assert (refused.status, refused.kind) == (409, "visit-over")
    assert refused.body["because"] == scene.status(link).body["because"] == "by-phone"
    scene.doctor_joins()
    assert scene.enter(link).status == 200

    scene.now = CLOSES_AT + MINUTE
    assert "because" not in scene.enter(link).body
    assert scene.doctor_joins().body["expiresAt"] == CLOSES_AT + 61 * MINUTE
    assert scene.enter(link).body["closesAt"] == CLOSES_AT + 61 * MINUTE


def test_a_doctor_may_not_join_at_any_time(scene: Scene) -> None:
    """A day from the window at most, and never a cancelled visit."""
    scene.put()
    scene.now = OPENS_AT - DAY - 1
    assert scene.doctor_joins().kind == "too-early"
    scene.now = CLOSES_AT + DAY
    assert scene.doctor_joins().kind == "visit-over"
    scene.now = OPENS_AT
    scene.api("DELETE")
    assert scene.doctor_joins().kind == "visit-cancelled"


def test_people_inside_are_not_split(scene: Scene, link: str) -> None:
    """Moved a little, it is the same room; three weeks, another one, and who waits is forgotten."""
    scene.now = OPENS_AT
    rooms = [scene.doctor_joins().body["roomName"]]
    scene.status(link, asked=1)
    for minutes in (5, 15, 60):
        scene.put(starts_in=(30 + minutes) * MINUTE)
        rooms.append(scene.doctor_joins().body["roomName"])
    assert len(set(rooms)) == 1

    moved = scene.put(starts_in=21 * DAY)

    assert moved.state_of("doctor") == {"participantId": "doctor", "status": "invited"}
    assert scene.get().body == moved.body
    assert scene.enter(link).kind == "too-early"
    scene.now += 21 * DAY
    assert scene.doctor_joins().body["roomName"] not in rooms
    assert scene.enter(link).status == 200


def _junk(_scene: Scene, link: str) -> str:
    return f"{link[:-1]}{'x' if link[-1] != 'x' else 'y'}"


def _unknown(_scene: Scene, _link: str) -> str:
    return f"jtv_{'0' * 27}{checksum('0' * 27)}"


def _erased(scene: Scene, link: str) -> str:
    scene.now = CLOSES_AT + 7 * DAY
    return link


@pytest.mark.parametrize("made", [_junk, _unknown, _erased])
def test_a_link_that_is_unknown(scene: Scene, link: str, made: Callable[[Scene, str], str]) -> None:
    """404, and nothing else; junk is not even looked up."""
    wrong = made(scene, link)
    for call in (scene.enter, scene.status):
        scene.calls.clear()
        answer = call(wrong)
        assert (answer.status, answer.kind) == (404, "link-invalid")
        assert scene.calls == ([] if made is _junk else ["GetItem"])


def _renewed(scene: Scene) -> None:
    scene.api("POST", f"{PARTICIPANT}/new-link")


def _revoked(scene: Scene) -> None:
    scene.api("DELETE", PARTICIPANT)


def _left_out(scene: Scene) -> None:
    scene.put(participants=[])


def _named_again(scene: Scene) -> None:
    scene.put(participants=[])
    scene.put()


@pytest.mark.parametrize("how", [_renewed, _revoked, _left_out, _named_again])
def test_a_dead_link(scene: Scene, link: str, how: Callable[[Scene], None]) -> None:
    """404 with whom to call, whatever else is wrong; the new one works."""
    scene.now = OPENS_AT
    scene.doctor_joins()
    how(scene)
    scene.set_client(Policy(), keys=0)

    for answer in (scene.enter(link), scene.status(link)):
        assert (answer.status, answer.kind) == (404, "link-replaced")
        assert answer.body["contact"]["phone"] == "+43 1 2345678"

    scene.set_client(POLICY)
    if how in (_renewed, _named_again):
        assert scene.enter(scene.get().link_of("patient")).status == 200


def test_nothing_old_comes_back(scene: Scene, link: str) -> None:
    """Replaced, erased, put again: both old links are dead, even one that is kept longer."""
    scene.put(starts_in=30 * DAY)
    renewed = scene.api("POST", f"{PARTICIPANT}/new-link").link_of("patient")
    scene.put()
    scene.now = CLOSES_AT + 7 * DAY
    assert scene.status(link).kind == "link-invalid"

    scene.put(starts_in=8 * DAY)

    assert [scene.status(each).status for each in (link, renewed)] == [404, 404]
    assert scene.status(scene.get().link_of("patient")).status == 200


@pytest.mark.parametrize(
    ("policy", "keys"),
    [(POLICY, 0), (Policy(moderator=True), 1)],
    ids=["no-keys", "no-visits"],
)
def test_a_client_that_may_not(scene: Scene, link: str, policy: Policy, keys: int) -> None:
    """503 with whom to call, before the visit's own state; to the health record 403."""
    scene.api("DELETE", visit="oe-1")
    scene.set_client(policy, keys=keys)

    for answer in (scene.enter(link), scene.status(link)):
        assert (answer.status, answer.kind) == (503, "visit-interrupted")
        assert answer.body["contact"]["name"] == "Praxis Novak"
        assert "Retry-After" not in answer.headers
    assert scene.doctor_joins().status == 403


def test_the_policy_is_asked_again_at_each_token(scene: Scene) -> None:
    """Role, features, room and lifetime, as they are now."""
    feature = {"participantId": "b", "userName": "x", "features": {"lobby": True}}
    doctor = {"participantId": "doctor", "userName": "x", "isModerator": True}
    wide = Policy(moderator=True, visits=True, features=["lobby"], rooms=["*"])
    made = scene.api(
        "PUT", sent=body(roomName="board", participants=[doctor, feature]), policy=wide
    )
    scene.now = OPENS_AT
    for policy, of_doctor, of_guest in [
        (wide, 200, 200),
        (Policy(visits=True, features=["lobby"], rooms=["*"]), 403, 200),
        (Policy(moderator=True, visits=True, rooms=["*"]), 200, 503),
        (Policy(moderator=True, visits=True, features=["lobby"], rooms=["x"]), 403, 503),
    ]:
        scene.set_client(policy)
        assert scene.doctor_joins().status == of_doctor
        assert scene.enter(made.link_of("b")).status == of_guest

    scene.set_client(Policy(moderator=True, visits=True, rooms=["*"], max_lifetime_seconds=600))
    assert scene.doctor_joins().body["expiresAt"] == OPENS_AT + 600
    scene.now = CLOSES_AT - 20
    assert scene.doctor_joins().body["expiresAt"] == CLOSES_AT - 20 + 600


def test_a_moderators_link_needs_leave(scene: Scene) -> None:
    """And works while the visit is open; it counts as a join."""
    scene.put()
    link = scene.get(policy=LINKS_FOR_ALL).link_of("doctor")
    assert scene.status(link).kind == "visit-interrupted"

    scene.set_client(LINKS_FOR_ALL)
    assert scene.enter(link).kind == "too-early"
    scene.now = OPENS_AT
    assert scene.status(link).body["isModerator"]
    assert claims_of(scene.enter(link))["context"]["user"]["moderator"] == "true"
    assert scene.enter(scene.get().link_of("patient")).status == 200


def test_ten_tokens_a_minute_a_link(scene: Scene, link: str) -> None:
    """Then 429 until the minute is over; other links are not concerned."""
    scene.put(admission="on-time")
    other = scene.api("PUT", PARTICIPANT, {"userName": "x"}, participant="b").link_of("b")
    scene.now = OPENS_AT + 20
    assert [scene.enter(link).status for _ in range(10)] == [200] * 10

    answer = scene.enter(link)

    assert (answer.status, answer.kind) == (429, "too-many-requests")
    assert answer.headers["Retry-After"] == "40"
    assert scene.enter(other).status == 200
    scene.now += 40
    assert scene.enter(link).status == 200


def _changing(scene: Scene, change: Callable[[], Any]) -> None:
    """Have a visit change each time that it is read at the door."""
    find = scene.join.TABLE.find_with_client

    def find_then_change(*arguments: Any) -> Any:
        found = find(*arguments)
        counted = len(scene.calls)
        change()
        del scene.calls[counted:]
        return found

    scene.join.TABLE.find_with_client = find_then_change


@pytest.mark.parametrize("before", [0, 1, 9])
def test_pressing_at_the_same_time_gives_no_more_tokens(
    scene: Scene, link: str, before: int
) -> None:
    """All that were given since the link was read count."""
    scene.put(admission="on-time")
    scene.now = OPENS_AT
    for _ in range(before):
        scene.enter(link)
    meanwhile: list[int] = []

    def press() -> None:
        if not meanwhile:
            meanwhile.append(0)
            meanwhile[:] = [scene.enter(link).status for _ in range(5)]

    _changing(scene, press)

    statuses = [scene.enter(link).status for _ in range(10)] + meanwhile

    assert statuses.count(200) == 10 - before
    assert set(statuses) <= {200, 429}


def test_a_visit_that_changes_at_the_click_is_read_again(scene: Scene, link: str) -> None:
    """Seven calls, and the token is of the visit as it is then."""
    scene.put(admission="on-time")
    scene.now = OPENS_AT
    once = iter([{"admission": "on-time", "hostName": "x"}])
    _changing(scene, lambda: [scene.put(**changed) for changed in once])
    scene.calls.clear()

    answer = scene.enter(link)

    assert answer.status == 200
    reads = ["GetItem", "BatchGetItem"]
    assert scene.calls == [*reads, "PutItem", "UpdateItem", *reads, "UpdateItem"]


def test_a_race_with_what_forbids_is_lost(scene: Scene, link: str) -> None:
    """No token after the answer that forbids it."""
    scene.put(admission="on-time")
    scene.now = OPENS_AT
    _changing(scene, lambda: scene.api("DELETE"))

    assert scene.enter(link).kind == "visit-cancelled"


def test_what_dynamodb_did_not_read_is_read_again(
    scene: Scene, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer without the client is no answer. The page has to ask again."""
    scene.put(admission="on-time")
    scene.now = OPENS_AT
    dynamodb = scene.join.TABLE._dynamodb
    read = dynamodb.batch_get_item
    part: dict[str, Any] = {"Responses": {}, "UnprocessedKeys": {"clients": {}}}
    parts: Iterator[Any] = iter([part, None, part])
    monkeypatch.setattr(
        dynamodb, "batch_get_item", lambda **asked: next(parts, None) or read(**asked)
    )

    assert scene.enter(link).status == 200
    status = scene.status(link)
    assert (status.status, status.headers["Retry-After"]) == (503, "1")


def test_two_races_are_enough(scene: Scene, link: str) -> None:
    """503, and try again in a second."""
    scene.put(admission="on-time")
    scene.now = OPENS_AT
    hosts = iter("abcdef")
    _changing(scene, lambda: scene.put(admission="on-time", hostName=next(hosts)))

    answer = scene.enter(link)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


def _while_manage_visits_has_read(scene: Scene, happens: Callable[[], Any]) -> None:
    """Have something happen once, between a call's reading of a visit and its writing."""
    find = scene.manage.TABLE.find
    events = iter([happens])

    def find_then_happen(*arguments: Any) -> Any:
        found = find(*arguments)
        for event in events:
            event()
        return found

    scene.manage.TABLE.find = find_then_happen


@pytest.mark.parametrize("again", [False, True])
def test_a_put_that_loses_to_a_join_looks_again(scene: Scene, *, again: bool) -> None:
    """Moved just when the doctor joins, for the first time or not: nobody is in another room."""
    scene.put()
    scene.now = OPENS_AT
    if again:
        scene.doctor_joins()
        scene.now += MINUTE
    _while_manage_visits_has_read(scene, scene.doctor_joins)
    scene.calls.clear()

    moved = scene.put(starts_in=60 * MINUTE)

    assert scene.calls.count("TransactWriteItems") == 2
    assert moved.state_of("doctor")["joinedAt"] == scene.now
    assert scene.enter(moved.link_of("patient")).status == 200


def test_a_put_that_forgets_what_has_happened_forgets_what_it_has_not_read(
    scene: Scene, link: str
) -> None:
    """A guest who enters, and a page that asks, just when the visit is moved by three weeks."""
    scene.now = OPENS_AT
    scene.doctor_joins()
    _while_manage_visits_has_read(scene, lambda: (scene.status(link, asked=1), scene.enter(link)))

    moved = scene.put(starts_in=21 * DAY)

    assert moved.state_of("patient")["status"] == "invited"
    assert scene.get().body == moved.body


def test_a_put_that_read_an_erased_visit_looks_again(scene: Scene) -> None:
    """Made again between its reading and its writing: the links of the new visit stay."""
    scene.put()
    scene.now = CLOSES_AT + 7 * DAY - 1
    made = []

    def make() -> None:
        scene.now += 1
        made.append(scene.put(starts_in=30 * DAY))

    _while_manage_visits_has_read(scene, make)

    changed = scene.put(starts_in=30 * DAY, hostName="x")

    assert changed.link_of("patient") == made[0].link_of("patient")


def test_a_page_that_asks_while_the_visit_is_moved_does_not_wait_in_it(
    scene: Scene, link: str
) -> None:
    """What it saw is no more."""
    scene.now = OPENS_AT
    _changing(scene, lambda: scene.put(starts_in=21 * DAY))

    scene.status(link, asked=1)

    assert scene.get().state_of("patient")["status"] == "invited"


@pytest.mark.parametrize(
    ("resource", "sent", "pointer"),
    [
        ("/join/enter", {"page": "p"}, "/link"),
        ("/join/enter", {"link": "x" * 65, "page": "p"}, "/link"),
        ("/join/enter", {"link": "x", "page": ""}, "/page"),
        ("/join/enter", {"link": "x", "page": "p", "asked": 1}, "/asked"),
        ("/join/status", {"link": "x", "page": "p"}, "/asked"),
        ("/join/status", {"link": "x", "page": "p", "asked": -1}, "/asked"),
    ],
)
def test_what_a_page_sends_is_checked(
    scene: Scene, resource: str, sent: dict[str, Any], pointer: str
) -> None:
    """400 with the field."""
    answer = scene.at_the_door(resource, sent)

    assert (answer.status, answer.pointers) == (400, [pointer])


def test_the_page_is_the_same_for_everybody(scene: Scene) -> None:
    """At each path, with the clinic's text; who has it already gets it once."""
    page = scene.at_the_door("/join/{proxy+}", None, "GET")

    assert page.status == 200
    assert page == scene.at_the_door("/join", None, "GET")
    assert "<p>Call 144.</p><p>Rufen Sie 144 &lt;an&gt;.</p>" in page.body
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "frame-src https://meet.example.org;" in page.headers["Content-Security-Policy"]
    head = scene.at_the_door("/join", None, "HEAD")
    assert (head.body, head.headers) == ("", page.headers)


@pytest.mark.parametrize(("value", "embed"), [("redirect\n", False), (None, True)])
def test_a_visit_may_be_opened_without_a_frame(
    scene: Scene, link: str, value: str | None, *, embed: bool
) -> None:
    """If the operator says so; by default, and while SSM is silent, in a frame."""
    if value is None:
        scene.join.SSM.meta.events.register("before-call.ssm", lambda **_: 1 / 0)
    else:
        scene.join.SSM.put_parameter(Name="page", Value=value, Overwrite=True)
    scene.put(admission="on-time")
    scene.now = OPENS_AT

    assert scene.enter(link).body["embed"] is embed
    assert scene.at_the_door("/join", None, "GET").status == 200


def test_without_a_signing_key_nothing_is_written(scene: Scene, link: str) -> None:
    """503, and the line says so."""
    scene.put(admission="on-time")
    scene.secrets.put_secret_value(SecretId="signing-key", SecretString="{}")
    scene.now = OPENS_AT
    before = scene.items()

    answer = scene.enter(link)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert scene.items() == before


def test_a_bugs_text_is_in_no_answer_and_no_log(
    scene: Scene, link: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """503 from either function; the log has type and place."""

    def fail(*_arguments: Any) -> None:
        raise LookupError(link)

    for app in (scene.join, scene.manage):
        monkeypatch.setattr(app.TABLE, "_get", fail)
    capsys.readouterr()

    assert [each.status for each in (scene.enter(link), scene.put(), scene.get())] == [503] * 3
    printed = capsys.readouterr().out
    assert printed.count('"error":"LookupError"') == 3
    assert link not in printed


def test_the_log_names_what_aws_refused_by_its_code(
    scene: Scene, link: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The answer is 503. Without the key of the digests they are null, and nothing else fails."""
    scene.secrets.delete_secret(SecretId="digest-key")
    scene.now = OPENS_AT + 301
    assert scene.doctor_joins().status == 200
    assert scene.put(hostName="x").status == 200
    scene.dynamodb.delete_table(TableName="visits")
    capsys.readouterr()

    assert [each.status for each in (scene.enter(link), scene.put())] == [503] * 2

    printed = capsys.readouterr().out
    assert printed.count('"code":"ResourceNotFoundException"') == 2
    assert '"visit":null' in printed
    assert link not in printed


def test_the_log_has_a_line_a_token_and_no_secret(
    scene: Scene, link: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tokens and refusals; looking leaves none."""
    scene.now = OPENS_AT
    capsys.readouterr()
    scene.at_the_door("/join", None, "GET")
    scene.status(link, asked=1)
    scene.enter(link)
    joined = scene.doctor_joins()
    entered = scene.enter(link)
    scene.enter(link[:-1])

    printed = capsys.readouterr()
    lines = [json.loads(text) for text in printed.out.splitlines()]
    assert [(line["action"], line["outcome"], line["reason"], line["role"]) for line in lines] == [
        ("enter", "refused", "waiting-for-moderator", "unknown"),
        ("join", "issued", None, "moderator"),
        ("enter", "issued", None, "guest"),
        ("enter", "refused", "link-invalid", "unknown"),
    ]
    assert [line["client"] for line in lines] == ["clinic", "clinic", "clinic", None]
    assert len({line["visit"] for line in lines[:3]}) == 1
    assert lines[2]["jti"] == claims_of(entered)["jti"]
    for secret in (
        *(link, link[4:31], joined.body["token"], joined.body["roomName"]),
        *("Zerlina", "Novak", "oe-1", "patient"),
    ):
        assert secret not in printed.out + printed.err


def test_a_leaked_table_opens_nothing(scene: Scene, link: str) -> None:
    """A thief tries each of its words, as a link and as the secret of one."""
    scene.put(admission="on-time")
    scene.now = OPENS_AT
    assert scene.enter(link).status == 200
    words = {word for item in scene.items() for word in _words(item)}
    assert len(words) > 20

    tried = words | {
        f"jtv_{word[:27].ljust(27, '0')}{checksum(word[:27].ljust(27, '0'))}" for word in words
    }

    assert {scene.enter(each[:64]).status for each in tried} == {404}


def _words(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [word for each in value.items() for part in each for word in _words(part)]
    if isinstance(value, list):
        return [word for each in value for word in _words(each)]
    text = str(value)
    parts = text.replace('"', " ").replace("#", " ").split()
    return [text, *parts]

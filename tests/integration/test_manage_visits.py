"""The health record's calls: PUT, PATCH, GET, the list, DELETE, end, participants, new-link."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.policy import Policy
from tests.broken_visits import BROKEN
from tests.integration.visit_scene import (
    DAY,
    MINUTE,
    NOW,
    PARTICIPANT,
    POLICY,
    VISIT,
    Scene,
    body,
    scene,
)

__all__ = ["scene"]

ON_THE_DAY = {"userName": "Susanna"}


def test_a_visit_is_made(scene: Scene) -> None:
    """What was put, under the same names, and its state with the guest's link."""
    answer = scene.put()

    assert answer.status == 201
    state = answer.body.pop("state")
    sent = body()
    assert answer.body == sent | {
        "startsAt": "2027-01-15T09:30:00+01:00",
        "opensBeforeMinutes": 15,
        "overrunMinutes": 30,
        "admission": "with-moderator",
        "participants": [
            sent["participants"][0],
            sent["participants"][1] | {"isModerator": False},
        ],
    }
    doctor, patient = state.pop("participants")
    assert state == {
        "visitId": "oe-1",
        "status": "scheduled",
        "opensAt": NOW + 15 * MINUTE,
        "closesAt": NOW + 90 * MINUTE,
        "delayMinutes": 0,
        "observed": False,
    }
    assert doctor == {"participantId": "doctor", "status": "invited"}
    link = patient.pop("link")
    assert patient == {"participantId": "patient", "status": "invited"}
    assert link.startswith("https://visits.example/join/#jtv_")


def test_an_answer_without_its_state_is_a_body_again(scene: Scene) -> None:
    """And changes nothing: 200, no write."""
    made = scene.put()
    del made.body["state"]
    scene.calls.clear()

    again = scene.api("PUT", sent=made.body)

    assert (again.status, scene.calls) == (200, ["GetItem"])
    assert again == scene.get()


def test_a_put_is_one_read_and_one_transaction(scene: Scene) -> None:
    """Also one that moves the links' end."""
    scene.put()
    assert scene.calls == ["GetItem", "TransactWriteItems"]
    scene.calls.clear()

    scene.put(starts_in=DAY)

    assert scene.calls == ["GetItem", "TransactWriteItems"]


@pytest.mark.parametrize(("changed", "pointer"), BROKEN.values(), ids=BROKEN)
def test_each_rule_of_put_names_the_field(
    scene: Scene, changed: dict[str, Any], pointer: str
) -> None:
    """Nothing is written."""
    answer = scene.put(**changed)

    assert (answer.status, answer.kind, answer.pointers) == (400, "invalid-request", [pointer])
    assert scene.items() == []


@pytest.mark.parametrize(
    ("policy", "changed", "pointer"),
    [
        (Policy(visits=True), {}, "/participants/0/isModerator"),
        (POLICY, {"roomName": "board"}, "/roomName"),
        (
            POLICY,
            {
                "participants": [
                    {"participantId": "a", "userName": "x", "features": {"recording": True}}
                ]
            },
            "/participants/0/features/recording",
        ),
    ],
    ids=["moderator", "room", "feature"],
)
def test_the_policy_applies_to_a_visit(
    scene: Scene, policy: Policy, changed: dict[str, Any], pointer: str
) -> None:
    """As to a token request, but for a room that nobody chose."""
    answer = scene.api("PUT", sent=body(**changed), policy=policy)

    assert (answer.status, answer.pointers) == (403, [pointer])


def test_a_client_without_visits_has_none(scene: Scene) -> None:
    """Whatever it calls."""
    for method, resource in [
        ("PUT", VISIT),
        ("GET", "/api/visits"),
        ("POST", f"{PARTICIPANT}/join"),
    ]:
        answer = scene.api(method, resource, body(), policy=Policy(moderator=True))
        assert (answer.status, answer.kind, answer.pointers) == (403, "forbidden", [])


@pytest.mark.parametrize("visit", ["", ".", "..", "a%2Fb", "ä", "a" * 129, "-a", "a b"])
def test_a_visit_id_that_breaks_its_grammar_is_refused(scene: Scene, visit: str) -> None:
    """Without a pointer: it is no field of the body."""
    answer = scene.put(visit=visit)

    assert (answer.status, answer.kind, answer.pointers) == (400, "malformed-request", [])


@pytest.mark.parametrize("participant", ["A", "a%20b", "-a", "a" * 33])
def test_a_participant_id_that_breaks_its_grammar_is_refused(
    scene: Scene, participant: str
) -> None:
    """Before anything is read."""
    answer = scene.api("PUT", PARTICIPANT, ON_THE_DAY, participant=participant)

    assert (answer.status, answer.kind, answer.pointers) == (400, "malformed-request", [])
    assert scene.calls == []


def test_a_time_zone_is_a_place_in_any_case_of_letters(scene: Scene) -> None:
    """And stored as the tz database has it."""
    assert scene.put(timeZone="eUROPE/vienna").body["timeZone"] == "Europe/Vienna"


def test_a_body_that_is_no_object_is_malformed(scene: Scene) -> None:
    """Also one that has a name twice."""
    event = {"httpMethod": "PUT", "resource": VISIT, "pathParameters": {"visitId": "oe-1"}}
    context = {"authorizer": {"client": write_client(Client(name="clinic", policy=POLICY))}}
    headers = {"Content-Type": "application/json"}
    for sent in ("[]", "{", '{"revision": 1, "revision": 1}', "[" * 5000):
        answer = scene.manage.handler(
            event | {"body": sent, "headers": headers, "requestContext": context}, None
        )
        assert answer["statusCode"] == 400


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"delayMinutes": 721}, "/delayMinutes"),
        ({"delayMinutes": -1}, "/delayMinutes"),
        ({}, "/delayMinutes"),
        ({"delayMinutes": 1, "startsAt": 1}, "/startsAt"),
        ({"delayMinutes": 720}, "/delayMinutes"),
    ],
    ids=["above", "below", "missing", "another-field", "too-long-a-day"],
)
def test_each_rule_of_patch_names_the_field(
    scene: Scene, sent: dict[str, Any], pointer: str
) -> None:
    """The window, delay included, is at most 24 hours."""
    scene.put(durationMinutes=720)

    answer = scene.api("PATCH", sent=sent)

    assert (answer.status, answer.pointers) == (400, [pointer])


def test_a_delay_counts_in_the_24_hours(scene: Scene) -> None:
    """Of the window, and the visit closes as much later."""
    scene.put()
    delayed = scene.api("PATCH", sent={"delayMinutes": 20})

    assert delayed.body["state"]["closesAt"] == NOW + 110 * MINUTE
    assert scene.put(durationMinutes=1380).pointers == ["/durationMinutes"]
    assert scene.put(opensBeforeMinutes=720, durationMinutes=680).pointers == ["/durationMinutes"]


def test_a_participant_revoked_and_named_again_gets_another_link(scene: Scene) -> None:
    """And nobody else has."""
    before = scene.put()
    scene.put(participants=[])
    assert scene.get().state_of("patient") == {"participantId": "patient", "status": "revoked"}
    assert "Zerlina" not in json.dumps(scene.items())

    after = scene.put()

    assert after.link_of("patient") != before.link_of("patient")
    assert scene.api("DELETE", PARTICIPANT).state_of("patient")["status"] == "revoked"


def test_at_most_thirty_take_part(scene: Scene) -> None:
    """Including those added on the day; one transaction writes all of them."""
    many = [{"participantId": f"p{number}", "userName": "x"} for number in range(30)]
    assert scene.put(participants=many).status == 201
    assert len(scene.items("L#")) == 30

    answer = scene.api("PUT", PARTICIPANT, ON_THE_DAY, participant="daughter")
    assert (answer.status, answer.kind) == (400, "invalid-request")

    scene.put(participants=many[:29])
    scene.api("PUT", PARTICIPANT, ON_THE_DAY, participant="daughter")
    assert scene.put(participants=many).pointers == ["/participants"]


def test_at_most_two_hundred_are_ever_named(scene: Scene) -> None:
    """Each keeps a place, so that no old link opens: an id for each call would fill the item."""
    for first in range(0, 200, 25):
        ids = [f"p{number}" for number in range(first, first + 25)]
        many = [{"participantId": id_, "userName": "x"} for id_ in ids]
        assert scene.put(participants=many).status in (200, 201)
    assert scene.api("PUT", PARTICIPANT, ON_THE_DAY, participant="p0").status == 200

    answer = scene.api("PUT", PARTICIPANT, ON_THE_DAY, participant="daughter")
    assert (answer.status, answer.kind) == (400, "invalid-request")
    named = [*many[:1], {"participantId": "daughter", "userName": "x"}]
    assert scene.put(participants=named).pointers == ["/participants"]


def test_moderators_get_links_if_the_policy_allows_it(scene: Scene) -> None:
    """Also to visits made before."""
    scene.put()
    refused = scene.api("POST", f"{PARTICIPANT}/new-link", participant="doctor")
    assert (refused.status, refused.kind) == (403, "forbidden")

    policy = Policy(moderator=True, visits=True, moderator_links=True)
    assert scene.get(policy=policy).link_of("doctor")
    renewed = scene.api("POST", f"{PARTICIPANT}/new-link", participant="doctor", policy=policy)
    assert renewed.status == 200


def test_the_host_is_the_first_moderator_of_the_calendar(scene: Scene) -> None:
    """Also where only their order changes, and never cover that was put on the day."""
    first, second = (
        {"participantId": id_, "userName": f"Dr. {id_}", "isModerator": True} for id_ in ("a", "b")
    )
    patient = {"participantId": "patient", "userName": "Zerlina Quux"}
    scene.put(participants=[first, second, patient])
    cover = {"userName": "Dr. Cover", "isModerator": True}
    scene.api("PUT", PARTICIPANT, cover, participant="cover")

    answer = scene.put(participants=[second, first, patient])

    assert [each["participantId"] for each in answer.body["participants"]] == ["b", "a", "patient"]
    assert scene.status(answer.link_of("patient")).body["hostName"] == "Dr. b"


def test_a_cancelled_visit_has_no_names(scene: Scene) -> None:
    """Cancelled again: the same answer; what changes it is refused; PUT brings it back."""
    before = scene.put(hostName="Dr. Who")
    scene.api("PUT", PARTICIPANT, ON_THE_DAY, participant="daughter")

    cancelled = scene.api("DELETE")

    assert cancelled == scene.api("DELETE") == scene.get()
    assert cancelled.body["state"]["status"] == "cancelled"
    table = json.dumps(scene.items())
    assert not any(name in table for name in ("Zerlina", "Dr. Novak", "Susanna", "Who"))
    for method, resource, sent in [
        ("PATCH", VISIT, {"delayMinutes": 1}),
        ("POST", f"{VISIT}/end", None),
        ("POST", f"{PARTICIPANT}/new-link", None),
        ("PUT", PARTICIPANT, ON_THE_DAY),
        ("DELETE", PARTICIPANT, None),
    ]:
        answer = scene.api(method, resource, sent)
        assert (answer.status, answer.kind) == (409, "visit-cancelled")
    assert scene.put(participants=None).pointers == ["/participants"]

    back = scene.put()

    assert back.link_of("patient") == before.link_of("patient")
    assert back.state_of("daughter")["status"] == "revoked"


def test_an_ended_visit_stays_ended(scene: Scene) -> None:
    """By the same PUT, and by one that changes something else; a later start brings it back."""
    scene.put()
    ended = scene.api("POST", f"{VISIT}/end", {"because": "by-phone"})
    assert (ended.body["state"]["status"], ended.body["state"]["because"]) == ("over", "by-phone")

    assert scene.put().body["state"]["status"] == "over"
    assert scene.put(hostName="Dr. Who").body["state"]["status"] == "over"
    assert scene.put(starts_in=60 * MINUTE).body["state"]["status"] == "scheduled"
    assert scene.api("POST", f"{VISIT}/end").body["state"]["because"] == "done"


def test_a_late_call_changes_nothing(scene: Scene) -> None:
    """A lower revision than the stored one, on PUT and on DELETE."""
    scene.put(revision=5)
    before = scene.get()

    late = [scene.put(revision=4, hostName="x"), scene.api("DELETE", query={"revision": "4"})]

    assert [(each.status, each.kind) for each in late] == [(409, "superseded")] * 2
    assert scene.get() == before
    assert scene.put(revision=6).body["revision"] == 6
    assert scene.api("DELETE", query={"revision": "x"}).status == 400
    scene.api("DELETE", query={"revision": "8"})
    scene.api("DELETE", query={"revision": "9"})
    assert scene.put(revision=8).kind == "superseded"


def test_the_room_cannot_be_changed(scene: Scene) -> None:
    """The same room name, or none, changes nothing. An answer never names a drawn room."""
    policy = Policy(rooms=["*"], moderator=True, visits=True)
    made = scene.api("PUT", sent=body(roomName="Room 1"), policy=policy)
    assert made.body["roomName"] == "room%201"

    assert scene.api("PUT", sent=body(roomName="other"), policy=policy).pointers == ["/roomName"]
    assert scene.api("PUT", sent=body(), policy=policy).body == made.body
    assert "roomName" not in scene.put("oe-2").body


def test_a_visit_is_erased_a_while_after_its_close(scene: Scene) -> None:
    """By the clock alone, and what is made then has other links."""
    before = scene.put()
    scene.now = NOW + 90 * MINUTE + 7 * DAY
    assert scene.get().status == 404

    after = scene.put(starts_in=8 * DAY)

    assert after.status == 201
    assert after.link_of("patient") != before.link_of("patient")
    assert "joinedAt" not in after.state_of("doctor")


def test_a_link_of_another_key_is_not_known(scene: Scene) -> None:
    """It works, and cannot be shown; a new one can."""
    scene.put()
    scene.secrets.put_secret_value(SecretId="link-key", SecretString="another-0123456789")
    scene.now += 301

    patient = scene.get().state_of("patient")
    assert (patient.get("link"), patient["linkUnknown"]) == (None, True)

    assert scene.api("POST", f"{PARTICIPANT}/new-link").link_of("patient")


def test_without_the_key_of_the_links_nothing_is_written(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and when to try again."""

    def fail(**_arguments: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(scene.manage.SECRETS.first_fetch, "get_secret_value", fail)

    answer = scene.put()

    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert scene.items() == []


@pytest.mark.parametrize(("seconds", "pauses"), [(0, 5), (3, 1)])
def test_a_put_gives_up_where_others_write_all_the_time(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, seconds: int, pauses: int
) -> None:
    """After six tries, or as many as slow ones have the time for: 503."""
    scene.put()
    clock = itertools.count(step=seconds)
    monkeypatch.setattr(scene.manage.time, "perf_counter", lambda: next(clock))
    find = scene.manage.TABLE.find

    def find_what_changes(*arguments: Any) -> Any:
        found = find(*arguments)
        return found._replace(version=found.version - 1)

    monkeypatch.setattr(scene.manage.TABLE, "find", find_what_changes)

    answer = scene.put(hostName="x")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert len(scene.pauses) == pauses


def test_the_longest_month_is_listed(scene: Scene) -> None:
    """October of Vienna has 31 days, and an hour more as its clocks go back."""
    query = {"from": "2027-10-01T00:00:00+02:00", "to": "2027-11-01T00:00:00+01:00"}

    assert scene.api("GET", "/api/visits", query=query).status == 200


def test_a_list_is_a_query_a_page(scene: Scene) -> None:
    """Oldest first, cancelled ones too, without links; `next` leads on."""
    for number in range(3):
        scene.put(f"oe-{number}", starts_in=(30 + number) * MINUTE)
    scene.put("later", starts_in=DAY)
    scene.put(client="other")
    scene.api("DELETE", visit="oe-1")
    query = {"from": "2027-01-15T08:00:00 00:00", "to": "2027-01-15T12:00:00Z"}
    scene.calls.clear()

    answer = scene.api("GET", "/api/visits", query=query)

    assert scene.calls == ["Query"]
    assert [each["state"]["visitId"] for each in answer.body["visits"]] == ["oe-0", "oe-1", "oe-2"]
    assert "next" not in answer.body
    assert "jtv_" not in json.dumps(answer.body)


def test_a_long_list_has_pages(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each visit is on one of them; `next` belongs to its question."""
    monkeypatch.setattr("jitsi_tokens.visit_table.PAGE_VISITS", 2)
    for number in range(3):
        scene.put(f"oe-{number}", starts_in=(30 + number) * MINUTE)
    query = {"from": "2027-01-15T08:00:00Z", "to": "2027-01-15T12:00:00Z"}

    first = scene.api("GET", "/api/visits", query=query).body
    second = scene.api("GET", "/api/visits", query=query | {"next": first["next"]}).body

    found = [each["state"]["visitId"] for each in first["visits"] + second["visits"]]
    assert (found, "next" in second) == (["oe-0", "oe-1", "oe-2"], False)
    other = query | {"next": first["next"], "waiting": "true"}
    assert scene.api("GET", "/api/visits", query=other).status == 400


@pytest.mark.parametrize(
    "query",
    [
        None,
        {"from": "2027-01-15T08:00:00Z"},
        {"from": "2027-01-15T08:00:00", "to": "2027-01-16T08:00:00Z"},
        {"from": "2027-01-15T08:00:00Z", "to": "2027-01-15T08:00:00Z"},
        {"from": "2027-01-15T08:00:00Z", "to": "2027-02-15T09:00:01Z"},
        {"from": "2027-01-15T08:00:00Z", "to": "2027-01-16T08:00:00Z", "waiting": "1"},
        {"from": "2027-01-15T08:00:00Z", "to": "2027-01-16T08:00:00Z", "next": "ä"},
        {"from": "2027-01-15T08:00:00Z", "to": "2027-01-16T08:00:00Z", "next": "bm8="},
    ],
)
def test_a_list_needs_a_period(scene: Scene, query: dict[str, str] | None) -> None:
    """Of at most 31 days."""
    answer = scene.api("GET", "/api/visits", query=query)

    assert (answer.status, answer.kind) == (400, "invalid-request")


def test_without_an_address_links_lead_to_the_stage(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As API Gateway names it, not as the Host header does."""
    monkeypatch.setenv("JOIN_URL", "")

    link = scene.put().state_of("patient")["link"]

    assert link.startswith("https://abc.execute-api.eu-central-1.amazonaws.com/v1/join/#jtv_")


def test_a_write_leaves_one_line_without_names(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says who did what with which visit, as digests; reading leaves none."""
    link = scene.put().link_of("patient")
    scene.get()
    scene.api("PUT", PARTICIPANT, ON_THE_DAY, participant="daughter")
    scene.put(surprise=1)
    [room] = scene.items("R#")

    printed = capsys.readouterr()
    lines = [json.loads(text) for text in printed.out.splitlines()]
    assert [(line["action"], line["outcome"], line["field"]) for line in lines] == [
        ("visit-put", "done", None),
        ("participant-put", "done", None),
        ("visit-put", "refused", None),
    ]
    assert [line["participant"] is None for line in lines] == [True, False, True]
    assert len({line["visit"] for line in lines}) == 1
    for secret in (link, room["id"]["S"][2:], "Zerlina", "Susanna", "Novak", "oe-1", "daughter"):
        assert secret not in printed.out + printed.err


def test_the_daily_call_is_answered(scene: Scene) -> None:
    """Before anything is read."""
    assert scene.manage.handler({"keepAlive": True}, None) == {"keptAlive": True}
    assert scene.join.handler({"keepAlive": True}, None) == {"keptAlive": True}

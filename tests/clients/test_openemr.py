"""The PHP of docs/openemr.md, behind stand-ins of OpenEMR 7.0 and 8.1, and before a service."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
from datetime import datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.clients import unruly_server as unruly
from tests.clients.openemr import (
    JOIN,
    MODULE,
    PROVIDER,
    ROOM_KEY,
    ZONE,
    Answer,
    OpenEmr,
    begin_of,
    blocks,
    later,
    series,
    visit,
)
from tests.clients.php_caller import php
from tests.clients.samples import API_KEY, MEETING, WELL
from tests.clients.test_nextjs import node
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STRANGE = "Press the button in the appointment."
STALE = "Open the appointment anew, and press the button there."
FOREIGN = "This is no visit of yours."
FAR = "A room opens for visits within 31 days of today."
FAILED = "The room cannot be opened. Tell your administrator."

# A browser, as far as the button's script knows one; prints what it sends.
BROWSER = """
const { script, dataset } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const happened = [];
const made = (tag) => {
  const element = { tag, inputs: [], attributes: {} };
  element.append = (input) => element.inputs.push([input.type, input.name, input.value]);
  element.setAttribute = (name, value) => { element.attributes[name] = value; };
  element.submit = () => {
    const { method, action, target, attributes, inputs } = element;
    happened.push({ method, action, target, attributes, inputs });
  };
  element.remove = () => happened.push('removed');
  return element;
};
let click;
globalThis.document = {
  getElementById: (id) => ({ addEventListener: (name, listener) => { click = listener; } }),
  createElement: made,
  body: { append: () => happened.push('appended') },
};
globalThis.top = { restoreSession: () => happened.push('session restored') };
new Function(script)();
click({ currentTarget: { dataset } });
console.log(JSON.stringify(happened));
"""


class Button(HTMLParser):
    """The button, as a browser reads it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.dataset: dict[str, str] = {}
        self.text: dict[str, str] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the data of the button."""
        self.tags.append(tag)
        if tag == "button":
            named = {name.removeprefix("data-"): value or "" for name, value in attrs}
            self.dataset = {name: named[name] for name in ("action", "fields")}

    def handle_data(self, data: str) -> None:
        """Keep the text of each element."""
        if self.tags:
            self.text[self.tags[-1]] = self.text.get(self.tags[-1], "") + data

    @property
    def fields(self) -> dict[str, str]:
        """What it posts."""
        fields: dict[str, str] = json.loads(self.dataset["fields"])
        return fields


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenEmr]:
    """One PHP for the tests of this module: it reads its database anew for each request."""
    with OpenEmr(tmp_path_factory.mktemp("openemr")) as running:
        yield running


@pytest.fixture
def service() -> Iterator[UnrulyServer]:
    """A service that gives a token to everybody."""
    with UnrulyServer(WELL) as server:
        yield server


@pytest.fixture(params=["7.0", "8.1"])
def openemr(
    request: pytest.FixtureRequest, site: OpenEmr, service: UnrulyServer
) -> Iterator[OpenEmr]:
    """OpenEMR in each of the two forms, whose log and pages are searched after each test."""
    site.begin(request.param, service.url, API_KEY)
    yield site
    site.check_what_was_said()


def room_of(event: dict[str, Any], date: str | None = None) -> str:
    """Return a visit's room, computed as the page says."""
    visited = f"{event['pc_eid']}|{date or event['pc_eventDate']}".encode()
    return f"visit-{hmac.new(ROOM_KEY.encode(), visited, hashlib.sha256).hexdigest()[:32]}"


def id_of(event: dict[str, Any], role: str) -> str:
    """Return the id of a visit's provider or patient, computed as the page says."""
    number = event["pc_aid" if role == "provider" else "pc_pid"]
    return hmac.new(ROOM_KEY.encode(), f"u|{role}|{number}".encode(), hashlib.sha256).hexdigest()


def asked(service: UnrulyServer) -> dict[str, Any]:
    """Return what the service was asked for last."""
    body: dict[str, Any] = json.loads(service.received[-1].body)
    return body


def refused(openemr: OpenEmr, answer: Answer, status: int, sentence: str) -> None:
    """Assert that the browser gets a sentence, and gets nowhere."""
    assert (answer.status, answer.body) == (status, f"{sentence}\n"), openemr.log
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Location" not in answer.headers


def test_the_page_has_every_file_and_each_is_valid(site: OpenEmr) -> None:
    """By `php -l`."""
    names = ["visits.php", "openemr.bootstrap.php", "public/join.php", "patient_link.php"]
    assert list(blocks()) == [f"{MODULE}/{name}" for name in names]
    for name in names:
        checked = php("-l", str(site.module / name))
        assert checked.returncode == 0, checked.stdout


def test_the_provider_is_sent_into_the_room(openemr: OpenEmr, service: UnrulyServer) -> None:
    """By the button's own fields; nothing keeps the address."""
    button = Button(openemr.dialog())
    answer = openemr.ask("POST", JOIN, button.fields)

    assert (answer.status, answer.body) == (303, ""), openemr.log
    assert answer.headers["Location"] == MEETING["meetingUrl"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert service.received[0].headers["authorization"] == f"Bearer {API_KEY}"


def test_a_provider_is_moderator_and_a_patient_a_guest(
    openemr: OpenEmr, service: UnrulyServer
) -> None:
    """In one room, by full and by first name; the service is asked for nothing else."""
    openemr.press()
    link = openemr.link()
    assert (link.status, link.body) == (200, MEETING["meetingUrl"])

    common = {
        "roomName": room_of(openemr.event),
        "notBefore": begin_of(openemr.event) - 15 * 60,
        "expirationSeconds": (15 + 30 + 30) * 60,
    }
    people = [("provider", "Jane Underhill", True), ("patient", "Joan", False)]
    assert [json.loads(request.body) for request in service.received] == [
        common | {"userId": id_of(openemr.event, role), "userName": name, "isModerator": moderator}
        for role, name, moderator in people
    ]


def test_nothing_of_the_record_moves_what_is_sent(openemr: OpenEmr, service: UnrulyServer) -> None:
    """Another record with the same first name differs by an HMAC alone."""
    one = openemr.event
    other = {"pc_pid": "90211", "pubpid": "MRN-55502", "pc_title": "Consultation"}
    other |= {"pc_hometext": "a cough", "lname": "Pomeroy", "email": "joan@pomeroy.example"}
    for event in (one, one | other):
        openemr.change(events=[event])
        assert openemr.link().status == 200

    first, second = (json.loads(request.body) for request in service.received)
    assert first.pop("userId") == id_of(one, "patient")
    assert second.pop("userId") == id_of(one | other, "patient")
    assert first == second


def test_two_of_the_same_name_and_number_have_two_ids(
    openemr: OpenEmr, service: UnrulyServer
) -> None:
    """users.id and pid are counted apart; a person's id is the same in every visit."""
    jane = visit(fname="Jane Underhill", pc_pid=str(PROVIDER))
    openemr.change(events=[jane])
    assert (openemr.press().status, openemr.link().status) == (303, 200)
    openemr.change(events=[jane | {"pc_eid": "977"}])
    assert openemr.link().status == 200

    provider, patient, again = (json.loads(request.body) for request in service.received)
    assert provider["userName"] == patient["userName"]
    assert provider["userId"] != patient["userId"] == again["userId"]
    assert patient["roomName"] != again["roomName"]


@pytest.mark.parametrize(
    ("early", "overrun", "minutes"),
    [
        ("", "", (15, 30)),
        ("60", "5", (60, 5)),
        ("0", "0", (0, 0)),
        ("-5", "an hour", (15, 30)),
        ("1441", "9" * 30, (1440, 1440)),
    ],
)
def test_the_window_is_a_setting(
    openemr: OpenEmr, service: UnrulyServer, early: str, overrun: str, minutes: tuple[int, int]
) -> None:
    """What is no number of minutes is the default."""
    openemr.set_up(jitsi_join_early_minutes=early, jitsi_join_overrun_minutes=overrun)
    assert openemr.press().status == 303

    sent = asked(service)
    before, after = minutes
    assert sent["notBefore"] == begin_of(openemr.event) - before * 60
    assert sent["expirationSeconds"] == (before + 30 + after) * 60


def test_the_room_is_open_as_long_as_the_settings_say(openemr: OpenEmr) -> None:
    """Neither before nor after."""
    settings = {"jitsi_join_early_minutes": "10", "jitsi_join_overrun_minutes": "20"}
    openemr.set_up(**settings)
    for minutes, status in ((12, 409), (8, 303), (-48, 303), (-52, 410)):
        openemr.change(events=[visit(minutes)])
        assert openemr.press().status == status


@pytest.mark.parametrize(
    ("zone", "begin"),
    [
        ("America/New_York", "2027-01-15T10:00:00-05:00"),
        ("America/New_York", "2027-07-15T10:00:00-04:00"),
        ("Singapore", "2027-07-15T10:00:00+08:00"),
        ("GB", "2027-07-15T10:00:00+01:00"),
        ("NZ", "2027-07-15T10:00:00+12:00"),
        ("", "2027-07-15T10:00:00+00:00"),
    ],
)
def test_times_are_those_of_the_clinic(
    openemr: OpenEmr, service: UnrulyServer, zone: str, begin: str
) -> None:
    """OpenEMR's zone, in summer too; PHP's own where none is set."""
    openemr.set_up(gbl_time_zone=zone)
    openemr.change(events=[visit(pc_eventDate=begin[:10], pc_startTime=begin[11:19])])
    openemr.link()

    assert asked(service)["notBefore"] == datetime.fromisoformat(begin).timestamp() - 15 * 60


def test_without_an_address_the_environment_counts(service: UnrulyServer, tmp_path: Path) -> None:
    """And a file with the API key, as the page says."""
    key_file = tmp_path / "key"
    key_file.write_text("jtk_of-the-environment\n")
    variables = {"JITSI_TOKENS_URL": service.url, "JITSI_TOKENS_API_KEY_FILE": str(key_file)}
    with OpenEmr(tmp_path / "site", **variables) as openemr:
        openemr.begin("7.0", "", API_KEY)
        assert openemr.press().status == 303
        openemr.check_what_was_said()

    assert service.received[0].headers["authorization"] == "Bearer jtk_of-the-environment"


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        *(({"csrf_token_form": token}, 403, STALE) for token in ("", "wrong", None)),
        ({"csrf_token_form": None, "csrf_token_form[]": "wrong"}, 403, STALE),
        *(({"eid": eid}, 400, STRANGE) for eid in ("", "412 OR 1=1", "-412", "4.12", None)),
        ({"eid": None, "eid[]": "412"}, 400, STRANGE),
        *(({"date": date}, 400, STRANGE) for date in ("", "20260131", "2026-01-31\n", "2026-1-31")),
        ({"date": None, "date[]": "2026-01-31"}, 400, STRANGE),
        ({"eid": "413"}, 403, FOREIGN),
        ({"eid": "9" * 30}, 403, FOREIGN),
        *(({"date": date}, 409, FAR) for date in ("9999-12-31", "0000-00-00", "2026-99-99")),
    ],
)
def test_what_no_button_posts_is_refused(
    openemr: OpenEmr, service: UnrulyServer, changes: dict[str, Any], status: int, sentence: str
) -> None:
    """Before the service is asked."""
    refused(openemr, openemr.press(**changes), status, sentence)
    assert not service.received


@pytest.mark.parametrize(
    ("days", "status"), [(-32, 409), (-30, 410), (31, 409), (33, 409), (2_000_000, 409)]
)
def test_no_series_is_expanded_to_the_end_of_time(
    openemr: OpenEmr, service: UnrulyServer, days: int, status: int
) -> None:
    """OpenEMR is asked for its appointments within a month of today alone."""
    one = openemr.event
    openemr.change(events=[series(days)])
    answer = openemr.press(eid=one["pc_eid"])

    is_near = abs(days) <= 31
    assert answer.status == status
    assert (answer.body == f"{FAR}\n") is not is_near
    assert ("stand-in: appointments" in openemr.log) is is_near
    assert not service.received


NO_LENGTH = "Give the appointment a duration of a day at most."
NO_PLACE = (
    "Tell your administrator: timeZone '{}' is not a place: use one such as Europe/Berlin, or UTC."
)


@pytest.mark.parametrize(
    ("settings", "changes", "sentence"),
    [
        *(
            ({}, {"pc_duration": seconds}, NO_LENGTH)
            for seconds in ("", "0", "-1800", "86401", "9" * 30)
        ),
        *(
            ({"gbl_time_zone": zone}, {}, NO_PLACE.format(zone))
            for zone in ("CET", "EST", "Mars/Olympus_Mons", "+02:00")
        ),
    ],
)
def test_a_visit_without_a_sensible_time_opens_no_room(
    openemr: OpenEmr,
    service: UnrulyServer,
    settings: dict[str, str],
    changes: dict[str, str],
    sentence: str,
) -> None:
    """The provider is told what to mend, and what sends links too."""
    openemr.set_up(**settings)
    openemr.change(events=[visit() | changes])

    refused(openemr, openemr.press(), 409, sentence)
    link = openemr.link()
    assert (link.status, link.body) == (500, sentence)
    assert not service.received


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"acl": False}, "You may not open appointments."),
        ({"user": PROVIDER + 1}, FOREIGN),
        ({"events": [visit(pc_aid="8")]}, FOREIGN),
        ({"events": [visit(pc_pid="")]}, FOREIGN),
        ({"events": [visit(pc_apptstatus="x")]}, FOREIGN),
        ({"events": [visit(pc_apptstatus="%")]}, FOREIGN),
    ],
)
def test_who_is_not_the_visits_provider_is_refused(
    openemr: OpenEmr, service: UnrulyServer, changes: dict[str, Any], sentence: str
) -> None:
    """By OpenEMR's own tables, whatever is posted."""
    openemr.change(**changes)
    refused(openemr, openemr.press(isModerator="true", user="7"), 403, sentence)
    assert not service.received


def test_who_is_not_signed_in_is_sent_to_the_login(openemr: OpenEmr, service: UnrulyServer) -> None:
    """By OpenEMR itself, before anything else."""
    openemr.change(user=None)
    answer = openemr.press()

    assert (answer.status, answer.body) == (302, "")
    assert answer.headers["Location"] == "/interface/login/login.php"
    assert not service.received


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_link_elsewhere_opens_nothing(
    openemr: OpenEmr, service: UnrulyServer, method: str
) -> None:
    """Only a form with OpenEMR's own token does."""
    event = openemr.event
    token = openemr.ask("GET", "/csrf").body
    query = f"eid={event['pc_eid']}&date={event['pc_eventDate']}&csrf_token_form={token}"
    answer = openemr.ask(method, f"{JOIN}?{query}")

    refused(openemr, answer, 405, STRANGE)
    assert answer.headers["Allow"] == "POST"
    assert not service.received


def test_who_comes_early_or_late_is_told(openemr: OpenEmr, service: UnrulyServer) -> None:
    """When the room opens, in the clinic's time; the service would refuse a late token, too."""
    openemr.change(events=[visit(40)])
    opens = datetime.fromtimestamp(begin_of(openemr.event) - 15 * 60, ZoneInfo(ZONE))

    refused(openemr, openemr.press(), 409, f"The room opens at {opens:%Y-%m-%d %H:%M}.")
    openemr.change(events=[visit(-61)])
    refused(openemr, openemr.press(), 410, "This visit is over.")
    assert not service.received


@pytest.mark.parametrize(
    ("setting", "value", "logged"),
    [
        ("jitsi_join_room_key", "k" * 31, "the room key has fewer than 32 characters"),
        ("jitsi_join_room_key", "", "the room key has fewer than 32 characters"),
        ("jitsi_join_api_key", "", "API key"),
        ("jitsi_join_url", "http://tokens.example.org", "https"),
    ],
)
def test_what_is_set_up_wrongly_is_told_to_the_log(
    openemr: OpenEmr, service: UnrulyServer, setting: str, value: str, logged: str
) -> None:
    """The browser learns that there is no room."""
    openemr.set_up(**{setting: value})
    refused(openemr, openemr.press(), 500, FAILED)

    [line] = [line for line in openemr.log.splitlines() if "jitsi-join: " in line]
    assert logged in line
    assert not service.received


@pytest.mark.parametrize(
    ("kind", "status", "pointer"),
    [("unauthorized", 401, None), ("forbidden", 403, "/roomName"), ("invalid-request", 400, None)],
)
def test_a_refusal_of_the_service_is_told_to_the_log(
    openemr: OpenEmr, kind: str, status: int, pointer: str | None
) -> None:
    """A provider can do nothing about it."""
    deed = unruly.problem(kind, status, f"It was {API_KEY}.", pointer)
    with UnrulyServer(deed) as refusing:
        openemr.set_up(jitsi_join_url=refusing.url)
        answer = openemr.press()

        refused(openemr, answer, 500, FAILED)
        assert openemr.log.count("jitsi-join: ") == 1
        assert len(refusing.received) == 1


def test_a_service_that_is_away_says_when_to_come_back(openemr: OpenEmr) -> None:
    """The provider presses again."""
    sentence = "The room cannot be opened at the moment. Press the button again."
    with UnrulyServer(unruly.problem("unavailable", 503, "Later.", Retry_After="60")) as busy:
        openemr.set_up(jitsi_join_url=busy.url)
        answer = openemr.press()
        refused(openemr, answer, 503, sentence)
        assert answer.headers["Retry-After"] == "60"

    openemr.set_up(jitsi_join_url="http://127.0.0.1:1")
    answer = openemr.press()
    refused(openemr, answer, 503, sentence)
    assert answer.headers["Retry-After"] == "5"
    assert openemr.log.count("jitsi-join: ") == 2


def test_each_visit_of_a_series_has_a_room(openemr: OpenEmr, service: UnrulyServer) -> None:
    """Last week's link leads to last week's room, and the dates between are no visits."""
    openemr.change(events=[series(-7, 0, 7)])
    last_week, today, next_week = openemr.event["occurrences"]

    assert openemr.press(date=today).status == 303
    assert asked(service)["roomName"] == room_of(openemr.event, today)
    assert openemr.link(next_week).status == 200
    assert asked(service)["roomName"] == room_of(openemr.event, next_week)
    assert asked(service)["notBefore"] == begin_of(openemr.event) + 14 * 86400 - 15 * 60
    assert openemr.press(date=last_week).status == 410
    assert openemr.press(date=next_week).status == 409
    refused(openemr, openemr.press(date=later(today, -1)), 403, FOREIGN)
    assert len(service.received) == 2


def test_the_button_posts_the_date_that_the_calendar_showed(openemr: OpenEmr) -> None:
    """The row of a series has the first date alone; a single appointment's own is right."""
    openemr.change(events=[series(-7, 0)])
    first, today = openemr.event["occurrences"]

    def shown(query: str) -> str:
        return Button(openemr.dialog(query)).fields["date"]

    assert shown(f"date={today.replace('-', '')}") == today
    for query in ("", "date=", "date=today", "date[]=20260131", "date=20260131%0A"):
        assert shown(query) == first
    openemr.change(events=[visit()])
    assert shown("date=20260131") == openemr.event["pc_eventDate"]


def test_a_link_for_no_visit_is_not_made(openemr: OpenEmr, service: UnrulyServer) -> None:
    """What sends reminders gets an error."""
    answers = [openemr.link("2026-01-31")]
    for status in ("x", "%"):
        openemr.change(events=[visit(pc_apptstatus=status)])
        answers.append(openemr.link())

    assert {(answer.status, answer.body) for answer in answers} == {(500, "there is no such visit")}
    assert not service.received


def test_a_link_that_cannot_be_had_is_an_error(openemr: OpenEmr) -> None:
    """Of the client's, which tells no secret."""
    deed = unruly.problem("forbidden", 403, f"It was {API_KEY} of Joan.", "/roomName")
    with UnrulyServer(deed) as refusing:
        openemr.set_up(jitsi_join_url=refusing.url)
        answer = openemr.link()

    assert answer.status == 500
    assert "/roomName" in answer.body
    assert API_KEY not in answer.body


@pytest.mark.parametrize(
    "events", [[visit(pc_aid="8")], [visit(pc_pid="")], [visit(pc_eid="")], [{"pc_eid": ""}]]
)
def test_there_is_no_button_for_what_is_no_visit_of_ones_own(
    openemr: OpenEmr, events: list[dict[str, Any]]
) -> None:
    """Another's, without a patient, or not saved yet: nothing is shown at all."""
    openemr.change(events=[visit() | event for event in events])

    assert openemr.dialog() == ""


def test_the_button_escapes_what_it_shows(openemr: OpenEmr) -> None:
    """No value of OpenEMR's ends an attribute or begins an element."""
    nasty = "\"'><script>alert(1)</script>&quot;"
    date = f"{nasty}</button>"
    openemr.set_up(webroot=nasty)
    openemr.change(events=[visit(pc_eventDate=date)])
    button = Button(openemr.dialog())

    assert button.tags == ["button", "script"]
    assert button.dataset["action"] == nasty + JOIN
    assert button.fields["date"] == date
    assert button.text["button"].strip() == "Join video visit"


def test_the_button_sends_a_form_of_its_own(openemr: OpenEmr) -> None:
    """Into a new tab that knows nothing of OpenEMR's, and nothing of the dialog's goes along."""
    button = Button(openemr.dialog())
    ran = subprocess.run(  # noqa: S603 - the page's script
        [node(), "--eval", BROWSER],
        input=json.dumps({"script": button.text["script"], "dataset": button.dataset}),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    token = openemr.ask("GET", "/csrf").body
    form = {
        "method": "post",
        "action": f"/openemr{JOIN}",
        "target": "_blank",
        "attributes": {"rel": "noopener noreferrer"},
        "inputs": [
            ["hidden", "eid", openemr.event["pc_eid"]],
            ["hidden", "date", openemr.event["pc_eventDate"]],
            ["hidden", "csrf_token_form", token],
        ],
    }
    assert json.loads(ran.stdout) == ["appended", "session restored", form, "removed"]


def test_the_settings_have_a_tab(openemr: OpenEmr) -> None:
    """Both keys are stored encrypted, and the window is as long as the page says."""
    told = json.loads(openemr.ask("GET", "/settings").body)

    assert list(told) == ["Video visits"]
    assert {
        name: (kind, default) for name, (_, kind, default, _) in told["Video visits"].items()
    } == {
        "jitsi_join_url": ("text", ""),
        "jitsi_join_api_key": ("encrypted", ""),
        "jitsi_join_room_key": ("encrypted", ""),
        "jitsi_join_early_minutes": ("num", "15"),
        "jitsi_join_overrun_minutes": ("num", "30"),
    }

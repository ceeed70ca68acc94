"""The module of OpenEMR, behind stand-ins of 7.0 to 8.2, and before a service of visits."""

from __future__ import annotations

import hmac
import json
import shutil
import subprocess
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from local_stack.emulator import ROOT
from tests.clients.openemr import (
    CONFIG,
    PATIENT,
    PORTAL,
    PROVIDER,
    VISIT,
    WAITING,
    ZONE,
    Answer,
    OpenEmr,
    begin_of,
    csrf_token,
    later,
    visit,
)
from tests.clients.php_caller import php
from tests.clients.samples import API_KEY, MEETING
from tests.clients.test_nextjs import node
from tests.clients.visit_service import Refusal, VisitService

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STRANGE = "Press the button in the appointment."
STALE = "Open the appointment again, and press the button there."
FOREIGN = "This visit belongs to another provider. Your administrator can let you join it."
NONE = "This appointment is no video visit any more."
FAR = "A video visit is at most 400 days away."
PENDING = "This request for an appointment is not confirmed yet."
CANCELLED = "This appointment is cancelled."
CLOSED = "The state of this appointment closes the visit."
NO_LENGTH = "Give the appointment a duration of 22 hours at most, and save it."
REFUSED = "The service refuses this visit. Tell your administrator."
DISABLED = "Video visits are switched off in this OpenEMR."
ID = "oe-default-412"
JOINED = [f"PUT {ID}", f"POST {ID}/participants/provider-{PROVIDER}/join"]
COVER = {"user": 8, "acl": ["patients/appt", "jitsi_tokens/moderate"]}
NEW_YORK = "America/New_York"

# A browser, as far as the script of the dialog knows one; prints what it sends.
BROWSER = """
const { script, box, button } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const happened = [];
const made = (tag) => {
  const element = { tag, inputs: [], attributes: {} };
  element.append = (input) => element.inputs.push([input.type, input.name, input.value]);
  element.setAttribute = (name, value) => { element.attributes[name] = value; };
  element.remove = () => happened.push('removed');
  return element;
};
let click;
globalThis.window = globalThis;
globalThis.HTMLFormElement = { prototype: { submit() {
  const { method, action, target, attributes, inputs } = this;
  happened.push({ method, action, target, attributes, inputs });
} } };
globalThis.document = {
  readyState: 'complete',
  currentScript: { src: 'https://clinic.example/public/module.js' },
  addEventListener: (name, listener) => { click = listener; },
  querySelector: () => null,
  createElement: made,
  body: { append: () => happened.push('appended') },
};
globalThis.top = { restoreSession: () => happened.push('session restored') };
const output = {};
globalThis.fetch = async (address, { method, body }) => {
  happened.push({ address, method, body: String(body) });
  return { ok: true, text: async () => 'Done.\\n' };
};
const clipboard = { writeText: (text) => happened.push(`copied ${text}`) };
Object.defineProperty(globalThis, 'navigator', { value: { clipboard } });
new Function(script)();
const dialog = { dataset: box, querySelector: () => output };
const pressed = { dataset: button, closest: () => dialog };
click({ target: { closest: () => pressed } });
setTimeout(() => console.log(JSON.stringify([...happened, output])), 10);
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenEmr]:
    """One PHP for the tests of this module: it reads its database again for each request."""
    with OpenEmr(tmp_path_factory.mktemp("openemr")) as running:
        yield running


@pytest.fixture
def service() -> Iterator[VisitService]:
    """A service without visits."""
    with VisitService() as server:
        yield server


@pytest.fixture(params=["7.0", "8.0", "8.1", "8.2"])
def openemr(
    request: pytest.FixtureRequest, site: OpenEmr, service: VisitService
) -> Iterator[OpenEmr]:
    """OpenEMR in each form, whose log and pages are searched after each test."""
    site.begin(request.param, service.url, API_KEY)
    yield site
    site.check_what_was_said()


@pytest.fixture
def clinic(site: OpenEmr, service: VisitService) -> Iterator[OpenEmr]:
    """OpenEMR in one form, for what does not depend on it."""
    site.begin("8.2", service.url, API_KEY)
    yield site
    site.check_what_was_said()


def refused(openemr: OpenEmr, answer: Answer, status: int, sentence: str) -> None:
    """Assert that the browser gets a sentence and gets nowhere, and that OpenEMR's log has it."""
    assert (answer.status, answer.body) == (status, f"{sentence}\n"), openemr.log
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Location" not in answer.headers
    [title, _, success, comment, *_] = openemr.noted("audit")[-1]
    assert (title, success) == ("video-visit", 0)
    assert comment.startswith(f"refused: {sentence}")


def compare(openemr: OpenEmr) -> None:
    """Run the background service, as cron does without a login."""
    assert openemr.ask("GET", "/run").status == 200


def moderators(service: VisitService, visit_id: str) -> list[str]:
    """Return the moderators of a visit."""
    participants = service.visits[visit_id]["participants"]
    return [one["participantId"] for one in participants if one["isModerator"]]


def in_zone(hour: int) -> str:
    """Return a zone in which it is this hour now."""
    offset = (hour - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-offset:+d}"


def test_every_file_is_valid_and_the_archive_always_the_same(site: OpenEmr) -> None:
    """By `php -l`; the SDK is in it. OPcache tells a changed file by its date alone."""
    first = (site.folder / "module.zip").read_bytes()
    site.install()

    assert (site.folder / "module.zip").read_bytes() == first
    with zipfile.ZipFile(site.folder / "module.zip") as packed:
        entries = packed.infolist()
        assert len({entry.date_time for entry in entries}) == len({entry.CRC for entry in entries})
    assert (site.module / "jitsi-tokens" / "src" / "Client.php").is_file()
    assert (site.module / ".htaccess").is_file()
    for file in (ROOT / "clients" / "openemr").rglob("*.php"):
        checked = php("-l", str(file))
        assert checked.returncode == 0, checked.stdout


def test_the_provider_is_sent_into_the_room(openemr: OpenEmr, service: VisitService) -> None:
    """By the dialog's own fields, and OpenEMR's log says who joined which patient's visit."""
    answer = openemr.ask("POST", VISIT, openemr.fields() | {"action": "join"})

    assert (answer.status, answer.body) == (303, ""), openemr.log
    assert answer.headers["Location"] == MEETING["meetingUrl"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert service.calls == JOINED
    what = f"joined as moderator: pc_eid 412 on {openemr.event['pc_eventDate']}"
    assert openemr.noted("audit") == [["video-visit", "jsmith", 1, what, PATIENT, "open-emr"]]


def test_nothing_of_the_record_is_sent_but_a_first_name(
    clinic: OpenEmr, service: VisitService
) -> None:
    """Another patient in the same appointment is another participant."""
    clinic.set_up(jitsi_tokens_privacy_url="https://praxis.example/privacy")
    clinic.press()
    event = clinic.event
    first = service.bodies[0]
    patient = first["participants"][1].pop("participantId")

    assert datetime.fromisoformat(first.pop("startsAt")).timestamp() == begin_of(event)
    assert first == {
        "durationMinutes": 30,
        "timeZone": ZONE,
        "opensBeforeMinutes": 15,
        "overrunMinutes": 30,
        "contact": {
            "name": "Praxis",
            "phone": "+43 1 2345678",
            "privacyUrl": "https://praxis.example/privacy",
        },
        "participants": [
            {"participantId": "provider-7", "userName": "Jane Underhill", "isModerator": True},
            {"userName": "Joan", "isModerator": False, "language": "es"},
        ],
        "revision": int(datetime(2026, 1, 31, 17, tzinfo=UTC).timestamp()),
    }
    clinic.change(events=[event | {"pc_pid": "90211"}])
    clinic.press()
    assert service.bodies[2]["participants"][1]["participantId"] != patient
    assert not {"90210", "90211"} & set(patient.split("-"))


def test_a_link_outlives_the_page_about(clinic: OpenEmr, service: VisitService) -> None:
    """There OpenEMR makes the id of the installation, on which the patient's own depends."""
    for installation in ("", "made by OpenEMR"):
        clinic.set_up(unique_installation_id=installation)
        assert clinic.press("link").status == 200
    first, second = [body["participants"][1]["participantId"] for body in service.bodies]
    assert first == second


def test_a_name_is_sent_without_what_the_service_refuses(
    clinic: OpenEmr, service: VisitService
) -> None:
    """A patient may have typed it in the portal, and the provider has to get in all the same."""
    clinic.change(events=[visit(fname="\u202eJo\u2066an\ufffd\n")])
    assert clinic.press().status == 303
    assert service.bodies[0]["participants"][1]["userName"] == "Jo an"


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"csrf_token_form": None}, 403, STALE),
        ({"csrf_token_form": "0" * 40}, 403, STALE),
        ({"eid": None}, 400, STRANGE),
        ({"eid": "412 OR 1"}, 400, STRANGE),
        ({"eid": "9" * 30}, 400, STRANGE),
        ({"date": None}, 400, STRANGE),
        ({"date": "2026-01-31\n"}, 400, STRANGE),
        ({"action": "open"}, 400, STRANGE),
        ({"eid": "413"}, 404, NONE),
        *(({"date": date}, 409, FAR) for date in ("9999-12-31", "0000-00-00", "2026-99-99")),
    ],
)
def test_what_no_button_posts_is_refused(
    clinic: OpenEmr, service: VisitService, changes: dict[str, Any], status: int, sentence: str
) -> None:
    """Before the service is asked."""
    refused(clinic, clinic.press(**{"action": "join"} | changes), status, sentence)
    assert not service.calls


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"acl": []}, 403, "You may not open appointments."),
        ({"user": 8}, 403, FOREIGN),
        ({"events": [visit(pc_aid="8")]}, 403, FOREIGN),
        ({"events": [visit(pc_pid="")]}, 404, NONE),
        ({"events": [visit(pc_catid="5")]}, 404, NONE),
        ({"events": [visit(pc_apptstatus="^")]}, 409, PENDING),
        ({"events": [visit(pc_apptstatus="x")]}, 409, CANCELLED),
        ({"events": [visit(pc_apptstatus="%")]}, 409, CANCELLED),
        *(({"events": [visit(pc_apptstatus=s)]}, 409, CLOSED) for s in "?!>$"),
        *(({"events": [visit(pc_duration=s)]}, 409, NO_LENGTH) for s in ("0", "-60", "86400")),
        ({"active": False}, 404, DISABLED),
    ],
)
def test_who_may_not_or_not_now_is_refused(
    openemr: OpenEmr, service: VisitService, changes: dict[str, Any], status: int, sentence: str
) -> None:
    """By OpenEMR's own tables, each with a sentence and a line in OpenEMR's log."""
    openemr.change(**changes)

    refused(openemr, openemr.press(), status, sentence)
    assert not service.calls
    named = f"refused: {sentence} pc_eid 412 on {openemr.event['pc_eventDate']}"
    assert openemr.noted("audit")[-1][3] in (named, f"refused: {DISABLED}")


def test_who_is_not_signed_in_is_sent_to_the_login(openemr: OpenEmr, service: VisitService) -> None:
    """By OpenEMR itself, before anything else; and no link elsewhere opens a visit."""
    answer = openemr.ask("GET", f"{VISIT}?eid=412&action=join")
    refused(openemr, answer, 405, STRANGE)
    assert answer.headers["Allow"] == "POST"

    openemr.change(user=None)
    answer = openemr.press()
    assert (answer.status, answer.headers["Location"]) == (302, "/interface/login/login.php")
    assert not service.calls


def test_who_has_leave_joins_the_visits_of_others(openemr: OpenEmr, service: VisitService) -> None:
    """As a moderator of the day: cover, a nurse, an interpreter."""
    openemr.change(**COVER)
    assert "Join video visit" in openemr.dialog()
    assert openemr.press().status == 303

    staff = f"{ID}/participants/staff-8"
    assert service.calls == [f"PUT {ID}", f"PUT {staff}", f"POST {staff}/join"]
    assert service.bodies[1] == {"userName": "Ann Cover", "isModerator": True}
    openemr.change(user=8, acl=["patients/appt"])
    assert "Join video visit" not in openemr.dialog()
    assert "Copy the link" in openemr.dialog()


def test_a_visit_of_two_providers_is_one_room(openemr: OpenEmr, service: VisitService) -> None:
    """Whichever row is opened, and with one link for the patient."""
    rows = [
        visit(pc_eid="413", pc_multiple="3", pc_aid="8", ufname="Ann", ulname="Cover"),
        visit(pc_multiple="3"),
    ]
    openemr.change(events=rows, user=8)
    assert openemr.press().status == 303
    openemr.change(user=PROVIDER)
    assert openemr.press(eid="412").status == 303

    joint = _joint(PATIENT)
    assert service.calls[1::2] == [
        f"POST {joint}/participants/provider-{number}/join" for number in (8, 7)
    ]
    assert moderators(service, joint) == ["provider-7", "provider-8"]
    openemr.change(events=[rows[0] | {"pc_apptstatus": "x"}, rows[1]])
    compare(openemr)
    assert moderators(service, joint) == ["provider-7"]
    assert service.state(joint) == "scheduled"


def test_another_provider_keeps_the_link(clinic: OpenEmr, service: VisitService) -> None:
    """Where OpenEMR allows several it makes a new row; two dialogs may take one pc_multiple."""
    clinic.change(events=[visit(pc_multiple="3")])
    before = clinic.press("link").body
    new = visit(pc_eid="420", pc_multiple="3", pc_aid="8")
    other = visit(pc_eid="421", pc_multiple="3", pc_pid="90211")
    clinic.change(events=[new, other])
    clinic.ask("GET", "/save?eid=420")
    assert moderators(service, _joint(PATIENT)) == ["provider-8"]
    assert clinic.press("link").body == before
    assert clinic.press("link", eid="421").body != before

    compare(clinic)
    assert {visit_id: service.state(visit_id) for visit_id in service.visits} == {
        _joint(PATIENT): "scheduled",
        _joint(90211): "scheduled",
    }
    clinic.change(events=[new])
    clinic.ask("GET", "/delete?eid=420")
    assert service.state(_joint(PATIENT)) == "cancelled"


def test_a_link_that_went_to_the_wrong_address_is_replaced(
    openemr: OpenEmr, service: VisitService
) -> None:
    """By who may send it."""
    openemr.change(user=8)
    assert "New link" in openemr.dialog()
    answer = openemr.press("new-link")

    assert answer.status == 200
    assert answer.body.startswith("The old link opens nothing any more.")
    patient = service.bodies[0]["participants"][1]["participantId"]
    assert service.calls == [f"PUT {ID}", f"POST {ID}/participants/{patient}/new-link"]
    assert openemr.noted("audit")[-1][3].startswith("link replaced: pc_eid 412 on ")


def test_a_number_that_openemr_gives_again_leads_to_no_room_of_before(
    clinic: OpenEmr, service: VisitService
) -> None:
    """The highest pc_multiple, once its appointment is deleted."""
    clinic.change(events=[visit(pc_multiple="3")])
    assert clinic.press().status == 303
    clinic.change(events=[visit(pc_eid="420", pc_multiple="3", pc_pid="90211")])
    assert clinic.press(eid="420").status == 303

    assert service.calls[-1] == f"POST {_joint(90211)}/participants/provider-7/join"
    compare(clinic)
    assert service.state(_joint(PATIENT)) == "cancelled"
    assert service.state(_joint(90211)) == "scheduled"


def _joint(pid: int) -> str:
    digest = hmac.digest(b"of this OpenEMR", str(pid).encode(), "sha256").hex()
    return f"oe-default-m3-{digest[:8]}"


@pytest.mark.parametrize(
    ("refusal", "status", "sentence"),
    [
        (Refusal(409, "too-early", opensAt=1796112900), 409, "The room opens at 2026-12-01 03:15."),
        (Refusal(409, "visit-over"), 409, "This visit is over."),
        (Refusal(409, "visit-cancelled"), 409, "This visit is cancelled."),
        (Refusal(400, "invalid-request", errors=[{"pointer": "/startsAt"}]), 410, "over"),
        (Refusal(400, "invalid-request", errors=[{"pointer": "/contact"}]), 500, REFUSED),
        (Refusal(401, "unauthorized"), 500, REFUSED),
        (Refusal(403, "forbidden"), 500, REFUSED),
    ],
)
def test_a_refusal_of_the_service_is_a_sentence(
    clinic: OpenEmr, service: VisitService, refusal: Refusal, status: int, sentence: str
) -> None:
    """What only an administrator can mend goes to the log."""
    service.refuses = refusal
    answer = clinic.press()

    refused(clinic, answer, status, "This visit is over." if sentence == "over" else sentence)
    assert clinic.log.count("jitsi-tokens: ") == (sentence == REFUSED)


def test_a_service_that_is_away_says_when_to_come_back(clinic: OpenEmr) -> None:
    """The provider presses again."""
    clinic.set_up(jitsi_tokens_url="http://127.0.0.1:1")
    answer = clinic.press()

    sentence = "The service does not answer at the moment. Press the button again."
    refused(clinic, answer, 503, sentence)
    assert answer.headers["Retry-After"] == "5"


@pytest.mark.parametrize(
    ("action", "minutes", "body", "sentence", "audit"),
    [
        *(
            ("late", minutes, {"delayMinutes": int(minutes)}, f"{minutes} minutes late", "late")
            for minutes in ("10", "20", "30")
        ),
        ("late", "0", {"delayMinutes": 0}, "on time", "late by 0"),
        ("by-phone", "", {"because": "by-phone"}, "you will call", "ended, by-phone"),
        ("end", "", {"because": "done"}, "is over", "ended, done"),
    ],
)
def test_the_day_is_told_by_buttons(  # noqa: PLR0917
    clinic: OpenEmr,
    service: VisitService,
    action: str,
    minutes: str,
    body: dict[str, Any],
    sentence: str,
    audit: str,
) -> None:
    """Of the provider, or of who has leave."""
    answer = clinic.press(action, minutes=minutes)

    assert answer.status == 200
    assert sentence in answer.body
    calls = {"late": f"PATCH {ID}"}
    assert service.calls[1] == calls.get(action, f"POST {ID}/end")
    assert service.bodies[1] == body
    assert clinic.noted("audit")[0][3].startswith(audit)
    clinic.change(user=8)
    refused(clinic, clinic.press(action, minutes=minutes), 403, FOREIGN)


def test_nobody_is_late_by_any_other_time(clinic: OpenEmr, service: VisitService) -> None:
    """The buttons are four."""
    refused(clinic, clinic.press("late", minutes="700"), 400, STRANGE)
    assert not service.calls


def test_the_front_desk_copies_and_mails_the_link(openemr: OpenEmr, service: VisitService) -> None:
    """In words that name no condition and no reason, to who agreed to mail."""
    openemr.change(user=8)
    link = f"{service.url}/join/#jtv_{ID}"
    shown = openemr.press("link")
    assert (shown.status, shown.body) == (200, f"{link}\n")
    assert openemr.press("send").status == 200

    [mail] = openemr.noted("mail")
    assert (mail["to"], mail["from"]) == (
        "joan@appleseed.example",
        ["clinic@example.org", "Praxis"],
    )
    for text in (mail["html"], mail["text"]):
        assert link in text
        assert "+43 1 2345678" in text
        assert "rash" not in text
    assert "visit" in mail["subject"]
    assert [line[3].partition(":")[0] for line in openemr.noted("audit")] == [
        "link shown",
        "link mailed",
    ]
    unwanted: list[dict[str, Any]] = [{"hipaa_allowemail": "NO"}, {"email": ""}]
    for changes in unwanted:
        openemr.change(events=[visit(**changes)])
        sentence = "The patient has no e-mail address, or has not agreed to e-mail."
        refused(openemr, openemr.press("send"), 409, sentence)
    openemr.change(events=[visit()])
    for name in ("patient_reminder_sender_email", "SMTP_SECURE"):
        openemr.set_up(**{name: ""})
        refused(openemr, openemr.press("send"), 409, "E-mail is not set up in this OpenEMR.")


def test_there_are_buttons_on_video_visits_only(openemr: OpenEmr) -> None:
    """Once everything is set up, and where something is in the way its reason instead."""
    unseen: list[dict[str, Any]] = [{"pc_catid": "5"}, {"pc_eid": ""}, {"pc_pid": ""}]
    for changes in unseen:
        openemr.change(events=[visit(**changes)])
        assert openemr.dialog() == ""
    for status, sentence in (("x", CANCELLED), ("^", PENDING), (">", CLOSED)):
        openemr.change(events=[visit(pc_apptstatus=status)])
        shown = openemr.dialog()
        assert sentence in shown
        assert "<button" not in shown
    openemr.change(events=[visit()])
    openemr.set_up(gbl_time_zone="CET")
    assert "timeZone 'CET' is not a place" in openemr.dialog()
    for name in ("url", "api_key", "categories", "clinic", "phone"):
        openemr.begin(openemr._scenario["version"], "http://127.0.0.1:1", API_KEY)
        openemr.set_up(**{f"jitsi_tokens_{name}": ""})
        assert openemr.dialog() == ""


def test_the_buttons_of_a_series_are_for_the_date_that_was_opened(
    clinic: OpenEmr, service: VisitService
) -> None:
    """The row has the first date alone; from some reports it is opened without a date."""
    zone = in_zone(12)
    clinic.set_up(gbl_time_zone=zone)
    today = visit(zone=zone)["pc_eventDate"]
    first = later(today, -7)
    row = visit(zone=zone, pc_recurrtype="1", pc_eventDate=first)
    clinic.change(events=[row | {"occurrences": [first, today, later(today, 7)]}])
    for query, date in (
        (f"date={first.replace('-', '')}", first),
        ("", today),
        ("date[]=20260131", today),
        ("date=20260131%0A", today),
    ):
        assert f"{date}&quot;" in clinic.dialog(query)

    assert clinic.press(date=today).status == 303
    refused(clinic, clinic.press(date=later(today, 1)), 404, NONE)
    assert service.calls[0] == f"PUT {ID}.{today.replace('-', '')}"


@pytest.mark.parametrize("zone", ["Singapore", NEW_YORK])
def test_a_year_of_a_series_has_its_own_visits(
    clinic: OpenEmr, service: VisitService, zone: str
) -> None:
    """Each at the clinic's time, across both changes of clocks; one is moved, one cancelled."""
    clinic.set_up(gbl_time_zone=zone)
    begin = visit(60, zone)["pc_eventDate"]
    dates = [later(begin, 7 * week) for week in range(52)]
    cancelled, moved = dates[20], dates[30]
    new = visit(zone=zone, pc_eid="500", pc_eventDate=later(moved, 1), pc_startTime="10:00:00")
    row = visit(zone=zone, pc_recurrtype="1", pc_eventDate=begin, pc_startTime="09:30:00")
    left = [date for date in dates if date not in (cancelled, moved)]
    clinic.change(events=[row | {"occurrences": left}, new])

    for date in left:
        assert clinic.press("link", date=date).status == 200
    for date in (cancelled, moved):
        refused(clinic, clinic.press("link", date=date), 404, NONE)
    assert clinic.press("link", eid="500", date=later(moved, 1)).status == 200

    begins = {
        f"{ID}.{date.replace('-', '')}": datetime.fromisoformat(f"{date}T09:30").replace(
            tzinfo=ZoneInfo(zone)
        )
        for date in left
    }
    assert service.visits.keys() == begins.keys() | {"oe-default-500"}
    for visit_id, at in begins.items():
        assert datetime.fromisoformat(service.visits[visit_id]["startsAt"]) == at
        assert service.visits[visit_id]["timeZone"] == zone


def test_the_patient_has_a_card_and_a_button(openemr: OpenEmr, service: VisitService) -> None:
    """Both lead to the visit's own page; OpenEMR's log says who opened it."""
    openemr.change(user=None, pid=PATIENT)
    card = openemr.ask("GET", "/portal/home.php").body
    assert "Jane Underhill" in card
    assert csrf_token("of the portal") in card
    answer = openemr.open_in_portal()
    assert answer.status == 303, openemr.log
    assert answer.headers["Location"] == f"{service.url}/join/#jtv_{ID}"
    assert answer.headers["Cache-Control"] == "no-store"
    [line] = openemr.noted("audit")
    assert line[1:3] == ["joan1", 1]
    assert line[4:] == [PATIENT, "patient-portal"]

    item = json.loads(openemr.ask("GET", "/portal/appointment?eid=412").body)
    page = openemr.ask("GET", item["jitsiTokensAddress"].removeprefix("/openemr"))
    assert page.status == 200
    assert "Open the video visit" in page.body
    assert service.calls == [f"PUT {ID}"]
    shut: list[dict[str, Any]] = [
        {"pc_apptstatus": "^"},
        {"pc_catid": "5"},
        {"pc_duration": "0"},
    ]
    for changes in shut:
        openemr.change(events=[visit(**changes)])
        assert openemr.ask("GET", "/portal/home.php").body == ""
    for event in (visit(pc_apptstatus="x"), visit(-70)):
        openemr.change(events=[event])
        item = json.loads(openemr.ask("GET", "/portal/appointment?eid=412").body)
        assert "jitsiTokensAddress" not in item


@pytest.mark.parametrize(
    ("events", "changes", "status", "sentence"),
    [
        ([visit()], {"csrf_token_form": "0" * 40}, 403, "Open the visit again from the portal."),
        ([visit()], {"csrf_token_form": csrf_token("of the staff")}, 403, "from the portal."),
        ([visit()], {"eid": "1 OR 1"}, 400, "Open the visit from the portal."),
        ([visit(pc_pid="90211")], {}, 404, "You have no such video visit."),
        ([visit(pc_catid="5")], {}, 404, "You have no such video visit."),
        ([visit(pc_apptstatus="^")], {}, 409, PENDING),
        ([visit(pc_duration="0")], {}, 409, "Please call us about this visit."),
        ([visit(pc_apptstatus="x")], {}, 409, CANCELLED),
        ([visit(-70)], {}, 410, "This visit is over."),
    ],
)
def test_a_patient_is_refused_with_a_sentence_and_a_number(  # noqa: PLR0917
    clinic: OpenEmr,
    service: VisitService,
    events: list[dict[str, Any]],
    changes: dict[str, Any],
    status: int,
    sentence: str,
) -> None:
    """Another patient's visit, one that nobody confirmed, a form of somebody else's."""
    clinic.change(user=None, pid=PATIENT, events=events)
    answer = clinic.open_in_portal(**changes)

    assert answer.status == status, clinic.log
    assert sentence in answer.body
    assert "+43 1 2345678" in answer.body
    assert clinic.noted("audit")[-1][2] == 0
    assert clinic.noted("audit")[-1][4:] == [PATIENT, "patient-portal"]
    assert not service.calls


def test_a_session_without_a_patient_finds_nobodys_visit(
    clinic: OpenEmr, service: VisitService
) -> None:
    """OpenEMR answers everybody's appointments where it is asked for patient 0."""
    clinic.change(user=None, pid=0)
    answer = clinic.open_in_portal()

    assert answer.status == 404
    assert "You have no such video visit." in answer.body
    assert not service.calls


def test_a_mailed_link_leads_through_the_portals_login(openemr: OpenEmr) -> None:
    """It holds no token; a disabled module opens nothing in the portal either."""
    openemr.change(user=None, pid=None)
    path = f"/openemr{PORTAL}?site=default&eid=412&date=2026-01-31"
    answer = openemr.ask("GET", path.removeprefix("/openemr"))
    assert answer.status == 302
    assert answer.headers["Location"].startswith("/portal/index.php?site=default&redirect=%2F")
    assert "eid%3D412%26date%3D2026-01-31" in answer.headers["Location"]

    openemr.change(pid=PATIENT, active=False)
    refused(openemr, openemr.open_in_portal(), 404, DISABLED)


@pytest.mark.parametrize("broken", ["jitsi-tokens", "src/Module.php", "src/Visit.php"])
def test_a_broken_module_does_not_take_openemr_down(
    openemr: OpenEmr, service: VisitService, broken: str
) -> None:
    """A folder that is missing, a file half uploaded: the log says so, the rest works."""
    shutil.rmtree(openemr.module / broken, ignore_errors=True)
    (openemr.module / broken).unlink(missing_ok=True)
    try:
        if broken == "src/Module.php":
            (openemr.module / broken).write_text("<?php final class {")
        for path in ("/", "/add_edit_event.php?eid=412", "/calendar", "/save?eid=412", "/run"):
            assert openemr.ask("GET", path).status == 200
        assert openemr.ask("GET", "/").body == "OpenEMR"
        openemr.change(user=None, pid=PATIENT)
        assert openemr.ask("GET", "/portal/home.php").status == 200
        assert "jitsi-tokens: " in openemr.log
    finally:
        openemr.install()
    assert not [call for call in service.calls if not call.startswith("GET")]
    openemr._log_begin = openemr._log_file.stat().st_size


def test_the_settings_have_a_tab_with_units(openemr: OpenEmr) -> None:
    """The key is stored encrypted, and a time says in what."""
    told = json.loads(openemr.ask("GET", "/settings").body)["Video visits"]

    kinds = {name.removeprefix("jitsi_tokens_"): kind for name, (_, kind, *_) in told.items()}
    assert kinds["api_key"] == "encrypted"
    assert {name for name, kind in kinds.items() if kind == "num"} == {
        "opens_before",
        "overrun",
        "reminder_hour",
    }
    for name in ("opens_before", "overrun"):
        assert "(minutes)" in told[f"jitsi_tokens_{name}"][0]


@pytest.mark.parametrize(("status", "sentence"), [("x", CANCELLED), ("^", PENDING)])
def test_without_the_setting_the_usual_states_close(
    clinic: OpenEmr, service: VisitService, status: str, sentence: str
) -> None:
    """Who sets the globals one by one leaves it out: no request is a visit for that."""
    clinic.set_up(jitsi_tokens_closing="")
    clinic.change(events=[visit(pc_apptstatus=status)])

    refused(clinic, clinic.press("link"), 409, sentence)
    assert not service.calls


@pytest.mark.parametrize(
    ("early", "overrun", "minutes"),
    [("60", "5", (60, 5)), ("0", "0", (0, 0)), ("-5", "an hour", (15, 30)), ("721", "", (720, 30))],
)
def test_the_window_is_a_setting(
    clinic: OpenEmr, service: VisitService, early: str, overrun: str, minutes: tuple[int, int]
) -> None:
    """What is no number of minutes is the default."""
    clinic.set_up(jitsi_tokens_opens_before=early, jitsi_tokens_overrun=overrun)
    assert clinic.press().status == 303
    sent = service.bodies[0]
    assert (sent["opensBeforeMinutes"], sent["overrunMinutes"]) == minutes


def test_the_connection_is_tested_behind_the_gear(openemr: OpenEmr, service: VisitService) -> None:
    """Each line says what to do; only who manages modules sees it."""
    refused_there = openemr.ask("GET", CONFIG)
    assert (refused_there.status, refused_there.body) == (403, "You may not manage modules.\n")
    openemr.change(acl=["admin/manage_modules"])
    form = {"csrf_token_form": csrf_token("of the staff")}
    page = openemr.ask("GET", CONFIG).body
    assert "16: Video (a video visit)" in page
    assert "✓" not in page
    assert "✓" not in openemr.ask("POST", CONFIG, {"csrf_token_form": "0" * 40}).body

    openemr.set_up(gbl_time_zone="")
    compare(openemr)  # cron's PHP and the web server's may have different ones
    assert service.calls == []
    openemr.set_up(gbl_time_zone=ZONE)
    compare(openemr)
    service.calls.clear()
    page = openemr.ask("POST", CONFIG, form).body
    assert page.count("✓") == 6, page
    assert service.calls == ["PUT test-of-oe-default", "DELETE test-of-oe-default"]
    openemr.set_up(gbl_time_zone="", SMTP_SECURE="")
    (openemr.folder / "done.json").unlink()
    service.refuses = Refusal(403, "forbidden")
    page = openemr.ask("POST", CONFIG, form).body
    assert page.count("✗") == 4
    assert "--visits --moderator" in page
    openemr.set_up(jitsi_tokens_phone="")
    assert "fill in Number for patients in trouble" in openemr.ask("POST", CONFIG, form).body


def test_the_calendar_marks_ones_own_visits_of_today(openemr: OpenEmr) -> None:
    """The script puts the button there."""
    zone = in_zone(12)
    openemr.set_up(gbl_time_zone=zone)
    events = [
        visit(zone=zone),
        visit(zone=zone, pc_eid="413", pc_aid="8"),
        visit(zone=zone, pc_eid="414", pc_catid="5"),
        visit(zone=zone, pc_eid="415", pc_apptstatus="x"),
        visit(24 * 60, zone, pc_eid="416"),
    ]

    def marked() -> set[str]:
        told = json.loads(openemr.ask("GET", "/calendar").body)
        assert told["scripts"] == [f"/openemr{VISIT.replace('visit.php', 'module.js')}"]
        return {
            entry["eid"]
            for day in told["days"].values()
            for entry in day
            if "jitsi-tokens-visit" in entry.get("eventViewClass", "")
        }

    openemr.change(events=events)
    assert marked() == {"412"}
    openemr.change(**COVER)
    assert marked() == {"412", "413"}


def test_the_calendar_says_since_when_somebody_waits(
    openemr: OpenEmr, service: VisitService
) -> None:
    """In the clinic's time, at each row of the visit."""
    zone = in_zone(12)
    at = datetime.now(ZoneInfo(zone)).replace(second=0, microsecond=0)
    service.waiting_since = int(at.timestamp())
    openemr.set_up(gbl_time_zone=zone)
    rows = [("412", "7"), ("413", "8")]
    openemr.change(
        events=[visit(0, zone, pc_eid=eid, pc_aid=aid, pc_multiple="3") for eid, aid in rows]
    )
    openemr.press("link")
    told = json.loads(openemr.ask("GET", WAITING).body)

    since = f"waiting since {at:%-H:%M}"
    assert told["waiting"] == {"412": since, "413": since}
    assert told["token"] == csrf_token("of the staff")
    openemr.change(acl=[])
    assert openemr.ask("GET", WAITING).status == 403


def test_a_calendar_asks_once_for_who_waits(clinic: OpenEmr, service: VisitService) -> None:
    """Each open one does, every half minute: they must not take all of PHP's workers."""
    service.refuses = Refusal(503, "unavailable")

    assert clinic.ask("GET", WAITING).status == 500
    assert service.lists == 1


@pytest.mark.parametrize(
    ("changes", "status", "call"),
    [
        (visit(100), "scheduled", "PUT"),
        (visit(-24 * 60), "cancelled", "DELETE"),
        (visit(30 * 24 * 60), "scheduled", "PUT"),
        ({"pc_aid": "8"}, "scheduled", "PUT"),
        ({"ulname": "Overhill"}, "scheduled", "PUT"),
        ({"fname": "John"}, "scheduled", "PUT"),
        ({"language": ""}, "scheduled", "PUT"),
        ({"pc_duration": "3600"}, "scheduled", "PUT"),
        ({"pc_duration": "0"}, "cancelled", "DELETE"),
        ({"pc_catid": "5"}, "cancelled", "DELETE"),
        *(({"pc_apptstatus": state}, "cancelled", "DELETE") for state in "x%?^"),
        *(({"pc_apptstatus": state}, "over", "POST") for state in "!>$"),
        ({"pc_recurrtype": "1"}, "cancelled", "DELETE"),
        (None, "cancelled", "DELETE"),
    ],
)
def test_the_service_follows_the_calendar(
    clinic: OpenEmr,
    service: VisitService,
    changes: dict[str, Any] | None,
    status: str,
    call: str,
) -> None:
    """Whatever moved it, with no event at all; and nothing is sent again."""
    row = visit(60)
    clinic.change(events=[row])
    compare(clinic)
    compare(clinic)
    clinic.change(events=[row | {"pc_time": "2026-03-31 12:00:00", "pc_apptstatus": "@"}])
    compare(clinic)
    assert service.calls == [f"PUT {ID}"]

    after = [] if changes is None else [row | changes]
    clinic.change(events=after)
    compare(clinic)
    assert service.state(ID) == status
    assert [one for one in service.calls[1:] if one.startswith(f"{call} {ID}")]
    done = len(service.calls)
    compare(clinic)
    assert len(service.calls) == done
    clinic.change(events=[row])
    compare(clinic)
    assert service.state(ID) == ("over" if status == "over" else "scheduled")


def test_what_is_not_of_this_calendar_is_left_alone(clinic: OpenEmr, service: VisitService) -> None:
    """Other programs' visits, another site's, visits that are over; and nobody's request."""
    clinic.change(events=[visit(60)])
    compare(clinic)
    mine = service.visits.pop(ID)
    for visit_id in (
        "4711",
        "oe-default-x",
        "oe-default-a-5",
        "oe-default2-5",
        "test-of-oe-default",
    ):
        service.visits[visit_id] = mine | {"state": mine["state"] | {"visitId": visit_id}}
    service.calls.clear()
    clinic.change(events=[visit(60, pc_apptstatus="^"), visit(-120, pc_eid="413")])
    compare(clinic)

    assert not service.calls
    assert not clinic.log.count("jitsi-tokens: ")


def test_patients_hidden_from_a_user_keep_their_visits(
    openemr: OpenEmr, service: VisitService
) -> None:
    """OpenEMR runs its services in anybody's session, and a module may filter by it."""
    openemr.change(events=[visit(60)])
    compare(openemr)
    openemr.change(hidden=[str(PATIENT)])
    compare(openemr)
    openemr.ask("GET", "/save?eid=412")
    assert service.state(ID) == "scheduled"
    refused(openemr, openemr.press("link"), 404, NONE)


def test_a_later_state_of_the_calendar_stays(clinic: OpenEmr, service: VisitService) -> None:
    """Who read the calendar before somebody else changed it changes nothing any more."""
    clinic.change(events=[visit(60)])
    compare(clinic)
    service.visits[ID]["revision"] += 7200
    assert clinic.press("link").status == 200
    assert service.visits[ID]["revision"] == service.bodies[0]["revision"] + 7200
    # The comparison has seen that state, so what it reads in the calendar is later.
    clinic.change(events=[visit(100)])
    compare(clinic)
    assert datetime.fromisoformat(service.visits[ID]["startsAt"]).timestamp() == begin_of(
        clinic.event
    )


def test_500_appointments_are_compared_in_seconds(clinic: OpenEmr, service: VisitService) -> None:
    """By two lists where nothing differs; two at once come to the same end."""
    events = [visit(60 + number % 400, pc_eid=str(1000 + number)) for number in range(510)]
    clinic.change(events=events)
    with ThreadPoolExecutor(2) as both:
        list(both.map(compare, [clinic, clinic]))
    assert service.visits.keys() == {f"oe-default-{1000 + number}" for number in range(510)}
    assert not clinic.log.count("jitsi-tokens: ")

    service.calls.clear()
    service.lists = 0
    started = time.monotonic()
    compare(clinic)
    assert time.monotonic() - started < 10
    assert (service.calls, service.lists) == ([], 2)
    clinic.change(events=events[5:])
    compare(clinic)
    assert [call.partition("?")[0] for call in service.calls] == [
        f"DELETE oe-default-{1000 + number}" for number in range(5)
    ]


@pytest.mark.parametrize("path", ["/save", "/board"])
def test_a_saved_appointment_is_followed_at_once(
    openemr: OpenEmr, service: VisitService, path: str
) -> None:
    """One appointment, however far it is; what is no video visit is not sent."""
    openemr.change(events=[visit(60 * 24 * 60)])
    openemr.ask("GET", f"{path}?eid=412")
    assert service.calls == [f"GET {ID}", f"PUT {ID}"]
    openemr.change(events=[visit(60 * 24 * 60, pc_apptstatus="x")])
    openemr.ask("GET", f"{path}?eid=412")
    assert service.state(ID) == "cancelled"

    service.calls.clear()
    openemr.change(events=[visit(pc_eid="413", pc_catid="5")])
    openemr.ask("GET", f"{path}?eid=413")
    assert service.calls == ["GET oe-default-413"]


def test_a_deleted_appointment_is_cancelled_at_once(
    openemr: OpenEmr, service: VisitService
) -> None:
    """And each date of a series in the week."""
    date = openemr.event["pc_eventDate"]
    dates = [later(date, day) for day in (1, 2)]
    series = visit(pc_eid="413", pc_recurrtype="1", pc_eventDate=date, occurrences=dates)
    openemr.change(events=[visit(60), series])
    compare(openemr)
    assert len(service.visits) == 3
    for eid in ("412", "413"):
        openemr.ask("GET", f"/delete?eid={eid}")

    assert {service.state(visit_id) for visit_id in service.visits} == {"cancelled"}


def test_the_log_quotes_nothing_of_an_error(openemr: OpenEmr) -> None:
    """PHP and the database quote what they were given: only its place is logged."""
    openemr.change(events=[visit(pc_time="Quackenbush")])
    openemr.ask("GET", "/save?eid=412")
    openemr.press()

    assert openemr.log.count("jitsi-tokens: ") == 2
    assert "Quackenbush" not in openemr.log


def test_saving_does_not_fail_with_the_service(openemr: OpenEmr) -> None:
    """The comparison catches up."""
    openemr.set_up(jitsi_tokens_url="http://127.0.0.1:1")
    assert openemr.ask("GET", "/save?eid=412").status == 200
    assert "jitsi-tokens: " in openemr.log
    assert openemr.ask("GET", "/run").status == 200
    assert not openemr.done()


def test_a_reminder_is_mailed_once_the_day_before(clinic: OpenEmr, service: VisitService) -> None:
    """From the hour of the settings on, to who agreed; it is in OpenEMR's log."""
    zone = in_zone(12)
    tomorrow = visit(24 * 60, zone)
    others = [
        tomorrow | {"pc_eid": "413", "hipaa_allowemail": "NO"},
        tomorrow | {"pc_eid": "414", "pc_apptstatus": "x"},
        visit(48 * 60, zone, pc_eid="415"),
    ]
    clinic.change(events=[tomorrow, *others], user=None)
    clinic.set_up(gbl_time_zone=zone, jitsi_tokens_reminder_hour="14")
    compare(clinic)
    assert not clinic.noted("mail")
    clinic.set_up(jitsi_tokens_reminder_hour="10")
    with ThreadPoolExecutor(2) as both:
        list(both.map(compare, [clinic, clinic]))
    compare(clinic)

    [mail] = clinic.noted("mail")
    assert f"{service.url}/join/#jtv_{ID}" in mail["text"]
    assert clinic.done().keys() == {"comparison", ID}
    assert clinic.noted("audit")[0][3].startswith("reminder sent: pc_eid 412 on")


def test_a_reminder_that_failed_is_tried_again(clinic: OpenEmr) -> None:
    """It is remembered only once it is sent."""
    zone = in_zone(12)
    clinic.change(events=[visit(24 * 60, zone)])
    clinic.set_up(
        gbl_time_zone=zone, jitsi_tokens_reminder_hour="0", patient_reminder_sender_email=""
    )
    compare(clinic)
    assert clinic.done().keys() == {"comparison"}
    assert "no reminder" in clinic.log
    clinic.set_up(patient_reminder_sender_email="clinic@example.org")
    compare(clinic)
    assert len(clinic.noted("mail")) == 1


def test_a_mailer_that_throws_tells_the_log_no_address(clinic: OpenEmr) -> None:
    """The next patient gets a mail, and this one's is tried again; a dead server takes seconds."""
    clinic.change(mailer="Invalid address: joan@appleseed.example")
    refused(clinic, clinic.press("send"), 502, "The mail could not be sent.")
    zone = in_zone(12)
    clinic.change(events=[visit(24 * 60, zone)])
    clinic.set_up(gbl_time_zone=zone, jitsi_tokens_reminder_hour="0")
    compare(clinic)
    assert clinic.done().keys() == {"comparison"}

    clinic.change(mailer=None)
    compare(clinic)
    assert [mail["seconds"] for mail in clinic.noted("mail")] == [10]


def test_managing_the_module_switches_its_service(openemr: OpenEmr) -> None:
    """What it prints while it makes the ACL does not get into the manager's answer."""
    for action in ("preenable", "enable", "disable", "unregister"):
        assert openemr.ask("GET", f"/manage?action={action}").body == "Success"

    acl, *statements = openemr.noted("sql")
    assert acl == ["acl", "jitsi_tokens", "moderate"]
    assert [sql.partition(" WHERE")[0] for sql, _ in statements] == [
        "UPDATE background_services SET active = 1, running = 0",
        "UPDATE background_services SET active = 0",
        "DELETE FROM background_services",
    ]


def test_the_portals_template_keeps_the_one_before(openemr: OpenEmr) -> None:
    """OpenEMR's, or another module's."""
    paths = json.loads(openemr.ask("GET", "/twig").body)

    assert paths["jitsi_tokens_before"] == ["/openemr/templates"]
    assert paths["__main__"] == [str(openemr.module / "templates"), "/openemr/templates"]


@pytest.mark.parametrize("action", ["join", "late", "link"])
def test_the_script_sends_a_form_of_its_own(clinic: OpenEmr, action: str) -> None:
    """Joining into a tab that knows nothing of OpenEMR's; the dialog's form is not posted along.

    Without a session the answer is a page of OpenEMR's: no link to copy.
    """
    fields = clinic.fields()
    given = {
        "script": (clinic.module / "public" / "module.js").read_text(),
        "box": {"jitsiTokens": json.dumps(fields), "action": "/visit.php"},
        "button": {"do": action, "minutes": "20"},
    }
    ran = subprocess.run(  # noqa: S603 - our own script
        [node(), "--eval", BROWSER],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    happened = json.loads(ran.stdout)
    if action != "join":
        restored, asked, output = happened
        assert asked["address"] == "/visit.php"
        assert f"action={action}&minutes=20" in asked["body"]
        assert (restored, output) == ("session restored", {"textContent": "Done."})
    else:
        inputs = [["hidden", *item] for item in (fields | {"action": "join"}).items()]
        form = {
            "method": "post",
            "action": "/visit.php",
            "target": "_blank",
            "attributes": {"rel": "noopener noreferrer"},
            "inputs": inputs,
        }
        assert happened == ["appended", "session restored", form, "removed", {}]


def test_the_environment_may_hold_address_and_key(service: VisitService, tmp_path: Path) -> None:
    """Where the setting is empty."""
    variables = {"JITSI_TOKENS_URL": service.url, "JITSI_TOKENS_API_KEY": API_KEY}
    with OpenEmr(tmp_path, **variables) as openemr:
        openemr.begin("8.2", "", "")
        assert openemr.press().status == 303, openemr.log

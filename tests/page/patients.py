"""A patient with a link and a browser, and the way to each screen of the page."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tests.stack.service import NAME
from tests.stack.visits import DOCTOR, Visits, at

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.page.browsers import Browser

CONTACT = {
    "name": "Praxis Dr. Novak",
    "phone": "+43 1 2345678",
    "privacyUrl": "https://novak.example/privacy",
}
# What a stack's operator sets for the screens that know no visit.
CONTACT_TEXT = "Call the clinic, in an emergency 112.|Rufen Sie die Praxis an, im Notfall 112."
DAY = 86400
# All that the page waits for in whole seconds comes sooner: the next question in 0.6 of its 5, the
# end of its patience with a device in 2.5 of its 20.
FAST = """{
const real = setTimeout;
window.setTimeout = (work, ms, ...more) => real(work, ms >= 1000 ? ms / 8 : ms, ...more);
}"""
# A web view that has no camera, and one that never answers.
NO_CAMERA = "Object.defineProperty(navigator, 'mediaDevices', {value: undefined});"
NO_ANSWER = """
Object.assign(navigator.mediaDevices || {}, {getUserMedia: () => new Promise(() => null)});
"""
_NUMBERS = itertools.count(1)


class Patient:
    """A patient of a visit.

    Attributes:
        link: the address that the patient has been sent.
    """

    def __init__(self, record: Visits, browser: Browser, **changes: Any) -> None:
        self.record = record
        self.browser = browser
        self.visit_id = f"page-{next(_NUMBERS)}"
        self.link = self.put(**changes)

    def put(self, **changes: Any) -> str:
        """Create or change the visit, which begins in five minutes unless said; return the link."""
        patient = {"participantId": "patient", "userName": NAME, "language": "en"}
        given = {"contact": CONTACT, "participants": [DOCTOR, patient]} | changes
        return _link_of(self.record.put(self.visit_id, **given))

    def call(self, method: str, path: str = "", **arguments: Any) -> dict[str, Any]:
        """Have the health record do something with the visit."""
        answer = self.record.call(method, f"/{self.visit_id}{path}", **arguments)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def new_link(self) -> str:
        """Have the link replaced; return the new one."""
        return _link_of(self.call("POST", "/participants/patient/new-link"))

    def join(self) -> None:
        """Have the doctor press the button in the health record."""
        assert self.record.join(self.visit_id).is_success

    def open(self, screen: str) -> None:
        """Open the link, and wait for a screen."""
        self.browser.open(self.link)
        self.browser.wait_for(screen)

    def enter(self) -> None:
        """Open the link of a visit with its doctor inside, and press the button."""
        self.join()
        self.open("ready")
        self.browser.press("enter")
        self.browser.wait_for("call")


def _link_of(visit: dict[str, Any]) -> str:
    [link] = [each["link"] for each in visit["state"]["participants"] if "link" in each]
    return str(link)


# Each leads a patient whose visit begins in five minutes to a screen.


def _without_script(patient: Patient) -> None:
    patient.browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    patient.open("unsupported")
    # The tests' own scripts wait for something.
    patient.browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


def _incomplete(patient: Patient) -> None:
    patient.browser.open(patient.link.partition("#")[0])
    patient.browser.wait_for("incomplete")


def _invalid(patient: Patient) -> None:
    patient.link = patient.link[:-3] + ("abc" if patient.link[-3:] != "abc" else "cba")
    patient.open("invalid")


def _replaced(patient: Patient) -> None:
    patient.new_link()
    patient.open("replaced")


def _early(patient: Patient) -> None:
    patient.put(startsAt=at(3 * DAY))
    patient.open("early")


def _moved(patient: Patient) -> None:
    patient.open("waiting")
    patient.put(startsAt=at(21 * DAY))
    patient.browser.run("dispatchEvent(new Event('online'))")  # asks at once
    patient.browser.wait_for("early")


def _soon(patient: Patient) -> None:
    patient.put(startsAt=at(900 + 720))
    patient.open("soon")


def _waiting(patient: Patient) -> None:
    patient.open("waiting")


def _overdue(patient: Patient) -> None:
    patient.put(startsAt=at(-360))
    patient.open("overdue")


def _late(patient: Patient) -> None:
    patient.call("PATCH", json={"delayMinutes": 15})
    patient.open("late")


def _no_camera(patient: Patient) -> None:
    patient.browser.before_each_page(NO_CAMERA)
    patient.open("waiting")
    patient.browser.until(lambda: patient.browser.can("copy-link"))


def _denied(patient: Patient) -> None:
    patient.browser.may_use_camera("denied")
    _ready(patient)
    patient.browser.until(lambda: patient.browser.shows("[data-devices=denied]"))


def _ready(patient: Patient) -> None:
    patient.join()
    patient.open("ready")


def _left(patient: Patient) -> None:
    patient.enter()
    patient.browser.press("leave")
    patient.browser.wait_for("left")


def _finished(patient: Patient) -> None:
    _left(patient)
    patient.browser.press("finish")
    patient.browser.wait_for("finished")


def _by_phone(patient: Patient) -> None:
    patient.call("POST", "/end", json={"because": "by-phone"})
    patient.open("by-phone")


def _over(patient: Patient) -> None:
    patient.call("POST", "/end")
    patient.open("over")


def _cancelled(patient: Patient) -> None:
    patient.call("DELETE")
    patient.open("cancelled")


def _interrupted(patient: Patient) -> None:
    service, name = patient.record.service, f"gone-{patient.visit_id}"
    api_key = service.add_client(name, "--visits", "--moderator")
    patient.record = Visits(service, api_key, name)
    patient.link = patient.put()
    service.commands.run("client", "revoke", name, "--yes")
    patient.open("interrupted")


def _offline(patient: Patient) -> None:
    patient.browser.cdp("Network.setBlockedURLs", urls=["*/join/status"])
    patient.open("offline")


SCREENS: dict[str, Callable[[Patient], None]] = {
    "unsupported": _without_script,
    "incomplete": _incomplete,
    "invalid": _invalid,
    "replaced": _replaced,
    "early": _early,
    "moved": _moved,
    "soon": _soon,
    "waiting": _waiting,
    "overdue": _overdue,
    "late": _late,
    "no-camera": _no_camera,
    "ready": _ready,
    "denied": _denied,
    "call": Patient.enter,
    "left": _left,
    "by-phone": _by_phone,
    "over": _over,
    "cancelled": _cancelled,
    "interrupted": _interrupted,
    "offline": _offline,
    "finished": _finished,
}
# Those that know no visit: here the page has never been online.
UNKNOWN = ("unsupported", "incomplete", "invalid", "finished", "offline")

"""`<JitsiMeeting>` in Chromium, in an application with the routes of clients/nextjs."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.clients import unruly_server as unruly
from tests.clients.samples import API_KEY, MEETING
from tests.clients.unruly_server import UnrulyServer
from tests.page.react_app import Meeting, bundle, running
from tests.stack.visits import DOCTOR, PATIENT, Visits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.clients.unruly_server import Deed
    from tests.page.browsers import Browser
    from tests.stack.service import Service

    type Before = Callable[..., tuple[Meeting, UnrulyServer]]

_BUSY = unruly.problem("too-many-requests", 429, "Wait.", Retry_After="1")
_PROXIED = "/proxied"


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's script."""
    return bundle(tmp_path_factory.mktemp("react"))


@pytest.fixture(scope="module")
def api_key(service: Service) -> str:
    """The application's key."""
    return service.add_client("next", "--any-room", "--moderator", "--visits")


@pytest.fixture(scope="module")
def application(service: Service, api_key: str, script: Path) -> Iterator[str]:
    """An application before a stack."""
    with running(script, service.stack.url, api_key) as address:
        yield address


@pytest.fixture
def meeting(application: str, browser: Browser) -> Meeting:
    """Its page."""
    return Meeting(browser, application)


@pytest.fixture
def before(script: Path, browser: Browser, jitsi: str) -> Iterator[Before]:
    """Make the page of an application before a service with the given answers; None: good ones."""
    url = f"http://{jitsi}/session-123"
    well = unruly.answer(200, json.dumps(MEETING | {"roomName": "session-123", "meetingUrl": url}))
    with contextlib.ExitStack() as opened:

        def make(*deeds: Deed | None) -> tuple[Meeting, UnrulyServer]:
            server = opened.enter_context(UnrulyServer(*(deed or well for deed in deeds)))
            address = opened.enter_context(running(script, server.url, API_KEY))
            return Meeting(browser, address), server

        yield make


@pytest.mark.parametrize(
    ("user", "name", "role"),
    [("jane", "Dr. Jane Smith", "moderator"), ("john", "John Doe", "guest")],
)
def test_joined_as_who_is_signed_in(meeting: Meeting, user: str, name: str, role: str) -> None:
    """Whatever the page says of its user; the API key stays on the server."""
    said = {"userId": "u-0", "displayName": "Mallory", "isModerator": True}
    meeting.open(user, **said, sessionType="audio", strict=True)

    with meeting.in_jitsi() as jitsi:
        assert jitsi.shows(f"[data-verdict=accepted][data-role={role}]"), jitsi.text
        assert f"{name}, {role}" in jitsi.text
    address = meeting.browser.run("return document.querySelector('iframe').src")
    assert "config.startAudioOnly=true" in address
    sent = json.dumps(meeting.browser.events("Network.requestWillBeSent"))
    assert "Mallory" in sent
    assert "jtk_" not in sent


def test_a_visit_is_joined_by_its_route(service: Service, api_key: str, meeting: Meeting) -> None:
    """The patient reads why not yet, and gets in once the doctor is."""
    Visits(service, api_key, "next").put("react-1", participants=[DOCTOR, PATIENT])
    route = "/api/visits/react-1/join"
    meeting.open("john", route=route, roomName=None)
    meeting.reads("The meeting has not started yet.")

    meeting.open("jane", route=route, roomName=None)
    with meeting.in_jitsi() as jitsi:
        assert jitsi.shows("[data-verdict=accepted][data-role=moderator]"), jitsi.text

    meeting.open("john", route=route, roomName=None)
    with meeting.in_jitsi() as jitsi:
        assert jitsi.shows("[data-verdict=accepted][data-role=guest]"), jitsi.text


@pytest.mark.parametrize("action", ["hang-up", "hang-up-navigate", "hang-up-both", "kick"])
def test_who_joins_again_has_a_new_token(meeting: Meeting, action: str) -> None:
    """However Jitsi ends a meeting, the application hears of it once, and the frame is gone."""
    prejoin = {"prejoinConfig": {"enabled": False}}
    meeting.open("jane", configOverwrite=prejoin, messages={"left": "Auf Wiedersehen."})
    with meeting.in_jitsi() as jitsi:
        jitsi.until(lambda: jitsi.can("hang-up"))
        jitsi.run("document.querySelector(arguments[0]).click()", f"[data-action={action}]")
    meeting.reads("Auf Wiedersehen.")

    assert not meeting.browser.shows("iframe")
    meeting.press()
    with meeting.in_jitsi() as jitsi:
        assert jitsi.shows("[data-verdict=accepted]"), jitsi.text
    assert meeting.browser.run("return [ended, signals.length]") == [1, 2]


def test_what_may_pass_is_asked_again(before: Before) -> None:
    """Too many requests, twice, then in: each wait is what Retry-After asks for, and more."""
    meeting, server = before(_BUSY, _BUSY, None)
    meeting.open()
    meeting.browser.until(lambda: meeting.browser.shows("iframe"))

    assert len(server.received) == 3
    first, second = meeting.waits
    assert 1000 <= first <= 1500
    assert 1000 <= second <= 2000


@pytest.mark.parametrize(
    ("words", "deed"),
    [
        ("The meeting cannot be opened at the moment.", unruly.answer(503, "")),
        ("No connection.", unruly.close),
    ],
)
def test_what_does_not_pass_is_said(before: Before, words: str, deed: Deed) -> None:
    """After 30 seconds of waits that grow; the button begins again."""
    meeting, server = before(unruly.answer(502, ""), unruly.answer(504, ""), deed)
    meeting.open(route=_PROXIED)
    meeting.reads(words)

    waits, asked = meeting.waits, len(server.received)
    limits = [500, 1000, 2000, 4000, *[8000] * 99]
    assert all(wait <= limit for wait, limit in zip(waits, limits, strict=False))
    # Where a connection breaks, the browser itself may send a request twice.
    assert asked > len(waits) >= 5
    assert sum(waits) < 30_000
    meeting.press()
    meeting.browser.until(lambda: len(server.received) > asked)


_EARLY = {"type": "urn:jitsi-tokens:problem:too-early", "opensAt": MEETING["notBefore"]}
_NOWHERE = MEETING | {"meetingUrl": "http://127.0.0.1:9/session-123"}
_REFUSALS: list[tuple[str, Deed]] = [
    ("You are not signed in.", unruly.answer(401, "")),
    ("You may not enter this meeting.", unruly.answer(403, "")),
    ("You are not signed in.", unruly.answer(307, "", Location="/sign-in")),
    ("This meeting does not exist.", unruly.answer(404, "")),
    ("The meeting opens at Nov 2", unruly.answer(409, json.dumps(_EARLY))),
    ("The meeting is over.", unruly.problem("visit-over", 409, "No.")),
    ("Too many people are joining", unruly.answer(429, "", Retry_After="3600")),
    ("because of an error on our side.", unruly.answer(500, "")),
    ("The video did not load.", unruly.answer(200, json.dumps(_NOWHERE))),
    ("because of an error on our side.", unruly.answer(200, "<html>")),
]


def test_each_refusal_has_words_of_its_own(before: Before) -> None:
    """What would not pass within the bound is said at once."""
    meeting, server = before(*(deed for _, deed in _REFUSALS))
    meeting.open(route=_PROXIED)

    for number, (words, _) in enumerate(_REFUSALS, 1):
        meeting.reads(words)
        assert len(server.received) == number
        meeting.press()


def test_what_hangs_is_given_up(before: Before) -> None:
    """After twelve seconds: an attempt, which is made again, and Jitsi's script."""
    with UnrulyServer(unruly.stall) as jitsi:
        hanging = MEETING | {"meetingUrl": f"{jitsi.url}/session-123"}
        meeting, server = before(unruly.stall, unruly.answer(200, json.dumps(hanging)))
        meeting.open(route=_PROXIED)
        meeting.browser.until(lambda: server.received)
        meeting.expire()
        meeting.browser.until(lambda: jitsi.received)
        meeting.expire()
        meeting.reads("The video did not load.")


@pytest.mark.parametrize("deed", [unruly.stall, unruly.answer(503, "", Retry_After="21")])
def test_nothing_is_sent_once_it_is_unmounted(before: Before, deed: Deed) -> None:
    """Neither while a request is under way, nor after a wait."""
    meeting, server = before(deed)
    meeting.open(route=_PROXIED)
    meeting.browser.until(lambda: server.received and (deed is unruly.stall or meeting.waits))
    meeting.browser.run("unmount()")

    assert meeting.browser.run("return waiting.size") == 0
    assert meeting.browser.run("return signals.at(-1).aborted") is (deed is unruly.stall)

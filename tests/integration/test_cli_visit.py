"""`jitsi-tokens visit`: list, show, join, cancel, of a service that answers by its own types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from jitsi_tokens.core import visit_records
from jitsi_tokens.core.clients import make_api_key
from jitsi_tokens.core.issued import IssuedToken
from jitsi_tokens.core.problems import FORBIDDEN, NOT_FOUND, SUPERSEDED, Problem
from jitsi_tokens.core.visit_answers import Moment, Presence, VisitList, refusal, visit_answer
from jitsi_tokens.core.visit_requests import VisitBody
from jitsi_tokens.core.visits import Facts, Refused
from tests.integration.cli_world import HANGS_UP, Answer, World, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jitsi_tokens.core.visit_answers import VisitAnswer
    from jitsi_tokens.core.visit_records import Visit

NOW = 1_796_113_100  # 2026-12-01T08:18:20Z
LINK = "https://visits.example/join/#jtv_secret"
BODY: dict[str, Any] = {
    "startsAt": "2026-12-01T09:30:00+01:00",
    "durationMinutes": 30,
    "timeZone": "Europe/Vienna",
    "contact": {"name": "Praxis Novak", "phone": "+43 1 2345678"},
    "participants": [
        {"participantId": "doctor", "userName": "Dr. Novak", "isModerator": True},
        {"participantId": "patient", "userName": "Anna"},
        {"participantId": "aunt", "userName": "Eva"},
    ],
}
PRESENCE = {"patient": Presence(waiting_since=NOW - 60, last_seen_at=NOW - 10)}
MEETING = IssuedToken(
    token="eyJhbGciOiJSUzI1NiJ9.e30.signature",
    expires_at=1893456000,
    not_before=1893452390,
    meeting_url="https://meet.example.org/visit-1#jwt=%22eyJhbGciOiJSUzI1NiJ9.e30.signature%22",
    room_name="visit-1",
)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a stack, and a client's API key in the environment."""
    with running_world(monkeypatch) as world:
        monkeypatch.setenv("JITSI_TOKENS_API_KEY", make_api_key())
        yield world


def _visit() -> Visit:
    """Return a visit whose aunt was revoked, and which is late."""
    body = msgspec.convert(BODY, VisitBody)
    visit = visit_records.put(None, body, Facts(), NOW, lambda: "0" * 32).visit
    return visit_records.delayed(visit_records.without_participant(visit, "aunt"), 20)


def _moment(visit_id: str = "oe-1", visit: Visit | None = None) -> Moment:
    return Moment(visit_id, visit or _visit(), Facts(), PRESENCE, NOW)


def _shown(moment: Moment) -> VisitAnswer:
    return visit_answer(moment, lambda _, member: None if member.is_moderator else LINK)


def _ok(answer: object) -> Answer:
    return Answer(200, msgspec.json.encode(answer).decode())


def _refused(problem: Problem) -> Answer:
    return Answer(problem.kind.status, msgspec.json.encode(problem.details()).decode())


def _page(*ids: str, following: str | None = None) -> Answer:
    visits = [visit_answer(_moment(id_), lambda *_: None) for id_ in ids]
    more: Any = msgspec.UNSET if following is None else following
    return _ok(VisitList(visits=visits, next=more))


def _query(world: World, index: int) -> dict[str, list[str]]:
    return parse_qs(urlsplit(world.received[index].path).query)


def test_list_prints_every_page(world: World) -> None:
    """One line a visit, with who waits; the next page is the same question."""
    pages = iter([_page("oe-1", "oe-2", following="Wz=="), _page(following="Xz=="), _page("oe-3")])
    world.api = lambda _: next(pages)

    result = world.run("visit", "list", "--from", "2026-12-01T00:00:00+01:00", "--waiting")

    assert result.exit_code == 0, result.output
    heading, *lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert heading == ["starts", "visit", "status", "delay", "with", "waiting", "closes"]
    assert lines == [
        [BODY["startsAt"], id_, "open", "20 min", "Dr. Novak", "patient", "2026-12-01T09:50:00Z"]
        for id_ in ("oe-1", "oe-2", "oe-3")
    ]
    asked_for = {
        "from": ["2026-12-01T00:00:00+01:00"],
        "to": ["2026-12-02T00:00:00+01:00"],
        "waiting": ["true"],
    }
    first = _query(world, -3)
    assert first == asked_for
    assert [_query(world, index) for index in (-2, -1)] == [
        asked_for | {"next": ["Wz=="]},
        asked_for | {"next": ["Xz=="]},
    ]
    assert world.received[-1].path.startswith("/v1/api/visits?")


def test_list_is_short_on_a_terminal(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the day of this machine if no times are given."""
    world.api = lambda _: _page("oe-1")
    monkeypatch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")

    short, wide = (world.run("visit", "list", *more).stdout for more in ((), ("--wide",)))

    assert short.splitlines()[1].split() == [
        *("12-01", "09:30", "oe-1", "open", "20", "min", "Dr.", "Novak", "patient")
    ]
    assert max(map(len, short.splitlines())) <= 80
    assert BODY["startsAt"] in wide
    query = _query(world, -1)
    days = [query[name][0] for name in ("from", "to")]
    assert all(day[10:19] == "T00:00:00" for day in days)
    assert days[0] < days[1]


def test_list_prints_the_services_documents(world: World) -> None:
    """Of all pages in one; nobody is an empty list."""
    pages = iter([_page("oe-1", following="Wz=="), _page("oe-2"), _page()])
    world.api = lambda _: next(pages)

    found = json.loads(world.run("visit", "list", "--json").stdout)
    nothing = world.run("visit", "list")

    documents = [json.loads(_page(id_).body)["visits"][0] for id_ in ("oe-1", "oe-2")]
    assert found == {"visits": documents}
    assert (nothing.stdout, nothing.stderr) == ("", "There are no visits in this period.\n")


def test_show_prints_links_only_if_asked(world: World) -> None:
    """Facts, then a line for each participant; JSON likewise."""
    world.api = lambda _: _ok(_shown(_moment()))

    plain, linked = (
        world.run("visit", "show", "oe-1"),
        world.run("visit", "show", "oe-1", "--links"),
    )
    document = json.loads(world.run("visit", "show", "oe-1", "--json").stdout)
    whole = json.loads(world.run("visit", "show", "oe-1", "--json", "--links").stdout)

    assert plain.stdout.splitlines() == [
        "Visit\toe-1",
        "Status\topen",
        "Starts\t2026-12-01T09:30:00+01:00 (Europe/Vienna)",
        "Duration\t30 min",
        "Delay\t20 min",
        "Opens\t2026-12-01T09:15:00+01:00",
        "Closes\t2026-12-01T10:50:00+01:00",
        "With\tDr. Novak",
        "Contact\tPraxis Novak, +43 1 2345678",
        "",
        "participant\trole\tstatus\tsince\tname",
        "doctor\tmoderator\tinvited\t-\tDr. Novak",
        "patient\tguest\twaiting\t2026-12-01T09:17:20+01:00\tAnna",
        "aunt\t-\trevoked\t-\t-",
    ]
    assert [line.split("\t")[-1] for line in linked.stdout.splitlines()[-3:]] == ["-", LINK, "-"]
    assert whole == json.loads(_ok(_shown(_moment())).body)
    assert LINK not in json.dumps(document)
    assert document["state"]["participants"][1]["status"] == "waiting"
    assert (world.received[-1].method, world.received[-1].path) == ("GET", "/v1/api/visits/oe-1")


@pytest.mark.parametrize("option", ["", "--open", "--json"])
def test_join_is_token_issue(world: World, monkeypatch: pytest.MonkeyPatch, option: str) -> None:
    """The request has no body; with --open neither link nor token is printed."""
    world.api = lambda _: _ok(MEETING)
    opened: list[str] = []

    def browse(url: str) -> bool:
        opened.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", browse)

    result = world.run("visit", "join", "oe-1", "doctor", *([option] if option else []))

    request = world.received[-1]
    assert result.exit_code == 0, result.output
    assert (request.method, request.body) == ("POST", "")
    assert request.path == "/v1/api/visits/oe-1/participants/doctor/join"
    assert request.headers["Authorization"].startswith("Bearer jtk_")
    assert opened == ([MEETING.meeting_url] if option == "--open" else [])
    assert (MEETING.token in result.output) is (option != "--open")
    assert world.run("visit", "join", "oe-1", "doctor", "--open", "--json").exit_code == 2


def test_cancel_asks(world: World) -> None:
    """And does nothing unless a person agrees, or --yes is given."""
    cancelled = visit_records.cancelled(_visit(), Facts(), NOW, None)
    world.api = lambda _: _ok(_shown(_moment(visit=cancelled)))

    without_terminal = world.run("visit", "cancel", "oe-1")
    world.at_a_terminal()
    refused = world.run("visit", "cancel", "oe-1", typed="n\n")
    assert all("/visits" not in request.path for request in world.received)
    agreed = world.run("visit", "cancel", "oe-1", typed="y\n")
    by_option = world.run("visit", "cancel", "oe-1", "--yes", "--revision", "7", "--json")

    assert [each.exit_code for each in (without_terminal, refused)] == [1, 1]
    assert agreed.stdout.endswith("Visit\toe-1\nStatus\tcancelled\n")
    assert json.loads(by_option.stdout)["state"]["status"] == "cancelled"
    sent = [(each.method, each.path) for each in world.received if "/visits" in each.path]
    path = "/v1/api/visits/oe-1"
    assert sent == [("DELETE", path), ("DELETE", f"{path}?revision=7")]


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (_refused(Problem(NOT_FOUND, "There is no such visit.")), 1, "Error: There is no such vi"),
        (_refused(Problem(FORBIDDEN, "This client may not make visits.")), 1, "may not make visit"),
        (_refused(Problem(SUPERSEDED, "Later.")), 1, "The visit has a later revision (HTTP 409)"),
        (
            _refused(refusal(Refused("too-early", NOW + 60), _moment())),
            1,
            "It opens at 2026-12-01T08:19:20Z.",
        ),
        (
            _refused(
                refusal(
                    Refused("visit-over", NOW),
                    _moment(visit=visit_records.ended(_visit(), Facts(), NOW, "by-phone")),
                )
            ),
            1,
            "It was ended: by-phone.",
        ),
        (
            _refused(refusal(Refused("waiting-for-moderator", NOW), _moment())),
            1,
            "No moderator has",
        ),
        (Answer(200, "<html>"), 1, "does not come from jitsi-tokens"),
        (Answer(503, ""), 3, "HTTP 503"),
        (HANGS_UP, 3, "does not answer"),
    ],
)
def test_a_refusal_is_a_sentence(world: World, answer: Answer, code: int, words: str) -> None:
    """With 1 if the service refuses, with 3 if it may answer later."""
    world.api = lambda _: answer

    result = world.run("visit", "join", "oe-1", "patient")

    assert (result.exit_code, result.stdout) == (code, "")
    assert words in result.stderr
    assert "oe-1" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "a/../b"],
        ["join", "oe-1", "../x"],
        ["cancel", "oe-1", "--revision", "-1", "--yes"],
        ["list", "--from", "tomorrow"],
    ],
)
def test_what_names_no_visit_is_not_sent(world: World, arguments: list[str]) -> None:
    """An id could make it the path of another call."""
    assert world.run("visit", *arguments).exit_code == 2
    assert world.received == []

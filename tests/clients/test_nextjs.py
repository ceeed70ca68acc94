"""The route handler for Next.js, run by Node against a service that answers as it is told."""

from __future__ import annotations

import contextlib
import functools
import json
import re
import shutil
import socket
import subprocess
import threading
import time
import unicodedata
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitsi_tokens.core.rooms import RoomRefused, backend_safe, scoped_room
from tests.clients.php_caller import leave_out
from tests.clients.samples import DRESSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HERE = Path(__file__).parent
_FOLDER = _HERE.parents[1] / "clients/nextjs"
_ROUTE = _FOLDER / "route.js"
_DRIVER = _HERE / "route_driver.mjs"
_PAGE = _HERE.parents[1] / "docs/migrating.md"
_SECONDS = 20
_INSTALL = "node is not installed: apt-get install nodejs"
_OLDEST_NODE = 18
_PATH = "/api/jitsi/jwt"
_KEY = "jtk_test_0123456789abcdef"
_TOKEN = {
    "token": "eyJhbGciOiJSUzI1NiJ9.eyJyb29tIjoic2Vzc2lvbi0xMjMifQ.c2lnbmF0dXJl",
    "expiresAt": 1795319334,
    "notBefore": 1795315724,
    "meetingUrl": "https://meet.example.org/session-123#jwt=%22eyJ.eyJ.sig%22",
    "roomName": "session-123",
}
_SITE = "https://clinic.example.org"
_HEADERS = {
    "Content-Type": "application/json",
    "Sec-Fetch-Site": "same-origin",
    "Cookie": "session=opaque",
}
_DOCTOR = {"userId": "u-7", "userName": "Dr. Jane Smith", "isModerator": True}
_PATIENT = {"userId": "u-8", "userName": "John Doe", "isModerator": False}
# What the guide's component posts.
_ASKED = {
    "userId": "user-123",
    "userName": "Mallory",
    "userEmail": "mallory@example.org",
    "userAvatar": "https://example.org/mallory.png",
    "isModerator": True,
    "roomName": "session-123",
    "expirationSeconds": 3600,
    "features": {"livestreaming": False, "recording": False, "moderation": True},
}


class Answer(NamedTuple):
    """What the browser gets of one request, and what the operator is told."""

    status: int
    headers: dict[str, str]
    body: str
    reports: list[str]
    identified: list[dict[str, Any]]

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON."""
        document: dict[str, Any] = json.loads(self.body)
        return document


def node() -> str:
    """Return where Node is; without it the tests are skipped, in continuous integration failed."""
    found = shutil.which("node")
    reason = _too_old(found) if found else _INSTALL
    if not found or reason:
        leave_out(reason)
    return found


@functools.cache
def _too_old(program: str) -> str:
    asked = [program, "--version"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=_SECONDS, check=True)  # noqa: S603 - Node
    version = done.stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) >= _OLDEST_NODE:
        return ""
    return f"node is {version}, and older than {_OLDEST_NODE}"


class Driver:
    """A Node that runs the route, for as many cases as are given."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own driver
            [node(), str(_DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            _, complaints = self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, complaints = self._process.communicate()
        # What the route writes by itself, an operator's log has: there is nothing.
        assert complaints == ""

    def run(self, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Run the route once for each case."""
        process = self._process
        assert process.stdin
        assert process.stdout
        killer = threading.Timer(_SECONDS, process.kill)
        killer.start()
        process.stdin.write(json.dumps(cases) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        killer.cancel()
        assert line, "Node ended, or took too long"
        answers: list[dict[str, Any]] = json.loads(line)
        return answers


_RUNNING: list[Driver] = []


@pytest.fixture(scope="module", autouse=True)
def running_driver() -> Iterator[None]:
    """One Node for the tests of this module: to start one takes longer than a test."""
    with Driver() as driver:
        _RUNNING.append(driver)
        yield
        _RUNNING.clear()


def run_cases(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Run the route once for each case, in the Node that runs, else in one of its own."""
    if _RUNNING:
        return _RUNNING[0].run(cases)
    with Driver() as driver:
        return driver.run(cases)


def run_route(url: str, api_key: str, request: Mapping[str, Any], session: object) -> Answer:
    """Have a browser's JSON posted to the route, in front of a service.

    Args:
        url: the service's address.
        api_key: a client's.
        request: what the browser posts.
        session: what identify() returns.
    """
    [answer] = run_cases(
        [
            {
                "options": {"url": url, "apiKey": api_key},
                "method": "POST",
                "request": browser_request(json.dumps(request)),
                "session": session,
            }
        ]
    )
    return Answer(**answer)


def browser_request(body: str, **headers: str | None) -> dict[str, Any]:
    """Return a request as a browser on the page sends it; None leaves a header out."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    both = {name: value for name, value in {**_HEADERS, **named}.items() if value is not None}
    return {"url": _SITE + _PATH, "headers": both, "body": body}


@dataclass
class Upstream:
    """A service on the loopback: answers as it is told, and keeps what it was sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    body: str | bytes = json.dumps(_TOKEN)
    stall_seconds: float = 0
    url: str = ""
    queue: list[tuple[int, dict[str, str], str, str]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)

    @property
    def sent(self) -> dict[str, Any]:
        """What the one request asked for."""
        [request] = self.seen
        document: dict[str, Any] = json.loads(request["body"])
        return document

    def problem(self, status: int, kind: str, **more: Any) -> None:
        """Answer with a problem document from now on."""
        self.status, self.content_type = status, "application/problem+json"
        document = {"type": f"urn:jitsi-tokens:problem:{kind}", "title": "T", "status": status}
        self.body = json.dumps({**document, "detail": "D.", **more})


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """Return a service that gives a token."""
    service = Upstream()
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            service.seen.append(
                {
                    "method": self.command,
                    "path": self.path,
                    "headers": dict(self.headers.items()),
                    "body": self.rfile.read(length).decode(),
                }
            )
            if service.queue:
                service.status, service.headers, *rest = service.queue.pop(0)
                service.content_type, service.body = rest
            if service.stall_seconds:
                over.wait(service.stall_seconds)
            body = service.body if isinstance(service.body, bytes) else service.body.encode()
            self.send_response(service.status)
            self.send_header("Content-Type", service.content_type)
            self.send_header("Content-Length", str(len(body)))
            for name, value in service.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

        def log_message(self, *_arguments: object) -> None:
            pass

        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # the route gave up waiting
                super().handle()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        service.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield service
        over.set()
        server.shutdown()
        thread.join()


def _posted(
    upstream: Upstream,
    request: Mapping[str, Any] = _ASKED,
    session: object = _DOCTOR,
) -> Answer:
    return run_route(upstream.url, _KEY, request, session)


def _case(upstream: Upstream, **changes: Any) -> dict[str, Any]:
    return {
        "options": {"url": upstream.url, "apiKey": _KEY},
        "method": "POST",
        "request": browser_request(json.dumps(_ASKED)),
        "session": _DOCTOR,
        **changes,
    }


def test_node_reads_the_module() -> None:
    """Node parses the route and the driver as modules."""
    for file in (*_FOLDER.glob("*.js"), _DRIVER):
        done = subprocess.run(  # noqa: S603 - our own files
            [node(), "--check", str(file)], capture_output=True, timeout=_SECONDS, check=False
        )
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_token_reaches_the_browser(upstream: Upstream) -> None:
    """The browser gets what the service gave, and keeps no copy."""
    answer = _posted(upstream)
    assert (answer.status, answer.document) == (200, _TOKEN)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.reports == []
    assert answer.identified == [{"roomName": "session-123", "cookie": "session=opaque"}]


def test_the_service_is_asked_with_the_api_key(upstream: Upstream) -> None:
    """The API key goes to the service, the browser's cookie does not."""
    _posted(upstream)
    [request] = upstream.seen
    assert (request["method"], request["path"]) == ("POST", _PATH)
    headers = {name.lower(): value for name, value in request["headers"].items()}
    assert headers["authorization"] == f"Bearer {_KEY}"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "jitsi-tokens-nextjs/0.1.0"
    assert "cookie" not in headers


def test_who_is_asking_comes_from_the_session_alone(upstream: Upstream) -> None:
    """Who the browser says it is does not count."""
    _posted(upstream)
    asked = {name: _ASKED[name] for name in ("roomName", "features")}
    assert upstream.sent == {**asked, **_DOCTOR}


def test_a_browser_that_asks_for_a_moderator_gets_a_guest(upstream: Upstream) -> None:
    """The server decides who is a moderator, not the page."""
    answer = _posted(upstream, session=_PATIENT)
    assert answer.status == 200
    assert upstream.sent["isModerator"] is False
    assert upstream.sent["userName"] == "John Doe"


def test_a_guest_switches_no_feature_on(upstream: Upstream) -> None:
    """A patient's browser cannot start a recording by asking for it."""
    _posted(upstream, {**_ASKED, "features": {"recording": True, "lobby": False}}, _PATIENT)
    assert upstream.sent["features"] == {"recording": False, "lobby": False}


def test_what_is_no_switch_is_left_to_the_service(upstream: Upstream) -> None:
    """The service refuses it, with its own reason."""
    _posted(upstream, {**_ASKED, "features": {"recording": "yes"}}, _PATIENT)
    assert upstream.sent["features"] == {"recording": "yes"}


def test_no_feature_at_all_stays_that(upstream: Upstream) -> None:
    """An empty object denies all features, and is not the same as none."""
    _posted(upstream, {"roomName": "r", "features": {}}, _PATIENT)
    assert upstream.sent["features"] == {}


def test_empty_fields_are_left_out(upstream: Upstream) -> None:
    """The service refuses a field that is null or empty."""
    request = {"roomName": "r", "expirationSeconds": None, "notBefore": "", "features": None}
    _posted(upstream, request, {**_DOCTOR, "userEmail": "", "userAvatar": None, "role": "x"})
    assert upstream.sent == {"roomName": "r", **_DOCTOR}


_LONG = {"roomName": "session-123", "notBefore": 1795315724, "expirationSeconds": 86400}


@pytest.mark.parametrize("leave", [{}, {"browserTimes": False}, {"browserTimes": "true"}])
@pytest.mark.parametrize("person", [_DOCTOR, _PATIENT])
def test_a_browser_chooses_no_time_by_itself(
    upstream: Upstream, person: dict[str, Any], leave: dict[str, Any]
) -> None:
    """Its token would outlive an access that is withdrawn: the service's own defaults hold."""
    _posted(upstream, _LONG, {**person, **leave})
    assert upstream.sent == {"roomName": "session-123", **person}


@pytest.mark.parametrize("person", [_DOCTOR, _PATIENT])
def test_a_browser_chooses_the_time_where_the_application_says_so(
    upstream: Upstream, person: dict[str, Any]
) -> None:
    """Within what the service and the policy allow; what is no number, the service refuses."""
    for asked in (_LONG, {**_LONG, "expirationSeconds": "an hour"}):
        upstream.seen.clear()
        _posted(upstream, asked, {**person, "browserTimes": True})
        assert upstream.sent == {**asked, **person}


@pytest.mark.parametrize("leave", [{}, {"browserTimes": True}])
@pytest.mark.parametrize(
    "times",
    [
        {"notBefore": 1795400000, "expirationSeconds": 7200},
        {"notBefore": 1795400000},
        {"expirationSeconds": 600},
    ],
)
@pytest.mark.parametrize("person", [_DOCTOR, _PATIENT])
def test_the_applications_times_are_the_only_ones(
    upstream: Upstream, person: dict[str, Any], times: dict[str, Any], leave: dict[str, Any]
) -> None:
    """A short life that the browser could move days ahead would be no short one."""
    _posted(upstream, _LONG, {**person, **times, **leave})
    assert upstream.sent == {"roomName": "session-123", **person, **times}


@pytest.mark.parametrize("features", [{}, {"recording": False}, {"livestreaming": True}])
@pytest.mark.parametrize("person", [_DOCTOR, _PATIENT])
def test_the_applications_features_are_the_only_ones(
    upstream: Upstream, person: dict[str, Any], features: dict[str, bool]
) -> None:
    """A moderator's browser adds none to them, and a guest has those that it is given."""
    _posted(
        upstream,
        {"roomName": "r", "features": {"recording": True}},
        {**person, "features": features},
    )
    assert upstream.sent == {"roomName": "r", **person, "features": features}


@pytest.mark.parametrize(
    ("session", "status", "kind"),
    [(None, 401, "unauthorized"), (False, 403, "forbidden")],
)
def test_without_leave_there_is_no_token(
    upstream: Upstream, session: object, status: int, kind: str
) -> None:
    """The service is not asked for whom the application turns away."""
    answer = _posted(upstream, session=session)
    assert answer.status == answer.document["status"] == status
    assert answer.document["type"] == f"urn:jitsi-tokens:problem:{kind}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert upstream.seen == []


def test_an_identity_of_another_form_is_the_servers_fault(upstream: Upstream) -> None:
    """`isModerator: "true"` must not make a guest of a doctor."""
    sessions: list[object] = [
        "dr.smith",
        {},
        {**_DOCTOR, "userId": ""},
        {**_DOCTOR, "userName": 7},
        {**_DOCTOR, "isModerator": "true"},
        {"userId": "u-7", "userName": "Dr. Jane Smith"},
        {**_DOCTOR, "notBefore": "2026-11-22T14:30:00Z"},
        {**_DOCTOR, "expirationSeconds": 60.5},
    ]
    for answer in run_cases([_case(upstream, session=session) for session in sessions]):
        assert answer["status"] == 500
        assert answer["reports"][0].startswith("identify() must return")
        assert "Smith" not in answer["body"] + answer["reports"][0]
    assert upstream.seen == []


def test_a_persons_fields_may_be_getters(upstream: Upstream) -> None:
    """As an ORM's documents have them."""
    person = {**_DOCTOR, "userEmail": "jane@clinic.example.org", "expirationSeconds": 600}
    [answer] = run_cases([_case(upstream, session=person, getters=True)])
    assert answer["status"] == 200
    assert {name: upstream.sent[name] for name in person} == person


def test_an_error_of_the_application_stays_its_own(upstream: Upstream) -> None:
    """Next.js needs it: redirect() and unauthorized() throw."""
    [answer] = run_cases([_case(upstream, session="throws")])
    assert answer["thrown"] == "Error: the session store is away"


def test_another_sites_page_gets_nothing(upstream: Upstream) -> None:
    """A page elsewhere cannot have a signed-in browser ask."""
    body = json.dumps(_ASKED)
    foreign: list[dict[str, str | None]] = [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none", "Origin": _SITE},
        {"Sec_Fetch_Site": None},
        {"Sec_Fetch_Site": None, "Origin": "null"},
        {"Sec_Fetch_Site": None, "Origin": "https://evil.example.org"},
        {"Sec_Fetch_Site": None, "Origin": "clinic.example.org"},
        {"Sec_Fetch_Site": None, "Origin": _SITE, "Host": "10.0.0.7:3000"},
    ]
    answers = run_cases(
        [_case(upstream, request=browser_request(body, **headers)) for headers in foreign]
    )
    assert [answer["status"] for answer in answers] == [403] * len(foreign)
    assert [answer["identified"] for answer in answers] == [[]] * len(foreign)
    assert upstream.seen == []


def test_an_older_browser_says_where_it_is_by_origin(upstream: Upstream) -> None:
    """Where Sec-Fetch-Site is missing, Origin is compared."""
    body = json.dumps(_ASKED)
    options = {"url": upstream.url, "apiKey": _KEY}
    proxied = browser_request(body, Sec_Fetch_Site=None, Origin=_SITE, Host="10.0.0.7:3000")
    answers = run_cases(
        [
            _case(upstream, request=browser_request(body, Sec_Fetch_Site=None, Origin=_SITE)),
            _case(upstream, request=proxied, options={**options, "origin": _SITE}),
        ]
    )
    assert [answer["status"] for answer in answers] == [200, 200]


def test_behind_a_proxy_the_option_is_the_origin(upstream: Upstream) -> None:
    """All of it: scheme, host and port. What is no origin makes no route."""
    service = {"url": upstream.url, "apiKey": _KEY}
    body = json.dumps(_ASKED)
    foreign = ["null", "clinic.example.org", "http://clinic.example.org", f"{_SITE}:8443"]
    answers = run_cases(
        [
            _case(
                upstream,
                request=browser_request(body, Sec_Fetch_Site=None, Origin=origin),
                options={**service, "origin": f"{_SITE}/"},
            )
            for origin in foreign
        ]
    )
    assert [answer["status"] for answer in answers] == [403] * len(foreign)
    wrong = ["clinic.example.org", "", "null", f"{_SITE}/app", "file:///", "a.example:3000", None]
    answers = run_cases(
        [_case(upstream, options={**service, "origin": origin}) for origin in wrong]
    )
    sentence = "TypeError: jitsiRoute needs an origin like https://app.example, or none."
    assert [answer.get("thrown") for answer in answers] == [sentence] * len(wrong)
    assert upstream.seen == []


# What people and their programs call rooms, and what might be taken for another's.
# fmt: off
_NAMES = [
    "session-123", "Session-123", "session%2D123", "session%2d123", "SESSION%2D123",
    "session%252D123", "%73ession-123", "Cafe\u0301", "CAFE%CC%81", "\ufb01n", "İstanbul",
    "istanbul", "Istanbul", "\u0131stanbul", "Straße", "STRASSE", "ß", "ẞ", "ΣΑΣ", "σας", "Σ",
    "ΑΣ.", "\u24e2ession-123", "\u017fession-123", "\u212a",
    "\uff33\uff25\uff33\uff33\uff29\uff2f\uff2e", "session\u2010123", "100%", "100%25", "100%2525",
    "%zz", "%", "%%", "%25", "%E4", "%c3%28", "a%b", "a+b&c", "Café", "½", "№", "℡", "会议", "🩺",
    "*", "**", ".", "..", "'", "a/b", "a%2Fb", "a%00b", "\u202e!", "\ufffd", "~!()_.-", "\uffe5",
    "\u1e9b\u0323", "\u03d4", "\u03d3", "\u0345", "\u037a", "ᾼ", "J\u030c", "j\u030c", "\ud800",
    "%\ud800", "Visit Room 7", "visit room 7", "Visit%20Room%207", " ", "\n", "\u00a0",
    "x" * 300,
]
# fmt: on


def folded_by_the_route(names: list[str]) -> list[str | None]:
    """Return the names as the route folds them; None for those that have no form."""
    answers: list[Any] = run_cases([{"fold": names}])
    folded: list[str | None] = answers[0]
    return folded


def _folded(name: str) -> str | None:
    try:
        return backend_safe(name)
    except UnicodeEncodeError:
        return None


def test_the_route_folds_names_as_the_service_does() -> None:
    """Percent-decode, NFKC, lower case, encodeURIComponent, lower case."""
    assert folded_by_the_route(_NAMES) == [_folded(name) for name in _NAMES]


def test_it_folds_every_character_that_the_service_takes() -> None:
    """Node's tables may be newer than those of the service, which refuses what it does not know."""
    characters = [chr(code) for code in range(1, 0x110000)]
    known = [one for one in characters if unicodedata.category(one) not in ("Cn", "Cs", "Co")]
    assert len(known) > 140_000
    for names in (known, [f"Σ{one}" for one in known]):
        assert folded_by_the_route(names) == [backend_safe(name) for name in names]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.text(
            alphabet=st.characters(exclude_categories=["Cn", "Co"])
            | st.sampled_from("%%%25DdCc3aAéİßΣﬁ")
        ),
        max_size=20,
    )
)
def test_it_folds_any_name_as_the_service_does(names: list[str]) -> None:
    """And what the service takes, it folds to itself."""
    folded = folded_by_the_route(names)
    assert folded == [_folded(name) for name in names]
    rooms = [room for name in names if (room := _scoped(name))]
    assert folded_by_the_route(rooms) == rooms


def _scoped(name: str) -> str | None:
    """Return the room that the service opens by a name; None where it refuses it."""
    try:
        return scoped_room(name)
    except RoomRefused:
        return None


def test_whom_it_asks_about_is_what_it_asks_for(upstream: Upstream) -> None:
    """identify() and the service see one name, and it is the room that the token will open."""
    cases = [
        _case(upstream, request=browser_request(json.dumps({"roomName": name}))) for name in _NAMES
    ]
    asked = iter(upstream.seen)
    for name, answer in zip(_NAMES, run_cases(cases), strict=True):
        if answer["status"] == 400:
            assert _scoped(name) is None, name
            assert answer["identified"] == []
            assert json.loads(answer["body"])["errors"][0]["pointer"] == "/roomName"
            continue
        [identified] = answer["identified"]
        sent = json.loads(next(asked)["body"])["roomName"]
        assert sent == identified["roomName"] == backend_safe(name) == backend_safe(sent)
        assert _scoped(sent) == _scoped(name)
    assert next(asked, None) is None


def test_a_name_without_a_stable_form_is_refused(upstream: Upstream) -> None:
    """The service would open another room than the one that identify() was asked about."""
    names = ["J\u030c", "J%CC%8C", "\ud800", "%\ud800"]
    requests = [browser_request(json.dumps({"roomName": name})) for name in names]
    answers = run_cases([_case(upstream, request=request) for request in requests])
    for answer in answers:
        assert (answer["status"], answer["identified"]) == (400, [])
        [error] = json.loads(answer["body"])["errors"]
        assert error["pointer"] == "/roomName"
        assert error["detail"].startswith(("has no stable form", "must not hold lone surrogates"))
    assert upstream.seen == []


def test_a_token_for_another_room_is_not_handed_on(upstream: Upstream) -> None:
    """Should the service ever fold a name in another way."""
    answer = _posted(upstream, {**_ASKED, "roomName": "session-124"})
    assert answer.status == 503
    assert "eyJ" not in answer.body
    [report] = answer.reports
    assert report.startswith("127.0.0.1 answered HTTP 200 with something else than a token for the")


def test_what_is_no_request_is_refused_before_anybody_is_asked(upstream: Upstream) -> None:
    """Neither the session nor the service sees it."""
    cases = [
        (415, browser_request("roomName=r", Content_Type="application/x-www-form-urlencoded")),
        (415, browser_request("{}", Content_Type="text/plain")),
        (400, browser_request("{")),
        (400, browser_request("[]")),
        (400, browser_request("null")),
        (400, browser_request("{}")),
        (400, browser_request('{"roomName": ""}')),
        (400, browser_request('{"roomName": 7}')),
        (413, browser_request(json.dumps({"roomName": "r" * 16384}))),
    ]
    answers = run_cases([_case(upstream, request=request) for _, request in cases])
    assert [answer["status"] for answer in answers] == [status for status, _ in cases]
    assert [answer["identified"] for answer in answers] == [[]] * len(cases)
    assert upstream.seen == []
    assert json.loads(answers[6]["body"])["errors"][0]["pointer"] == "/roomName"


def test_a_refusal_is_passed_on_with_its_reason(upstream: Upstream) -> None:
    """The problem's own fields pass, and no others."""
    errors = [{"pointer": "/roomName", "detail": "is outside the rooms of this client."}]
    upstream.problem(403, "forbidden", errors=errors, trace="internal")
    answer = _posted(upstream)
    assert answer.status == 403
    assert answer.document == {
        "type": "urn:jitsi-tokens:problem:forbidden",
        "title": "T",
        "status": 403,
        "detail": "D.",
        "errors": errors,
    }


@pytest.mark.parametrize("status", [429, 503])
def test_when_to_try_again_is_passed_on(upstream: Upstream, status: int) -> None:
    """The component waits as long as the service says."""
    upstream.problem(status, "too-many-requests")
    upstream.headers["Retry-After"] = "7"
    answer = _posted(upstream)
    assert (answer.status, answer.headers["retry-after"]) == (status, "7")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.document["detail"] == "D."


def test_a_gateway_that_is_no_service_may_say_when_too(upstream: Upstream) -> None:
    """Its text is not repeated."""
    upstream.status, upstream.content_type, upstream.body = 429, "text/html", "<h1>Slow down</h1>"
    upstream.headers["Retry-After"] = "7"
    answer = _posted(upstream)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert "Slow" not in answer.body


def test_what_is_no_number_of_seconds_is_not_passed_on(upstream: Upstream) -> None:
    """Nothing else is put into a header."""
    upstream.problem(503, "unavailable")
    upstream.headers["Retry-After"] = "soon"
    assert "retry-after" not in _posted(upstream).headers


def test_a_refused_api_key_is_no_fault_of_the_person(upstream: Upstream) -> None:
    """The browser must not take it for the end of its session."""
    upstream.problem(401, "unauthorized")
    answer = _posted(upstream)
    assert answer.status == 503
    assert "API key" not in answer.body
    assert "does not accept the API key" in answer.reports[0]


def test_what_is_no_token_service_is_not_repeated(upstream: Upstream) -> None:
    """Nor followed elsewhere, with the API key in hand."""
    json_type = "application/json"
    upstream.queue = [
        (200, {}, "text/html", "<h1>Welcome</h1>"),
        (200, {}, json_type, "{}"),
        (200, {}, json_type, json.dumps({**_TOKEN, "token": "no token"})),
        (200, {}, json_type, json.dumps(_TOKEN) + " " * 65536),
        (302, {"Location": "/elsewhere"}, "text/html", ""),
        (307, {"Location": "/elsewhere"}, "text/html", ""),
        (403, {}, "text/html", "<h1>Blocked</h1>"),
        (404, {}, json_type, '{"message": "Not Found"}'),
        (500, {}, json_type, '{"message": "Internal server error"}'),
    ]
    nothing = "There is no token service at this address (127.0.0.1, HTTP"
    reports = [
        *["127.0.0.1 answered HTTP 200 with something else than a token for the room:"] * 4,
        *[f"{nothing} {status})." for status in (302, 307)],
        "127.0.0.1 does not allow this: a firewall or the address's own access list.",
        f"{nothing} 404).",
        "127.0.0.1 failed (HTTP 500).",
    ]
    answers = run_cases([_case(upstream)] * len(reports))
    assert len(upstream.seen) == len(reports)
    for report, answer in zip(reports, answers, strict=True):
        assert answer["status"] == 503
        assert answer["reports"][0].startswith(report)
        assert json.loads(answer["body"])["detail"] == "No token can be had at the moment."


def test_what_the_service_repeats_of_secrets_is_left_out(upstream: Upstream) -> None:
    """Neither API key nor token reaches the browser in an error."""
    token = _TOKEN["token"]
    errors = [{"pointer": f"/{token}", "detail": f"{_KEY} is wrong"}]
    upstream.problem(400, "invalid-request", detail=f"Bearer {_KEY}", title=token, errors=errors)
    answer = _posted(upstream)
    assert answer.status == 400
    assert _KEY not in answer.body
    assert "eyJ" not in answer.body
    assert answer.document["title"] == "The request asks for what cannot be given"


def test_a_service_that_stalls_is_given_up(upstream: Upstream) -> None:
    """The time limit holds for the whole request."""
    upstream.stall_seconds = 15
    began = time.monotonic()
    options = {"url": upstream.url, "apiKey": _KEY, "timeoutSeconds": 0.3}
    [answer] = run_cases([_case(upstream, options=options)])
    assert answer["status"] == 503
    assert answer["reports"] == ["127.0.0.1 does not answer (timed out)."]
    assert time.monotonic() - began < 5


def test_a_browser_and_a_session_that_stall_are_given_up(upstream: Upstream) -> None:
    """It holds for what comes before the service, too."""
    options = {"url": upstream.url, "apiKey": _KEY, "timeoutSeconds": 0.2}
    stalling = {**browser_request(""), "stalls": True}
    answers = run_cases(
        [
            _case(upstream, options=options, request=stalling),
            _case(upstream, options=options, sessionDelay=15_000),
        ]
    )
    assert [answer["status"] for answer in answers] == [503, 503]
    assert upstream.seen == []


def test_a_service_that_is_away_is_named(upstream: Upstream) -> None:
    """The operator learns which address does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    gone = {"url": f"http://LOCALHOST:{port}", "apiKey": _KEY}
    [answer] = run_cases([_case(upstream, options=gone)])
    assert answer["status"] == 503
    assert answer["reports"] == ["localhost does not answer (no connection: ECONNREFUSED)."]


def test_the_environment_says_where_and_who(upstream: Upstream, tmp_path: Path) -> None:
    """A variable, or a file that a variable names."""
    key_file = tmp_path / "key"
    key_file.write_text(f"{_KEY}\n")
    environ = {"JITSI_TOKENS_URL": f"{upstream.url}/", "JITSI_TOKENS_API_KEY_FILE": str(key_file)}
    [answer] = run_cases([_case(upstream, options={}, environ=environ)])
    assert answer["status"] == 200
    assert upstream.seen[0]["headers"]["Authorization"] == f"Bearer {_KEY}"


@pytest.mark.parametrize(("dress", "tail"), DRESSES)
def test_what_stands_around_a_value_does_not_count(
    upstream: Upstream, tmp_path: Path, dress: str, tail: str
) -> None:
    """Of an option, a variable, or a file."""
    dressed = {"url": dress.format(upstream.url + tail), "apiKey": dress.format(_KEY)}
    variables = {
        "JITSI_TOKENS_URL": dressed["url"],
        "JITSI_TOKENS_API_KEY": dressed["apiKey"],
    }
    for name, value in variables.items():
        (tmp_path / name).write_text(value, newline="")
    files = {f"{name}_FILE": f"{tmp_path / name}\n" for name in variables}
    answers = run_cases(
        [
            _case(upstream, options=dressed),
            *(_case(upstream, options={}, environ=environ) for environ in (variables, files)),
        ]
    )
    assert [answer["status"] for answer in answers] == [200] * 3, answers
    asked = [(seen["path"], seen["headers"]["Authorization"]) for seen in upstream.seen]
    assert asked == [(_PATH, f"Bearer {_KEY}")] * 3


def test_what_is_not_set_up_is_told_to_the_operator_alone(upstream: Upstream) -> None:
    """The browser learns no more than that there is no token."""
    there, key = "https://t.example.org", "JITSI_TOKENS_API_KEY"
    cases: list[tuple[dict[str, str], str]] = [
        ({}, "JITSI_TOKENS_URL is not set (nor JITSI_TOKENS_URL_FILE)."),
        ({"JITSI_TOKENS_URL": there}, f"{key} is not set (nor {key}_FILE)."),
        ({"JITSI_TOKENS_URL": " \n", f"{key}_FILE": "\n"}, "JITSI_TOKENS_URL is not set"),
        *(
            ({"JITSI_TOKENS_URL": there, key: wrong}, "printable ASCII without blanks or quotes.")
            for wrong in ("a b", "a\tb", f'"{_KEY}"', f"'{_KEY}'", f"{_KEY}\u200b")
        ),
        ({"JITSI_TOKENS_URL": there, key: _KEY, f"{key}_FILE": "/nowhere"}, "are both set: set"),
        ({"JITSI_TOKENS_URL": there, f"{key}_FILE": "/nowhere"}, "cannot be read."),
        ({"JITSI_TOKENS_URL": there, f"{key}_FILE": "/dev/null"}, "is empty."),
        *(
            ({"JITSI_TOKENS_URL": url, key: _KEY}, f"(JITSI_TOKENS_URL) {flaw}")
            for url, flaw in (
                ("http://t.example.org", "must be https: it would show the API key to others."),
                ("t.example.org", "must begin with https:// and a host name."),
                ("ftp://t.example.org", "must begin with https:// and a host name."),
                ("https:///t", "must begin with https:// and a host name."),
                ("https://t.example.org:port", "is malformed."),
                ("https://u:p@t.example.org", "holds a user name or password: leave them out."),
                (f"{there}?stage=1", "must end with its path: leave out what follows ? or #."),
                (f"{there} a", "holds blanks, control characters or backslashes."),
                (f"{there}\\a", "holds blanks, control characters or backslashes."),
                (
                    f"http://t.example.org{_PATH}",
                    "must be https: it would show the API key to others.",
                ),
                (f"https://{_PATH}", "must begin with https:// and a host name."),
            )
        ),
    ]
    answers = run_cases([_case(upstream, options={}, environ=environ) for environ, _ in cases])
    for (_, named), answer in zip(cases, answers, strict=True):
        assert answer["status"] == 503
        assert named in answer["reports"][0]
        assert "JITSI_TOKENS" not in answer["body"]
        assert _KEY not in answer["reports"][0] + answer["body"]
        assert "a b" not in answer["reports"][0]


def test_the_probe_passes_on_whether_tokens_can_be_had(upstream: Upstream) -> None:
    """It needs no API key and sends none, and answers nothing but the one field."""
    upstream.body = '{"configured": false, "else": 1}'
    [answer] = run_cases([_case(upstream, method="GET", options={"url": upstream.url})])
    assert (answer["status"], answer["body"]) == (200, '{"configured":false}')
    [request] = upstream.seen
    assert "Authorization" not in request["headers"]
    upstream.body = "<h1>Welcome</h1>"
    [answer] = run_cases([_case(upstream, method="GET")])
    assert answer["status"] == 503
    assert "something else than whether it is configured" in answer["reports"][0]
    upstream.problem(503, "unavailable", detail="undefined")
    [answer] = run_cases([_case(upstream, method="GET", options={"url": upstream.url})])
    assert (answer["status"], json.loads(answer["body"])["detail"]) == (503, "undefined")


def _example(language: str) -> str:
    """Return the page's one block in a language."""
    text = _PAGE.read_text()
    [block] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return str(block)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the route file of docs/migrating.md, in an application as the page lays it out."""
    root = tmp_path_factory.mktemp("application")
    route = root / "app" / "api" / "jitsi" / "jwt" / "route.js"
    route.parent.mkdir(parents=True)
    shutil.copytree(_FOLDER, root / "lib" / "jitsi-tokens")
    (root / "package.json").write_text('{"type": "module"}')
    route.write_text(_example("js"))
    shutil.copy(_HERE / "session_standin.mjs", root / "lib" / "session.js")
    return str(route)


def _application_case(module: str, upstream: Upstream, **changes: Any) -> dict[str, Any]:
    environ = {"JITSI_TOKENS_URL": upstream.url, "JITSI_TOKENS_API_KEY": _KEY}
    return {"module": module, "environ": environ, "method": "POST", **changes}


def test_the_pages_route_takes_what_the_component_always_sent(
    upstream: Upstream, application: str
) -> None:
    """Who asks, and whether that is a moderator, is what the application's session says."""
    body = _example("json")
    people = [
        ("user=jane", {"userId": "u-7", "userName": "Dr. Jane Smith", "isModerator": True}),
        ("user=john", {"userId": "u-8", "userName": "John Doe", "isModerator": False}),
    ]
    requests = [browser_request(body, Cookie=cookie) for cookie, _ in people]
    answers = run_cases(
        [_application_case(application, upstream, request=request) for request in requests]
    )
    assert [(answer["status"], json.loads(answer["body"])) for answer in answers] == [
        (200, _TOKEN)
    ] * len(people)
    asked = json.loads(body)
    assert asked["isModerator"] is True
    doctor, patient = (json.loads(seen["body"]) for seen in upstream.seen)
    for sent, (_, person) in zip((doctor, patient), people, strict=True):
        assert {name: sent.pop(name) for name in person} == person
        assert sent.pop("features")["recording"] is False
        assert sent == {"roomName": asked["roomName"]}


def test_the_pages_route_turns_strangers_away(upstream: Upstream, application: str) -> None:
    """Who is not signed in, who has no part in the visit, and a room that is no visit's."""
    elsewhere = json.dumps({**json.loads(_example("json")), "roomName": "session-124"})
    requests = [
        browser_request(_example("json")),
        browser_request(_example("json"), Cookie="user=mallory"),
        browser_request(elsewhere, Cookie="user=jane"),
    ]
    answers = run_cases(
        [_application_case(application, upstream, request=request) for request in requests]
    )
    assert [answer["status"] for answer in answers] == [401, 403, 403]
    assert upstream.seen == []


def test_nobody_enters_anothers_room_by_a_name_that_folds_to_it(
    upstream: Upstream, application: str
) -> None:
    """Visits of one's own called Session-123 and session%2D123 are none of session-123."""
    asked = json.loads(_example("json"))
    names = ["Session-123", "session%2D123", "SESSION-123", "\u017fession-123", "session%2d12%33"]

    def entering(user: str, name: str) -> dict[str, Any]:
        request = browser_request(json.dumps({**asked, "roomName": name}), Cookie=f"user={user}")
        return _application_case(application, upstream, request=request)

    answers = run_cases([entering("mallory", name) for name in names])
    assert [answer["status"] for answer in answers] == [403] * len(names)
    assert upstream.seen == []
    answers = run_cases([entering("john", name) for name in names])
    assert [answer["status"] for answer in answers] == [200] * len(names)
    upstream.seen.clear()
    upstream.body = json.dumps({**_TOKEN, "roomName": "visit%20room%207"})
    [answer] = run_cases([entering("jane", "Visit Room 7")])
    assert answer["status"] == 200
    assert upstream.sent["roomName"] == "visit%20room%207"


def test_the_pages_route_is_a_probe_too(upstream: Upstream, application: str) -> None:
    """It answers whether tokens can be had, and runs where and when it has to."""
    upstream.body = '{"configured": true}'
    get = _application_case(application, upstream, method="GET", request=browser_request(""))
    [answer] = run_cases([get])
    assert (answer["status"], answer["body"]) == (200, '{"configured":true}')
    assert "export const runtime = 'nodejs';" in _example("js")
    assert "export const dynamic = 'force-dynamic';" in _example("js")


def test_a_route_without_identify_is_not_made() -> None:
    """Otherwise everybody would be nobody."""
    script = f"import {{ jitsiRoute }} from {json.dumps(str(_ROUTE))}; jitsiRoute({{}})"
    done = subprocess.run(  # noqa: S603 - our own script
        [node(), "--input-type=module", "--eval", script],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "jitsiRoute needs identify" in done.stderr

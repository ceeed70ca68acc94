"""The route handler for Next.js, run by Node against a service whose answers are given."""

from __future__ import annotations

import functools
import json
import re
import shutil
import socket
import subprocess
import threading
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitsi_tokens.core.rooms import RoomRefused, backend_safe, scoped_room
from tests.clients import unruly_server as unruly
from tests.clients.php_caller import leave_out
from tests.clients.samples import API_KEY, DRESSES, MEETING, TOKEN
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.clients.unruly_server import Deed, Received

_HERE = Path(__file__).parent
_FOLDER = _HERE.parents[1] / "clients/nextjs"
_ROUTE = _FOLDER / "route.js"
_DRIVER = _HERE / "route_driver.mjs"
_PAGE = _HERE.parents[1] / "docs/migrating.md"
_SECONDS = 20
_OLDEST_NODE = 18
_PATH = "/api/jitsi/jwt"
_ROOM = "session-123"
_TOKEN = MEETING | {"roomName": _ROOM}
_WELL = unruly.answer(200, json.dumps(_TOKEN))
_SITE = "https://clinic.example.org"
_HEADERS = {
    "Content-Type": "application/json",
    "Sec-Fetch-Site": "same-origin",
    "Cookie": "session=opaque",
}
_DOCTOR = {"userId": "u-7", "userName": "Dr. Jane Smith", "isModerator": True}
_PATIENT = {"userId": "u-8", "userName": "John Doe", "isModerator": False}
_PEOPLE = (_DOCTOR, _PATIENT)
# What the guide's component posts.
_ASKED = {
    "userId": "user-123",
    "userName": "Mallory",
    "userEmail": "mallory@example.org",
    "userAvatar": "https://example.org/mallory.png",
    "isModerator": True,
    "roomName": _ROOM,
    "expirationSeconds": 3600,
    "features": {"livestreaming": False, "recording": False, "moderation": True},
}
# Replaced by the address of the test's server wherever it is in a case.
_URL = "{url}"
_OPTIONS = {"url": _URL, "apiKey": API_KEY}
_FORBIDDEN = "urn:jitsi-tokens:problem:forbidden"


class Answer(NamedTuple):
    """What the browser gets of one request, and what the operator reads.

    Attributes:
        identified: what `identify` was asked.
        thrown: what the route threw instead of an answer.
    """

    status: int = 0
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody writes to it
    body: str = ""
    reports: list[str] = []  # noqa: RUF012
    identified: list[dict[str, Any]] = []  # noqa: RUF012
    thrown: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON."""
        document: dict[str, Any] = json.loads(self.body)
        return document


@functools.cache
def node() -> str:
    """Return where Node is; without it the tests are skipped, in continuous integration failed."""
    found = shutil.which("node")
    if not found:
        leave_out("node is not installed: apt-get install nodejs")
    done = subprocess.run([found, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - Node
    version = done.stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < _OLDEST_NODE:
        leave_out(f"node is {version}, and older than {_OLDEST_NODE}")
    return found


class Driver:
    """A Node that runs the route, for as many cases as are given."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(  # noqa: S603 - our own driver
            [node(), str(_DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_error: object) -> None:
        try:
            _, complaints = self._process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, complaints = self._process.communicate()
        # What the route writes by itself, an operator's log has: there is nothing.
        assert complaints == ""

    def run(self, cases: str) -> list[Any]:
        """Run the route once for each case of a line of JSON."""
        process = self._process
        assert process.stdin
        assert process.stdout
        killer = threading.Timer(_SECONDS, process.kill)
        killer.start()
        process.stdin.write(cases + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        killer.cancel()
        assert line, "Node ended, or took too long"
        answers: list[Any] = json.loads(line)
        return answers


_RUNNING: list[Driver] = []


@pytest.fixture(scope="module", autouse=True)
def running_driver() -> Iterator[None]:
    """One Node for the tests of this module: to start one takes longer than a test."""
    with Driver() as driver:
        _RUNNING.append(driver)
        yield
        _RUNNING.clear()


def post(body: object = _ASKED, **headers: str | None) -> dict[str, Any]:
    """Return a request as a browser on the page sends it; None leaves a header out."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    both = {name: value for name, value in {**_HEADERS, **named}.items() if value is not None}
    text = body if isinstance(body, str) else json.dumps(body)
    return {"url": _SITE + _PATH, "headers": both, "body": text}


def case(session: object = _DOCTOR, request: object = None, **changes: Any) -> dict[str, Any]:
    """Return what the driver runs: the doctor asks as the component does, but for the changes."""
    sent = {"request": request or post(), "session": session}
    return {"options": _OPTIONS, "method": "POST"} | sent | changes


def ask(*cases: dict[str, Any], deeds: tuple[Deed, ...] = (_WELL,)) -> tuple[list[Answer], Any]:
    """Run the route once for each case before one service; return also what that received."""
    with UnrulyServer(*deeds) as server:
        answers = _RUNNING[0].run(json.dumps(cases).replace(_URL, server.url))
        received: list[Received] = server.received
    return [Answer(**answer) for answer in answers], received


def ask_once(deed: Deed = _WELL, **changes: Any) -> tuple[Answer, list[Received]]:
    """Run the route for one case."""
    [answer], received = ask(case(**changes), deeds=(deed,))
    return answer, received


def bodies(received: list[Received]) -> list[dict[str, Any]]:
    """Return what the service was asked for."""
    return [json.loads(one.body) for one in received]


def test_a_token_reaches_the_browser() -> None:
    """The API key goes to the service, and the browser's cookie does not; nothing keeps a copy."""
    answer, [request] = ask_once()

    assert (answer.status, answer.document, answer.reports) == (200, _TOKEN, [])
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert answer.identified == [{"roomName": _ROOM, "cookie": "session=opaque"}]
    assert request.line == f"POST {_PATH} HTTP/1.1"
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"] == "jitsi-tokens-nextjs/0.1.0"
    assert "cookie" not in request.headers


_LONG = {"roomName": _ROOM, "notBefore": 1795315724, "expirationSeconds": 86400}
_OWN_TIMES: list[dict[str, Any]] = [
    {"notBefore": 1795400000, "expirationSeconds": 7200},
    {"notBefore": 1795400000},
    {"expirationSeconds": 600},
]
_ON = {"recording": True, "lobby": False}


@pytest.mark.parametrize(
    ("asked", "session", "sent"),
    [
        # Who asks, and as what, is the session's to say.
        (_ASKED, _DOCTOR, {"features": _ASKED["features"]}),
        (_ASKED, _PATIENT, {"features": dict.fromkeys(_ASKED["features"], False)}),  # type: ignore[call-overload]
        # A guest's browser switches nothing on; what is no switch, the service refuses.
        ({"features": _ON}, _PATIENT, {"features": {"recording": False, "lobby": False}}),
        ({"features": {"recording": "yes"}}, _PATIENT, {"features": {"recording": "yes"}}),
        *(({"features": {}}, person, {"features": {}}) for person in _PEOPLE),
        # The application's features are the only ones.
        *(
            ({"features": {"recording": True}}, person | {"features": its}, {"features": its})
            for person in _PEOPLE
            for its in ({}, {"recording": False}, {"livestreaming": True})
        ),
        # A browser's times count where the application says so, and has none of its own: a token
        # that begins days ahead would outlive an access that is withdrawn.
        *(
            (_LONG, person | leave, {})
            for person in _PEOPLE
            for leave in ({}, {"browserTimes": False}, {"browserTimes": "true"})
        ),
        *(
            (asked, person | {"browserTimes": True}, asked)
            for person in _PEOPLE
            for asked in (_LONG, _LONG | {"expirationSeconds": "an hour"})
        ),
        *(
            (_LONG, person | its | leave, its)
            for person in _PEOPLE
            for its in _OWN_TIMES
            for leave in ({}, {"browserTimes": True})
        ),
        # The service refuses a field that is null or empty.
        (
            {"expirationSeconds": None, "notBefore": "", "features": None},
            _DOCTOR | {"userEmail": "", "userAvatar": None, "role": "x"},
            {},
        ),
    ],
)
def test_the_application_decides_and_the_browser_asks(
    asked: dict[str, Any], session: dict[str, Any], sent: dict[str, Any]
) -> None:
    """What the service is asked for, but for room and person."""
    person = {name: session[name] for name in _DOCTOR}
    answer, received = ask_once(session=session, request=post({"roomName": _ROOM} | asked))

    assert answer.status == 200
    assert bodies(received) == [{"roomName": _ROOM} | person | sent]


def test_a_persons_fields_may_be_getters() -> None:
    """As an ORM's documents have them."""
    person = {**_DOCTOR, "userEmail": "jane@clinic.example.org", "expirationSeconds": 600}
    _, received = ask_once(session=person, getters=True)

    assert person.items() <= bodies(received)[0].items()


@pytest.mark.parametrize(
    ("session", "status", "kind"),
    [(None, 401, "unauthorized"), (False, 403, "forbidden")],
)
def test_without_leave_there_is_no_token(session: object, status: int, kind: str) -> None:
    """The service is not asked for whom the application turns away."""
    answer, received = ask_once(session=session)

    assert answer.status == answer.document["status"] == status
    assert answer.document["type"] == f"urn:jitsi-tokens:problem:{kind}"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert not received


@pytest.mark.parametrize(
    "session",
    [
        *("dr.smith", {}, {"userId": "u-7", "userName": "Dr. Jane Smith"}),
        *({**_DOCTOR, "userId": ""}, {**_DOCTOR, "userName": 7}),
        # This must not make a guest of a doctor.
        {**_DOCTOR, "isModerator": "true"},
        {**_DOCTOR, "notBefore": "2026-11-22T14:30:00Z"},
        {**_DOCTOR, "expirationSeconds": 60.5},
    ],
)
def test_an_identity_of_another_form_is_the_servers_fault(session: object) -> None:
    """The operator reads what `identify` must return."""
    answer, received = ask_once(session=session)

    assert answer.status == 500
    assert answer.reports[0].startswith("identify() must return")
    assert "Smith" not in answer.body + answer.reports[0]
    assert not received


def test_an_error_of_the_application_stays_its_own() -> None:
    """Next.js needs it: redirect() and unauthorized() throw."""
    assert ask_once(session="throws")[0].thrown == "Error: the session store is away"


_PROXIED = {"Sec_Fetch_Site": None, "Origin": _SITE, "Host": "10.0.0.7:3000"}


@pytest.mark.parametrize(
    ("headers", "origin", "status"),
    [
        *(({"Sec_Fetch_Site": site}, None, 403) for site in ("cross-site", "same-site")),
        ({"Sec_Fetch_Site": "none", "Origin": _SITE}, None, 403),
        # Older browsers say where they are by Origin alone.
        *(
            ({"Sec_Fetch_Site": None, "Origin": origin}, None, 403)
            for origin in (None, "null", "https://evil.example.org", "clinic.example.org")
        ),
        ({"Sec_Fetch_Site": None, "Origin": _SITE}, None, 200),
        # Behind a proxy the option is compared: scheme, host and port.
        (_PROXIED, None, 403),
        (_PROXIED, f"{_SITE}/", 200),
        *(
            (_PROXIED | {"Origin": origin}, _SITE, 403)
            for origin in ("null", "clinic.example.org", "http://clinic.example.org")
        ),
        (_PROXIED | {"Origin": f"{_SITE}:8443"}, _SITE, 403),
    ],
)
def test_another_sites_page_gets_nothing(
    headers: dict[str, str | None], origin: str | None, status: int
) -> None:
    """A page elsewhere cannot have a signed-in browser ask."""
    options = _OPTIONS | ({"origin": origin} if origin else {})
    answer, received = ask_once(request=post(**headers), options=options)

    assert answer.status == status
    assert len(received) == len(answer.identified) == (status == 200)


def test_what_is_no_origin_makes_no_route() -> None:
    """Nor does a route without identify: everybody would be nobody."""
    wrong = ["clinic.example.org", "", "null", f"{_SITE}/app", "file:///", "a.example:3000", None]
    answers, _ = ask(*(case(options=_OPTIONS | {"origin": origin}) for origin in wrong))
    sentence = "TypeError: jitsiRoute needs an origin like https://app.example, or none."
    assert [answer.thrown for answer in answers] == [sentence] * len(wrong)

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
    "J%CC%8C", "%\ud800", "Visit Room 7", "visit room 7", "Visit%20Room%207", " ", "\n", "\u00a0",
    "x" * 300,
]
# fmt: on


def folded_by_the_route(names: list[str]) -> list[str | None]:
    """Return the names as the route folds them; None for those that have no form."""
    [folded] = _RUNNING[0].run(json.dumps([{"fold": names}]))
    names_folded: list[str | None] = folded
    return names_folded


def _folded(name: str) -> str | None:
    try:
        return backend_safe(name)
    except UnicodeEncodeError:
        return None


def _scoped(name: str) -> str | None:
    """Return the room that the service opens by a name; None where it refuses it."""
    try:
        return scoped_room(name)
    except RoomRefused:
        return None


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


def test_whom_it_asks_about_is_what_it_asks_for() -> None:
    """identify() and the service see one name, and it is the room that the token will open."""
    assert folded_by_the_route(_NAMES) == [_folded(name) for name in _NAMES]
    answers, received = ask(*(case(request=post({"roomName": name})) for name in _NAMES))
    asked = iter(bodies(received))
    for name, answer in zip(_NAMES, answers, strict=True):
        if answer.status == 400:
            # It has no stable form: the service would open another room than identify() judged.
            assert _scoped(name) is None, name
            assert answer.identified == []
            assert answer.document["errors"][0]["pointer"] == "/roomName"
            continue
        [identified] = answer.identified
        sent = next(asked)["roomName"]
        assert sent == identified["roomName"] == backend_safe(name) == backend_safe(sent)
        assert _scoped(sent) == _scoped(name)
    assert next(asked, None) is None
    refused = {name for name, answer in zip(_NAMES, answers, strict=True) if answer.status == 400}
    assert refused == {"J\u030c", "J%CC%8C", "\ud800", "%\ud800"}


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (415, post("roomName=r", Content_Type="application/x-www-form-urlencoded")),
        (415, post("{}", Content_Type="text/plain")),
        *((400, post(body)) for body in ("{", "[]", "null", "{}")),
        *((400, post({"roomName": room})) for room in ("", 7)),
        (413, post({"roomName": "r" * 16384})),
    ],
)
def test_what_is_no_request_is_refused_before_anybody_is_asked(
    status: int, request_: dict[str, Any]
) -> None:
    """Neither the session nor the service sees it."""
    answer, received = ask_once(request=request_)

    assert (answer.status, answer.identified, received) == (status, [], [])


def test_a_refusal_is_passed_on_with_its_reason() -> None:
    """The problem's own fields pass, and no others; a key or a token among them does not."""
    errors = [{"pointer": "/roomName", "detail": "is outside the rooms of this client."}]
    told = {"type": _FORBIDDEN, "title": "T", "detail": "D.", "errors": errors}
    problem = "application/problem+json"
    answer, _ = ask_once(unruly.answer(403, json.dumps(told | {"trace": "internal"}), problem))
    assert (answer.status, answer.document) == (403, told | {"status": 403})

    errors = [{"pointer": f"/{TOKEN}", "detail": f"{API_KEY} is wrong"}]
    told |= {"title": TOKEN, "detail": f"Bearer {API_KEY}", "errors": errors}
    answer, _ = ask_once(unruly.answer(400, json.dumps(told), problem))
    assert answer.status == 400
    assert API_KEY not in answer.body
    assert "eyJ" not in answer.body
    assert answer.document["title"] == "The request asks for what cannot be given"


@pytest.mark.parametrize(
    ("deed", "wait"),
    [
        *((unruly.problem("x", status, "D.", Retry_After="7"), "7") for status in (429, 503)),
        # A gateway that is no service may say when, too; its text is not repeated.
        (unruly.answer(429, "<h1>Slow down</h1>", "text/html", Retry_After="7"), "7"),
        (unruly.problem("x", 503, "D.", Retry_After="soon"), None),
    ],
)
def test_when_to_try_again_is_passed_on(deed: Deed, wait: str | None) -> None:
    """The component waits as long as the service says; nothing else is put into a header."""
    answer, _ = ask_once(deed)

    assert answer.status in (429, 503)
    assert answer.headers.get("retry-after") == wait
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Slow" not in answer.body


_OTHER = (
    "127.0.0.1 answered HTTP 200 with something other than a token for the room: is the address"
)
_NOTHING = "There is no token service at this address (127.0.0.1, HTTP"


@pytest.mark.parametrize(
    ("deed", "report"),
    [
        # The browser must not take a refused API key for the end of its session.
        (unruly.problem("unauthorized", 401, "no"), "127.0.0.1 does not accept the API key."),
        *(
            (unruly.answer(200, text), _OTHER)
            for text in (
                "{}",
                json.dumps(_TOKEN | {"token": "no token"}),
                # Should the service ever fold a name in another way.
                json.dumps(_TOKEN | {"roomName": "session-124"}),
                json.dumps(_TOKEN) + " " * 65536,
            )
        ),
        (unruly.answer(200, "<h1>Welcome</h1>", "text/html"), _OTHER),
        *(
            (unruly.answer(status, "", Location="/elsewhere"), f"{_NOTHING} {status}).")
            for status in (302, 307, 404)
        ),
        (
            unruly.answer(403, "<h1>Blocked</h1>", "text/html"),
            "127.0.0.1 does not allow this: a firewall or the address's own access list.",
        ),
        (unruly.answer(500, '{"message": "Oh"}'), "127.0.0.1 failed (HTTP 500)."),
    ],
)
def test_what_is_no_token_is_told_to_the_operator_alone(deed: Deed, report: str) -> None:
    """Nor repeated, nor followed elsewhere with the API key in hand."""
    answer, received = ask_once(deed)

    assert answer.status == 503
    assert answer.reports[0].startswith(report)
    assert answer.document["detail"] == "No token is available at the moment."
    assert len(received) == 1


def test_the_time_limit_is_for_the_whole_request() -> None:
    """The browser's body, the session and the service."""
    options = _OPTIONS | {"timeoutSeconds": 0.3}
    answers, received = ask(
        case(options=options, request=post("") | {"stalls": True}),
        case(options=options, sessionDelay=15_000),
        case(options=options),
        deeds=(unruly.stall,),
    )

    assert [answer.status for answer in answers] == [503] * 3
    assert answers[2].reports == ["127.0.0.1 does not answer (timed out)."]
    assert len(received) == 1


def test_a_service_that_is_away_is_named() -> None:
    """The operator learns which address does not answer."""
    # Bound and not listening: nobody else gets the port meanwhile.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://LOCALHOST:{closed.getsockname()[1]}"
        answer, _ = ask_once(options=_OPTIONS | {"url": url})

    assert answer.status == 503
    assert answer.reports == ["localhost does not answer (no connection: ECONNREFUSED)."]


@pytest.mark.parametrize(("dress", "tail"), DRESSES)
def test_what_stands_around_a_value_does_not_count(tmp_path: Path, dress: str, tail: str) -> None:
    """Of an option, a variable, or a file."""
    url, key = "JITSI_TOKENS_URL", "JITSI_TOKENS_API_KEY"
    dressed = {url: dress.format(_URL + tail), key: dress.format(API_KEY)}
    (tmp_path / key).write_text(dressed[key], newline="")
    answers, received = ask(
        case(options={"url": dressed[url], "apiKey": dressed[key]}),
        case(options={}, environ=dressed),
        case(options={}, environ={url: dressed[url], f"{key}_FILE": f"{tmp_path / key}\n"}),
    )

    assert [answer.status for answer in answers] == [200] * 3, answers
    asked = {(one.line, one.headers["authorization"]) for one in received}
    assert asked == {(f"POST {_PATH} HTTP/1.1", f"Bearer {API_KEY}")}


_U, _K = "JITSI_TOKENS_URL", "JITSI_TOKENS_API_KEY"
_THERE = {_U: "https://t.example.org"}


@pytest.mark.parametrize(
    ("environ", "report"),
    [
        ({}, f"{_U} is not set (nor {_U}_FILE)."),
        (_THERE, f"{_K} is not set (nor {_K}_FILE)."),
        ({_U: " \n", f"{_K}_FILE": "\n"}, f"{_U} is not set"),
        *(
            (_THERE | {_K: wrong}, "printable ASCII without blanks or quotes.")
            for wrong in ("a b", "a\tb", f'"{API_KEY}"', f"'{API_KEY}'", f"{API_KEY}\u200b")
        ),
        (_THERE | {_K: API_KEY, f"{_K}_FILE": "/nowhere"}, "are both set: set"),
        (_THERE | {f"{_K}_FILE": "/nowhere"}, "cannot be read."),
        (_THERE | {f"{_K}_FILE": "/dev/null"}, "is empty."),
        *(
            ({_U: url, _K: API_KEY}, f"({_U}) {flaw}")
            for url, flaw in (
                ("http://t.example.org", "must be https: it would show the API key to others."),
                (f"http://t.example.org{_PATH}", "must be https"),
                *((url, "must begin with https:// and a host") for url in ("t.example", "ftp://t")),
                *((url, "must begin with https") for url in ("https:///t", f"https://{_PATH}")),
                ("https://t.example.org:port", "is malformed."),
                ("https://u:p@t.example.org", "holds a user name or password: leave them out."),
                ("https://t.example.org?stage=1", "must end with its path: leave out what follows"),
                *(
                    (f"https://t.example.org{more}", "holds blanks, control characters or back")
                    for more in (" a", "\\a")
                ),
            )
        ),
    ],
)
def test_what_is_not_set_up_is_told_to_the_operator_alone(
    environ: dict[str, str], report: str
) -> None:
    """The browser learns no more than that there is no token."""
    answer, _ = ask_once(options={}, environ=environ)

    assert answer.status == 503
    assert report in answer.reports[0]
    assert "JITSI_TOKENS" not in answer.body
    assert API_KEY not in answer.reports[0]
    assert "a b" not in answer.reports[0]


def test_the_probe_passes_on_whether_tokens_can_be_had() -> None:
    """It needs no API key and sends none, and answers nothing but the one field."""
    answers, received = ask(
        *[case(method="GET", options={"url": _URL})] * 3,
        deeds=(
            unruly.answer(200, '{"configured": false, "else": 1}'),
            unruly.answer(200, "<h1>Welcome</h1>"),
            unruly.problem("unavailable", 503, "undefined"),
        ),
    )

    assert (answers[0].status, answers[0].body) == (200, '{"configured":false}')
    assert [answer.status for answer in answers[1:]] == [503, 503]
    assert "something other than whether it is configured" in answers[1].reports[0]
    assert answers[2].document["detail"] == "undefined"
    assert "authorization" not in received[0].headers


_PART: dict[str, Any] = {"visitId": "oe-4711", "participantId": "doctor"}
_JOIN = "/api/visits/oe-4711/participants/doctor/join"


def join_once(deed: Deed = _WELL, session: object = _PART) -> tuple[Answer, list[Received]]:
    """Run the route that joins a visit; the browser would rather join another."""
    wish = {"visitId": "oe-1", "participantId": "patient", "roomName": _ROOM}
    return ask_once(deed, session=session, visit="7", request=post(wish))


def test_a_join_is_what_the_application_says() -> None:
    """The browser's part is the address of the route, and its cookie."""
    answer, [request] = join_once()

    assert (answer.status, answer.document, answer.reports) == (200, _TOKEN, [])
    assert answer.identified == [{"roomName": "7", "cookie": "session=opaque"}]
    assert (request.line, request.body) == (f"POST {_JOIN} HTTP/1.1", b"")
    assert request.headers["authorization"] == f"Bearer {API_KEY}"
    assert request.headers["content-length"] == "0"
    assert "content-type" not in request.headers


@pytest.mark.parametrize(
    ("session", "status"),
    [
        (None, 401),
        (False, 403),
        *(
            (_PART | {name: wrong}, 500)
            for name in _PART
            for wrong in (None, "", ".", "..", "../x", "a/b", "a?b", "a%2e", "ü", "a\n", 7)
        ),
        ("oe-4711", 500),
    ],
)
def test_without_a_part_in_the_visit_nobody_joins(session: object, status: int) -> None:
    """An id that would change the path is the application's error."""
    answer, received = join_once(session=session)

    assert answer.status == status
    assert len(answer.reports) == (status == 500)
    assert not received


def test_another_sites_page_joins_nothing() -> None:
    """A join opens the visit for its guests."""
    request = post("", Sec_Fetch_Site="cross-site")
    answer, received = ask_once(session=_PART, visit="7", request=request)

    assert answer.status == 403
    assert not received


@pytest.mark.parametrize(("kind", "status"), [("too-early", 409), ("x", 404), ("forbidden", 403)])
def test_why_nobody_can_join_is_passed_on(kind: str, status: int) -> None:
    """With the time of opening where there is one."""
    told: dict[str, Any] = {"type": f"urn:jitsi-tokens:problem:{kind}", "title": "T"}
    told |= {"detail": "D.", "status": status, "opensAt": 1796112900}
    body = json.dumps(told | {"trace": "internal"})
    deed = unruly.answer(status, body, "application/problem+json")
    answer, _ = join_once(deed)

    assert (answer.status, answer.reports) == (status, [])
    assert answer.document == told


@pytest.mark.parametrize(
    "deed",
    [
        unruly.problem("malformed-request", 400, "An id has no dash."),
        *(unruly.answer(status, "<html>", "text/html") for status in (404, 409)),
    ],
)
def test_what_the_application_asked_wrongly_is_told_to_the_operator(deed: Deed) -> None:
    """The browser has no part in it."""
    answer, _ = join_once(deed)

    assert answer.status == 503
    assert len(answer.reports) == 1


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


def _entering(module: str, user: str, room: str = _ROOM) -> dict[str, Any]:
    # As the page's component asks.
    request = post(json.loads(_example("json")) | {"roomName": room}, Cookie=f"user={user}")
    return case(module=module, environ={_U: _URL, _K: API_KEY}, request=request)


def test_the_pages_route_takes_what_the_component_always_sent(application: str) -> None:
    """Who asks, and whether that is a moderator, is what the application's session says."""
    answers, received = ask(*(_entering(application, user) for user in ("jane", "john")))

    assert [(answer.status, answer.document) for answer in answers] == [(200, _TOKEN)] * 2
    assert json.loads(_example("json"))["isModerator"] is True
    for sent, person in zip(bodies(received), _PEOPLE, strict=True):
        assert sent.pop("features")["recording"] is False
        assert sent == {"roomName": _ROOM} | person


@pytest.mark.parametrize(
    ("user", "room", "status"),
    [
        ("", _ROOM, 401),
        ("mallory", _ROOM, 403),
        ("jane", "session-124", 403),
        # Mallory has visits called Session-123 and session%2D123: those rooms are Jane's.
        *(
            (user, room, status)
            for user, status in (("mallory", 403), ("john", 200))
            for room in ("Session-123", "session%2D123", "\u017fession-123", "session%2d12%33")
        ),
    ],
)
def test_the_pages_route_lets_in_who_has_a_part_in_the_visit(
    application: str, user: str, room: str, status: int
) -> None:
    """By the room as Jitsi compares it."""
    [answer], received = ask(_entering(application, user, room))

    assert answer.status == status
    assert len(received) == (status == 200)


def test_the_pages_route_is_a_probe_too(application: str) -> None:
    """It answers whether tokens can be had, and runs where and when it has to."""
    probe = _entering(application, "") | {"method": "GET"}
    [answer], _ = ask(probe, deeds=(unruly.answer(200, '{"configured": true}'),))

    assert (answer.status, answer.body) == (200, '{"configured":true}')
    assert "export const runtime = 'nodejs';" in _example("js")
    assert "export const dynamic = 'force-dynamic';" in _example("js")

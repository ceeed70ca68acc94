"""The Python and the PHP client say the same of the same: kind, message, field, status, wait."""

from __future__ import annotations

import gzip
import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.clients import unruly_server as unruly
from tests.clients.callers import CALLERS
from tests.clients.php_caller import require_php
from tests.clients.samples import (
    API_KEY,
    DOCTOR,
    DRESSES,
    GOOD,
    ID_KEY,
    MEETING,
    PATIENT,
    TOO_LONG,
    WELL,
)
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.clients.unruly_server import Deed

URL, KEY, KEY_FILE = "JITSI_TOKENS_URL", "JITSI_TOKENS_API_KEY", "JITSI_TOKENS_API_KEY_FILE"
APPOINTMENT = {"start": "2026-11-23T10:00:00-05:00", "duration": 1800}
OWN_TIMES_REASON = "each language has its own names of the two parameters"


class Case(NamedTuple):
    """What both are given, and the kind of what it comes to.

    Attributes:
        kind: as `Outcome` has it.
        deed: of the server.
        settings: instead of the server's URL and the API key; None leaves one of them out.
        environment: the variables of JITSI_TOKENS_*.
        request: None asks whether the service is configured.
        method: that is called with the request.
        forced: why the messages differ, where a language makes them.
    """

    kind: str
    deed: Deed = WELL
    settings: Mapping[str, Any] = MappingProxyType({})
    environment: Mapping[str, str] = MappingProxyType({})
    request: dict[str, Any] | None = PATIENT
    forced: str = ""
    method: str = "issue"


def outcomes(case: Case) -> list[dict[str, Any]]:
    """Return what each language comes to, and which bodies it sent."""
    require_php()
    found = []
    for language in ("python", "php"):
        with UnrulyServer(case.deed) as server:
            given = {"url": server.url, "api_key": API_KEY, "attempts": 1, **case.settings}
            given = {name: value for name, value in given.items() if value is not None}
            caller = CALLERS[language]
            if case.request is None:
                outcome = caller.is_configured(given, dict(case.environment))
            else:
                outcome = caller.call(case.method, given, dict(case.environment), **case.request)
            bodies = [json.loads(one.body or "null") for one in server.received]
        found.append({"kind": outcome.kind, "bodies": bodies} | outcome.values)
    return found


def assert_alike(case: Case) -> None:
    """Fail where the two languages differ, but for what is forced."""
    python, php = outcomes(case)
    if case.forced:
        assert python.pop("message") != php.pop("message"), "nothing is forced any more"
    assert python == php
    assert python["kind"] == case.kind


@pytest.mark.parametrize(
    "url",
    [
        *("http://localhost:9", "http://LocalHost:9/", "http://127.9.9.9:9", "http://[::1]:9"),
        *("http://[0:0::0001]:9", "https://Tokens.INVALID:8443/prod/"),
        *("http://[::1]:9/prod/api/jitsi/jwt", "http://[::1]:9//api/jitsi/jwt//?a=b c\n#d"),
    ],
)
def test_an_address_is_taken_and_named_alike(url: str) -> None:
    """Nobody listens there, which is said of the host."""
    assert_alike(Case("Unavailable", settings={"url": url, "total_seconds": 3}))


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        ({"url": None}, {}),
        ({"url": ""}, {}),
        ({"url": "http://tokens.example.org/api/jitsi/jwt"}, {}),
        ({"url": None}, {URL: "", f"{URL}_FILE": ""}),
        ({"api_key": None}, {}),
        ({"api_key": None}, {KEY: API_KEY, KEY_FILE: "{folder}/value"}),
        ({"api_key": None}, {KEY_FILE: "{folder}/nowhere"}),
        ({"api_key": None}, {KEY_FILE: "{folder}"}),
        ({"api_key": None}, {KEY_FILE: "{folder}/empty"}),
        ({"api_key": None}, {KEY: "a key"}),
        ({"api_key": ""}, {KEY: API_KEY}),
        ({"api_key": "a\r\nX: y"}, {}),
        ({"api_key": "schl\u00fcssel"}, {}),
        ({"api_key": "\x00"}, {}),
        *(
            ({"api_key": key}, {})
            for key in ("a\tb", "a\u00a0", "\u200ba", '"key"', "'key'", " \n")
        ),
        ({"id_key": ""}, {}),
        ({"id_key": "\ufeff\r\n"}, {}),
        ({"url": None}, {URL: " \n"}),
        ({"api_key": None}, {KEY: "\n", KEY_FILE: " "}),
        ({}, {"JITSI_TOKENS_ID_KEY": ID_KEY, "JITSI_TOKENS_ID_KEY_FILE": "{folder}/value"}),
    ],
)
def test_a_setting_is_refused_alike(
    settings: dict[str, Any], environment: dict[str, str], tmp_path: Path
) -> None:
    """Named by its variable."""
    (tmp_path / "value").write_text(API_KEY)
    (tmp_path / "empty").write_text(" \n")
    named = {name: value.replace("{folder}", str(tmp_path)) for name, value in environment.items()}

    assert_alike(Case("Configuration", settings=settings, environment=named))


@pytest.mark.parametrize(("dress", "tail"), DRESSES)
@pytest.mark.parametrize("way", ["argument", "variable", "file"])
@pytest.mark.parametrize("language", ["python", "php"])
def test_what_stands_around_a_value_does_not_count(
    language: str, way: str, dress: str, tail: str, tmp_path: Path
) -> None:
    """As `echo`, PowerShell and a browser's address bar leave it."""
    require_php()
    with UnrulyServer(WELL) as server:
        bare = {"url": server.url, "api_key": API_KEY, "id_key": ID_KEY}
        dressed = {name: dress.format(value) for name, value in bare.items()}
        dressed["url"] = dress.format(server.url + tail)
        variables = {f"JITSI_TOKENS_{name.upper()}": value for name, value in dressed.items()}
        if way == "file":
            for name, value in variables.items():
                (tmp_path / name).write_text(value, newline="")
            variables = {f"{name}_FILE": f"{tmp_path / name}\n" for name in variables}
        given: tuple[dict[str, str], dict[str, str]]
        given = (dressed, {}) if way == "argument" else ({}, variables)
        for settings, environment in ((bare, {}), given):
            outcome = CALLERS[language].issue(settings, environment, **PATIENT)
            assert outcome.kind == "meeting", outcome
        bare_sent, sent = (
            (request.line, request.headers["authorization"], request.body)
            for request in server.received
        )

    assert sent == bare_sent


@pytest.mark.parametrize(
    "case",
    [
        *(
            Case(
                "InvalidRequest",
                request=PATIENT | {"appointment": APPOINTMENT} | times,
                forced=OWN_TIMES_REASON,
            )
            for times in ({"not_before": 1}, {"expiration_seconds": 60})
        ),
        Case("meeting", request=PATIENT | {"appointment": APPOINTMENT}),
        Case("meeting", request=PATIENT | {"features": {}, "user_email": "", "user_avatar": None}),
        Case("meeting", request=DOCTOR | {"features": {"recording": True, "7": False}}),
        Case("meeting", request=DOCTOR | {"user_name": "\0 \U0001f642 </\"'\u2028"}),
        Case("meeting", settings={"id_key": ID_KEY}, request=DOCTOR | {"user_email": " \u0130A "}),
    ],
)
def test_a_request_is_sent_or_refused_alike(case: Case) -> None:
    """What breaks a rule of the contract is sent, for the service to refuse."""
    assert_alike(case)


KINDS = {401: "Credentials", 403: "NotAllowed", 404: "Configuration", 405: "Configuration"}
KINDS |= dict.fromkeys((400, 413, 415, 422), "InvalidRequest")


@pytest.mark.parametrize(
    "status",
    [400, 401, 402, 403, 404, 405, 406, 409, 413, 415, 418, 422, 429, *range(500, 506)],
)
def test_a_status_is_told_alike(status: int) -> None:
    """With a problem document of the service, and with a page of somebody else's."""
    kind = KINDS.get(status, "Unavailable")
    said = "Conflict" if status == 409 else kind
    told = unruly.problem("x", status, "must not be.", "/isModerator", Retry_After="30")
    page = unruly.answer(status, "<html>", "text/html")

    assert_alike(Case(said, told))
    assert_alike(Case(kind, page))
    # Nobody refuses a key that is not sent.
    asked = "Configuration" if status == 401 else said
    assert_alike(Case(asked, told, request=None))


@pytest.mark.parametrize("status", [201, 204, 300, 301, 302, 303, 304, 307, 308])
def test_what_is_neither_a_token_nor_an_error_is_told_alike(status: int) -> None:
    """A redirection among them."""
    kind = "Configuration" if status >= 300 else "Unavailable"

    assert_alike(Case(kind, unruly.answer(status, "", Location="https://example.org/")))


@pytest.mark.parametrize(
    "deed",
    [
        unruly.answer(200, "<html>", "text/html"),
        unruly.answer(200, GOOD, "text/html"),
        *(unruly.answer(200, text) for text in ("", "null", "[]", "{}", GOOD[:-1], "\ufeff{}")),
        *(unruly.answer(200, json.dumps(MEETING | {name: 2.5})) for name in MEETING),
        unruly.answer(200, GOOD + " " * TOO_LONG),
        unruly.answer(200, gzip.compress(GOOD.encode()), Content_Encoding="gzip"),
        unruly.answer(200, GOOD, Content_Encoding="br"),
        unruly.answer(401, "x" * TOO_LONG),
        unruly.answer(503, "x" * TOO_LONG),
        unruly.close,
        unruly.reset,
        unruly.half(GOOD),
    ],
)
def test_no_token_is_told_alike(deed: Deed) -> None:
    """Nor whether the service is configured."""
    assert_alike(Case("Unavailable", deed))
    assert_alike(Case("Unavailable", deed, request=None))


def test_what_is_still_the_service_is_taken_alike() -> None:
    """More than is known, in an encoding that is none."""
    good = json.dumps(MEETING | {"more": [1]})
    deed = unruly.answer(200, good, "Application/JSON; charset=utf-8", Content_Encoding="Identity")

    assert_alike(Case("meeting", deed))
    assert_alike(Case("configured", unruly.answer(200, '{"configured": false}'), request=None))


def test_a_stall_is_told_alike() -> None:
    """By the limit that ended it."""
    assert_alike(Case("Unavailable", unruly.stall, settings={"attempt_seconds": 0.5}))


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "about:blank"},
        {"type": 7},
        {"detail": None},
        {"errors": []},
        {"errors": None},
        {"errors": {"0": {"pointer": "/roomName", "detail": "no"}}},
        {"errors": ["no"]},
        {"errors": [{"pointer": "roomName", "detail": 7}]},
        {"errors": [{"pointer": "/" + "x" * 99, "detail": "a\r\n\x1b\u2028\u202e\u00e9"}]},
        {"errors": [{"pointer": "/" + "x" * 100, "detail": "\U0001f642" * 400}]},
        {"errors": [{"pointer": "/a\nb", "detail": ""}]},
        *(
            {"detail": text, "errors": [{"pointer": f"/{text}", "detail": text}]}
            for text in (API_KEY, ID_KEY, f"token {MEETING['token']}", "x" * 290 + API_KEY)
        ),
    ],
)
def test_what_the_service_says_is_repeated_alike(changes: dict[str, Any]) -> None:
    """As far as it may be."""
    document = {
        "type": "urn:jitsi-tokens:problem:forbidden",
        "detail": "isModerator must be false.",
        "errors": [{"pointer": "/isModerator", "detail": "must be false."}],
    }
    deed = unruly.answer(403, json.dumps(document | changes), "application/problem+json")

    assert_alike(Case("NotAllowed", deed, settings={"id_key": ID_KEY}))


@pytest.mark.parametrize(
    "value",
    [
        *("0", " 7 ", "-7", "", "soon", "1.5", "1e3", "9" * 30),
        *("Fri, 31 Dec 9999 23:59:59 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
        *("Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 99 Foo 2026"),
    ],
)
def test_a_wait_is_read_alike(value: str) -> None:
    """In seconds, or as a date; at most a thousand million seconds."""
    assert_alike(Case("Unavailable", unruly.answer(503, "", Retry_After=value)))

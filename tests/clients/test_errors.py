"""How a caller is told what went wrong, and what that never holds."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.clients import unruly_server as unruly
from tests.clients.php_caller import CLIENT, PhpCaller, require_php
from tests.clients.samples import (
    API_KEY,
    DOCTOR,
    GOOD,
    ID_KEY,
    PATIENT,
    TOKEN,
    WELL,
    settings,
)
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.clients.callers import Caller


@pytest.mark.parametrize(
    ("deed", "kind", "field"),
    [
        (unruly.problem("unauthorized", 401, "Send a key."), "Credentials", None),
        (unruly.answer(401, "no", "text/plain"), "Credentials", None),
        (
            unruly.problem("forbidden", 403, "must be false.", "/isModerator"),
            "NotAllowed",
            "/isModerator",
        ),
        (unruly.answer(403, "<html>blocked</html>", "text/html"), "NotAllowed", None),
        (
            unruly.problem("invalid-request", 400, "must be an address.", "/userEmail"),
            "InvalidRequest",
            "/userEmail",
        ),
        (unruly.problem("malformed-request", 400, "Send JSON."), "InvalidRequest", None),
        (unruly.problem("content-too-large", 413, "Too large."), "InvalidRequest", None),
        (unruly.problem("not-found", 404, "Nothing here."), "Configuration", None),
        (unruly.answer(500, "oops", "text/plain"), "Unavailable", None),
    ],
)
def test_each_refusal_is_an_error_of_its_own(
    caller: Caller, deed: unruly.Deed, kind: str, field: str | None
) -> None:
    """With the field at fault, where the service names one."""
    with UnrulyServer(deed) as server:
        outcome = caller.issue(settings(server), **PATIENT)

        assert (outcome.kind, outcome.values["field"]) == (kind, field), outcome


ECHO = f"The header's value was Bearer {API_KEY} and the token {TOKEN}."


ANSWERS = [
    WELL,
    unruly.answer(200, GOOD[:-1]),
    unruly.half(GOOD),
    unruly.close,
    unruly.answer(401, ECHO, "text/plain"),
    *(
        unruly.problem(kind, status, ECHO, f"/{text}")
        for kind, status in (
            ("unauthorized", 401),
            ("forbidden", 403),
            ("invalid-request", 400),
            ("unavailable", 503),
        )
        for text in (API_KEY, TOKEN, "isModerator")
    ),
    unruly.answer(302, ECHO, "text/plain", Location=f"https://example.org/{TOKEN}"),
    unruly.answer(503, ECHO, "text/plain", Retry_After=API_KEY),
]


@pytest.mark.parametrize("deed", ANSWERS)
def test_nothing_that_is_printed_holds_key_or_token(caller: Caller, deed: unruly.Deed) -> None:
    """Whatever the address answers, and however its objects are printed."""
    with UnrulyServer(deed) as server:
        outcome = caller.issue(settings(server, attempts=2) | {"id_key": ID_KEY}, **DOCTOR)

        for secret in (API_KEY, ID_KEY, TOKEN):
            assert secret not in outcome.dumps
            assert secret not in str(outcome.values.get("message"))
            assert secret not in str(outcome.values.get("field"))
        assert len(outcome.dumps) > 100


@pytest.mark.parametrize("deed", ANSWERS)
def test_nothing_is_printed_by_a_php_that_knows_no_sensitive_parameters(
    tmp_path: Path, deed: unruly.Deed
) -> None:
    """PHP 8.1 shows every argument in a trace: the attribute of 8.2 is taken out here."""
    shutil.copytree(CLIENT / "src", tmp_path / "src")
    shutil.copy(CLIENT / "autoload.php", tmp_path)
    for file in (tmp_path / "src").rglob("*.php"):
        file.write_text(file.read_text().replace("#[\\SensitiveParameter]", ""))
        assert "SensitiveParameter" not in file.read_text()
    require_php()

    test_nothing_that_is_printed_holds_key_or_token(PhpCaller("curl", tmp_path), deed)


@pytest.mark.parametrize("name", ["message\r\nwith\x1b[31mcontrols\x00", "x" * 5000])
def test_what_the_service_says_is_tamed(caller: Caller, name: str) -> None:
    """It goes to a log: one line, no control characters, an end."""
    with UnrulyServer(unruly.problem("invalid-request", 400, name, "/userName")) as server:
        message = caller.issue(settings(server), **PATIENT).values["message"]

        assert message.isprintable()
        assert len(message) < 500

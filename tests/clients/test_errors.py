"""No client prints a key or a token, whatever the server answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.clients import unruly_server as unruly
from tests.clients.samples import (
    API_KEY,
    DOCTOR,
    GOOD,
    ID_KEY,
    TOKEN,
    WELL,
    settings,
)
from tests.clients.unruly_server import UnrulyServer

if TYPE_CHECKING:
    from tests.clients.callers import Caller


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

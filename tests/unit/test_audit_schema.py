"""docs/audit-record.schema.json, held against the line that a request leaves."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from jitsi_tokens.core import problems
from jitsi_tokens.core.problems import FORBIDDEN, Kind, Problem, field_error, field_problem
from jitsi_tokens.core.requests import TokenRequest
from jitsi_tokens.telemetry import RequestLine
from jitsi_tokens_cli.audit.records import FIELDS, read_record
from local_stack.emulator import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    type Write = Callable[..., str]

SCHEMA = json.loads((ROOT / "docs" / "audit-record.schema.json").read_text())
# A path or a method that does not exist is for another function, and throttling for API Gateway.
ELSEWHERE = (problems.NOT_FOUND, problems.METHOD_NOT_ALLOWED, problems.TOO_MANY_REQUESTS)


def asked(*, moderator: bool = True) -> RequestLine:
    """Return the line of a request that was read."""
    line = RequestLine("tokens", "request-1")
    line.called_by("clinic-a", "0123456789ab")
    request = TokenRequest(user_id="u", user_name="n", room_name="r", is_moderator=moderator)
    line.asked(request, "r")
    return line


def issued(*, moderator: bool = True, stale: bool = False) -> RequestLine:
    """Return the line of a request that got a token."""
    line = asked(moderator=moderator)
    line.issued({"jti": "e302ff1a", "exp": 1_800_003_600}, "kid-1", stale=stale)
    return line


@pytest.fixture
def write(capsys: pytest.CaptureFixture[str]) -> Write:
    """Return what writes a line and returns its text."""

    def written(line: RequestLine, digest_key: bytes | None = b"digest-key") -> str:
        line.write(1_800_000_000.1234, 0.0123456, lambda: digest_key)
        return capsys.readouterr().out

    return written


def complaints(line: dict[str, Any]) -> list[str]:
    """Return what the schema finds wrong with a line."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(line)]


def test_the_schema_is_one() -> None:
    """Of JSON Schema 2020-12, and with a description of every field."""
    Draft202012Validator.check_schema(SCHEMA)

    assert all(field["description"] for field in SCHEMA["properties"].values())


def test_the_line_of_a_token_is_of_the_schema(write: Write) -> None:
    """For everybody, whichever key signed, with or without the digest key, and without `key`."""
    for moderator, stale, digest_key in itertools.product(
        (True, False), (True, False), (b"digest-key", None)
    ):
        line = json.loads(write(issued(moderator=moderator, stale=stale), digest_key))
        assert complaints(line) == []
        # Lines of the first release have none.
        assert complaints({name: value for name, value in line.items() if name != "key"}) == []


@pytest.mark.parametrize(
    "problem",
    [
        field_problem(FORBIDDEN, [field_error("/isModerator", "must be false")]),
        *(
            Problem(kind, "No.")
            for kind in vars(problems).values()
            if isinstance(kind, Kind) and kind not in ELSEWHERE
        ),
    ],
)
def test_the_line_of_a_refusal_or_a_failure_is_of_the_schema(
    write: Write, problem: Problem
) -> None:
    """Of every kind, whether the request was read or not."""
    for line in (asked(), RequestLine("tokens", None)):
        line.refused(problem, "/isModerator" if problem.errors else None)

        assert complaints(json.loads(write(line))) == []


@pytest.mark.parametrize(
    "change",
    [
        {"userName": "Jane"},
        {"room": "my%20room"},
        {"outcome": "refused"},
        {"jti": None},
        {"reason": "because"},
        {"client": "Clinic A"},
        {"key": "0123456789ABCDEF"},
        {"exp": "2027-01-15T09:00:00Z"},
        {"StaleSigningKey": 2},
    ],
)
def test_the_schema_finds_what_does_not_belong(write: Write, change: dict[str, Any]) -> None:
    """It is not one that takes anything."""
    assert complaints(json.loads(write(issued())) | change) != []


def test_every_property_is_written_and_shown(write: Write) -> None:
    """In every line; `audit --csv` has a column for each."""
    text = write(RequestLine("tokens", None))
    record = read_record(text)

    properties = set(SCHEMA["properties"])
    assert set(json.loads(text)) == properties == {*SCHEMA["required"], "key"} == {"_aws", *FIELDS}
    assert record
    assert set(record.fields) == set(FIELDS)
    assert record.time == 1_800_000_000_123

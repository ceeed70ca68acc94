"""docs/audit-record.schema.json, held against the line that a request leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from jitsi_tokens.core import problems
from jitsi_tokens.core.problems import (
    FORBIDDEN,
    METHOD_NOT_ALLOWED,
    NOT_FOUND,
    TOO_MANY_REQUESTS,
    Kind,
    Problem,
    field_error,
    field_problem,
)
from jitsi_tokens.core.requests import TokenRequest
from jitsi_tokens.telemetry import RequestLine
from jitsi_tokens_cli.audit.records import FIELDS, read_record

if TYPE_CHECKING:
    from collections.abc import Callable

    type Write = Callable[..., str]

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "audit-record.schema.json").read_text())
# Lines of the first release have none of these.
LATER = ["key"]
# A path or a method that does not exist is for another function, and throttling for API Gateway.
KINDS = [
    kind
    for kind in vars(problems).values()
    if isinstance(kind, Kind) and kind not in (NOT_FOUND, METHOD_NOT_ALLOWED, TOO_MANY_REQUESTS)
]


def issued(line: RequestLine, *, moderator: bool = True, stale: bool = False) -> None:
    """Note a request that got a token."""
    asked(line, moderator=moderator)
    line.issued({"jti": "e302ff1a", "exp": 1_800_003_600}, "kid-1", stale=stale)


def asked(line: RequestLine, *, moderator: bool = True) -> None:
    """Note a request that was read."""
    line.called_by("clinic-a", "0123456789ab")
    request = TokenRequest(user_id="u", user_name="n", room_name="r", is_moderator=moderator)
    line.asked(request, "r")


@pytest.fixture
def write(capsys: pytest.CaptureFixture[str]) -> Write:
    """Return what writes a line and returns its text."""

    def written(line: RequestLine, digest_key: bytes | None = b"digest-key") -> str:
        line.write(1_800_000_000.1234, 0.0123456, lambda: digest_key)
        return capsys.readouterr().out

    return written


def complaints(text: str) -> list[str]:
    """Return what the schema finds wrong with a line."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(json.loads(text))]


def test_the_schema_is_one() -> None:
    """Of JSON Schema 2020-12, and with a description of every field."""
    Draft202012Validator.check_schema(SCHEMA)

    assert all(field["description"] for field in SCHEMA["properties"].values())


@pytest.mark.parametrize("moderator", [True, False])
@pytest.mark.parametrize("stale", [True, False])
@pytest.mark.parametrize("digest_key", [b"digest-key", None])
def test_the_line_of_a_token_is_of_the_schema(
    write: Write, digest_key: bytes | None, *, moderator: bool, stale: bool
) -> None:
    """For whomever, whichever key signed, and with the digest key or without."""
    line = RequestLine("tokens", "request-1")
    issued(line, moderator=moderator, stale=stale)

    assert complaints(write(line, digest_key)) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("read", [True, False])
def test_the_line_of_a_refusal_or_a_failure_is_of_the_schema(
    write: Write, kind: Kind, *, read: bool
) -> None:
    """Of every kind, whether the request was read or not."""
    line = RequestLine("tokens", None)
    if read:
        asked(line)
    line.refused(Problem(kind, "No."))

    assert complaints(write(line)) == []


def test_the_line_of_a_policys_refusal_is_of_the_schema(write: Write) -> None:
    """It names the field."""
    line = RequestLine("tokens", "request-1")
    asked(line)
    line.refused(field_problem(FORBIDDEN, [field_error("/isModerator", "must be false")]))

    assert complaints(write(line)) == []


def test_every_property_is_written_and_no_other(write: Write) -> None:
    """In every line, whatever came of the request; the metrics among them have their names."""
    line = RequestLine("tokens", "request-1")
    issued(line)

    for text in (write(RequestLine("tokens", None)), write(line)):
        fields: dict[str, Any] = json.loads(text)
        assert set(fields) == set(SCHEMA["properties"]) == {*SCHEMA["required"], *LATER}
        metrics = [m for each in fields["_aws"]["CloudWatchMetrics"] for m in each["Metrics"]]
        names = SCHEMA["$defs"]["metric"]["properties"]["Name"]["enum"]
        assert {metric["Name"] for metric in metrics} == set(names)


def test_a_line_of_an_earlier_release_is_a_record(write: Write) -> None:
    """It lacks what came later."""
    line = RequestLine("tokens", "request-1")
    issued(line)
    fields = json.loads(write(line))

    assert complaints(json.dumps({k: v for k, v in fields.items() if k not in LATER})) == []


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
    ids=lambda change: next(iter(change)),
)
def test_the_schema_finds_what_does_not_belong(write: Write, change: dict[str, Any]) -> None:
    """It is not one that takes anything."""
    line = RequestLine("tokens", "request-1")
    issued(line)

    assert complaints(json.dumps(json.loads(write(line)) | change)) != []


def test_the_command_shows_every_field(write: Write) -> None:
    """`audit --csv` has a column for each."""
    assert {"_aws", *FIELDS} == set(SCHEMA["properties"])

    record = read_record(write(RequestLine("tokens", None)))
    assert record
    assert set(record.fields) == set(FIELDS)
    assert record.time == 1_800_000_000_123

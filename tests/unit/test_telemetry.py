"""The one line that a request leaves, always of its schema, and the logger for what goes wrong."""

import hashlib
import hmac
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from jsonschema import Draft202012Validator

from jitsi_tokens import telemetry
from jitsi_tokens.core import problems
from jitsi_tokens.core.faults import known_field
from jitsi_tokens.core.problems import (
    FORBIDDEN,
    Kind,
    Problem,
    field_error,
    field_problem,
    invalid_field,
)
from jitsi_tokens.core.requests import TokenRequest
from jitsi_tokens.telemetry import RequestLine, keyed_digest
from jitsi_tokens_cli.audit.search import FIELDS, read_record
from local_stack.emulator import ROOT

SCHEMA = json.loads((ROOT / "docs" / "audit-record.schema.json").read_text())
DIGEST_KEY = b"digest-key"
REQUEST = TokenRequest(
    user_id="secret-user",
    user_name="Secret Name",
    room_name="Secret Room",
    user_email="secret@example.org",
    is_moderator=True,
)

# Lines of token requests have none of these.
OF_VISITS = {"action", "visit", "participant"}
# A method that a path does not answer is for another function.
ELSEWHERE = (problems.METHOD_NOT_ALLOWED,)

type Written = Callable[..., dict[str, Any]]


def complaints(fields: dict[str, Any]) -> list[str]:
    """Return what docs/audit-record.schema.json finds wrong with a line."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(fields)]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Written:
    """Return what writes a line and returns its fields, as they were printed."""

    def write(line: RequestLine, digest_key: bytes | None = DIGEST_KEY) -> dict[str, Any]:
        line.write(1_800_000_000.1234, 0.0123456, lambda: digest_key)
        printed = capsys.readouterr()
        assert printed.err == ""
        assert printed.out.endswith("\n")
        [text] = printed.out.splitlines()
        fields: dict[str, Any] = json.loads(text)
        assert complaints(fields) == []
        return fields

    return write


def asked() -> RequestLine:
    """Return the line of a request that was read."""
    line = RequestLine("tokens", "request-1")
    line.called_by("clinic-a", "0123456789ab")
    line.asked(REQUEST, "secret%20room")
    return line


def issued(*, stale: bool = False) -> RequestLine:
    """Return the line of a token."""
    line = asked()
    line.issued({"jti": "jti-1", "exp": 1_800_003_600, "room": "secret-room"}, "kid-1", stale=stale)
    return line


def test_the_line_of_a_token(written: Written) -> None:
    """Who, where and what, as names, digests and identifiers, with the metrics beside them."""
    fields = written(issued())

    assert fields.pop("_aws")["Timestamp"] == 1_800_000_000_123
    assert fields == {
        "service": "tokens",
        "outcome": "issued",
        "role": "moderator",
        "reason": None,
        "field": None,
        "requestId": "request-1",
        "client": "clinic-a",
        "key": "0123456789ab",
        "moderator": True,
        "room": hmac.new(DIGEST_KEY, b"room:secret%20room", hashlib.sha256).hexdigest(),
        "user": hmac.new(DIGEST_KEY, b"user:secret-user", hashlib.sha256).hexdigest(),
        "jti": "jti-1",
        "kid": "kid-1",
        "exp": 1_800_003_600,
        "Requests": 1,
        "Latency": 12.346,
        "MissingSigningKey": 0,
        "StaleSigningKey": 0,
        "MissingDigestKey": 0,
    }


def test_what_an_alarm_counts(written: Written) -> None:
    """A guest's role, no key, a stale one, and no digest key, for which the digests are null."""
    guest, keyless = RequestLine("tokens", None), asked()
    guest.asked(TokenRequest(user_id="u", user_name="n", room_name="r"), "r")
    guest.refused(Problem(FORBIDDEN, "No."))
    keyless.no_signing_key()
    keyless.refused(Problem(problems.UNAVAILABLE, "Later."))

    of_guest, undigested = written(guest), written(issued(stale=True), digest_key=None)

    assert (of_guest["role"], of_guest["moderator"]) == ("guest", False)
    assert written(keyless)["MissingSigningKey"] == 1
    assert (undigested["outcome"], undigested["StaleSigningKey"]) == ("issued", 1)
    assert (undigested["room"], undigested["user"]) == (None, None)
    assert undigested["MissingDigestKey"] == 1


@pytest.mark.parametrize(
    ("problem", "reason", "field"),
    [
        (invalid_field("/secret", "is not known"), "invalid-request", None),
        (invalid_field("/features/secret", "is not known"), "invalid-request", None),
        (invalid_field("/features/lobby", "is 1"), "invalid-request", "/features/lobby"),
        (
            field_problem(
                FORBIDDEN, [field_error("/roomName", "is"), field_error("/notBefore", "")]
            ),
            "forbidden",
            "/roomName",
        ),
        *(
            (Problem(kind, "No."), kind.name, None)
            for kind in vars(problems).values()
            if isinstance(kind, Kind) and kind not in ELSEWHERE
        ),
    ],
)
def test_the_line_of_a_refusal(
    written: Written, problem: Problem, reason: str, field: str | None
) -> None:
    """The reason and the first field at fault, but not a name that the caller made up."""
    outcome = "failed" if problem.kind is problems.UNAVAILABLE else "refused"

    for line, role in ((RequestLine("tokens", None), "unknown"), (asked(), "moderator")):
        line.refused(problem, known_field(problem))

        fields = written(line)

        assert (fields["outcome"], fields["reason"], fields["field"]) == (outcome, reason, field)
        assert fields["role"] == role


@pytest.mark.parametrize("action", SCHEMA["properties"]["action"]["enum"])
@pytest.mark.parametrize("participant", [None, "patient"])
def test_the_line_of_a_visit(written: Written, action: str, participant: str | None) -> None:
    """Done or refused, with visit and participant as digests."""
    line = RequestLine("tokens", "request-1")
    line.called_by("clinic-a", "0123456789ab")
    line.concerns("oe-1", participant)
    line.acts(action)
    line.done()
    done = written(line)
    line.refused(Problem(problems.SUPERSEDED, "No."))

    assert (done["outcome"], written(line)["outcome"]) == ("done", "refused")
    assert done["visit"] == keyed_digest(DIGEST_KEY, "visit", "oe-1")


def test_nothing_of_a_person_is_in_the_line(written: Written) -> None:
    """No name, address, room, identifier or claim as it was sent."""
    refused = asked()
    refused.refused(invalid_field("/secret", "secret"))

    assert "secret" not in json.dumps([written(issued()), written(refused)]).lower()


def test_a_room_and_a_user_of_the_same_name_have_different_digests() -> None:
    """And so have the same under two keys."""
    digests = {keyed_digest(key, kind, "same") for key in (b"1", b"2") for kind in ("room", "user")}

    assert len(digests) == 4


def test_the_schema_and_the_command_know_every_field(written: Written) -> None:
    """Each is in every line but the first release's, described, and a column of `audit --csv`."""
    fields = written(issued())
    record = read_record(json.dumps(fields))
    metrics = [m["Name"] for each in fields["_aws"]["CloudWatchMetrics"] for m in each["Metrics"]]

    Draft202012Validator.check_schema(SCHEMA)
    assert all(field["description"] for field in SCHEMA["properties"].values())
    assert set(fields) == {*SCHEMA["required"], "key"} == set(SCHEMA["properties"]) - OF_VISITS
    assert set(metrics) == set(SCHEMA["$defs"]["metric"]["properties"]["Name"]["enum"])
    assert complaints({name: value for name, value in fields.items() if name != "key"}) == []
    assert record
    assert {"_aws", *record.fields, *OF_VISITS} == {"_aws", *FIELDS} == set(SCHEMA["properties"])
    assert record.time == 1_800_000_000_123


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
def test_the_schema_finds_what_does_not_belong(written: Written, change: dict[str, Any]) -> None:
    """It is not one that takes anything."""
    assert complaints(written(issued()) | change) != []


def raised() -> ValueError:
    """Return an error that was raised, with what was sent in its text."""
    try:
        int("secret-input")
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "name", "place", "code"),
    [
        (raised(), "ValueError", "test_telemetry.py:", None),
        (KeyError("secret-input"), "KeyError", "unknown", None),
        (
            ClientError({"Error": {"Code": "Denied", "Message": "secret-input"}}, "Put"),
            "ClientError",
            "unknown",
            "Denied",
        ),
    ],
)
def test_an_unexpected_error_is_reported_without_its_text(
    capsys: pytest.CaptureFixture[str], error: Exception, name: str, place: str, code: str | None
) -> None:
    """Its type, its place, and of one of AWS's the code: a text may quote what was sent."""
    telemetry.report(error)

    printed = capsys.readouterr()
    logged = json.loads(printed.out)
    assert (logged["level"], logged["error"], logged.get("code")) == ("ERROR", name, code)
    assert logged["place"].startswith(place)
    assert "secret-input" not in printed.out + printed.err
    assert telemetry.logger() is telemetry.logger()


def test_a_report_loads_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is written where anything may have failed, an import among it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "botocore"]:
        monkeypatch.delitem(sys.modules, name)

    telemetry.report(KeyError("secret-input"))

    assert json.loads(capsys.readouterr().out)["error"] == "KeyError"
    assert "botocore" not in sys.modules

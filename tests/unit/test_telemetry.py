"""The one line that a request leaves, and the logger for what goes wrong."""

import hashlib
import hmac
import json
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError

from jitsi_tokens import telemetry
from jitsi_tokens.core import problems
from jitsi_tokens.core.faults import known_field
from jitsi_tokens.core.problems import FORBIDDEN, Problem, field_error, field_problem, invalid_field
from jitsi_tokens.core.requests import TokenRequest
from jitsi_tokens.telemetry import RequestLine, keyed_digest

DIGEST_KEY = b"digest-key"
CLAIMS = {"jti": "jti-1", "exp": 1_800_003_600, "room": "secret-room"}
REQUEST = TokenRequest(
    user_id="secret-user",
    user_name="Secret Name",
    room_name="Secret Room",
    user_email="secret@example.org",
    is_moderator=True,
)


def written(
    line: RequestLine,
    capsys: pytest.CaptureFixture[str],
    digest_key: bytes | None = DIGEST_KEY,
) -> dict[str, Any]:
    """Return the line as it was printed."""
    line.write(1_800_000_000.1234, 0.0123456, lambda: digest_key)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.endswith("\n")
    [text] = printed.out.splitlines()
    fields: dict[str, Any] = json.loads(text)
    return fields


def test_the_line_of_a_token(capsys: pytest.CaptureFixture[str]) -> None:
    """Who, where and what, as names, digests and identifiers, with the metrics beside them."""
    line = RequestLine("tokens", "request-1")
    line.called_by("clinic-a", "0123456789ab")
    line.asked(REQUEST, "secret%20room")
    line.issued(CLAIMS, "kid-1", stale=False)

    fields = written(line, capsys)

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


def test_the_line_is_in_cloudwatchs_embedded_metric_format(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each metric and each dimension stands in the line; the client is no dimension."""
    fields = written(RequestLine("tokens", None), capsys)

    directives = fields["_aws"]["CloudWatchMetrics"]
    assert {
        (*directive["Dimensions"][0],): {m["Name"]: m["Unit"] for m in directive["Metrics"]}
        for directive in directives
    } == {
        ("service", "outcome", "role"): {"Requests": "Count", "Latency": "Milliseconds"},
        ("service",): {
            "MissingSigningKey": "Count",
            "StaleSigningKey": "Count",
            "MissingDigestKey": "Count",
        },
    }
    for directive in directives:
        assert directive["Namespace"] == "JitsiTokens"
        assert all(isinstance(fields[name], str) for name in directive["Dimensions"][0])
        assert all(isinstance(fields[m["Name"]], int | float) for m in directive["Metrics"])


def test_a_request_that_ended_nowhere_has_failed(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a word to the contrary."""
    fields = written(RequestLine("tokens", None), capsys)

    assert (fields["outcome"], fields["role"]) == ("failed", "unknown")


def test_a_guests_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The role is a dimension: who makes moderators can be alarmed on."""
    line = RequestLine("tokens", None)
    line.asked(TokenRequest(user_id="u", user_name="n", room_name="r"), "r")

    fields = written(line, capsys)

    assert (fields["role"], fields["moderator"]) == ("guest", False)


def test_without_a_digest_key_the_digests_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    """And the metric says so."""
    line = RequestLine("tokens", None)
    line.asked(REQUEST, "secret%20room")

    fields = written(line, capsys, digest_key=None)

    assert (fields["room"], fields["user"], fields["MissingDigestKey"]) == (None, None, 1)


def test_a_token_of_a_stale_key_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """The token is issued all the same."""
    line = RequestLine("tokens", None)
    line.issued(CLAIMS, "kid-1", stale=True)

    fields = written(line, capsys)

    assert (fields["outcome"], fields["StaleSigningKey"]) == ("issued", 1)


@pytest.mark.parametrize(
    ("problem", "outcome", "reason", "field"),
    [
        (invalid_field("/secret", "is not known"), "refused", "invalid-request", None),
        (invalid_field("/features/secret", "is not known"), "refused", "invalid-request", None),
        (invalid_field("/features/lobby", "is 1"), "refused", "invalid-request", "/features/lobby"),
        (
            field_problem(
                FORBIDDEN, [field_error("/roomName", "is"), field_error("/notBefore", "")]
            ),
            "refused",
            "forbidden",
            "/roomName",
        ),
        (Problem(problems.FORBIDDEN, "No."), "refused", "forbidden", None),
        (Problem(problems.UNAUTHORIZED, "Who?"), "refused", "unauthorized", None),
        (Problem(problems.UNAVAILABLE, "Later."), "failed", "unavailable", None),
    ],
    ids=[
        "unknown",
        "unknown-feature",
        "feature",
        "forbidden-fields",
        "forbidden",
        "unauthorized",
        "unavailable",
    ],
)
def test_the_line_of_a_refusal(
    capsys: pytest.CaptureFixture[str],
    problem: Problem,
    outcome: str,
    reason: str,
    field: str | None,
) -> None:
    """The reason and the first field at fault, but not a name that the caller made up."""
    line = RequestLine("tokens", None)
    line.refused(problem, known_field(problem))

    fields = written(line, capsys)

    assert (fields["outcome"], fields["reason"], fields["field"]) == (outcome, reason, field)


def test_nothing_of_a_person_is_in_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    """No name, address, room, identifier or claim as it was sent."""
    line = RequestLine("tokens", None)
    line.asked(REQUEST, "secret%20room")
    line.issued(CLAIMS, "kid-1", stale=False)
    line.refused(invalid_field("/secret", "secret"))

    assert "secret" not in json.dumps(written(line, capsys)).lower()


def test_a_room_and_a_user_of_the_same_name_have_different_digests() -> None:
    """And so have the same under two keys."""
    digests = {keyed_digest(key, kind, "same") for key in (b"1", b"2") for kind in ("room", "user")}

    assert len(digests) == 4


def test_an_unexpected_error_is_reported_without_its_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its type and its place: an error's text may quote what was sent."""
    try:
        int("secret-input")
    except ValueError as error:
        telemetry.report(error)

    printed = capsys.readouterr()
    logged = json.loads(printed.out)
    assert (logged["level"], logged["error"]) == ("ERROR", "ValueError")
    assert logged["place"].startswith("test_telemetry.py:")
    assert "secret-input" not in printed.out + printed.err


def test_an_error_that_was_never_raised_has_no_place(capsys: pytest.CaptureFixture[str]) -> None:
    """Reported all the same."""
    telemetry.report(KeyError("secret-input"))

    logged = json.loads(capsys.readouterr().out)
    assert (logged["error"], logged["place"]) == ("KeyError", "unknown")


def test_an_error_of_aws_is_told_apart_by_its_code(capsys: pytest.CaptureFixture[str]) -> None:
    """Its message may name what was asked for; its code does not."""
    answer: Any = {"Error": {"Code": "AccessDeniedException", "Message": "secret-input"}}

    telemetry.report(ClientError(answer, "PutSecretValue"))

    printed = capsys.readouterr().out
    assert json.loads(printed)["code"] == "AccessDeniedException"
    assert "secret-input" not in printed


def test_there_is_one_logger() -> None:
    """It is made when something goes wrong first, and kept."""
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

"""What the last check of the signing key found, kept in SSM Parameter Store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.parsers import ResponseParserError

from jitsi_tokens.core import problems
from jitsi_tokens.core.findings import finding
from jitsi_tokens.core.problems import Problem
from jitsi_tokens.status import (
    NEVER_CHECKED,
    CachedStatus,
    KeyFacts,
    KeyStatus,
    problems_of,
    read_status,
    write_status,
)

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

NOW = 1_800_000_000
NAME = "/jitsi-tokens/test/key-status"
GOOD = KeyStatus(
    configured=True,
    checked_at=NOW,
    key=KeyFacts(kid="app/key", algorithm="RS256", fingerprint="ab12", created_at=NOW - 60),
)
BAD = KeyStatus(
    configured=False,
    checked_at=NOW,
    problems=[finding("no-key", "There is none.", trust="shared")],
)
OUTAGES = [
    ClientError({"Error": {"Code": "ThrottlingException", "Message": "x"}}, "GetParameter"),
    ConnectTimeoutError(endpoint_url="https://ssm"),
    ResponseParserError("an answer that is no JSON"),
]


class Counter:
    """A client of SSM that counts its reads and can be made to fail."""

    def __init__(self, client: SSMClient) -> None:
        self.client = client
        self.reads = 0
        self.error: Exception | None = None

    def get_parameter(self, **arguments: Any) -> Any:
        """Read, or fail."""
        self.reads += 1
        if self.error:
            raise self.error
        return self.client.get_parameter(**arguments)


@pytest.fixture
def ssm(aws: None) -> SSMClient:  # noqa: ARG001
    """Return a client of the stand-in."""
    return boto3.client("ssm")


@pytest.fixture
def counter(ssm: SSMClient) -> Any:
    """Return a client that counts, with a status to read."""
    write_status(ssm, NAME, GOOD)
    return Counter(ssm)


def cached_status(client: Any) -> CachedStatus:
    """Return the cache in front of a client."""
    return CachedStatus(first_fetch=client, refresh=client, name=NAME)


@pytest.mark.parametrize("status", [GOOD, BAD, NEVER_CHECKED], ids=["good", "bad", "never"])
def test_a_status_is_kept(ssm: SSMClient, status: KeyStatus) -> None:
    """What is written is what is read, over what was there before."""
    write_status(ssm, NAME, GOOD)

    write_status(ssm, NAME, status)

    assert read_status(ssm, NAME) == status


@pytest.mark.parametrize(
    "text", ["none", "{", "[]", '{"configured": true}', '{"configured": "true", "checkedAt": 1}']
)
def test_a_status_that_cannot_be_read_is_none(ssm: SSMClient, text: str) -> None:
    """Whoever wrote it: it was no check."""
    ssm.put_parameter(Name=NAME, Value=text, Type="String")

    assert read_status(ssm, NAME) == NEVER_CHECKED


def test_a_status_is_read_at_most_every_five_seconds(counter: Counter) -> None:
    """SSM answers forty reads a second to the whole account."""
    cached = cached_status(counter)

    for after in (0, 1, 4.9):
        assert cached.get(NOW + after) == GOOD
    reads_at_first = counter.reads
    write_status(counter.client, NAME, BAD)

    assert reads_at_first == 1
    assert cached.get(NOW + 5) == BAD


@pytest.mark.parametrize("error", OUTAGES, ids=["throttled", "timeout", "unreadable"])
def test_a_status_is_outlived_when_ssm_fails(
    counter: Counter, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a warning, and no more reads than when it works."""
    cached = cached_status(counter)
    cached.get(NOW)
    counter.error = error

    statuses = [cached.get(NOW + after) for after in (5, 6, 9.9)]

    assert statuses == [GOOD] * 3
    assert counter.reads == 2
    [logged] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (logged["level"], logged["cause"]) == ("WARNING", type(error).__name__)


@pytest.mark.parametrize("error", OUTAGES, ids=["throttled", "timeout", "unreadable"])
def test_without_any_status_ssms_failure_is_a_503(counter: Counter, error: Exception) -> None:
    """Until it can be read: then it is there."""
    cached = cached_status(counter)
    counter.error = error

    for after in (0, 1):
        with pytest.raises(Problem) as refused:
            cached.get(NOW + after)
        assert refused.value.kind is problems.UNAVAILABLE
        assert refused.value.retry_after_seconds == 5

    assert counter.reads == 1
    counter.error = None
    assert cached.get(NOW + 5) == GOOD


def test_a_clock_that_goes_backwards_reads_again(counter: Counter) -> None:
    """A status from the future is not kept until the clock is right again."""
    cached = cached_status(counter)
    cached.get(NOW)
    write_status(counter.client, NAME, BAD)

    assert cached.get(NOW - 3600) == BAD


@pytest.mark.parametrize(
    ("status", "age", "codes"),
    [
        (GOOD, 900, []),
        (GOOD, 901, ["check-overdue"]),
        (BAD, 0, ["no-key"]),
        (BAD, 901, ["no-key", "check-overdue"]),
        (NEVER_CHECKED, 901, ["never-checked"]),
    ],
    ids=["fresh", "overdue", "bad", "bad-and-overdue", "never"],
)
def test_a_check_that_stopped_is_a_problem_of_its_own(
    status: KeyStatus, age: int, codes: list[str]
) -> None:
    """Beside what it found when it last ran, and not before it ever did."""
    assert [problem.code for problem in problems_of(status, NOW + age)] == codes


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("no-key", "jitsi-tokens key create"),
        ("wrong-kid", "jitsi-tokens key promote"),
        ("unreadable-key", "Replace the key:"),
        ("a-code-of-tomorrow", "Replace the key:"),
    ],
)
def test_a_finding_says_what_to_do(code: str, remedy: str) -> None:
    """By its code; what has no remedy of its own needs another key."""
    assert remedy in finding(code, "What it is.", trust="shared").remedy

"""Secrets Manager: fetch a secret, keep what was made of it, outlive an outage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from jitsi_tokens.core.keys import KeyRefused
from jitsi_tokens.secrets import CachedSecret, CircuitBreaker, KeyVersion, SecretUnavailable
from jitsi_tokens.secrets_manager import fetch_version

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

START = 1_800_000_000.0
STALE = 14_400
MADE_AT = datetime.fromtimestamp(START, UTC)


def version(identifier: str, text: str) -> KeyVersion:
    """Return a version of a secret."""
    return KeyVersion(identifier, text, MADE_AT)


FIRST, SECOND = version("1", "good-1"), version("2", "good-2")
RUBBISH = version("2", "rubbish")
SILENCE = SecretUnavailable("unreachable", "Secrets Manager did not answer.")
DENIED = SecretUnavailable("access-denied", "The function may not read the secret.")


# Fetching


@pytest.fixture
def secrets_manager(aws: None) -> SecretsManagerClient:  # noqa: ARG001
    """Return a client of the stand-in."""
    return boto3.client("secretsmanager")


def refusal(secrets_manager: SecretsManagerClient) -> SecretUnavailable:
    """Return why the secret cannot be fetched."""
    with pytest.raises(SecretUnavailable) as refused:
        fetch_version(secrets_manager, "key")
    return refused.value


def test_the_current_version_is_fetched(secrets_manager: SecretsManagerClient) -> None:
    """Its id, its text and when it was made; its text stays out of a traceback."""
    secrets_manager.create_secret(Name="key", SecretString="first")
    put = secrets_manager.put_secret_value(SecretId="key", SecretString="second")

    fetched = fetch_version(secrets_manager, "key")

    assert (fetched.id, fetched.text) == (put["VersionId"], "second")
    assert abs(datetime.now(UTC) - fetched.created_at).total_seconds() < 60
    assert repr(fetched) == f"KeyVersion(id='{fetched.id}')"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "no-key"),
        ({}, "no-key"),
        # A key may be stored over an empty secret, and not over bytes.
        ({"SecretBinary": b"bytes"}, "not-a-key-document"),
    ],
    ids=["no-secret", "no-version", "bytes"],
)
def test_a_secret_without_a_text_is_no_key(
    secrets_manager: SecretsManagerClient, content: dict[str, Any] | None, code: str
) -> None:
    """A JaaS stack has no key until somebody gives it one."""
    if content is not None:
        secrets_manager.create_secret(Name="key", **content)

    assert refusal(secrets_manager).code == code


def test_an_empty_secret_is_no_key(
    secrets_manager: SecretsManagerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a version, and nothing in it: AWS has such, and moto refuses it."""
    empty = {"VersionId": "1", "SecretString": "", "CreatedDate": MADE_AT}
    monkeypatch.setattr(secrets_manager, "get_secret_value", lambda **_arguments: empty)

    assert refusal(secrets_manager).code == "no-key"


def refused_with(code: str) -> ClientError:
    """Return a refusal of AWS's."""
    return ClientError({"Error": {"Code": code, "Message": "arn:secret-name"}}, "GetSecretValue")


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (refused_with("ResourceNotFoundException"), "no-key", "no current version"),
        (refused_with("AccessDeniedException"), "access-denied", "may not read"),
        (refused_with("DecryptionFailure"), "access-denied", "may not decrypt"),
        (refused_with("InvalidRequestException"), "secret-deleted", "deletion"),
        (refused_with("ThrottlingException"), "unreachable", "ThrottlingException"),
        (EndpointConnectionError(endpoint_url="x"), "unreachable", "EndpointConnectionError"),
        (TimeoutError("arn:secret-name"), "unreachable", "TimeoutError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_failure_is_named(
    secrets_manager: SecretsManagerClient,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    code: str,
    words: str,
) -> None:
    """By what a person can do about it; the error's own message stays out."""

    def fail(**_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(secrets_manager, "get_secret_value", fail)

    refused = refusal(secrets_manager)

    assert refused.code == code
    assert words in str(refused)
    assert "arn:secret-name" not in str(refused)


# Keeping


class Source:
    """A secret whose fetches are counted and can be made to fail, and the cache in front of it."""

    def __init__(
        self,
        *,
        breaker: CircuitBreaker | None = None,
        trips_breaker: bool = True,
        max_stale_seconds: int = STALE,
    ) -> None:
        self.answer: KeyVersion | Exception = FIRST
        self.refreshes: list[bool] = []
        self.warnings: list[str] = []
        self.made: list[str] = []
        self.cached = CachedSecret(
            self._fetch,
            self._make,
            breaker=breaker or CircuitBreaker(),
            trips_breaker=trips_breaker,
            max_stale_seconds=max_stale_seconds,
            warn=lambda failure: self.warnings.append(failure.code),
        )

    def get(self, *after: float) -> list[str]:
        """Return the value at each of these times, or the code of the failure."""
        return [self._get(START + seconds) for seconds in after]

    def _get(self, now: float) -> str:
        try:
            return self.cached.get(now)
        except SecretUnavailable as error:
            return error.code

    def _fetch(self, refresh: bool) -> KeyVersion:  # noqa: FBT001 - as the cache calls it
        self.refreshes.append(refresh)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def _make(self, text: str) -> str:
        self.made.append(text)
        if text == RUBBISH.text:
            raise KeyRefused("not-a-key-document", "It is rubbish.")
        return text.upper()


@pytest.fixture
def source() -> Source:
    """Return a secret that can be fetched."""
    return Source()


@pytest.fixture
def held(source: Source) -> Source:
    """Return one that has been fetched."""
    source.get(0)
    return source


def test_a_value_is_fresh_for_five_minutes(source: Source) -> None:
    """It is fetched once, and again when they are over; the same version is not made twice.

    A fetch knows whether there is a value to go on with: it need not wait long then.
    """
    assert source.get(0, 1, 299.9) == ["GOOD-1"] * 3
    assert source.refreshes == [False]
    assert source.get(300, 600) == ["GOOD-1"] * 2
    assert source.refreshes == [False, True, True]
    assert source.made == ["good-1"]
    assert not source.cached.stale


def test_another_version_is_used_at_the_next_refresh(held: Source) -> None:
    """And not before; its id tells, not its content."""
    held.answer = SECOND
    assert held.get(299, 300) == ["GOOD-1", "GOOD-2"]

    held.answer = version("3", "good-2")
    held.get(600)

    assert held.made == ["good-1", "good-2", "good-2"]


@pytest.mark.parametrize(
    ("answer", "code"), [(SILENCE, "unreachable"), (RUBBISH, "not-a-key-document")]
)
def test_a_failure_is_outlived_and_tried_again_after_30_seconds(
    held: Source, answer: KeyVersion | Exception, code: str
) -> None:
    """Not by each request meanwhile, each of which would wait; the value is known to be stale."""
    held.answer = answer

    assert held.get(300, 301, 329.9) == ["GOOD-1"] * 3
    assert held.cached.stale
    assert (len(held.refreshes), held.warnings) == (2, [code])
    held.get(330)
    assert (len(held.refreshes), held.warnings) == (3, [code] * 2)
    # Of rubbish the id is not remembered as the good value's.
    held.answer = FIRST
    assert held.get(360) == ["GOOD-1"]
    assert not held.cached.stale


def test_a_value_is_outlived_for_its_bound_and_no_longer(held: Source) -> None:
    """Five minutes and the stale bound after it was fetched; then a fetch waits as at the start."""
    held.answer = SILENCE

    assert held.get(299 + STALE, 300 + STALE, 330 + STALE) == [
        *("GOOD-1", "unreachable", "unreachable")
    ]
    assert held.refreshes == [False, True, False]
    held.answer = SECOND
    assert held.get(360 + STALE) == ["GOOD-2"]
    assert not held.cached.stale


def test_without_a_stale_bound_nothing_is_outlived() -> None:
    """Zero means zero."""
    source = Source(max_stale_seconds=0)
    source.get(0)
    source.answer = SILENCE

    assert source.get(300) == ["unreachable"]


@pytest.mark.parametrize(
    ("answer", "code"), [(DENIED, "access-denied"), (RUBBISH, "not-a-key-document")]
)
def test_without_any_value_the_failure_is_the_answer(
    source: Source, answer: KeyVersion | Exception, code: str
) -> None:
    """With its code, and at most every 30 seconds."""
    source.answer = answer

    assert source.get(0, 29) == [code] * 2
    assert len(source.refreshes) == 1
    source.answer = FIRST
    assert source.get(30) == ["GOOD-1"]


def test_a_clock_that_goes_backwards_refreshes(held: Source) -> None:
    """A value from the future would stay fresh for as long as the clock was wrong."""
    held.answer = SECOND

    assert held.get(-3600, -3600 + 299) == ["GOOD-2"] * 2
    assert len(held.refreshes) == 2


def test_a_clock_that_goes_backwards_does_not_lengthen_the_pause(source: Source) -> None:
    """A failure from the future is no reason to wait."""
    source.answer = SILENCE
    source.get(0)
    source.answer = FIRST

    assert source.get(-3600) == ["GOOD-1"]


@pytest.mark.parametrize(
    ("answer", "trips_breaker", "told"),
    [
        (SILENCE, True, ["unreachable", "GOOD-1"]),
        # What is asked last, the digest key, never delays the signing key.
        (SILENCE, False, ["GOOD-1"] * 2),
        # What is wrong with one secret says nothing about the other.
        (DENIED, True, ["GOOD-1"] * 2),
    ],
    ids=["silence", "asked-last", "refused"],
)
def test_the_secrets_of_a_container_wait_together(
    answer: Exception, told: list[str], *, trips_breaker: bool
) -> None:
    """When one got no answer the other does not ask, and both ask again after the pause."""
    breaker = CircuitBreaker()
    one, other = Source(breaker=breaker, trips_breaker=trips_breaker), Source(breaker=breaker)
    one.answer = answer
    one.get(0)

    assert other.get(29, 30) == told
    assert len(other.refreshes) == 1


def test_an_outage_hides_no_cause_that_is_known() -> None:
    """That the secret may not be read is not taken for silence."""
    breaker = CircuitBreaker()
    source = Source(breaker=breaker)
    source.answer = DENIED
    source.get(0)
    breaker.trip(START + 30)

    assert source.get(30) == ["access-denied"]


def test_a_failure_is_a_new_exception_each_time(source: Source) -> None:
    """One that is raised again and again keeps every request that it passed through."""
    source.answer = SILENCE
    failures = []
    for _ in range(2):
        with pytest.raises(SecretUnavailable) as refused:
            source.cached.get(START)
        failures.append(refused.value)

    assert failures[0] is not failures[1]


def test_a_bug_is_not_taken_for_an_outage(source: Source) -> None:
    """What nobody expected is raised, not outlived."""
    source.answer = ZeroDivisionError()

    with pytest.raises(ZeroDivisionError):
        source.get(0)

"""Secrets Manager: fetch a secret, keep what was made of it, outlive an outage."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from jitsi_tokens.core.keys import KeyRefused
from jitsi_tokens.secrets import (
    CachedSecret,
    CircuitBreaker,
    KeyVersion,
    SecretUnavailable,
)
from jitsi_tokens.secrets_manager import fetch_version

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

START = 1_800_000_000.0
STALE = 14_400
SILENCE = SecretUnavailable("unreachable", "Secrets Manager did not answer.")


@pytest.fixture
def secrets_manager(aws: None) -> SecretsManagerClient:  # noqa: ARG001
    """Return a client of the stand-in."""
    return boto3.client("secretsmanager")


class Source:
    """A secret whose fetches are counted and can be made to fail."""

    def __init__(self) -> None:
        self.fetches = 0
        self.answer: KeyVersion | SecretUnavailable = self.version("1", "good-1")
        self.warnings: list[SecretUnavailable] = []
        self.made: list[str] = []
        self.refresh: list[bool] = []

    @staticmethod
    def version(identifier: str, text: str) -> KeyVersion:
        """Return a version of the secret."""
        return KeyVersion(identifier, text, datetime.fromtimestamp(START, UTC))

    def fetch(self, *, refresh: bool) -> KeyVersion:
        """Answer as Secrets Manager does."""
        self.fetches += 1
        self.refresh.append(refresh)
        if isinstance(self.answer, SecretUnavailable):
            raise self.answer
        return self.answer

    def make(self, text: str) -> str:
        """Refuse what does not begin with `good`, as a key is refused."""
        self.made.append(text)
        if not text.startswith("good"):
            raise KeyRefused("not-a-key-document", "It is rubbish.")
        return text.upper()

    def cached(
        self,
        max_stale_seconds: int = STALE,
        breaker: CircuitBreaker | None = None,
        *,
        trips_breaker: bool = True,
    ) -> CachedSecret[str]:
        """Return the cache in front of it."""
        return CachedSecret(
            lambda refresh: self.fetch(refresh=refresh),
            self.make,
            breaker=breaker or CircuitBreaker(),
            trips_breaker=trips_breaker,
            max_stale_seconds=max_stale_seconds,
            warn=self.warnings.append,
        )


@pytest.fixture
def source() -> Source:
    """Return a secret that can be fetched."""
    return Source()


# Fetching


def test_the_current_version_is_fetched(secrets_manager: SecretsManagerClient) -> None:
    """Its id, its text and when it was made."""
    secrets_manager.create_secret(Name="key", SecretString="first")
    version = secrets_manager.put_secret_value(SecretId="key", SecretString="second")

    fetched = fetch_version(secrets_manager, "key")

    assert (fetched.id, fetched.text) == (version["VersionId"], "second")
    assert abs(datetime.now(UTC) - fetched.created_at).total_seconds() < 60


def test_the_content_stays_out_of_a_versions_repr() -> None:
    """It may stand in a traceback."""
    assert repr(Source.version("1", "secret-content")) == "KeyVersion(id='1')"


@pytest.mark.parametrize("exists", [True, False], ids=["no-version", "no-secret"])
def test_a_secret_without_a_value_is_no_key(
    secrets_manager: SecretsManagerClient, *, exists: bool
) -> None:
    """A JaaS stack has no key until somebody gives it one."""
    if exists:
        secrets_manager.create_secret(Name="key")

    with pytest.raises(SecretUnavailable) as refused:
        fetch_version(secrets_manager, "key")

    assert refused.value.code == "no-key"


def test_an_empty_secret_is_no_key(
    secrets_manager: SecretsManagerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is a version, and nothing in it."""
    empty = {
        "VersionId": "1",
        "SecretString": "",
        "CreatedDate": datetime.fromtimestamp(START, UTC),
    }
    monkeypatch.setattr(secrets_manager, "get_secret_value", lambda **_arguments: empty)

    with pytest.raises(SecretUnavailable) as refused:
        fetch_version(secrets_manager, "key")

    assert refused.value.code == "no-key"


@pytest.mark.parametrize(
    ("aws_code", "code"),
    [
        ("ResourceNotFoundException", "no-key"),
        ("AccessDeniedException", "access-denied"),
        ("DecryptionFailure", "access-denied"),
        ("InternalServiceError", "unreachable"),
        ("ThrottlingException", "unreachable"),
        ("InvalidRequestException", "secret-deleted"),
    ],
)
def test_a_refusal_of_aws_is_named(
    secrets_manager: SecretsManagerClient,
    monkeypatch: pytest.MonkeyPatch,
    aws_code: str,
    code: str,
) -> None:
    """By what a person can do about it; AWS's own message stays out."""

    def refuse(**_arguments: Any) -> None:
        raise ClientError(
            {"Error": {"Code": aws_code, "Message": "arn:secret-name"}}, "GetSecretValue"
        )

    monkeypatch.setattr(secrets_manager, "get_secret_value", refuse)

    with pytest.raises(SecretUnavailable) as refused:
        fetch_version(secrets_manager, "key")

    assert refused.value.code == code
    assert "arn:secret-name" not in str(refused.value)


@pytest.mark.parametrize(
    "error", [EndpointConnectionError(endpoint_url="https://x"), TimeoutError(), OSError("x")]
)
def test_no_answer_is_unreachable(
    secrets_manager: SecretsManagerClient, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whatever botocore lets through."""

    def fail(**_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(secrets_manager, "get_secret_value", fail)

    with pytest.raises(SecretUnavailable) as refused:
        fetch_version(secrets_manager, "key")

    assert refused.value.code == "unreachable"
    assert type(error).__name__ in str(refused.value)


def test_a_known_token_with_other_content_is_refused(
    secrets_manager: SecretsManagerClient,
) -> None:
    """AWS keeps what a token was first used for: a repeat is the same call, or an error."""
    secrets_manager.create_secret(Name="key")
    token = "0123456789abcdef0123456789abcdef"
    secrets_manager.put_secret_value(SecretId="key", SecretString="one", ClientRequestToken=token)

    repeated = secrets_manager.put_secret_value(
        SecretId="key", SecretString="one", ClientRequestToken=token
    )
    with pytest.raises(secrets_manager.exceptions.ResourceExistsException):
        secrets_manager.put_secret_value(
            SecretId="key", SecretString="two", ClientRequestToken=token
        )

    assert repeated["VersionId"] == token
    assert fetch_version(secrets_manager, "key").text == "one"


# Keeping


def test_a_value_is_fresh_for_five_minutes(source: Source) -> None:
    """It is fetched once, and again when they are over."""
    cached = source.cached()

    values = [cached.get(START + after) for after in (0, 1, 299.9)]

    assert values == ["GOOD-1"] * 3
    assert source.fetches == 1
    assert cached.get(START + 300) == "GOOD-1"
    assert source.fetches == 2
    assert not cached.stale


def test_the_same_version_is_not_made_twice(source: Source) -> None:
    """A key is parsed once a container."""
    cached = source.cached()

    for after in (0, 300, 600):
        cached.get(START + after)

    assert (source.fetches, source.made) == (3, ["good-1"])


def test_another_version_is_used_at_the_next_refresh(source: Source) -> None:
    """And not before."""
    cached = source.cached()
    cached.get(START)
    source.answer = Source.version("2", "good-2")

    assert cached.get(START + 299) == "GOOD-1"
    assert cached.get(START + 300) == "GOOD-2"


def test_the_same_content_under_another_version_is_made_again(source: Source) -> None:
    """The version's id tells, not the content."""
    cached = source.cached()
    cached.get(START)
    source.answer = Source.version("2", "good-1")

    cached.get(START + 300)

    assert source.made == ["good-1", "good-1"]


def test_an_outage_is_outlived(source: Source) -> None:
    """The last known good value goes on, is known to be stale, and the failure is told."""
    cached = source.cached()
    cached.get(START)
    source.answer = SILENCE

    assert cached.get(START + 300) == "GOOD-1"
    assert cached.stale
    assert [warning.code for warning in source.warnings] == ["unreachable"]


def test_a_failed_refresh_is_repeated_after_30_seconds(source: Source) -> None:
    """Not by each request meanwhile: each would wait for its time limit."""
    cached = source.cached()
    cached.get(START)
    source.answer = SILENCE

    for after in (300, 301, 329.9):
        cached.get(START + after)
    fetches_at_first = source.fetches
    cached.get(START + 330)

    assert (fetches_at_first, source.fetches) == (2, 3)
    assert len(source.warnings) == 2


def test_a_value_is_outlived_for_its_bound_and_no_longer(source: Source) -> None:
    """Five minutes and the stale bound after it was last fetched."""
    cached = source.cached()
    cached.get(START)
    source.answer = SILENCE

    assert cached.get(START + 300 + STALE - 1) == "GOOD-1"
    with pytest.raises(SecretUnavailable) as refused:
        cached.get(START + 300 + STALE)

    assert refused.value.code == "unreachable"


def test_without_a_stale_bound_nothing_is_outlived(source: Source) -> None:
    """Zero means zero."""
    cached = source.cached(max_stale_seconds=0)
    cached.get(START)
    source.answer = SILENCE

    with pytest.raises(SecretUnavailable):
        cached.get(START + 300)


@pytest.mark.parametrize("after", [330, 300 + STALE + 30], ids=["while-stale", "after-the-bound"])
def test_it_recovers_without_a_restart(source: Source, after: int) -> None:
    """The next refresh that works ends the outage."""
    cached = source.cached()
    cached.get(START)
    source.answer = SILENCE
    cached.get(START + 300)
    source.answer = Source.version("2", "good-2")

    assert cached.get(START + after) == "GOOD-2"
    assert not cached.stale


def test_without_any_value_the_failure_is_the_answer(source: Source) -> None:
    """With its code, and at most every 30 seconds."""
    source.answer = SecretUnavailable("no-key", "The secret has no current version.")
    cached = source.cached()

    for after in (0, 29):
        with pytest.raises(SecretUnavailable) as refused:
            cached.get(START + after)
        assert refused.value.code == "no-key"

    assert source.fetches == 1
    source.answer = Source.version("1", "good-1")
    assert cached.get(START + 30) == "GOOD-1"


def test_rubbish_keeps_the_last_good_value(source: Source) -> None:
    """A document that cannot be read is as good as an outage."""
    cached = source.cached()
    cached.get(START)
    source.answer = Source.version("2", "rubbish")

    assert cached.get(START + 300) == "GOOD-1"
    assert cached.stale
    assert [warning.code for warning in source.warnings] == ["not-a-key-document"]


def test_rubbish_is_tried_again_until_it_is_replaced(source: Source) -> None:
    """The id of what could not be read is not remembered as that of the good value."""
    cached = source.cached()
    cached.get(START)
    source.answer = Source.version("2", "rubbish")
    cached.get(START + 300)

    cached.get(START + 330)
    source.answer = Source.version("1", "good-1")
    recovered = cached.get(START + 360)

    assert source.made == ["good-1", "rubbish", "rubbish"]
    assert recovered == "GOOD-1"
    assert not cached.stale


def test_rubbish_from_the_start_is_refused(source: Source) -> None:
    """There is nothing to fall back on."""
    source.answer = Source.version("1", "rubbish")

    with pytest.raises(SecretUnavailable) as refused:
        source.cached().get(START)

    assert refused.value.code == "not-a-key-document"


def test_a_clock_that_goes_backwards_refreshes(source: Source) -> None:
    """A value from the future would stay fresh for as long as the clock was wrong."""
    cached = source.cached()
    cached.get(START)
    source.answer = Source.version("2", "good-2")

    assert cached.get(START - 3600) == "GOOD-2"
    assert cached.get(START - 3600 + 299) == "GOOD-2"
    assert source.fetches == 2


def test_a_clock_that_goes_backwards_does_not_lengthen_the_pause(source: Source) -> None:
    """A failure from the future is no reason to wait."""
    cached = source.cached()
    source.answer = SILENCE
    with pytest.raises(SecretUnavailable):
        cached.get(START)
    source.answer = Source.version("1", "good-1")

    assert cached.get(START - 3600) == "GOOD-1"


def test_a_fetch_is_told_whether_a_value_is_held(source: Source) -> None:
    """One that may only renew is worth less of a wait."""
    cached = source.cached()

    cached.get(START)
    cached.get(START + 300)

    assert source.refresh == [False, True]


def test_a_value_past_its_bound_is_nothing_to_go_on_with(source: Source) -> None:
    """Answers that come, but late, end the outage: the fetch waits as it does at the start."""
    cached = source.cached()
    cached.get(START)
    source.answer = SILENCE

    cached.get(START + 300 + STALE - 1)
    with pytest.raises(SecretUnavailable):
        cached.get(START + 300 + STALE + 30)

    assert source.refresh == [False, True, False]


def test_the_secrets_of_a_container_wait_together(source: Source) -> None:
    """When one got no answer the other does not ask, and both ask again after the pause."""
    other, breaker = Source(), CircuitBreaker()
    first, second = source.cached(breaker=breaker), other.cached(breaker=breaker)
    source.answer = SILENCE
    with pytest.raises(SecretUnavailable):
        first.get(START)

    with pytest.raises(SecretUnavailable) as refused:
        second.get(START + 29)

    assert (refused.value.code, other.fetches) == ("unreachable", 0)
    assert second.get(START + 30) == "GOOD-1"


def test_what_is_asked_last_never_stands_in_the_way(source: Source) -> None:
    """A digest key that gets no answer begins no outage: the signing key is still fetched."""
    other, breaker = Source(), CircuitBreaker()
    source.answer = SILENCE
    with pytest.raises(SecretUnavailable):
        source.cached(breaker=breaker, trips_breaker=False).get(START)

    signing = other.cached(breaker=breaker)

    assert signing.get(START) == "GOOD-1"
    assert not signing.stale


def test_an_outage_hides_no_cause_that_is_known(source: Source) -> None:
    """Who may not read the secret is not told that nobody answers."""
    breaker = CircuitBreaker()
    source.answer = SecretUnavailable("access-denied", "The function may not read the secret.")
    cached = source.cached(breaker=breaker)
    with pytest.raises(SecretUnavailable):
        cached.get(START)
    breaker.trip(START + 30)

    with pytest.raises(SecretUnavailable) as refused:
        cached.get(START + 30)

    assert refused.value.code == "access-denied"


def test_a_refused_secret_makes_no_other_wait(source: Source) -> None:
    """What is wrong with one secret says nothing about the other."""
    other, breaker = Source(), CircuitBreaker()
    source.answer = SecretUnavailable("access-denied", "The function may not read the secret.")
    with pytest.raises(SecretUnavailable):
        source.cached(breaker=breaker).get(START)

    assert other.cached(breaker=breaker).get(START) == "GOOD-1"


def test_a_failure_is_a_new_exception_each_time(source: Source) -> None:
    """One that is raised again and again keeps every request that it passed through."""
    cached = source.cached()
    source.answer = SILENCE
    failures = []
    for _ in range(2):
        with pytest.raises(SecretUnavailable) as refused:
            cached.get(START)
        failures.append(refused.value)

    assert failures[0] is not failures[1]


def test_a_secret_of_bytes_is_no_key_document(secrets_manager: SecretsManagerClient) -> None:
    """Nor is it an empty one, which a key may be stored over."""
    secrets_manager.create_secret(Name="key", SecretBinary=b"bytes")

    with pytest.raises(SecretUnavailable) as refused:
        fetch_version(secrets_manager, "key")

    assert refused.value.code == "not-a-key-document"


def test_a_bug_is_not_taken_for_an_outage() -> None:
    """What nobody expected is raised, not outlived."""

    def broken(refresh: object) -> KeyVersion:
        raise ZeroDivisionError(refresh)

    cached = CachedSecret(
        broken,
        json.loads,
        breaker=CircuitBreaker(),
        trips_breaker=True,
        max_stale_seconds=STALE,
        warn=print,
    )

    with pytest.raises(ZeroDivisionError):
        cached.get(START)

"""The public keys of a stack, in SSM Parameter Store, and what a container keeps of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.parsers import ResponseParserError
from msgspec.structs import replace

from jitsi_tokens.core import problems
from jitsi_tokens.core.problems import Problem
from jitsi_tokens.core.public_keys import PublicKey, name_of, write_public_key
from jitsi_tokens.publication import CachedPublication, OtherKeyPublished, Publication
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from mypy_boto3_ssm import SSMClient

NOW = 1_800_000_000
PATH = "/jitsi-tokens/test/public-keys"
OUTAGES = [
    ClientError({"Error": {"Code": "ThrottlingException"}}, "GetParametersByPath"),
    ConnectTimeoutError(endpoint_url="https://ssm"),
    ResponseParserError("an answer that is no XML"),
]
BREAKER = OUTAGES[0]


@pytest.fixture
def ssm(aws: None) -> SSMClient:  # noqa: ARG001
    """Return a client of the stand-in."""
    return boto3.client("ssm")


@pytest.fixture
def publication(ssm: SSMClient) -> Publication:
    """Return a stack's public keys: none yet."""
    return Publication(ssm, PATH)


@pytest.fixture
def key(rsa_pool: list[RSAPrivateKey]) -> PublicKey:
    """Return a key to publish."""
    return public_key_of(rsa_pool[0])


@pytest.fixture
def other(rsa_pool: list[RSAPrivateKey]) -> PublicKey:
    """Return another one."""
    return public_key_of(rsa_pool[1], published_at=NOW + 1)


def stored(ssm: SSMClient) -> dict[str, str | None]:
    """Return all parameters and their versions' numbers and values."""
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path="/", Recursive=True)
    return {
        parameter["Name"]: f"{parameter['Version']}: {parameter['Value']}"
        for page in pages
        for parameter in page["Parameters"]
    }


def fail_with(ssm: SSMClient, operation: str, code: str) -> None:
    """Let AWS refuse an operation from now on."""

    def refuse(**_arguments: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "x"}}, operation)

    ssm.meta.events.register(f"before-call.ssm.{operation}", refuse)


# The parameters


def test_a_published_key_is_found(
    publication: Publication, ssm: SSMClient, key: PublicKey, other: PublicKey
) -> None:
    """Each under its own name, in plain text: there is nothing secret about it."""
    publication.publish(key)
    publication.publish(other)

    assert publication.keys() == {key.name: key, other.name: other}
    parameter = ssm.get_parameter(Name=f"{PATH}/{key.name}")["Parameter"]
    assert parameter["Type"] == "String"


def test_publishing_again_changes_nothing(
    publication: Publication, ssm: SSMClient, key: PublicKey
) -> None:
    """Neither when it was published nor its end."""
    publication.publish(key)
    publication.expire(key, NOW + 60)
    before = stored(ssm)

    publication.publish(replace(key, published_at=NOW + 1000))

    assert stored(ssm) == before


def test_a_kid_is_one_keys(publication: Publication, ssm: SSMClient, rsa_pool: Any) -> None:
    """Another key under it is refused: Prosody keeps the first one until it restarts."""
    publication.publish(public_key_of(rsa_pool[0], "kid"))
    before = stored(ssm)

    with pytest.raises(OtherKeyPublished):
        publication.publish(public_key_of(rsa_pool[1], "kid"))

    assert stored(ssm) == before


def test_what_is_no_key_is_not_written_over(
    publication: Publication, ssm: SSMClient, key: PublicKey
) -> None:
    """It is not served, so the rotation's test step refuses the key: find out who wrote it."""
    ssm.put_parameter(Name=f"{PATH}/{key.name}", Value="rubbish", Type="String")
    before = stored(ssm)

    publication.publish(key)

    assert publication.keys() == {}
    assert stored(ssm) == before


def test_a_key_that_was_withdrawn_meanwhile_does_not_come_back(
    publication: Publication, ssm: SSMClient, key: PublicKey
) -> None:
    """The rotation read it a moment before: what leaked stays unpublished."""
    publication.publish(key)
    publication.withdraw(key.kid)

    publication.expire(key, NOW + 3600)

    assert stored(ssm) == {}


def test_a_key_can_be_given_an_end_and_another_and_none(
    publication: Publication, key: PublicKey, other: PublicKey
) -> None:
    """It stays published, the same but for that; other keys stay as they are."""
    publication.publish(key)
    publication.publish(other)

    ends = []
    for expires_at in (NOW + 60, NOW + 30, None):
        publication.expire(key, expires_at)
        ends.append(publication.keys()[key.name])

    assert ends == [replace(key, expires_at=end) for end in (NOW + 60, NOW + 30, None)]
    assert publication.keys()[other.name] == other


def test_a_withdrawn_key_is_gone(
    publication: Publication, key: PublicKey, other: PublicKey
) -> None:
    """By its `kid`; whoever withdraws it again is told that it was not there."""
    publication.publish(key)
    publication.publish(other)

    answers = [publication.withdraw(key.kid) for _ in range(2)]

    assert answers == [True, False]
    assert publication.keys() == {other.name: other}


def test_what_is_no_key_is_left_out(
    publication: Publication, ssm: SSMClient, key: PublicKey
) -> None:
    """Another stack's, what is nested, encrypted or malformed, and a key under another's name."""
    publication.publish(key)
    text = write_public_key(key)
    for name, value in {
        f"{PATH}/{name_of('another')}": text,
        f"{PATH}/{key.name.upper()}": text,
        f"{PATH}/{key.name}.pem": text,
        f"{PATH}/nested/{key.name}": text,
        f"{PATH}-of-another-stack/{key.name}": text,
        f"{PATH}/{name_of('rubbish')}": "rubbish",
        f"{PATH}/{name_of('list')}": "[" * 4000 + "]" * 90,
    }.items():
        ssm.put_parameter(Name=name, Value=value, Type="String")
    ssm.put_parameter(Name=f"{PATH}/{name_of('s')}", Value=text, Type="SecureString")

    assert publication.keys() == {key.name: key}


def test_more_keys_than_a_page_holds_are_found(publication: Publication, rsa_pool: Any) -> None:
    """SSM answers ten at a time."""
    keys = [public_key_of(rsa_pool[0], f"kid-{number}") for number in range(23)]
    for key in keys:
        publication.publish(key)

    assert publication.keys() == {key.name: key for key in keys}


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ParameterNotFound", "InternalServerError"]
)
def test_publishing_fails_where_aws_refuses(
    publication: Publication, ssm: SSMClient, key: PublicKey, code: str
) -> None:
    """Only a parameter that is there already is what it may be."""
    fail_with(ssm, "PutParameter", code)

    with pytest.raises(ClientError, match=code):
        publication.publish(key)
    with pytest.raises(ClientError, match=code):
        publication.expire(key, NOW)


@pytest.mark.parametrize("code", ["AccessDeniedException", "ParameterAlreadyExists", "Internal"])
def test_withdrawing_fails_where_aws_refuses(
    publication: Publication, ssm: SSMClient, key: PublicKey, code: str
) -> None:
    """Only a parameter that is not there is no failure."""
    publication.publish(key)
    fail_with(ssm, "DeleteParameter", code)

    with pytest.raises(ClientError, match=code):
        publication.withdraw(key.kid)

    assert publication.keys() == {key.name: key}


def test_reading_fails_where_aws_refuses(publication: Publication, ssm: SSMClient) -> None:
    """What cannot be read is not taken for none."""
    fail_with(ssm, "GetParametersByPath", "AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDeniedException"):
        publication.keys()


# What a container keeps


class Source:
    """What is published, its readings counted; it can be made to fail."""

    def __init__(self, *keys: PublicKey) -> None:
        self.reads = 0
        self.error: Exception | None = None
        self.published = {key.name: key for key in keys}

    def keys(self) -> dict[str, PublicKey]:
        """Answer as the publication does."""
        self.reads += 1
        if self.error:
            raise self.error
        return dict(self.published)

    def add(self, key: PublicKey) -> None:
        """Publish a key."""
        self.published[key.name] = key

    def cached(self) -> CachedPublication:
        """Return the cache in front of it."""
        same: Any = self
        return CachedPublication(first_fetch=same, refresh=same)


@pytest.fixture
def source(key: PublicKey) -> Source:
    """Return a publication of one key."""
    return Source(key)


def refusal(problem: pytest.ExceptionInfo[Problem]) -> tuple[str, int | None]:
    """Return the kind of a problem, and when to try again."""
    return problem.value.kind.name, problem.value.retry_after_seconds


UNAVAILABLE = (problems.UNAVAILABLE.name, 5)


def test_what_is_published_is_read_once_a_minute(source: Source, key: PublicKey) -> None:
    """SSM answers forty reads a second to the whole account."""
    cached = source.cached()

    for after in (0, 1, 30, 59.9):
        assert cached.find(key.name, NOW + after) == key
        assert cached.all(NOW + after) == [key]
    reads_at_first = source.reads
    cached.find(key.name, NOW + 60)

    assert (reads_at_first, source.reads) == (1, 2)


def test_a_withdrawn_key_is_forgotten_after_a_minute(source: Source, key: PublicKey) -> None:
    """When it is read again."""
    cached = source.cached()
    cached.all(NOW)
    source.published.clear()

    found = [cached.find(key.name, NOW + after) for after in (59.9, 60)]

    assert found == [key, None]
    assert cached.all(NOW + 60) == []


def test_a_flood_of_unknown_names_reads_hardly_more(source: Source) -> None:
    """Anybody may ask for a key, and others in the account read SSM too."""
    cached = source.cached()

    for number in range(1000):
        assert cached.find(name_of(str(number)), NOW + number * 0.004) is None

    assert source.reads <= 2


def test_a_minute_of_unknown_names_reads_a_handful(source: Source, key: PublicKey) -> None:
    """While what is known is found as before."""
    cached = source.cached()

    for number in range(1200):
        assert cached.find(name_of(str(number)), NOW + number * 0.05) is None
        assert cached.find(key.name, NOW + number * 0.05) == key

    assert source.reads <= 14


@pytest.mark.parametrize("published_after", [0.0, 0.1, 3.0, 59.0, 61.0])
def test_a_new_key_is_found_within_five_seconds(
    source: Source, other: PublicKey, published_after: float
) -> None:
    """Whoever asks for it by name, and however often before: Jitsi asks once a login."""
    cached = source.cached()
    for tick in range(int(published_after * 10) + 1):
        assert cached.find(other.name, NOW + tick / 10) is None
    source.add(other)

    found = [cached.find(other.name, NOW + published_after + tick / 10) for tick in range(51)]

    assert found[-1] == other
    assert found.index(other) == found.count(None)


def test_a_new_key_that_nobody_asked_for_is_in_the_set_within_a_minute(
    source: Source, other: PublicKey
) -> None:
    """The set is renewed by its age; a name that was found renews it too."""
    cached = source.cached()
    cached.all(NOW)
    source.add(other)

    sets = [len(cached.all(NOW + after)) for after in (59.9, 60)]

    assert sets == [1, 2]


def test_a_name_that_was_looked_for_renews_all(source: Source, other: PublicKey) -> None:
    """What one caller found the next one is told of."""
    cached = source.cached()
    cached.all(NOW)
    source.add(other)
    cached.find(other.name, NOW + 5)

    assert other in cached.all(NOW + 5)
    assert source.reads == 2


@pytest.mark.parametrize("error", OUTAGES, ids=["throttled", "timeout", "unreadable"])
def test_what_is_known_is_outlived_when_ssm_fails(
    source: Source, key: PublicKey, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """However long: a login depends on it. With a warning for each reading that failed."""
    cached = source.cached()
    cached.all(NOW)
    source.error = error

    found = [cached.find(key.name, NOW + after) for after in (60, 61, 86_400)]

    assert found == [key] * 3
    assert cached.all(NOW + 86_400) == [key]
    assert source.reads == 3
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["level"], line["cause"]) for line in logged] == [
        ("WARNING", type(error).__name__)
    ] * 2


def test_an_unknown_name_is_a_503_while_ssm_fails(source: Source, other: PublicKey) -> None:
    """A 404 would be kept by Prosody's caller as the answer; it may be a key that is new."""
    cached = source.cached()
    cached.all(NOW)
    source.error = BREAKER

    for after in (5, 6, 9.9, 10, 60, 3600):
        with pytest.raises(Problem) as refused:
            cached.find(other.name, NOW + after)
        assert refusal(refused) == UNAVAILABLE


def test_an_unknown_name_is_none_again_once_ssm_answers(source: Source, other: PublicKey) -> None:
    """And a new key is found."""
    cached = source.cached()
    cached.all(NOW)
    source.error = BREAKER
    with pytest.raises(Problem):
        cached.find(other.name, NOW + 5)
    source.error = None
    source.add(other)

    assert cached.find(name_of("unknown"), NOW + 10) is None
    assert cached.find(other.name, NOW + 10) == other


@pytest.mark.parametrize("error", OUTAGES, ids=["throttled", "timeout", "unreadable"])
def test_a_failure_before_anything_was_read_is_a_503(
    source: Source, key: PublicKey, error: Exception
) -> None:
    """It is tried again after five seconds, and not before."""
    cached = source.cached()
    source.error = error

    for after in (0, 1, 4.9):
        with pytest.raises(Problem) as refused:
            cached.find(key.name, NOW + after)
        assert refusal(refused) == UNAVAILABLE
        with pytest.raises(Problem) as refused:
            cached.all(NOW + after)
        assert refusal(refused) == UNAVAILABLE

    assert source.reads == 1
    source.error = None
    assert cached.find(key.name, NOW + 5) == key
    assert source.reads == 2


def test_an_outage_is_tried_every_five_seconds(source: Source, key: PublicKey) -> None:
    """Whatever is asked for: known, unknown or all."""
    cached = source.cached()
    cached.all(NOW)
    source.error = BREAKER

    for tick in range(600, 900):
        cached.find(key.name, NOW + tick / 10)
        cached.all(NOW + tick / 10)
        with pytest.raises(Problem):
            cached.find(name_of("unknown"), NOW + tick / 10)

    assert source.reads == 1 + 6


def test_a_key_is_served_until_its_end_and_not_after(key: PublicKey, other: PublicKey) -> None:
    """Also out of what is kept, and while SSM fails."""
    source = Source(replace(key, expires_at=NOW + 30), replace(other, expires_at=NOW + 90))
    cached = source.cached()

    before = [cached.find(key.name, NOW + after) is not None for after in (0, 29.9)]
    sets = [len(cached.all(NOW + after)) for after in (0, 29.9, 30)]
    over = cached.find(key.name, NOW + 30)
    source.error = BREAKER

    assert before == [True, True]
    assert sets == [2, 2, 1]
    assert over is None
    assert [len(cached.all(NOW + after)) for after in (89.9, 90)] == [1, 0]


def test_a_clock_that_goes_backwards_reads_again(source: Source, other: PublicKey) -> None:
    """What was read in the future is not kept until the clock is right again."""
    cached = source.cached()
    cached.all(NOW)
    source.add(other)

    assert other in cached.all(NOW - 3600)
    assert cached.find(name_of("unknown"), NOW - 3600 + 4.9) is None
    assert source.reads == 2

"""The public keys of a stack, in SSM Parameter Store: one parameter a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from msgspec.structs import replace

from jitsi_tokens.core.public_keys import PublicKey, name_of, write_public_key
from jitsi_tokens.publication import OtherKeyPublished, Publication
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from mypy_boto3_ssm import SSMClient

NOW = 1_800_000_000
PATH = "/jitsi-tokens/test/public-keys"


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


def test_a_published_key_is_found_and_withdrawn(
    publication: Publication, ssm: SSMClient, key: PublicKey, other: PublicKey
) -> None:
    """Each under its own name, in plain text; a second withdrawal finds nothing."""
    publication.publish(key)
    publication.publish(other)

    assert publication.keys() == {key.name: key, other.name: other}
    assert ssm.get_parameter(Name=f"{PATH}/{key.name}")["Parameter"]["Type"] == "String"
    assert [publication.withdraw(key.kid) for _ in range(2)] == [True, False]
    assert publication.keys() == {other.name: other}


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
    ("operation", "code"),
    [
        ("PutParameter", "AccessDeniedException"),
        ("PutParameter", "ParameterNotFound"),
        ("DeleteParameter", "AccessDeniedException"),
        ("DeleteParameter", "ParameterAlreadyExists"),
        ("GetParametersByPath", "AccessDeniedException"),
    ],
)
def test_what_aws_refuses_is_not_taken_for_an_answer(
    publication: Publication, ssm: SSMClient, key: PublicKey, operation: str, code: str
) -> None:
    """Only a parameter that is there already, or is not there, is no failure."""

    def refuse(**_arguments: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "x"}}, operation)

    publication.publish(key)
    ssm.meta.events.register(f"before-call.ssm.{operation}", refuse)
    calls: dict[str, list[Callable[[], object]]] = {
        "PutParameter": [lambda: publication.publish(key), lambda: publication.expire(key, NOW)],
        "DeleteParameter": [lambda: publication.withdraw(key.kid)],
        "GetParametersByPath": [publication.keys],
    }

    for call in calls[operation]:
        with pytest.raises(ClientError, match=code):
            call()

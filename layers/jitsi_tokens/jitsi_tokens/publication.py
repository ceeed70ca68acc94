"""The public keys of a stack, in SSM Parameter Store: one parameter a key, nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from msgspec.structs import replace

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.problems import UNAVAILABLE, Problem
from jitsi_tokens.core.public_keys import as_served, name_of, read_public_key, write_public_key
from jitsi_tokens.telemetry import logger

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

    from jitsi_tokens.core.public_keys import PublicKey

# SSM answers 40 reads a second to the whole account, and anybody may ask for a key.
FRESH_SECONDS = 60
UNKNOWN_SECONDS = 5


class OtherKeyPublished(Exception):
    """Another key is published under this `kid`: nothing was changed."""


class Publication:
    """The parameters below one path, each under the name that Prosody asks for."""

    def __init__(self, client: SSMClient, path: str) -> None:
        self._client = client
        self._path = path

    def keys(self) -> dict[str, PublicKey]:
        """Return the published keys by name, also those whose time is over.

        What cannot be read as a key of its name is left out.
        """
        pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=self._path)
        found = {}
        for page in pages:
            for parameter in page["Parameters"]:
                name = parameter.get("Name", "").rpartition("/")[2]
                if key := read_public_key(parameter.get("Value", ""), name):
                    found[name] = key
        return found

    def publish(self, key: PublicKey) -> None:
        """Publish a key; one that is published already stays as it is.

        Raises:
            OtherKeyPublished: the `kid` is another key's.
        """
        try:
            self._client.put_parameter(
                Name=f"{self._path}/{key.name}",
                Description="A public key of meeting tokens. Nothing secret.",
                Value=write_public_key(key),
                Type="String",
                Overwrite=False,
            )
        except ClientError as error:
            if error_code(error) != "ParameterAlreadyExists":
                raise
            # SSM may not list yet what it has stored a moment ago.
            present = self.keys().get(key.name)
            if present is not None and present.pem != key.pem:
                raise OtherKeyPublished from None

    def expire(self, key: PublicKey, expires_at: int | None) -> None:
        """Let a published key end; `expires_at` in epoch seconds, None for no end."""
        written = self._client.put_parameter(
            Name=f"{self._path}/{key.name}",
            Value=write_public_key(replace(key, expires_at=expires_at)),
            Type="String",
            Overwrite=True,
        )
        if written["Version"] == 1:
            # It was withdrawn since it was read: what leaked does not come back.
            self.withdraw(key.kid)

    def withdraw(self, kid: str) -> bool:
        """Unpublish a key; False where it was not published."""
        try:
            self._client.delete_parameter(Name=f"{self._path}/{name_of(kid)}")
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return False
        return True


class CachedPublication:
    """What is published, read once a minute, outlived when SSM fails.

    A name that is not known may be new: it is looked for, but at most every five seconds.
    Times are epoch seconds, handed in.

    Args:
        first_fetch: asks while there is nothing to answer with.
        refresh: asks while there is: its client had better not wait long.
    """

    def __init__(self, first_fetch: Publication, refresh: Publication) -> None:
        self._first_fetch = first_fetch
        self._refresh = refresh
        self._keys: dict[str, PublicKey] | None = None
        self._read_at = 0.0
        self._tried_at = 0.0
        self._failed = False

    def find(self, name: str, now: float) -> PublicKey | None:
        """Return the key of a name; None where none is published under it.

        Raises:
            Problem: 503, SSM fails, so that nobody can tell.
        """
        if key := self._served(now).get(name):
            return key
        self._renew(now)
        key = self._served(now).get(name)
        if key is None and self._failed:
            raise _unavailable()
        return key

    def all(self, now: float) -> list[PublicKey]:
        """Return all keys that are published.

        Raises:
            Problem: 503, SSM fails and there is no earlier answer.
        """
        return list(self._served(now).values())

    def _served(self, now: float) -> dict[str, PublicKey]:
        if not 0 <= now - self._read_at < FRESH_SECONDS:
            self._renew(now)
        if self._keys is None:
            raise _unavailable()
        return {name: key for name, key in self._keys.items() if key.is_served(now)}

    def _renew(self, now: float) -> None:
        if 0 <= now - self._tried_at < UNKNOWN_SECONDS:
            return
        self._tried_at = now
        try:
            publication = self._first_fetch if self._keys is None else self._refresh
            kept = publication.keys()
        except Exception as error:  # noqa: BLE001 - botocore raises more than its own base class
            self._failed = True
            logger().warning("the public keys cannot be read", cause=type(error).__name__)
        else:
            self._keys = {name: key for name, each in kept.items() if (key := as_served(each))}
            self._failed = False
            self._read_at = now


def _unavailable() -> Problem:
    return Problem(
        UNAVAILABLE, "The public keys cannot be read.", retry_after_seconds=UNKNOWN_SECONDS
    )

"""Secrets Manager: fetch a secret, keep what was made of it, outlive an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from jitsi_tokens.keys import KeyRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_secretsmanager import SecretsManagerClient

FRESH_SECONDS = 300
RETRY_SECONDS = 30


class SecretUnavailable(Exception):
    """There is no value to work with. `code` and text name the cause and hold no content."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Version(NamedTuple):
    """One version of a secret; its content stays out of its repr."""

    id: str
    text: str
    created_at: datetime

    def __repr__(self) -> str:
        return f"Version(id={self.id!r})"


def fetch_current(client: SecretsManagerClient, secret_id: str) -> Version:
    """Return the version labelled AWSCURRENT.

    Raises:
        SecretUnavailable: with the cause.
    """
    try:
        answer = client.get_secret_value(SecretId=secret_id)
    except ClientError as error:
        raise _refused(error.response.get("Error", {}).get("Code", "")) from None
    except Exception as error:  # noqa: BLE001 - botocore raises more than its own base class
        raise SecretUnavailable(
            "unreachable", f"Secrets Manager did not answer ({type(error).__name__})."
        ) from None
    text = answer.get("SecretString", "")
    if not text and not answer.get("SecretBinary"):
        raise SecretUnavailable("no-key", "The secret is empty.")
    return Version(answer["VersionId"], text, answer["CreatedDate"])


class CachedSecret[T]:
    """What was made of a secret: fresh for five minutes, refreshed then, outlived meanwhile.

    A failed refresh is not repeated for 30 seconds. Times are epoch seconds, handed in.
    """

    def __init__(
        self,
        fetch: Callable[[], Version],
        make: Callable[[str], T],
        *,
        max_stale_seconds: int,
        warn: Callable[[SecretUnavailable], None],
    ) -> None:
        self._fetch = fetch
        self._make = make
        self._usable_seconds = FRESH_SECONDS + max_stale_seconds
        self._warn = warn
        self._value: T | None = None
        self._version_id: str | None = None
        self._fetched_at = 0.0
        self._failure: SecretUnavailable | None = None
        self._failed_at = 0.0

    @property
    def stale(self) -> bool:
        """Whether the last refresh failed, so that a value may be the last known good one."""
        return self._failure is not None

    def get(self, now: float) -> T:
        """Return the value.

        Raises:
            SecretUnavailable: there is none, or none recent enough.
        """
        if self._value is None or not 0 <= now - self._fetched_at < FRESH_SECONDS:
            self._refresh(now)
        if self._value is not None and now - self._fetched_at < self._usable_seconds:
            return self._value
        raise self._failure or SecretUnavailable("unreachable", "No value was ever fetched.")

    def _refresh(self, now: float) -> None:
        if self._failure and 0 <= now - self._failed_at < RETRY_SECONDS:
            return
        try:
            version = self._fetch()
            if self._value is None or version.id != self._version_id:
                self._value = self._make(version.text)
                self._version_id = version.id
        except (SecretUnavailable, KeyRefused) as error:
            self._failure = SecretUnavailable(error.code, str(error))
            self._failed_at = now
            self._warn(self._failure)
            return
        self._fetched_at = now
        self._failure = None


def _refused(code: str) -> SecretUnavailable:
    match code:
        case "ResourceNotFoundException":
            return SecretUnavailable("no-key", "The secret has no current version.")
        case "AccessDeniedException" | "DecryptionFailure":
            return SecretUnavailable(
                "access-denied", "The function may not read the secret, or not decrypt it."
            )
        case _:
            return SecretUnavailable("unreachable", f"Secrets Manager refused: {code}.")

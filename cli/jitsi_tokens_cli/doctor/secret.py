"""The check of the signing secret: what is told of it, and the key in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.keys import KeyRefused, read_key
from jitsi_tokens.secrets import SecretUnavailable
from jitsi_tokens.secrets_manager import fetch_version
from jitsi_tokens.status import facts_of
from jitsi_tokens_cli.checks import Check, failed, passed, skipped
from jitsi_tokens_cli.doctor.unknown import Unknown, attempt
from jitsi_tokens_cli.signing_secret import MAY_NOT_READ

if TYPE_CHECKING:
    from datetime import datetime

    from jitsi_tokens.status import KeyFacts
    from jitsi_tokens_cli.stack import Stack

# A step lasts a quarter of an hour at most, and Secrets Manager repeats what failed.
ROTATION_SECONDS = 30 * 60
_NAME = "signing-secret"
_GONE = failed(
    _NAME,
    "The signing secret is gone.",
    "It cannot be restored, and CloudFormation does not make it anew: deploy a stack under another"
    " name, and give it a key and clients.",
)


class Secret(NamedTuple):
    """What Secrets Manager tells of the signing secret, its content apart."""

    described: dict[str, Any]

    @property
    def exists(self) -> bool:
        """Whether it is there, and not to be deleted."""
        return bool(self.described) and "DeletedDate" not in self.described

    def version_of(self, label: str) -> str | None:
        """Return the version that carries a label."""
        versions: dict[str, list[str]] = self.described.get("VersionIdsToStages", {})
        return next((id_ for id_, labels in versions.items() if label in labels), None)

    def time_of(self, name: str) -> datetime | None:
        """Return one of its times."""
        moment: datetime | None = self.described.get(name)
        return moment

    def changed_since(self, moment: float) -> bool:
        """Tell whether anything of it changed after a time in epoch seconds."""
        times = [self.time_of("LastChangedDate"), self.time_of("CreatedDate")]
        return any(time and time.timestamp() > moment for time in times)


def describe(stack: Stack) -> Secret | Unknown:
    """Return what is told of the signing secret; nothing where there is none."""

    def read() -> Secret:
        client = stack.client("secretsmanager")
        try:
            return Secret(client.describe_secret(SecretId=stack.signing_secret))
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            return Secret({})

    return attempt(read)


def secret_check(
    stack: Stack, secret: Secret | Unknown, now: float
) -> tuple[Check, KeyFacts | None]:
    """Read the key as the stack does; return what may be told of it too."""
    if isinstance(secret, Secret) and not secret.described:
        return _GONE, None
    try:
        version = fetch_version(stack.client("secretsmanager"), stack.signing_secret)
        key = read_key(version.text, algorithm=stack.algorithm, kid_prefix=stack.kid_prefix)
    except SecretUnavailable as error:
        return _unavailable(stack, secret, error, now), None
    except KeyRefused as error:
        return _refused(stack, error.code, str(error)), None
    facts = facts_of(key, version.created_at)
    return passed(_NAME, f"It holds the key {facts.kid} ({facts.algorithm}), which signs."), facts


def unread_check(stack: Stack, secret: Secret | Unknown) -> Check:
    """Judge the secret by what is told of it, its content left alone."""
    if isinstance(secret, Unknown):
        return secret.skipped(_NAME)
    if not secret.described:
        return _GONE
    if not secret.exists:
        return _refused(stack, "secret-deleted", "The secret is scheduled for deletion.")
    return skipped(_NAME, "It is there, and was not read (--without-key).")


def _unavailable(
    stack: Stack, secret: Secret | Unknown, error: SecretUnavailable, now: float
) -> Check:
    match error.code:
        case "access-denied":
            return Unknown(MAY_NOT_READ, denied=True).skipped(_NAME)
        case "unreachable":
            return Unknown(str(error), obstructed=True).skipped(_NAME)
        case "no-key" if _is_first_key_coming(stack, secret, now):
            return failed(
                _NAME,
                "There is no key yet: the first rotation is making it.",
                "Wait: `jitsi-tokens doctor --wait`. Where it lasts, the log of RotateSigningKey"
                " says why.",
            )._replace(transient=True)
    return _refused(stack, error.code, str(error))


def _is_first_key_coming(stack: Stack, secret: Secret | Unknown, now: float) -> bool:
    return (
        stack.rotates_by_schedule
        and isinstance(secret, Secret)
        and secret.changed_since(now - ROTATION_SECONDS)
    )


def _refused(stack: Stack, code: str, what: str) -> Check:
    return failed(_NAME, what, stack.finding(code).remedy)

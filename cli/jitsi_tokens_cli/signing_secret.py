"""The secret that holds the signing key, read for a person who may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.secrets import CURRENT
from jitsi_tokens_cli.errors import CommandError, Unreachable, aws_sentence

if TYPE_CHECKING:
    from jitsi_tokens.secrets import KeyVersion
    from jitsi_tokens_cli.stack import Stack

MAY_NOT_READ = (
    "Missing permission on the signing secret: secretsmanager:GetSecretValue or kms:Decrypt."
)
_DENIED = ("AccessDeniedException", "DecryptionFailure")


class MayNotRead(Unreachable):
    """The caller lacks a permission on the signing secret."""

    def __init__(self) -> None:
        super().__init__(MAY_NOT_READ)


def read_version(stack: Stack, label: str, version_id: str = "") -> KeyVersion | None:
    """Return a version by its label, or with an empty label by its id.

    None where it does not exist or has no value.

    Raises:
        MayNotRead: the caller may not read it.
        CommandError: the secret is scheduled for deletion.
    """
    try:
        version = stack.secret.get(label, version_id)
    except ClientError as error:
        code = error_code(error)
        if code == "InvalidRequestException":
            raise CommandError(
                "The stack's signing secret cannot be read: it is scheduled for deletion. `aws"
                f" secretsmanager restore-secret --region {stack.region} --secret-id"
                f" '{stack.signing_secret}'` restores it."
            ) from None
        if code in _DENIED:
            raise MayNotRead from None
        raise
    return version if version and (version.text or version.holds_bytes) else None


def labelled_version(stack: Stack, label: str = CURRENT) -> KeyVersion | None:
    """Return the version under a label: the current one, unless another label is named.

    None where there is none, or it has no value.

    Raises:
        CommandError: it cannot be read.
    """
    try:
        return read_version(stack, label)
    except (ClientError, BotoCoreError) as error:
        raise Unreachable(
            f"The stack's signing secret cannot be read. {aws_sentence(error)}"
        ) from None

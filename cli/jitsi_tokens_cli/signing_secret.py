"""The secret that holds the signing key: read, and replaced as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens.core.keys import KeyDocument, read_key
from jitsi_tokens.secrets import CURRENT, KeyVersion, SecretUnavailable
from jitsi_tokens.secrets_manager import fetch_version
from jitsi_tokens_cli.errors import CommandError, Unreachable, aws_sentence
from jitsi_tokens_cli.inputs import confirm

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import SigningKey
    from jitsi_tokens_cli.stack import Stack

MAY_NOT_READ = (
    "You may not read the stack's signing secret, or not decrypt it: it takes"
    " secretsmanager:GetSecretValue and kms:Decrypt."
)


class Stored(NamedTuple):
    """A key that the secret holds, and the id of the version that does."""

    key: SigningKey
    version_id: str


def current_version(stack: Stack) -> KeyVersion | None:
    """Return what the secret holds; None before it was ever given a key.

    Raises:
        CommandError: it cannot be read.
    """
    try:
        return _fetch(stack)
    except SecretUnavailable as error:
        if error.code == "no-key":
            return None
        raise _cannot_be_read(error) from None


def allow_change(stack: Stack, *, replace: bool, yes: bool) -> None:
    """Let a key be stored where there is none, or where the operator means to replace it.

    Raises:
        CommandError: there is a key and no leave to replace it, or nobody can tell.
    """
    try:
        _fetch(stack)
    except SecretUnavailable as error:
        if error.code == "no-key":
            return
        # What is no key document may be somebody's key all the same, and can be replaced.
        if error.code != "not-a-key-document":
            raise _cannot_be_read(error) from None
    if not replace:
        raise CommandError(
            f"The stack {stack.name} has a signing key (`key show` tells which). Add --replace to"
            " put another in its place."
        )
    confirm(f"Replace the signing key of {stack.name}?", yes=yes)


def store(stack: Stack, document: KeyDocument) -> Stored:
    """Make a document the secret's current version, once it has proved to sign.

    Raises:
        KeyRefused: the stack could not sign with it.
        Unreachable: Secrets Manager did not take it.
    """
    key = read_key(document.text(), algorithm=stack.algorithm, kid_prefix=stack.kid_prefix)
    try:
        return Stored(key, stack.secret.put(document, CURRENT))
    except ClientError as error:
        raise Unreachable(f"The key was not stored. {aws_sentence(error)}") from None
    except BotoCoreError as error:
        raise Unreachable(
            "It is not known whether the key was stored: look with `key show`."
            f" {aws_sentence(error)}"
        ) from None


def _fetch(stack: Stack) -> KeyVersion:
    return fetch_version(stack.client("secretsmanager"), stack.signing_secret)


def _cannot_be_read(error: SecretUnavailable) -> CommandError:
    if error.code == "access-denied":
        return Unreachable(MAY_NOT_READ)
    refused = Unreachable if error.code == "unreachable" else CommandError
    return refused(f"The stack's signing secret cannot be read. {error}")

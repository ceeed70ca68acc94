"""The labelled versions of the signing secret: which they are, what they hold, how labels move."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Literal, NamedTuple, assert_never

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.keys import read_key
from jitsi_tokens.secrets import CURRENT, PREVIOUS
from jitsi_tokens_cli.errors import CommandError, Unreachable, aws_sentence
from jitsi_tokens_cli.signing_secret import MAY_NOT_READ

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import KeyDocument, SigningKey
    from jitsi_tokens.secrets import KeyVersion
    from jitsi_tokens_cli.stack import Stack

# Ours: AWSPENDING is a rotation's, and fails every later one where it is left behind.
NEXT = "NEXT"

# The kinds of stack whose keys a person changes.
type ByHand = Literal["console", "shared"]

_DENIED = ("AccessDeniedException", "DecryptionFailure")


class KeyVersions(NamedTuple):
    """What a person's change of a key is about; each None where there is none."""

    current: KeyVersion | None
    previous: KeyVersion | None
    staged: KeyVersion | None

    def signing_kid(self) -> str:
        """Return the kid that signs now, or say that none does."""
        return (self.current.kid if self.current else "") or "no key"

    def is_promoted(self, staged: KeyVersion) -> bool:
        """Tell whether a staged key is the current one, or the one before."""
        return any(
            version is not None
            and version.id != staged.id
            and staged.document is not None
            and version.has_key_of(staged.document)
            for version in (self.current, self.previous)
        )

    def holder_of(self, kid: str) -> KeyVersion | None:
        """Return the key, current or previous, that goes by an id."""
        return next((v for v in (self.current, self.previous) if v and v.kid == kid), None)


def changed_by_hand(stack: Stack) -> ByHand:
    """Return the kind of a stack whose keys a person changes.

    Raises:
        CommandError: this one makes its own.
    """
    match stack.trust:
        case "console" | "shared":
            return stack.trust
        case "published":
            raise CommandError(
                "This stack makes its own keys by rotation, and publishes them for Jitsi. To"
                " rotate now:\n"
                f"  {stack.rotate_secret_command}\n"
                "A key that leaked is unpublished with `key withdraw`."
            )
        case _:
            assert_never(stack.trust)


def read(stack: Stack, version_id: str | None) -> KeyVersion | None:
    """Return a version, labelled or not; None where it does not exist or has no value.

    Raises:
        Unreachable: the caller may not read it.
        CommandError: the secret is scheduled for deletion.
    """
    if version_id is None:
        return None
    try:
        version = stack.secret.get("", version_id)
    except ClientError as error:
        code = error_code(error)
        if code == "InvalidRequestException":
            raise CommandError(
                "The stack's signing secret cannot be read: it is scheduled for deletion."
            ) from None
        if code in _DENIED:
            raise Unreachable(MAY_NOT_READ) from None
        raise
    return version if version and (version.text or version.holds_bytes) else None


def read_all(stack: Stack) -> KeyVersions:
    """Return the versions that a person's change is about. A rotation's is none of them."""
    at = stack.secret.labels()
    return KeyVersions(*(read(stack, at.get(label)) for label in (CURRENT, PREVIOUS, NEXT)))


def tried(stack: Stack, document: KeyDocument) -> SigningKey:
    """Return a document's key after it has signed and verified.

    A key that 8x8 has given no id yet goes by a stand-in.

    Raises:
        KeyRefused: the stack could not sign with it.
    """
    kid = document.kid or f"{stack.kid_prefix}staged"
    text = msgspec.structs.replace(document, kid=kid).text()
    return read_key(text, algorithm=stack.algorithm, kid_prefix=stack.kid_prefix)


def move_current(stack: Stack, to: str) -> None:
    """Make a version current; the one that was becomes the previous.

    Raises:
        Unreachable: that did not happen, or nobody can tell.
    """
    secret = stack.secret
    source = secret.labels().get(CURRENT)
    if source == to:
        return
    try:
        secret.move(CURRENT, to, source=source)
    except (ClientError, BotoCoreError) as error:
        # The move may have happened, and its answer been lost.
        with contextlib.suppress(ClientError, BotoCoreError):
            if secret.labels().get(CURRENT) == to:
                return
        raise Unreachable(
            "It is not known whether the key was changed: look with `key list`."
            f" {aws_sentence(error)}"
        ) from None

"""Which key signs: the staged one made current, or the previous one again.

A promotion writes key and `kid` as one version, in one call. That version's id comes from what is
promoted, so a repeat is the same promotion.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from msgspec.structs import replace

from jitsi_tokens.core.keys import KeyDocument, KeyRefused, SigningKey, read_key
from jitsi_tokens.secrets import CURRENT
from jitsi_tokens_cli.errors import CommandError, Unreachable, aws_sentence
from jitsi_tokens_cli.key import versions

if TYPE_CHECKING:
    from jitsi_tokens.secrets import KeyVersion
    from jitsi_tokens_cli.key.versions import KeyVersions
    from jitsi_tokens_cli.stack import Stack

_DOMAIN = "jitsi-tokens key promote"


class Change(NamedTuple):
    """A key that is to sign, and the version of the secret that will hold it.

    Attributes:
        is_current: whether it signs already, as after a change whose answer was lost.
    """

    version_id: str
    document: KeyDocument
    key: SigningKey
    is_current: bool

    def __repr__(self) -> str:
        return f"Change(version_id={self.version_id!r})"


def promotion(stack: Stack, held: KeyVersions, kid: str) -> Change:
    """Return the change that makes the staged key current under its full `kid`.

    Raises:
        CommandError: there is no staged key, or the id is another key's.
        KeyRefused: the stack could not sign with it.
    """
    current, staged = held.current, held.staged
    if staged is None or staged.document is None:
        if kid and current and current.document and current.kid == kid:
            return _change(stack, current.id, current.document, is_current=True)
        raise CommandError("There is no staged key to promote. Run `key stage` first.")
    if staged.kid and kid != staged.kid:
        raise CommandError(f"The staged secret has the id {staged.kid}: leave --kid out.")
    document = replace(staged.document, kid=kid)
    holder = held.holder_of(kid)
    if holder and not holder.has_key_of(document):
        raise CommandError(
            f"{kid} is the id of another key of this stack, the current one or the one before. The"
            " staged key has an id of its own: look at the console again, or at `key list`."
        )
    version_id = _version_id(staged, kid)
    is_current = current is not None and current.id == version_id
    return _change(stack, version_id, document, is_current=is_current)


def return_to_previous(stack: Stack, held: KeyVersions) -> Change:
    """Return the change that makes the previous key current again.

    Raises:
        CommandError: there is none that works.
    """
    previous = held.previous
    if previous is None or previous.document is None:
        raise CommandError("There is no previous key to return to.")
    try:
        return _change(stack, previous.id, previous.document, is_current=False)
    except KeyRefused as error:
        raise CommandError(f"The previous key cannot sign. {error}") from None


def make_current(stack: Stack, held: KeyVersions, change: Change) -> None:
    """Let the key of a change sign; the key before it becomes the previous one.

    Raises:
        Unreachable: that did not happen, or nobody can tell.
    """
    if change.is_current:
        return
    if held.previous and _corrects_id(held, change):
        # Else the key under the wrong id would be the one that a rollback returns to.
        versions.move_current(stack, held.previous.id)
    if versions.read(stack, change.version_id):
        # Secrets Manager ignores that a version is put which it has.
        versions.move_current(stack, change.version_id)
    else:
        _put(stack, change)


def _change(stack: Stack, version_id: str, document: KeyDocument, *, is_current: bool) -> Change:
    key = read_key(document.text(), algorithm=stack.algorithm, kid_prefix=stack.kid_prefix)
    return Change(version_id, document, key, is_current)


def _version_id(staged: KeyVersion, kid: str) -> str:
    # Ids of versions are seen in logs, so nothing of the key's content goes in.
    return hashlib.sha256(f"{_DOMAIN}\n{staged.id}\n{kid}".encode()).hexdigest()


def _corrects_id(held: KeyVersions, change: Change) -> bool:
    """Tell whether the same key signs under another id, and another key did before."""
    current, previous = held.current, held.previous
    return bool(
        current
        and current.has_key_of(change.document)
        and current.kid != change.key.kid
        and previous
        and previous.kid
        and not previous.has_key_of(change.document)
    )


def _put(stack: Stack, change: Change) -> None:
    try:
        stack.secret.put(change.document, CURRENT, change.version_id)
    except (ClientError, BotoCoreError) as error:
        raise Unreachable(
            f"It is not known whether {change.key.kid} is current now. Run the same command again:"
            f" it is the same promotion. {aws_sentence(error)}"
        ) from None

"""The versions of the signing secret: what they hold, and how one comes to sign.

A promotion writes key and `kid` as one version, in one call. That version's id comes from what is
promoted, so a repeat is the same promotion.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from typing import TYPE_CHECKING, Literal, NamedTuple, assert_never

from botocore.exceptions import BotoCoreError, ClientError
from msgspec.structs import replace

from jitsi_tokens.core.keys import KeyRefused
from jitsi_tokens.secrets import CURRENT, PREVIOUS
from jitsi_tokens.settings import jaas_app_id
from jitsi_tokens_cli.errors import CommandError, Unreachable, aws_sentence
from jitsi_tokens_cli.signing_secret import read_version

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import KeyDocument, SigningKey
    from jitsi_tokens.secrets import KeyVersion
    from jitsi_tokens_cli.stack import Stack

# Ours: AWSPENDING is a rotation's, and fails every later one where it is left behind.
NEXT = "NEXT"

# The kinds of stack whose keys a person changes.
type ByHand = Literal["console", "shared"]

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_DOMAIN = "jitsi-tokens key promote"


class KeyVersions(NamedTuple):
    """What a person's change of a key is about; each None where there is none."""

    current: KeyVersion | None
    previous: KeyVersion | None
    staged: KeyVersion | None

    @property
    def signing_kid(self) -> str:
        """The kid that signs now, or words that say that none does."""
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
                "This stack makes its own keys and publishes them for Jitsi. `jitsi-tokens key"
                " rotate` replaces the key now; `jitsi-tokens key withdraw` unpublishes one that"
                " leaked."
            )
        case _:
            assert_never(stack.trust)


def full_kid(key_id: str, kid_prefix: str) -> str:
    """Return the `kid` for a key id that a person gave, with or without the App ID.

    Raises:
        CommandError: it is not this stack's, or is no key id.
    """
    app_id, slash, bare = key_id.rpartition("/")
    if slash and (not kid_prefix or f"{jaas_app_id(app_id)}/" != kid_prefix):
        raise CommandError(
            f"The key id belongs to another App ID. This stack's key ids begin with {kid_prefix},"
            " in exactly this case."
            if kid_prefix
            else "A self-hosted stack's key id must not contain a slash."
        )
    if not _KEY_ID.fullmatch(bare):
        raise CommandError("A key id is 1 to 64 letters, digits, hyphens and underscores.")
    return f"{kid_prefix}{bare}"


def read(stack: Stack, version_id: str | None) -> KeyVersion | None:
    """Return a version by its id; None where it does not exist or has no value.

    Raises:
        MayNotRead: the caller may not read it.
        CommandError: the secret is scheduled for deletion.
    """
    return read_version(stack, "", version_id) if version_id else None


def read_all(stack: Stack) -> KeyVersions:
    """Return the versions that a person's change is about. A rotation's is none of them."""
    at = stack.secret.labels()
    current, previous, staged = (read(stack, at.get(label)) for label in (CURRENT, PREVIOUS, NEXT))
    # A secret's first version becomes current at once, also a key that 8x8 has given no id yet.
    if current and staged and current.id == staged.id and not current.kid:
        current = None
    if previous and previous.document and not previous.kid:
        previous = None
    return KeyVersions(current, previous, staged)


def tried(stack: Stack, document: KeyDocument) -> SigningKey:
    """Return a document's key after it has signed and verified.

    A key that 8x8 has given no id yet goes by a stand-in.

    Raises:
        KeyRefused: the stack could not sign with it.
    """
    return stack.read_key(replace(document, kid=document.kid or f"{stack.kid_prefix}staged").text())


def can_sign(stack: Stack, version: KeyVersion | None) -> bool:
    """Tell whether the stack can sign with a version, as it is."""
    try:
        return bool(version and stack.read_key(version.text))
    except KeyRefused:
        return False


def store(stack: Stack, document: KeyDocument, label: str) -> tuple[SigningKey, str]:
    """Store a key under a label once it has proved to sign; return its version's id too.

    Raises:
        KeyRefused: the stack could not sign with it.
        Unreachable: Secrets Manager did not take it, or nobody can tell.
    """
    key = tried(stack, document)
    lost = "It is unknown whether the key was stored: check with `key list`."
    return key, _put(stack, document, label, lost)


def promotion(stack: Stack, held: KeyVersions, kid: str) -> Change:
    """Return the change that makes the staged key current under its full `kid`.

    Raises:
        CommandError: there is no staged key, or the id is another key's.
        KeyRefused: the stack could not sign with it.
    """
    current, staged = held.current, held.staged
    if staged is None or staged.document is None:
        if kid and current and current.document and current.kid == kid:
            key = stack.read_key(current.text)
            return Change(current.id, current.document, key, is_current=True)
        raise CommandError("There is no staged key to promote. Run `key stage` first.")
    if staged.kid and kid != staged.kid:
        raise CommandError(f"The staged secret has the id {staged.kid}: leave --kid out.")
    document = replace(staged.document, kid=kid)
    holder = held.holder_of(kid)
    if holder and not holder.has_key_of(document):
        raise CommandError(
            f"{kid} is the id of another key of this stack, the current or the previous one. The"
            " staged key has its own id: look again at the console, or at `key list`."
        )
    # Ids of versions are seen in logs, so nothing of the key's content goes in.
    version_id = hashlib.sha256(f"{_DOMAIN}\n{staged.id}\n{kid}".encode()).hexdigest()
    is_current = current is not None and current.id == version_id
    return Change(version_id, document, stack.read_key(document.text()), is_current)


def return_to_previous(stack: Stack, held: KeyVersions) -> Change:
    """Return the change that makes the previous key current again.

    Raises:
        CommandError: there is none that works.
    """
    previous = held.previous
    if previous is None or previous.document is None:
        raise CommandError("There is no previous key to return to.")
    try:
        key = stack.read_key(previous.text)
    except KeyRefused as error:
        raise CommandError(f"The previous key cannot sign. {error}") from None
    return Change(previous.id, previous.document, key, is_current=False)


def make_current(stack: Stack, held: KeyVersions, change: Change) -> None:
    """Let the key of a change sign; the key before it becomes the previous one.

    Raises:
        Unreachable: that did not happen, or nobody can tell.
    """
    if change.is_current:
        return
    if held.previous and _corrects_id(held, change):
        # Else the key under the wrong id would be the one that a rollback returns to.
        _move_current(stack, held.previous.id)
    if read(stack, change.version_id):
        # Secrets Manager ignores that a version is put which it has.
        _move_current(stack, change.version_id)
        return
    lost = (
        f"It is unknown whether {change.key.kid} is current now. Run the same command again: it"
        " is the same promotion."
    )
    _put(stack, change.document, CURRENT, lost, change.version_id)


def _put(stack: Stack, document: KeyDocument, label: str, lost: str, version_id: str = "") -> str:
    try:
        return stack.secret.put(document, label, version_id)
    except ClientError as error:
        raise Unreachable(f"The key was not stored. {aws_sentence(error)}") from None
    except BotoCoreError as error:
        raise Unreachable(f"{lost} {aws_sentence(error)}") from None


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


def _move_current(stack: Stack, to: str) -> None:
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
            "It is unknown whether the key was changed: check with `key list`."
            f" {aws_sentence(error)}"
        ) from None

"""Where the key comes from that a signature is checked with, as Jitsi finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens.core.keys import KeyDocument, KeyRefused, read_key
from jitsi_tokens.core.rsa_keys import read_public_pem
from jitsi_tokens.secrets import PREVIOUS
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import read_file
from jitsi_tokens_cli.signing_secret import current_version
from jitsi_tokens_cli.token.explain.expectations import (
    FindKey,
    KeyAnswer,
    KeyFound,
    KeyUnknown,
    NoKey,
)

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Stack


def no_key(_kid: str | None) -> KeyAnswer:
    """Answer where nothing is known of Jitsi's keys."""
    return KeyUnknown(
        "There is no key to check it with: anyone may have written this token.",
        "Give --stack-name, or --public-key, --key-server or --secret-file.",
    )


def of_public_key_file(name: str) -> FindKey:
    """Return the way to a public key in a file.

    Raises:
        CommandError: there is none in it.
    """
    key = read_public_pem(read_file(name).decode(errors="replace"))
    if key is None:
        raise CommandError(
            "The file of --public-key holds no RSA public key in PEM: it begins with"
            " -----BEGIN PUBLIC KEY-----."
        )
    return lambda _: KeyFound(key)


def of_secret_file(name: str) -> FindKey:
    """Return the way to a shared secret in a file, less the line end that editors add.

    Raises:
        CommandError: the file is empty.
    """
    secret = read_file(name).rstrip(b"\r\n")
    if not secret:
        raise CommandError("The file of --secret-file is empty.")
    return lambda _: KeyFound(secret)


def of_stack(stack: Stack) -> FindKey:
    """Return the way to the keys in a stack's signing secret: the present one and the one before.

    Who may not read the secret is told so in the answer.
    """

    def find(kid: str | None) -> KeyAnswer:
        try:
            version = current_version(stack)
        except CommandError as error:
            return KeyUnknown(str(error))
        if version is None:
            return KeyUnknown(f"The stack {stack.name} has no signing key yet.")
        try:
            present, key = _of_document(version.text, stack)
        except KeyRefused as refused:
            return KeyUnknown(f"The stack's key cannot sign: {refused}")
        if kid in (None, present):
            return key
        before = _previous(stack)
        if before and kid == before[0]:
            return before[1]._replace(
                remark="It is the key before the stack's present one: it works for as long as 8x8"
                " has its public part."
            )
        return NoKey(
            f"The stack signs under {present}. Under another key id 8x8 finds another key or none.",
            "Let the header name the key that signs. Where the stack has a mistyped id:"
            " `key promote` with the right `--kid`.",
        )

    return find


def _previous(stack: Stack) -> tuple[str, KeyFound] | None:
    try:
        version = stack.secret.get(PREVIOUS)
        return _of_document(version.text, stack) if version else None
    except (ClientError, BotoCoreError, KeyRefused):
        return None


def _of_document(text: str, stack: Stack) -> tuple[str, KeyFound]:
    key = read_key(text, algorithm=stack.algorithm, kid_prefix=stack.kid_prefix)
    if key.public_key:
        return key.kid, KeyFound(key.public_key)
    # A signing key gives its secret away to nobody; read_key has seen that there is one.
    secret = msgspec.json.decode(text, type=KeyDocument).secret or ""
    return key.kid, KeyFound(secret.encode())

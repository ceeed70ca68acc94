"""Whether a token was signed with the stack's key."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import jwt

from jitsi_tokens.keys import read_key
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.signing_secret import current_version
from jitsi_tokens_cli.stack import find_stack

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Target
    from jitsi_tokens_cli.token_text import Token


class Signature(Enum):
    """What became of the check of a signature."""

    VERIFIED = "verified"
    OTHER_KEY_ID = "verified-other-key-id"
    FAILED = "failed"
    UNCHECKED = "unchecked"

    @property
    def sentence(self) -> str:
        """What to tell of it."""
        return _SENTENCES[self]


_SENTENCES = {
    Signature.VERIFIED: "The signature is that of the stack's present key.",
    Signature.OTHER_KEY_ID: (
        "The signature is that of the stack's present key, but the header names another key id:"
        " Jitsi will look for that one."
    ),
    Signature.FAILED: (
        "The signature is not that of the stack's present key: another key signed the token, or it"
        " was changed."
    ),
    Signature.UNCHECKED: (
        "The signature was NOT checked, so anyone may have written this: give --stack-name to"
        " check it."
    ),
}


def check_signature(target: Target, token: Token) -> Signature:
    """Check a token's signature with the key of the stack, if one is named.

    Raises:
        CommandError: the stack has no key, or it may not be read.
        KeyRefused: the stack's key is broken.
    """
    if not target.stack_name:
        return Signature.UNCHECKED
    stack = find_stack(target)
    version = current_version(stack)
    if version is None:
        raise CommandError(f"The stack {stack.name} has no signing key to check with.")
    key = read_key(version.text, algorithm=stack.algorithm, kid_prefix=stack.kid_prefix)
    try:
        key.verify(token.text)
    except (jwt.PyJWTError, ValueError):
        return Signature.FAILED
    return Signature.VERIFIED if token.header.get("kid") == key.kid else Signature.OTHER_KEY_ID

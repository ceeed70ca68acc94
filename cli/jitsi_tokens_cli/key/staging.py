"""The next key: made or brought, and kept beside the current one under a label of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens.core.keys import KeyDocument
from jitsi_tokens.core.rsa_keys import make_rsa_key, private_pem
from jitsi_tokens_cli.errors import CommandError, Unreachable, aws_sentence
from jitsi_tokens_cli.inputs import confirm, read_file
from jitsi_tokens_cli.key import versions
from jitsi_tokens_cli.key.files import read_rsa_key, read_shared_secret
from jitsi_tokens_cli.key.kid import full_kid, make_shared_kid
from jitsi_tokens_cli.key.storing import ask_passphrase, make_shared_secret
from jitsi_tokens_cli.output import info
from jitsi_tokens_cli.signing_secret import Stored

if TYPE_CHECKING:
    from jitsi_tokens_cli.key.versions import ByHand
    from jitsi_tokens_cli.stack import Stack


def kid_to_stage(stack: Stack, trust: ByHand, key_id: str | None) -> str:
    """Return the `kid` of the next key; empty for JaaS, where 8x8 has yet to give it.

    Raises:
        CommandError: `--kid` gave what it must not be.
    """
    match trust:
        case "shared":
            return make_shared_kid() if key_id is None else full_kid(key_id, stack.kid_prefix)
        case "console":
            if key_id is None:
                return ""
            raise CommandError(
                "8x8's console gives the key id when it gets the public key: leave --kid out here,"
                " and give it to `key promote`."
            )
        case _:
            assert_never(trust)


def document_of_file(stack: Stack, kid: str, file: str) -> KeyDocument:
    """Return the key of a file, checked in full.

    Raises:
        CommandError: it is none that the stack can use.
    """
    content = read_file(file)
    if stack.algorithm == "HS256":
        return KeyDocument(algorithm="HS256", kid=kid, secret=read_shared_secret(content))
    key = read_rsa_key(content, ask_passphrase)
    return KeyDocument(algorithm="RS256", kid=kid, private_key=private_pem(key))


def make_document(stack: Stack, kid: str, bits: int) -> KeyDocument:
    """Return a new key, which exists in memory only."""
    if stack.algorithm == "HS256":
        return KeyDocument(algorithm="HS256", kid=kid, secret=make_shared_secret())
    info(f"Making an RSA key of {bits} bits ...")
    return KeyDocument(algorithm="RS256", kid=kid, private_key=private_pem(make_rsa_key(bits)))


def allow_staging(stack: Stack, kid: str, *, yes: bool) -> None:
    """Let a key be staged where no other waits, or where the operator means to replace that.

    Raises:
        CommandError: there is no leave to, or another key goes by the `kid`.
    """
    held = versions.read_all(stack)
    if kid and held.holder_of(kid):
        raise CommandError(
            f"{kid} is the id of another key of this stack, the current one or the one before."
        )
    if held.staged and not held.is_promoted(held.staged):
        confirm(
            "Replace a staged key that was never promoted? Its public part, or the secret itself,"
            " may have been handed on already.",
            yes=yes,
        )


def put_staged(stack: Stack, document: KeyDocument) -> Stored:
    """Keep a key as the next one, once it has proved to sign.

    Raises:
        KeyRefused: the stack could not sign with it.
        Unreachable: Secrets Manager did not take it.
    """
    key = versions.tried(stack, document)
    try:
        return Stored(key, stack.secret.put(document, versions.NEXT))
    except (ClientError, BotoCoreError) as error:
        raise Unreachable(
            "It is not known whether the key was staged: look with `key list`, or stage another."
            f" {aws_sentence(error)}"
        ) from None

"""The stack's own check of its key, asked for after every change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens.status import KeyStatus
from jitsi_tokens_cli.checks import Check, passed
from jitsi_tokens_cli.errors import CommandError, Unreachable, aws_sentence
from jitsi_tokens_cli.output import info

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Stack

CHECK_FAILED = "The check failed: the stack issues no tokens that Jitsi accepts."


def check(stack: Stack) -> KeyStatus:
    """Have CheckKey sign and verify a token now, and return its answer.

    Raises:
        Unreachable: it could not be asked, or did not answer as it should.
    """
    try:
        answer = stack.client("lambda").invoke(
            FunctionName=stack.check_function, InvocationType="RequestResponse", Payload=b"{}"
        )
        payload = answer["Payload"].read()
    except (ClientError, BotoCoreError) as error:
        raise Unreachable(aws_sentence(error)) from None
    if answer.get("FunctionError"):
        raise Unreachable("CheckKey failed: its log says why.")
    try:
        return msgspec.json.decode(payload, type=KeyStatus)
    except msgspec.DecodeError:
        raise Unreachable("CheckKey's answer cannot be read.") from None


def checks(stack: Stack, status: KeyStatus) -> list[Check]:
    """Return what the stack's check found, with the remedies for this very stack."""
    found = [
        Check(
            problem.code,
            "warning" if status.configured else "fail",
            problem.what,
            remedy=stack.finding(problem.code, problem.what).remedy,
        )
        for problem in status.problems
    ]
    if status.configured:
        kid = f" with {status.key.kid}" if status.key else ""
        found.append(passed("key-check", f"The stack signs{kid}, and the signature verifies."))
    return found


def check_stored(stack: Stack) -> None:
    """Check the key that was stored just now; what is found goes to stderr.

    Raises:
        CommandError: the stack cannot sign; the key stays stored.
        Unreachable: it cannot be asked; the key stays stored.
    """
    try:
        status = check(stack)
    except Unreachable as error:
        raise Unreachable(
            f"The key is stored, but the check could not be run. {error} Run"
            f" `jitsi-tokens key check --stack-name {stack.name}`."
        ) from None
    for each in checks(stack, status):
        info(f"{each.found} {each.remedy}".rstrip())
    if not status.configured:
        raise CommandError(CHECK_FAILED)

"""The stack's own check of its key, asked for after every change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens.status import KeyStatus
from jitsi_tokens_cli.errors import CommandError, Unreachable, aws_sentence
from jitsi_tokens_cli.output import info

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Stack


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


def report(stack: Stack, status: KeyStatus) -> None:
    """Tell what the check found.

    Raises:
        CommandError: the stack cannot sign.
    """
    for problem in status.problems:
        # Its remedy as this stack's, its own region named.
        remedy = stack.finding(problem.code, problem.what).remedy
        info(f"- {problem.what} ({problem.code})\n  {remedy}")
    if not status.configured:
        raise CommandError("The check failed: the stack cannot sign tokens.")
    kid = f" with {status.key.kid}" if status.key else ""
    info(f"Checked: the stack signs{kid}, and the signature verifies.")


def check_stored(stack: Stack) -> None:
    """Check the key that was stored just now.

    Raises:
        CommandError: the stack cannot sign; the key stays stored.
        Unreachable: it cannot be asked; the key stays stored.
    """
    try:
        status = check(stack)
    except Unreachable as error:
        raise Unreachable(
            f"The key is stored, but the check could not be run. {error} Run"
            f" `jitsi-tokens --stack-name {stack.name} key check`."
        ) from None
    report(stack, status)

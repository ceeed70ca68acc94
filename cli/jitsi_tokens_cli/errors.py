"""Whatever goes wrong, as one sentence on stderr and an exit code."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from typer.core import TyperGroup
from typer.exceptions import TyperException

from jitsi_tokens.core.clients import ClientRefused
from jitsi_tokens.core.keys import KeyRefused
from jitsi_tokens.core.policy import PolicyRefused

# Only these codes' messages are known to repeat none of what was sent.
_TELLING_CODES = frozenset(
    [
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "ResourceNotFoundException",
        "UnrecognizedClientException",
    ]
)


_REFUSED = 1
# Typer's, too.
_WRONG_USAGE = 2
_OUT_OF_REACH = 3
EXIT_CODES = (
    "Exit codes: 0 done, and nothing is wrong; 1 refused, or a check found something wrong;"
    " 2 wrong usage; 3 AWS or the service stood in the way (not reached, denied, failed), nothing"
    " is known of the stack, and a script may try again."
)


class CommandError(Exception):
    """A command that cannot go on. Its text is for the operator and holds no secret."""

    exit_code = _REFUSED


class UsageError(CommandError):
    """What was given on the command line cannot be meant: a value, or options together."""

    exit_code = _WRONG_USAGE


class Unreachable(CommandError):
    """AWS or the service stood in the way: a script may try again."""

    exit_code = _OUT_OF_REACH


class ErrorReportingGroup(TyperGroup):
    """The root command: ends with a sentence where Python would print a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
            raise
        except CommandError as error:
            text, code = str(error), error.exit_code
        except KeyRefused as error:
            text, code = str(error), _REFUSED
        except (ClientRefused, PolicyRefused) as error:
            # It is the name, or the options, of this command that they are about.
            text, code = str(error), _WRONG_USAGE
        except (ClientError, BotoCoreError) as error:
            text, code = aws_sentence(error), _OUT_OF_REACH
        except Exception as error:  # noqa: BLE001 - a traceback's last line may quote a secret
            text, code = _unexpected(error), _REFUSED
        typer.echo(f"Error: {text}", err=True)
        raise typer.Exit(code)


def aws_sentence(error: ClientError | BotoCoreError) -> str:
    """Say what AWS, or the way to it, refused."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "without a code")
        message = error.response.get("Error", {}).get("Message", "")
        detail = f"{code}: {message}" if message and code in _TELLING_CODES else code
        return f"AWS refused {error.operation_name} ({detail})."
    if isinstance(error, ParamValidationError):
        return "AWS's client refused the form of a parameter."
    return f"AWS cannot be used: {error}".rstrip(".") + "."


def _unexpected(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"jitsi-tokens has a fault: {type(error).__name__} in {frame.name},"
        f" {Path(frame.filename).name}:{frame.lineno}. Please report it."
    )

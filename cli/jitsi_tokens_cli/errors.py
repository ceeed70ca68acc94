"""Whatever goes wrong, as one sentence on stderr."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import typer
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from typer.core import TyperGroup
from typer.exceptions import TyperException

from jitsi_tokens.clients import ClientRefused
from jitsi_tokens.keys import KeyRefused
from jitsi_tokens.policy import PolicyRefused

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


class CommandError(Exception):
    """A command that cannot go on. Its text is for the operator and holds no secret."""


class PoliteGroup(TyperGroup):
    """The root command: ends with a sentence where Python would print a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, TyperException, BrokenPipeError):
            raise
        except (CommandError, KeyRefused, ClientRefused, PolicyRefused) as error:
            text = str(error)
        except (ClientError, BotoCoreError) as error:
            text = aws_sentence(error)
        except Exception as error:  # noqa: BLE001 - a traceback's last line may quote a secret
            text = _unexpected(error)
        typer.echo(f"Error: {text}", err=True)
        raise typer.Exit(1)


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

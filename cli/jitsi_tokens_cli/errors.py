"""What goes wrong, as one sentence on stderr and an exit code."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import typer
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)
from typer.core import TyperGroup
from typer.exceptions import TyperException

from jitsi_tokens.core.clients import ClientRefused
from jitsi_tokens.core.keys import KeyRefused
from jitsi_tokens.core.policy import PolicyRefused
from jitsi_tokens_cli.output import info

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
# As a shell reports a program that SIGINT ended.
INTERRUPTED = 130
EXIT_CODES = (
    "\b\n"
    "Exit codes:\n"
    "  0    done; every check passed\n"
    "  1    refused, or a check failed\n"
    "  2    wrong usage\n"
    "  3    AWS or the service was unreachable or denied it; safe to retry\n"
    "  130  interrupted"
)
# In the AWS CLI's words.
_SENTENCES: tuple[tuple[tuple[type[BotoCoreError], ...], str], ...] = (
    (
        (NoCredentialsError, PartialCredentialsError),
        "No AWS credentials: run `aws configure sso` or `aws login`, or name a --profile.",
    ),
    (
        (NoRegionError,),
        "You must specify a region: --region, AWS_REGION, or `aws configure set region ...`.",
    ),
    ((SSOError, TokenRetrievalError), "Your AWS sign-in has expired: run `aws sso login`."),
    ((ParamValidationError,), "AWS does not accept a parameter in this form."),
)


class CommandError(Exception):
    """A command cannot go on. The text is for the operator and holds no secret."""

    exit_code = _REFUSED


class UsageError(CommandError):
    """A value on the command line is wrong, or options exclude each other."""

    exit_code = _WRONG_USAGE


class Unreachable(CommandError):
    """AWS or the service was unreachable or denied it: safe to retry."""

    exit_code = _OUT_OF_REACH


class ErrorReportingGroup(TyperGroup):
    """The root command: prints a sentence where Python would print a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except typer.Abort as abort:
            # A prompt makes one of Ctrl-C, and of a question that was not agreed to.
            if not isinstance(abort.__context__, KeyboardInterrupt):
                raise
            text, code = "", INTERRUPTED
        except KeyboardInterrupt:
            text, code = "", INTERRUPTED
        except (typer.Exit, TyperException, BrokenPipeError):
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
        info("Interrupted." if code == INTERRUPTED else f"Error: {text}")
        raise typer.Exit(code)


def aws_sentence(error: ClientError | BotoCoreError) -> str:
    """Say what AWS, or the way to it, refused."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "without a code")
        message = error.response.get("Error", {}).get("Message", "")
        detail = f"{code}: {message}" if message and code in _TELLING_CODES else code
        return f"AWS refused {error.operation_name} ({detail})."
    for kinds, sentence in _SENTENCES:
        if isinstance(error, kinds):
            return sentence
    if isinstance(error, HTTPClientError):
        # Its text repeats the address that was asked.
        return f"AWS does not answer ({type(error).__name__})."
    return f"AWS cannot be used: {error}".rstrip(".") + "."


def _unexpected(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"Internal error in jitsi-tokens: {type(error).__name__} in {frame.name},"
        f" {Path(frame.filename).name}:{frame.lineno}. Please report it."
    )

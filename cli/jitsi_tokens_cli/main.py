"""`jitsi-tokens`: the command and its global options."""

import os
from importlib.metadata import version
from typing import Annotated

import typer

from jitsi_tokens_cli import status as status_command
from jitsi_tokens_cli import visit
from jitsi_tokens_cli.app import App, examples
from jitsi_tokens_cli.audit import command as audit_command
from jitsi_tokens_cli.client import commands as client_commands
from jitsi_tokens_cli.doctor import command as doctor_command
from jitsi_tokens_cli.errors import EXIT_CODES, ErrorReportingGroup
from jitsi_tokens_cli.jitsi_config import command as jitsi_config_command
from jitsi_tokens_cli.key import commands as key_commands
from jitsi_tokens_cli.output import echo
from jitsi_tokens_cli.stack import Target
from jitsi_tokens_cli.token import commands as token_commands

app = App(
    "Manage a stack of jitsi-tokens: its signing key, its clients, tokens, and visits.",
    cls=ErrorReportingGroup,
    pretty_exceptions_enable=False,
    epilog=examples(
        "jitsi-tokens status --stack-name my-stack",
        "jitsi-tokens doctor --stack-name my-stack",
    )
    + "\n\n"
    + EXIT_CODES,
)
app.add_typer(key_commands.app, name="key")
app.add_typer(client_commands.app, name="client")
app.add_typer(token_commands.app, name="token")
app.add_typer(visit.app, name="visit")
app.command(epilog=jitsi_config_command.EPILOG)(jitsi_config_command.jitsi_config)
app.command(epilog=status_command.EPILOG)(status_command.status)
app.command(epilog=doctor_command.EPILOG)(doctor_command.doctor)
app.command(epilog=audit_command.EPILOG)(audit_command.audit)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer hands the option's value over
    if wanted:
        echo(f"jitsi-tokens {version('jitsi-tokens')}")
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    *,
    stack_name: Annotated[
        str | None,
        typer.Option(
            envvar="JITSI_TOKENS_STACK_NAME",
            metavar="NAME",
            help="Name of the CloudFormation stack. Give it before or after the command.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            # boto3 reads the second only, the AWS CLI both.
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
            metavar="REGION",
            help="AWS region of the stack.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            envvar="AWS_PROFILE",
            metavar="NAME",
            help="Profile in your AWS configuration.",
        ),
    ] = None,
    no_color: Annotated[
        bool,
        typer.Option("--no-color", help="Print without colours, as with NO_COLOR=1."),
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Take the options that every command shares."""
    if no_color:
        os.environ["NO_COLOR"] = "1"
    ctx.obj = Target(stack_name, region, profile)

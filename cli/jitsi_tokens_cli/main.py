"""`jitsi-tokens`: the command and its global options."""

from importlib.metadata import version
from typing import Annotated

import typer

from jitsi_tokens_cli.audit import command as audit_command
from jitsi_tokens_cli.client import commands as client_commands
from jitsi_tokens_cli.doctor import command as doctor_command
from jitsi_tokens_cli.errors import EXIT_CODES, ErrorReportingGroup
from jitsi_tokens_cli.jitsi_config import command as jitsi_config_command
from jitsi_tokens_cli.key import commands as key_commands
from jitsi_tokens_cli.output import put
from jitsi_tokens_cli.stack import Target
from jitsi_tokens_cli.token import commands as token_commands

app = typer.Typer(
    cls=ErrorReportingGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    epilog=f"{EXIT_CODES}\n\nExample: jitsi-tokens --stack-name my-stack key show",
)
app.add_typer(key_commands.app, name="key")
app.add_typer(client_commands.app, name="client")
app.add_typer(token_commands.app, name="token")
app.command(epilog=jitsi_config_command.EPILOG)(jitsi_config_command.jitsi_config)
app.command(epilog=doctor_command.EPILOG)(doctor_command.doctor)
app.command(epilog=audit_command.EPILOG)(audit_command.audit)


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer hands the option's value over
    if wanted:
        put(f"jitsi-tokens {version('jitsi-tokens')}")
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
            help="Name of the CloudFormation stack of jitsi-tokens.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            # boto3 reads the second only, the AWS CLI both.
            envvar=["AWS_REGION", "AWS_DEFAULT_REGION"],
            metavar="REGION",
            help="AWS region of the stack. Left out: the one of your AWS configuration.",
        ),
    ] = None,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Manage a stack of jitsi-tokens: its signing key, its clients, and tokens to try it with."""
    ctx.obj = Target(stack_name, region)

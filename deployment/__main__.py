"""`python -m deployment`: plan a change of a stack, apply it, and see that the stack works."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from deployment import change_set
from deployment.smoke import smoke_test
from jitsi_tokens_cli.address import Url, service_url
from jitsi_tokens_cli.app import App, examples
from jitsi_tokens_cli.errors import EXIT_CODES, ErrorReportingGroup
from jitsi_tokens_cli.main import main as global_options
from jitsi_tokens_cli.output import echo, info
from jitsi_tokens_cli.stack import find_stack
from jitsi_tokens_cli.web import Web

app = App(
    cls=ErrorReportingGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog=f"{examples('python -m deployment smoke --stack-name my-stack')}\n\n{EXIT_CODES}",
)
app.callback(help="Plan a change of a stack, apply it, and check that the stack works.")(
    global_options
)


@app.command()
def plan(
    ctx: typer.Context,
    *,
    environment: Annotated[
        str, typer.Option(metavar="NAME", help="Environment in samconfig.toml.")
    ],
    role_arn: Annotated[
        str | None,
        typer.Option(
            envvar="CLOUDFORMATION_ROLE_ARN",
            metavar="ARN",
            help="Role that CloudFormation assumes. Default: your own permissions.",
        ),
    ] = None,
    summary: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Append the changes to this file, as Markdown."),
    ] = None,
) -> None:
    """Make a change set of what `sam build` built, show it, and change nothing.

    Prints the change set's ARN, for `apply`.
    """
    planned = change_set.plan(ctx.obj, environment=environment, role_arn=role_arn)
    text = change_set.as_markdown(planned.changes)
    info(text)
    if summary:
        with summary.open("a") as file:
            file.write(f"### Changes of {ctx.obj.stack_name}\n\n{text}\n")
    echo(planned.arn)


@app.command()
def apply(
    ctx: typer.Context,
    arn: Annotated[str, typer.Argument(metavar="ARN", help="The change set that `plan` created.")],
) -> None:
    """Execute a change set, and wait for its end."""
    info(f"{ctx.obj.stack_name}: {change_set.apply(ctx.obj, arn)}")


@app.command()
def smoke(ctx: typer.Context, *, url: Url = None) -> None:
    """Ask a stack's service what a health record asks, as a client made for that and revoked.

    Neither the API key nor the token is shown.
    """
    # Python itself would leave the client behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    stack = find_stack(ctx.obj)
    smoke_test(stack, Web(service_url(stack, url)))


if __name__ == "__main__":
    app()

"""`jitsi-tokens doctor`: what is wrong with a deployed stack."""

import secrets
import time
from collections.abc import Callable
from typing import Annotated

import typer

from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.rooms import RoomRefused, scoped_room
from jitsi_tokens_cli.address import Url, service_url
from jitsi_tokens_cli.doctor.examination import Examination, examine
from jitsi_tokens_cli.doctor.report import line_of, put_json_report, put_report
from jitsi_tokens_cli.errors import CommandError, Unreachable
from jitsi_tokens_cli.output import Json, info
from jitsi_tokens_cli.stack import DeploymentUnfinished, find_stack
from jitsi_tokens_cli.web import Web

EPILOG = "Example: jitsi-tokens --stack-name my-stack doctor --wait"

CLOCK = Clock(time.time, time.sleep)
_WAIT_SECONDS = 300
_ASK_AGAIN_SECONDS = 10.0


def doctor(
    ctx: typer.Context,
    *,
    url: Url = None,
    room: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The room to ask a token for, where the client may not ask for any. Left out: one"
            " at random. The token is thrown away.",
        ),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="Look again until nothing is wrong, as after a deployment whose first rotation is"
            " making the first key.",
        ),
    ] = False,
    timeout: Annotated[
        int,
        typer.Option(metavar="SECONDS", min=1, help="How long --wait goes on."),
    ] = _WAIT_SECONDS,
    without_key: Annotated[
        bool,
        typer.Option(
            "--without-key",
            help="Leave the signing key unread: for those who may not read it. The stack's own"
            " check, and the address, tell whether it signs.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a deployed stack from outside and inside, and say what to do where something is wrong.

    A token is issued and read as Jitsi reads it where JITSI_TOKENS_API_KEY
    holds an API key, or JITSI_TOKENS_API_KEY_FILE names a file that does.
    Nothing that is printed is secret.

    What you may not read is skipped. An address that does not answer is a
    failure: its callers get no token.

    Exits with 1 where something is wrong, and with 3 where nothing was, but
    AWS or the service did not let everything be looked at.
    """
    room = _checked(room) if room else f"doctor-{secrets.token_hex(8)}"

    def look() -> Examination:
        stack = find_stack(ctx.obj)
        web = Web(service_url(stack, url))
        return examine(stack, web, CLOCK, room, reads_key=not without_key)

    examination = _wait(look, CLOCK.now() + timeout) if wait else look()
    if as_json:
        put_json_report(examination)
    else:
        put_report(examination)
    if examination.failures:
        raise typer.Exit(CommandError.exit_code)
    if examination.is_incomplete:
        raise typer.Exit(Unreachable.exit_code)


def _wait(look: Callable[[], Examination], deadline: float) -> Examination:
    told = ""
    while True:
        try:
            examination = look()
        except DeploymentUnfinished as unfinished:
            if CLOCK.now() >= deadline:
                raise
            reason = str(unfinished)
        else:
            unsettled = examination.unsettled
            if not unsettled or CLOCK.now() >= deadline:
                return examination
            reason = f"{unsettled[0].name}: {line_of(unsettled[0])}"
        if reason != told:
            info(f"Waiting. {reason}")
            told = reason
        CLOCK.sleep(min(_ASK_AGAIN_SECONDS, max(0.0, deadline - CLOCK.now())))


def _checked(room: str) -> str:
    try:
        scoped_room(room)
    except RoomRefused as refused:
        raise typer.BadParameter(f"The room {refused}.", param_hint="--room") from None
    return room

"""`jitsi-tokens audit`: what was issued and refused."""

import time
import uuid
from enum import StrEnum
from typing import Annotated

import typer

from jitsi_tokens.core.clients import KEY_DIGITS, check_name
from jitsi_tokens.core.clock import Clock
from jitsi_tokens_cli.audit.digests import digests, read_subject
from jitsi_tokens_cli.audit.log import records
from jitsi_tokens_cli.audit.output import counted, info_result, put_csv, put_json_array, put_records
from jitsi_tokens_cli.audit.query import Query
from jitsi_tokens_cli.audit.search import Search
from jitsi_tokens_cli.audit.window import read_window
from jitsi_tokens_cli.client.keys import digest_digits
from jitsi_tokens_cli.errors import UsageError
from jitsi_tokens_cli.output import Json, info
from jitsi_tokens_cli.stack import find_stack

EPILOG = (
    "Examples: jitsi-tokens --stack-name my-stack audit --since 7d --room 'Visit 123'\n\n"
    "jitsi-tokens --stack-name my-stack audit --since 2026-11-01 --until 2026-12-01 --csv"
    " > november.csv\n\n"
    "jitsi-tokens --stack-name my-stack audit --client openemr --outcome refused\n\n"
    "jitsi-tokens --stack-name my-stack audit --client openemr --alive"
)
CLOCK = Clock(time.time, time.sleep)
_SINCE = "24h"
# The longest advance and the longest lifetime that the template allows: 31 days and one.
_ALIVE_SINCE = "32d"


class Outcome(StrEnum):
    """What came of a request."""

    ISSUED = "issued"
    REFUSED = "refused"
    FAILED = "failed"


def audit(
    ctx: typer.Context,
    *,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="From when: how long ago (30m, 24h, 7d), or a date or time of ISO 8601. A date"
            f" begins at midnight; what names no zone is UTC. Left out: {_SINCE}; with --alive"
            f" {_ALIVE_SINCE}.",
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Until when, likewise. Left out: now."),
    ] = None,
    client: Annotated[
        str | None, typer.Option(metavar="NAME", help="The client that asked.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST",
            help=f"The API key that asked, by {KEY_DIGITS} or more hex digits of its digest, as"
            " `client list` shows them.",
        ),
    ] = None,
    room: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The room, as people type it: it is folded as Jitsi folds it."
        ),
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="ID", help="The userId of the request.")
    ] = None,
    jti: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The token's own id: `token inspect` shows it."),
    ] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="What came of the request.")] = None,
    alive: Annotated[
        bool,
        typer.Option("--alive", help="Only tokens that have not expired yet."),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Stop at so many. Left out: all of them."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for a spreadsheet.")] = False,
    as_json: Json = False,
) -> None:
    """Show which tokens were issued, and which requests were refused, the oldest first.

    The log holds no names: room and user stand there as digests. With --room
    and --user the digest of what you give is looked for; that takes the key of
    the digests, which the stack's AuditorPolicy lets you read. It is not shown.

    The table shortens digests and key ids; --csv and --json hold every field.

    What API Gateway refuses by itself, such as a wrong API key, is in its
    access log alone. A line is found some seconds after its request.
    """
    if as_csv and as_json:
        raise UsageError("Give --csv or --json, not both.")
    if client is not None:
        check_name(client)
    asked = {
        "client": client,
        "key": None if key is None else digest_digits(key, KEY_DIGITS)[:KEY_DIGITS],
        "jti": _token_id(jti),
        "outcome": outcome and outcome.value,
    }
    fields = {name: value for name, value in asked.items() if value is not None}
    now = CLOCK.now()
    if since is None:
        since = _ALIVE_SINCE if alive else _SINCE
    window = read_window(since, until, now)
    subject = read_subject(room, user)
    stack = find_stack(ctx.obj)
    group = stack.output("AuditLogGroup")
    query = Query(window, fields, digests(stack, subject), int(now) if alive else None)
    search = Search(query, records(stack.client("logs"), group, query, CLOCK), limit)
    show = put_csv if as_csv else put_json_array if as_json else put_records
    try:
        show(search)
    except KeyboardInterrupt:
        info(f"Stopped before the end of the log, at {counted(search.found)}.")
        raise
    info_result(search, query, group)


def _token_id(text: str | None) -> str | None:
    try:
        return None if text is None else str(uuid.UUID(text))
    except ValueError:
        raise UsageError(
            "--jti takes a token's id, such as e302ff1a-5b0c-4a4e-9d0e-6c6f0a1c5d3e:"
            " `token inspect` shows it."
        ) from None

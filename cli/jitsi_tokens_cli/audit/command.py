"""`jitsi-tokens audit`: what was issued and refused."""

import csv
import re
import sys
import time
import uuid
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer

from jitsi_tokens.core.clients import KEY_DIGITS, check_name
from jitsi_tokens.core.clock import Clock
from jitsi_tokens_cli.app import examples
from jitsi_tokens_cli.audit.search import (
    FIELDS,
    Query,
    Record,
    Search,
    digests,
    read_subject,
    read_window,
    records,
    time_of,
)
from jitsi_tokens_cli.client.keys import digest_digits
from jitsi_tokens_cli.errors import INTERRUPTED, UsageError
from jitsi_tokens_cli.output import (
    Json,
    Wide,
    echo_json,
    echo_table,
    info,
    is_terminal,
    printable,
    time_text,
)
from jitsi_tokens_cli.stack import find_stack

EPILOG = examples(
    "jitsi-tokens audit --stack-name my-stack --since 7d --room 'Visit 123'",
    "jitsi-tokens audit --stack-name my-stack --visit oe-default-4711",
    "jitsi-tokens audit --stack-name my-stack --client openemr --alive",
    "jitsi-tokens audit --stack-name my-stack --outcome refused --wide",
    "jitsi-tokens audit --stack-name my-stack --since 30d --csv > tokens.csv",
)
CLOCK = Clock(time.time, time.sleep)
_SINCE = "24h"
# The longest advance and the longest lifetime that the template allows: 31 days and one.
_ALIVE_SINCE = "32d"
_DIGITS = 8
_HEADINGS = ["Time (UTC)", "Outcome", "Client", "Details", "Room", "User", "Token", "Ends"]
_WIDE_HEADINGS = [*_HEADINGS[:-1], "Key id (kid)", "API key", "Ends"]
# OWASP, "CSV Injection": what a spreadsheet takes for a formula. A full-width sign counts as one.
_RISKY = re.compile(r"\s*[=+\-@＝＋－＠]|\s")  # noqa: RUF001 - those are meant


class Outcome(StrEnum):
    """What came of a request."""

    ISSUED = "issued"
    REFUSED = "refused"
    FAILED = "failed"
    DONE = "done"


def audit(
    ctx: typer.Context,
    *,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help=(
                "Start: how long ago (30m, 24h, 7d), or an ISO 8601 date or time. A date begins"
                f" at midnight; the zone is UTC unless you give one. Default: {_SINCE}; with"
                f" --alive {_ALIVE_SINCE}."
            ),
        ),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End, in the same forms. Default: now."),
    ] = None,
    client: Annotated[
        str | None, typer.Option(metavar="NAME", help="The client that sent the request.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST",
            help=(
                f"The API key that sent the request: {KEY_DIGITS} or more hex digits of its"
                " digest, as `client list` shows them."
            ),
        ),
    ] = None,
    room: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The room's name, as people type it."),
    ] = None,
    user: Annotated[
        str | None, typer.Option(metavar="ID", help="The userId of the request.")
    ] = None,
    visit: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The visitId: its changes, joins and refusals."),
    ] = None,
    jti: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The token's own id: `token inspect` shows it."),
    ] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="The result of the request.")] = None,
    alive: Annotated[
        bool,
        typer.Option("--alive", help="Only tokens that have not expired yet."),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Stop after so many. Default: all."),
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for a spreadsheet.")] = False,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """Show tokens issued, requests refused, and visits changed.

    The oldest record comes first. The log contains no names, only digests of the
    room, the user and the visit. --room, --user and --visit search by digest.
    They need the digest key, which the stack's AuditorPolicy lets you read.

    A terminal shows short ids; --wide, --csv and --json show all of them.

    Requests that API Gateway itself refuses, such as those with a wrong API
    key, are only in its access log. A record appears some seconds after its
    request.
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
    subject = read_subject(room, user, visit)
    stack = find_stack(ctx.obj)
    group = stack.output("AuditLogGroup")
    query = Query(window, fields, digests(stack, subject), int(now) if alive else None)
    search = Search(query, records(stack.client("logs"), group, query, CLOCK), limit)
    try:
        if as_csv:
            _put_csv(search)
        elif as_json:
            _put_json(search)
        else:
            _show(search, wide=wide)
    except KeyboardInterrupt:
        info(f"Stopped before the end of the log, at {_counted(search.found)}.")
        raise typer.Exit(INTERRUPTED) from None
    _tell(search, query, group)


def _show(records: Iterable[Record], *, wide: bool) -> None:
    """Print one line a record; digests and ids shortened on a terminal, unless `wide`."""
    wide = wide or not is_terminal(sys.stdout)
    if rows := [_row(record, wide=wide) for record in records]:
        echo_table(_WIDE_HEADINGS if wide else _HEADINGS, rows, wide=wide)


def _row(record: Record, *, wide: bool) -> list[str]:
    fields = {name: "" if value is None else str(value) for name, value in record.fields.items()}
    text = {name: fields.get(name, "") for name in FIELDS}
    match text["outcome"]:
        case "issued":
            role = text["role"]
        case "done":
            role = text["action"]
        case _:
            role = f"{text['reason']} {text['field']}"
    moment, end = time_of(record.time), _expiry(record)
    if wide:
        names = ("room", "user", "jti", "kid", "key")
        return [moment, text["outcome"], text["client"], role, *(text[name] for name in names), end]
    ids = [text[name][:_DIGITS] for name in ("room", "user", "jti")]
    # Month, day and time: the year is that of --since. What ends on another day has the day alone.
    ends = end[11:16] if end.startswith(moment[:10]) else end[5:10]
    began = moment[5:19].replace("T", " ")
    return [began, text["outcome"], text["client"], role, *ids, ends]


def _put_csv(records: Iterable[Record]) -> None:
    """Print every field for a spreadsheet, line by line as the records come."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["time", *FIELDS])
    for record in records:
        fields = record.fields | {"exp": _expiry(record)}
        writer.writerow([time_of(record.time), *(cell(fields.get(name)) for name in FIELDS)])


def _put_json(records: Iterable[Record]) -> None:
    """Print each record as it is in the log, with its time for `_aws`."""
    echo_json([{"time": time_of(record.time), **record.fields} for record in records])


def cell(value: Any) -> str:
    """Return a value as the text of a CSV cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = printable(str(value).lower() if isinstance(value, bool) else str(value))
    return f"'{text}" if _RISKY.match(text) else text


def _tell(search: Search, query: Query, group: str) -> None:
    """Say how many records were found in a log group, and what could not be compared."""
    asked = [f"{name} {value}" for name, value in query.fields.items()]
    asked += [f"the {kind} given" for kind in query.digests]
    asked += ["still alive"] if query.alive_at is not None else []
    where = f"in {group} {query.window}" + (f" ({', '.join(asked)})" if asked else "")
    info(f"{_counted(search.found)} {where}." if search.found else f"Nothing was found {where}.")
    if search.last and search.is_full:
        info(f"There may be more: go on with --since {time_of(search.last.time)}.")
    for count, why in (
        (search.without_digest_key, "the digest key was missing at the time"),
        (search.unread, "the request was refused before it was read"),
    ):
        if count:
            info(
                f"{_counted(count)} could not be compared: {why}. Without --room, --user and"
                " --visit they are shown."
            )


def _counted(number: int) -> str:
    return "1 record" if number == 1 else f"{number} records"


def _expiry(record: Record) -> str:
    seconds = record.fields.get("exp")
    return "" if seconds is None else time_text(seconds)


def _token_id(text: str | None) -> str | None:
    try:
        return None if text is None else str(uuid.UUID(text))
    except ValueError:
        raise UsageError(
            "--jti takes a token's id, such as e302ff1a-5b0c-4a4e-9d0e-6c6f0a1c5d3e:"
            " `token inspect` shows it."
        ) from None

"""The records as a table, as CSV, or as JSON; and, beside them, what is to be said of them."""

from __future__ import annotations

import csv
import re
import sys
from typing import TYPE_CHECKING, Any

from jitsi_tokens_cli.audit.records import FIELDS
from jitsi_tokens_cli.audit.window import time_of
from jitsi_tokens_cli.output import echo_json, echo_table, info, printable, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jitsi_tokens_cli.audit.query import Query
    from jitsi_tokens_cli.audit.records import Record
    from jitsi_tokens_cli.audit.search import Search

_DIGITS = 12
_HEADINGS = ["Time (UTC)", "Outcome", "Client, role, key", "Room, user", "Token (jti), kid, end"]
# OWASP, "CSV Injection": what a spreadsheet takes for a formula. A full-width sign counts as one.
_RISKY = re.compile(r"\s*[=+\-@＝＋－＠]|\s")  # noqa: RUF001 - those are meant


def put_records(records: Iterable[Record]) -> None:
    """Show the records to a person, with digests and key ids shortened."""
    if rows := [_row(record) for record in records]:
        echo_table(_HEADINGS, rows)


def put_csv(records: Iterable[Record]) -> None:
    """Hand every field over to a spreadsheet, line by line as the records come.

    A cell that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["time", *FIELDS])
    for record in records:
        fields = record.fields | {"exp": _expiry(record)}
        writer.writerow([time_of(record.time), *(cell(fields.get(name)) for name in FIELDS)])


def put_json_array(records: Iterable[Record]) -> None:
    """Hand the records over to a script, each as it is in the log, with its time for `_aws`."""
    echo_json([{"time": time_of(record.time), **record.fields} for record in records])


def cell(value: Any) -> str:
    """Return a value as the text of a CSV cell that no spreadsheet acts on."""
    if value is None:
        return ""
    text = printable(str(value).lower() if isinstance(value, bool) else str(value))
    return f"'{text}" if _RISKY.match(text) else text


def counted(number: int) -> str:
    """Return how many records these are."""
    return "1 record" if number == 1 else f"{number} records"


def info_result(search: Search, query: Query, group: str) -> None:
    """Tell how many were found in a log group, and what could not be told."""
    asked = [f"{name} {value}" for name, value in query.fields.items()]
    asked += [f"the {kind} given" for kind in query.digests]
    asked += ["still alive"] if query.alive_at is not None else []
    where = f"in {group} {query.window}" + (f" ({', '.join(asked)})" if asked else "")
    if search.found:
        info(f"{counted(search.found)} {where}.")
    else:
        info(f"Nothing was found {where}.")
    if search.last and search.is_full:
        info(f"There may be more: go on with --since {time_of(search.last.time)}.")
    if search.without_digest_key:
        info(
            f"{counted(search.without_digest_key)} could not be compared: the key of the digests"
            " was missing at the time, so room and user are not known. Without --room and --user"
            " they are shown."
        )
    if search.unread:
        info(
            f"{counted(search.unread)} could not be compared: the request ended before its room"
            " and its user were read. Without --room and --user they are shown."
        )


def _row(record: Record) -> list[str]:
    """Return two lines of cells: side by side they would not fit a terminal."""
    fields = {name: "" if value is None else str(value) for name, value in record.fields.items()}
    text = {name: fields.get(name, "") for name in FIELDS}
    # JaaS's key ids all begin with the same App ID.
    kid = text["kid"].rpartition("/")[2][:_DIGITS]
    return [
        time_text(record.time // 1000),
        f"{text['outcome']}\n{text['reason']} {text['field']}",
        f"{text['client']}\n{text['role']} {text['key']}",
        f"{text['room'][:_DIGITS]}\n{text['user'][:_DIGITS]}",
        f"{text['jti']}\n{kid} {_expiry(record)}",
    ]


def _expiry(record: Record) -> str:
    seconds = record.fields.get("exp")
    return "" if seconds is None else time_text(seconds)

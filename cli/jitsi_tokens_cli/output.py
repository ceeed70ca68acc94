"""What people and scripts read: results on stdout, explanations on stderr."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a script.")]

# A pipe has no width; tables must not be cut to fit the 80 columns that rich assumes.
_PIPE_COLUMNS = 200


def say(text: str) -> None:
    """Explain, on stderr; what others wrote may stand in it."""
    typer.echo(printable(text), err=True)


def put(text: str) -> None:
    """Hand over a result that must arrive as it is: a PEM, a token, an address."""
    typer.echo(text)


def put_json(document: Any) -> None:
    """Hand over a result to a script."""
    typer.echo(json.dumps(document, indent=2))


def put_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Show a table, with colour on a terminal only."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPE_COLUMNS)
    table = Table()
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console.print(table)


def printable(text: str) -> str:
    """Return a text whose control characters cannot act on a terminal."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def iso_time(moment: datetime, timespec: str = "seconds") -> str:
    """Return a time as ISO 8601 in UTC, to the second, or as `datetime.isoformat` is told."""
    return moment.astimezone(UTC).isoformat(timespec=timespec).replace("+00:00", "Z")


def time_text(seconds: float) -> str:
    """Return epoch seconds as ISO 8601, where the calendar goes so far."""
    try:
        return iso_time(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return "beyond the calendar: milliseconds?"


def duration_text(seconds: float) -> str:
    """Return a length of time in hours, minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min {rest:02} s" if hours else f"{minutes} min {rest:02} s"

"""What people and scripts read: results on stdout; explanations and progress on stderr."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jitsi_tokens_cli.checks import Check, Outcome

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Wide = Annotated[bool, typer.Option("--wide", help="Print ids and times in full.")]

_SLOW_SECONDS = 1.0
_GAP = "  "
_NARROWEST = 8
_progress_shown = threading.Event()
# The mark of an outcome on a terminal, its colour, and its word where there are no marks.
_MARKS: dict[Outcome, tuple[str, str, str]] = {
    "pass": ("✓", "green", "ok"),
    "warning": ("!", "yellow", "warning"),
    "fail": ("✗", "red", "FAILED"),
    "skipped": ("-", "bright_black", "skipped"),
    "not-checked": ("?", "yellow", "not checked"),
    "not-applicable": ("-", "bright_black", "not applicable"),
}


def info(text: str) -> None:
    """Explain, on stderr; the text may repeat what others wrote."""
    _end_progress()
    for line in printable(text).split("\n"):
        # What is indented is a command to copy, which a line end would break.
        whole = line.startswith("  ") or not is_terminal(sys.stderr)
        typer.echo(line if whole else wrapped(line), err=True)


def echo(text: str) -> None:
    """Print a result that must arrive unchanged: a PEM, a token, an address."""
    typer.echo(text)


def echo_json(document: Any) -> None:
    """Print a result for a script."""
    typer.echo(json.dumps(document, indent=2))


def echo_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], *, wide: bool = False
) -> None:
    """Print one line a row: cut to the terminal unless `wide`; tab-separated when piped.

    The first column is cut last: it is the name or the time by which a row is found.
    """
    rows = [[one_line(cell) for cell in row] for row in rows]
    if not is_terminal(sys.stdout):
        for line in ([heading.lower() for heading in headings], *rows):
            echo("\t".join(line))
        return
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    room = shutil.get_terminal_size().columns - len(_GAP) * (len(widths) - 1)
    while not wide and sum(widths) > room and max(widths) > _NARROWEST:
        widest = max(widths[1:])
        widths[widths.index(widest, 1) if widest > _NARROWEST else 0] -= 1
    echo(_styled(_line(headings, widths), bold=True))
    for row in rows:
        echo(_line(row, widths))


def echo_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Print names and values, the values in a column; tab-separated when piped."""
    if not is_terminal(sys.stdout):
        for name, value in facts:
            echo(f"{name}\t{one_line(value)}")
        return
    width = max(len(name) for name, _ in facts) + 2
    for name, value in facts:
        line = f"{name:<{width}}{one_line(value)}"
        # An ARN stays beside its name.
        echo(wrapped(line, width) if " " in value else line)


def echo_check(check: Check, name_width: int = 16) -> None:
    """Print a check: what was found, why it matters, what to do; one line when piped."""
    told = [one_line(text) for text in (check.found, check.why) if text]
    if not is_terminal(sys.stdout):
        echo("\t".join([check.outcome, check.name, " ".join(told), one_line(check.remedy)]))
        return
    mark, colour, word = _MARKS[check.outcome]
    if not _can_encode(mark):
        mark = f"{word:<14}"
    indent = len(mark) + 1 + name_width
    text = wrapped(f"{mark} {check.name:<{name_width}}{' '.join(told)}", indent)
    echo(
        _styled(mark, fg=colour)
        + _styled(text[len(mark) : indent], bold=check.outcome == "fail")
        + text[indent:]
    )
    if check.remedy:
        arrow = "→" if _can_encode("→") else "->"
        echo(wrapped(f"{' ' * indent}{arrow} {one_line(check.remedy)}", indent + 2))


@contextmanager
def progress(text: str) -> Iterator[None]:
    """Say on stderr what is going on, once it takes over a second."""

    def show() -> None:
        _progress_shown.set()
        begin = "\r" if is_terminal(sys.stderr) else ""
        sys.stderr.write(f"{begin}{printable(text)} ...")
        sys.stderr.flush()

    timer = threading.Timer(_SLOW_SECONDS, show)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        _end_progress()


def _end_progress() -> None:
    """Take the line away on a terminal; elsewhere end it."""
    if _progress_shown.is_set():
        _progress_shown.clear()
        sys.stderr.write("\r\x1b[K" if is_terminal(sys.stderr) else "\n")
        sys.stderr.flush()


def wrapped(text: str, indent: int = 0) -> str:
    """Return a text broken between words to the terminal's width, lines after it indented."""
    width = max(shutil.get_terminal_size().columns, indent + 20)
    return "\n".join(
        textwrap.fill(
            line,
            width,
            subsequent_indent=" " * (indent or len(line) - len(line.lstrip())),
            # A command or an address stays in one piece, to be copied.
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.split("\n")
    )


def is_terminal(stream: TextIO) -> bool:
    """Tell whether a person reads what is printed there."""
    return stream.isatty()


def one_line(text: str) -> str:
    """Return a text on one line, without what would act on a terminal."""
    return printable(" ".join(text.split()))


def printable(text: str) -> str:
    """Return a text whose control characters cannot act on a terminal."""
    return "".join(
        character
        if character.isprintable() or character == "\n"
        else character.encode("unicode_escape").decode()
        for character in text
    )


def iso_time(moment: datetime, timespec: str = "seconds", zone: tzinfo | None = UTC) -> str:
    """Return a time as ISO 8601 in a zone, to the second or as `datetime.isoformat` takes it."""
    return moment.astimezone(zone).isoformat(timespec=timespec).replace("+00:00", "Z")


def time_text(seconds: float, zone: tzinfo | None = UTC) -> str:
    """Return epoch seconds as ISO 8601 in a zone, where the calendar goes so far."""
    try:
        return iso_time(datetime.fromtimestamp(seconds, UTC), zone=zone)
    except (ValueError, OverflowError, OSError):
        return "beyond the calendar: milliseconds?"


def duration_text(seconds: float) -> str:
    """Return a length of time in hours, minutes and seconds."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min {rest:02} s"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(
        f"{cell if len(cell) <= width else f'{cell[: width - 1]}…':<{width}}"
        for cell, width in zip(cells, widths, strict=True)
    ).rstrip()


def _styled(text: str, **style: Any) -> str:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return text if plain else typer.style(text, **style)


def _can_encode(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True

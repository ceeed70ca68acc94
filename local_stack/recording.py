"""`make recording`: runs `make run` in a terminal, and draws what it shows as an animated SVG."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.text import Text

_COMMAND = "make run"
_COLUMNS = 92
_LONGEST_PAUSE = 1.5  # seconds; the times in the lines are the real ones
_SECRET = re.compile(r"(?<=jtv_)\w+")
_ID = "terminal"


def main() -> int:
    """Write the file that is named."""
    target = Path(sys.argv[1])
    lines, seconds = _record()
    target.write_text(_svg(lines, seconds))
    print(f"{target}: {len(lines)} lines, {seconds[-1]:.0f} s")
    return 0


def _record() -> tuple[list[str], list[float]]:
    """Return the lines of the terminal, and when each appears in the recording.

    Raises:
        subprocess.CalledProcessError: the command failed.
    """
    ours, theirs = pty.openpty()
    lines, seconds, before = [f"$ {_COMMAND}"], [0.0], time.monotonic()
    with subprocess.Popen(_COMMAND.split(), stdout=theirs, stdin=theirs, stderr=theirs) as running:
        os.close(theirs)
        # On Linux the read fails, where it should end, once the last process has left the terminal.
        with open(ours, errors="replace", newline="\n") as terminal:  # noqa: PTH123 - a descriptor
            while line := _line(terminal):
                now = time.monotonic()
                lines.append(line.rstrip().rpartition("\r")[2])
                seconds.append(seconds[-1] + min(now - before, _LONGEST_PAUSE))
                before = now
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, _COMMAND)
    return lines, seconds


def _line(terminal: TextIO) -> str:
    try:
        return terminal.readline()
    except OSError:
        return ""


def _svg(lines: list[str], seconds: list[float]) -> str:
    console = Console(record=True, width=_COLUMNS, file=StringIO(), color_system="truecolor")
    for line in lines:
        text = Text.from_ansi(_SECRET.sub("…", line))
        text.highlight_regex("✓", "green")
        text.highlight_regex(r"^\$.*", "bold")
        console.print(text, no_wrap=True, overflow="crop")
    appear = "".join(
        f'[clip-path="url(#{_ID}-line-{number})"]{{animation-delay:{second:.1f}s}}'
        for number, second in enumerate(seconds)
    )
    style = (
        "@keyframes appear{from{opacity:0}}@media (prefers-reduced-motion:no-preference)"
        f"{{text[clip-path]{{animation:appear 1ms both}}{appear}}}"
    )
    drawn = console.export_svg(title=_COMMAND, unique_id=_ID)
    # Rich loads its font from another host.
    return re.sub(r"@font-face \{.*?\}\n", "", drawn, flags=re.DOTALL).replace(
        "</style>", f"{style}</style>"
    )


if __name__ == "__main__":
    raise SystemExit(main())

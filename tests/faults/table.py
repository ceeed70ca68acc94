"""The table of a run: a row a scenario and group, with its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.faults.crowd import Crowd
    from tests.faults.figures import Figures, Promise

_HEADINGS = (
    *("scenario", "who", "requests", "good", "otherwise", "outage, s", "p99, ms"),
    *("unverified", "unexpected"),
)


class Row(NamedTuple):
    """One group of callers in one scenario."""

    scenario: str
    group: str
    figures: Figures
    broken: list[str]

    def cells(self) -> list[str]:
        """Return what stands in the columns."""
        figures = self.figures
        others = ", ".join(f"{count} x {kind}" for kind, count in figures.others.items())
        return [
            self.scenario,
            self.group,
            str(figures.requests),
            str(figures.good),
            others,
            f"{figures.longest_outage:.1f}",
            f"{figures.p99 * 1000:.0f}",
            str(figures.unverified),
            str(figures.unexpected),
        ]


class Table:
    """What every scenario came to."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.notes: list[str] = []

    def hold(self, scenario: str, crowd: Crowd, promises: dict[str, Promise]) -> None:
        """Keep the figures of a scenario's groups, and hold each to its promise."""
        rows = [
            Row(scenario, group, figures, figures.broken(promise))
            for group, promise in promises.items()
            for figures in [crowd.figures(group)]
        ]
        self.rows += rows
        assert {row.group: row.broken for row in rows if row.broken} == {}

    def note(self, text: str) -> None:
        """Keep what stands below the table."""
        self.notes.append(text)

    def text(self) -> str:
        """Return the table, in Markdown that can be read as it is."""
        lines = [list(_HEADINGS), *(row.cells() for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
        rule = ["-" * width for width in widths]
        written = [
            "| "
            + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            + " |"
            for line in [lines[0], rule, *lines[1:]]
        ]
        return "".join(f"{line}\n" for line in [*written, "", *self.notes])

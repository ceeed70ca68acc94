"""What became of the requests of each scenario: counted, held to promises, and in a table."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.faults.crowd import Crowd

GOOD = "good"
# A token that Jitsi would refuse; an answer with a 5xx that no caller can make sense of.
UNVERIFIED = "unverified"
UNEXPECTED = "unexpected"

_HEADINGS = (
    *("scenario", "who", "requests", "good", "otherwise", "outage, s", "p99, ms"),
    *("unverified", "unexpected"),
)


class Request(NamedTuple):
    """One request. Times in seconds, of a clock that never jumps.

    Attributes:
        caller: who asked: each waits for an answer before the next request.
        kind: GOOD, UNVERIFIED, the status of a refusal, or UNEXPECTED with what it was.
    """

    caller: str
    began: float
    ended: float
    kind: str


class Promise(NamedTuple):
    """What a group is held to. A kind that is not named here is not right.

    Attributes:
        outage_seconds: the longest time that any caller may be without a good answer.
        may_answer: what else is right, by kind.
    """

    outage_seconds: float
    may_answer: frozenset[str] = frozenset()


class Figures(NamedTuple):
    """The requests of one group of callers in one scenario. Times in seconds."""

    requests: int
    kinds: Counter[str]
    longest_outage: float
    median: float
    p99: float

    @property
    def good(self) -> int:
        """How many got what they asked for."""
        return self.kinds[GOOD]

    @property
    def unverified(self) -> int:
        """How many tokens do not verify."""
        return self.kinds[UNVERIFIED]

    @property
    def unexpected(self) -> int:
        """How many answers are failures that are not told as the contract says."""
        return sum(count for kind, count in self.kinds.items() if kind.startswith(UNEXPECTED))

    @property
    def others(self) -> dict[str, int]:
        """How many were answered otherwise, and as the contract says, by kind."""
        named = {GOOD, UNVERIFIED}
        return {
            kind: count
            for kind, count in sorted(self.kinds.items())
            if kind not in named and not kind.startswith(UNEXPECTED)
        }

    def broken(self, promise: Promise) -> list[str]:
        """Return what of a promise was not kept."""
        others = [kind for kind in self.kinds if kind not in {GOOD, *promise.may_answer}]
        faults = [f"{self.kinds[kind]} x {kind}" for kind in others]
        if self.longest_outage > promise.outage_seconds:
            faults.append(f"an outage of {self.longest_outage:.1f} s")
        return faults


def figures_of(requests: list[Request], began: float, ended: float) -> Figures:
    """Count the requests that were made between two moments."""
    seconds = sorted(request.ended - request.began for request in requests)
    return Figures(
        requests=len(requests),
        kinds=Counter(request.kind for request in requests),
        longest_outage=max(
            (
                _longest_outage([one for one in requests if one.caller == caller], began, ended)
                for caller in {request.caller for request in requests}
            ),
            default=ended - began,
        ),
        median=_percentile(seconds, 50),
        p99=_percentile(seconds, 99),
    )


def _percentile(ordered: list[float], percent: int) -> float:
    return ordered[math.ceil(len(ordered) * percent / 100) - 1] if ordered else math.nan


def _longest_outage(requests: list[Request], began: float, ended: float) -> float:
    """Return one caller's longest time without a good answer; its last request may be open."""
    successes = [request.ended for request in requests if request.kind == GOOD]
    return max(after - before for before, after in pairwise([began, *successes, ended]))


class Row(NamedTuple):
    """One group of callers in one scenario."""

    scenario: str
    group: str
    figures: Figures
    broken: list[str]

    def cells(self) -> list[str]:
        """Return the content of the columns."""
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
        """Keep the text below the table."""
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

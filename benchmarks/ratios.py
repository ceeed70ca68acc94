"""Ratios of two things that were measured in turns, what each may be, and the guard.

A slow machine, or a busy one, slows both sides of a ratio. Milliseconds differ from machine to
machine; ratios hardly do.
"""

from __future__ import annotations

import statistics
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

# By the ratio's name: what was measured, and what it is compared with, turn by turn.
type Pairs = dict[str, tuple[list[float], list[float]]]

COMPILED = "Powertools and pydantic, compiled"
PLAIN = "Powertools and pydantic, plain sam build"
_OVER_ENCODE = "handler less its signature, over a bare encode"
_SECRETS = "a client of secretsmanager"
_PARAMETERS = "a client of ssm"
_BOTH = "a client of secretsmanager,ssm"
_ATTEMPTS = 4


class Bound(NamedTuple):
    """The most that a ratio may be.

    Attributes:
        target: what was asked of the service.
        guard: what `make bench-check` lets pass, between the target and what was measured: far
            enough from the latter that a busy machine stays below. None: not measured there.
    """

    target: float
    guard: float | None = None


BOUNDS = {
    f"HS256: {_OVER_ENCODE}": Bound(5, 3.5),
    f"RSA-2048: {_OVER_ENCODE}": Bound(5, 2.9),
    f"RSA-4096: {_OVER_ENCODE}": Bound(5),
    "RSA-4096: handler over PEM each time": Bound(0.01),
    "HS256: 50 room patterns over 1": Bound(1.6, 1.45),
    "RSA-4096: 50 room patterns over 1": Bound(1.2),
    f"start: IssueToken, HS256, over {_SECRETS}": Bound(1.25, 1.25),
    f"start: IssueToken, RS256, over {_SECRETS}": Bound(1.25),
    "start: AuthorizeClient, over a client of dynamodb": Bound(1.2, 1.1),
    f"start: ProbeConfig, over {_PARAMETERS}": Bound(1.2, 1.15),
    f"start: ServePublicKey, over {_PARAMETERS}": Bound(1.2, 1.15),
    f"start: CheckKey, over {_BOTH}": Bound(1.2, 1.2),
    f"start: RotateSigningKey, over {_BOTH}": Bound(1.2, 1.2),
    "start: JoinVisit, over a client of dynamodb,secretsmanager,ssm": Bound(1.2, 1.2),
    "start: ManageVisits, over a client of dynamodb,secretsmanager": Bound(1.2, 1.2),
    f"start: IssueToken, HS256, over {COMPILED}": Bound(0.85),
    f"start: IssueToken, RS256, over {COMPILED}": Bound(0.85),
    f"start: IssueToken, HS256, over {PLAIN}": Bound(0.4),
    f"start: IssueToken, RS256, over {PLAIN}": Bound(0.4),
    f"memory: IssueToken, HS256, over {_SECRETS}": Bound(1.35, 1.3),
    f"memory: IssueToken, RS256, over {_SECRETS}": Bound(1.35),
}


def ratio(measured: list[float], compared: list[float]) -> float:
    """Return the ratio of the medians, which a few disturbed turns do not change."""
    return statistics.median(measured) / statistics.median(compared)


def table(pairs: Pairs) -> str:
    """Return all ratios and their medians as Markdown: in µs, ms (starts) or KiB (memory).

    Raises:
        KeyError: a ratio that has a bound was not measured.
    """
    if missing := BOUNDS.keys() - pairs.keys():
        raise KeyError(missing)
    lines = ["| ratio | at most | ratio | of | over |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, sides in pairs.items():
        of, over = map(statistics.median, sides)
        target = f"{BOUNDS[name].target:g}" if name in BOUNDS else ""
        lines.append(f"| {name} | {target} | {ratio(*sides):.3g} | {of:,.0f} | {over:,.0f} |")
    return "\n".join(lines)


def held(measure: Callable[[], Pairs], attempts: int = _ATTEMPTS) -> int:
    """Return 0 as soon as every ratio is within its guard, else 1.

    After a miss it measures again, and all turns so far count: they outvote a disturbance, but not
    a regression.

    Raises:
        KeyError: a ratio that has a guard was not measured.
    """
    pairs: Pairs = {}
    for attempt in range(1, attempts + 1):
        for name, (measured, compared) in measure().items():
            before = pairs.get(name, ([], []))
            pairs[name] = (before[0] + measured, before[1] + compared)
        over = False
        for name, bound in BOUNDS.items():
            if bound.guard is None:
                continue
            value = ratio(*pairs[name])
            over |= value > bound.guard
            verdict = ": OVER" if value > bound.guard else ""
            print(f"  {value:5.2f} of {bound.guard:5.2f}  {name}{verdict}", flush=True)
        if not over:
            return 0
        print(f"==> over a limit in attempt {attempt} of {attempts}", file=sys.stderr)
    print("==> slower than before: see docs/performance.md", file=sys.stderr)
    return 1

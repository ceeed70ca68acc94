"""What a run of `make bench` means: in time that a person waits, and in dollars."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from benchmarks.growth.prices import LAMBDA_GB_SECOND, LAMBDA_REQUEST
from benchmarks.markdown import table
from benchmarks.speed.subjects import COMPILED, PLAIN

if TYPE_CHECKING:
    from benchmarks.measured import Handler, Speed

_MILLION = 1_000_000


def meaning(speed: Speed, issue_gb: float) -> str:
    """Return what the figures are in seconds of a person's and in dollars of Lambda's."""
    containers = speed.containers
    authorizer = containers["AuthorizeClient"]

    def row(name: str, handler: Handler) -> list[str]:
        first = statistics.median(turn.first for turn in handler.rounds)
        cold = handler.init + first
        whole = cold + authorizer.init + statistics.median(turn.first for turn in authorizer.rounds)
        million = _MILLION * (
            LAMBDA_REQUEST.dollars
            + math.ceil(handler.duration) / 1000 * issue_gb * LAMBDA_GB_SECOND.dollars
        )
        return [
            name,
            f"{handler.duration:.1f} ms",
            f"{cold:.0f} ms",
            f"{whole:.0f} ms",
            f"${million:.2f}",
        ]

    return table(
        [
            "",
            "a warm request",
            "its container is new",
            "the authorizer's too",
            "Lambda, a million",
        ],
        [
            row("IssueToken, HS256", containers["IssueToken, HS256"]),
            row("IssueToken, RS256", containers["IssueToken, RS256"]),
            row("Powertools and pydantic, compiled", containers[COMPILED]),
            row("the same as plain `sam build` leaves it", containers[PLAIN]),
        ],
    )

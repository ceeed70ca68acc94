"""What was measured, as ratios of what took turns on the same machine in the same minute."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.speed.subjects import BOTOCORE_CLIENT, COMPILED, FLOORS, PLAIN, floor_of
from benchmarks.speed.warm import ENCODE, HANDLER, SIGN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.measured import Containers, Series, Speed


class Ratio(NamedTuple):
    """A ratio of what took turns.

    Attributes:
        value: of the medians.
        low: one of ten turns has less.
        high: one of ten has more.
    """

    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """The ratio, and the spread of the turns."""
        return f"{_rounded(self.value)} ({_rounded(self.low)} to {_rounded(self.high)})"


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Ratio:
    """Return the ratio of two series, and how it differs from turn to turn."""
    turns = [over / under for over, under in zip(numerators, denominators, strict=True)]
    deciles = statistics.quantiles(turns, n=10, method="inclusive")
    medians = statistics.median(numerators) / statistics.median(denominators)
    return Ratio(medians, deciles[0], deciles[-1])


def ratios(speed: Speed) -> dict[str, Ratio]:
    """Return every ratio that a run has the figures for, by what it says."""
    return dict(_all(speed))


def _all(speed: Speed) -> Iterator[tuple[str, Ratio]]:
    for series in speed.warm:
        yield from _over_the_signature(series)
    for series in speed.others:
        handler = series.blocks[HANDLER]
        for name, blocks in series.blocks.items():
            if name != HANDLER:
                yield f"{series.title}: {name} over the handler", ratio(blocks, handler)
    yield from _of_starts(speed.containers)
    for series in speed.patterns:
        most, least = series.blocks["50"], series.blocks["1"]
        yield f"{series.title}: 50 room patterns over 1", ratio(most, least)
    if speed.clients:
        few, *_, many = speed.clients
        yield (
            f"authorizer: {many.clients:,} clients over {few.clients}",
            ratio(many.blocks, few.blocks),
        )


def _over_the_signature(series: Series) -> Iterator[tuple[str, Ratio]]:
    blocks = series.blocks
    handler, sign = blocks[HANDLER], blocks[SIGN]
    above = [whole - bare for whole, bare in zip(handler, sign, strict=True)]
    yield (
        f"{series.title}: handler less its signature, over a bare encode",
        ratio(above, blocks[ENCODE]),
    )
    yield f"{series.title}: handler over its signature", ratio(handler, sign)


def _of_starts(containers: Containers) -> Iterator[tuple[str, Ratio]]:
    inits = {made.name: [turn.init for turn in made.rounds] for made in containers.handlers}
    peaks = {made.name: [turn.peak for turn in made.rounds] for made in containers.handlers}
    for name, init in inits.items():
        if name.partition(",")[0] in FLOORS:
            floor = floor_of(name)
            yield f"start: {name}, over {floor}", ratio(init, inits[floor])
            yield f"memory: {name}, over {floor}", ratio(peaks[name], peaks[floor])
    for name in ("IssueToken, HS256", "IssueToken, RS256"):
        for peer in (BOTOCORE_CLIENT, COMPILED, PLAIN):
            if name in inits and peer in inits:
                yield f"start: {name}, over {peer}", ratio(inits[name], inits[peer])


def _rounded(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"  # noqa: PLR2004 - digits that matter

"""The guard of `make bench-check`, which would pass in silence if it were broken."""

from __future__ import annotations

import pytest

from benchmarks import ratios

GUARDS = {name: bound.guard for name, bound in ratios.BOUNDS.items() if bound.guard is not None}


def measured(slower: float) -> ratios.Pairs:
    """Return seven turns of everything at 9/10 of its guard; starts slower than that."""
    return {
        name: ([guard * 0.9 * (slower if name.startswith("start:") else 1)] * 7, [1.0] * 7)
        for name, guard in GUARDS.items()
    }


@pytest.mark.parametrize(
    ("attempts", "result"),
    [([1], 0), ([1.2, 1.2], 1), ([3, 1, 1], 0), ([1.2, 1.2, 1.2, 1], 1)],
    ids=["within", "regression", "noise", "luck"],
)
def test_a_regression_fails_and_noise_does_not(attempts: list[float], result: int) -> None:
    """All turns count together, so one attempt outvotes no other."""
    measure = map(measured, attempts)

    assert ratios.held(lambda: next(measure), attempts=len(attempts)) == result


def test_a_ratio_that_was_not_measured_does_not_pass() -> None:
    """As after a function was renamed."""
    start = "start: CheckKey, over a client of secretsmanager,ssm"

    with pytest.raises(KeyError, match="CheckKey"):
        ratios.held(lambda: {name: pair for name, pair in measured(1).items() if name != start})

"""The benchmarks' ratios and their guard, by figures worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks import ratios, warm
from benchmarks.starts import Round, pairs

GUARDS = {name: bound.guard for name, bound in ratios.BOUNDS.items() if bound.guard is not None}
START = "start: CheckKey, over a client of secretsmanager,ssm"


def measured(**slower: float) -> ratios.Pairs:
    """Return seven turns of everything at 9/10 of its guard, times `slower` by kind."""
    return {
        name: ([guard * 0.9 * slower.get(name.split(":")[0], 1)] * 7, [1.0] * 7)
        for name, guard in GUARDS.items()
    }


def test_a_ratio_is_that_of_the_medians() -> None:
    """Not the median of the turns' ratios, which are 0.1, 4 and 0.5."""
    assert ratios.ratio([1, 40, 5], [10, 10, 10]) == 0.5


def test_ratios_within_their_guards_pass_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Each is printed next to its guard."""
    attempts = iter([measured()])

    assert ratios.held(lambda: next(attempts)) == 0

    printed = capsys.readouterr().out
    assert all(name in printed for name in GUARDS)
    assert "OVER" not in printed


@pytest.mark.parametrize("kind", ["start", "memory", "HS256", "RSA-2048"])
def test_a_regression_fails(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One of a fifth, in every attempt, and only its own ratios are over."""
    assert ratios.held(lambda: measured(**{kind: 1.2}), attempts=2) == 1

    over = [line for line in capsys.readouterr().out.splitlines() if line.endswith("OVER")]
    assert len(over) == 2 * sum(name.startswith(f"{kind}:") for name in GUARDS)
    assert all(f"  {kind}:" in line for line in over)


@pytest.mark.parametrize(
    ("slower", "result"), [([3, 1, 1], 0), ([1.2, 1.2, 1.2, 1], 1)], ids=["noise", "luck"]
)
def test_all_turns_count_together(slower: list[float], result: int) -> None:
    """One disturbed attempt does not fail the guard, and one lucky attempt does not pass it."""
    attempts = iter(measured(start=each) for each in slower)

    assert ratios.held(lambda: next(attempts)) == result


def test_a_ratio_that_was_not_measured_does_not_pass() -> None:
    """As after a function was renamed."""
    with pytest.raises(KeyError, match="CheckKey"):
        ratios.held(lambda: {name: pair for name, pair in measured().items() if name != START})


def test_starts_and_memory_over_the_floor_and_over_the_peers() -> None:
    """Those that share a floor are compared with the same one."""
    found = pairs(
        {
            "a client of secretsmanager": [Round(init=200, first=0, warm=0, peak=40_000)],
            "IssueToken, HS256": [Round(init=220, first=0, warm=0, peak=50_000)],
            "IssueToken, RS256": [Round(init=210, first=0, warm=0, peak=60_000)],
            ratios.PLAIN: [Round(init=880, first=0, warm=0, peak=80_000)],
        }
    )

    assert {name: ratios.ratio(*sides) for name, sides in found.items()} == {
        "start: IssueToken, HS256, over a client of secretsmanager": 1.1,
        "memory: IssueToken, HS256, over a client of secretsmanager": 1.25,
        f"start: IssueToken, HS256, over {ratios.PLAIN}": 0.25,
        "start: IssueToken, RS256, over a client of secretsmanager": 1.05,
        "memory: IssueToken, RS256, over a client of secretsmanager": 1.5,
        f"start: IssueToken, RS256, over {ratios.PLAIN}": 210 / 880,
    }


def test_a_warm_request_and_what_it_is_compared_with() -> None:
    """A signature takes less than a whole encode, and that less than the handler."""
    found = warm.over_the_signature(warm.BLOCKS, ["HS256"])
    found |= warm.over_the_peers(warm.BLOCKS, ["HS256", "RSA-2048"])
    found |= warm.by_patterns(warm.BLOCKS, ["HS256"])

    assert all(len(side) == warm.BLOCKS for sides in found.values() for side in sides)
    assert ratios.ratio(*found["HS256: handler less its signature, over a bare encode"]) > 1
    assert ratios.ratio(*found["HS256: handler over the pasted script"]) > 1
    assert ratios.ratio(*found["RSA-2048: handler over PEM each time"]) < 0.5

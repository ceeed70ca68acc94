"""The figures by which the tests of outages judge: an outage or a bad answer that is overlooked."""

from __future__ import annotations

import pytest

from tests.faults.figures import GOOD, UNEXPECTED, UNVERIFIED, Figures, Promise, Request, figures_of

STEADY = [Request("a", second, second + 0.1, GOOD) for second in range(10)]
PROMISE = Promise(outage_seconds=2, may_answer=frozenset({"503"}))


def figures(*others: Request) -> Figures:
    """Return the figures of ten seconds, in which one caller is served each second."""
    return figures_of([*STEADY, *others], 0, 10)


def test_a_promise_that_is_kept() -> None:
    """Served each second, and once told to try again."""
    counted = figures(Request("a", 5.2, 5.3, "503"))

    assert counted.broken(PROMISE) == []
    assert (counted.requests, counted.good, counted.others) == (11, 10, {"503": 1})
    assert counted.longest_outage == pytest.approx(1)


@pytest.mark.parametrize("kind", [UNVERIFIED, "401", f"{UNEXPECTED}: 502 text/plain"])
def test_one_answer_that_was_not_promised_breaks_it(kind: str) -> None:
    """Among however many good ones."""
    assert figures(Request("a", 5.2, 5.3, kind)).broken(PROMISE) == [f"1 x {kind}"]


@pytest.mark.parametrize(
    ("served_at", "outage"),
    [([1, 2, 3], 7), ([7, 8, 9], 7), ([2, 4, 8.5], 4.5), ([], 10)],
    ids=["to the end", "from the beginning", "between", "throughout"],
)
def test_one_callers_outage_is_not_hidden_by_another(served_at: list[float], outage: float) -> None:
    """The longest of anybody counts, from the beginning up to the end."""
    requests = [Request("b", at - 0.1, at, GOOD) for at in served_at]
    refused = Request("b", 0, 0.1, "503")

    counted = figures(refused, *requests)

    assert counted.longest_outage == pytest.approx(outage)
    assert counted.broken(PROMISE) == [f"an outage of {outage:.1f} s"]


def test_the_slowest_of_a_hundred_is_left_out_of_the_p99() -> None:
    """Ninety-nine of a hundred answers took no longer."""
    requests = [Request("a", 0, seconds / 100, GOOD) for seconds in range(1, 101)]

    counted = figures_of(requests, 0, 1)

    assert (counted.median, counted.p99) == (0.5, 0.99)

"""The tables of docs/performance.md: by figures that can be worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks.growth.prices import LAMBDA_GB_SECOND, LAMBDA_REQUEST
from benchmarks.measured import Series
from benchmarks.speed import tables
from benchmarks.speed.meaning import meaning
from benchmarks.speed.subjects import COMPILED, PLAIN
from benchmarks.speed.warm import ENCODE, HANDLER, PEER, PEM, SCRIPT, SIGN
from tests.speed_runs import container, run


def rows(table: str) -> list[list[str]]:
    """Return a table's rows below its head, by their cells."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]
    ]


def patterns(*turns: float) -> Series:
    """Return 50 room patterns over 1, in these turns."""
    return Series("HS256", len(turns), {"1": [1] * len(turns), "50": list(turns)})


@pytest.mark.parametrize(
    ("busy", "agree"),
    [((1.1, 1.2, 1.3), "yes"), ((1.25, 1.4, 1.5), "yes"), ((1.5, 1.6, 1.7), "no")],
)
def test_two_runs_agree_where_their_spreads_meet(busy: tuple[float, ...], agree: str) -> None:
    """Both stand in the table, behind the target."""
    table = tables.all_ratios(
        run(patterns=[patterns(1.1, 1.2, 1.3)]), run(patterns=[patterns(*busy)])
    )

    [[name, bound, quiet, _, agreed]] = rows(table)
    assert (name, bound) == ("HS256: 50 room patterns over 1", "≤ 1.6")
    assert (quiet, agreed) == ("1.20 (1.12 to 1.28)", agree)


def test_a_bound_is_the_most_or_the_least_or_none() -> None:
    """The page has the targets; the guards are for `make bench-check`."""
    blocks = {HANDLER: [20.0] * 2, SIGN: [10.0] * 2, ENCODE: [4.0] * 2}
    others = {HANDLER: [20.0] * 2, PEM: [2600.0] * 2}
    speed = run(warm=[Series("RSA-4096", 2, blocks)], others=[Series("RSA-4096", 2, others)])

    assert {name: bound for name, bound, *_ in rows(tables.all_ratios(speed, speed))} == {
        "RSA-4096: handler less its signature, over a bare encode": "≤ 5",
        "RSA-4096: handler over its signature": "",
        "RSA-4096: PEM each time over the handler": "≥ 100",
    }


def test_what_is_not_compared_has_an_empty_cell() -> None:
    """A shared secret has no PEM."""
    blocks = {HANDLER: [1234.4, 1234.6], PEER: [2.0, 2.0], SCRIPT: [40.0, 42.0]}

    [row] = rows(tables.others(run(others=[Series("HS256", 2, blocks)])))

    assert row == ["HS256", "1,234", "2", "41", ""]


def test_the_rest_is_what_no_part_has() -> None:
    """Of the handler; its signature alone is no part of it."""
    blocks = {"parse": [30.0], "sign": [50.0], HANDLER: [100.0], SIGN: [45.0]}

    assert rows(tables.parts(run(parts=[Series("HS256", 1, blocks)]))) == [
        ["HS256", "30", "50", "20", "100"]
    ]


def test_small_packages_stand_together() -> None:
    """Below a tenth of a megabyte; all of them are the layer."""
    sizes = {"botocore": 3_000_000, "jwt": 100_000, "six": 60_000, "zipp": 40_000}

    assert rows(tables.packages(run(packages=sizes))) == [
        ["botocore", "3.0"],
        ["jwt", "0.1"],
        ["2 more", "0.1"],
        ["all", "3.2"],
    ]


def test_what_a_person_waits_and_what_is_paid() -> None:
    """A new container is its start and its first call; Lambda bills whole milliseconds."""
    ours, peer = container(200, duration=4.2, first=10), container(900, duration=5, first=20)
    handlers = {
        "IssueToken, HS256": [ours],
        "IssueToken, RS256": [ours],
        COMPILED: [peer],
        PLAIN: [peer],
        "AuthorizeClient": [container(150, first=5)],
    }

    found = rows(meaning(run(handlers=handlers), 1769 / 1024))

    five_ms = 1_000_000 * (LAMBDA_REQUEST.dollars + 0.005 * 1769 / 1024 * LAMBDA_GB_SECOND.dollars)
    assert [row[1:] for row in found] == [
        ["4.2 ms", "210 ms", "365 ms", f"${five_ms:.2f}"],
        ["4.2 ms", "210 ms", "365 ms", f"${five_ms:.2f}"],
        ["5.0 ms", "920 ms", "1075 ms", f"${five_ms:.2f}"],
        ["5.0 ms", "920 ms", "1075 ms", f"${five_ms:.2f}"],
    ]


def test_a_handler_by_the_medians_of_its_containers() -> None:
    """One that was disturbed is outvoted."""
    rounds = [container(200, 40 * 1024, duration=1.5, first=10)] * 2
    rounds.append(container(900, 90 * 1024, duration=9, first=99))

    [row] = rows(tables.starts(run(handlers={"CheckKey": rounds})))

    assert row == ["CheckKey", "200", "10.0", "0.0", "0.0", "0.0", "1.50", "40", "0.0", "0.0"]

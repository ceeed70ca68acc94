"""Ratios of what took turns, and their bounds: by figures that can be worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks import measured
from benchmarks.measured import Clients, Series
from benchmarks.speed.bounds import AT_LEAST, MOST, Bound
from benchmarks.speed.ratios import Ratio, ratio, ratios
from benchmarks.speed.subjects import COMPILED, EXTENSION
from benchmarks.speed.warm import ENCODE, HANDLER, PEER, PEM, SCRIPT, SIGN
from tests.speed_runs import container, run

TURNS = [float(turn) for turn in range(1, 12)]


@pytest.fixture(scope="module")
def stored() -> dict[str, Ratio]:
    """What the last quiet run of `make bench` found."""
    return ratios(measured.read(measured.Speed, measured.QUIET))


def test_a_ratio_is_that_of_the_medians() -> None:
    """Not the median of the turns' ratios: 0.1, 4 and 0.5 here."""
    assert ratio([1, 40, 5], [10, 10, 10]).value == 0.5
    assert ratio([1, 4, 5], [10, 1, 10]).value == 0.4


def test_beside_it_stand_the_deciles_of_the_turns() -> None:
    """One turn of ten has less, and one has more."""
    assert ratio(TURNS, [1.0] * 11) == Ratio(value=6, low=2, high=10)
    assert ratio(TURNS, TURNS) == Ratio(1, 1, 1)


def test_what_did_not_take_turns_has_no_ratio() -> None:
    """Each turn has both."""
    with pytest.raises(ValueError, match="shorter"):
        ratio([1, 2, 3], [1, 2])


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (Ratio(1.234, 1, 1.5), "1.23 (1.00 to 1.50)"),
        (Ratio(131.9, 99.5, 152), "132 (99.50 to 152)"),
    ],
)
def test_a_ratio_in_a_table(found: Ratio, text: str) -> None:
    """With the digits that matter."""
    assert found.text == text


def test_the_handler_less_its_signature_over_a_bare_encode() -> None:
    """Each block less the signature of the same block."""
    series = Series(
        "RSA-2048",
        3,
        {HANDLER: [1000, 1100, 1300], SIGN: [900, 980, 1000], ENCODE: [50, 40, 60]},
    )

    found = ratios(run(warm=[series]))

    above = found["RSA-2048: handler less its signature, over a bare encode"]
    assert above.value == 120 / 50
    assert (above.low, above.high) == pytest.approx((2.2, 4.6))
    assert found["RSA-2048: handler over its signature"].value == 1100 / 980
    assert len(found) == 2


def test_the_others_over_the_handler() -> None:
    """As many times slower as they are."""
    blocks = {HANDLER: 10, SCRIPT: 5, PEM: 1300, PEER: 27}
    series = Series("RSA-4096", 2, {name: [float(value)] * 2 for name, value in blocks.items()})

    found = ratios(run(others=[series]))

    assert {name: found[f"RSA-4096: {name} over the handler"].value for name in (PEM, PEER)} == {
        PEM: 130,
        PEER: 2.7,
    }
    assert found[f"RSA-4096: {SCRIPT} over the handler"].value == 0.5


def test_a_start_over_that_of_its_clients_alone() -> None:
    """Its memory too; and IssueToken over its peers."""
    rounds = {
        "a client of secretsmanager": [container(200, 40_000)] * 2,
        "a client of dynamodb": [container(100, 30_000)] * 2,
        "IssueToken, HS256": [container(220, 50_000)] * 2,
        EXTENSION: [container(110, 40_000)] * 2,
        "AuthorizeClient": [container(105, 33_000)] * 2,
        COMPILED: [container(440, 80_000)] * 2,
    }

    found = ratios(run(handlers=rounds))

    secrets, table = "over a client of secretsmanager", "over a client of dynamodb"
    assert {name: each.value for name, each in found.items()} == {
        f"start: IssueToken, HS256, {secrets}": 1.1,
        f"memory: IssueToken, HS256, {secrets}": 1.25,
        f"start: {EXTENSION}, {secrets}": 0.55,
        f"memory: {EXTENSION}, {secrets}": 1,
        f"start: AuthorizeClient, {table}": 1.05,
        f"memory: AuthorizeClient, {table}": 1.1,
        f"start: IssueToken, HS256, over {COMPILED}": 0.5,
    }


def test_the_most_over_the_fewest() -> None:
    """Of room patterns and of clients; what lies between is no part of it."""
    speed = run(patterns=[Series("HS256", 2, {"1": [10, 10], "25": [99, 99], "50": [13, 13]})])
    speed.clients.extend(
        Clients(count, 1, [blocks, blocks])
        for count, blocks in ((1, 100.0), (1_000, 900.0), (100_000, 110.0))
    )

    assert {name: found.value for name, found in ratios(speed).items()} == {
        "HS256: 50 room patterns over 1": 1.3,
        "authorizer: 100,000 clients over 1": 1.1,
    }


@pytest.mark.parametrize("name", [*MOST, *AT_LEAST])
def test_a_bound_is_one_of_a_ratio_that_is_measured(name: str, stored: dict[str, Ratio]) -> None:
    """And not of one that was renamed."""
    assert name in stored


def test_the_page_has_a_quiet_run_and_a_busy_one() -> None:
    """Each under its own name: two times the same would agree."""
    runs = {path: measured.read(measured.Speed, path) for path in (measured.QUIET, measured.BUSY)}

    assert not runs[measured.QUIET].busy
    assert runs[measured.BUSY].busy


@pytest.mark.parametrize("name", MOST)
def test_the_stored_run_is_within_its_target(name: str, stored: dict[str, Ratio]) -> None:
    """What the page says was measured is what was meant to be."""
    assert stored[name].value <= MOST[name].target


@pytest.mark.parametrize("name", AT_LEAST)
def test_the_stored_run_is_as_many_times_faster(name: str, stored: dict[str, Ratio]) -> None:
    """Than what is to be slower."""
    assert stored[name].value >= AT_LEAST[name]


@pytest.mark.parametrize(
    ("name", "bound"), [(name, bound) for name, bound in MOST.items() if bound.guard is not None]
)
def test_a_guard_lets_no_more_pass_than_its_target(name: str, bound: Bound) -> None:
    """It is the target that the page names."""
    assert bound.guard is not None, name
    assert bound.guard <= bound.target

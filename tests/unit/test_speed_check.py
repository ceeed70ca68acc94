"""`make bench-check` fails on a regression, and not on a neighbour: by runs that are made up."""

from __future__ import annotations

import itertools
import math
import random
import re
from typing import TYPE_CHECKING

import pytest

from benchmarks.measured import Series
from benchmarks.speed import check
from benchmarks.speed.bounds import MOST
from benchmarks.speed.ratios import ratios
from benchmarks.speed.subjects import FLOORS, floor_of
from benchmarks.speed.warm import ENCODE, HANDLER, SIGN
from tests.speed_runs import container, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measured import Round, Speed

TURNS = 7
BLOCKS = 20
# What a guard leaves free above what was measured.
MARGIN = 1.1
# Standard deviations, relative: of a start, and of a block, which is the median of many calls.
START_NOISE, BLOCK_NOISE = 0.05, 0.015

FLOOR = container(200, 40_000)
ENCODE_US = 40.0
SIGN_US = {"HS256": 2.0, "RSA-2048": 700.0}

GUARDS = {name: bound.guard for name, bound in MOST.items() if bound.guard is not None}
STARTS = [name for name in GUARDS if name.startswith("start: ")]
ABOVE = "handler less its signature, over a bare encode"


class Machine:
    """Measures a service whose ratios are all a little below their guards, until it is slowed.

    Attributes:
        init: what a function's start takes times, by the turn; once, where nothing is said.
        more_encodes: what a request takes besides, by its key.
        patterns: what 50 room patterns take times.
        peak: what IssueToken's memory takes times.
        chance: there is a neighbour: each turn takes up to twice as long, whatever takes it, and
            each thing in it a little more or less by itself; None: it is quiet.
        attempts: how often it measured.
    """

    def __init__(self) -> None:
        self.init: dict[str, Callable[[int], float]] = {}
        self.more_encodes: dict[str, float] = {}
        self.patterns = self.peak = 1.0
        self.chance: random.Random | None = None
        self.attempts = 0

    def measure(self) -> Speed:
        """Return the next attempt."""
        self.attempts += 1
        turns = range((self.attempts - 1) * TURNS, self.attempts * TURNS)
        busy = {turn: self._neighbour() for turn in turns}
        rounds = {floor_of(name): [FLOOR] * TURNS for name in check._FUNCTIONS} | {
            name: [self._started(name, turn) for turn in turns] for name in check._FUNCTIONS
        }
        handlers = {
            name: [
                container(one.init * busy[turn] * self._noise(START_NOISE), one.peak)
                for turn, one in zip(turns, taken, strict=True)
            ]
            for name, taken in rounds.items()
        }
        return run(
            handlers=handlers,
            warm=[self._warm(key) for key in SIGN_US],
            patterns=[self._patterns()],
        )

    def _started(self, name: str, turn: int) -> Round:
        init = GUARDS[f"start: {name}, over {floor_of(name)}"] / MARGIN * FLOOR.init
        guard = GUARDS.get(f"memory: {name}, over {floor_of(name)}")
        peak = FLOOR.peak * (guard / MARGIN * self.peak if guard else 1)
        if slowed := self.init.get(name):
            init *= slowed(turn)
        return container(init, round(peak))

    def _warm(self, key: str) -> Series:
        encodes = GUARDS[f"{key}: {ABOVE}"] / MARGIN + self.more_encodes.get(key, 0)
        usual = {
            HANDLER: SIGN_US[key] + encodes * ENCODE_US,
            SIGN: SIGN_US[key],
            ENCODE: ENCODE_US,
        }
        return self._series(key, usual)

    def _patterns(self) -> Series:
        guard = GUARDS["HS256: 50 room patterns over 1"]
        return self._series("HS256", {"1": 100, "50": 100 * guard / MARGIN * self.patterns})

    def _series(self, key: str, usual: dict[str, float]) -> Series:
        busy = [self._neighbour() for _ in range(BLOCKS)]
        return Series(
            key,
            BLOCKS,
            {
                name: [each * now * self._noise(BLOCK_NOISE) for now in busy]
                for name, each in usual.items()
            },
        )

    def _neighbour(self) -> float:
        return self.chance.uniform(1, 2) if self.chance else 1

    def _noise(self, spread: float) -> float:
        return math.exp(self.chance.gauss(0, spread)) if self.chance else 1


@pytest.fixture
def machine() -> Machine:
    """A machine that nothing slows."""
    return Machine()


@pytest.fixture
def over(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Return what was said to be over its bound, again with each attempt."""
    return lambda: re.findall(r"^ .* of .*?  (.*): OVER$", capsys.readouterr().out, re.MULTILINE)


def test_what_is_within_its_bounds_is_measured_once(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """And each bound is told, with what was found."""
    assert check.held(machine.measure) == 0

    assert machine.attempts == 1
    told = capsys.readouterr().out
    assert "OVER" not in told
    for name, guard in GUARDS.items():
        assert f"{guard / MARGIN:5.2f} of {guard:5.2f}  {name}\n" in told


def test_a_run_of_the_check_has_a_ratio_for_each_guard(machine: Machine) -> None:
    """What these tests measure is what it does."""
    assert GUARDS.keys() <= ratios(machine.measure()).keys()


def test_a_bound_that_nothing_was_measured_for_is_not_held() -> None:
    """A function that was renamed, or left out, does not pass unseen."""
    with pytest.raises(KeyError, match="HS256"):
        check.held(run)


@pytest.mark.parametrize("name", check._FUNCTIONS)
@pytest.mark.parametrize("turns", [4, 7])
def test_a_disturbance_is_outvoted(machine: Machine, name: str, turns: int) -> None:
    """Three times as slow in most turns of the first attempt, or in all of them."""
    machine.init[name] = lambda turn: 3 if turn < turns else 1

    assert check.held(machine.measure) == 0

    assert 1 < machine.attempts < check.ATTEMPTS


def test_a_few_disturbed_turns_are_not_even_measured_again(machine: Machine) -> None:
    """The median knows nothing of them."""
    machine.init["CheckKey"] = lambda turn: 3 if turn < 3 else 1

    assert check.held(machine.measure) == 0

    assert machine.attempts == 1


def test_one_lucky_attempt_hides_no_regression(machine: Machine) -> None:
    """It is outvoted too."""
    machine.init["ProbeConfig"] = lambda turn: 1.3 if turn < 3 * TURNS else 1

    assert check.held(machine.measure) == 1


@pytest.mark.parametrize("ratio", STARTS)
def test_a_start_that_became_slower_is_found(
    machine: Machine, over: Callable[[], list[str]], ratio: str
) -> None:
    """Of whichever function, in all its turns; and no other is blamed."""
    name = ratio.removeprefix("start: ").rpartition(", over ")[0]
    machine.init[name] = lambda _: 1.3

    assert check.held(machine.measure) == 1

    assert machine.attempts == check.ATTEMPTS
    assert over() == [ratio] * check.ATTEMPTS


@pytest.mark.parametrize("key", SIGN_US)
def test_a_request_that_became_slower_is_found(
    machine: Machine, over: Callable[[], list[str]], key: str
) -> None:
    """By the time of one and a half bare encodes, however long its signature takes."""
    machine.more_encodes[key] = 1.5

    assert check.held(machine.measure) == 1

    assert over() == [f"{key}: {ABOVE}"] * check.ATTEMPTS


@pytest.mark.parametrize(
    ("what", "ratio"),
    [
        ("patterns", "HS256: 50 room patterns over 1"),
        ("peak", "memory: IssueToken, HS256, over a client of secretsmanager"),
    ],
)
def test_room_patterns_and_memory_are_held_too(
    machine: Machine, over: Callable[[], list[str]], what: str, ratio: str
) -> None:
    """A fifth more of either is found."""
    setattr(machine, what, 1.2)

    assert check.held(machine.measure) == 1

    assert over() == [ratio] * check.ATTEMPTS


@pytest.mark.parametrize("seed", range(20))
def test_a_neighbour_is_no_regression(machine: Machine, seed: int) -> None:
    """It slows a turn up to twice, and all that takes it alike, but for some noise."""
    machine.chance = random.Random(seed)  # noqa: S311 - noise

    assert check.held(machine.measure) == 0


@pytest.mark.parametrize("seed", range(20))
def test_a_regression_is_found_beside_a_neighbour(machine: Machine, seed: int) -> None:
    """Of a start, by 1.3 times."""
    machine.chance = random.Random(seed)  # noqa: S311 - noise
    machine.init["AuthorizeClient"] = lambda _: 1.3

    assert check.held(machine.measure) == 1


def test_each_floor_is_measured_once() -> None:
    """Those that share one stand side by side, and take their turn right behind it."""
    floors = [name for name, _ in itertools.groupby(check._FUNCTIONS, floor_of)]

    assert len(floors) == len(set(floors))
    assert {name.partition(",")[0] for name in check._FUNCTIONS} == set(FLOORS)

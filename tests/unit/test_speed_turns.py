"""How calls take turns, and what is run in containers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.session
import pytest

from benchmarks.speed import subjects, turns
from benchmarks.speed.containers import size_of
from benchmarks.speed.turns import BLOCKS, SELDOM, take_turns
from tests.conftest import ENVIRONS, NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import LoadApp

FOLDERS = {
    "IssueToken": "issue_token",
    "AuthorizeClient": "authorize_client",
    "ProbeConfig": "probe_config",
    "CheckKey": "check_key",
    "ServePublicKey": "serve_public_key",
    "RotateSigningKey": "rotate_signing_key",
}


class Calls:
    """Calls that note their order, and take as long on a clock of their own as they are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.order: list[str] = []
        self._now = 0.0
        clock = SimpleNamespace(perf_counter=lambda: self._now)
        monkeypatch.setattr(turns, "time", clock)

    def named(self, name: str, seconds: Callable[[int], float]) -> Callable[[], None]:
        """Return a call; how long it takes goes by its number."""

        def call() -> None:
            self._now += seconds(self.order.count(name))
            self.order.append(name)

        return call


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Calls, on a clock that stands still between them."""
    return Calls(monkeypatch)


def test_all_calls_take_turns(calls: Calls) -> None:
    """After a warm-up each stands beside the others, as often as was asked for."""
    made = {name: calls.named(name, lambda _: 1) for name in ("one", "two", "three")}

    blocks = take_turns(made, times=3 * BLOCKS)

    measured = calls.order[-9 * BLOCKS :]
    assert measured == ["one", "two", "three"] * 3 * BLOCKS
    warm_up = calls.order[: -9 * BLOCKS]
    assert len({warm_up.count(name) for name in made}) == 1
    assert warm_up
    assert {name: len(medians) for name, medians in blocks.items()} == dict.fromkeys(made, BLOCKS)


def test_what_takes_long_is_called_seldom(calls: Calls) -> None:
    """In each block all the same."""
    made = {name: calls.named(name, lambda _: 1) for name in ("often", "long")}

    blocks = take_turns(made, times=5 * BLOCKS, seldom=("long",))

    assert calls.order.count("long") == 1 + SELDOM * BLOCKS
    assert calls.order.count("often") > 5 * BLOCKS
    assert len(blocks["long"]) == len(blocks["often"]) == BLOCKS


def test_a_block_has_the_median_of_its_calls(calls: Calls) -> None:
    """In microseconds: one call in three that takes a second is not seen."""
    made = {
        "disturbed": calls.named("disturbed", lambda call: 1 if call % 3 == 0 else 40e-6),
        "steady": calls.named("steady", lambda _: 5e-6),
    }

    blocks = take_turns(made, times=3 * BLOCKS)

    assert blocks == {"disturbed": [40] * BLOCKS, "steady": [5] * BLOCKS}


def test_the_size_of_a_folder_is_that_of_all_its_files(tmp_path: Path) -> None:
    """However deep they lie."""
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "one").write_bytes(b"1")
    (tmp_path / "deep" / "deeper" / "two").write_bytes(b"22")

    assert size_of(tmp_path) == 3


def test_a_function_is_measured_without_bytecode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `sam build` leaves it; somebody may have run it there since."""
    monkeypatch.setattr(subjects, "BUILT", tmp_path)
    bytecode = tmp_path / "CheckKey" / "__pycache__"
    bytecode.mkdir(parents=True)
    (bytecode / "app.cpython-313.pyc").touch()
    (tmp_path / "CheckKey" / "app.py").touch()

    for _ in range(2):
        folder = subjects.function_folder("CheckKey")
        assert [path.name for path in folder.iterdir()] == ["app.py"]


@pytest.mark.parametrize(
    ("function", "floor"),
    [
        ("IssueToken", "a client of secretsmanager"),
        ("IssueToken, RS256", "a client of secretsmanager"),
        ("IssueToken, HS256, and more", "a client of secretsmanager"),
        ("CheckKey", "a client of secretsmanager,ssm"),
    ],
)
def test_a_floor_goes_by_the_function_alone(function: str, floor: str) -> None:
    """And not by how it is run."""
    assert subjects.floor_of(function) == floor


def test_what_is_no_function_has_no_floor() -> None:
    """A floor has none of its own."""
    with pytest.raises(KeyError):
        subjects.floor_of("a client of secretsmanager")


@pytest.mark.parametrize("function", subjects.FLOORS)
def test_a_floor_has_clients_of_what_its_function_asks(
    function: str, load_app: LoadApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it makes them when it starts, as the floor does."""
    made: set[str] = set()
    create = botocore.session.Session.create_client

    def noted(session: botocore.session.Session, service: Any, **arguments: Any) -> Any:
        made.add(service)
        return create(session, service, **arguments)

    monkeypatch.setattr(botocore.session.Session, "create_client", noted)
    load_app(FOLDERS[function], ENVIRONS["published"] | NAMES)

    services = set(subjects.FLOORS[function].split(","))
    assert made == services

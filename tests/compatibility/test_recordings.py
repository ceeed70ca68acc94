"""The recordings are complete: every file is read, and every kind has one at least."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from tests.compatibility.record import PRODUCED
from tests.compatibility.recordings import CHECKED, RECORDED, holds

HERE = Path(__file__).parent
VERSIONS = sorted(RECORDED.iterdir())


def test_every_kind_has_a_test_and_is_recorded_by_the_code() -> None:
    """Nothing lies here unread."""
    for path in HERE.glob("test_*.py"):
        importlib.import_module(f"tests.compatibility.{path.stem}")

    recorded = {path.parent.name for path in RECORDED.glob("*/*/*.json")}
    assert recorded == CHECKED == PRODUCED.keys()


@pytest.mark.parametrize("version", VERSIONS, ids=[path.name for path in VERSIONS])
def test_every_file_of_a_version_is_one_that_is_read(version: Path) -> None:
    """Under a kind's folder, complete; and the contract beside them."""
    files = [path for path in version.rglob("*") if path.is_file()]
    recordings = [path for path in files if path.suffix == ".json" and path.parents[1] == version]

    assert set(files) - set(recordings) == {version / "openapi.yaml"}
    assert {path.parent.name for path in recordings} <= PRODUCED.keys()
    assert all(json.loads(path.read_text()).keys() == {"given", "then"} for path in recordings)
    assert all(any(folder.iterdir()) for folder in version.iterdir() if folder.is_dir())


@pytest.mark.parametrize(
    ("before", "now", "held"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1}, {"a": 2}, False),
        ({"a": None}, {}, False),
        ({"a": {"b": 1}}, {"a": {"c": 1}}, False),
        (["a"], ["b", "a"], True),
        (["a"], ["b"], False),
        ({"a": 1}, None, False),
    ],
)
def test_what_was_there_is_looked_for(before: object, now: object, *, held: bool) -> None:
    """More may be there now, and nothing may be another or gone."""
    assert holds(before, now) is held

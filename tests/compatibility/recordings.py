"""What earlier versions wrote and were sent: one file each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

RECORDED = Path(__file__).parent / "recorded"


class Recording(NamedTuple):
    """One file.

    Attributes:
        given: what was asked of that version.
        then: what it wrote or answered.
    """

    given: Any
    then: Any


def recorded(kind: str) -> pytest.MarkDecorator:
    """Run a test with each recording of a kind, of every version."""
    paths = sorted(RECORDED.glob(f"*/{kind}/*.json"))
    names = [f"{path.parent.parent.name}-{path.stem}" for path in paths]
    return pytest.mark.parametrize("recording", list(map(read, paths)), ids=names)


def read(path: Path) -> Recording:
    """Return a recording.

    Raises:
        KeyError: it is not recorded yet.
    """
    document = json.loads(path.read_text())
    return Recording(document["given"], document["then"])


def holds(before: Any, now: Any) -> bool:
    """Tell whether all that was there is there, with the same values.

    An object may have got more fields, and a list more items.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        return all(name in now and holds(value, now[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(now, list):
        return all(any(holds(value, other) for other in now) for value in before)
    return bool(before == now)

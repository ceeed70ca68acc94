"""A peer's handler, loaded as Lambda loads it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

_HERE = Path(__file__).parent


def load_peer(monkeypatch: pytest.MonkeyPatch, folder: str) -> Any:
    """Return the app.py of a folder beside this, known to Python for as long as `monkeypatch`."""
    name = f"peer_{folder}"
    spec = importlib.util.spec_from_file_location(name, _HERE / folder / "app.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    app = importlib.util.module_from_spec(spec)
    # pydantic looks a model's types up in its module.
    monkeypatch.setitem(sys.modules, name, app)
    spec.loader.exec_module(app)
    return app

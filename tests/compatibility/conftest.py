"""The scene in which recordings are played again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.compatibility.scene import PKCS8, Scene

if TYPE_CHECKING:
    from tests.conftest import LoadApp


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, load_app: LoadApp, rsa_pem: str) -> Scene:
    """A stack of today's, with nothing in it, and a key made for the run to put there."""
    made = Scene(monkeypatch, load_app)
    made.filled[PKCS8] = rsa_pem
    return made

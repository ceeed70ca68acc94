"""Moto's Secrets Manager, made to know its current version after AWSCURRENT was moved.

It keeps the version that was put last, so that what follows a move is done to another one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.secretsmanager.models import FakeSecret

if TYPE_CHECKING:
    import pytest


def follow_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let moto's current version be the one with the label, as AWS's is."""

    def current(secret: FakeSecret) -> str | None:
        versions = getattr(secret, "versions", {})
        return next(
            (id_ for id_, version in versions.items() if "AWSCURRENT" in version["version_stages"]),
            None,
        )

    def ignore(_secret: FakeSecret, _version_id: str | None) -> None:
        """Keep nothing: the label tells."""

    monkeypatch.setattr(FakeSecret, "default_version_id", property(current, ignore), raising=False)

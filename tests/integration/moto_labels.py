"""Moto's Secrets Manager, made to know its current version after AWSCURRENT was moved.

It keeps the version that was put last, so that what follows a move is done to another one. And it
takes every label off a version that AWSCURRENT leaves, where AWS leaves a person's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

    reset = FakeSecret.reset_default_version

    def keep_labels(secret: FakeSecret, version: dict[str, Any], version_id: str) -> None:
        replaced = secret.versions.get(secret.default_version_id or "", {"version_stages": []})
        kept = [each for each in replaced["version_stages"] if each != "AWSCURRENT"]
        reset(secret, version, version_id)
        replaced["version_stages"] += [each for each in kept if not each.startswith("AWS")]

    monkeypatch.setattr(FakeSecret, "reset_default_version", keep_labels)
    monkeypatch.setattr(FakeSecret, "default_version_id", property(current, ignore), raising=False)

"""A change set of a deployment, where SAM is not what makes it fail or succeed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployment import change_set
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.stack import Target

if TYPE_CHECKING:
    from pathlib import Path


def test_without_sam_it_says_where_sam_comes_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In place of a traceback: it is the first thing that a new machine lacks."""
    monkeypatch.setattr(change_set, "_change_sets", lambda *_: [])
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CommandError, match="local_stack/bootstrap sam"):
        change_set.plan(Target("stack", "us-east-1"), environment="staging", role_arn=None)

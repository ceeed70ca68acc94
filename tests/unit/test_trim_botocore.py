"""What the layer keeps of botocore's data."""

from __future__ import annotations

import gzip
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "layers" / "jitsi_tokens" / "trim_botocore.py"
SHAPES = {"Doc": {"type": "string", "documentation": "<p>Long.</p>"}}
# A member may have that very name.
MEMBERS = {"Page": {"type": "structure", "members": {"documentation": {"shape": "Doc"}}}}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder such as botocore's."""
    for service in ("ssm", "s3"):
        folder = tmp_path / service / "2014-11-06"
        folder.mkdir(parents=True)
        model = {"operations": {"Get": {"documentation": "Text."}}, "shapes": SHAPES | MEMBERS}
        (folder / "service-2.json.gz").write_bytes(gzip.compress(json.dumps(model).encode()))
        (folder / "examples-1.json").write_text("{}")
    partitions = [{"partition": name, "services": {"ssm": {"a": 1}, "s3": {}}} for name in "ab"]
    (tmp_path / "endpoints.json").write_text(json.dumps({"partitions": partitions}))
    return tmp_path


def trim(monkeypatch: pytest.MonkeyPatch, data: Path, *services: str) -> None:
    """Run the script as the layer's Makefile does."""
    monkeypatch.setattr(sys, "argv", ["trim_botocore.py", str(data), *services])
    runpy.run_path(str(SCRIPT), run_name="__main__")


def test_the_services_in_use_are_kept_without_their_texts(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    """In every partition; a member named documentation is no text."""
    trim(monkeypatch, data, "ssm")

    model: dict[str, Any] = json.loads((data / "ssm/2014-11-06/service-2.json").read_text())
    endpoints = json.loads((data / "endpoints.json").read_text())
    assert model == {
        "operations": {"Get": {}},
        "shapes": {"Doc": {"type": "string"}} | MEMBERS,
    }
    assert [part["services"] for part in endpoints["partitions"]] == [{"ssm": {"a": 1}}] * 2
    assert sorted(path.name for path in data.rglob("*") if path.is_file()) == [
        "endpoints.json",
        "service-2.json",
    ]


def test_a_service_that_botocore_does_not_know_is_an_error(
    monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    """A layer without it would be found out at the first call."""
    with pytest.raises(SystemExit, match="no data of: smm"):
        trim(monkeypatch, data, "ssm", "smm")

"""python -m tests.compatibility.record VERSION: complete the recordings that have no `then`."""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path

import moto  # noqa: F401 - before the layer makes its session of botocore
import pytest

from tests.compatibility.today import PRODUCED, Scene
from tests.conftest import load_function, stood_in_for_aws

if __name__ == "__main__":
    for path in sorted((Path(__file__).parent / "recorded" / sys.argv[1]).glob("*/*.json")):
        document = json.loads(path.read_text())
        if "then" in document:
            continue
        with pytest.MonkeyPatch.context() as monkeypatch, stood_in_for_aws(monkeypatch):
            scene = Scene(monkeypatch, functools.partial(load_function, monkeypatch))
            document["then"] = PRODUCED[path.parent.name](scene, document["given"])
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")

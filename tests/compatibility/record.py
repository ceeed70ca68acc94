"""python -m tests.compatibility.record VERSION [--anew]: complete what has only a `given`.

With --anew what is complete is recorded again: for a version that nobody has yet.
"""

from __future__ import annotations

import argparse
import functools
import json
from typing import TYPE_CHECKING, Any

import pytest

from openapi.__main__ import PATH
from tests.compatibility import sent, written
from tests.compatibility.recordings import RECORDED
from tests.compatibility.scene import Scene
from tests.conftest import load_function, stood_in_for_aws

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PRODUCED: dict[str, Callable[[Scene, Any], dict[str, Any]]] = {
    "token_requests": sent.token_request,
    "events": sent.event,
    "script_calls": sent.script_call,
    "client_records": written.client_record,
    "api_keys": written.api_key,
    "audit_digests": written.audit_digest,
    "staged_keys": written.secret_document,
    "secret_documents": written.secret_document,
    "key_statuses": written.key_status,
    "public_keys": written.public_key,
    "stack": written.stack,
}


def main() -> None:
    """Record a version."""
    parser = argparse.ArgumentParser(prog="python -m tests.compatibility.record")
    parser.add_argument("version")
    parser.add_argument("--anew", action="store_true")
    chosen = parser.parse_args()
    folder = RECORDED / chosen.version
    for kind in PRODUCED:
        for path in sorted((folder / kind).glob("*.json")):
            _record(kind, path, anew=chosen.anew)
    contract = folder / "openapi.yaml"
    if chosen.anew or not contract.exists():
        contract.write_text(PATH.read_text())


def _record(kind: str, path: Path, *, anew: bool) -> None:
    document = json.loads(path.read_text())
    if "then" in document and not anew:
        return
    with pytest.MonkeyPatch.context() as monkeypatch, stood_in_for_aws(monkeypatch):
        scene = Scene(monkeypatch, functools.partial(load_function, monkeypatch))
        document["then"] = PRODUCED[kind](scene, document["given"])
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

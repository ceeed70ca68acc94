"""python -m tests.compatibility.record VERSION: complete the recordings that have no `then`."""

from __future__ import annotations

import functools
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.compatibility import sent, written
from tests.compatibility.recordings import RECORDED
from tests.compatibility.scene import Scene
from tests.conftest import load_function, stood_in_for_aws

if TYPE_CHECKING:
    from collections.abc import Callable

PRODUCED: dict[str, Callable[[Scene, Any], dict[str, Any]]] = {
    "token_requests": sent.token_request,
    "script_calls": sent.script_call,
    "client_records": written.client_record,
    "audit_digests": written.audit_digest,
    "staged_keys": written.secret_document,
    "secret_documents": written.secret_document,
    "key_statuses": written.key_status,
    "public_keys": written.public_key,
}


def main() -> None:
    """Record a version."""
    for path in sorted((RECORDED / sys.argv[1]).glob("*/*.json")):
        document = json.loads(path.read_text())
        if "then" in document:
            continue
        with pytest.MonkeyPatch.context() as monkeypatch, stood_in_for_aws(monkeypatch):
            scene = Scene(monkeypatch, functools.partial(load_function, monkeypatch))
            document["then"] = PRODUCED[path.parent.name](scene, document["given"])
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()

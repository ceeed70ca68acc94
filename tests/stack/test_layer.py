"""The layer as `sam build` makes it: compiled, and with no more of botocore than is used."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.stack

# PEP 552: the bytecode goes by a hash of its source, and that hash is not checked.
UNCHECKED_HASH = 0b01


@pytest.fixture(scope="session")
def packages(built: Path) -> Path:
    """What lies at /opt/python in Lambda."""
    return built / "JitsiTokensLayer" / "python"


@pytest.mark.parametrize("package", ["jitsi_tokens", "jwt"])
def test_every_module_is_compiled(packages: Path, package: str) -> None:
    """For this Python, and believed as it is: Lambda's file system takes no bytecode."""
    modules = list((packages / package).rglob("*.py"))

    assert len(modules) > 10
    for module in modules:
        compiled = Path(importlib.util.cache_from_source(str(module))).read_bytes()
        assert compiled.startswith(importlib.util.MAGIC_NUMBER)
        assert int.from_bytes(compiled[4:8], "little") == UNCHECKED_HASH, module
        assert importlib.util.source_hash(module.read_bytes()) == compiled[8:16], module


def test_botocore_knows_the_services_in_use_alone(packages: Path) -> None:
    """Beside what it needs to speak to any: endpoints, partitions and the like."""
    data = list((packages / "botocore" / "data").iterdir())

    folders = {entry.name for entry in data if entry.is_dir()}
    assert folders == {"dynamodb", "secretsmanager", "ssm"}
    assert {"endpoints.json", "partitions.json"} <= {entry.name for entry in data}
    endpoints = json.loads((packages / "botocore" / "data" / "endpoints.json").read_text())
    assert {name for part in endpoints["partitions"] for name in part["services"]} == folders

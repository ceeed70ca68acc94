"""The layer as `sam build` makes it: compiled, and with no more of botocore than is used."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks.container import Container
from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.policy import Policy
from local_stack.emulator import LOCAL
from tests.conftest import ENVIRONS, NAMES
from tests.stack.visits import body

pytestmark = pytest.mark.stack

# Lambda's: with the runtime, and nothing else that could replace what the layer lacks.
PYTHON = LOCAL / "runtime" / "bin" / "python"

LOG = """
from jitsi_tokens import telemetry
telemetry.logger().warning("a warning", cause="this")
telemetry.report(ValueError("text"))
"""

# PEP 552: the bytecode goes by a hash of its source, and that hash is not checked.
UNCHECKED_HASH = 0b01
# `python -v` writes bytecode's path in quotes, and that of a source which it compiles without.
CODE = re.compile(r"^# code object from (.+)$", re.MULTILINE)


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


@pytest.mark.parametrize(
    "function",
    [
        *("IssueToken", "AuthorizeClient", "ProbeConfig"),
        *("CheckKey", "ServePublicKey", "RotateSigningKey"),
    ],
)
def test_a_start_compiles_nothing_of_the_layer(built: Path, packages: Path, function: str) -> None:
    """Bytecode that is there and not used would cost each cold start as much as none."""
    environment = {"PYTHONDONTWRITEBYTECODE": "1", **ENVIRONS["published"], **NAMES}
    started = run("-v", "-c", "import app", f"{built / function}:{packages}", **environment)

    of_layer = {path for path in CODE.findall(started.stderr) if str(packages) in path}
    assert {path for path in of_layer if path.endswith(".py")} == set()
    for package in ("jitsi_tokens", "botocore"):
        assert any(path.startswith(f"'{packages}/{package}/") for path in of_layer)


def test_the_logger_works_with_what_the_layer_holds(packages: Path) -> None:
    """It is loaded when something has gone wrong, and no start would show that it cannot be."""
    logged = run("-c", LOG, str(packages))
    warning, report = map(json.loads, logged.stdout.splitlines())

    assert (warning["message"], warning["cause"]) == ("a warning", "this")
    assert (report["error"], "text" in logged.stdout) == ("ValueError", False)


def test_time_zones_come_with_the_layer(built: Path, packages: Path, tmp_path: Path) -> None:
    """Lambda's system has none: ManageVisits knows a place all the same, and refuses another."""
    # Without a link key, as nothing listens at port 9, a visit without a fault is a 503.
    environment = {
        "PYTHONTZPATH": "",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        **ENVIRONS["published"],
        **NAMES,
    }
    folder, log = built / "ManageVisits", tmp_path / "log"
    with Container(folder, (packages,), environment, log) as container:
        known, unknown = (
            container.call(put(body(timeZone=zone))) for zone in ("Europe/Vienna", "Mars/Olympus")
        )

    assert (known["statusCode"], known["headers"]["Retry-After"]) == (503, "30")
    assert "The link key" in known["body"]
    assert unknown["statusCode"] == 400
    assert [error["pointer"] for error in json.loads(unknown["body"])["errors"]] == ["/timeZone"]


def put(visit: dict[str, Any]) -> dict[str, Any]:
    """Return what API Gateway hands over for a visit."""
    client = Client(name="everything", policy=Policy(moderator=True, visits=True))
    return {
        "httpMethod": "PUT",
        "resource": "/api/visits/{visitId}",
        "pathParameters": {"visitId": "oe-1"},
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(visit),
        "requestContext": {"authorizer": {"client": write_client(client)}},
    }


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Lambda's Python, with the last argument for its path."""
    *options, path = arguments
    return subprocess.run(  # noqa: S603 - the runtime's Python
        [str(PYTHON), *options],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **variables},
        capture_output=True,
        text=True,
        check=True,
    )

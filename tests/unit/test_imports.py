"""What a cold start loads, asked of interpreters of their own; what is pure imports neither."""

import json
import os
import re
import subprocess
import sys

import pytest

from local_stack.emulator import ROOT
from tests.conftest import NAMES, function_folder

LAYER = ROOT / "layers" / "jitsi_tokens"
CORE = LAYER / "jitsi_tokens" / "core"
# 50 ms and more of every cold start each.
SELDOM = {"aws_lambda_powertools", "moto", "boto3"}
SIGNING = {"jwt", "cryptography"}

IMPORT = """
import gc, importlib, json, sys
sys.path[:0] = sys.argv[2:]
for name in sys.argv[1].split(): importlib.import_module(name)
frozen = gc.isenabled() and gc.get_freeze_count() > 0
print(json.dumps([sorted({name.partition(".")[0] for name in sys.modules}), frozen]))
"""


def load(modules: str, folder: str, environ: dict[str, str]) -> tuple[set[str], bool]:
    """Import modules in a fresh interpreter.

    Return the packages that it has then, and whether the garbage collector works again, on what is
    new alone.
    """
    finished = subprocess.run(  # noqa: S603 - this interpreter and the code above
        [sys.executable, "-c", IMPORT, modules, folder, str(LAYER)],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    packages, frozen = json.loads(finished.stdout)
    return set(packages), frozen


@pytest.mark.parametrize(
    ("function", "unwanted"),
    [
        ("authorize_client", SELDOM | SIGNING),
        ("probe_config", SELDOM | SIGNING),
        ("serve_public_key", SELDOM | SIGNING),
        ("issue_token", SELDOM),
        ("check_key", SELDOM),
        ("rotate_signing_key", SELDOM),
        ("manage_visits", SELDOM),
        ("join_visit", SELDOM),
    ],
)
def test_a_function_starts_without_what_it_seldom_needs(
    function: str, unwanted: set[str], self_hosted_environ: dict[str, str]
) -> None:
    """And what it has loaded is never collected again."""
    packages, frozen = load("app", str(function_folder(function)), self_hosted_environ | NAMES)

    assert {"botocore", "jitsi_tokens"} <= packages
    assert not packages & unwanted
    assert frozen


def test_a_pure_module_knows_neither_aws_nor_the_environment() -> None:
    """It takes the time, the key and the settings as arguments."""
    modules = sorted(CORE.glob("*.py"))
    names = " ".join(f"jitsi_tokens.core.{path.stem}" for path in modules)

    packages, _ = load(names, str(ROOT), {})

    assert "jitsi_tokens" in packages
    assert not packages & {"boto3", "botocore"}
    for path in modules:
        assert not re.search(r"^\s*(import|from) os\b|environ\b", path.read_text(), re.MULTILINE)

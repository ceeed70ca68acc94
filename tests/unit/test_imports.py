"""What a cold start loads: each import is asked of an interpreter of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import NAMES

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "jitsi_tokens"

# Who reads the environment from here on is noted: PyJWT does, and that is its own business.
IMPORT = """
import importlib, json, os, sys

class Noted(dict):
    def note(self, method, *arguments):
        frame = sys._getframe(2)
        while frame.f_globals["__name__"] == "os":
            frame = frame.f_back
        readers.append(frame.f_globals["__name__"])
        return getattr(super(), method)(*arguments)
    def __getitem__(self, name):
        return self.note("__getitem__", name)
    def __contains__(self, name):
        return self.note("__contains__", name)
    def get(self, name, default=None):
        return self.note("get", name, default)

sys.path[:0] = sys.argv[2:]
readers = []
os.environ = Noted(os.environ)
importlib.import_module(sys.argv[1])
import gc
print(json.dumps([sorted(sys.modules), readers, gc.isenabled() and gc.get_freeze_count() > 0]))
"""


class Loaded(NamedTuple):
    """What an import left behind.

    Packages, those of them that read the environment, and whether the collector works again, on
    what is new alone.
    """

    packages: set[str]
    readers: set[str]
    frozen: bool


def load(module: str, folder: Path, environ: dict[str, str]) -> Loaded:
    """Import a module in a fresh interpreter."""
    finished = subprocess.run(  # noqa: S603 - this interpreter and the code above
        [sys.executable, "-c", IMPORT, module, str(folder), str(LAYER)],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    modules, readers, frozen = json.loads(finished.stdout)
    packages, reading = ({name.partition(".")[0] for name in names} for names in (modules, readers))
    return Loaded(packages, reading, frozen)


@pytest.mark.parametrize(
    ("function", "unwanted"),
    [
        ("authorize_client", {"jwt", "cryptography", "aws_lambda_powertools", "moto", "boto3"}),
        ("probe_config", {"jwt", "cryptography", "aws_lambda_powertools", "moto", "boto3"}),
        ("issue_token", {"aws_lambda_powertools", "moto", "boto3"}),
        ("check_key", {"aws_lambda_powertools", "moto", "boto3"}),
        ("serve_public_key", {"jwt", "cryptography", "aws_lambda_powertools", "moto", "boto3"}),
        ("rotate_signing_key", {"aws_lambda_powertools", "moto", "boto3"}),
    ],
)
def test_a_function_starts_without_what_it_seldom_needs(
    function: str, unwanted: set[str], self_hosted_environ: dict[str, str]
) -> None:
    """Each of these is 50 ms and more of every cold start."""
    loaded = load("app", ROOT / "functions" / function, self_hosted_environ | NAMES)

    assert {"botocore", "jitsi_tokens"} <= loaded.packages
    assert not loaded.packages & unwanted
    assert loaded.readers & {"app", "jitsi_tokens"}
    assert loaded.frozen


@pytest.mark.parametrize(
    "module",
    sorted(path.stem for path in (LAYER / "jitsi_tokens" / "core").glob("*.py")),
)
def test_a_pure_module_knows_neither_aws_nor_the_environment(module: str) -> None:
    """It takes the time, the key and the settings as arguments."""
    loaded = load(f"jitsi_tokens.core.{module}", ROOT, {})

    assert "jitsi_tokens" in loaded.packages
    assert not loaded.packages & {"boto3", "botocore"}
    assert "jitsi_tokens" not in loaded.readers

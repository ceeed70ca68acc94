"""The Powertools peer and its dependencies, laid out as Lambda gets them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from local_stack.emulator import LOCAL

# Made by `local_stack/bootstrap peers`, which empties it when the requirements change.
_HOME = LOCAL / "peers"
_PACKAGES = _HOME / "lib" / "python3.13" / "site-packages"
_APP = Path(__file__).parent / "powertools" / "app.py"


class Built(NamedTuple):
    """Folders.

    Attributes:
        plain: the peer as plain `sam build` leaves it, without bytecode and with all of botocore's
            data.
        compiled: the same with bytecode that Python uses without checking its source.
        boto3: boto3 without botocore, compiled, for a path that has botocore already.
    """

    plain: Path
    compiled: Path
    boto3: Path


def build() -> Built:
    """Lay out the packages, unless they are there, and copy the peer.

    Raises:
        subprocess.CalledProcessError: something cannot be compiled.
    """
    built = Built(_HOME / "plain", _HOME / "compiled", _HOME / "boto3")
    if not (_HOME / "laid-out").exists():
        for folder in built:
            shutil.rmtree(folder, ignore_errors=True)
        sources = shutil.ignore_patterns("__pycache__")
        for folder in (built.plain, built.compiled):
            shutil.copytree(_PACKAGES, folder, ignore=sources)
        for package in ("boto3", "s3transfer"):
            shutil.copytree(built.plain / package, built.boto3 / package)
        for folder in (built.compiled, built.boto3):
            _compile(folder, folder)
        (_HOME / "laid-out").touch()
    for folder in (built.plain, built.compiled):
        shutil.copyfile(_APP, folder / _APP.name)
    _compile(built.compiled / _APP.name, built.compiled)
    return built


def _compile(path: Path, root: Path) -> None:
    subprocess.run(  # noqa: S603 - our own interpreter
        [
            *(sys.executable, "-m", "compileall", "-q", "-j", "0"),
            *("--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/var/task"),
            str(path),
        ],
        check=True,
    )

"""What the peer with Powertools is run from: its dependencies, laid out as Lambda gets them."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from local_stack.emulator import LOCAL, ROOT

if TYPE_CHECKING:
    from pathlib import Path

_HOME = LOCAL / "peers"
_APP = ROOT / "benchmarks" / "peers" / "powertools" / "app.py"
_REQUIREMENTS = ROOT / "requirements" / "peers.txt"
_SOURCES = (_REQUIREMENTS, ROOT / ".python-version", ROOT / "benchmarks" / "peers" / "build.py")
# What boto3 adds to botocore.
_BOTO3_ALONE = ("boto3", "s3transfer")


class Built(NamedTuple):
    """Folders.

    Attributes:
        plain: the handler and its dependencies as plain `sam build` leaves them: sources, and all
            of botocore's data. Whoever runs it keeps Python from writing bytecode there, as
            Lambda's file system does.
        compiled: the same with bytecode that is taken without a look at its source.
        trimmed: no handler: boto3 without botocore, compiled, for a path that has botocore already.
    """

    plain: Path
    compiled: Path
    trimmed: Path


def build() -> Built:
    """Install what the peer needs, unless the same is there; the handler itself is always copied.

    Raises:
        subprocess.CalledProcessError: something cannot be installed or compiled.
    """
    built = Built(_HOME / "plain", _HOME / "compiled", _HOME / "trimmed")
    stamp = _HOME / "stamp"
    if not stamp.exists() or stamp.read_text() != _state():
        shutil.rmtree(_HOME, ignore_errors=True)
        _HOME.mkdir(parents=True)
        _install(built.plain)
        _say("compiling it")
        shutil.copytree(built.plain, built.compiled)
        for package in _BOTO3_ALONE:
            shutil.copytree(built.plain / package, built.trimmed / package)
        for folder in (built.compiled, built.trimmed):
            _compile(folder, root=folder)
        stamp.write_text(_state())
    for folder in (built.plain, built.compiled):
        shutil.copyfile(_APP, folder / _APP.name)
    _compile(built.compiled / _APP.name, root=built.compiled)
    return built


def _state() -> str:
    digest = hashlib.sha256(str(_HOME).encode())
    for path in _SOURCES:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _install(folder: Path) -> None:
    _say(f"installing {_REQUIREMENTS.relative_to(ROOT)} into {folder.relative_to(ROOT)}")
    subprocess.run(  # noqa: S603 - bootstrap's
        [
            str(LOCAL / "uv" / "bin" / "uv"),
            *("pip", "install", "--quiet", "--python", sys.executable),
            *("--target", str(folder), "--require-hashes", "--only-binary", ":all:"),
            *("--no-compile", "--requirement", str(_REQUIREMENTS)),
        ],
        check=True,
    )


def _compile(path: Path, *, root: Path) -> None:
    subprocess.run(  # noqa: S603 - our own interpreter
        [
            *(sys.executable, "-m", "compileall", "-q", "-j", "0"),
            *("--invalidation-mode", "unchecked-hash", "-s", str(root), "-p", "/var/task"),
            str(path),
        ],
        check=True,
    )


def _say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)

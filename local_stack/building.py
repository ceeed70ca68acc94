"""What `sam build` makes, made once: again only where something that goes into it has changed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from local_stack.emulator import LOCAL, ROOT
from local_stack.steps import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BUILT = ROOT / ".aws-sam" / "build"
# SAM CLI and its Python, which compiles the layer.
SAM_TOOLS = LOCAL / "sam" / "bin"

_STAMP = ROOT / ".aws-sam" / "built-from"
_SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "requirements/sam.txt")
_PACKAGE = "layers/jitsi_tokens/jitsi_tokens"


def build_if_changed(build: Callable[[], None]) -> None:
    """Build, unless what is there was made of the same sources; one process at a time.

    Tests that run beside others deploy from the same folder, which a build empties first.
    """
    with _lock():
        if _stamp() == _state():
            return
        _STAMP.unlink(missing_ok=True)
        build()
        _STAMP.write_text(json.dumps(_state()))


def rebuild_code() -> None:
    """Build changed handlers, the page and the layer's package again, without SAM CLI.

    Raises:
        Failure: something else has changed too, or the code has a fault.
    """
    with _lock():
        before, now = _stamp(), _state()
        if before.get("built at") is None or before["built at"] != now["built at"]:
            raise Failure("There is no build of `make run`: run it first.")
        names = {name for name, _ in before["files"].items() ^ now["files"].items()}
        if others := sorted(name for name in names if not _is_code(name)):
            raise Failure(f"{', '.join(others)} changed: `make run` deploys that.")
        for name in sorted(names & now["files"].keys()):
            if name.endswith(".py"):
                _check_syntax(name)
        # What a failure interrupts is changed still.
        _STAMP.write_text(json.dumps(before | {"files": before["files"] | dict.fromkeys(names)}))
        for folder in {name.split("/")[1] for name in names if name.startswith("functions/")}:
            _build_function(ROOT / "functions" / folder)
        if any(name.startswith(_PACKAGE) for name in names):
            _make(ROOT / "layers" / "jitsi_tokens", "package", BUILT / "JitsiTokensLayer")
        _STAMP.write_text(json.dumps(_state()))


def _is_code(name: str) -> bool:
    return name.startswith(("functions/", _PACKAGE)) and not name.endswith("/Makefile")


def _check_syntax(name: str) -> None:
    try:
        compile((ROOT / name).read_bytes(), name, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise Failure(f"{name}, line {error.lineno}: {error.msg}. Nothing is deployed.") from None


def _build_function(folder: Path) -> None:
    name = folder.name.title().replace("_", "")
    shutil.rmtree(BUILT / name)
    if (folder / "Makefile").exists():
        (BUILT / name).mkdir()
        _make(folder, f"build-{name}", BUILT / name)
    else:
        shutil.copytree(folder, BUILT / name, ignore=shutil.ignore_patterns("__pycache__"))


def _make(folder: Path, target: str, artifacts: Path) -> None:
    made = subprocess.run(
        ["make", target, f"ARTIFACTS_DIR={artifacts}"],
        cwd=folder,
        env=os.environ | {"PATH": f"{SAM_TOOLS}:{os.environ.get('PATH', '')}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode:
        raise Failure(f"make {target} failed:\n{made.stdout}")


@contextmanager
def _lock() -> Iterator[None]:
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "building.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _stamp() -> dict[str, Any]:
    try:
        stamp: dict[str, Any] = json.loads(_STAMP.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return stamp


def _state() -> dict[str, Any]:
    template = BUILT / "template.yaml"
    # Somebody may have run `sam build` since, of other sources than are here now.
    built_at = template.stat().st_mtime_ns if template.exists() else None
    files = {
        path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in _files()
    }
    return {"built at": built_at, "files": files}


def _files() -> Iterator[Path]:
    for name in _SOURCES:
        source = ROOT / name
        for path in [source] if source.is_file() else source.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path

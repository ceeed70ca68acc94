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

_STAMP = ROOT / ".aws-sam" / "built-from"
_SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "requirements/sam.txt")
_PACKAGE = "layers/jitsi_tokens/jitsi_tokens/"
# SAM CLI and its Python, which compiles the layer.
_TOOLS = LOCAL / "sam" / "bin"


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
        Failure: something else has changed too, or a module does not compile.
    """
    with _lock():
        before, now = _stamp(), _state()
        if before.get("built at") is None or before["built at"] != now["built at"]:
            raise Failure("There is no build of `make run`: run it first.")
        names = {name for name, _ in before["files"].items() ^ now["files"].items()}
        if others := sorted(
            name for name in names if not name.startswith(("functions/", _PACKAGE))
        ):
            raise Failure(f"{', '.join(others)} changed: `make run` deploys that.")
        # What a failure interrupts is changed still.
        _STAMP.write_text(json.dumps(before | {"files": before["files"] | dict.fromkeys(names)}))
        for folder in (ROOT / "functions").iterdir():
            if any(name.startswith(f"functions/{folder.name}/") for name in names):
                _build_function(folder)
        if any(name.startswith(_PACKAGE) for name in names):
            _make("package", ROOT / "layers" / "jitsi_tokens", BUILT / "JitsiTokensLayer")
        _STAMP.write_text(json.dumps(_state()))


def run_tool(*command: str, folder: Path = ROOT, environment: dict[str, str] | None = None) -> None:
    """Run SAM CLI, or what it runs, with its Python and without the caller's AWS settings.

    Raises:
        Failure: it failed; the text is what it printed.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    finished = subprocess.run(
        command,
        cwd=folder,
        env={
            **inherited,
            "PATH": f"{_TOOLS}:{os.environ.get('PATH', '')}",
            "SAM_CLI_TELEMETRY": "0",
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise Failure(f"{' '.join(command[:2])} failed:\n{finished.stdout}")


def _build_function(folder: Path) -> None:
    name = folder.name.title().replace("_", "")
    shutil.rmtree(BUILT / name, ignore_errors=True)
    if (folder / "Makefile").exists():
        (BUILT / name).mkdir()
        _make(f"build-{name}", folder, BUILT / name)
    else:
        shutil.copytree(folder, BUILT / name, ignore=shutil.ignore_patterns("__pycache__"))


def _make(target: str, folder: Path, artifacts: Path) -> None:
    run_tool("make", target, f"ARTIFACTS_DIR={artifacts}", folder=folder)


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

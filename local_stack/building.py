"""What `sam build` makes, made once: again only where something that goes into it has changed."""

from __future__ import annotations

import fcntl
import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_stack.emulator import LOCAL, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BUILT = ROOT / ".aws-sam" / "build"

_SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "requirements/sam.txt")


def build_if_changed(build: Callable[[], None]) -> None:
    """Build, unless what is there was made of the same sources; one process at a time.

    Tests that run beside others deploy from the same folder, which a build empties first.
    """
    stamp = ROOT / ".aws-sam" / "built-from"
    with _lock():
        if stamp.exists() and stamp.read_text() == _state():
            return
        stamp.unlink(missing_ok=True)
        build()
        stamp.write_text(_state())


@contextmanager
def _lock() -> Iterator[None]:
    LOCAL.mkdir(exist_ok=True)
    with (LOCAL / "building.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _state() -> str:
    template = BUILT / "template.yaml"
    # Somebody may have run `sam build` since, of other sources than are here now.
    built_at = template.stat().st_mtime_ns if template.exists() else None
    return f"{built_at} {_digest()}"


def _digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(_files()):
        digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for name in _SOURCES:
        source = ROOT / name
        for path in [source] if source.is_file() else source.rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path

"""The packages of requirements/npm.txt."""

from __future__ import annotations

from pathlib import Path

from tests.clients.php_caller import leave_out

NODE_MODULES = Path(__file__).parents[2] / ".local/npm/node_modules"


def package(name: str) -> Path:
    """Return the folder of a package; without npm the tests are skipped, in CI failed."""
    folder = NODE_MODULES / name
    if not folder.is_dir():
        leave_out("npm is not installed, or `local_stack/bootstrap npm` has not run")
    return folder

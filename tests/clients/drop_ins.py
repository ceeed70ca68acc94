"""The scripts that people already call, and how each is run."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from local_stack.emulator import ROOT
from tests.clients.php_caller import CLIENT, inherited, php

if TYPE_CHECKING:
    from collections.abc import Callable

    type Run = Callable[..., subprocess.CompletedProcess[str]]

PYTHON_CLIENT = ROOT / "clients" / "python"


def python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python with nothing of this service in its environment but what is given."""
    return subprocess.run(  # noqa: S603 - our own files
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env=inherited() | {"PYTHONPATH": str(PYTHON_CLIENT)} | variables,
        timeout=60,
        check=False,
    )


class DropIn(NamedTuple):
    """One of the two scripts, and how a caller says that the person is a moderator."""

    program: str
    run: Run
    script: str
    moderator: str


DROP_INS = {
    "php": DropIn("php", php, str(CLIENT / "generate-jwt-token.php"), "true"),
    "python": DropIn(
        sys.executable, python, str(PYTHON_CLIENT / "generate_jwt_token.py"), "--moderator"
    ),
}
PERSON = ("appointment-123", "Dr. Smith", "dr.smith@clinic.com")

"""The command line jitsi-tokens, run on one local stack."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from local_stack.emulator import LOCAL
from local_stack.steps import Failure

if TYPE_CHECKING:
    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator


class CommandFailure(Failure):
    """A command ended with an error; the text holds what it printed."""


class Commands:
    """Runs `jitsi-tokens` as an operator would, against the emulator."""

    def __init__(self, emulator: Emulator, stack: Stack, **variables: str) -> None:
        self._environment = {
            **os.environ,
            **emulator.environment(),
            "JITSI_TOKENS_STACK_NAME": stack.name,
            **variables,
        }

    def run(self, *arguments: str, text: str = "") -> str:
        """Return what the command prints on standard output.

        Raises:
            CommandFailure: it ended with an error.
        """
        finished = subprocess.run(
            [str(LOCAL / "venv" / "bin" / "jitsi-tokens"), *arguments],
            env=self._environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            command = shlex.join(("jitsi-tokens", *arguments))
            raise CommandFailure(f"{command} failed:\n{finished.stdout}{finished.stderr}")
        return finished.stdout

"""Questions to the person at the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable


def is_interactive() -> bool:
    """Tell whether somebody is there to answer."""
    return sys.stdin.isatty()


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if `--yes` was given or a person agrees.

    Raises:
        CommandError: nobody is there to ask.
        typer.Abort: the person does not agree.
    """
    if yes:
        return
    if not is_interactive():
        raise CommandError(f"{question} There is no terminal to ask: add --yes to go on.")
    typer.confirm(question, abort=True, err=True)


def ask_until_valid(question: str, check: Callable[[str], str]) -> str:
    """Ask again until `check`, which raises CommandError, takes the answer."""
    while True:
        try:
            return check(str(typer.prompt(question, err=True)).strip())
        except CommandError as refused:
            say(str(refused))


def ask_hidden(question: str, *, without_terminal: str) -> str:
    """Ask for what must not be seen.

    Raises:
        CommandError: nobody is there to ask, with the text given for that.
    """
    if not is_interactive():
        raise CommandError(without_terminal)
    return str(typer.prompt(question, hide_input=True, err=True))

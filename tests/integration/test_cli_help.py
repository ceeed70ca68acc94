"""What every command says of itself: its help, its examples, and what it does with mistakes."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from jitsi_tokens_cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator


def _commands(command: Any, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, *path, name)


COMMANDS = list(_commands(typer.main.get_command(app)))


def _help(*path: str) -> str:
    result = CliRunner().invoke(app, [*path, "-h"], terminal_width=80)
    assert result.exit_code == 0
    return result.stdout


def _examples(path: tuple[str, ...]) -> list[str]:
    _, _, after = _help(*path).partition("Examples:\n")
    block = after.partition("\n\n")[0].replace("\\\n", " ")
    return [line.strip() for line in block.splitlines()]


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_fits_a_terminal(path: tuple[str, ...]) -> None:
    """Says what a command does without cutting it, and names values rather than types."""
    text = _help(*path)

    assert max(map(len, text.splitlines())) <= 80
    assert not re.search(r"<bool>|range>|  -.* <str>|\.\.\.\n", text.partition("\n")[2])


LEAVES = [path for path in COMMANDS if not any(other[:-1] == path for other in COMMANDS)]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_each_command_has_examples_of_its_own(path: tuple[str, ...]) -> None:
    """Which begin with its name."""
    examples = _examples(path)

    assert examples
    assert all(line.startswith(f"jitsi-tokens {' '.join(path)}") for line in examples)


@pytest.mark.parametrize("example", [line for path in LEAVES for line in _examples(path)], ids=str)
def test_an_example_is_understood(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it finds then: its options and arguments are those of the command."""
    called: list[str] = []
    monkeypatch.setattr("typer.core.TyperCommand.invoke", lambda self, _: called.append(self.name))
    _, *arguments = shlex.split(example.partition(" > ")[0].rpartition(" | ")[2])

    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 0, result.output
    assert called == [max((path for path in LEAVES if _is_of(arguments, path)), key=len)[-1]]


def _is_of(arguments: list[str], path: tuple[str, ...]) -> bool:
    return tuple(arguments[: len(path)]) == path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["kye"], "No such command 'kye'. Did you mean 'key'?"),
        (["key", "shwo"], "No such command 'shwo'. Did you mean 'show'?"),
        (["doctor", "--stak-name", "x"], "No such option: --stak-name"),
    ],
)
def test_a_mistyped_word_gets_a_suggestion(arguments: list[str], sentence: str) -> None:
    """And exit code 2."""
    result = CliRunner().invoke(app, arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr


@pytest.mark.parametrize(
    "arguments", [["--no-color", "status"], ["status", "--no-color"]], ids=" ".join
)
def test_colour_is_turned_off_before_or_after_the_command(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As NO_COLOR does it."""
    monkeypatch.setenv("NO_COLOR", "")

    result = CliRunner().invoke(app, arguments)

    assert "Which stack?" in result.stderr
    assert os.environ["NO_COLOR"] == "1"


def test_ctrl_c_is_one_line_and_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is going on."""

    def interrupt(_target: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jitsi_tokens_cli.client.commands.find_stack", interrupt)

    result = CliRunner().invoke(app, ["client", "list", "--stack-name", "x"])

    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")

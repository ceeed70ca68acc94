"""What a command is given: files, stdin, and the answers of the person at the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jitsi_tokens.core.clients import is_api_key
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.output import is_terminal, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

Yes = Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")]

STDIN = "-"
# No key, token or API key is longer.
MAX_BYTES = 65_536


def read_file(name: str) -> bytes:
    """Return what a file holds, or stdin under the name `-`.

    Raises:
        CommandError: it cannot be read, or is too long for what it should hold.
    """
    try:
        if name == STDIN:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"The file cannot be read: {error.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise CommandError(
            f"The file is larger than {MAX_BYTES // 1024} KiB: no key or token is that long."
        )
    return content


def trimmed(text: str) -> str:
    """Return a text without blanks around it, and without a byte-order mark, which is no blank."""
    return text.removeprefix("\ufeff").strip()


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
    typer.confirm(wrapped(question) if is_terminal(sys.stderr) else question, abort=True, err=True)


def ask_hidden(question: str, *, without_terminal: str) -> str:
    """Ask for what must not be seen.

    Raises:
        CommandError: nobody is there to ask, with the text given for that.
    """
    if not is_interactive():
        raise CommandError(without_terminal)
    return str(typer.prompt(question, hide_input=True, err=True))


def find_api_key(environ: Mapping[str, str]) -> str:
    """Return the caller's API key: from the environment, a file, or a person.

    It is never an argument: arguments are seen by everyone on the machine.

    Raises:
        CommandError: there is none, or what there is cannot be one.
    """
    if api_key := environ.get("JITSI_TOKENS_API_KEY", "").strip():
        return _checked_api_key(api_key, "JITSI_TOKENS_API_KEY holds")
    if name := environ.get("JITSI_TOKENS_API_KEY_FILE", "").strip():
        content = read_file(name).decode(errors="replace")
        return _checked_api_key(content, "The file of JITSI_TOKENS_API_KEY_FILE holds")
    answer = ask_hidden(
        "API key",
        without_terminal="Which API key? Set JITSI_TOKENS_API_KEY, or JITSI_TOKENS_API_KEY_FILE to"
        " the name of a file that holds it.",
    )
    return _checked_api_key(answer, "That is")


def _checked_api_key(text: str, where: str) -> str:
    api_key = trimmed(text)
    if not is_api_key(api_key):
        raise CommandError(
            f"{where} no API key of jitsi-tokens: its checksum does not match. It is another"
            " secret, or was mistyped or cut off."
        )
    return api_key

"""Where a command's token comes from: an argument, a file, stdin, a meeting URL."""

from __future__ import annotations

from typing import Annotated

import typer

from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import read_file
from jitsi_tokens_cli.token.text import Found, token_in

TokenSource = Annotated[
    str,
    typer.Argument(
        metavar="[TOKEN|FILE|URL|-]",
        help="A token, a file that holds one, a meeting URL, or `-` for stdin. A token as an"
        " argument stays in the shell's history.",
        show_default=False,
    ),
]


def read_token(source: str) -> Found:
    """Return the token that an argument is or leads to.

    Raises:
        CommandError: there is none.
    """
    if found := token_in(source):
        return found
    if "://" in source:
        raise CommandError("The URL holds no token: none follows jwt= in it.")
    content = read_file(source)
    found = token_in(content.decode(errors="replace"))
    if found is None:
        raise CommandError("There is no token: neither a JWT nor a meeting URL that holds one.")
    return found

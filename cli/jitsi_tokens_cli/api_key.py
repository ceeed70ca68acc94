"""The caller's API key: from the environment, a file, or a person, never from an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens.clients import api_key_in
from jitsi_tokens_cli import files
from jitsi_tokens_cli.asking import ask_hidden
from jitsi_tokens_cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping


def find_api_key(environ: Mapping[str, str]) -> str:
    """Return the API key.

    Raises:
        CommandError: there is none, or what there is cannot be one.
    """
    if api_key := environ.get("JITSI_TOKENS_API_KEY"):
        return _checked(api_key, "JITSI_TOKENS_API_KEY holds")
    if name := environ.get("JITSI_TOKENS_API_KEY_FILE"):
        content = files.read(name).decode(errors="replace")
        return _checked(content, "The file of JITSI_TOKENS_API_KEY_FILE holds")
    answer = ask_hidden(
        "API key",
        without_terminal="Which API key? Set JITSI_TOKENS_API_KEY, or JITSI_TOKENS_API_KEY_FILE to"
        " the name of a file that holds it.",
    )
    return _checked(answer, "That is")


def _checked(text: str, where: str) -> str:
    api_key = api_key_in(f"Bearer {text.strip()}")
    if api_key is None:
        raise CommandError(
            f"{where} no API key of jitsi-tokens: it begins with jtk_ and is mistyped or cut off"
            " where its checksum does not fit."
        )
    return api_key

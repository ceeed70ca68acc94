"""What the Jitsi of a stack wants, and where it finds its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from jitsi_tokens_cli.address import key_server_of
from jitsi_tokens_cli.token.explain import keys
from jitsi_tokens_cli.token.explain.expectations import KeyUnknown, of_settings
from jitsi_tokens_cli.token.explain.key_server import of_key_server

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Stack
    from jitsi_tokens_cli.token.explain.expectations import Expectations, KeyAnswer


def expectations_of_stack(stack: Stack, url: str, *, reads_key: bool = True) -> Expectations:
    """Return what the Jitsi of a stack wants, whose service is at `url`.

    Unless it `reads_key`, a signature is verified with published keys alone.
    """
    match stack.trust:
        case "console" | "shared":
            find_key = keys.of_stack(stack) if reads_key else _unread
        case "published":
            find_key = of_key_server(key_server_of(url))
        case _:
            assert_never(stack.trust)
    return of_settings(stack.settings, find_key)


def _unread(_kid: str | None) -> KeyAnswer:
    return KeyUnknown("The stack's key was not read.")

"""What the Jitsi of a stack wants, and where it finds its keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens_cli.address import key_server_of
from jitsi_tokens_cli.token.explain import keys
from jitsi_tokens_cli.token.explain.expectations import KeyUnknown, of_settings
from jitsi_tokens_cli.token.explain.key_server import of_key_server

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Stack
    from jitsi_tokens_cli.token.explain.expectations import Expectations


def expectations_of_stack(stack: Stack, url: str, *, reads_key: bool = True) -> Expectations:
    """Return what the Jitsi of a stack wants, whose service is at `url`.

    Unless it `reads_key`, a signature is verified with published keys alone.
    """
    if stack.settings.publishes_keys:
        return of_settings(stack.settings, of_key_server(key_server_of(url)))
    if not reads_key:
        return of_settings(stack.settings, lambda _: KeyUnknown("The stack's key was not read."))
    return of_settings(stack.settings, keys.of_stack(stack))

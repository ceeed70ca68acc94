"""The address of a stack's service, and whether an API key may be sent there."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from jitsi_tokens_cli.errors import UsageError
from jitsi_tokens_cli.inputs import trimmed

if TYPE_CHECKING:
    from urllib.parse import SplitResult

    from jitsi_tokens_cli.stack import Stack

URL_VARIABLE = "JITSI_TOKENS_URL"
# People paste the address of the request.
_PASTED = re.compile(r"(?<!:/)/api/jitsi/jwt/*([?#].*)?\Z", re.DOTALL)
# For commands about a stack; service_url reads the variable.
Url = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help=(
            f"URL of the service, as Jitsi reaches it. Default: {URL_VARIABLE} if"
            " JITSI_TOKENS_STACK_NAME names the stack, else the stack's own URL."
        ),
    ),
]

# For commands that ask the service alone, and need no stack with it.
ServiceUrl = Annotated[
    str | None,
    typer.Option(
        envvar=URL_VARIABLE, metavar="URL", help="URL of the service. Default: the stack's own URL."
    ),
]


def service_url(stack: Stack, given: str | None) -> str:
    """Return the address of a stack's service: the given one, the environment's, or its output.

    The environment's belongs to the stack that the environment names, and to no other.
    """
    if given:
        return base_url(given)
    is_of_environment = stack.name == os.environ.get("JITSI_TOKENS_STACK_NAME")
    return (is_of_environment and base_url(os.environ.get(URL_VARIABLE, ""))) or stack.api_url


def base_url(text: str) -> str:
    """Return an address without blanks around it, and without the path of a request at its end."""
    return _PASTED.sub("", trimmed(text))


def key_server_of(url: str) -> str:
    """Return where a Jitsi finds the public keys of the service at an address."""
    return f"{url.rstrip('/')}/asap"


def check_url(url: str, *, is_key_server: bool = False) -> SplitResult:
    """Return an address in its parts; plain http is for loopback, and for a key server.

    Raises:
        UsageError: it is none, or an API key must not be sent there.
    """
    name = f"The {'key server' if is_key_server else 'service'}'s URL"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UsageError(f"{name} is malformed.") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageError(f"{name} must begin with https:// and a host name.")
    if parts.username is not None or parts.password is not None:
        raise UsageError(f"{name} must not contain a user name or password.")
    if parts.query or parts.fragment:
        raise UsageError(
            f"{name} must end with its path: leave out ? or # and everything after it."
        )
    is_open = parts.scheme == "http" and not _is_loopback(parts.hostname)
    if is_open and not is_key_server:
        raise UsageError(f"{name} must be https: plain http would show the API key to others.")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

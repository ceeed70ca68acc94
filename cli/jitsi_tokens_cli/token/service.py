"""The service, asked for a token as a health record asks it."""

from __future__ import annotations

import ipaddress
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import msgspec

from jitsi_tokens_cli.errors import CommandError, OutOfReach
from jitsi_tokens_cli.output import printable

if TYPE_CHECKING:
    from urllib.parse import SplitResult

# API Gateway itself gives up after 29 seconds.
_TIMEOUT = httpx.Timeout(30, connect=5)


class Issued(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The service's answer. Times in epoch seconds."""

    token: str
    expires_at: int
    not_before: int
    meeting_url: str
    room_name: str

    def __repr__(self) -> str:
        return "Issued()"


class _FieldError(msgspec.Struct):
    pointer: str = ""
    detail: str = ""


class _Problem(msgspec.Struct):
    title: str
    detail: str = ""
    errors: list[_FieldError] = []


def check_url(url: str) -> SplitResult:
    """Return the service's address in its parts.

    Raises:
        CommandError: an API key must not be sent there.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise CommandError("The service's URL is malformed.") from None
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise CommandError("The service's URL begins with https:// and a host name.")
    if parts.username is not None or parts.password is not None:
        raise CommandError("The service's URL holds a user name or password: leave them out.")
    if parts.query or parts.fragment:
        raise CommandError("The service's URL ends with its path: leave out what follows ? or #.")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise CommandError("The service's URL must be https: it would show the API key to others.")
    return parts


def issue(url: str, api_key: str, request: dict[str, Any]) -> Issued:
    """Return the token that the service issues.

    Raises:
        CommandError: it refuses, or is no service of jitsi-tokens.
        OutOfReach: it cannot be reached, fails, or asks for patience.
    """
    parts = check_url(url)
    try:
        response = httpx.post(
            f"{url.rstrip('/')}/api/jitsi/jwt",
            content=json.dumps(request),
            headers={"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"},
            timeout=_TIMEOUT,
            # A proxy would see what goes over plain http, even what is meant for loopback.
            trust_env=parts.scheme == "https",
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise OutOfReach(
            f"The service at {parts.hostname} does not answer ({type(error).__name__})."
        ) from None
    if response.status_code != httpx.codes.OK:
        later = response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS
        raise (OutOfReach if later else CommandError)(_refusal(response))
    try:
        return msgspec.json.decode(response.content, type=Issued)
    except (msgspec.DecodeError, UnicodeError):
        raise CommandError("The service's answer is not that of jitsi-tokens.") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refusal(response: httpx.Response) -> str:
    try:
        problem = msgspec.json.decode(response.content, type=_Problem)
    except (msgspec.DecodeError, UnicodeError):
        return (
            f"The service answered HTTP {response.status_code} without saying why: is its URL"
            " that of a stack of jitsi-tokens?"
        )
    lines = [f"{problem.title} (HTTP {response.status_code})", problem.detail]
    lines += [f"{error.pointer}: {error.detail}" for error in problem.errors]
    return printable("\n  ".join(line for line in lines if line))

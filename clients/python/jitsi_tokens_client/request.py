"""What is sent, in the HTTP client's terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from jitsi_tokens_client.address import PATH

if TYPE_CHECKING:
    from collections.abc import Generator

    from jitsi_tokens_client.address import Address
    from jitsi_tokens_client.secret import Secret


class _ApiKeyAuth(httpx.Auth):
    # The header with the key is made where the request is sent, and is nobody's variable before.

    def __init__(self, api_key: Secret) -> None:
        self._api_key = api_key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = f"Bearer {self._api_key.reveal()}"
        yield request


@dataclass(frozen=True, repr=False)
class Request:
    """One request to the service; its repr shows none of it.

    Attributes:
        body: JSON; None to ask whether it is configured.
        api_key: None to say nothing of who asks.
    """

    address: Address
    body: bytes | None = None
    api_key: Secret | None = None

    def arguments(self, seconds: float, connect_seconds: float) -> dict[str, Any]:
        """Return it as arguments of `httpx.Client.stream`, with limits per read and write."""
        headers = {
            "Accept": "application/json, application/problem+json",
            "Accept-Encoding": "identity",
            "User-Agent": "jitsi-tokens-python/0.1.0",
        }
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        return {
            "method": "GET" if self.body is None else "POST",
            "url": f"{self.address.url}{PATH}",
            "content": self.body,
            "headers": headers,
            "auth": _ApiKeyAuth(self.api_key) if self.api_key else None,
            "follow_redirects": False,
            "timeout": httpx.Timeout(seconds, connect=min(seconds, connect_seconds)),
        }

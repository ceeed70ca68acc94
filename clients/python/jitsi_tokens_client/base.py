"""What the synchronous and the asynchronous client share."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpx

from jitsi_tokens_client.errors import ConfigurationError
from jitsi_tokens_client.request import TOKEN_PATH, Request, json_body
from jitsi_tokens_client.retry import Limits
from jitsi_tokens_client.settings import API_KEY, missing, read_settings
from jitsi_tokens_client.visits import visits_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jitsi_tokens_client.answer import Answer
    from jitsi_tokens_client.errors import JitsiTokensError
    from jitsi_tokens_client.request import TokenRequest
    from jitsi_tokens_client.secret import Secret

HttpT = TypeVar("HttpT", httpx.Client, httpx.AsyncClient)
IS_CONFIGURED = Request("GET", TOKEN_PATH)
_HEADERS = {
    "Accept": "application/json, application/problem+json",
    # What is compressed could not be bounded before it is unpacked.
    "Accept-Encoding": "identity",
    "User-Agent": "jitsi-tokens-python/0.1.0",
}


class BaseClient(Generic[HttpT]):
    """The settings, the limits, the HTTP client, and what each request is made of."""

    _http_class: type[HttpT]

    def __init__(
        self,
        url: str | None = None,
        api_key: str | Secret | None = None,
        *,
        id_key: str | Secret | None = None,
        limits: Limits | None = None,
        http: HttpT | None = None,
    ) -> None:
        self._settings = read_settings(url, api_key, id_key)
        self._limits = limits or Limits()
        self._given_http: HttpT | None = http
        self._own_http: HttpT | None = None
        self._process_id = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._settings.host!r})"

    def _http(self) -> HttpT:
        if self._given_http is not None:
            return self._given_http
        http = self._own_http
        # Parent and child of a fork would mix their bytes on one connection.
        if http is None or self._process_id != os.getpid():
            # Proxies are for https: plain http goes to loopback.
            is_https = self._settings.url.lower().startswith("https:")
            try:
                http = self._http_class(trust_env=is_https)
            except (OSError, ValueError, ImportError) as error:
                raise ConfigurationError(
                    f"The HTTP client cannot be set up ({type(error).__name__}): look at the"
                    " proxies and certificates that the environment names."
                ) from None
            self._own_http, self._process_id = http, os.getpid()
        return http

    def _token_request(self, asked: TokenRequest) -> Request:
        document = asked.document(self._settings.id_key or self._api_key())
        return self._request("POST", TOKEN_PATH, document)

    def _visits_request(
        self,
        method: str,
        *path: str,
        document: Mapping[str, Any] | None = None,
        query: Mapping[str, object] | None = None,
        is_repeatable: bool = True,
    ) -> Request:
        request = self._request(method, visits_path(path, query or {}), document)
        return replace(request, is_repeatable=is_repeatable)

    def _request(
        self, method: str, path: str, document: Mapping[str, Any] | None = None
    ) -> Request:
        # With the API key, and the document as JSON.
        body = None if document is None else json_body(document)
        return Request(method, path, body, self._api_key())

    def _api_key(self) -> Secret:
        if self._settings.api_key is None:
            raise missing(API_KEY)
        return self._settings.api_key

    def _arguments(self, request: Request, seconds: float) -> dict[str, Any]:
        # Of the HTTP client's `stream`.
        headers = dict(_HEADERS)
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if request.api_key is not None:
            headers["Authorization"] = f"Bearer {request.api_key.reveal()}"
        return {
            "method": request.method,
            "url": self._settings.url + request.path,
            "content": request.body,
            "headers": headers,
            # Not the HTTP client's own.
            "auth": None,
            "follow_redirects": False,
            "timeout": httpx.Timeout(seconds, connect=min(seconds, self._limits.connect_seconds)),
        }

    def _checked(self, answer: Answer, request: Request) -> Answer | JitsiTokensError:
        secrets = [key for key in (self._settings.api_key, self._settings.id_key) if key]
        return answer.error(secrets, request) or answer

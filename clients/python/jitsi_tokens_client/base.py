"""What the synchronous and the asynchronous client share."""

from __future__ import annotations

import os
import random
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

import httpx

from jitsi_tokens_client.errors import ConfigurationError
from jitsi_tokens_client.limits import Limits
from jitsi_tokens_client.outcome import Answer, Failure, Reason
from jitsi_tokens_client.secret import as_secret
from jitsi_tokens_client.settings import read_settings

if TYPE_CHECKING:
    from jitsi_tokens_client.call import Call
    from jitsi_tokens_client.secret import Secret

T = TypeVar("T")
HttpT = TypeVar("HttpT", httpx.Client, httpx.AsyncClient)
_RANDOM = random.SystemRandom()


class Base(ABC, Generic[HttpT]):
    """A service's address, the keys, the limits, and the HTTP client to send with.

    Raises:
        ConfigurationError: the address is missing, or something given or set is malformed.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | Secret | None = None,
        *,
        id_key: str | Secret | None = None,
        limits: Limits | None = None,
        http: HttpT | None = None,
    ) -> None:
        settings = read_settings(url, as_secret(api_key), as_secret(id_key), os.environ)
        # A traceback that shows locals would show them.
        del url, api_key, id_key
        if isinstance(settings, ConfigurationError):
            raise settings
        self._settings = settings
        self._limits = limits or Limits()
        self._given_http: HttpT | None = http
        self._own_http: HttpT | None = None
        self._process_id = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        # A traceback that shows locals asks for it before there are settings, too.
        settings = getattr(self, "_settings", None)
        return f"{type(self).__name__}({settings.address.host if settings else None!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be pickled: it holds an API key.")

    @staticmethod
    @abstractmethod
    def _new_http(*, trust_env: bool) -> HttpT:
        """Return an HTTP client of one's own."""

    def _http(self) -> HttpT | Failure:
        if self._given_http is not None:
            return self._given_http
        with self._lock:
            # Parent and child of a fork would mix their bytes on one connection.
            if self._own_http is None or self._process_id != os.getpid():
                try:
                    self._own_http = self._new_http(trust_env=self._settings.address.is_encrypted)
                except Exception as error:  # noqa: BLE001 - proxies and certificates of any kind
                    return Failure(Reason.SETUP, type(error).__name__)
                self._process_id = os.getpid()
            return self._own_http

    def _without_http(self) -> HttpT | None:
        with self._lock:
            http, self._own_http = self._own_http, None
            return http


def wait_after(planned: Call[T], outcome: Answer | Failure) -> float:
    """Hand in what an attempt came to, and return how many seconds to wait after it."""
    clocks = {"now": time.monotonic(), "clock": time.time()}
    return planned.take(outcome, **clocks, chance=_RANDOM.random()) or 0

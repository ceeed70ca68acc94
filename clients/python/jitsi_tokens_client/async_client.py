"""The client for asynchronous code: asyncio, or trio."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import anyio
import httpx

from jitsi_tokens_client import call
from jitsi_tokens_client.attempt import attempt_async
from jitsi_tokens_client.base import Base, wait_after
from jitsi_tokens_client.body import TokenRequest
from jitsi_tokens_client.errors import JitsiTokensError
from jitsi_tokens_client.outcome import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from jitsi_tokens_client.appointment import Appointment
    from jitsi_tokens_client.meeting import Meeting
    from jitsi_tokens_client.outcome import Answer
    from jitsi_tokens_client.request import Request

T = TypeVar("T")


class AsyncClient(Base[httpx.AsyncClient]):
    """Asks a jitsi-tokens service for tokens; tasks of one event loop may share one.

    What is not given is read from the environment, once, here, as `Client` reads it.

    Args:
        url: the service's address, up to /api/jitsi/jwt; http for loopback alone.
        api_key: not needed for `is_configured`.
        id_key: what user ids are derived with; without it they change when the API key does.
        limits: how long a call may take, and how many attempts it makes.
        http: an own HTTP client to send with; it stays open. Its time-outs, authentication and
            redirections are not used.

    Raises:
        ConfigurationError: the address is missing, or something given or set is malformed.
    """

    @staticmethod
    def _new_http(*, trust_env: bool) -> httpx.AsyncClient:
        return httpx.AsyncClient(trust_env=trust_env)

    async def issue(
        self,
        *,
        room_name: str,
        user_name: str,
        user_email: str | None = None,
        is_moderator: bool = False,
        user_id: str | None = None,
        user_avatar: str | None = None,
        appointment: Appointment | None = None,
        expiration_seconds: int | None = None,
        not_before: int | None = None,
        features: Mapping[str, bool] | None = None,
    ) -> Meeting:
        """Return a token for one user in one room.

        Arguments and errors are those of `Client.issue`. To cancel it is safe: at most a token is
        made that nobody sees.
        """
        asked = TokenRequest(
            room_name=room_name,
            user_name=user_name,
            user_email=user_email,
            is_moderator=is_moderator,
            user_id=user_id,
            user_avatar=user_avatar,
            appointment=appointment,
            expiration_seconds=expiration_seconds,
            not_before=not_before,
            features=features,
        )
        # A traceback that shows locals would show whom the meeting is for.
        del room_name, user_name, user_email, user_id, user_avatar
        planned = call.issue(self._settings, self._limits, asked)
        if isinstance(planned, JitsiTokensError):
            raise planned
        result = await self._make(planned)
        if isinstance(result, JitsiTokensError):
            raise result
        return result

    async def is_configured(self) -> bool:
        """Return whether the service's last check signed and verified a token.

        It is asked without the API key, which may be missing.

        Raises:
            ConfigurationError: the certificate does not hold, or there is no token service at the
                address: 401 too, as no key was sent.
            NotAllowedError: something before the service does not allow this.
            InvalidRequestError: the service, or something before it, refuses the request.
            UnavailableError: no usable answer came within the limits.
        """
        result = await self._make(call.is_configured(self._settings, self._limits))
        if isinstance(result, JitsiTokensError):
            raise result
        return result

    async def aclose(self) -> None:
        """Close the connections; a call after that opens new ones. `http`, if given, is left."""
        http = self._without_http()
        if http is not None:
            await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _make(self, planned: call.Call[T]) -> T | JitsiTokensError:
        while planned.result is None:
            seconds = planned.begin(time.monotonic())
            outcome = await self._attempt(planned.request, seconds)
            wait = wait_after(planned, outcome)
            if wait:
                await anyio.sleep(wait)
        return planned.result

    async def _attempt(self, request: Request, seconds: float) -> Answer | Failure:
        http = self._http()
        if isinstance(http, Failure):
            return http
        return await attempt_async(http, request, seconds=seconds, limits=self._limits)

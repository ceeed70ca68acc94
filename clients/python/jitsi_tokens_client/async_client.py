"""The client for asynchronous code: asyncio, or trio."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import anyio
import httpx

from jitsi_tokens_client.answer import Answer, error_of
from jitsi_tokens_client.base import IS_CONFIGURED, BaseClient
from jitsi_tokens_client.meeting import Meeting
from jitsi_tokens_client.request import TokenRequest
from jitsi_tokens_client.retry import Attempts
from jitsi_tokens_client.visits import Visit, VisitCalls, VisitPage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from jitsi_tokens_client.appointment import Appointment
    from jitsi_tokens_client.errors import JitsiTokensError
    from jitsi_tokens_client.request import Request


class AsyncClient(
    BaseClient[httpx.AsyncClient],
    VisitCalls[
        Coroutine[Any, Any, Visit], Coroutine[Any, Any, VisitPage], Coroutine[Any, Any, Meeting]
    ],
):
    """`Client` for asynchronous code, with the same arguments and errors.

    Tasks of one event loop can share one.
    """

    _http_class = httpx.AsyncClient

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
        """Return a token for one user in one room; see `Client.issue`."""
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
        return (await self._send(self._token_request(asked))).meeting()

    async def is_configured(self) -> bool:
        """Return whether the service's last check succeeded; see `Client.is_configured`."""
        return (await self._send(IS_CONFIGURED)).configured()

    async def aclose(self) -> None:
        """Close the connections; a later call opens new ones. Your own `http` stays open."""
        http, self._own_http = self._own_http, None
        if http is not None:
            await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _visit(self, method: str, *path: str, **sent: Any) -> Visit:
        return (await self._send(self._visits_request(method, *path, **sent))).visit()

    async def _page(self, method: str, *path: str, **sent: Any) -> VisitPage:
        return (await self._send(self._visits_request(method, *path, **sent))).page()

    async def _meeting(self, method: str, *path: str, **sent: Any) -> Meeting:
        return (await self._send(self._visits_request(method, *path, **sent))).meeting()

    async def _send(self, request: Request) -> Answer:
        attempts = Attempts(self._limits, is_repeatable=request.is_repeatable)
        while True:
            answer = await self._attempt(request, attempts.begin())
            if isinstance(answer, Answer):
                return answer
            await anyio.sleep(attempts.wait_after(answer))

    async def _attempt(self, request: Request, seconds: float) -> Answer | JitsiTokensError:
        http, host = self._http(), self._settings.host
        with anyio.move_on_after(seconds):
            try:
                async with http.stream(**self._arguments(request, seconds)) as response:
                    answer = Answer(response, host)
                    chunks = response.aiter_bytes()
                    while (
                        not answer.is_foreign and (chunk := await anext(chunks, None)) is not None
                    ):
                        answer.take(chunk)
            except (httpx.HTTPError, OSError) as error:
                return error_of(error, host)
            return self._checked(answer, request)
        return error_of(TimeoutError(), host)

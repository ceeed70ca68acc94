"""The client for synchronous code."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

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


class Client(BaseClient[httpx.Client], VisitCalls[Visit, VisitPage, Meeting]):
    """Asks a jitsi-tokens service for tokens and visits. Threads can share one.

    It reuses connections.

    Arguments left out come from the environment, read once, here: JITSI_TOKENS_URL,
    JITSI_TOKENS_API_KEY and JITSI_TOKENS_ID_KEY, or the files that the same names with _FILE at
    the end name.

    Args:
        url: the service's address, up to /api/jitsi/jwt; plain http only for loopback.
        api_key: `is_configured` does not need it.
        id_key: derives user ids; without it they change when the API key does.
        limits: how long a call may take, and how many attempts it makes.
        http: your own HTTP client; it stays open. Its timeouts, authentication and redirects are
            not used.

    Raises:
        ConfigurationError: the address is missing, or a value is malformed.
    """

    _http_class = httpx.Client

    def issue(
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
        """Return a token for one user in one room. The service's README has each field's rules.

        Args:
            room_name: the meeting's.
            user_name: everybody in the meeting sees it, and the next two.
            user_email: an e-mail address; "" is none.
            user_avatar: an https URL; "" is none.
            is_moderator: whether the user may run the meeting.
            user_id: derived from the e-mail address, or else from name and room, if left out or "".
            appointment: when the token works; replaces the next two.
            expiration_seconds: how long the token works; the service has a default.
            not_before: when the token begins, in epoch seconds; by default now.
            features: by Jitsi's names; {} denies all of them, None leaves them to the service.

        Raises:
            ConfigurationError: the API key is missing, the certificate is not valid, or no token
                service answers at the address.
            CredentialsError: the service does not accept the API key.
            NotAllowedError: the client's policy does not allow this.
            InvalidRequestError: a field breaks a rule.
            UnavailableError: no usable answer came within the limits.
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
        return self._send(self._token_request(asked)).meeting()

    def is_configured(self) -> bool:
        """Return whether the service's last check signed and verified a token.

        It sends no API key.

        Raises:
            ConfigurationError: the certificate is not valid, or no token service answers at the
                address.
            NotAllowedError: a firewall before the service does not allow this.
            InvalidRequestError: the service, or a proxy before it, refuses the request.
            UnavailableError: no usable answer came within the limits.
        """
        return self._send(IS_CONFIGURED).configured()

    def close(self) -> None:
        """Close the connections; a later call opens new ones. Your own `http` stays open."""
        http, self._own_http = self._own_http, None
        if http is not None:
            http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _visit(self, method: str, *path: str, **sent: Any) -> Visit:
        return self._send(self._visits_request(method, *path, **sent)).visit()

    def _page(self, method: str, *path: str, **sent: Any) -> VisitPage:
        return self._send(self._visits_request(method, *path, **sent)).page()

    def _meeting(self, method: str, *path: str, **sent: Any) -> Meeting:
        return self._send(self._visits_request(method, *path, **sent)).meeting()

    def _send(self, request: Request) -> Answer:
        attempts = Attempts(self._limits, is_repeatable=request.is_repeatable)
        while True:
            answer = self._attempt(request, attempts.begin())
            if isinstance(answer, Answer):
                return answer
            time.sleep(attempts.wait_after(answer))

    def _attempt(self, request: Request, seconds: float) -> Answer | JitsiTokensError:
        http, host = self._http(), self._settings.host
        ends_at = time.monotonic() + seconds
        try:
            with http.stream(**self._arguments(request, seconds)) as response:
                answer = Answer(response, host)
                chunks = response.iter_bytes()
                while not answer.is_foreign and (chunk := next(chunks, b"")):
                    answer.take(chunk)
                    if time.monotonic() > ends_at:
                        return error_of(TimeoutError(), host)
        except (httpx.HTTPError, OSError) as error:
            return error_of(error, host)
        return self._checked(answer, request)

"""The client for synchronous code."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import httpx

from jitsi_tokens_client import call
from jitsi_tokens_client.attempt import LEFT_BEHIND, attempt
from jitsi_tokens_client.base import Base, wait_after
from jitsi_tokens_client.body import TokenRequest
from jitsi_tokens_client.errors import JitsiTokensError
from jitsi_tokens_client.outcome import Failure
from jitsi_tokens_client.own_http import OwnHttp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

    from jitsi_tokens_client.appointment import Appointment
    from jitsi_tokens_client.meeting import Meeting
    from jitsi_tokens_client.outcome import Answer
    from jitsi_tokens_client.request import Request

T = TypeVar("T")


class Client(Base[httpx.Client]):
    """Asks a jitsi-tokens service for tokens. Threads may share one; it keeps connections open.

    What is not given is read from the environment, once, here: JITSI_TOKENS_URL,
    JITSI_TOKENS_API_KEY, JITSI_TOKENS_ID_KEY, or from the files that the same names with _FILE
    at the end name.

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
    def _new_http(*, trust_env: bool) -> httpx.Client:
        return OwnHttp(trust_env=trust_env)

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
        """Return a token for one user in one room. The README of the service has each field's rule.

        Args:
            room_name: the meeting's.
            user_name: shown to everybody there, as the next two are.
            user_email: an e-mail address; "" is none.
            user_avatar: an https URL; "" is none.
            is_moderator: whether the user may run the meeting.
            user_id: left out or "": derived from the e-mail address, else from name and room.
            appointment: when the token works; instead of the next two.
            expiration_seconds: how long it works; left out, the service's default.
            not_before: from when on it works, in epoch seconds; left out, from now.
            features: by Jitsi's names; {} denies all of them, None leaves them to the service.

        Raises:
            ConfigurationError: the API key is missing, the certificate does not hold, or there is
                no token service at the address.
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
        # A traceback that shows locals would show whom the meeting is for.
        del room_name, user_name, user_email, user_id, user_avatar
        planned = call.issue(self._settings, self._limits, asked)
        if isinstance(planned, JitsiTokensError):
            raise planned
        result = self._make(planned)
        if isinstance(result, JitsiTokensError):
            raise result
        return result

    def is_configured(self) -> bool:
        """Return whether the service's last check signed and verified a token.

        It is asked without the API key, which may be missing.

        Raises:
            ConfigurationError: the certificate does not hold, or there is no token service at the
                address: 401 too, as no key was sent.
            NotAllowedError: something before the service does not allow this.
            InvalidRequestError: the service, or something before it, refuses the request.
            UnavailableError: no usable answer came within the limits.
        """
        result = self._make(call.is_configured(self._settings, self._limits))
        if isinstance(result, JitsiTokensError):
            raise result
        return result

    def close(self) -> None:
        """Close the connections; a call after that opens new ones. `http`, if given, is left.

        Calls that other threads are in come to their end first.
        """
        http = self._without_http()
        if isinstance(http, OwnHttp):
            http.retire()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self, planned: call.Call[T]) -> T | JitsiTokensError:
        while planned.result is None:
            seconds = planned.begin(time.monotonic())
            outcome = self._attempt(planned.request, seconds)
            wait = wait_after(planned, outcome)
            if wait:
                time.sleep(wait)
        return planned.result

    def _attempt(self, request: Request, seconds: float) -> Answer | Failure:
        http = self._http()
        # Another thread may have retired it in between.
        while isinstance(http, OwnHttp) and not http.begin():
            http = self._http()
        if isinstance(http, Failure):
            return http
        outcome: Answer | Failure | None = None
        try:
            outcome = attempt(http, request, seconds=seconds, limits=self._limits)
            return outcome
        finally:
            if isinstance(http, OwnHttp):
                # What is left behind would hold one of its connections for ever.
                if outcome is None or outcome is LEFT_BEHIND:
                    self._drop(http)
                http.forget()

    def _drop(self, http: OwnHttp) -> None:
        with self._lock:
            if self._own_http is http:
                self._own_http = None
        http.retire()

"""The Python client, synchronous and asynchronous, asked as the tests ask all callers."""

from __future__ import annotations

import asyncio
import os
import pickle
import time
import traceback
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from typing import TYPE_CHECKING, Any
from unittest import mock

import jitsi_tokens_client as python_client

from tests.clients.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable


class PythonCaller:
    """Asks with `Client`."""

    name = "python"

    def __init__(self, *, asynchronous: bool) -> None:
        self._asynchronous = asynchronous

    def issue(
        self, settings: dict[str, Any], environment: dict[str, str] | None = None, **request: Any
    ) -> Outcome:
        """Ask for a token."""
        return self.call("issue", settings, environment, **request)

    def is_configured(
        self, settings: dict[str, Any], environment: dict[str, str] | None = None
    ) -> Outcome:
        """Ask whether the service has a key."""
        return self.call("is_configured", settings, environment)

    def call(
        self,
        method: str,
        settings: dict[str, Any],
        environment: dict[str, str] | None = None,
        **request: Any,
    ) -> Outcome:
        """Call a method of the client."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("JITSI_TOKENS_")}
        with mock.patch.dict(os.environ, clean | (environment or {}), clear=True):
            ask = self._ask_asynchronously if self._asynchronous else self._ask
            started = time.monotonic()
            try:
                client, result = ask(settings, method, request)
            except python_client.JitsiTokensError as error:
                return _failed(error, time.monotonic() - started)
            return _succeeded(client, result, time.monotonic() - started)

    def _ask(
        self, settings: dict[str, Any], method: str, request: dict[str, Any]
    ) -> tuple[object, Any]:
        with python_client.Client(**_settings(settings)) as client:
            return client, _bound(client, method, request)()

    def _ask_asynchronously(
        self, settings: dict[str, Any], method: str, request: dict[str, Any]
    ) -> tuple[object, Any]:
        async def ask() -> tuple[object, Any]:
            async with python_client.AsyncClient(**_settings(settings)) as client:
                return client, await _bound(client, method, request)()

        return asyncio.run(ask())


def _bound(client: object, method: str, request: dict[str, Any]) -> Callable[[], Any]:
    def ask() -> Any:
        return getattr(client, method)(**_request(request))

    return ask


def _settings(settings: dict[str, Any]) -> dict[str, Any]:
    limits = {
        name: settings[name]
        for name in ("connect_seconds", "attempt_seconds", "total_seconds", "attempts")
        if name in settings
    }
    rest = {name: settings[name] for name in ("url", "api_key", "id_key") if name in settings}
    return rest | ({"limits": python_client.Limits(**limits)} if limits else {})


def _request(request: dict[str, Any]) -> dict[str, Any]:
    if "appointment" not in request:
        return request
    given = request["appointment"]
    duration = timedelta(seconds=given["duration"])
    if "zone" in given:
        appointment = python_client.Appointment.local(
            date.fromisoformat(given["date"]),
            time_of_day.fromisoformat(given["time"]),
            given["zone"],
            duration,
        )
    else:
        appointment = python_client.Appointment(datetime.fromisoformat(given["start"]), duration)
    return request | {"appointment": appointment}


def _failed(error: python_client.JitsiTokensError, seconds: float) -> Outcome:
    values = {
        "message": str(error),
        "status": error.status,
        "field": error.field,
        "retryAfterSeconds": error.retry_after_seconds,
    }
    if isinstance(error, python_client.ConflictError):
        values |= {"problem": error.kind, "opensAt": error.opens_at}
    dumps = [
        repr(error),
        str(error.args),
        repr(vars(error)),
        repr((error.__cause__, error.__context__)),
        "".join(traceback.format_exception(error)),
        pickle.dumps(error).decode("latin-1"),
        repr(pickle.loads(pickle.dumps(error))),  # noqa: S301 - our own bytes
    ]
    kind = type(error).__name__.removesuffix("Error")
    return Outcome(kind, values, seconds, "\n".join(dumps))


def _succeeded(client: object, result: Any, seconds: float) -> Outcome:
    dumps = "\n".join((repr(client), str(client), repr(result), str(result)))
    if isinstance(result, bool):
        return Outcome("configured", {"configured": result}, seconds, dumps)
    if isinstance(result, dict):
        return Outcome("visit", _revealed(result), seconds, dumps)
    values = {
        "token": result.token,
        "expiresAt": result.expires_at,
        "notBefore": result.not_before,
        "meetingUrl": result.meeting_url,
        "roomName": result.room_name,
    }
    return Outcome("meeting", values, seconds, dumps)


def _revealed(value: Any) -> Any:
    # What an application does with a link: it puts it into a mail.
    if isinstance(value, dict):
        return {name: _revealed(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_revealed(part) for part in value]
    return value.reveal() if isinstance(value, python_client.Secret) else value

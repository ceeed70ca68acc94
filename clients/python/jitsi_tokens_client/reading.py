"""What an outcome means to the caller: its result, or the error to raise, never raised here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jitsi_tokens_client.body import is_text, is_whole
from jitsi_tokens_client.errors import (
    ConfigurationError,
    CredentialsError,
    InvalidRequestError,
    JitsiTokensError,
    NotAllowedError,
    UnavailableError,
)
from jitsi_tokens_client.meeting import Meeting
from jitsi_tokens_client.outcome import Answer, Failure, Reason
from jitsi_tokens_client.problem import Problem, json_object, read_problem
from jitsi_tokens_client.retry import RETRIED_STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jitsi_tokens_client.secret import Secret

_OK = 200
_UNAUTHORIZED = 401
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_MEETING_URL = re.compile(r"https://[^\x00-\x20\x7f]+")


def read_meeting(answer: Answer) -> Meeting | None:
    """Return the meeting in an answer; None where it is something else."""
    match _json(answer):
        case {
            "token": str(token),
            "expiresAt": int(expires_at),
            "notBefore": int(not_before),
            "meetingUrl": str(meeting_url),
            "roomName": str(room_name),
        }:
            meeting = Meeting(token, expires_at, not_before, meeting_url, room_name)
            return meeting if _is_sound(meeting) else None
    return None


def read_configured(answer: Answer) -> bool | None:
    """Return whether an answer says that the service is configured; None where it says neither."""
    configured = _json(answer).get("configured")
    return configured if isinstance(configured, bool) else None


def error_of_failure(failure: Failure, host: str) -> JitsiTokensError:
    """Return the error where no answer came."""
    reason, detail = failure
    if reason is Reason.CERTIFICATE:
        why = f": {detail}" if detail else ""
        return ConfigurationError(f"The certificate of {host} does not hold{why}.")
    if reason is Reason.ADDRESS:
        return ConfigurationError("The service's address (JITSI_TOKENS_URL) is malformed.")
    if reason is Reason.SETUP:
        return ConfigurationError(
            f"The HTTP client cannot be set up ({detail}): look at the proxies and certificates"
            " that the environment names."
        )
    why = f"{reason.value}: {detail}" if detail else reason.value
    return UnavailableError(f"{host} does not answer ({why}).")


def error_of_answer(
    answer: Answer,
    host: str,
    *,
    secrets: Sequence[Secret],
    retry_after: int | None,
    wanted: str,
    is_with_key: bool,
) -> JitsiTokensError:
    """Return the error that an answer means, if it is not what is wanted.

    Args:
        answer: what came.
        host: the host's name.
        secrets: what no message may hold.
        retry_after: in seconds, as the answer asks for.
        wanted: what a 200 should have held.
        is_with_key: whether the API key was sent.
    """
    status = answer.status
    if status in RETRIED_STATUSES:
        known = read_problem(answer, secrets) or Problem()
        sentence = known.append_to(f"{host} cannot answer now (HTTP {status})")
        return UnavailableError(sentence, status=status, retry_after_seconds=retry_after)
    if answer.body is None:
        return UnavailableError(
            f"{host} answered HTTP {status} with what is not the service's, too long or encoded:"
            " is the address right?",
            status=status,
        )
    if status == _OK:
        return UnavailableError(
            f"{host} answered HTTP 200 with something else than {wanted}: is the address right?",
            status=status,
        )
    if status == _UNAUTHORIZED and not is_with_key:
        return _no_service(host, status)
    return _refusal(answer, host, read_problem(answer, secrets))


def _refusal(answer: Answer, host: str, problem: Problem | None) -> JitsiTokensError:
    status, said = answer.status, problem or Problem()
    match status:
        case 401:
            sentence = f"{host} does not accept the API key"
            return CredentialsError(said.append_to(sentence), status=status)
        case 403:
            sentence = f"{host} does not allow this"
            if problem is None:
                sentence += ": a firewall or the address's own access list"
            return NotAllowedError(said.append_to(sentence), status=status, field=said.field)
        case 400 | 413 | 415 | 422:
            sentence = f"{host} refuses the request (HTTP {status})"
            return InvalidRequestError(said.append_to(sentence), status=status, field=said.field)
        case 404 | 405:
            return _no_service(host, status)
        case _ if status // 100 == 3:  # noqa: PLR2004 - the class of the redirections
            return _no_service(host, status)
    return UnavailableError(said.append_to(f"{host} failed (HTTP {status})"), status=status)


def _no_service(host: str, status: int) -> ConfigurationError:
    return ConfigurationError(
        f"There is no token service at this address ({host}, HTTP {status}).", status=status
    )


def _json(answer: Answer) -> dict[str, object]:
    return json_object(answer.body) if answer.media_type == "application/json" else {}


def _is_sound(meeting: Meeting) -> bool:
    has_token = _JWT.fullmatch(meeting.token) and _MEETING_URL.fullmatch(meeting.meeting_url)
    has_times = is_whole(meeting.expires_at) and is_whole(meeting.not_before)
    return bool(has_token) and has_times and is_text(meeting.meeting_url + meeting.room_name)

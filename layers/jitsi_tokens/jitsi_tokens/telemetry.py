"""The one line that a request leaves, and the logger for what goes wrong."""

from __future__ import annotations

import functools
import hmac
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jitsi_tokens import emf
from jitsi_tokens.core.problems import UNAVAILABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_lambda_powertools import Logger

    from jitsi_tokens.core.problems import Problem
    from jitsi_tokens.core.requests import TokenRequest

_DIRECTIVES = [
    emf.directive(["service", "outcome", "role"], {"Requests": "Count", "Latency": "Milliseconds"}),
    # What an alarm watches has the stack alone for a dimension: an alarm is on one metric.
    emf.directive(
        ["service"],
        {"MissingSigningKey": "Count", "StaleSigningKey": "Count", "MissingDigestKey": "Count"},
    ),
]


class RequestLine:
    """The audit record and the metrics (CloudWatch embedded metric format) of one request.

    It holds no name, e-mail address, room, token or credential: room and user are keyed digests.
    """

    def __init__(self, service: str, request_id: str | None) -> None:
        self._fields: dict[str, Any] = {
            "service": service,
            "outcome": "failed",
            "role": "unknown",
            "reason": None,
            "field": None,
            "requestId": request_id,
            "client": None,
            "key": None,
            "moderator": None,
            "room": None,
            "user": None,
            "jti": None,
            "kid": None,
            "exp": None,
            "MissingSigningKey": 0,
            "StaleSigningKey": 0,
            "MissingDigestKey": 0,
        }
        self._subject: dict[str, str] = {}

    def called_by(self, client: str, key: str | None = None) -> None:
        """Note the client's name, and the first digits of its API key's digest."""
        self._fields.update(client=client, key=key)

    def asked(self, request: TokenRequest, room: str) -> None:
        """Note who asked for which room; only their digests are written."""
        self._fields["moderator"] = request.is_moderator
        self._fields["role"] = "moderator" if request.is_moderator else "guest"
        self._subject |= {"room": room, "user": request.user_id}

    def acts(self, action: str) -> None:
        """Note what is done with a visit: its line has three fields more."""
        self._fields |= {"action": action, "visit": None, "participant": None}

    def concerns(self, visit_id: str, participant_id: str | None = None) -> None:
        """Note the visit, and the participant, whose digests are to be written."""
        self._subject["visit"] = visit_id
        if participant_id is not None:
            self._subject["participant"] = participant_id

    def done(self) -> None:
        """Note that a visit is as it was asked for."""
        self._fields["outcome"] = "done"

    def issued(self, claims: dict[str, Any], kid: str, *, stale: bool) -> None:
        """Note the token by its `jti`, `kid` and `exp`."""
        self._fields.update(
            outcome="issued",
            jti=claims["jti"],
            kid=kid,
            exp=claims["exp"],
            StaleSigningKey=int(stale),
        )

    def no_signing_key(self) -> None:
        """Note that there was no key to sign with."""
        self._fields["MissingSigningKey"] = 1

    def refused(self, problem: Problem, field: str | None = None) -> None:
        """Note the reason, and the field at fault: never one whose name the caller made up."""
        self._fields["outcome"] = "failed" if problem.kind is UNAVAILABLE else "refused"
        self._fields["reason"] = problem.kind.name
        self._fields["field"] = field

    def write(self, now: float, seconds: float, digest_key: Callable[[], bytes | None]) -> None:
        """Print the line; `now` in epoch seconds.

        The digest key is asked for last, after the key that signs, and only where there is
        something to digest. Without it the digests are null, and the line says so.
        """
        if self._subject:
            self._digest(self._subject, digest_key())
        measured = {"Requests": 1, "Latency": round(seconds * 1000, 3)}
        emf.write(now, _DIRECTIVES, self._fields | measured)

    def _digest(self, subject: dict[str, str], key: bytes | None) -> None:
        self._fields["MissingDigestKey"] = int(key is None)
        if key is not None:
            for kind, value in subject.items():
                self._fields[kind] = keyed_digest(key, kind, value)


def keyed_digest(digest_key: bytes, kind: str, value: str) -> str:
    """Return the digest of a room or a user for the log: HMAC-SHA256, in hex."""
    return hmac.digest(digest_key, f"{kind}:{value}".encode(), "sha256").hex()


@functools.cache
def logger() -> Logger:
    """Return the logger for what goes wrong."""
    # Imported here: 50 ms of every cold start, for what most containers never say.
    from aws_lambda_powertools import Logger  # noqa: PLC0415

    return Logger()


def report(error: BaseException) -> None:
    """Log an error nobody expected: its type and place, never its text, which may quote input.

    Of an error of AWS's also its code, such as AccessDeniedException.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown"
    logger().error(
        "unexpected error", error=type(error).__name__, code=_code_of(error), place=place
    )


def _code_of(error: BaseException) -> str | None:
    # Not imported: an error of botocore's has loaded it, and nothing here may fail.
    botocore = sys.modules.get("botocore.exceptions")
    if botocore is None or not isinstance(error, botocore.ClientError):
        return None
    code: str = error.response.get("Error", {}).get("Code", "")
    return code

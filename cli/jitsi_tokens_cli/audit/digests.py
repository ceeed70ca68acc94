"""Room and user as the audit record holds them: digests, by a key of the stack's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jitsi_tokens.core.problems import Problem
from jitsi_tokens.core.requests import parse
from jitsi_tokens.secrets import SecretUnavailable
from jitsi_tokens.secrets_manager import fetch_version
from jitsi_tokens.telemetry import keyed_digest
from jitsi_tokens_cli.errors import CommandError, Unreachable, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jitsi_tokens_cli.stack import Stack


def read_subject(room: str | None, user: str | None) -> dict[str, str]:
    """Return what is digested of a room's name and a userId, where they are given.

    Raises:
        UsageError: the service takes no request for that, and so has no record of one.
    """
    given = {"roomName": room, "userId": user}
    sent = {name: "any" if value is None else value for name, value in given.items()}
    try:
        request = parse(json.dumps({**sent, "userName": "any"}).encode())
        subject = {"room": request.room(), "user": request.user_id}
    except Problem as refused:
        raise UsageError(f"The service refuses such a request: {refused.detail}") from None
    asked = {"room": room, "user": user}
    return {kind: value for kind, value in subject.items() if asked[kind] is not None}


def digests(stack: Stack, subject: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of a subject; the key is read only where there is something to digest.

    Raises:
        CommandError: the stack tells of no such key, or it cannot be read.
    """
    if not subject:
        return {}
    key = _digest_key(stack)
    return {kind: keyed_digest(key, kind, value) for kind, value in subject.items()}


def _digest_key(stack: Stack) -> bytes:
    secret = stack.output("DigestKeySecret")
    try:
        return fetch_version(stack.client("secretsmanager"), secret).text.encode()
    except SecretUnavailable as error:
        if error.code == "access-denied":
            raise Unreachable(
                "You may not read the key of the digests, which --room and --user take: the"
                " stack's AuditorPolicy allows it."
            ) from None
        refused = Unreachable if error.code == "unreachable" else CommandError
        raise refused(f"The key of the digests cannot be read. {error}") from None

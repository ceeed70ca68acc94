"""A drop-in for the script of the same name that signed tokens itself: asks the service for them.

environment, each also as <NAME>_FILE, the name of a file:
  JITSI_TOKENS_URL      the service's address, up to /api/jitsi/jwt
  JITSI_TOKENS_API_KEY  an API key of the service
  JITSI_TOKENS_ID_KEY   makes user ids that outlive the API key (optional)
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import functools
import os
import sys
from typing import TYPE_CHECKING

from jitsi_tokens_client import Client, JitsiTokensError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jitsi_tokens_client import Meeting

_REFUSED = 1
_UNAVAILABLE = 3


def generate_jwt_token(
    room_name: str,
    user_name: str,
    user_email: str | None,
    is_moderator: bool = False,  # noqa: FBT001, FBT002 - the signature that old code calls
) -> str:
    """Return a token for one user in one room, without the meeting URL around it.

    The process keeps one client, made from the environment as it was at the first call.

    Raises:
        JitsiTokensError: one of its kinds, as `jitsi_tokens_client.Client.issue` raises them.
    """
    return _issue(room_name, user_name, user_email, is_moderator=is_moderator).token


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a meeting URL and its token; return 0, 1 where there is none, 3 for no answer now."""
    parser = argparse.ArgumentParser(
        prog="generate_jwt_token.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="exit status: 0 for a token, 1 where it is refused or cannot be written, 2 for wrong"
        " usage,\n3 where there is no answer now, so try again later",
        allow_abbrev=False,
    )
    parser.add_argument("room", help="the meeting's name; write -- before one that begins with -")
    parser.add_argument("name", help="the user's name")
    parser.add_argument("email", help='the user\'s e-mail address, or ""')
    parser.add_argument("--moderator", action="store_true", help="the user may run the meeting")
    given = parser.parse_args(arguments)
    try:
        meeting = _issue(given.room, given.name, given.email, is_moderator=given.moderator)
    except JitsiTokensError as error:
        _complain(str(error))
        return _UNAVAILABLE if isinstance(error, UnavailableError) else _REFUSED
    if not _is_written(f"Meeting URL: {meeting.meeting_url}\nToken: {meeting.token}\n"):
        _complain("Standard output cannot be written.")
        return _REFUSED
    return 0


def _is_written(text: str) -> bool:
    # It is None where it was closed when Python began.
    if sys.stdout is None:
        return False
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    # Closed, or of an encoding that lacks a letter: both are ValueErrors.
    except (OSError, ValueError):
        # What is left in its buffer would be written, and fail, once more at the end.
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
        return False
    return True


def _complain(text: str) -> None:
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{text}\n")


def _issue(
    room_name: str, user_name: str, user_email: str | None, *, is_moderator: bool
) -> Meeting:
    return _client().issue(
        room_name=room_name, user_name=user_name, user_email=user_email, is_moderator=is_moderator
    )


@functools.cache
def _client() -> Client:
    client = Client()
    atexit.register(client.close)
    return client


if __name__ == "__main__":
    sys.exit(main())

"""A drop-in for the script of this name that signed tokens itself: it asks the service for them.

environment, each also as <NAME>_FILE, the name of a file:
  JITSI_TOKENS_URL      the service's address, up to /api/jitsi/jwt
  JITSI_TOKENS_API_KEY  an API key of the service
  JITSI_TOKENS_ID_KEY   makes user ids that outlive the API key (optional)
"""

from __future__ import annotations

import argparse
import functools
import sys

from jitsi_tokens_client import Client, JitsiTokensError, UnavailableError

_REFUSED = 1
_UNAVAILABLE = 3


def generate_jwt_token(
    room_name: str,
    user_name: str,
    user_email: str | None,
    is_moderator: bool = False,  # noqa: FBT001, FBT002 - the signature that old code calls
) -> str:
    """Return a token for one user in one room, without the meeting URL around it.

    The process keeps one client, made from the environment at the first call.

    Raises:
        JitsiTokensError: as `jitsi_tokens_client.Client.issue` raises it.
    """
    meeting = _client().issue(
        room_name=room_name, user_name=user_name, user_email=user_email, is_moderator=is_moderator
    )
    return meeting.token


def main() -> int:
    """Print a meeting URL and its token; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="generate_jwt_token.py",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="exit status: 0 for a token, 1 if it is refused or cannot be written, 2 for wrong"
        " usage,\n3 without an answer: try again later",
        allow_abbrev=False,
    )
    parser.add_argument("room", help="the meeting's name; write -- before one that begins with -")
    parser.add_argument("name", help="the user's name")
    parser.add_argument("email", help='the user\'s e-mail address, or ""')
    parser.add_argument("--moderator", action="store_true", help="the user may run the meeting")
    given = parser.parse_args()
    try:
        meeting = _client().issue(
            room_name=given.room,
            user_name=given.name,
            user_email=given.email,
            is_moderator=given.moderator,
        )
    except JitsiTokensError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command
        return _UNAVAILABLE if isinstance(error, UnavailableError) else _REFUSED
    try:
        sys.stdout.write(f"Meeting URL: {meeting.meeting_url}\nToken: {meeting.token}\n")
        sys.stdout.flush()
    # Closed before Python began (AttributeError), full, or of an encoding that lacks a letter.
    except (AttributeError, OSError, ValueError):
        # What is left in its buffer would fail once more at the end.
        sys.stdout = None
        print("Standard output cannot be written.", file=sys.stderr)  # noqa: T201
        return _REFUSED
    return 0


@functools.cache
def _client() -> Client:
    return Client()


if __name__ == "__main__":
    sys.exit(main())

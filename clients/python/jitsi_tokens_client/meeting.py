"""What the service answers."""

from __future__ import annotations

from typing import Final

from jitsi_tokens_client.secret import Opaque


class Meeting(Opaque):
    """A token and where to use it. Anyone with the token or the URL can enter as its user.

    Its repr shows the times only. It is not a dataclass and has no `__dict__`, so serializers that
    walk any object find nothing in it.

    Attributes:
        token: the signed JWT.
        expires_at: when it ends, in epoch seconds.
        not_before: when it begins, in epoch seconds.
        meeting_url: for the user's browser; holds the token.
        room_name: the room as Jitsi compares it: `My Room` becomes `my%20room`.
    """

    __slots__ = ("expires_at", "meeting_url", "not_before", "room_name", "token")

    def __init__(
        self, token: str, expires_at: int, not_before: int, meeting_url: str, room_name: str
    ) -> None:
        self.token: Final = token
        self.expires_at: Final = expires_at
        self.not_before: Final = not_before
        self.meeting_url: Final = meeting_url
        self.room_name: Final = room_name

    def __repr__(self) -> str:
        return f"Meeting(expires_at={self.expires_at}, not_before={self.not_before})"

"""What the service answers."""

from __future__ import annotations

from typing import NoReturn


class Meeting:
    """A token and where it leads. Whoever has the token or the URL can enter as its user.

    It cannot be changed, and what turns objects of any kind into text finds nothing in it: it is
    no dataclass, has no `__dict__`, and its repr shows the times alone.

    Args:
        token: the signed JWT.
        expires_at: when it ends, in epoch seconds.
        not_before: when it begins, in epoch seconds.
        meeting_url: for the user's browser; it holds the token.
        room_name: the room as Jitsi compares it.
    """

    __slots__ = ("_values",)

    _values: tuple[str, int, int, str, str]

    def __init__(
        self, token: str, expires_at: int, not_before: int, meeting_url: str, room_name: str
    ) -> None:
        values = (token, expires_at, not_before, meeting_url, room_name)
        object.__setattr__(self, "_values", values)

    @property
    def token(self) -> str:
        """The signed JWT."""
        return self._values[0]

    @property
    def expires_at(self) -> int:
        """When it ends, in epoch seconds."""
        return self._values[1]

    @property
    def not_before(self) -> int:
        """When it begins, in epoch seconds."""
        return self._values[2]

    @property
    def meeting_url(self) -> str:
        """For the user's browser; it holds the token."""
        return self._values[3]

    @property
    def room_name(self) -> str:
        """The room as Jitsi compares it: `My Room` becomes `my%20room`."""
        return self._values[4]

    def __repr__(self) -> str:
        return f"Meeting(expires_at={self.expires_at}, not_before={self.not_before})"

    def __eq__(self, other: object) -> bool:
        return self._values == other._values if isinstance(other, Meeting) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values)

    def __setattr__(self, name: str, _: object) -> NoReturn:
        raise AttributeError(f"A Meeting cannot be changed: {name}.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"A Meeting cannot be changed: {name}.")

    def __copy__(self) -> Meeting:
        return self

    def __deepcopy__(self, _: object) -> Meeting:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Meeting cannot be pickled: it holds a token.")

    def __getstate__(self) -> NoReturn:
        raise TypeError("A Meeting cannot be pickled: it holds a token.")

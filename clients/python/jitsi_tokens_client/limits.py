"""How long a call may take, and how many attempts it makes."""

from __future__ import annotations

from dataclasses import dataclass

_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Limits:
    """How long a call may take, in seconds, and how many attempts it makes.

    Attributes:
        connect_seconds: for a connection to stand, TLS included.
        attempt_seconds: for one attempt, from the look-up of the name to the end of the answer.
        total_seconds: for the whole call, waits between attempts included; nothing outlasts it.
        attempts: all of them together.

    Raises:
        ValueError: a number is not over 0, a time is over a day, or attempts is not whole.
    """

    connect_seconds: float = 3.0
    attempt_seconds: float = 8.0
    total_seconds: float = 20.0
    attempts: int = 4

    def __post_init__(self) -> None:
        for name in ("connect_seconds", "attempt_seconds", "total_seconds"):
            if not 0 < getattr(self, name) <= _DAY_SECONDS:
                raise ValueError(f"{name} must be over 0, and at most {_DAY_SECONDS}.")
        # True is an int, too.
        if type(self.attempts) is not int or self.attempts < 1:
            raise ValueError("attempts must be a whole number, 1 or more.")

"""What a call ended with, the same for every caller."""

from __future__ import annotations

from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """What a call ended with.

    Attributes:
        kind: `meeting`, `visit`, `configured`, or the error's name without Error or Exception.
        values: what the meeting or the error holds, in camel case; of a visit its JSON.
        seconds: how long the call took.
        dumps: every way to print each object there was, and the error.
    """

    kind: str
    values: dict[str, Any]
    seconds: float
    dumps: str

    def __repr__(self) -> str:
        return f"Outcome({self.kind}: {self.values.get('message', '')})"

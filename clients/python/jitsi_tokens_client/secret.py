"""A value that shows nowhere by accident."""

from __future__ import annotations

from typing import NoReturn


class Secret:
    """A key: printed, logged, dumped or pickled it shows nothing; `reveal()` alone gives it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        # An error raised here would carry the value in its frame: whoever uses it checks it.
        self._value = value if isinstance(value, str) else ""

    def reveal(self) -> str:
        """Return the value."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret cannot be pickled.")

    def __getstate__(self) -> NoReturn:
        raise TypeError("A Secret cannot be pickled.")


def as_secret(value: str | Secret | None) -> Secret | None:
    """Return a value as a secret; it stays None if it is."""
    return value if value is None or isinstance(value, Secret) else Secret(value)

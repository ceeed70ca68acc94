"""Objects that show nothing by accident."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from typing_extensions import Self


class Opaque:
    """Cannot be pickled, and a copy is the object itself."""

    __slots__ = ()

    def __copy__(self, _: object = None) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} holds a secret and cannot be pickled.")

    __deepcopy__ = __copy__
    __getstate__ = __reduce__


class Secret(Opaque):
    """A key. Only `reveal()` shows it: no print, log or dump does."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(...)"

"""Which records are asked for: as CloudWatch Logs is told, and as is checked again here."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jitsi_tokens_cli.audit.records import Record
    from jitsi_tokens_cli.audit.window import Window


class Query(NamedTuple):
    """What a record has to be.

    Attributes:
        window: when it was written.
        fields: what its fields hold, by their names.
        digests: likewise for room and user, which are null where they were not to be had.
        alive_at: only records whose token expires after this time, in epoch seconds; None: all.
    """

    window: Window
    fields: Mapping[str, str]
    digests: Mapping[str, str]
    alive_at: int | None = None

    def pattern(self) -> str:
        """Return the filter for CloudWatch Logs, which may let through more than is asked for.

        A `*` is a wildcard there, inside of quotes too.
        """
        conditions = ["$.Requests = 1"]
        conditions += [_equals(name, value) for name, value in self.fields.items()]
        conditions += [
            f"({_equals(name, value)} || $.{name} IS NULL)" for name, value in self.digests.items()
        ]
        if self.alive_at is not None:
            conditions.append(f"$.exp > {self.alive_at}")
        return f"{{ {' && '.join(conditions)} }}"

    def fits(self, record: Record) -> bool:
        """Tell whether nothing in a record speaks against it; a digest that it lacks does not."""
        return (
            self.window.holds(record.time)
            and self._is_alive(record)
            and all(record.fields.get(name) == value for name, value in self.fields.items())
            and all(
                record.fields.get(name) in (value, None) for name, value in self.digests.items()
            )
        )

    def is_certain(self, record: Record) -> bool:
        """Tell whether a record that fits holds every digest that is asked for."""
        return all(record.fields.get(name) is not None for name in self.digests)

    def _is_alive(self, record: Record) -> bool:
        return self.alive_at is None or (record.fields.get("exp") or 0) > self.alive_at


def _equals(name: str, value: str) -> str:
    return f"$.{name} = {json.dumps(value)}"

"""One pass over the log: what is found, and what could not be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jitsi_tokens_cli.audit.query import Query
    from jitsi_tokens_cli.audit.records import Record


class Search:
    """Yields the records that a query asks for, at most `limit` of them, and counts.

    Attributes:
        found: how many it has yielded.
        last: the last of them.
        without_digest_key: how many would fit, and have no digests as the key was missing.
        unread: how many would fit, and ended before room and user were read.
    """

    def __init__(self, query: Query, records: Iterable[Record], limit: int | None) -> None:
        self._query = query
        self._records = records
        self._limit = limit
        self.found = 0
        self.last: Record | None = None
        self.without_digest_key = 0
        self.unread = 0

    @property
    def is_full(self) -> bool:
        """Whether it stopped at its limit."""
        return self.found == self._limit

    def __iter__(self) -> Iterator[Record]:
        for record in self._records:
            if not self._query.fits(record):
                continue
            if self._query.is_certain(record):
                self.found += 1
                self.last = record
                yield record
                if self.is_full:
                    return
            elif record.fields.get("MissingDigestKey"):
                self.without_digest_key += 1
            else:
                self.unread += 1

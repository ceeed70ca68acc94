"""The audit record: which lines of the log are of it, and what they hold."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from jitsi_tokens.emf import NAMESPACE

# The fields of docs/audit-record.schema.json, in the order of a table.
FIELDS = (
    "outcome",
    "role",
    "reason",
    "field",
    "client",
    "key",
    "moderator",
    "room",
    "user",
    "jti",
    "kid",
    "exp",
    "service",
    "requestId",
    "Requests",
    "Latency",
    "StaleSigningKey",
    "MissingSigningKey",
    "MissingDigestKey",
)
_END_OF_CALENDAR = 253_402_300_800_000


class Record(NamedTuple):
    """What one token request left: its time, in epoch milliseconds, and its fields but `_aws`."""

    time: int
    fields: dict[str, Any]


class _Directive(Struct):
    namespace: str = msgspec.field(name="Namespace")


class _Metrics(Struct):
    timestamp: Annotated[int, Meta(ge=0, lt=_END_OF_CALENDAR)] = msgspec.field(name="Timestamp")
    directives: list[_Directive] = msgspec.field(name="CloudWatchMetrics")


class _Line(Struct):
    metrics: _Metrics = msgspec.field(name="_aws")
    service: str
    outcome: str


def read_record(message: str) -> Record | None:
    """Return the record in a line of the log; None for a line of anything else."""
    try:
        fields = msgspec.json.decode(message)
        line = msgspec.convert(fields, _Line)
    except (msgspec.DecodeError, UnicodeError):
        return None
    if all(directive.namespace != NAMESPACE for directive in line.metrics.directives):
        return None
    del fields["_aws"]
    return Record(line.metrics.timestamp, fields)

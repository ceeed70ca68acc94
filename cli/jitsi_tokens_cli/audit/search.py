"""The audit record in CloudWatch Logs: what is asked for, and what is found, the oldest first."""

from __future__ import annotations

import heapq
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
from botocore.exceptions import ClientError
from msgspec import Meta, Struct

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.problems import Problem
from jitsi_tokens.core.requests import parse
from jitsi_tokens.core.visit_requests import check_visit_id
from jitsi_tokens.emf import NAMESPACE
from jitsi_tokens.secrets import SecretUnavailable
from jitsi_tokens.secrets_manager import fetch_version
from jitsi_tokens.telemetry import keyed_digest
from jitsi_tokens_cli.errors import CommandError, Unreachable, UsageError, aws_sentence
from jitsi_tokens_cli.output import info, iso_time, time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jitsi_tokens.core.clock import Clock
    from jitsi_tokens_cli.stack import Stack

# The fields of docs/audit-record.schema.json, in the order of a table.
FIELDS = (
    "outcome",
    "role",
    "reason",
    "field",
    "action",
    "visit",
    "participant",
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


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_AGO = re.compile("([0-9]{1,9})([mhd])")
_MILLISECONDS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
# A record's time is when its request began, its line's when it ended: the function has 20 seconds.
_LONGEST_MILLISECONDS = 60_000
_TELL_SECONDS = 5


class Window(NamedTuple):
    """From when to when, in epoch milliseconds. What happened at `until` itself is outside."""

    since: int
    until: int | None

    def holds(self, time: int) -> bool:
        """Tell whether a time, in epoch milliseconds, is inside."""
        return self.since <= time and (self.until is None or time < self.until)

    def __str__(self) -> str:
        until = "now" if self.until is None else time_text(self.until / 1000)
        return f"from {time_text(self.since / 1000)} until {until}"


def read_window(since: str, until: str | None, now: float) -> Window:
    """Return the window that two options give; `now` in epoch seconds.

    Raises:
        UsageError: one of them is no time, or nothing lies between them.
    """
    begin = _read_time("--since", since, now)
    end = None if until is None else _read_time("--until", until, now)
    if begin > now * 1000:
        raise UsageError("--since is in the future.")
    if end is not None and end <= begin:
        raise UsageError("--until must be later than --since.")
    return Window(begin, end)


def time_of(milliseconds: int) -> str:
    """Return epoch milliseconds as ISO 8601 in UTC."""
    return iso_time(_EPOCH + milliseconds * _MILLISECOND, "milliseconds")


def _read_time(option: str, text: str, now: float) -> int:
    if ago := _AGO.fullmatch(text):
        return max(0, int(now * 1000) - int(ago[1]) * _MILLISECONDS[ago[2]])
    try:
        moment = datetime.fromisoformat(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} takes how long ago, such as 30m, 24h or 7d, or an ISO 8601 date or time,"
            " such as 2026-11-01 or 2026-11-01T08:30:00+01:00. The zone is UTC unless you give"
            " one."
        ) from None
    return max(0, (moment - _EPOCH) // _MILLISECOND)


class Record(NamedTuple):
    """What one token request left: its time, in epoch milliseconds, and its fields but `_aws`."""

    time: int
    fields: dict[str, Any]

    def is_about_a(self, kind: str) -> bool:
        """Tell whether such a request has a room and a user, or a visit."""
        action = self.fields.get("action")
        return action is not None if kind == "visit" else action in (None, "join", "enter")


class Query(NamedTuple):
    """What a record has to be.

    Attributes:
        window: when it was written.
        fields: what its fields hold, by their names.
        digests: likewise for room, user and visit, which are null where they were not to be had.
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
                record.fields.get(name) in (value, None) and record.is_about_a(name)
                for name, value in self.digests.items()
            )
        )

    def is_certain(self, record: Record) -> bool:
        """Tell whether a record that fits holds every digest that is asked for."""
        return all(record.fields.get(name) is not None for name in self.digests)

    def _is_alive(self, record: Record) -> bool:
        return self.alive_at is None or (record.fields.get("exp") or 0) > self.alive_at


class Search:
    """Yields the records that a query asks for, at most `limit` of them, and counts.

    Attributes:
        found: how many it has yielded.
        last: the last of them.
        without_digest_key: how many would fit, and have no digests as the key was missing.
        unread: how many would fit, and ended before the request was read.
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


def records(logs: Any, group: str, query: Query, clock: Clock) -> Iterator[Record]:
    """Yield the records that CloudWatch Logs finds in a group for a query, the oldest first.

    Raises:
        CommandError: there is no such group.
        Unreachable: the caller may not read it.
    """
    try:
        yield from _by_time(_events(logs, group, query, clock))
    except ClientError as error:
        match error_code(error):
            case "ResourceNotFoundException":
                raise CommandError(
                    f"The log group {group} does not exist: somebody deleted it, and its records"
                    " are lost. CloudTrail shows who did (DeleteLogGroup)."
                ) from None
            case "AccessDeniedException":
                raise Unreachable(
                    f"{aws_sentence(error)} The stack's AuditorPolicy grants it."
                ) from None
        raise


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


def read_subject(room: str | None, user: str | None, visit: str | None) -> dict[str, str]:
    """Return what is digested of a room's name, a userId and a visitId, where they are given.

    Raises:
        UsageError: the service takes no request for that, and so has no record of one.
    """
    given = {"roomName": room, "userId": user}
    sent = {name: "any" if value is None else value for name, value in given.items()}
    try:
        request = parse(json.dumps({**sent, "userName": "any"}).encode())
        subject = {} if room is None else {"room": request.room()}
        if user is not None:
            subject["user"] = request.user_id
        if visit is not None:
            check_visit_id(visit)
            subject["visit"] = visit
    except Problem as refused:
        raise UsageError(f"The service refuses such a request: {refused.detail}") from None
    return subject


def digests(stack: Stack, subject: Mapping[str, str]) -> dict[str, str]:
    """Return the digests of a subject; the key is read only where there is something to digest.

    Raises:
        CommandError: the stack tells of no such key, or it cannot be read.
    """
    if not subject:
        return {}
    key = _digest_key(stack)
    return {kind: keyed_digest(key, kind, value) for kind, value in subject.items()}


class _Directive(Struct):
    namespace: str = msgspec.field(name="Namespace")


class _Metrics(Struct):
    timestamp: Annotated[int, Meta(ge=0, lt=_END_OF_CALENDAR)] = msgspec.field(name="Timestamp")
    directives: list[_Directive] = msgspec.field(name="CloudWatchMetrics")


class _Line(Struct):
    metrics: _Metrics = msgspec.field(name="_aws")
    service: str
    outcome: str


def _events(logs: Any, group: str, query: Query, clock: Clock) -> Iterator[dict[str, Any]]:
    wanted = {
        "logGroupName": group,
        "startTime": query.window.since,
        "filterPattern": query.pattern(),
    }
    if query.window.until is not None:
        wanted["endTime"] = query.window.until + _LONGEST_MILLISECONDS
    lines, told = 0, clock.now()
    for page in logs.get_paginator("filter_log_events").paginate(**wanted):
        yield from page["events"]
        lines += len(page["events"])
        if clock.now() - told >= _TELL_SECONDS:
            told = clock.now()
            info(f"... still reading the log, {lines} lines so far")


def _by_time(events: Iterable[dict[str, Any]]) -> Iterator[Record]:
    """Put the records among the events, which come by the time of their lines, in order."""
    waiting: list[tuple[int, int, Record]] = []
    for number, event in enumerate(events):
        if record := read_record(event["message"]):
            heapq.heappush(waiting, (record.time, number, record))
        while waiting and waiting[0][0] < event["timestamp"] - _LONGEST_MILLISECONDS:
            yield heapq.heappop(waiting)[-1]
    while waiting:
        yield heapq.heappop(waiting)[-1]


def _equals(name: str, value: str) -> str:
    return f"$.{name} = {json.dumps(value)}"


def _digest_key(stack: Stack) -> bytes:
    secret = stack.output("DigestKeySecret")
    try:
        return fetch_version(stack.client("secretsmanager"), secret).text.encode()
    except SecretUnavailable as error:
        if error.code == "access-denied":
            raise Unreachable(
                "Missing permission on the digest key, which --room, --user and --visit need:"
                " secretsmanager:GetSecretValue. The stack's AuditorPolicy grants it."
            ) from None
        refused = Unreachable if error.code == "unreachable" else CommandError
        raise refused(f"The digest key cannot be read. {error}") from None

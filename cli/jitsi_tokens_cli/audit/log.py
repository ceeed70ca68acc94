"""The audit record as CloudWatch Logs gives it out: page by page, the oldest first."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens_cli.audit.records import read_record
from jitsi_tokens_cli.errors import CommandError, Unreachable, aws_sentence
from jitsi_tokens_cli.output import info

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jitsi_tokens.core.clock import Clock
    from jitsi_tokens_cli.audit.query import Query
    from jitsi_tokens_cli.audit.records import Record

# A record's time is when its request began, its line's when it ended: the function has 20 seconds.
_LONGEST_MILLISECONDS = 60_000
_TELL_SECONDS = 5


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
                    f"The log group {group} is not there: somebody deleted it, and what it held is"
                    " gone. CloudTrail says who (DeleteLogGroup)."
                ) from None
            case "AccessDeniedException":
                raise Unreachable(
                    f"{aws_sentence(error)} The stack's AuditorPolicy allows it."
                ) from None
        raise


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

"""CloudWatch's part that the emulator leaves out: metrics, made of the lines that hold them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from local_stack.deployment import client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator

_SINCE_SECONDS = 60


def put_metrics(emulator: Emulator, stack: Stack) -> dict[str, float]:
    """Put the metrics of the last minute's lines, and return what was put last of each.

    The emulator evaluates its alarms on them, whatever their dimensions are.
    """
    cloudwatch = client(emulator, "cloudwatch")
    latest: dict[str, float] = {}
    for line in _lines(emulator, stack):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            values = {
                metric["Name"]: line[metric["Name"]]
                for metric in directive["Metrics"]
                if metric["Name"] in line
            }
            dimensions = [
                {"Name": name, "Value": line[name]} for name in directive["Dimensions"][0]
            ]
            cloudwatch.put_metric_data(
                Namespace=directive["Namespace"],
                MetricData=[
                    {
                        "MetricName": name,
                        "Dimensions": dimensions,
                        "Timestamp": line["_aws"]["Timestamp"] / 1000,
                        "Value": value,
                    }
                    for name, value in values.items()
                ],
            )
            latest |= values
    return latest


def alarm_states(emulator: Emulator, stack: Stack) -> dict[str, str]:
    """Return the state of each of the stack's alarms, by its name."""
    pages = client(emulator, "cloudwatch").get_paginator("describe_alarms")
    return {
        alarm["AlarmName"]: alarm["StateValue"]
        for page in pages.paginate(AlarmNamePrefix=f"{stack.name}-")
        for alarm in page["MetricAlarms"]
    }


def _lines(emulator: Emulator, stack: Stack) -> Iterator[dict[str, Any]]:
    pages = client(emulator, "logs").get_paginator("filter_log_events")
    for group in (stack.outputs["AuditLogGroup"], f"/aws/lambda/{stack.name}-check-key"):
        for page in pages.paginate(
            logGroupName=group,
            startTime=int((time.time() - _SINCE_SECONDS) * 1000),
        ):
            for event in page["events"]:
                if event["message"].startswith('{"_aws"'):
                    yield json.loads(event["message"])

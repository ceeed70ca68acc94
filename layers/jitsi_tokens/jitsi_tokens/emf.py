"""CloudWatch's embedded metric format: a line of the log that holds metrics too."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMESPACE = "JitsiTokens"


def directive(dimensions: Sequence[str], units: Mapping[str, str]) -> dict[str, Any]:
    """Return the directive that makes metrics of fields, each with its unit.

    Every value of a dimension is a metric of its own, which is paid for.
    """
    return {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": name, "Unit": unit} for name, unit in units.items()],
    }


def write(now: float, directives: Sequence[dict[str, Any]], fields: Mapping[str, Any]) -> None:
    """Print one line; `now` in epoch seconds."""
    line = {"_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": directives}, **fields}
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")

"""How much is asked of a stack that signs N tokens a month, and what it keeps for that."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.measured import Containers, Load

MONTH_DAYS = 30
MONTH_SECONDS = MONTH_DAYS * 86_400
WORKING_HOURS = 8
PEAK_FACTOR = 5
# Lambda gives one container at most so many synchronous calls a second.
CALLS_PER_CONTAINER = 10
KEY_FRESH_SECONDS = 300
AUTHORIZER_CACHE_SECONDS = 60

# A line of a request has these with each outcome and role, and these once a stack; a check's line
# has its own.
METRICS_PER_OUTCOME = 2
OUTCOMES = 8
METRICS_PER_STACK = 6
# Count, latency twice, and both kinds of error: of each method.
METRICS_PER_METHOD = 5


class Workload(NamedTuple):
    """What is asked in a month.

    Attributes:
        tokens: how many are issued.
        clients: how many API keys share them.
        others: requests besides, a token: probes, public keys, refusals.
    """

    tokens: int
    clients: int
    others: float = 0.1

    @property
    def requests(self) -> float:
        """All requests of the month."""
        return self.tokens * (1 + self.others)

    @property
    def average(self) -> float:
        """Tokens a second, over the whole month."""
        return self.tokens / MONTH_SECONDS

    @property
    def working(self) -> float:
        """Tokens a second, where all are asked for in the working hours."""
        return self.average * 24 / WORKING_HOURS

    @property
    def peak(self) -> float:
        """Tokens a second in the busiest minutes."""
        return self.working * PEAK_FACTOR

    @property
    def authorized_anew(self) -> float:
        """The share of token requests that the authorizer is called for.

        One call of each client's, then all of the cache time are answered from the cache.
        """
        return 1 / (1 + self.average / self.clients * AUTHORIZER_CACHE_SECONDS)


class Figures(NamedTuple):
    """What was measured of one token: milliseconds billed, and bytes."""

    issue_ms: int
    authorize_ms: int
    line_bytes: int
    platform_bytes: int
    answer_bytes: int


class Deployed(NamedTuple):
    """What the template has of each, as far as it is paid for or a limit; limits a second."""

    issue_gb: float
    authorize_gb: float
    snapshots_gb: float
    secrets: int
    alarms: int
    dashboards: int
    metrics: int
    firewall_rules: int
    throttling_rate: float
    public_throttling_rate: float


def containers(rate: float, seconds: float) -> int:
    """Return how many containers answer so many calls a second that take so long.

    Calls come by chance, so three standard deviations more than the mean are kept.
    """
    mean = max(rate * seconds, rate / CALLS_PER_CONTAINER)
    return max(1, math.ceil(mean + 3 * math.sqrt(mean)))


def figures(load: Load, measured: Containers) -> Figures:
    """Return the figures of a token with RS256, the dearest; Lambda bills whole milliseconds."""
    billed = {handler.name: math.ceil(handler.duration) for handler in measured.handlers}
    return Figures(
        issue_ms=billed["IssueToken, RS256"],
        authorize_ms=billed["AuthorizeClient"],
        line_bytes=measured.line_bytes,
        platform_bytes=measured.platform_bytes,
        answer_bytes=load.answer_bytes,
    )


def deployed(template: Mapping[str, Any]) -> Deployed:
    """Return what a template deploys: self-hosted with RS256, which has all of it."""
    resources = template["Resources"]
    functions = _of(resources, "AWS::Serverless::Function")
    default = template["Globals"]["Function"]
    memory = {name: made.get("MemorySize", default["MemorySize"]) for name, made in functions}
    methods = sum(
        event["Type"] == "Api" for _, made in functions for event in made.get("Events", {}).values()
    )
    filters = _of(resources, "AWS::Logs::MetricFilter")
    firewall = [rule for _, made in _of(resources, "AWS::WAFv2::WebACL") for rule in made["Rules"]]
    return Deployed(
        issue_gb=memory["IssueToken"] / 1024,
        authorize_gb=memory["AuthorizeClient"] / 1024,
        snapshots_gb=sum(
            memory[name] / 1024
            for name, made in functions
            if made.get("SnapStart", default["SnapStart"])["ApplyOn"] != "None"
        ),
        # The key that signs, and that of the digests.
        secrets=2,
        alarms=len(_of(resources, "AWS::CloudWatch::Alarm")),
        dashboards=len(_of(resources, "AWS::CloudWatch::Dashboard")),
        metrics=METRICS_PER_OUTCOME * OUTCOMES
        + METRICS_PER_STACK
        + len(filters)
        + METRICS_PER_METHOD * methods,
        firewall_rules=len(firewall),
        throttling_rate=template["Parameters"]["ThrottlingRate"]["Default"],
        public_throttling_rate=template["Parameters"]["PublicThrottlingRate"]["Default"],
    )


def _of(resources: Mapping[str, Any], kind: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, resource["Properties"])
        for name, resource in resources.items()
        if resource["Type"] == kind
    ]

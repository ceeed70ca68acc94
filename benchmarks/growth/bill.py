"""What a month costs: each line of the bill from the prices, the figures and the workload."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.growth import prices
from benchmarks.growth.workload import (
    KEY_FRESH_SECONDS,
    MONTH_DAYS,
    MONTH_SECONDS,
    WORKING_HOURS,
    containers,
)

if TYPE_CHECKING:
    from benchmarks.growth.workload import Deployed, Figures, Workload

_GB = 1_000_000_000
# CloudWatch counts so many bytes besides its text for each line.
EVENT_BYTES = 26
LINES_PER_CALL = 4
ACCESS_LINE_BYTES = 170
# What is left of text when CloudWatch stores it, as AWS's own examples have it.
COMPRESSED = 0.15
RETENTION_MONTHS = 72
# A container is replaced so many times in a working day: Lambda's choice, and a guess.
RESTORES_PER_DAY = 4
TRACED_SHARE = 0.05


class Line(NamedTuple):
    """One line of the bill, in dollars a month."""

    name: str
    dollars: float


def bill(workload: Workload, figures: Figures, deployed: Deployed) -> list[Line]:
    """Return what the template as it stands costs in a month, log kept for six years."""
    anew = workload.tokens * workload.authorized_anew
    issuing = workload.tokens * figures.issue_ms / 1000 * deployed.issue_gb
    authorizing = anew * figures.authorize_ms / 1000 * deployed.authorize_gb
    calls = workload.requests + anew
    cached = deployed.snapshots_gb * MONTH_SECONDS
    answered = workload.tokens * figures.answer_bytes / _GB
    reads = secret_reads(workload, figures, deployed)
    logged = logged_gb(workload, figures)
    restored = restores(workload, figures) * deployed.issue_gb
    return [
        Line("API Gateway", prices.tiered(workload.requests, prices.API_TIERS)),
        Line("Lambda, requests", calls * prices.LAMBDA_REQUEST.dollars),
        Line("Lambda, IssueToken", issuing * prices.LAMBDA_GB_SECOND.dollars),
        Line("Lambda, AuthorizeClient", authorizing * prices.LAMBDA_GB_SECOND.dollars),
        Line("SnapStart, cache", cached * prices.SNAPSHOT_GB_SECOND.dollars),
        Line("SnapStart, restores", restored * prices.RESTORED_GB.dollars),
        Line("Secrets Manager, secrets", deployed.secrets * prices.SECRET.dollars),
        Line("Secrets Manager, calls", reads * prices.SECRET_CALL.dollars),
        Line("DynamoDB", anew * prices.DYNAMODB_READ.dollars),
        Line("KMS, the key", prices.KMS_KEY.dollars),
        Line("KMS, calls", kms_calls(reads) * prices.KMS_CALL.dollars),
        Line("Logs, taken in", logged * prices.LOG_GB_IN.dollars),
        Line("Logs, six years kept", stored_gb(workload, figures) * prices.LOG_GB_MONTH.dollars),
        Line("Metrics", deployed.metrics * prices.METRIC.dollars),
        Line("Alarms", deployed.alarms * prices.ALARM.dollars),
        Line("Dashboard", deployed.dashboards * prices.DASHBOARD.dollars),
        Line("X-Ray", traces(workload) * prices.TRACE.dollars),
        Line("Data to the internet", answered * prices.OUT_GB.dollars),
    ]


def firewall(workload: Workload, deployed: Deployed) -> float:
    """Return what `FirewallEnabled=true` adds, in dollars a month."""
    rules = deployed.firewall_rules * prices.WEB_ACL_RULE.dollars
    return prices.WEB_ACL.dollars + rules + workload.requests * prices.WEB_ACL_REQUEST.dollars


def secret_reads(workload: Workload, figures: Figures, deployed: Deployed) -> float:
    """Return the calls of a month: each container reads each secret once in five minutes.

    In the working hours, that is; and once when it starts.
    """
    working = containers(workload.working, figures.issue_ms / 1000)
    windows = MONTH_DAYS * WORKING_HOURS * 3600 / KEY_FRESH_SECONDS
    return deployed.secrets * (working * windows + restores(workload, figures))


def restores(workload: Workload, figures: Figures) -> float:
    """Return how many containers of IssueToken start in a month."""
    return containers(workload.peak, figures.issue_ms / 1000) * RESTORES_PER_DAY * MONTH_DAYS


def kms_calls(reads: float) -> float:
    """Return the calls that other services make for us.

    One for each secret that is read, and DynamoDB's own every five minutes.
    """
    return reads + MONTH_SECONDS / KEY_FRESH_SECONDS


def logged_gb(workload: Workload, figures: Figures) -> float:
    """Return what the logs take in, in GB a month: requests' lines, Lambda's, the access log."""
    call = figures.platform_bytes + (LINES_PER_CALL - 1) * EVENT_BYTES
    a_token = figures.line_bytes + EVENT_BYTES
    access = ACCESS_LINE_BYTES + EVENT_BYTES
    anew = workload.tokens * workload.authorized_anew
    everything = workload.tokens * a_token + (workload.requests + anew) * call
    return (everything + workload.requests * access) / _GB


def stored_gb(workload: Workload, figures: Figures) -> float:
    """Return what six years of IssueToken's log weigh, in GB: what the seventh year pays for."""
    call = figures.line_bytes + figures.platform_bytes + LINES_PER_CALL * EVENT_BYTES
    return workload.tokens * call / _GB * COMPRESSED * RETENTION_MONTHS


def traces(workload: Workload) -> float:
    """Return the requests that X-Ray samples in a month: the first of each second, then one in 20.

    No more than there are.
    """
    rate = workload.working * (1 + workload.others)
    sampled = min(rate, 1.0) + max(0.0, rate - 1) * TRACED_SHARE
    return sampled * MONTH_DAYS * WORKING_HOURS * 3600

"""The arithmetic of growth: by figures that can be worked out by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from benchmarks import measured
from benchmarks.growth import prices
from benchmarks.growth.bill import bill, firewall, logged_gb, secret_reads, stored_gb, traces
from benchmarks.growth.quotas import Quota, met_at, quotas, workload
from benchmarks.growth.workload import (
    METRICS_PER_OUTCOME,
    METRICS_PER_STACK,
    Deployed,
    Figures,
    Workload,
    containers,
    deployed,
    figures,
)
from jitsi_tokens.key_metrics import write_metrics
from jitsi_tokens.status import KeyStatus
from jitsi_tokens.telemetry import RequestLine
from local_stack.template import read_template

if TYPE_CHECKING:
    from collections.abc import Callable

FIGURES = Figures(
    issue_ms=5, authorize_ms=10, line_bytes=800, platform_bytes=200, answer_bytes=2000
)
STACK = Deployed(
    issue_gb=2,
    authorize_gb=0.5,
    snapshots_gb=4,
    secrets=2,
    alarms=10,
    dashboards=1,
    metrics=20,
    firewall_rules=3,
    throttling_rate=100,
    public_throttling_rate=25,
)
# One token a second over the month; its client asks once in a cache time.
ONE_A_SECOND = Workload(tokens=2_592_000, clients=60, others=0.0)


def lines(load: Workload) -> dict[str, float]:
    """Return a bill by the names of its lines."""
    return {line.name: line.dollars for line in bill(load, FIGURES, STACK)}


def test_a_month_in_working_hours_and_busiest_minutes() -> None:
    """Eight hours of a day have all of it, and their busiest minutes five times as much."""
    assert ONE_A_SECOND.average == 1
    assert ONE_A_SECOND.working == 3
    assert ONE_A_SECOND.peak == 15


def test_the_authorizer_is_asked_once_in_a_cache_time() -> None:
    """Of a client with one call a minute each second call finds the answer still there."""
    assert ONE_A_SECOND.authorized_anew == 0.5


@pytest.mark.parametrize(
    ("rate", "seconds", "expected"),
    [
        (0.001, 0.005, 1),  # never none
        (1000, 0.005, 130),  # 100 by ten calls a second each, and three times ten
        (100, 1.0, 130),  # 100 by the time that each takes, and the same
    ],
)
def test_containers_by_time_and_by_calls(rate: float, seconds: float, expected: int) -> None:
    """Whichever asks for more."""
    assert containers(rate, seconds) == expected


@pytest.mark.parametrize(
    ("requests", "dollars"),
    [(1_000_000, 3.50), (333_000_000, 1165.50), (1_333_000_000, 1165.50 + 1867.60 + 792.54)],
)
def test_the_price_of_requests_falls(requests: int, dollars: float) -> None:
    """Each part of them at its own price."""
    assert prices.tiered(requests, prices.API_TIERS) == pytest.approx(dollars)


@pytest.mark.parametrize(
    ("name", "dollars"),
    [
        ("API Gateway", 2.592 * 3.50),
        ("Lambda, requests", (2.592 + 1.296) * 0.20),
        ("Lambda, IssueToken", 2_592_000 * 0.005 * 2 * 0.0000166667),
        ("Lambda, AuthorizeClient", 1_296_000 * 0.010 * 0.5 * 0.0000166667),
        ("SnapStart, cache", 4 * 2_592_000 * 0.0000015046),
        ("Secrets Manager, secrets", 0.80),
        ("DynamoDB", 1.296 * 0.125),
        ("KMS, the key", 1.0),
        ("Metrics", 6.0),
        ("Alarms", 1.0),
        ("Dashboard", 3.0),
        ("Data to the internet", 2.592 * 2 * 0.09),
    ],
)
def test_a_line_of_the_bill(name: str, dollars: float) -> None:
    """By hand, from the prices as they are written."""
    assert lines(ONE_A_SECOND)[name] == pytest.approx(dollars)


def test_each_container_reads_each_secret_in_five_minutes() -> None:
    """And when it starts: at 3 tokens a second 2 containers work, at 15 a second 6."""
    read = secret_reads(ONE_A_SECOND, FIGURES, STACK)

    assert read == 2 * (2 * 30 * 8 * 12 + 6 * 4 * 30)
    assert lines(ONE_A_SECOND)["Secrets Manager, calls"] == pytest.approx(read / 10_000 * 0.05)
    assert lines(ONE_A_SECOND)["KMS, calls"] == pytest.approx((read + 8640) / 10_000 * 0.03)


def test_what_a_token_leaves_in_the_logs() -> None:
    """Its line, Lambda's three, the access log's, and Lambda's three of half an authorizer's."""
    bytes_each = (800 + 26) + 1.5 * (200 + 3 * 26) + (170 + 26)
    kept = (800 + 200 + 4 * 26) * 0.15 * 72

    assert logged_gb(ONE_A_SECOND, FIGURES) == pytest.approx(2.592e-3 * bytes_each)
    assert stored_gb(ONE_A_SECOND, FIGURES) == pytest.approx(2.592e-3 * kept)


@pytest.mark.parametrize(("average", "sampled"), [(0.25, 0.75), (7, 2.0)])
def test_x_ray_samples_one_a_second_and_one_in_twenty(average: float, sampled: float) -> None:
    """Of what is asked in the working hours."""
    load = Workload(tokens=int(average * 2_592_000), clients=1, others=0.0)

    assert traces(load) == pytest.approx(sampled * 30 * 8 * 3600)


def test_the_firewall_is_no_part_of_the_bill() -> None:
    """It is paid for by who turns it on."""
    assert firewall(ONE_A_SECOND, STACK) == pytest.approx(5 + 3 + 2.592 * 0.60)
    assert not any("WAF" in name for name in lines(ONE_A_SECOND))


@pytest.mark.parametrize(
    ("demand", "expected"),
    [(lambda load: load.peak, 17_280_000), (lambda _: 1.0, None)],
    ids=["by the peak", "by nothing"],
)
def test_when_a_quota_is_met(demand: Callable[[Workload], float], expected: int | None) -> None:
    """A hundred tokens a second in the busiest minutes; or never."""
    assert met_at(Quota("", 100, demand)) == (
        None if expected is None else pytest.approx(expected, rel=0.01)
    )


def test_the_stack_own_limit_is_met_first() -> None:
    """It is there to be raised on purpose."""
    found = {quota.name: met_at(quota) for quota in quotas(FIGURES, STACK)}

    first = min(found, key=lambda name: found[name] or float("inf"))
    assert first.startswith("`ThrottlingRate`")
    assert all(number is None or number > 10_000_000 for number in found.values())


def test_more_tokens_have_more_clients() -> None:
    """But never none."""
    assert workload(1).clients == 1
    assert workload(10**9).clients == 2000


def test_a_line_has_as_many_metrics_as_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """Those of an outcome and a role, and those of the stack."""
    RequestLine("service", None).write(0, 0, lambda: None)
    write_metrics("service", KeyStatus(configured=True, checked_at=0))

    directives = [
        directive
        for line in capsys.readouterr().out.splitlines()
        for directive in json.loads(line)["_aws"]["CloudWatchMetrics"]
    ]
    counted = {
        wide: sum(
            len(directive["Metrics"])
            for directive in directives
            if ("outcome" in directive["Dimensions"][0]) is wide
        )
        for wide in (True, False)
    }
    assert counted == {True: METRICS_PER_OUTCOME, False: METRICS_PER_STACK}


def test_the_template_has_what_is_counted() -> None:
    """In the sizes that the page tells of."""
    found = deployed(read_template())

    assert found.issue_gb == 1769 / 1024
    assert found.authorize_gb == 0.5
    assert found.snapshots_gb == (1769 + 4 * 512) / 1024
    assert found.alarms > 10
    assert found.dashboards == 1
    assert found.firewall_rules == 4
    assert found.throttling_rate > found.public_throttling_rate > 0


def test_lambda_bills_whole_milliseconds() -> None:
    """Of the measured time of a call."""
    load = measured.read(measured.Load, measured.LOAD)
    containers = measured.read(measured.Speed, measured.QUIET).containers

    found = figures(load, containers)

    times = {handler.name: handler.duration for handler in containers.handlers}
    assert 0 <= found.issue_ms - times["IssueToken, RS256"] < 1
    assert 0 <= found.authorize_ms - times["AuthorizeClient"] < 1
    assert found.answer_bytes > 500

"""Alarms, dashboard and saved queries: a wrong name in them is silent."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens import emf
from jitsi_tokens.key_metrics import write_metrics
from jitsi_tokens.status import KeyFacts, KeyStatus
from jitsi_tokens.telemetry import RequestLine
from local_stack.emulator import ROOT
from tests.template_reading import FUNCTIONS, of_type, properties, routes, statements

if TYPE_CHECKING:
    from collections.abc import Iterator

ALARMS = of_type("AWS::CloudWatch::Alarm")
# What AWS itself measures, as its documentation has it: dimensions, and which names they take.
OF_STAGE = {"ApiName", "Stage"}
OF_AWS = {
    ("AWS/ApiGateway", "5XXError"): [OF_STAGE, OF_STAGE | {"Resource", "Method"}],
    ("AWS/ApiGateway", "Latency"): [OF_STAGE | {"Resource", "Method"}],
    ("AWS/Lambda", "Throttles"): [{"FunctionName"}],
    ("AWS/Lambda", "Errors"): [{"FunctionName"}],
    ("AWS/Events", "TriggeredRules"): [{"RuleName"}],
}
# The words of the query language that the saved queries use.
OF_INSIGHTS = {
    *("filter", "ispresent", "and", "in", "stats", "count", "sum", "max", "pct", "bin"),
    *("by", "as", "sort", "desc", "display", "limit"),
}
RUNBOOK = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def directives(printed: str) -> Iterator[tuple[str, list[str]]]:
    """Return each metric that a line makes, with its dimensions; every one is in the line."""
    for line in map(json.loads, printed.splitlines()):
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert directive["Namespace"] == emf.NAMESPACE
            for metric in directive["Metrics"]:
                assert isinstance(line[metric["Name"]], int | float)
                for dimensions in directive["Dimensions"]:
                    yield metric["Name"], dimensions


@pytest.fixture
def of_ours(capsys: pytest.CaptureFixture[str]) -> dict[str, set[str]]:
    """Return the metrics that the code and the access log's filters really make."""
    facts = KeyFacts(kid="kid", algorithm="RS256", fingerprint=None, created_at=0)
    RequestLine("tokens", None).write(1.0, 0.1, lambda: None)
    write_metrics("tokens", KeyStatus(configured=True, checked_at=1, key=facts))
    made = {name: set(dimensions) for name, dimensions in directives(capsys.readouterr().out)}
    for name in of_type("AWS::Logs::MetricFilter"):
        [transformation] = properties(name)["MetricTransformations"]
        assert transformation["MetricNamespace"] == emf.NAMESPACE
        made[transformation["MetricName"]] = {each["Key"] for each in transformation["Dimensions"]}
    return made


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_on_a_metric_that_is_there(name: str, of_ours: dict[str, set[str]]) -> None:
    """In the code or in AWS's documentation, with exactly these dimensions."""
    alarm = properties(name)
    metric = (alarm["Namespace"], alarm["MetricName"])
    dimensions = {each["Name"] for each in alarm["Dimensions"]}

    if alarm["Namespace"] == emf.NAMESPACE:
        assert of_ours[alarm["MetricName"]] == dimensions
    else:
        assert dimensions in OF_AWS[metric]
    values = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    assert values.get("service", "AWS::StackName") == "AWS::StackName"  # as POWERTOOLS_SERVICE_NAME
    assert values.get("ApiName", "AWS::StackName") == properties("Api")["Name"]
    assert values.get("Stage", "v1") == properties("Api")["StageName"]
    assert "Resource" not in values or (values["Resource"], values["Method"]) in routes()
    assert values.get("FunctionName", "IssueToken") in FUNCTIONS
    assert values.get("RuleName", "ForeignPublicKeyWrites") in of_type("AWS::Events::Rule")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_reaches_somebody_and_has_its_section_in_the_runbook(name: str) -> None:
    """Its text names the section, which says what it means, what to look at and what to do."""
    alarm = properties(name)
    anchor = alarm["AlarmName"].removeprefix("${AWS::StackName}-")

    assert alarm["AlarmActions"] == alarm["OKActions"] == ["Notices"]
    # Without a check nobody knows whether a token can be signed; other silence is health.
    silence = "breaching" if alarm["MetricName"] == "Configured" else "notBreaching"
    assert alarm["TreatMissingData"] == silence
    assert alarm["AlarmDescription"].endswith(f"Runbook: docs/operating.md#{anchor}")
    [_, section] = RUNBOOK.split(f"\n### {anchor.replace('-', ' ').capitalize()}\n")
    for part in ("**Means:**", "**Look:**", "**Do:**"):
        assert part in section.partition("\n##")[0]
    sections = RUNBOOK.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    assert sections.count("\n### ") == len(ALARMS)


@pytest.mark.parametrize(
    "policy",
    [properties("NoticesPolicy")["PolicyDocument"], properties("EncryptionKey")["KeyPolicy"]],
)
def test_alarms_of_this_account_and_events_reach_the_topic(policy: dict[str, Any]) -> None:
    """With a condition EventBridge could publish nothing, to the topic or under its key."""
    conditions = {
        each["Principal"].get("Service"): each.get("Condition")
        for each in statements(policy)
        if isinstance(each["Principal"], dict)
    }

    assert conditions["cloudwatch.amazonaws.com"] == {
        "StringEquals": {"aws:SourceAccount": "AWS::AccountId"}
    }
    assert conditions["events.amazonaws.com"] is None


def test_a_write_of_a_public_key_by_anyone_but_the_rotation_is_noticed() -> None:
    """Also by a user's own key, which has no role."""
    pattern = properties("ForeignPublicKeyWrites")["EventPattern"]["detail"]

    prefix = "/jitsi-tokens/${AWS::StackName}/public-keys/"
    assert pattern["requestParameters"]["name"] == [{"prefix": prefix}]
    assert pattern["userIdentity"]["sessionContext"]["sessionIssuer"]["$or"] == [
        {"arn": [{"exists": False}]},
        {"arn": [{"anything-but": ["RotateSigningKeyRole.Arn"]}]},
    ]


def test_waiting_pages_that_are_throttled_are_counted() -> None:
    """By the route as the access log has it, and the type of the gateway's own response."""
    pattern = properties("ThrottledStatusInAccessLog")["FilterPattern"]

    assert re.findall(r'"([^"]+)"', pattern) == ["THROTTLED", "/join/status"]
    assert ("/join/status", "POST") in routes()
    access_log = "".join(properties("Api")["AccessLogSetting"]["Format"][1])
    assert '"route":"$context.resourcePath"' in access_log


def test_refused_credentials_are_counted_where_they_are_refused() -> None:
    """At the gateway: by the type of its own response, as the template gives these."""
    pattern = properties("RefusedCredentialsInAccessLog")["FilterPattern"]

    named = set(re.findall(r'"([A-Z_]+)"', pattern))
    assert named == {"UNAUTHORIZED", "ACCESS_DENIED"}
    assert named <= properties("Api")["GatewayResponses"].keys()
    assert "errorType" in "".join(properties("Api")["AccessLogSetting"]["Format"][1])


def expanded(metrics: list[list[Any]]) -> list[list[str]]:
    """Return a widget's metrics in full: "." repeats what is above, "..." all before."""
    rows: list[list[str]] = []
    for metric in metrics:
        names = [each for each in metric if isinstance(each, str)]
        above = rows[-1] if rows else []
        if names[0] == "...":
            names = above[: len(above) - len(names) + 1] + names[1:]
        rows.append([above[i] if name == "." else name for i, name in enumerate(names)])
    return rows


def test_the_dashboard_shows_metrics_that_are_there(of_ours: dict[str, set[str]]) -> None:
    """Of the code's own and of AWS's, with the dimensions that they have."""
    widgets = json.loads(properties("Dashboard")["DashboardBody"])["widgets"]

    shown = [row for widget in widgets for row in expanded(widget["properties"]["metrics"])]
    own = {row[1]: set(row[2::2]) for row in shown if row[0] == emf.NAMESPACE}
    assert {widget["properties"]["region"] for widget in widgets} == {"${AWS::Region}"}
    assert own == {name: of_ours[name] for name in own}
    assert {"Requests", "Configured", "MissingSigningKey", "RefusedCredentials"} <= own.keys()
    assert {row[0] for row in shown} == {emf.NAMESPACE, "AWS/ApiGateway", "AWS/Lambda"}
    assert all(len(row) % 2 == 0 for row in shown)


@pytest.mark.parametrize("name", of_type("AWS::Logs::QueryDefinition"))
def test_a_saved_query_asks_for_fields_that_are_there(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the request's line, in the access log, or in what Powertools' Logger writes."""
    RequestLine("tokens", None).write(1.0, 0.1, lambda: None)
    line = json.loads(capsys.readouterr().out)
    access = json.loads("".join(properties("Api")["AccessLogSetting"]["Format"][1]))
    written = {*("level", "message", "cause", "error", "place"), *line, *access}
    query = properties(name)

    text = re.sub(r'"[^"]*"', "", query["QueryString"])
    named = set(re.findall(r"(?<![@\w])[a-zA-Z]\w*", text))
    aliases = set(re.findall(r"\bas (\w+)", text))
    assert not named - OF_INSIGHTS - aliases - written

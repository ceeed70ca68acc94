"""What the stack tells whoever runs it: alarms, notices, dashboard and saved queries."""

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
from tests.template_reading import FUNCTIONS, RESOURCES, leaves, of_type, properties, routes

if TYPE_CHECKING:
    from collections.abc import Iterator

ALARMS = of_type("AWS::CloudWatch::Alarm")
# What AWS itself measures, as its documentation has it: dimensions, and which names they take.
OF_AWS = {
    ("AWS/ApiGateway", "5XXError"): {"ApiName", "Stage"},
    ("AWS/ApiGateway", "Latency"): {"ApiName", "Stage", "Resource", "Method"},
    ("AWS/Lambda", "Throttles"): {"FunctionName"},
    ("AWS/Lambda", "Errors"): {"FunctionName"},
    ("AWS/Events", "TriggeredRules"): {"RuleName"},
}
# The words of the query language that the saved queries use.
OF_INSIGHTS = {
    *("filter", "ispresent", "and", "in", "stats", "count", "sum", "max", "pct", "bin"),
    *("by", "as", "sort", "desc", "display", "limit"),
}
RUNBOOK = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def directives(printed: str) -> Iterator[tuple[str, list[str]]]:
    """Return each metric that a line makes, with its dimensions; every one stands in the line."""
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
        assert OF_AWS[metric] == dimensions
    values = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
    assert values.get("service", "AWS::StackName") == "AWS::StackName"  # as POWERTOOLS_SERVICE_NAME
    assert values.get("ApiName", "AWS::StackName") == properties("Api")["Name"]
    assert values.get("Stage", "v1") == properties("Api")["StageName"]
    assert "Resource" not in values or (values["Resource"], values["Method"]) in routes()
    assert values.get("FunctionName", "IssueToken") in FUNCTIONS
    assert values.get("RuleName", "ForeignPublicKeyWrites") in of_type("AWS::Events::Rule")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_reaches_somebody(name: str) -> None:
    """And so does its end; what is watched is named in its name, and silence is considered."""
    alarm = properties(name)

    assert alarm["AlarmActions"] == alarm["OKActions"] == ["Notices"]
    assert alarm["TreatMissingData"] in ("notBreaching", "breaching")
    assert RESOURCES[name].get("Condition") in (None, "PublishesKeys")


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_has_its_section_in_the_runbook(name: str) -> None:
    """Which its text names; a section says what it means, what to look at and what to do."""
    alarm = properties(name)
    anchor = alarm["AlarmName"].removeprefix("${AWS::StackName}-")

    assert alarm["AlarmDescription"].endswith(f"Runbook: docs/operating.md#{anchor}")
    section = RUNBOOK.split(f"\n### {anchor.replace('-', ' ').capitalize()}\n")
    assert len(section) == 2, "the runbook has no section of this name, or two"
    text = section[1].partition("\n##")[0]
    for part in ("**Means:**", "**Look:**", "**Do:**"):
        assert part in text


def test_the_runbook_has_no_section_without_an_alarm() -> None:
    """One that is gone is gone there too."""
    alarms = RUNBOOK.partition("\n## Alarms\n")[2].partition("\n## ")[0]
    sections = set(re.findall(r"^### (.+)$", alarms, re.MULTILINE))

    names = [properties(name)["AlarmName"].removeprefix("${AWS::StackName}-") for name in ALARMS]
    assert sections == {name.replace("-", " ").capitalize() for name in names}


def test_silence_is_no_health() -> None:
    """Where the check stops, nobody knows whether a token can be signed."""
    breaching = [name for name in ALARMS if properties(name)["TreatMissingData"] == "breaching"]

    assert breaching == ["NotConfiguredAlarm"]
    assert properties("NotConfiguredAlarm")["MetricName"] == "Configured"


def test_a_release_is_taken_back_for_its_own_faults_alone() -> None:
    """A wrong API key is an error of the authorizer's, and no reason."""
    shifted = [
        name
        for name in of_type("AWS::Serverless::Function")
        if "DeploymentPreference" in properties(name)
    ]

    assert shifted == ["AuthorizeClient", "IssueToken", "ProbeConfig", "ServePublicKey"]
    for name in shifted:
        assert properties(name)["DeploymentPreference"] == {
            "Enabled": "CanaryEnabled",
            "Type": "Canary10Percent5Minutes",
            "Role": "CanaryRole.Arn",
            "Alarms": ["ServerErrorsAlarm", "MissingSigningKeyAlarm"],
        }
    assert not [
        name
        for name in ("ServerErrorsAlarm", "MissingSigningKeyAlarm")
        if "AuthorizeClient" in leaves(properties(name))
    ]


def test_notices_are_from_this_account_and_encrypted() -> None:
    """Alarms and events may publish, nobody else; EventBridge takes no condition."""
    alarms, events, deny = properties("NoticesPolicy")["PolicyDocument"]["Statement"]

    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": "AWS::AccountId"}}
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert "Condition" not in events
    assert deny["Effect"] == "Deny"
    assert properties("Notices")["KmsMasterKeyId"] == "EncryptionKey.Arn"
    assert RESOURCES["NoticesByEmail"]["Condition"] == "HasAlarmEmail"


def test_a_write_of_a_public_key_is_noticed_whoever_wrote() -> None:
    """But the rotation: also where somebody has no role, as a user's own key has none."""
    pattern = properties("ForeignPublicKeyWrites")["EventPattern"]["detail"]

    prefix = "/jitsi-tokens/${AWS::StackName}/public-keys/"
    assert pattern["requestParameters"]["name"] == [{"prefix": prefix}]
    issuer = pattern["userIdentity"]["sessionContext"]["sessionIssuer"]
    assert issuer["$or"] == [
        {"arn": [{"exists": False}]},
        {"arn": [{"anything-but": ["RotateSigningKeyRole.Arn"]}]},
    ]


def test_refused_credentials_are_counted_where_they_are_refused() -> None:
    """At the gateway: by the type of its own response, as the template gives these."""
    pattern = properties("RefusedCredentialsInAccessLog")["FilterPattern"]

    named = set(re.findall(r'"([A-Z_]+)"', pattern))
    assert named == {"UNAUTHORIZED", "ACCESS_DENIED"}
    assert named <= properties("Api")["GatewayResponses"].keys()
    assert "errorType" in "".join(properties("Api")["AccessLogSetting"]["Format"][1])


def expanded(metrics: list[list[Any]]) -> list[list[str]]:
    """Return a widget's metrics in full: "." repeats what stands above, "..." all before."""
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

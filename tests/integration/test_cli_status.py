"""`jitsi-tokens status`: what a stack is, and which policy shows the rest."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest

from jitsi_tokens.core.clients import Client, make_api_key
from jitsi_tokens.core.findings import finding
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.status import KeyFacts, KeyStatus, write_status
from jitsi_tokens_cli.client.store import ClientStore
from jitsi_tokens_cli.stack import Target, find_stack
from tests.integration.cli_world import APP_ID, STACK, json_error, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.cli_world import World

POLICIES = {
    name: f"arn:aws:iam::123456789012:policy/{name}"
    for name in ("KeyOperatorPolicy", "ClientOperatorPolicy", "AuditorPolicy", "OnCallPolicy")
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a JaaS stack with a key of twelve days, two clients and two alarms."""
    now = int(time.time())
    with running_world(monkeypatch) as world:
        world.outputs.update(POLICIES)
        key = KeyFacts(f"{APP_ID}/key1", "RS256", "ab", now - 12 * 86_400)
        parameter = world.outputs["KeyStatusParameter"]
        write_status(world.ssm, parameter, KeyStatus(configured=True, checked_at=now, key=key))
        store = ClientStore(find_stack(Target(STACK, None, None)))
        for name in ("clinic", "clinic", "kiosk"):
            client = Client(name=name, policy=Policy(rooms=["*"]))
            store.add(client, make_api_key(), datetime.now(UTC))
        # The last one is that of a stack meetings-staging.
        for name, runbook in (
            ("slow-tokens", "slow-tokens"),
            ("not-configured", "not-configured"),
            ("staging-slow-tokens", "slow-tokens"),
        ):
            boto3.client("cloudwatch").put_metric_alarm(
                AlarmName=f"{STACK}-{name}",
                AlarmDescription=f"Runbook: docs/operating.md#{runbook}",
                MetricName="m",
                Namespace="n",
                Statistic="Sum",
                Period=60,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanThreshold",
            )
        yield world


def test_a_caller_who_may_see_everything(world: World) -> None:
    """For a person, a line a fact; for a script, every part."""
    boto3.client("cloudwatch").set_alarm_state(
        AlarmName=f"{STACK}-not-configured", StateValue="ALARM", StateReason="a trial"
    )

    piped = world.run("status")
    document = json.loads(world.run("status", "--json").stdout)

    assert piped.exit_code == 0, piped.output
    assert dict(line.split("\t") for line in piped.stdout.splitlines()) == {
        "Stack": f"{STACK} in eu-central-1 (CREATE_COMPLETE)",
        "Address": f"{world.url}/v1",
        "Provider": "jaas, 8x8.vc, RS256",
        "Signing key": f"{APP_ID}/key1, 12 days old",
        "Clients": "2, with 3 API keys",
        "Alarms": "2, ringing: not-configured (docs/operating.md)",
        **POLICIES,
    }
    assert document["url"] == f"{world.url}/v1"
    assert (document["provider"], document["algorithm"]) == ("jaas", "RS256")
    key = document["key"]
    assert (key["kid"], key["ageDays"], key["problems"]) == (f"{APP_ID}/key1", 12, [])
    assert document["clients"] == {"count": 2, "apiKeys": 3}
    states = {alarm["name"]: alarm["state"] for alarm in document["alarms"]}
    assert set(states) == {"not-configured", "slow-tokens"}
    assert states["not-configured"] == "ALARM"
    assert (document["policies"], document["permissionMissing"]) == (POLICIES, {})


def test_what_is_denied_names_the_policy_that_it_takes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And is no failure."""
    world.with_ssm(json_error("AccessDeniedException"))
    world.secrets_manager = lambda _: json_error("AccessDeniedException")
    for service in ("DYNAMODB", "CLOUDWATCH"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", world.url)

    piped = world.run("status")
    document = json.loads(world.run("status", "--json").stdout)

    assert piped.exit_code == 0, piped.output
    assert "Signing key\tneeds KeyOperatorPolicy or AuditorPolicy\n" in piped.stdout
    assert "Clients\tneeds ClientOperatorPolicy\n" in piped.stdout
    assert "Alarms\tneeds OnCallPolicy\n" in piped.stdout
    assert [document[part] for part in ("key", "clients", "alarms")] == [None] * 3
    assert set(document["permissionMissing"]) == {"key", "clients", "alarms"}


def test_a_stack_without_a_key_says_why(world: World) -> None:
    """What CheckKey found, and that it has stopped."""
    problems = [finding("no-key", "The secret is empty.", trust="console")]
    status = KeyStatus(configured=False, checked_at=1, problems=problems)
    write_status(world.ssm, world.outputs["KeyStatusParameter"], status)

    result = world.run("status")

    assert result.exit_code == 0
    assert "Signing key\tThe secret is empty. (no-key); The signing key was not checked for" in (
        result.stdout
    )


def test_an_aws_that_does_not_answer_is_exit_code_3(world: World) -> None:
    """The rest is printed."""
    world.with_ssm(json_error("InternalServerError"))

    result = world.run("status")

    assert result.exit_code == 3
    assert "Signing key\tAWS refused GetParameter (InternalServerError).\n" in result.stdout
    assert "Clients\t2, with 3 API keys\n" in result.stdout

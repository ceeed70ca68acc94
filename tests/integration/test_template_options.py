"""The template with every option on, as SAM writes it out for AWS: `make lint` sees defaults."""

from __future__ import annotations

import functools
import json
import subprocess
from typing import TYPE_CHECKING, Any

from local_stack.emulator import LOCAL, ROOT
from tests.options import OFF, ON

if TYPE_CHECKING:
    from pathlib import Path

# SAM's own translator, which runs in AWS, lies in the environment of the SAM CLI.
TRANSLATE = """
import json, logging, os, sys, time
from samcli.yamlhelper import yaml_parse
from samtranslator.translator.transform import transform

class NoManagedPolicies:
    def load(self):
        return {}

os.environ["AWS_DEFAULT_REGION"] = "eu-central-1"
logging.disable(logging.CRITICAL)
time.time = lambda: float(sys.argv[2])
template = yaml_parse(open("template.yaml", encoding="utf-8").read())
for resource in template["Resources"].values():
    for name in ("CodeUri", "ContentUri"):
        if name in resource["Properties"]:
            resource["Properties"][name] = "s3://bucket/key"
print(json.dumps(transform(template, json.loads(sys.argv[1]), NoManagedPolicies())))
"""
COMMON = {"Provider": "self-hosted", "SigningAlgorithm": "RS256", "JitsiDomain": "meet.example.org"}


@functools.cache
def translated(*, on: bool, now: int = 0) -> dict[str, Any]:
    """Return what CloudFormation is given; `now` in epoch seconds."""
    finished = subprocess.run(  # noqa: S603 - our own words
        [
            *(LOCAL / "sam/bin/python", "-c", TRANSLATE),
            *(json.dumps(COMMON | (ON if on else OFF)), str(now)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    template: dict[str, Any] = json.loads(finished.stdout)
    return template


def resources(kind: str) -> dict[str, Any]:
    """Return the resources of a type, with every option on."""
    found = translated(on=True)["Resources"].items()
    return {name: resource for name, resource in found if resource["Type"] == kind}


def test_what_sam_makes_of_it_is_valid(tmp_path: Path) -> None:
    """CloudFormation's own types and properties, and every reference of them."""
    written = tmp_path / "template.json"
    written.write_text(json.dumps(translated(on=True)))

    finished = subprocess.run(  # noqa: S603 - our own words
        # SAM says by DependsOn what a reference says too (W3005), and resolves a parameter (W2001).
        # Whether AWS still has the runtime today (E2531, E2533, W2531) is for `make lint`.
        [
            LOCAL / "venv/bin/cfn-lint",
            *("--ignore-checks", "W3005", "W2001", "E2531", "E2533", "W2531", "--", written),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (finished.stdout, finished.returncode) == ("", 0)


def test_a_canary_is_made_only_where_it_is_asked_for() -> None:
    """One deployment group for each function that answers callers, with these two alarms."""
    groups = resources("AWS::CodeDeploy::DeploymentGroup")

    assert len(groups) == 6
    for group in groups.values():
        alarms = group["Properties"]["AlarmConfiguration"]["Alarms"]
        assert [alarm["Name"]["Ref"] for alarm in alarms] == [
            "ServerErrorsAlarm",
            "MissingSigningKeyAlarm",
        ]
        assert (
            "DEPLOYMENT_STOP_ON_ALARM" in group["Properties"]["AutoRollbackConfiguration"]["Events"]
        )
    assert "AWS::CodeDeploy" not in json.dumps(translated(on=False))


def test_a_published_version_has_a_snapshot_for_as_long_as_it_is_used() -> None:
    """The rotation's function never has one. A replaced version is deleted: each is paid for."""
    versions = resources("AWS::Lambda::Version").values()
    asked = {
        name: function["Properties"]["SnapStart"]["ApplyOn"]
        for name, function in resources("AWS::Lambda::Function").items()
    }

    assert [version["DeletionPolicy"] for version in versions] == ["Delete"] * 7
    assert asked.pop("RotateSigningKey") == "None"
    assert list(asked.values()) == [{"Ref": "SnapStart"}] * 7


def test_a_schedule_calls_each_alias() -> None:
    """Each day at least: Lambda drops the snapshot of a version that nobody calls for 14 days."""
    rules = [rule["Properties"] for rule in resources("AWS::Events::Rule").values()]
    schedules = [rule for rule in rules if "ScheduleExpression" in rule]
    called = {
        target["Arn"]["Ref"]: (rule["ScheduleExpression"], json.loads(target.get("Input", "null")))
        for rule in schedules
        for target in rule["Targets"]
    }

    daily = ("rate(1 day)", json.loads((ROOT / "events" / "keep_alive.json").read_text()))
    aliases = set(resources("AWS::Lambda::Alias"))
    assert called == dict.fromkeys(aliases, daily) | {
        "CheckKeyAliaslive": ("rate(5 minutes)", None)
    }


def test_the_networks_reach_the_policy_as_a_list() -> None:
    """SAM resolves the parameter itself, and CloudFormation splits what it was."""
    [api] = resources("AWS::ApiGateway::RestApi").values()
    policy = api["Properties"]["Body"]["x-amazon-apigateway-policy"]

    [_, denial] = policy["Statement"]
    _, deny, _ = denial["Fn::If"]
    # Prosody and the rotation fetch public keys from elsewhere.
    assert (deny["Effect"], deny["Resource"]) == ("Deny", "execute-api:/v1/*/api/*")
    assert deny["Condition"]["NotIpAddress"]["aws:SourceIp"] == {
        "Fn::Split": [",", ON["AllowedNetworks"]]
    }


def test_each_deployment_of_the_template_is_one_of_the_api() -> None:
    """What a parameter changes in the API is nothing in the eyes of SAM's hash."""
    once, again = (
        {
            name
            for name, resource in translated(on=True, now=now)["Resources"].items()
            if resource["Type"] == "AWS::ApiGateway::Deployment"
        }
        for now in (0, 1)
    )

    assert once
    assert once.isdisjoint(again)

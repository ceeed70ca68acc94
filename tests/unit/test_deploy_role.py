"""What the pipeline's roles may do, beyond what tests/stack/test_pipeline.py tries."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest

from local_stack.emulator import ROOT
from local_stack.template import read_template
from tests.template_reading import RESOURCES as DEPLOYED
from tests.template_reading import ROLES, as_list, permissions

TEMPLATE = read_template("deploy-role.yaml")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
RUNNERS = ["PlanRole", "DeployRole"]


def statements(name: str) -> list[dict[str, Any]]:
    """Return the statements of a role or a managed policy."""
    return permissions(name, RESOURCES)


def actions(found: list[dict[str, Any]], effect: str = "Allow") -> set[str]:
    """Return the actions that statements allow or deny."""
    return {
        action for each in found if each["Effect"] == effect for action in as_list(each["Action"])
    }


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        (
            "Repository",
            ["clinic/jitsi-tokens", "clinic@1/jitsi-tokens@2", "Clinic-1/a.b_c"],
            ["*/jitsi-tokens", "clinic/*", "clinic", "clinic/a:b", "clinic/a/b", "clinic/?", ""],
        ),
        ("Environment", ["staging", "prod"], ["*", "prod*", "staging-plan", "Prod", ""]),
        ("StackName", ["jitsi-tokens-staging"], ["*", "jitsi-tokens-*", "a", "prod-", ""]),
    ],
)
def test_a_parameter_brings_no_wildcard_in(parameter: str, good: list[str], bad: list[str]) -> None:
    """Nor an environment whose name is another's that plans."""
    pattern = TEMPLATE["Parameters"][parameter]["AllowedPattern"]

    assert all(re.search(pattern, value) for value in good)
    assert not any(re.search(pattern, value) for value in bad)


@pytest.mark.parametrize("role", RUNNERS)
def test_the_runner_reads_no_secret_and_changes_no_stack_by_hand(role: str) -> None:
    """Whatever policy is attached to it one day."""
    everywhere = [
        each for each in statements(role) if each["Resource"] == "*" and "Condition" not in each
    ]

    assert actions(everywhere, "Deny") >= {
        "secretsmanager:GetSecretValue",
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    }
    for action in actions(statements(role)):
        assert "*" not in action
        assert not re.fullmatch("cloudformation:((Create|Update|Delete)Stack|SetStack.*)", action)
    [trust] = RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    audience = trust["Condition"]["StringEquals"]["token.actions.githubusercontent.com:aud"]
    assert audience == "sts.amazonaws.com"


def test_a_change_is_made_with_the_rights_of_cloudformations_role() -> None:
    """Not with the planner's own; the emulator does not tell which role CloudFormation takes."""
    makes, passes = (
        next(each for each in statements("PlanRole") if action in as_list(each["Action"]))
        for action in ("cloudformation:CreateChangeSet", "iam:PassRole")
    )

    assert makes["Condition"] == {"StringEquals": {"cloudformation:RoleArn": "ExecutionRole.Arn"}}
    assert passes["Resource"] == "ExecutionRole.Arn"
    assert passes["Condition"] == {
        "StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}
    }


def test_the_smoke_test_has_less_than_client_operators_have() -> None:
    """It lists nobody."""
    of_table = {each for each in actions(statements("DeployRole")) if each.startswith("dynamodb:")}

    assert "dynamodb:Scan" not in of_table
    assert of_table < actions(permissions("ClientOperatorPolicy"))


def test_cloudformation_deletes_nothing_that_cannot_be_made_again() -> None:
    """Whatever a template says; nor does a template change the pipeline's own roles."""
    execution = statements("ExecutionRole")

    for action in (
        *("secretsmanager:DeleteSecret", "dynamodb:DeleteTable"),
        *("kms:ScheduleKeyDeletion", "kms:DisableKey", "secretsmanager:PutSecretValue"),
        "iam:DeleteRolePermissionsBoundary",
    ):
        allowed = actions(execution)
        assert not [each for each in allowed if fnmatch.fnmatchcase(action, each)], action
    [own] = [each for each in execution if each.get("Sid") == "NotThisStack"]
    assert (own["Effect"], own["Action"]) == ("Deny", "iam:*")
    assert all("${AWS::StackName}-*" in resource for resource in own["Resource"])


def test_a_role_that_is_made_bears_the_stacks_name() -> None:
    """Else every role of the account could be changed."""
    for statement in statements("ExecutionRole"):
        named = [action for action in as_list(statement["Action"]) if action.startswith("iam:")]
        if named and statement["Effect"] == "Allow":
            resource = statement["Resource"]
            assert "${StackName}-*" in resource or "ops.apigateway" in resource


def test_the_boundary_holds_what_the_stacks_roles_do() -> None:
    """It cuts nothing off, makes no role, and reads the logs of this stack alone."""
    boundary = statements("Boundary")
    bound = actions(boundary)
    reading = {"logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery"}

    assert set[str]().union(*(actions(permissions(role)) for role in ROLES)) <= bound
    assert not any(action.startswith(("iam:", "sts:")) or "*" in action for action in bound)
    for statement in boundary:
        if reading & set(as_list(statement["Action"])):
            for resource in as_list(statement["Resource"]):
                assert "log-group:/aws/apigateway/${StackName}-*" in resource


def test_a_role_without_the_boundary_is_refused_where_it_is_required() -> None:
    """It is neither made nor given a policy."""
    required = [
        "RequiresBoundary",
        {"StringEquals": {"iam:PermissionsBoundary": "Boundary"}},
        "AWS::NoValue",
    ]
    held = [each for each in statements("ExecutionRole") if each.get("Condition") == required]

    assert actions(held) >= {
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:PutRolePermissionsBoundary",
    }


def test_no_update_replaces_or_removes_what_is_kept() -> None:
    """Each resource that outlives the stack is in docs/stack-policy.json."""
    allowed, denied = json.loads((ROOT / "docs" / "stack-policy.json").read_text())["Statement"]
    protected = {each.removeprefix("LogicalResourceId/") for each in denied["Resource"]}
    kept = {
        name
        for name, resource in DEPLOYED.items()
        if resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
        # The account's own setting holds nothing that could be lost.
        and not name.startswith("ApiGateway")
    }

    assert kept
    assert kept <= protected <= DEPLOYED.keys()
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert set(denied["Action"]) == {"Update:Replace", "Update:Delete"}
    assert (allowed["Effect"], allowed["Action"], allowed["Resource"]) == ("Allow", "Update:*", "*")

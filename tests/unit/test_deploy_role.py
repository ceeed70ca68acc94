"""What the pipeline's roles may do: read from deploy-role.yaml, and held against template.yaml."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import Any

import pytest

from local_stack.emulator import ROOT
from local_stack.template import read_template

TEMPLATE = read_template("deploy-role.yaml")
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
SUBJECT = "repo:${Repository}:environment:${Environment}"
RUNNERS = {"PlanRole": f"{SUBJECT}-plan", "DeployRole": SUBJECT}
DEPLOYED: dict[str, Any] = read_template()["Resources"]


def as_list(value: Any) -> list[Any]:
    """Return what IAM takes as one or as a list of several, always as a list."""
    return value if isinstance(value, list) else [value]


def statements(role: str) -> list[dict[str, Any]]:
    """Return a role's statements, those under a condition among them."""
    found = []
    for policy in RESOURCES[role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            found += statement[1:2] if isinstance(statement, list) else [statement]
    return found


def actions(role: str, effect: str = "Allow") -> set[str]:
    """Return the actions that a role is allowed or denied."""
    return {
        action
        for statement in statements(role)
        if statement["Effect"] == effect
        for action in as_list(statement["Action"])
    }


def named_actions(value: Any) -> set[str]:
    """Return the actions of every statement in a resource, whatever condition it is under."""
    match value:
        case {"Action": named}:
            return set(as_list(named))
        case dict():
            return set[str]().union(*map(named_actions, value.values()))
        case list():
            return set[str]().union(*map(named_actions, value))
    return set()


def covered(action: str, by: set[str]) -> bool:
    """Tell whether an action is one of those, or of a pattern among them."""
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in by)


@pytest.mark.parametrize(("role", "subject"), RUNNERS.items())
def test_only_one_environment_of_one_repository_takes_a_role(role: str, subject: str) -> None:
    """Compared whole: a wildcard would let every branch, or every repository, in."""
    [trust] = RESOURCES[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Principal"] == {
        "Federated": "arn:${AWS::Partition}:iam::${AWS::AccountId}:"
        "oidc-provider/token.actions.githubusercontent.com"
    }
    assert trust["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": subject,
        }
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
def test_the_runner_reads_and_writes_no_secret(role: str) -> None:
    """Whatever policy is attached to it one day."""
    denied = {
        action
        for statement in statements(role)
        if statement["Effect"] == "Deny" and statement["Resource"] == "*"
        for action in as_list(statement["Action"])
        if "Condition" not in statement
    }

    assert denied >= {
        "secretsmanager:GetSecretValue",
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    }
    assert not any("*" in action for action in actions(role))


def test_who_plans_does_not_execute() -> None:
    """And who executes makes no change set, passes no role and uploads nothing."""
    plan, deploy = actions("PlanRole"), actions("DeployRole")

    assert "cloudformation:ExecuteChangeSet" in deploy - plan
    assert plan - deploy >= {"cloudformation:CreateChangeSet", "iam:PassRole", "s3:PutObject"}
    assert not {"cloudformation:UpdateStack", "cloudformation:CreateStack"} & (plan | deploy)
    assert not {"cloudformation:SetStackPolicy", "cloudformation:DeleteStack"} & (plan | deploy)


def test_a_change_is_made_with_the_rights_of_cloudformations_role() -> None:
    """Not with the planner's own, and for CloudFormation alone."""
    makes, passes = (
        next(each for each in statements("PlanRole") if action in as_list(each["Action"]))
        for action in ("cloudformation:CreateChangeSet", "iam:PassRole")
    )

    assert makes["Condition"] == {"StringEquals": {"cloudformation:RoleArn": "ExecutionRole.Arn"}}
    assert passes["Resource"] == "ExecutionRole.Arn"
    assert passes["Condition"] == {
        "StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}
    }


def test_the_smoke_test_has_what_client_operators_have() -> None:
    """No more than they; it changes no policy and lists nobody."""
    policy = DEPLOYED["ClientOperatorPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    operators = {action for statement in policy for action in as_list(statement["Action"])}
    of_table = {action for action in actions("DeployRole") if action.startswith("dynamodb:")}

    assert of_table == {"dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"}
    assert of_table < operators


def test_cloudformation_deletes_nothing_that_cannot_be_made_again() -> None:
    """Whatever a template says, and no role of the pipeline is changed by it."""
    may = actions("ExecutionRole")
    [own] = [each for each in statements("ExecutionRole") if each.get("Sid") == "NotThisStack"]

    for action in (
        *("secretsmanager:DeleteSecret", "dynamodb:DeleteTable"),
        *("kms:ScheduleKeyDeletion", "kms:DisableKey", "secretsmanager:PutSecretValue"),
    ):
        assert not covered(action, may)
    assert (own["Effect"], own["Action"]) == ("Deny", "iam:*")
    assert all("${AWS::StackName}-*" in resource for resource in own["Resource"])


def test_what_is_made_bears_the_stacks_name() -> None:
    """A role above all: else every role of the account could be changed."""
    for statement in statements("ExecutionRole"):
        named = [action for action in as_list(statement["Action"]) if action.startswith("iam:")]
        if named and statement["Effect"] == "Allow":
            resource = statement["Resource"]
            assert "${StackName}-*" in resource or "ops.apigateway" in resource


def test_the_boundary_holds_what_the_stacks_roles_do() -> None:
    """Nothing that a role of template.yaml asks for is cut off by it, and it makes no role."""
    bound = named_actions(RESOURCES["Boundary"])
    roles = [each for each in DEPLOYED.values() if each["Type"] == "AWS::IAM::Role"]
    asked = set[str]().union(*map(named_actions, roles)) - {"sts:AssumeRole"}

    assert asked
    assert asked <= bound
    assert not any(action.startswith(("iam:", "sts:")) or "*" in action for action in bound)


def test_the_boundary_lets_nothing_read_another_stacks_logs() -> None:
    """A deployment gives roles their policies, and says who takes them."""
    reading = [
        resource
        for statement in RESOURCES["Boundary"]["Properties"]["PolicyDocument"]["Statement"]
        for resource in as_list(statement["Resource"])
        if {"logs:GetLogEvents", "logs:FilterLogEvents", "logs:StartQuery"}
        & set(as_list(statement["Action"]))
    ]

    assert reading
    assert all("log-group:/aws/apigateway/${StackName}-*" in resource for resource in reading)


def test_a_role_without_the_boundary_is_refused_where_it_is_required() -> None:
    """Neither made, nor given a policy."""
    required = {
        action
        for statement in statements("ExecutionRole")
        for action in as_list(statement["Action"])
        if statement.get("Condition")
        == [
            "RequiresBoundary",
            {"StringEquals": {"iam:PermissionsBoundary": "Boundary"}},
            "AWS::NoValue",
        ]
    }

    assert required >= {"iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"}
    assert not covered("iam:DeleteRolePermissionsBoundary", actions("ExecutionRole"))


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

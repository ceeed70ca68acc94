"""What the pages say of the template: days, policies, defaults, and who may read what."""

from __future__ import annotations

import re

import pytest

from local_stack.emulator import ROOT
from local_stack.template import read_template
from tests.template_reading import (
    FUNCTIONS,
    PARAMETERS,
    POLICIES,
    SIGNING_KEYS,
    as_list,
    permissions,
    properties,
    references,
)

NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
AUDIT_DAYS = PARAMETERS["AuditRetentionDays"]["Default"]
LOG_DAYS = PARAMETERS["LogRetentionDays"]["Default"]
ROTATION_SECONDS = properties("RotateSigningKey")["Timeout"]
KEYLESS = [name for name in FUNCTIONS if not SIGNING_KEYS & references(permissions(f"{name}Role"))]


def text(page: str) -> str:
    """Return a page as one line."""
    return " ".join((ROOT / page).read_text().split())


@pytest.mark.parametrize(
    ("page", "sentence"),
    [
        ("docs/hipaa.md", f"`AuditRetentionDays`, by default {AUDIT_DAYS} days"),
        ("docs/hipaa.md", f"`LogRetentionDays`, by default {LOG_DAYS} days"),
        ("docs/hipaa.md", f"{NUMBERS[len(POLICIES)]} policies for operators"),
        ("docs/audit.md", f"`AuditRetentionDays`, by default {AUDIT_DAYS}: six years"),
        ("SECURITY.md", f"`AuditRetentionDays` (default {AUDIT_DAYS}, six years)"),
        ("SECURITY.md", f"`LogRetentionDays` (default {LOG_DAYS})"),
        ("SECURITY.md", f"{NUMBERS[len(POLICIES)]} managed policies"),
        ("SECURITY.md", f"{NUMBERS[len(KEYLESS)]} of the {NUMBERS[len(FUNCTIONS)]} may never read"),
        ("docs/keys.md", f"the function's {ROTATION_SECONDS // 60} minutes"),
    ],
)
def test_a_page_says_what_the_template_says(page: str, sentence: str) -> None:
    """In figures and in words."""
    assert sentence in text(page)


def test_the_pages_name_who_may_read_the_audit_record() -> None:
    """And which policies there are: people attach them by these names."""
    reading = {"logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"}
    readers = {
        policy
        for policy in POLICIES
        for statement in permissions(policy)
        if reading & set(as_list(statement["Action"]))
        and "IssueTokenLog" in references(statement["Resource"])
    }
    section = text("docs/audit.md").partition("## Who may read it")[2].partition("##")[0]

    assert set(re.findall(r"`(\w+Policy)`", section)) == readers
    for page in ("SECURITY.md", "docs/commands.md", "docs/operating.md"):
        assert set(POLICIES) <= set(re.findall(r"`(\w+Policy)`", text(page)))


def test_deploying_gives_the_defaults_of_the_template() -> None:
    """Where a default is a value and no sentence."""
    page = (ROOT / "docs" / "deploying.md").read_text()
    rows = re.findall(r"^\| (`[A-Z]\w+`.*?) \| (.*?) \|", page, re.MULTILINE)
    given = {
        name: default.strip("`")
        for names, defaults in rows
        for name, default in zip(
            (name.strip("`") for name in names.split(", ")), defaults.split(", ") * 2, strict=False
        )
        if re.fullmatch(r"`.*`|\d+", default) and name in PARAMETERS
    }

    assert len(given) > 10
    assert given == {name: str(PARAMETERS[name]["Default"]) for name in given}


def test_a_managed_policy_keeps_its_description() -> None:
    """IAM cannot change one, so another replaces the policy, and people keep the earlier one."""
    assert {name: properties(name)["Description"] for name in POLICIES} == {
        "KeyOperatorPolicy": "jitsi-tokens key, doctor and jitsi-config on ${AWS::StackName}.",
        "ClientOperatorPolicy": "jitsi-tokens client on ${AWS::StackName}.",
        "OnCallPolicy": (
            "The alarms, metrics, logs and traces of ${AWS::StackName}, and its key check."
        ),
        "AuditorPolicy": "The logs of ${AWS::StackName}, and the key of the digests in them.",
    }
    boundary = read_template("deploy-role.yaml")["Resources"]["Boundary"]["Properties"]
    assert boundary["Description"] == "The most that the roles of ${StackName} may do."

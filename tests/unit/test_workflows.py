"""What the workflows promise, beyond what zizmor and actionlint look for."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml

from local_stack.emulator import ROOT

WORKFLOWS = {
    path.stem: yaml.safe_load(path.read_text())
    for path in (ROOT / ".github" / "workflows").glob("*.yml")
}
DEPLOY: dict[str, Any] = WORKFLOWS["deploy"]["jobs"]
ENVIRONMENT: dict[str, Any] = WORKFLOWS["deploy-environment"]["jobs"]
OWN = "$/.github/workflows/"


def jobs() -> list[dict[str, Any]]:
    """Return every job of every workflow."""
    return [job for workflow in WORKFLOWS.values() for job in workflow["jobs"].values()]


def scripts(job: dict[str, Any]) -> str:
    """Return what a job runs."""
    return "\n".join(step.get("run", "") for step in job.get("steps", []))


def position(job: dict[str, Any], text: str) -> int:
    """Return where among its steps a job runs or uses something."""
    [found] = [
        index
        for index, step in enumerate(job["steps"])
        if text in step.get("run", "") + step.get("uses", "")
    ]
    return found


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_begins_with_no_rights(name: str) -> None:
    """And each job says what it takes: to read, and where it deploys GitHub's identity token."""
    assert WORKFLOWS[name]["permissions"] == {}
    for job in WORKFLOWS[name]["jobs"].values():
        rights = {"contents": "read"}
        if "environment" in job or "environment" in job.get("with", {}):
            rights |= {"id-token": "write"}
        assert job["permissions"] == rights


def test_every_action_is_pinned() -> None:
    """By a full commit, as a tag can be moved; a workflow of our own is that of this commit."""
    steps = [step for job in jobs() for step in job.get("steps", [])]
    used = [each["uses"] for each in (*jobs(), *steps) if "uses" in each]

    assert used
    for action in used:
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action) or action.startswith(OWN)


def test_there_is_no_stored_key() -> None:
    """AWS's credentials come from a role; the workflows read no secret at all."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text()
        assert "secrets." not in text
        assert not re.search("aws-(access-key-id|secret-access-key|session-token)", text)


def test_ci_is_what_a_person_runs() -> None:
    """For every pull request, on main, and before a deployment."""
    ci = WORKFLOWS["ci"]
    [job] = ci["jobs"].values()
    # YAML 1.1 reads `on` as true.
    triggers = ci[True]

    assert job["steps"][-1]["run"] == ".ci/run"
    assert triggers == {
        "pull_request": None,
        "push": {"branches": ["main"]},
        "workflow_call": None,
    }
    assert DEPLOY["checks"]["uses"] == f"{OWN}ci.yml"
    assert DEPLOY["build"]["needs"] == "checks"


def test_prod_gets_what_staging_got() -> None:
    """One build; each environment takes what has that build's digest, and after staging prod."""
    stages = [DEPLOY["staging"], DEPLOY["prod"]]

    assert {stage["uses"] for stage in stages} == {f"{OWN}deploy-environment.yml"}
    assert [stage["with"]["environment"] for stage in stages] == ["staging", "prod"]
    assert {stage["with"]["digest"] for stage in stages} == {"${{ needs.build.outputs.digest }}"}
    assert DEPLOY["prod"]["needs"] == ["build", "staging"]
    assert [job for job in jobs() if "sam build" in scripts(job)] == [DEPLOY["build"]]


def test_what_was_built_is_checked_before_it_is_used() -> None:
    """Before the job has credentials, too."""
    plan = ENVIRONMENT["plan"]
    unpack = position(plan, "sha256sum --check --strict")

    assert position(plan, "download-artifact") < unpack
    assert unpack < position(plan, "configure-aws-credentials") < position(plan, "deployment")
    assert plan["steps"][unpack]["env"] == {"DIGEST": "${{ inputs.digest }}"}


def test_what_was_shown_is_what_is_executed() -> None:
    """In a job of its own, whose environment asks for the approval, and then it is looked at."""
    plan, apply = ENVIRONMENT["plan"], ENVIRONMENT["apply"]
    execute = position(apply, "deployment apply")

    assert plan["environment"] == "${{ inputs.environment }}-plan"
    assert apply["environment"] == "${{ inputs.environment }}"
    assert apply["needs"] == "plan"
    assert plan["outputs"] == {"change-set": "${{ steps.plan.outputs.change-set }}"}
    assert apply["steps"][execute]["env"] == {"CHANGE_SET": "${{ needs.plan.outputs.change-set }}"}
    assert "deployment apply" not in scripts(plan)
    looked = position(apply, "doctor --wait --without-key"), position(apply, "deployment smoke")
    assert execute < looked[0] < looked[1]
    assert not [step for step in apply["steps"][execute:] if "if" in step]


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_an_environment_names_its_stack(environment: str) -> None:
    """As samconfig.toml does, whose uploads go where the roles may put them."""
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]
    name = WORKFLOWS["deploy-environment"]["env"]["JITSI_TOKENS_STACK_NAME"]

    stack = name.replace("${{ inputs.environment }}", environment)
    assert settings["parameters"]["stack_name"] == stack
    assert settings["parameters"]["s3_prefix"] == stack


def test_every_pin_is_kept_up_to_date() -> None:
    """Actions, and what is in the folders of requirements; what is new waits first."""
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    pinned = {f"/{path.parent.relative_to(ROOT)}" for path in ROOT.glob("requirements/*.txt")}
    pinned |= {f"/{path.parent.relative_to(ROOT)}" for path in ROOT.glob("layers/*/*.txt")}

    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "pip"}
    assert {folder for update in updates for folder in update.get("directories", [])} == pinned
    assert all(update["cooldown"]["default-days"] >= 7 for update in updates)
    assert all(update["groups"] for update in updates)

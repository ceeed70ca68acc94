"""What the workflows promise beyond zizmor and actionlint, which check rights, pins and secrets."""

from __future__ import annotations

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


def position(job: dict[str, Any], text: str) -> int:
    """Return where among its steps a job runs or uses something."""
    [found] = [
        index
        for index, step in enumerate(job["steps"])
        if text in step.get("run", "") + step.get("uses", "")
    ]
    return found


def test_no_workflow_reads_a_stored_secret() -> None:
    """AWS's credentials come from a role that GitHub's identity token may take."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        assert "secrets." not in path.read_text()
        assert "access-key" not in path.read_text()


def test_prod_gets_what_staging_got() -> None:
    """One build, after every check; each environment takes what has that build's digest."""
    stages = [DEPLOY["staging"], DEPLOY["prod"]]

    assert DEPLOY["build"]["needs"] == "checks"
    assert [stage["with"]["environment"] for stage in stages] == ["staging", "prod"]
    assert {stage["with"]["digest"] for stage in stages} == {"${{ needs.build.outputs.digest }}"}
    assert DEPLOY["prod"]["needs"] == ["build", "staging"]


def test_what_was_shown_is_what_is_executed() -> None:
    """The build is checked before the job has credentials, and approved between the jobs."""
    plan, apply = ENVIRONMENT["plan"], ENVIRONMENT["apply"]
    checked = position(plan, "sha256sum --check --strict")
    execute = position(apply, "deployment apply")

    assert position(plan, "download-artifact") < checked < position(plan, "aws-credentials")
    assert plan["environment"] == "${{ inputs.environment }}-plan"
    assert apply["environment"] == "${{ inputs.environment }}"
    assert apply["needs"] == "plan"
    assert apply["steps"][execute]["env"] == {"CHANGE_SET": "${{ needs.plan.outputs.change-set }}"}
    assert execute < position(apply, "doctor --wait --without-key") < position(apply, "smoke")


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_an_environment_names_its_stack(environment: str) -> None:
    """As samconfig.toml does, whose uploads go where the roles may put them."""
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())[environment]["deploy"]
    name = WORKFLOWS["deploy-environment"]["env"]["JITSI_TOKENS_STACK_NAME"]

    stack = name.replace("${{ inputs.environment }}", environment)
    assert settings["parameters"]["stack_name"] == stack
    assert settings["parameters"]["s3_prefix"] == stack


def test_every_pin_is_kept_up_to_date() -> None:
    """Each folder of requirements is one that Dependabot looks at."""
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    pinned = {f"/{path.parent.relative_to(ROOT)}" for path in ROOT.glob("requirements/*.txt")}
    pinned |= {f"/{path.parent.relative_to(ROOT)}" for path in ROOT.glob("layers/*/*.txt")}

    assert {folder for update in updates for folder in update.get("directories", [])} == pinned

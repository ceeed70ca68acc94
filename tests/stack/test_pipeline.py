"""The pipeline's roles and commands: each role does its part, and not the other's."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from botocore.exceptions import ClientError

from local_stack import deployment
from local_stack.emulator import LOCAL, ROOT
from tests.stack.test_permissions import ON_THE_EMULATOR

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from local_stack.emulator import Emulator
    from tests.stack.service import Service

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PIPED = "jitsi-tokens-piped"
REPOSITORY = "clinic@7/jitsi-tokens@8"
SUBJECT = f"repo:{REPOSITORY}:environment:piped"
SUBJECTS = {"PlanRole": f"{SUBJECT}-plan", "DeployRole": SUBJECT}
COMMAND = ("python", "-m", "deployment")
SAMCONFIG = f"""
version = 0.1
[piped.deploy.parameters]
template_file = "{ROOT}/.aws-sam/build/template.yaml"
resolve_s3 = true
s3_prefix = "{PIPED}"
capabilities = "CAPABILITY_IAM"
fail_on_empty_changeset = false
parameter_overrides = ["MaximumLifetimeSeconds=900"]
"""
FAILING = """
Resources:
  Taken:
    Type: AWS::SSM::Parameter
    Properties: { Type: String, Value: x, Name: "/jitsi-tokens/jitsi-tokens-piped/key-status" }
"""


class Pipeline(NamedTuple):
    """What deploy-role.yaml made for one stack, and the runner that takes its roles."""

    emulator: Emulator
    stack: deployment.Stack
    outputs: dict[str, str]

    @property
    def plan(self) -> tuple[str, ...]:
        """The command that plans a change."""
        role = self.outputs["ExecutionRole"]
        return (*COMMAND, "plan", "--environment", "piped", "--role-arn", role)

    def take(self, role: str, subject: str | None = None) -> dict[str, str]:
        """Return what a role's holder has, whose token of GitHub's has a `sub`, or the right one.

        The emulator reads a token's claims and leaves its signature alone.
        """
        claims = {
            "iss": "https://token.actions.githubusercontent.com",
            "aud": "sts.amazonaws.com",
            "sub": subject or SUBJECTS[role],
        }
        parts = (json.dumps(part).encode() for part in ({"alg": "RS256"}, claims, {}))
        answer = deployment.client(self.emulator, "sts").assume_role_with_web_identity(
            RoleArn=self.outputs[role],
            RoleSessionName="run",
            WebIdentityToken=".".join(base64.urlsafe_b64encode(part).decode() for part in parts),
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": answer["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": answer["SecretAccessKey"],
            "AWS_SESSION_TOKEN": answer["SessionToken"],
        }

    def run(
        self, folder: Path, credentials: dict[str, str], *command: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the environment's in a folder that has the samconfig.toml."""
        binaries = LOCAL / "venv" / "bin"
        return subprocess.run(  # noqa: S603 - our own commands
            [str(binaries / command[0]), *command[1:]],
            cwd=folder,
            env={
                **os.environ,
                **self.emulator.environment(),
                **credentials,
                "PATH": f"{LOCAL / 'sam' / 'bin'}:{binaries}:{os.environ['PATH']}",
                "SAM_CLI_TELEMETRY": "0",
                "JITSI_TOKENS_STACK_NAME": self.stack.name,
                "JITSI_TOKENS_URL": self.stack.url,
            },
            capture_output=True,
            text=True,
            check=False,
        )


@contextlib.contextmanager
def pipeline_of(emulator: Emulator, stack: deployment.Stack) -> Iterator[Pipeline]:
    """Deploy deploy-role.yaml for a stack, without the type that the emulator does not have."""
    formation = deployment.client(emulator, "cloudformation")
    iam = deployment.client(emulator, "iam")
    name = f"{stack.name}-roles"
    parameters = {
        "Environment": "piped",
        "StackName": stack.name,
        "Repository": REPOSITORY,
        "CreateProvider": "false",
    }
    formation.create_stack(
        StackName=name,
        TemplateBody=(ROOT / "deploy-role.yaml").read_text(),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    )
    formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    found = formation.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found}
    roles = [outputs[role].partition("/")[2] for role in SUBJECTS]
    for role in roles:
        iam.put_role_policy(
            RoleName=role, PolicyName="on-the-emulator", PolicyDocument=ON_THE_EMULATOR
        )
    yield Pipeline(emulator, stack, outputs)
    for role in roles:
        with contextlib.suppress(ClientError):
            iam.delete_role_policy(RoleName=role, PolicyName="not-on-the-emulator")
        iam.delete_role_policy(RoleName=role, PolicyName="on-the-emulator")
    formation.delete_stack(StackName=name)


@pytest.fixture(scope="module")
def piped(running_emulator: Emulator) -> Iterator[Pipeline]:
    """A stack that only these tests deploy again, and its pipeline."""
    stack = deployment.deploy(running_emulator, "self-hosted", name=PIPED)
    s3 = deployment.client(running_emulator, "s3")
    # SAM's own bucket refuses callers without TLS, and so all but the emulator's owner.
    for bucket in s3.list_buckets()["Buckets"]:
        s3.delete_bucket_policy(Bucket=bucket["Name"])
    with pipeline_of(running_emulator, stack) as pipeline:
        # The emulator does not tell which role CloudFormation is to take.
        statement = {
            "Effect": "Allow",
            "Action": "cloudformation:CreateChangeSet",
            "Resource": f"arn:aws:cloudformation:*:*:stack/{PIPED}/*",
        }
        deployment.client(running_emulator, "iam").put_role_policy(
            RoleName=pipeline.outputs["PlanRole"].partition("/")[2],
            PolicyName="not-on-the-emulator",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        yield pipeline


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the environment's settings."""
    (tmp_path / "samconfig.toml").write_text(SAMCONFIG)
    return tmp_path


@pytest.mark.parametrize("role", SUBJECTS)
def test_a_role_is_taken_by_its_environment_alone(piped: Pipeline, role: str) -> None:
    """Not by a branch, another environment, another repository, nor one that begins alike."""
    own = SUBJECTS[role]
    others = [
        *(subject for name, subject in SUBJECTS.items() if name != role),
        *(f"{own}2", own.replace("clinic@7", "clinic@77"), own.replace("clinic@7", "clinic")),
        f"repo:{REPOSITORY}:ref:refs/heads/main",
        f"repo:{REPOSITORY}:pull_request",
    ]

    assert piped.take(role)["AWS_SESSION_TOKEN"]
    for subject in others:
        with pytest.raises(ClientError, match="AccessDenied"):
            piped.take(role, subject)


def test_one_role_plans_and_the_other_applies(piped: Pipeline, folder: Path) -> None:
    """The very change set that was shown is executed, by a role that could not make it."""
    planner, deployer = map(piped.take, SUBJECTS)

    planned = piped.run(folder, planner, *piped.plan, "--summary", "summary.md")
    assert planned.returncode == 0, planned.stderr
    apply = (*COMMAND, "apply", planned.stdout.strip())
    refused = [piped.run(folder, planner, *apply), piped.run(folder, deployer, *piped.plan)]
    applied = piped.run(folder, deployer, *apply)
    again = piped.run(folder, planner, *piped.plan, "--summary", "again.md")

    assert "| Modify | IssueToken | AWS::Lambda::Function |" in (folder / "summary.md").read_text()
    assert all(each.returncode == 3 and "AccessDenied" in each.stderr for each in refused)
    assert applied.returncode == 0, applied.stderr
    assert applied.stderr.endswith(f"{PIPED}: UPDATE_COMPLETE\n")
    assert again.returncode == 0
    # The API is deployed again each time, so that a parameter reaches its stage.
    assert "AWS::ApiGateway::Deployment" in (folder / "again.md").read_text()
    assert "| IssueToken |" not in (folder / "again.md").read_text()


def test_a_canary_that_would_have_no_key_is_not_planned(piped: Pipeline, folder: Path) -> None:
    """No change set stays, and the sentence says what to deploy."""
    formation = deployment.client(piped.emulator, "cloudformation")
    before = formation.list_change_sets(StackName=PIPED)["Summaries"]
    changed = SAMCONFIG.replace(
        '"MaximumLifetimeSeconds=900"', '"SigningAlgorithm=RS256", "CanaryEnabled=true"'
    )
    (folder / "samconfig.toml").write_text(changed)

    planned = piped.run(folder, piped.take("PlanRole"), *piped.plan)

    assert (planned.returncode, planned.stdout) == (1, "")
    assert "CanaryEnabled=false" in planned.stderr
    assert formation.list_change_sets(StackName=PIPED)["Summaries"] == before


def test_a_change_that_fails_says_why(piped: Pipeline, folder: Path) -> None:
    """And ends with an error, so that nothing goes on to the next environment."""
    (folder / "failing.yaml").write_text(FAILING)
    changed = SAMCONFIG.replace(f"{ROOT}/.aws-sam/build/template.yaml", "failing.yaml")
    (folder / "samconfig.toml").write_text(changed)
    command = (*COMMAND, "--stack-name", "jitsi-tokens-failing")

    planned = piped.run(folder, {}, *command, "plan", "--environment", "piped")
    applied = piped.run(folder, {}, *command, "apply", planned.stdout.strip())

    assert applied.returncode == 1
    assert "failed (ROLLBACK_COMPLETE)" in applied.stderr
    assert "Taken: " in applied.stderr


def test_the_deploying_role_looks_at_the_stack_and_tries_it(
    self_hosted: Service, tmp_path: Path
) -> None:
    """With doctor and the smoke test; the signing key stays closed to it."""
    with pipeline_of(self_hosted.emulator, self_hosted.stack) as pipeline:
        credentials = pipeline.take("DeployRole")

        doctor = pipeline.run(tmp_path, credentials, "jitsi-tokens", "doctor", "--without-key")
        smoke = pipeline.run(tmp_path, credentials, "python", "-m", "deployment", "smoke")
        show = pipeline.run(tmp_path, credentials, "jitsi-tokens", "key", "show")
        listed = pipeline.run(tmp_path, credentials, "jitsi-tokens", "client", "list")

    assert doctor.returncode == 0, doctor.stdout
    assert smoke.returncode == 0, smoke.stderr
    assert "The client of this run is revoked." in smoke.stderr
    assert (show.returncode, listed.returncode) == (3, 3)
    assert "Missing permission" in show.stderr

"""Build the bundle and deploy it to the emulator, by the path it takes to AWS."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import WaiterError

from jitsi_tokens.settings import trust_of
from local_stack.api import STAGE, complete_api
from local_stack.building import BUILT, build_if_changed, run_tool
from local_stack.emulator import REGION, ROOT, Emulator
from local_stack.public_url import allow_reading_by_path, tell_join_url, tell_public_url
from local_stack.steps import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_lambda import LambdaClient

    from jitsi_tokens.core.keys import Trust

_SELF_HOSTED = {"Provider": "self-hosted", "JitsiDomain": "meet.example.org"}
# The emulator knows no rotation schedule, and nobody here waits two minutes for caches.
_ROTATION = {"RotationDays": "0", "PublicationLeadSeconds": "10"}


class Stack(NamedTuple):
    """A deployed stack: its name, its outputs, and the address that reaches it from here."""

    name: str
    outputs: dict[str, str]
    url: str

    @property
    def trust(self) -> Trust:
        """The kind of stack: how Jitsi comes to trust its key."""
        return trust_of(self.outputs["Provider"], self.outputs["SigningAlgorithm"])


def build() -> None:
    """Build functions and layer with `sam build`, where something has changed since."""
    build_if_changed(lambda: run_tool("sam", "build"))


def deploy(
    emulator: Emulator,
    provider: str,
    algorithm: str = "HS256",
    *,
    name: str | None = None,
    template: Path = BUILT / "template.yaml",
    **parameters: str,
) -> Stack:
    """Deploy what was built, and do what the emulator leaves out.

    A provider's stack has its own name, and so has one with RS256: they exist side by side.
    """
    chosen = _local_parameters() | _ROTATION
    if provider == "self-hosted":
        chosen |= _SELF_HOSTED | {"SigningAlgorithm": algorithm}
    chosen |= parameters
    name = name or name_of(provider, algorithm)
    run_tool(
        "sam",
        "deploy",
        "--template-file",
        str(template),
        "--config-file",
        str(ROOT / "samconfig.toml"),
        "--config-env",
        "local",
        "--stack-name",
        name,
        "--parameter-overrides",
        *(f'{key}="{value}"' for key, value in chosen.items()),
        environment=emulator.environment(),
    )
    stack = find(emulator, name)
    complete_api(client(emulator, "apigateway"), stack.outputs["ApiId"], chosen)
    allow_reading_by_path(client(emulator, "iam"), client(emulator, "cloudformation"), name)
    finish_functions(emulator, stack)
    return stack


def finish_functions(emulator: Emulator, stack: Stack) -> None:
    """Tell functions where the API is, which the template cannot, and wait for their snapshots.

    Raises:
        Failure: a function's code cannot be loaded.
    """
    functions, formation = client(emulator, "lambda"), client(emulator, "cloudformation")
    tell_public_url(functions, stack.outputs["RotateSigningKeyFunction"], stack.url)
    found = formation.describe_stack_resource(
        StackName=stack.name, LogicalResourceId="ManageVisits"
    )
    tell_join_url(functions, found["StackResourceDetail"]["PhysicalResourceId"], stack.url)
    _wait_for_snapshots(functions, formation, stack.name)


def name_of(provider: str, algorithm: str) -> str:
    """Return the name that the stack of a provider and an algorithm has here."""
    is_rs256 = provider == "self-hosted" and algorithm == "RS256"
    return f"jitsi-tokens-{provider}{'-rs256' if is_rs256 else ''}"


def find(emulator: Emulator, name: str) -> Stack:
    """Return a deployed stack."""
    found = client(emulator, "cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
    url = f"{emulator.endpoint}/_aws/execute-api/{outputs['ApiId']}/{STAGE}"
    return Stack(name, outputs, url)


def client(emulator: Emulator, service: str, credentials: dict[str, str] | None = None) -> Any:
    """Return a boto3 client that speaks to the emulator, as its administrator or as given."""
    environment = emulator.environment() | (credentials or {})
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=emulator.endpoint,
        region_name=REGION,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 2}, read_timeout=60),
    )


def _wait_for_snapshots(
    functions: LambdaClient, formation: CloudFormationClient, name: str
) -> None:
    """Wait as CloudFormation does on AWS: until then a version answers 409."""
    waiter = functions.get_waiter("published_version_active")
    pages = formation.get_paginator("list_stack_resources").paginate(StackName=name)
    for resource in pages.search("StackResourceSummaries[?ResourceType=='AWS::Lambda::Alias']"):
        function, _, alias = resource["PhysicalResourceId"].rpartition(":")
        try:
            waiter.wait(FunctionName=function, Qualifier=alias, WaiterConfig={"Delay": 1})
        except WaiterError as error:
            why = error.last_response.get("StateReason", error)
            raise Failure(f"{function} does not start: {why}") from None


def _local_parameters() -> dict[str, str]:
    configuration = tomllib.loads((ROOT / "samconfig.toml").read_text())
    overrides: list[str] = configuration["local"]["deploy"]["parameters"]["parameter_overrides"]
    return dict(override.split("=", 1) for override in overrides)

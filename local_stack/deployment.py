"""Build the bundle and deploy it to the emulator, by the path it takes to AWS."""

from __future__ import annotations

import os
import subprocess
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import yaml
from botocore.config import Config

from local_stack.emulator import LOCAL, REGION, ROOT, Emulator

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_apigateway import APIGatewayClient

STAGE = "v1"
_SELF_HOSTED = {"Provider": "self-hosted", "JitsiDomain": "meet.example.org"}


class DeploymentFailure(RuntimeError):
    """sam failed; the text holds what it printed."""


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's YAML."""


def _untagged(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case yaml.ScalarNode():
            return loader.construct_scalar(node)


_TemplateLoader.add_multi_constructor("!", _untagged)


class Stack(NamedTuple):
    """A deployed stack: its name, its outputs, and the address that reaches it from here."""

    name: str
    outputs: dict[str, str]
    url: str


def build() -> None:
    """Build functions and layer, as `sam build` does."""
    _sam("build")


def deploy(
    emulator: Emulator,
    provider: str,
    *,
    name: str | None = None,
    template: Path = ROOT / ".aws-sam" / "build" / "template.yaml",
    **parameters: str,
) -> Stack:
    """Deploy what was built, and do what the emulator leaves out.

    A provider's stack has its own name, so that two can stand side by side.
    """
    name = name or f"jitsi-tokens-{provider}"
    chosen = _local_parameters() | (_SELF_HOSTED if provider == "self-hosted" else {}) | parameters
    _sam(
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
        *(f"{key}={value}" for key, value in chosen.items()),
        environment=emulator.environment(),
    )
    stack = find(emulator, name)
    _complete_api(client(emulator, "apigateway"), stack.outputs["ApiId"], chosen)
    return stack


def find(emulator: Emulator, name: str) -> Stack:
    """Return a deployed stack."""
    found = client(emulator, "cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
    url = f"{emulator.endpoint}/_aws/execute-api/{outputs['ApiId']}/{STAGE}"
    return Stack(name, outputs, url)


def client(emulator: Emulator, service: str) -> Any:
    """Return a boto3 client that speaks to the emulator."""
    environment = emulator.environment()
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=emulator.endpoint,
        region_name=REGION,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 2}, read_timeout=60),
    )


def read_template() -> dict[str, Any]:
    """Return template.yaml with CloudFormation's tags dropped."""
    text = (ROOT / "template.yaml").read_text()
    loaded: dict[str, Any] = yaml.load(text, _TemplateLoader)  # noqa: S506 - a SafeLoader
    return loaded


def _local_parameters() -> dict[str, str]:
    configuration = tomllib.loads((ROOT / "samconfig.toml").read_text())
    overrides: list[str] = configuration["local"]["deploy"]["parameters"]["parameter_overrides"]
    return dict(override.split("=", 1) for override in overrides)


def _complete_api(gateway: APIGatewayClient, api_id: str, parameters: dict[str, str]) -> None:
    """Do what the emulator's import of an API's body leaves out and AWS does."""
    resources = read_template()["Resources"]
    for response_type, response in resources["Api"]["Properties"]["GatewayResponses"].items():
        gateway.put_gateway_response(
            restApiId=api_id,
            responseType=response_type,
            statusCode=str(response["StatusCode"]),
            responseParameters={
                f"gatewayresponse.header.{name}": value
                for name, value in response["ResponseParameters"]["Headers"].items()
            },
            responseTemplates=response["ResponseTemplates"],
        )
    seconds = parameters.get("AuthorizerCacheSeconds") or str(
        read_template()["Parameters"]["AuthorizerCacheSeconds"]["Default"]
    )
    for authorizer in gateway.get_authorizers(restApiId=api_id)["items"]:
        gateway.update_authorizer(
            restApiId=api_id,
            authorizerId=authorizer["id"],
            patchOperations=[
                {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": seconds}
            ],
        )
    _add_any_methods(gateway, api_id, resources["ProbeConfig"]["Properties"]["Events"])
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)


def _add_any_methods(
    gateway: APIGatewayClient, api_id: str, events: dict[str, dict[str, Any]]
) -> None:
    items = gateway.get_resources(restApiId=api_id, embed=["methods"], limit=500)["items"]
    ids = {item["path"]: item["id"] for item in items}
    probe = gateway.get_integration(
        restApiId=api_id, resourceId=ids["/api/jitsi/jwt"], httpMethod="GET"
    )
    for event in events.values():
        properties = event["Properties"]
        if properties.get("Method") != "ANY":
            continue
        resource = ids[properties["Path"]]
        gateway.put_method(
            restApiId=api_id, resourceId=resource, httpMethod="ANY", authorizationType="NONE"
        )
        gateway.put_integration(
            restApiId=api_id,
            resourceId=resource,
            httpMethod="ANY",
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=probe["uri"],
        )


def _sam(*arguments: str, environment: dict[str, str] | None = None) -> None:
    tools = LOCAL / "sam" / "bin"
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    finished = subprocess.run(
        [str(tools / "sam"), *arguments],
        cwd=ROOT,
        env={
            **inherited,
            "PATH": f"{tools}:{os.environ.get('PATH', '')}",
            "SAM_CLI_TELEMETRY": "0",
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if finished.returncode:
        raise DeploymentFailure(f"sam {arguments[0]} failed:\n{finished.stdout}")

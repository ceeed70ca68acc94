"""What `sam local` needs to run this bundle's functions in containers, against the emulator."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from local_stack.building import BUILT
from local_stack.deployment import client
from local_stack.emulator import LOCAL

if TYPE_CHECKING:
    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator

FOLDER = LOCAL / "sam-local"
TEMPLATE = FOLDER / "template.yaml"
VARIABLES = FOLDER / "variables.json"

# What `sam local start-api` takes ANY for.
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

# How a container calls its host: Docker Desktop knows the name, Docker's engine by --add-host.
_HOST = "host.docker.internal"


def write(emulator: Emulator, stack: Stack) -> None:
    """Write the template and the variables that `sam local` is given.

    It passes only variables that a template declares, and AWS_ENDPOINT_URL has no place in the one
    that goes to AWS. So it is given a copy of what `sam build` made, with that one more variable.
    """
    template = yaml.safe_load((BUILT / "template.yaml").read_text())
    variables = _deployed_variables(emulator, stack, _functions(template))
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    TEMPLATE.write_text(yaml.safe_dump(_localised(template), sort_keys=False))
    VARIABLES.write_text(json.dumps(variables, indent=2) + "\n")


def _functions(template: dict[str, Any]) -> list[str]:
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    ]


def _deployed_variables(
    emulator: Emulator, stack: Stack, functions: list[str]
) -> dict[str, dict[str, str]]:
    formation, lambda_ = client(emulator, "cloudformation"), client(emulator, "lambda")
    variables = {}
    for name in functions:
        resource = formation.describe_stack_resource(StackName=stack.name, LogicalResourceId=name)
        deployed = lambda_.get_function_configuration(
            FunctionName=resource["StackResourceDetail"]["PhysicalResourceId"]
        )
        variables[name] = {
            **deployed["Environment"]["Variables"],
            "AWS_ENDPOINT_URL": f"http://{_HOST}:{emulator.port}",
        }
    return variables


def _localised(template: dict[str, Any]) -> dict[str, Any]:
    template["Globals"]["Function"]["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = ""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for folder in {"CodeUri", "ContentUri"} & properties.keys():
            properties[folder] = str(BUILT / properties[folder])
    _help_start_api(template["Resources"])
    return template


def _help_start_api(resources: dict[str, Any]) -> None:
    """Say what `sam local start-api` does not read from the template as AWS does.

    It knows no alias as an authorizer, and lets ANY take a path's other methods too.
    """
    authorizers = resources["Api"]["Properties"]["Auth"]["Authorizers"]
    for authorizer in authorizers.values():
        function, _, _ = authorizer["FunctionArn"]["Ref"].partition(".")
        authorizer["FunctionArn"] = {"Fn::GetAtt": [function, "Arn"]}
    routes = [
        (events, name, event["Properties"])
        for resource in resources.values()
        for events in [resource.get("Properties", {}).get("Events", {})]
        for name, event in events.items()
        if event["Type"] == "Api"
    ]
    named = {(route["Path"], route["Method"]) for _, _, route in routes}
    for events, name, route in routes:
        if route["Method"] == "ANY":
            event = events.pop(name)
            for method in _METHODS:
                if (route["Path"], method) not in named:
                    properties = route | {"Method": method}
                    events[f"{name}{method.title()}"] = event | {"Properties": properties}

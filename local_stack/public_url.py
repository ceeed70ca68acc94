"""The address of the API, and the public keys' path: what they take on the emulator alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local_stack.template import read_template

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_lambda import LambdaClient

_ACTION = "ssm:GetParametersByPath"


def tell_public_url(functions: LambdaClient, rotation: str, url: str) -> None:
    """Let the rotation fetch from where the API is: the template knows AWS's addresses alone.

    Nobody here keeps a key that long either: it waits a second, and not the template's least.
    """
    present = functions.get_function_configuration(FunctionName=rotation)
    variables = present.get("Environment", {}).get("Variables", {})
    local = {"PUBLIC_URL": url, "PUBLICATION_LEAD_SECONDS": "1"}
    functions.update_function_configuration(
        FunctionName=rotation, Environment={"Variables": {**variables, **local}}
    )


def tell_join_url(functions: LambdaClient, manage_visits: str, url: str) -> None:
    """Let links lead to where the API is: a request here does not say its own address."""
    present = functions.get_function_configuration(FunctionName=manage_visits, Qualifier="live")
    variables = present.get("Environment", {}).get("Variables", {})
    if variables.get("JOIN_URL") == url:
        return
    functions.update_function_configuration(
        FunctionName=manage_visits, Environment={"Variables": {**variables, "JOIN_URL": url}}
    )
    version = functions.publish_version(FunctionName=manage_visits)["Version"]
    functions.update_alias(FunctionName=manage_visits, Name="live", FunctionVersion=version)


def allow_reading_by_path(iam: IAMClient, formation: CloudFormationClient, stack: str) -> None:
    """Let the roles that may read the public keys' path read any.

    The emulator asks for that action on every resource, where AWS asks for it on the path.
    """
    statement = {"Effect": "Allow", "Action": _ACTION, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    for name, resource in read_template()["Resources"].items():
        if resource["Type"] != "AWS::IAM::Role" or _ACTION not in json.dumps(resource):
            continue
        found = formation.describe_stack_resource(StackName=stack, LogicalResourceId=name)
        iam.put_role_policy(
            RoleName=found["StackResourceDetail"]["PhysicalResourceId"],
            PolicyName="read-by-path-on-the-emulator",
            PolicyDocument=document,
        )

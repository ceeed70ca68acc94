"""What the emulator leaves out when it imports an API, and AWS does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_stack.template import read_template

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient

STAGE = "v1"


def complete_api(gateway: APIGatewayClient, api_id: str, parameters: dict[str, str]) -> None:
    """Set gateway responses, the authorizer's cache time, ANY and throttles, and deploy again."""
    template = read_template()
    resources = template["Resources"]
    parameters = {
        name: str(parameter.get("Default")) for name, parameter in template["Parameters"].items()
    } | parameters
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
    for authorizer in gateway.get_authorizers(restApiId=api_id)["items"]:
        gateway.update_authorizer(
            restApiId=api_id,
            authorizerId=authorizer["id"],
            patchOperations=[
                {
                    "op": "replace",
                    "path": "/authorizerResultTtlInSeconds",
                    "value": parameters["AuthorizerCacheSeconds"],
                }
            ],
        )
    _add_any_methods(gateway, api_id, resources["ProbeConfig"]["Properties"]["Events"])
    gateway.create_deployment(restApiId=api_id, stageName=STAGE)
    gateway.update_stage(
        restApiId=api_id,
        stageName=STAGE,
        patchOperations=[
            {
                "op": "replace",
                "path": f"{route['ResourcePath']}/{route['HttpMethod']}/throttling/{name}",
                # A parameter's name, or a number.
                "value": parameters.get(limit, str(limit)),
            }
            for route in resources["Api"]["Properties"]["MethodSettings"]
            # The emulator reads the setting of the whole stage alone as AWS does.
            if route["HttpMethod"] != "*"
            for name, limit in (
                ("rateLimit", route["ThrottlingRateLimit"]),
                ("burstLimit", route["ThrottlingBurstLimit"]),
            )
        ],
    )


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

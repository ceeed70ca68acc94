"""What the code of today writes, and how it reads what was written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from jitsi_tokens.core.rsa_keys import make_rsa_key
from jitsi_tokens.http import caller
from jitsi_tokens.publication import Publication
from jitsi_tokens.secrets import CURRENT
from jitsi_tokens.telemetry import keyed_digest
from jitsi_tokens_cli.key.versions import NEXT
from tests.compatibility.scene import PKCS8, PUBLIC_KEYS, SHARED_SECRET, STATUS
from tests.integration.cli_world import TABLE
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from tests.compatibility.scene import Scene

_ROUTE = "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5/v1/POST/api/jitsi/jwt"
_READER = '{"name":"recorded","policy":{"diagnostics":true}}'
_NOT_FOUND = 404
_PKCS8_HEADER = "-----BEGIN PRIVATE KEY-----"


def client_record(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return the item that `client add` writes, and the client that is read from it."""
    with scene.commands("jaas") as world:
        added = world.run("client", "add", "clinic-a", *given["options"], "--json")
        assert added.exit_code == 0, added.output
        (item,) = world.dynamodb.scan(TableName=TABLE)["Items"]
        world.dynamodb.delete_table(TableName=TABLE)
    return {"item": item, "client": recognised(scene, item)}


def recognised(scene: Scene, item: dict[str, Any]) -> dict[str, Any]:
    """Return the client that the authorizer hands on for an item, as its reader reads it."""
    scene.give_client(item)
    asked = {"authorizationToken": f"Bearer {scene.api_key}", "methodArn": _ROUTE}
    allowed = scene.call("authorize_client", "jaas", asked, 0).response
    read = caller({"requestContext": {"authorizer": allowed["context"]}})
    assert allowed["principalId"] == read.name
    return {"name": read.name, "policy": asdict(read.policy)}


def audit_digest(_scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return what stands for a room or a user in the audit record."""
    return {"digest": keyed_digest(given["digestKey"].encode(), given["kind"], given["value"])}


def secret_document(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return what the secret holds, with a stand-in where its key was."""
    with scene.commands(given["stack"]) as world:
        ran = world.run("key", *given["made"], typed=scene.filled[SHARED_SECRET])
        assert ran.exit_code == 0, ran.output
        label = NEXT if given["made"][0] == "stage" else CURRENT
        stored = world.secrets.get_secret_value(SecretId=world.secret, VersionStage=label)
    document = json.loads(stored["SecretString"])
    if "secret" in document:
        document["secret"] = SHARED_SECRET
    else:
        assert document["private_key"].splitlines()[0] == _PKCS8_HEADER
        document["private_key"] = PKCS8
    return {"document": document}


def key_status(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return what CheckKey writes, and the diagnostics a minute later."""
    if given["key"]:
        scene.give_key(given["stack"])
    scene.ssm.put_parameter(Name=STATUS, Type="String", Value="{}")
    scene.call("check_key", given["stack"], {}, given["now"])
    value = scene.ssm.get_parameter(Name=STATUS)["Parameter"]["Value"]
    return {"value": value, "diagnostics": diagnostics(scene, given, value)}


def diagnostics(scene: Scene, given: dict[str, Any], value: str) -> dict[str, Any]:
    """Return what a status is told as, problems and advice by their codes."""
    scene.ssm.put_parameter(Name=STATUS, Type="String", Value=value, Overwrite=True)
    asked = {
        "httpMethod": "GET",
        "resource": "/api/jitsi/diagnostics",
        "requestContext": {"authorizer": {"client": _READER}},
    }
    answered = scene.call("probe_config", given["stack"], asked, given["now"] + 60).response
    told: dict[str, Any] = json.loads(answered["body"])
    for name in ("problems", "advice"):
        told[name] = [finding["code"] for finding in told[name]]
    return told


def public_key(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return what SSM holds of a published key, and what is given out of it."""
    key = public_key_of(
        make_rsa_key(2048), published_at=given["now"], expires_at=given["expiresAt"]
    )
    Publication(scene.ssm, PUBLIC_KEYS).publish(key)
    (parameter,) = scene.ssm.get_parameters_by_path(Path=PUBLIC_KEYS)["Parameters"]
    name = parameter["Name"].rpartition("/")[2]
    return {"name": name, "value": parameter["Value"], **given_out(scene, name, given["now"])}


def given_out(scene: Scene, name: str, now: int) -> dict[str, Any]:
    """Return the PEM and the JWK set that are given out at a time; None where there is none."""
    file = {"resource": "/asap/{file}", "pathParameters": {"file": f"{name}.pem"}}
    everything = {"resource": "/.well-known/jwks.json"}
    pem, jwks = (
        scene.call("serve_public_key", "published", event, now).response
        for event in (file, everything)
    )
    if pem["statusCode"] == jwks["statusCode"] == _NOT_FOUND:
        return {"pem": None, "jwks": None}
    return {"pem": pem["body"], "jwks": json.loads(jwks["body"])}

"""Breaking changes of docs/openapi.yaml are told, and harmless ones are not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from openapi import __main__ as command
from openapi.changes import breaking_changes
from openapi.document import document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

type Change = Callable[[dict[str, Any]], Any]

POST = "POST /api/jitsi/jwt"
ASAP = "GET /asap/{file}"
REQUIRED = ["userId", "userName", "roomName"]


def operation(changed: dict[str, Any], named: str) -> dict[str, Any]:
    """Return an operation by its method and path."""
    method, path = named.split()
    found: dict[str, Any] = changed["paths"][path][method.lower()]
    return found


def schema(changed: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a schema by its name."""
    found: dict[str, Any] = changed["components"]["schemas"][name]
    return found


def field(changed: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the schema of a field of the token request."""
    found: dict[str, Any] = schema(changed, "TokenRequest")["properties"][name]
    return found


BREAKING: dict[str, Change] = {
    f"{POST} is gone.": lambda it: it["paths"]["/api/jitsi/jwt"].pop("post"),
    f"{ASAP} is gone.": lambda it: it["paths"].pop("/asap/{file}"),
    f"{POST}, 401 is gone.": lambda it: operation(it, POST)["responses"].pop("401"),
    f"{POST}, 200: application/json is gone.": lambda it: operation(it, POST)["responses"][
        "200"
    ].update(content={}),
    f"{POST}, 200: text/plain is new.": lambda it: operation(it, POST)["responses"]["200"][
        "content"
    ].update({"text/plain": {"schema": {"type": "string"}}}),
    f"{POST}, request: application/json is gone.": lambda it: operation(it, POST)[
        "requestBody"
    ].update(content={}),
    f"{ASAP}: a body is required now.": lambda it: operation(it, ASAP).update(
        requestBody={"required": True, "content": {}}
    ),
    f"{ASAP} asks for other credentials.": lambda it: operation(it, ASAP).update(
        security=[{"apiKey": []}]
    ),
    "securitySchemes/apiKey: scheme changed.": lambda it: it["components"]["securitySchemes"][
        "apiKey"
    ].update(scheme="basic"),
    f"{ASAP}, header If-None-Match is required now.": lambda it: operation(it, ASAP)["parameters"][
        1
    ].update(required=True),
    f"{ASAP}, query at is required now.": lambda it: operation(it, ASAP)["parameters"].append(
        {"name": "at", "in": "query", "required": True, "schema": {"type": "string"}}
    ),
    f"{ASAP}, header If-None-Match is gone.": lambda it: operation(it, ASAP)["parameters"].pop(1),
    f"{ASAP}, path file: pattern was '^[0-9a-f]{{64}}\\\\.pem$', and is '^x$'.": lambda it: (
        operation(it, ASAP)["parameters"][0]["schema"].update(pattern="^x$")
    ),
    f"{ASAP}, 200, header ETag is gone.": lambda it: operation(it, ASAP)["responses"]["200"][
        "headers"
    ].pop("ETag"),
    f"{POST}, 503, header Retry-After may be missing now.": lambda it: it["components"]["headers"][
        "RetryAfter"
    ].update(required=False),
    f"{POST}, 503, header Retry-After: minimum was 1, and is 0.": lambda it: it["components"][
        "headers"
    ]["RetryAfter"]["schema"].update(minimum=0),
    f"{POST}, 200/token is gone.": lambda it: schema(it, "IssuedToken")["properties"].pop("token"),
    f"{POST}, 200/token may be missing now.": lambda it: schema(it, "IssuedToken")[
        "required"
    ].remove("token"),
    f"{POST}, 200/token: type was 'string', and is 'integer'.": lambda it: schema(
        it, "IssuedToken"
    )["properties"]["token"].update(type="integer"),
    f"{POST}, 400/errors is gone.": lambda it: schema(it, "InvalidRequest")["properties"].pop(
        "errors"
    ),
    f"{POST}, 400/status: enum was 400, and is 422.": lambda it: schema(it, "InvalidRequest")[
        "properties"
    ]["status"].update(const=422),
    "GET /api/jitsi/diagnostics, 200/provider: enum was ['jaas', 'self-hosted'],"
    " and is ['jaas', 'self-hosted', 'other'].": lambda it: schema(it, "Diagnostics")["properties"][
        "provider"
    ]["enum"].append("other"),
    "GET /api/jitsi/diagnostics, 200/domain: type was 'string', and is 'null'.": lambda it: schema(
        it, "Diagnostics"
    )["properties"]["domain"].update(anyOf=[{"type": "string"}, {"type": "null"}]),
    "GET /api/jitsi/diagnostics, 200/problems (items)/code is gone.": lambda it: schema(
        it, "Finding"
    )["properties"].pop("code"),
    "GET /.well-known/jwks.json, 200/keys (items)/x5t is new, where nothing was to be added.": (
        lambda it: schema(it, "Jwk")["properties"].update(x5t={"type": "string"})
    ),
    "GET /.well-known/jwks.json, 200: additionalProperties was False, and is not there.": (
        lambda it: schema(it, "JwkSet").pop("additionalProperties")
    ),
    f"{POST}, request/userEmail is gone.": lambda it: schema(it, "TokenRequest")["properties"].pop(
        "userEmail"
    ),
    f"{POST}, request/userEmail is required now.": lambda it: schema(it, "TokenRequest").update(
        required=[*REQUIRED, "userEmail"]
    ),
    f"{POST}, request/userId: type was 'string', and is 'integer'.": lambda it: field(
        it, "userId"
    ).update(type="integer"),
    f"{POST}, request/userId: maxLength was 128, and is 127.": lambda it: field(
        it, "userId"
    ).update(maxLength=127),
    f"{POST}, request/userEmail: minLength was not there, and is 1.": lambda it: field(
        it, "userEmail"
    ).update(minLength=1),
    f"{POST}, request/expirationSeconds: minimum was 60, and is 61.": lambda it: field(
        it, "expirationSeconds"
    ).update(minimum=61),
    f"{POST}, request/expirationSeconds: maximum was 86400, and is 86399.": lambda it: field(
        it, "expirationSeconds"
    ).update(maximum=86399),
    f"{POST}, request/isModerator: default was False, and is True.": lambda it: field(
        it, "isModerator"
    ).update(default=True),
    f"{POST}, request/isModerator: default was False, and is not there.": lambda it: field(
        it, "isModerator"
    ).pop("default"),
    f"{POST}, request/userAvatar: pattern was '^[Hh][Tt][Tt][Pp][Ss]://', and is '^https://'.": (
        lambda it: field(it, "userAvatar").update(pattern="^https://")
    ),
    f"{POST}, request/userEmail: format was 'idn-email', and is 'email'.": lambda it: field(
        it, "userEmail"
    ).update(format="email"),
    f"{POST}, request/notBefore: type was 'integer', and is 'string'.": lambda it: field(
        it, "notBefore"
    )["anyOf"].pop(0),
    f"{POST}, request/features (additionalProperties): type was 'boolean', and is 'string'.": (
        lambda it: field(it, "features")["additionalProperties"].update(type="string")
    ),
    f"{POST}, request/features: additionalProperties was another schema, and is False.": (
        lambda it: field(it, "features").update(additionalProperties=False)
    ),
    f"{POST}, request/userId: multipleOf changed, which nobody can judge here.": lambda it: field(
        it, "userId"
    ).update(multipleOf=2),
}
HARMLESS: dict[str, Change] = {
    "a path": lambda it: it["paths"].update({"/api/v2": it["paths"]["/api/jitsi/jwt"]}),
    "a method": lambda it: it["paths"]["/api/jitsi/jwt"].update(put=operation(it, POST)),
    "a status": lambda it: operation(it, POST)["responses"].update({"409": {"description": ""}}),
    "an optional parameter": lambda it: operation(it, ASAP)["parameters"].append(
        {"name": "at", "in": "query", "required": False, "schema": {"type": "string"}}
    ),
    "a header of an answer": lambda it: operation(it, POST)["responses"]["200"]["headers"].update(
        {"Date": {"required": True, "schema": {"type": "string"}}}
    ),
    "a field of an answer": lambda it: schema(it, "IssuedToken")["properties"].update(
        id={"type": "string"}
    ),
    "a field that is always there": lambda it: schema(it, "InvalidRequest").update(
        required=["type", "title", "status", "detail", "errors"]
    ),
    "an answer's value less": lambda it: schema(it, "Diagnostics")["properties"]["provider"].update(
        enum=["jaas"]
    ),
    "an answer that is never null": lambda it: schema(it, "Diagnostics")["properties"]["keyId"][
        "anyOf"
    ].pop(1),
    "an optional field of a request": lambda it: schema(it, "TokenRequest")["properties"].update(
        locale={"type": "string"}
    ),
    "a field that may be left out": lambda it: schema(it, "TokenRequest")["required"].remove(
        "userName"
    ),
    "a wider limit": lambda it: field(it, "userId").update(maxLength=256),
    "no limit": lambda it: field(it, "expirationSeconds").pop("maximum"),
    "another form of a value": lambda it: field(it, "notBefore")["anyOf"].append({"type": "null"}),
    "a number where integers were": lambda it: field(it, "expirationSeconds").update(type="number"),
    "a feature": lambda it: field(it, "features")["propertyNames"]["enum"].append("zoom"),
    "no credentials": lambda it: operation(it, POST).update(security=[]),
    "other credentials beside": lambda it: operation(it, POST)["security"].append({"other": []}),
    "another media type of a request": lambda it: operation(it, POST)["requestBody"][
        "content"
    ].update({"text/json": {"schema": {"type": "object"}}}),
    "words": lambda it: field(it, "userId").update(description="Another text.", examples=["x"]),
}


@pytest.fixture
def changed() -> dict[str, Any]:
    """A document to change, of which no part is another's."""
    return copy.deepcopy(document())


@pytest.mark.parametrize("sentence", BREAKING)
def test_a_breaking_change_is_told_in_a_sentence(changed: dict[str, Any], sentence: str) -> None:
    """With the route and the field, what was, and what is."""
    BREAKING[sentence](changed)

    assert sentence in breaking_changes(document(), changed)


@pytest.mark.parametrize("name", HARMLESS)
def test_what_breaks_nobody_is_not_told(changed: dict[str, Any], name: str) -> None:
    """Nothing, where the document is a different one."""
    HARMLESS[name](changed)

    assert changed != document()
    assert breaking_changes(document(), changed) == []


def test_the_command_compares_with_an_earlier_document(
    changed: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and the sentences, or 0 and nothing."""
    old = tmp_path / "openapi.yaml"
    old.write_text(yaml.safe_dump(changed))
    assert command.main(["--compare", str(old)]) == 0
    assert capsys.readouterr().err == ""

    changed["paths"]["/gone"] = changed["paths"]["/api/jitsi/jwt"]
    old.write_text(yaml.safe_dump(changed))

    assert command.main(["--compare", str(old)]) == 1
    assert (
        capsys.readouterr().err == "GET /gone is gone.\nHEAD /gone is gone.\nPOST /gone is gone.\n"
    )

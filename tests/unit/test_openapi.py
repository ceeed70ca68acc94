"""docs/openapi.yaml: in step with the types and the template, complete, and valid."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml

import openapi.document
from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.problems import NOT_FOUND, UNAUTHORIZED
from jitsi_tokens.core.public_keys import PublicKey, jwks
from jitsi_tokens.core.text import rejection_reason
from local_stack.emulator import LOCAL, ROOT
from openapi.key_set import JwkSet
from openapi.problems import EXAMPLES
from openapi.schemas import kind_name
from tests.template_reading import GATEWAY_RESPONSES, KINDS, PARAMETERS, routes

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (ROOT / "docs" / "openapi.yaml").read_text()
DOCUMENT = openapi.document.document()
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS: dict[tuple[str, str], Any] = {
    (path, method): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}

# In the environment of schemathesis, which ships the meta-schema and a validator.
VALIDATE = """
import json, sys
from jsonschema_rs import Draft202012Validator, meta
from schemathesis.specs.openapi.definitions import OPENAPI_31

document, pairs = json.load(sys.stdin)
complaints = [str(error) for error in Draft202012Validator(OPENAPI_31).iter_errors(document)]
for schema, value in pairs:
    meta.validate(schema)
    whole = schema | {"components": document["components"]}
    validator = Draft202012Validator(whole, validate_formats=True)
    complaints += [str(error) for error in validator.iter_errors(value)]
print(json.dumps(complaints))
"""


def nodes(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Return every object of a document with its place; what an example holds is none."""
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from nodes(item, (*path, str(index)))
    if isinstance(node, dict):
        yield path, node
        for name, child in node.items():
            if name not in ("example", "examples", "value") or path[-1:] == ("properties",):
                yield from nodes(child, (*path, name))


def examples(node: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return the examples of a node, each with the schema that it is to fit."""
    if isinstance(node.get("examples"), list):
        return [(node, value) for value in node["examples"]]
    if not isinstance(node.get("schema"), dict):
        return []
    if "example" in node:
        return [(node["schema"], node["example"])]
    return [(node["schema"], resolved(each)["value"]) for each in node.get("examples", {}).values()]


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference points to."""
    found: Any = DOCUMENT
    for name in node["$ref"].removeprefix("#/").split("/") if "$ref" in node else ():
        found = found[name]
    return found if "$ref" in node else node


def kinds_of(answer: dict[str, Any]) -> set[str]:
    """Return the names of the problems' schemas that an answer can hold."""
    content = resolved(answer).get("content", {}).get("application/problem+json")
    if content is None:
        return set()
    schema = content["schema"]
    return {each["$ref"].rpartition("/")[2] for each in schema.get("oneOf", [schema])}


def test_the_file_is_in_step_with_the_types() -> None:
    """After a change of a type: `make openapi`."""
    assert openapi.document.text() == TEXT
    assert yaml.safe_load(TEXT) == DOCUMENT


def test_the_document_and_its_examples_are_valid() -> None:
    """By the meta-schema of OpenAPI 3.1, and each example by its own schema."""
    pairs = [pair for _, node in nodes(DOCUMENT) for pair in examples(node)]

    finished = subprocess.run(  # noqa: S603 - the code above
        [LOCAL / "schemathesis" / "bin" / "python", "-c", VALIDATE],
        input=json.dumps([DOCUMENT, pairs]),
        capture_output=True,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == []


def test_every_field_has_a_description_and_an_example() -> None:
    """Of requests, answers, problems, parameters and headers."""
    fields = [
        (path, resolved(node) if path[-2:-1] == ("headers",) else node)
        for path, node in nodes(DOCUMENT)
        if path[-2:-1] in (("properties",), ("headers",), ("parameters",))
    ]
    bodies = [(path, node) for path, node in nodes(DOCUMENT) if path[-2:-1] == ("content",)]

    assert len(fields) > 80
    assert [path for path, node in fields if not node.get("description")] == []
    assert [
        path for path, node in fields + bodies if "example" not in node and not node.get("examples")
    ] == []


def test_every_operation_tag_answer_and_schema_says_what_it_is() -> None:
    """In words of its own."""
    described = [
        *OPERATIONS.values(),
        *DOCUMENT["tags"],
        *DOCUMENT["servers"],
        *SCHEMAS.values(),
        *(resolved(each) for one in OPERATIONS.values() for each in one["responses"].values()),
        *DOCUMENT["components"]["securitySchemes"].values(),
    ]

    assert all(each["description"] for each in described)
    tags = {tag for operation in OPERATIONS.values() for tag in operation["tags"]}
    assert tags == {tag["name"] for tag in DOCUMENT["tags"]}


def test_the_routes_are_those_of_the_template() -> None:
    """Each with its method, and with an API key where the template asks for one."""
    assert {key: bool(operation["security"]) for key, operation in OPERATIONS.items()} == {
        (path.replace("+}", "}"), method.lower()): "Auth" not in event
        for (path, method), (_, event) in routes().items()
        if method != "ANY"
    }


def test_every_kind_of_problem_is_documented() -> None:
    """With its own type, title and status, and under that status alone."""
    assert set(EXAMPLES) == set(KINDS.values())
    for kind in KINDS.values():
        fields = SCHEMAS[kind_name(kind)]["properties"]
        constants = {name: field["const"] for name, field in fields.items() if "const" in field}
        assert constants == {"type": kind.type, "title": kind.title, "status": kind.status}
    for operation in OPERATIONS.values():
        for status, answer in operation["responses"].items():
            for name in kinds_of(answer):
                assert str(SCHEMAS[name]["properties"]["status"]["const"]) == status


def test_whatever_api_gateway_answers_is_documented() -> None:
    """For every route, as it comes before the functions; 401 only where a key is needed.

    Its 404s are for paths that the document does not have.
    """
    answered = {
        KINDS[json.loads(response["ResponseTemplates"]["application/json"])["type"]]
        for response in GATEWAY_RESPONSES.values()
    }

    for (_, method), operation in OPERATIONS.items():
        expected = answered - {NOT_FOUND} - (set() if operation["security"] else {UNAUTHORIZED})
        assert {str(kind.status) for kind in expected} <= operation["responses"].keys()
        documented = set().union(*map(kinds_of, operation["responses"].values()))
        if method == "head":  # has no body
            assert documented == set()
        else:
            assert documented >= {kind_name(kind) for kind in expected}


def test_the_request_names_jitsis_features_and_the_longest_lifetime() -> None:
    """The first from the list that requests are checked with, the second from the template."""
    properties = SCHEMAS["TokenRequest"]["properties"]

    assert set(properties["features"]["propertyNames"]["enum"]) == FEATURES
    longest = PARAMETERS["MaximumLifetimeSeconds"]["MaxValue"]
    assert properties["expirationSeconds"]["maximum"] == longest
    assert SCHEMAS["TokenRequest"]["additionalProperties"] is False


@pytest.mark.parametrize("field", ["userId", "userName", "roomName"])
def test_a_pattern_refuses_no_text_that_the_service_takes(field: str) -> None:
    """Nor does it take a character that a token must not hold."""
    pattern = re.compile(SCHEMAS["TokenRequest"]["properties"][field]["pattern"])
    also = "/?&:'\"" if field == "roomName" else ""

    for character in map(chr, [*range(0xD800), *range(0xE000, 0x11000)]):
        reason = rejection_reason(f"a{character}b")
        assert (pattern.search(f"a{character}b") is None) == bool(reason or character in also)


def test_the_key_set_is_the_one_that_is_served() -> None:
    """No field more, and none less."""
    key = PublicKey(kid="a", pem="", n="bg", e="AQAB", published_at=0)

    served = jwks([key])

    assert msgspec.to_builtins(msgspec.convert(served, JwkSet)) == served


def test_nothing_in_it_reads_like_a_secret() -> None:
    """An API key ends behind its prefix, a token behind its header, a PEM in its first line."""
    assert not re.search(r"jtk_[0-9A-Za-z]|PRIVATE|eyJ[\w-]*\.[\w-]", TEXT)

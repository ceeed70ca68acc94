"""What is run in containers: the built functions of deployed stacks, their floors, and the peer."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jitsi_tokens.keys import read_key
from local_stack import deployment
from local_stack.building import BUILT
from local_stack.emulator import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.peers.build import Built
    from jitsi_tokens.keys import Algorithm, SigningKey
    from tests.stack.service import Service

EXTENSION = "IssueToken, HS256, secrets from a stand-in for AWS's extension"
COMPILED = "Powertools and pydantic, HS256, compiled"
PLAIN = "Powertools and pydantic, HS256, as plain sam build leaves it"
BOTOCORE_CLIENT = "a client of secretsmanager, by botocore"

LAYER = BUILT / "JitsiTokensLayer" / "python"
# Each function's clients: an empty handler that makes them is the floor of its start.
FLOORS = {
    "IssueToken": "secretsmanager",
    "AuthorizeClient": "dynamodb",
    "ProbeConfig": "ssm",
    "CheckKey": "secretsmanager,ssm",
    "ServePublicKey": "ssm",
    "RotateSigningKey": "secretsmanager,ssm",
}

_FLOOR = "a client of "
_HERE = Path(__file__).parent
_CLIENT = _HERE.parent / "peers" / "client"
_EXTENSION_FOLDER = _HERE.parent / "peers" / "extension"
_BOTOCORE_CLIENT_FOLDER = _HERE.parent / "peers" / "botocore_client"


class Subject(NamedTuple):
    """A handler to measure: where it is, what it is called with, what it must answer."""

    name: str
    folder: Path
    layers: tuple[Path, ...]
    environment: dict[str, str]
    event: dict[str, Any]
    check: Callable[[Any], None]


def nothing(_answer: object) -> None:
    """Take any answer."""


EMPTY = Subject("an empty handler", _HERE / "empty", (), {}, {}, nothing)


def floor(name: str, peers: Built, environment: Mapping[str, str]) -> Subject:
    """Return an empty handler that makes clients, with boto3 over the layer's own botocore."""
    variables = {**environment, "FLOOR_CLIENTS": name.removeprefix(_FLOOR)}
    return Subject(name, _CLIENT, (LAYER, peers.trimmed), variables, {}, nothing)


def botocore_client(environment: Mapping[str, str]) -> Subject:
    """Return an empty handler that makes its client without boto3: what boto3 adds to a floor."""
    return Subject(
        BOTOCORE_CLIENT, _BOTOCORE_CLIENT_FOLDER, (LAYER,), dict(environment), {}, nothing
    )


def floor_of(function: str) -> str:
    """Return the name of a function's floor; whatever stands behind its name is no part of it."""
    return f"{_FLOOR}{FLOORS[function.partition(',')[0]]}"


def started(function: str, environment: Mapping[str, str]) -> Subject:
    """Return a built function that is started, and called for nothing."""
    folder = function_folder(function.partition(",")[0])
    return Subject(function, folder, (LAYER,), dict(environment), {}, nothing)


def function_folder(name: str) -> Path:
    """Return a built function's folder, as `sam build` leaves it: without bytecode."""
    folder = BUILT / name
    shutil.rmtree(folder / "__pycache__", ignore_errors=True)
    return folder


def issue_token(service: Service, algorithm: Algorithm) -> Subject:
    """Return what signs; each of its tokens is verified with the stack's key."""
    return Subject(
        f"IssueToken, {algorithm}",
        function_folder("IssueToken"),
        (LAYER,),
        _variables(service, "IssueToken"),
        _event("issue_token_doctor"),
        _verified_with(service, algorithm),
    )


def with_extension(service: Service, port: int) -> Subject:
    """Return what signs, with its secrets from a stand-in for AWS's extension at a port."""
    subject = issue_token(service, "HS256")
    extension = {
        "ISSUE_TOKEN_APP": str(subject.folder / "app.py"),
        "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(port),
        "AWS_SESSION_TOKEN": "session",
    }
    environment = subject.environment | extension
    return subject._replace(name=EXTENSION, folder=_EXTENSION_FOLDER, environment=environment)


def secrets_of(service: Service) -> dict[str, str]:
    """Return what a stack's secrets hold, by the names that its functions have for them."""
    variables = _variables(service, "IssueToken")
    manager = deployment.client(service.emulator, "secretsmanager")
    names = (variables["SIGNING_KEY_SECRET"], variables["DIGEST_KEY_SECRET"])
    return {name: manager.get_secret_value(SecretId=name)["SecretString"] for name in names}


def peer(service: Service, folder: Path, name: str) -> Subject:
    """Return the stack that most people would build, given the same event and settings."""
    return Subject(
        name,
        folder,
        (),
        _variables(service, "IssueToken"),
        _event("issue_token_doctor"),
        _verified_with(service, "HS256"),
    )


def authorize_client(service: Service) -> Subject:
    """Return what recognises callers; it has to know its own."""
    api_key = service.add_client("caller", "--any-room")

    def check(answer: Any) -> None:
        if answer["principalId"] != "caller":
            raise ValueError("another client")

    return Subject(
        "AuthorizeClient",
        function_folder("AuthorizeClient"),
        (LAYER,),
        _variables(service, "AuthorizeClient"),
        _event("authorize_client") | {"authorizationToken": f"Bearer {api_key}"},
        check,
    )


def probe_config(service: Service) -> Subject:
    """Return what says whether tokens can be signed; it has to say yes."""
    return _of(service, "ProbeConfig", _event("probe_config"), _says('"configured":true'))


def serve_public_key(service: Service) -> Subject:
    """Return what serves public keys; there has to be one."""
    return _of(service, "ServePublicKey", _event("serve_public_key_jwks"), _says('"kid"'))


def check_key(service: Service) -> Subject:
    """Return what tries the key; it has to find it sound."""

    def check(answer: Any) -> None:
        if not answer["configured"]:
            raise ValueError("the key cannot sign")

    return _of(service, "CheckKey", _event("check_key"), check)


def rotate_signing_key(service: Service) -> Subject:
    """Return what rotates keys, with a step that is done already."""
    secret = service.stack.outputs["SigningKeySecret"]
    current = deployment.client(service.emulator, "secretsmanager").get_secret_value(
        SecretId=secret
    )
    variables = _variables(service, "RotateSigningKey")
    event = {
        "Step": "createSecret",
        "SecretId": variables["SIGNING_KEY_SECRET"],
        "ClientRequestToken": current["VersionId"],
    }

    def check(answer: Any) -> None:
        if answer is not None:
            raise ValueError("the step was refused")

    return _of(service, "RotateSigningKey", event, check)


def _of(
    service: Service, function: str, event: dict[str, Any], check: Callable[[Any], None]
) -> Subject:
    variables = _variables(service, function)
    return Subject(function, function_folder(function), (LAYER,), variables, event, check)


def _says(text: str) -> Callable[[Any], None]:
    def check(answer: Any) -> None:
        if answer["statusCode"] != 200 or text not in answer["body"]:  # noqa: PLR2004 - HTTP's
            raise ValueError("another answer")

    return check


@functools.cache
def _key(document: str, algorithm: Algorithm) -> SigningKey:
    return read_key(document, algorithm=algorithm, kid_prefix="")


def _verified_with(service: Service, algorithm: Algorithm) -> Callable[[Any], None]:
    key = _key(json.dumps(service.secret_document()), algorithm)

    def check(answer: Any) -> None:
        key.verify(json.loads(answer["body"])["token"])

    return check


def _variables(service: Service, function: str) -> dict[str, str]:
    variables: dict[str, str] = service.function(function)["Environment"]["Variables"]
    return variables | service.emulator.environment()


def _event(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((ROOT / "events" / f"{name}.json").read_text())
    return event

"""The built functions of deployed stacks, and the peer: each with a call that has to succeed."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

from benchmarks.speed.subjects import EXTENSION, LAYER, Subject, function_folder
from jitsi_tokens.keys import read_key
from local_stack import deployment
from local_stack.emulator import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jitsi_tokens.keys import Algorithm, SigningKey
    from tests.stack.service import Service

_EXTENSION_FOLDER = ROOT / "benchmarks" / "peers" / "extension"


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

"""What the code of today answers to what was sent, and sends where it was called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.clients import unruly_server as unruly
from tests.clients.drop_ins import DROP_INS, python
from tests.clients.php_caller import php
from tests.clients.samples import API_KEY, ID_KEY, WELL
from tests.compatibility.scene import parts_of

if TYPE_CHECKING:
    from tests.compatibility.scene import Scene

_OK = 200


def token_request(scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of POST /api/jitsi/jwt, the token's claims, and the audit line."""
    kid = scene.give_key(given["stack"])
    scene.give_digest_key(given["digestKey"])
    event = {
        "httpMethod": "POST",
        "resource": "/api/jitsi/jwt",
        "headers": {"Content-Type": "application/json"},
        "body": given["body"],
        "requestContext": {
            "extendedRequestId": "recorded",
            "authorizer": {"client": given["client"]},
        },
    }
    response, printed = scene.call("issue_token", given["stack"], event, given["now"])
    line = json.loads(printed)
    then = {
        "status": response["statusCode"],
        # Metrics begin with a capital, and jti is another one each time.
        "line": {name: line[name] for name in line if name[0].islower() and name != "jti"},
    }
    body = json.loads(response["body"])
    if then["status"] != _OK:
        fields = [error["pointer"] for error in body.get("errors", [])]
        return then | {"type": body["type"], "fields": fields}
    header, claims = parts_of(body["token"])
    assert (line["jti"], line["kid"]) == (claims.pop("jti"), kid)
    answer = json.loads(response["body"].replace(body["token"], "<token>"))
    return then | {"answer": answer, "header": header, "claims": claims}


def script_call(_scene: Scene, given: dict[str, Any]) -> dict[str, Any]:
    """Return the body that a call of a script sends."""
    drop_in = DROP_INS[given["language"]]
    with unruly.UnrulyServer(WELL) as server:
        variables = {
            "JITSI_TOKENS_URL": server.url,
            "JITSI_TOKENS_API_KEY": API_KEY,
            "JITSI_TOKENS_ID_KEY": ID_KEY,
        }
        if given["language"] == "python":
            program = f"from generate_jwt_token import generate_jwt_token\n{given['call']}"
            finished = python("-c", program, **variables)
        else:
            program = f"<?php require '{drop_in.script}'; {given['call']};"
            finished = php(text=program, **variables)
        assert finished.returncode == 0, finished.stderr
        return {"body": json.loads(server.received[0].body)}

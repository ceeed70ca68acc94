"""The routes of the template, each with its parameters and its responses."""

from __future__ import annotations

import hashlib
from typing import Any

from openapi.answers import json_answer, not_modified, pem_answer, refusals, with_head
from openapi.schemas import example, reference, schemas
from openapi.visit_routes import join_paths, visit_paths

# What API Gateway itself can answer to any request.
_BEFORE = ("Unreadable", "Filtered")
_BEHIND = ("TooLarge", "TooMany", "Unavailable")
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of an earlier response. If still current, the response is 304.",
    "schema": {"type": "string"},
    "example": f'"{"0123456789abcdef" * 4}"',
}
_FILE = {
    "name": "file",
    "in": "path",
    "required": True,
    "description": "The SHA-256 of the key's `kid` in lower-case hex, followed by `.pem`.",
    "schema": {"type": "string", "pattern": r"^[0-9a-f]{64}\.pem$"},
    "example": f"{hashlib.sha256(b'initial').hexdigest()}.pem",
}


def paths() -> dict[str, Any]:
    """Return every path with its methods."""
    return {
        "/api/jitsi/jwt": with_head(_probe()) | {"post": _issue()},
        "/api/jitsi/diagnostics": with_head(_diagnostics()),
        **visit_paths(),
        **join_paths(),
        "/asap/{file}": with_head(_public_key()),
        "/.well-known/jwks.json": with_head(_public_keys()),
    }


def _issue() -> dict[str, Any]:
    everything = example(schemas()["TokenRequest"])
    required = {name: everything[name] for name in ("userId", "userName", "roomName")}
    doctor = required | {
        "isModerator": True,
        "expirationSeconds": everything["expirationSeconds"],
        "features": everything["features"],
    }
    patient = required | {"userId": "user-456", "userName": "John Doe"}
    return {
        "operationId": "issueToken",
        "tags": ["tokens"],
        "summary": "Issue a meeting token",
        "description": (
            "Returns a token for one person, one room and one time, and the URL that joins the room"
            " with it. Unknown fields, duplicate names and values over a limit are rejected, never"
            " silently changed. The client's policy limits rooms, roles, features and times."
        ),
        "security": [{"apiKey": []}],
        "requestBody": {
            "description": "A JSON object in UTF-8, at most 16,384 bytes, no `Content-Encoding`.",
            "required": True,
            "content": {
                "application/json": {
                    "schema": reference("TokenRequest"),
                    "examples": {
                        "doctor": {"summary": "A moderator, for one hour", "value": doctor},
                        "patient": {"summary": "A guest", "value": patient},
                    },
                }
            },
        },
        "responses": {
            "200": json_answer("IssuedToken", "The token, and the URL that joins the room."),
            **refusals("Refused", "Unknown", "Forbidden", "TooLarge", "NotJson"),
            **refusals("TooMany", "Unavailable"),
        },
    }


def _probe() -> dict[str, Any]:
    return {
        "operationId": "probe",
        "tags": ["status"],
        "summary": "Check whether the service works",
        "description": (
            "Returns the result of the last check of the signing key, which runs every five"
            " minutes. Needs no API key."
        ),
        "security": [],
        "responses": {
            "200": json_answer("Probe", "Whether the last check signed and verified a token."),
            **refusals(*_BEFORE, *_BEHIND),
        },
    }


def _diagnostics() -> dict[str, Any]:
    return {
        "operationId": "readDiagnostics",
        "tags": ["status"],
        "summary": "Read the diagnostics",
        "description": (
            "Returns which key signs, the limits of the stack, and what is wrong. Only for clients"
            " whose policy allows it (`jitsi-tokens client add --diagnostics`)."
        ),
        "security": [{"apiKey": []}],
        "responses": {
            "200": json_answer("Diagnostics", "The signing key, the limits, and what is wrong."),
            **refusals("Unreadable", "Unknown", "Forbidden", *_BEHIND),
        },
    }


def _public_key() -> dict[str, Any]:
    return {
        "operationId": "readPublicKey",
        "tags": ["public keys"],
        "summary": "Read a public key, for Prosody",
        "description": (
            "Returns one public key as PEM, at the path that Prosody requests. Only stacks for a"
            " self-hosted Jitsi with RS256 publish keys; others return 404."
        ),
        "security": [],
        "parameters": [_FILE, _IF_NONE_MATCH],
        "responses": {
            "200": pem_answer(),
            "304": not_modified(),
            **refusals(*_BEFORE, "NotPublished", *_BEHIND),
        },
    }


def _public_keys() -> dict[str, Any]:
    return {
        "operationId": "readPublicKeys",
        "tags": ["public keys"],
        "summary": "Read all public keys",
        "description": (
            "Returns all public keys as a JWK set (RFC 7517). Only stacks for a self-hosted Jitsi"
            " with RS256 publish keys; others return 404."
        ),
        "security": [],
        "parameters": [_IF_NONE_MATCH],
        "responses": {
            "200": json_answer(
                "JwkSet",
                "The public keys, newest first.",
                media_type="application/jwk-set+json",
                public=True,
            ),
            "304": not_modified(),
            **refusals(*_BEFORE, "NotPublished", *_BEHIND),
        },
    }

"""Signing keys over HTTP: published, found as Prosody and PyJWT find them, and changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jwt
import pytest

from jitsi_tokens.core.public_keys import name_of

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

JWKS = "/.well-known/jwks.json"


def kid_of(token: str) -> str:
    """Return the id of the key that a token names."""
    return str(jwt.get_unverified_header(token)["kid"])


def test_a_tokens_kid_hashed_is_where_its_key_is_found(published: Service) -> None:
    """As Prosody looks for it; and PyJWT finds it in the JWKS."""
    token = published.post().json()["token"]
    path = f"/asap/{name_of(kid_of(token))}.pem"

    answer = published.http.get(path)
    keys = jwt.PyJWKClient(f"{published.stack.url}{JWKS}").get_signing_keys()

    assert answer.text.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert answer.headers["content-type"] == "application/x-pem-file"
    assert answer.headers["cache-control"] == "public, max-age=60"
    for key in (answer.text, next(key.key for key in keys if key.key_id == kid_of(token))):
        jwt.decode(token, key, ["RS256"], audience="openemr_telehealth")
    for each in (path, JWKS):
        again = {"If-None-Match": published.http.head(each).headers["etag"]}
        for method in ("GET", "HEAD"):
            known = published.http.request(method, each, headers=again)
            assert (known.status_code, known.content) == (304, b"")


def test_tokens_verify_before_and_after_a_rotation(published: Service) -> None:
    """The earlier key stays published beside the new one."""
    earlier = published.post().json()["token"]

    published.rotate()
    published.replace_containers()
    later = published.post().json()["token"]

    assert kid_of(earlier) != kid_of(later)
    for token in (earlier, later):
        assert published.claims(token)["sub"] == "clinic"


def test_a_key_of_jaas_and_its_kid_change_together(jaas: Service) -> None:
    """A staged key signs nothing; after a promotion and a rollback each token verifies by its kid.

    8x8 finds a key by the id that it gave to what was uploaded.
    """
    run = jaas.commands.run
    uploaded = {"4f4910": jaas.public_pem()}
    uploaded["second2"] = json.loads(run("key", "stage", "--json"))["publicKey"]
    signed = []

    for change in (
        ["list"],
        ["promote", "--kid", "second2", "--yes"],
        ["rollback", "--yes"],
    ):
        run("key", *change)
        jaas.replace_containers()
        token = jaas.post().json()["token"]
        kid = kid_of(token).rpartition("/")[2]
        jwt.decode(token, uploaded[kid], ["RS256"], audience="jitsi")
        signed.append(kid)

    assert signed == ["4f4910", "second2", "4f4910"]
    assert "PRIVATE" not in run("key", "list", "--json") + run("key", "show", "--json")

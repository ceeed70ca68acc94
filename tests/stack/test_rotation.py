"""Keys that rotate: published, found as Prosody and PyJWT find them, and changed under load."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections import Counter
from typing import TYPE_CHECKING

import jwt
import pytest

from jitsi_tokens.core.public_keys import name_of
from jitsi_tokens.core.rsa_keys import jwk, make_rsa_key, public_pem
from local_stack import deployment, rotation
from local_stack.rotation import STEPS, RotationFailure
from tests.stack.load import Load, published_pem, verifies

if TYPE_CHECKING:
    from tests.stack.fault_proxy import FaultProxy
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

ROTATIONS = 3
JWKS = "/.well-known/jwks.json"
WEAK_PEM = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDfHZVoQcZ3j6mpuCAMa8eje4Ll
RXM9MYPPcZsf6t8PQZYIBekHPswahnrSN0JqZj5awRFSa/WrTb/sVNL7yvwtmhc0
TylbSCxOk0JPawsJgM14HWTltt0pEt/8RC97zcQeHE8wBVkIIY+jwLsf7Jv/wbaY
K6+Ij6Di5m9bjAe1uQIDAQAB
-----END PUBLIC KEY-----
"""
CURVE_PEM = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE5iCet51KZM4duWm86DTuk21x2bXY
R7eE8NJA8W4hMD+yv0gb9aeWkLGMp8sjmNvP36p8VdPCG9MaPPpH6HAeww==
-----END PUBLIC KEY-----
"""


def take(service: Service, step: str, token: str, secret_id: str | None = None) -> None:
    """Take one step of a rotation."""
    rotation.take_step(service.emulator, service.stack, step, token, secret_id)


def jwks_of(service: Service) -> jwt.PyJWKClient:
    """Return what finds a token's key in the stack's JWKS."""
    return jwt.PyJWKClient(f"{service.stack.url}/.well-known/jwks.json", cache_jwk_set=False)


def test_a_tokens_kid_hashed_is_where_its_key_is_found(published: Service) -> None:
    """As Prosody looks for it; and PyJWT finds it in the JWKS."""
    token = published.post().json()["token"]
    kid = jwt.get_unverified_header(token)["kid"]

    answer = published.http.get(f"/asap/{name_of(kid)}.pem")

    assert answer.status_code == 200
    assert answer.text.startswith("-----BEGIN PUBLIC KEY-----\n")
    assert answer.headers["content-type"] == "application/x-pem-file"
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert verifies(token, answer.text)
    assert verifies(token, jwks_of(published).get_signing_key_from_jwt(token).key)
    again = {"If-None-Match": answer.headers["etag"]}
    assert published.http.get(f"/asap/{name_of(kid)}.pem", headers=again).status_code == 304


def test_the_published_key_is_what_openssl_makes_of_the_private_one(published: Service) -> None:
    """Byte by byte, of the 4096-bit key that the rotation made."""
    document = published.secret_document()
    command = ["openssl", "rsa", "-pubout"]
    made = subprocess.run(  # noqa: S603 - the command above
        command, input=document["private_key"].encode(), capture_output=True, check=True
    ).stdout

    answer = published.http.get(f"/asap/{name_of(document['kid'])}.pem")

    assert answer.content == made
    assert len(made) == 800


@pytest.mark.slow
def test_rotations_under_load_fail_nobody(published: Service) -> None:
    """Every token verifies when it is issued, and at the end; the keys of all are published."""
    with Load(published, published_pem(published)) as load:
        for _ in range(ROTATIONS):
            published.rotate()
            # Half of what happens in five minutes: containers that know the new key, at once.
            published.replace_containers()
            load.go_on(50)

    jwks = jwks_of(published)
    keys = {key.key_id: key.key for key in jwks.get_signing_keys()}
    assert load.failures == []
    assert len(load.kids) == ROTATIONS + 1
    assert all(
        verifies(token, keys[jwt.get_unverified_header(token)["kid"]]) for token in load.tokens
    )


@pytest.mark.slow
def test_a_key_that_is_not_what_is_published_does_not_get_through(published: Service) -> None:
    """The test step refuses it, the current key stays, and what is left behind is cleaned up."""
    kid = published.secret_document()["kid"]
    token = str(uuid.uuid4())
    take(published, "createSecret", token)
    take(published, "setSecret", token)
    ssm = deployment.client(published.emulator, "ssm")
    manager = deployment.client(published.emulator, "secretsmanager")
    pending = manager.get_secret_value(
        SecretId=published.stack.outputs["SigningKeySecret"], VersionId=token
    )
    new = json.loads(pending["SecretString"])["kid"]
    name = f"{published.stack.outputs['PublicKeysPath']}/{name_of(new)}"
    record = json.loads(ssm.get_parameter(Name=name)["Parameter"]["Value"])
    record["pem"] = public_pem(make_rsa_key(2048).public_key())
    ssm.put_parameter(Name=name, Value=json.dumps(record), Overwrite=True)

    with pytest.raises(RotationFailure, match="another key"):
        take(published, "testSecret", token)
    with pytest.raises(RotationFailure, match="not published"):
        take(published, "finishSecret", token)

    assert published.secret_document()["kid"] == kid
    published.commands.run("key", "cleanup", "--yes")
    published.commands.run("key", "withdraw", new, "--yes")
    published.rotate()
    assert published.secret_document()["kid"] != kid


def test_a_forged_entry_is_never_served(published: Service) -> None:
    """Another key's numbers beside a PEM, and what is no good RSA key or stands elsewhere."""
    ssm = deployment.client(published.emulator, "ssm")
    path = published.stack.outputs["PublicKeysPath"]
    kid = published.secret_document()["kid"]
    name = f"{path}/{name_of(kid)}"
    kept = ssm.get_parameter(Name=name)["Parameter"]["Value"]
    record = json.loads(kept)
    theirs = make_rsa_key(2048).public_key()
    forged = record | jwk(theirs)._asdict()
    others = {
        "elsewhere": record | {"kid": "moved"},
        name_of("weak"): record | {"kid": "weak", "pem": WEAK_PEM},
        name_of("curve"): record | {"kid": "curve", "pem": CURVE_PEM},
    }
    try:
        ssm.put_parameter(Name=name, Value=json.dumps(forged), Overwrite=True)
        for other, value in others.items():
            ssm.put_parameter(Name=f"{path}/{other}", Value=json.dumps(value), Type="String")
        published.replace_containers("ServePublicKey")

        keys = {key["kid"]: key for key in published.http.get(JWKS).json()["keys"]}
        pems = [published.http.get(f"/asap/{each}.pem").status_code for each in list(others)[1:]]
    finally:
        ssm.put_parameter(Name=name, Value=kept, Overwrite=True)
        for other in others:
            ssm.delete_parameter(Name=f"{path}/{other}")
        published.replace_containers("ServePublicKey")

    assert (keys[kid]["n"], keys[kid]["e"]) == (record["n"], record["e"])
    assert not {"moved", "weak", "curve"} & keys.keys()
    assert jwk(theirs).n not in json.dumps(keys)
    assert pems == [404, 404]


def test_a_rotation_of_another_secret_is_refused(published: Service) -> None:
    """Whatever it may read, the function rotates its own."""
    with pytest.raises(RotationFailure, match="its own stack"):
        take(published, "createSecret", str(uuid.uuid4()), f"{published.stack.name}-other")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("stack", ["jaas", "self_hosted"])
def test_a_key_that_must_not_rotate_does_not(
    request: pytest.FixtureRequest, stack: str, step: str
) -> None:
    """Jitsi would refuse every token: the step says what to do in its place."""
    service: Service = request.getfixturevalue(stack)
    before = service.secret_document()

    with pytest.raises(RotationFailure, match="key stage"):
        take(service, step, str(uuid.uuid4()))

    assert service.secret_document() == before


@pytest.mark.parametrize(
    "path",
    [
        *("/asap", "/asap/", "/asap/x", "/asap/.pem", "/asap/x.pem", "/asap/jwks.json"),
        f"/asap/{'0' * 64}.pem",
        f"/asap/{'0' * 64}",
        f"/asap/{'0' * 64}.PEM",
        f"/asap/{'0' * 63}.pem",
        f"/asap/{'0' * 65}.pem",
        f"/asap/{'A' * 64}.pem",
        f"/asap/{'g' * 64}.pem",
        f"/asap/{'0' * 64}.pem/",
        f"/asap/{'0' * 64}.pem%0a",
        f"/asap/%2e%2e%2f{'0' * 64}.pem",
        f"/asap//{'0' * 64}.pem",
        *("/.well-known", "/.well-known/", "/.well-known/jwks", "/jwks.json"),
    ],
)
def test_what_is_no_published_key_is_not_found(published: Service, path: str) -> None:
    """And nobody keeps the answer: the next one may be a key."""
    answer = published.http.get(path)

    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_stack_that_publishes_nothing_has_no_keys(jaas: Service) -> None:
    """8x8 has the public key of JaaS."""
    assert jaas.http.get("/.well-known/jwks.json").status_code == 404
    assert jaas.http.get(f"/asap/{name_of('4f4910')}.pem").status_code == 404


def test_hundreds_of_unknown_keys_cost_a_handful_of_reads(
    published: Service, ssm: FaultProxy
) -> None:
    """SSM answers 40 reads a second to the whole account.

    On a busy machine a read may come too late, and until the next one nobody can tell: 503.
    """
    before = ssm.count("GetParametersByPath")

    answers = [published.http.get(f"/asap/{name_of(str(n))}.pem") for n in range(300)]

    statuses = Counter(answer.status_code for answer in answers)
    assert statuses[404] > 0
    assert statuses[404] + statuses[503] == len(answers)
    assert 0 < ssm.count("GetParametersByPath") - before < 10

"""The key changes under load: by a rotation, and by somebody who writes rubbish."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from jitsi_tokens.core.rsa_keys import make_rsa_key, public_pem
from jitsi_tokens.secrets import RETRY_SECONDS
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from jitsi_tokens.status import FRESH_SECONDS
from local_stack import deployment
from local_stack.commands import CommandFailure
from tests.faults.askers import CALLERS, NOT_CONFIGURED, PROBES, PUBLIC_KEYS
from tests.faults.crowd import Crowd
from tests.faults.figures import GOOD, UNVERIFIED, Promise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from tests.faults.world import World
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

OUTLIVED = Promise(outage_seconds=5)
TOLD = Promise(outage_seconds=45, may_answer=frozenset({"503"}))


def write_secret(service: Service, text: str) -> None:
    """Replace the signing secret, as who may write it can."""
    deployment.client(service.emulator, "secretsmanager").put_secret_value(
        SecretId=service.stack.outputs["SigningKeySecret"], SecretString=text
    )


@pytest.fixture
def document(world: World) -> Iterator[dict[str, str]]:
    """What the signing secret holds; put back at the end."""
    before = world.service.secret_document()
    yield before
    write_secret(world.service, json.dumps(before))


def private_pem(key: PrivateKeyTypes) -> str:
    """Return a private key as documents hold it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def unusable(document: dict[str, str]) -> dict[str, str]:
    """Return secrets that hold no key that this stack may sign with."""
    own_public = public_pem(make_rsa_key(2048).public_key())
    elliptic = private_pem(ec.generate_private_key(ec.SECP256R1()))
    return {
        "no JSON": "nonsense",
        "another object": '{"password": "nonsense"}',
        "a shared secret": json.dumps({"algorithm": "HS256", "kid": "x", "secret": "x" * 64}),
        "no kid": json.dumps(document | {"kid": ""}),
        "a public key": json.dumps(document | {"private_key": own_public}),
        "an elliptic key": json.dumps(document | {"private_key": elliptic}),
        "half a key": json.dumps(document | {"private_key": document["private_key"][:800]}),
    }


def test_a_rotation_fails_nobody(world: World) -> None:
    """Every container goes over to the new key, and every token verifies by its kid."""
    before = world.service.secret_document()["kid"]
    with Crowd(world.askers.callers(), world.askers.public_keys()) as crowd:
        world.service.rotate()
        world.clock.jump(KEY_FRESH_SECONDS)
        crowd.go_on(CALLERS, 60)
        token = world.service.post().json()["token"]

    after = world.service.secret_document()["kid"]
    assert jwt.get_unverified_header(token)["kid"] == after != before
    # All callers ask for the new key at once, and the emulator starts containers for them.
    promises = {CALLERS: OUTLIVED, PUBLIC_KEYS: Promise(outage_seconds=20)}
    world.table.hold("the key rotates", crowd, promises)


def test_rubbish_in_place_of_the_key_is_outlived(world: World, document: dict[str, str]) -> None:
    """Whatever it is, every container reads it, refuses it and signs with what it has."""
    manager = world.proxies.secrets_manager
    with Crowd(world.askers.callers()) as crowd:
        for text in unusable(document).values():
            write_secret(world.service, text)
            reads = manager.count("GetSecretValue")
            world.clock.jump(KEY_FRESH_SECONDS)
            crowd.go_on(CALLERS, 15)
            assert manager.count("GetSecretValue") > reads

    world.table.hold("rubbish instead of the key", crowd, {CALLERS: OUTLIVED})


def test_new_containers_that_find_rubbish_say_so(world: World, document: dict[str, str]) -> None:
    """They sign nothing until it is repaired, and then without a restart."""
    with Crowd(world.askers.callers()) as crowd:
        write_secret(world.service, "nonsense")
        world.service.replace_containers()
        crowd.go_on(CALLERS, 20, "503")
        write_secret(world.service, json.dumps(document))
        world.clock.jump(RETRY_SECONDS)
        crowd.go_on(CALLERS, 20, GOOD)

    world.table.hold("rubbish, new containers", crowd, {CALLERS: TOLD})


def test_a_key_that_jitsi_does_not_know_is_found_by_the_check(
    world: World, document: dict[str, str]
) -> None:
    """Who may write the secret may break every token: the probe says so, and repaired is over."""
    stranger = {"kid": "stranger", "private_key": private_pem(make_rsa_key(2048))}
    with Crowd(world.askers.callers(), world.askers.probes()) as crowd:
        write_secret(world.service, json.dumps(document | stranger))
        world.clock.jump(KEY_FRESH_SECONDS)
        crowd.go_on(CALLERS, 20, UNVERIFIED)
        with pytest.raises(CommandFailure, match="not-published"):
            world.service.check_key()
        world.clock.jump(FRESH_SECONDS)
        crowd.go_on(PROBES, 5, NOT_CONFIGURED)
        write_secret(world.service, json.dumps(document))
        world.clock.jump(KEY_FRESH_SECONDS)
        world.service.check_key()
        crowd.go_on(CALLERS, 20, GOOD)
        crowd.go_on(PROBES, 5, GOOD)

    promises = {
        CALLERS: Promise(outage_seconds=45, may_answer=frozenset({UNVERIFIED})),
        PROBES: Promise(outage_seconds=45, may_answer=frozenset({NOT_CONFIGURED})),
    }
    world.table.hold("a key that Jitsi does not know", crowd, promises)

"""Keys that a person changes: staged, promoted and rolled back while tokens are asked for."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from local_stack import deployment, rotation
from local_stack.rotation import RotationFailure
from tests.stack.load import Load
from tests.stack.service import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack.emulator import Emulator
    from tests.stack.load import FindPem

pytestmark = pytest.mark.stack

FIRST, NEXT = "first1", "second2"


@pytest.fixture(scope="module")
def changing_jaas(running_emulator: Emulator) -> Iterator[Service]:
    """A JaaS stack whose key these tests alone change."""
    stack = deployment.deploy(running_emulator, "jaas", name="jitsi-tokens-changing-jaas")
    service = Service(running_emulator, stack)
    with service.http:
        service.commands.run("key", "create", "--kid", FIRST)
        yield service


@pytest.fixture(scope="module")
def changing_shared(running_emulator: Emulator) -> Iterator[Service]:
    """A stack with a shared secret that these tests alone change."""
    stack = deployment.deploy(running_emulator, "self-hosted", name="jitsi-tokens-changing-shared")
    service = Service(running_emulator, stack)
    with service.http:
        yield service


def pems_at_8x8(uploaded: dict[str, str]) -> FindPem:
    """Return how 8x8 finds a key: by the id that it gave to what was uploaded."""

    def find(kid: str) -> str | None:
        return uploaded.get(kid.rpartition("/")[2])

    return find


def kid_of(service: Service) -> str:
    """Return the key id of a token that is asked for now."""
    token = service.post().json()["token"]
    return str(jwt.get_unverified_header(token)["kid"]).rpartition("/")[2]


def test_key_and_kid_change_together(changing_jaas: Service) -> None:
    """Staged, promoted, rolled back under load: every token verifies by its kid."""
    run = changing_jaas.commands.run
    uploaded = {FIRST: changing_jaas.public_pem()}
    with Load(changing_jaas, pems_at_8x8(uploaded)) as load:
        uploaded[NEXT] = json.loads(run("key", "stage", "--json"))["publicKey"]
        load.go_on(20)
        changing_jaas.replace_containers()
        load.go_on(20)
        staged_only = load.kids
        run("key", "promote", "--kid", NEXT, "--yes")
        changing_jaas.replace_containers()
        load.go_on(20)
        promoted = load.kids
        run("key", "rollback", "--yes")
        changing_jaas.replace_containers()
        load.go_on(20)
        last = jwt.get_unverified_header(load.tokens[-1])["kid"].rpartition("/")[2]

    assert load.failures == []
    assert [kid.rpartition("/")[2] for kid in staged_only] == [FIRST]
    assert [kid.rpartition("/")[2] for kid in promoted] == [FIRST, NEXT]
    assert last == FIRST


def test_a_promotion_that_is_asked_for_again_is_the_same(changing_jaas: Service) -> None:
    """It makes no other version, and after a rollback it brings its own back."""
    run = changing_jaas.commands.run
    run("key", "promote", "--kid", NEXT, "--yes")
    once = changing_jaas.secret_document()
    versions = run("key", "list", "--json")

    run("key", "promote", "--kid", NEXT, "--yes")

    assert changing_jaas.secret_document() == once
    assert run("key", "list", "--json") == versions
    assert once["kid"].endswith(f"/{NEXT}")


def test_a_rotation_that_nobody_should_ask_for_disturbs_no_promotion(
    changing_jaas: Service,
) -> None:
    """It is refused in its first step; the label that Secrets Manager leaves is in nobody's way."""
    secret = changing_jaas.stack.outputs["SigningKeySecret"]
    manager = deployment.client(changing_jaas.emulator, "secretsmanager")
    token = str(uuid.uuid4())
    manager.put_secret_value(
        SecretId=secret,
        ClientRequestToken=token,
        SecretString="made by nobody",
        VersionStages=["AWSPENDING"],
    )
    with pytest.raises(RotationFailure, match="key stage"):
        rotation.take_step(changing_jaas.emulator, changing_jaas.stack, "createSecret", token)

    changing_jaas.commands.run("key", "stage")
    changing_jaas.commands.run("key", "promote", "--kid", "third3", "--yes")
    changing_jaas.replace_containers()

    assert kid_of(changing_jaas) == "third3"
    changing_jaas.commands.run("key", "cleanup", "--yes")
    stages = manager.describe_secret(SecretId=secret)["VersionIdsToStages"]
    assert "AWSPENDING" not in str(stages)


@pytest.mark.slow
def test_a_shared_secret_changes_when_containers_fetch_it_again(changing_shared: Service) -> None:
    """Jitsi holds one secret: after their five minutes no token is signed with the other one."""
    before = changing_shared.secret_document()
    assert kid_of(changing_shared) == before["kid"] == "initial"
    changing_shared.commands.run("key", "stage")
    assert kid_of(changing_shared) == "initial"

    changing_shared.commands.run("key", "promote", "--yes", "--no-wait")
    changing_shared.replace_containers()
    tokens = [changing_shared.post().json()["token"] for _ in range(20)]

    after = changing_shared.secret_document()
    assert after["secret"] != before["secret"]
    for token in tokens:
        jwt.decode(token, after["secret"], algorithms=["HS256"], options={"verify_aud": False})

    changing_shared.commands.run("key", "rollback", "--yes", "--no-wait")
    changing_shared.replace_containers()
    assert kid_of(changing_shared) == "initial"
    assert changing_shared.secret_document() == before


def test_the_keys_that_change_stay_in_the_secret(changing_jaas: Service) -> None:
    """What a command prints is the public part."""
    listed = changing_jaas.commands.run("key", "list", "--json")
    shown = changing_jaas.commands.run("key", "show", "--json")

    pem = changing_jaas.secret_document()["private_key"]
    assert load_pem_private_key(pem.encode(), None)
    assert "PRIVATE" not in listed + shown
    assert pem.splitlines()[1] not in listed + shown

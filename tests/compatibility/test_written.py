"""What earlier versions wrote is read as it was meant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jitsi_tokens.core.keys import read_key
from jitsi_tokens.settings import read_settings
from jitsi_tokens_cli.key.versions import NEXT
from tests.compatibility import written
from tests.compatibility.recordings import Recording, holds, recorded
from tests.compatibility.scene import PUBLIC_KEYS, STATUS
from tests.conftest import ENVIRONS

if TYPE_CHECKING:
    from tests.compatibility.scene import Scene


@recorded("client_records")
def test_a_clients_item_gives_its_policy(scene: Scene, recording: Recording) -> None:
    """No more than that version gave, and no less."""
    today = written.recognised(scene, recording.then["item"])

    assert today["policy"].pop("max_advance_seconds") is None
    assert today == recording.then["client"]


@recorded("client_records")
def test_client_add_takes_the_same_options(scene: Scene, recording: Recording) -> None:
    """A script that adds clients gives them what it gave them, but no tokens in advance."""
    client = written.client_record(scene, recording.given)["client"]

    assert client["policy"].pop("max_advance_seconds") == 0
    assert client == recording.then["client"]


@recorded("audit_digests")
def test_a_digest_is_what_it_was(scene: Scene, recording: Recording) -> None:
    """So that a line of years ago is found by the room or the user that somebody asks for."""
    assert written.audit_digest(scene, recording.given) == recording.then


@recorded("secret_documents")
def test_a_key_signs_as_it_did(scene: Scene, recording: Recording) -> None:
    """Under its kid; the key itself is made for the run."""
    settings = read_settings(ENVIRONS[recording.given["stack"]])
    document = recording.then["document"]

    key = read_key(
        scene.fill(document), algorithm=settings.algorithm, kid_prefix=settings.kid_prefix
    )

    assert (key.kid, key.algorithm) == (document["kid"], document["algorithm"])
    assert key.verify(key.sign({"room": "x"})) == {"room": "x"}


@recorded("staged_keys")
def test_a_staged_key_is_promoted(scene: Scene, recording: Recording) -> None:
    """Though the version that staged it was another one."""
    document = scene.fill(recording.then["document"])
    with scene.commands(recording.given["stack"]) as world:
        assert world.run("key", "create", "--bits", "2048", "--kid", "old").exit_code == 0
        world.secrets.put_secret_value(
            SecretId=world.secret, SecretString=document, VersionStages=[NEXT]
        )

        promoted = world.run("key", "promote", "--kid", "new", "--yes")

        assert promoted.exit_code == 0, promoted.output
        assert world.stored()["private_key"] == json.loads(document)["private_key"]


@recorded("key_statuses")
def test_a_status_is_told_as_it_was(scene: Scene, recording: Recording) -> None:
    """Until CheckKey writes the next one: it may be five minutes."""
    value = recording.then["value"]
    scene.ssm.put_parameter(Name=STATUS, Type="String", Value=value)

    today = written.diagnostics(scene, recording.given, value)

    assert holds(recording.then["diagnostics"], today)


@recorded("key_statuses")
def test_a_check_writes_what_is_read(scene: Scene, recording: Recording) -> None:
    """The parameter's fields stay, for who reads it without us."""
    before, today = recording.then["value"], written.key_status(scene, recording.given)["value"]

    assert json.loads(before).keys() <= json.loads(today).keys()


@recorded("public_keys")
def test_a_published_key_is_given_out_to_its_end(scene: Scene, recording: Recording) -> None:
    """Byte by byte, and not after: tokens that it verifies are in use for a month and more."""
    name, now = recording.then["name"], recording.given["now"]
    scene.ssm.put_parameter(
        Name=f"{PUBLIC_KEYS}/{name}", Type="String", Value=recording.then["value"]
    )

    today = written.given_out(scene, name, now)

    assert holds({part: recording.then[part] for part in ("pem", "jwks")}, today)
    assert written.given_out(scene, name, now + 10_000)["pem"] is None

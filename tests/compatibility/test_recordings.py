"""What earlier versions wrote and received: it is read, and answered, as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens.core.keys import read_key
from jitsi_tokens.settings import read_settings
from jitsi_tokens_cli.key.versions import NEXT
from tests.compatibility import today
from tests.compatibility.today import PUBLIC_KEYS, Scene
from tests.conftest import ENVIRONS

if TYPE_CHECKING:
    from tests.conftest import LoadApp


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch, load_app: LoadApp) -> Scene:
    """A stack of today's, with nothing in it."""
    return Scene(monkeypatch, load_app)


# What clients of earlier versions may not do.
NO_VISITS = {"visits": False, "moderator_links": False}


def recorded(kind: str) -> pytest.MarkDecorator:
    """Run a test with what was given and what came of it then, of every version."""
    paths = sorted((Path(__file__).parent / "recorded").glob(f"*/{kind}/*.json"))
    documents = [json.loads(path.read_text()) for path in paths]
    names = [f"{path.parts[-3]}-{path.stem}" for path in paths]
    return pytest.mark.parametrize(
        ("given", "then"), [(each["given"], each["then"]) for each in documents], ids=names
    )


def holds(before: Any, now: Any) -> bool:
    """Tell whether all that was there is there, with the same values.

    An object may have got more fields, and a list more items.
    """
    if isinstance(before, dict) and isinstance(now, dict):
        return all(name in now and holds(value, now[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(now, list):
        return all(any(holds(value, other) for other in now) for value in before)
    return bool(before == now)


@recorded("token_requests")
def test_a_request_gets_the_same_answer(scene: Scene, given: Any, then: Any) -> None:
    """By the same policy: the answer, the token's claims and the fields of the audit record.

    Its digests too: a line of years ago is found by the room or user that somebody asks for.
    """
    assert holds(then, today.token_request(scene, given))


@recorded("script_calls")
def test_a_call_of_a_script_sends_the_same(scene: Scene, given: Any, then: Any) -> None:
    """With the arguments that it always had; a person keeps their id."""
    assert holds(then, today.script_call(scene, given))


@recorded("client_records")
def test_a_clients_item_gives_its_policy(scene: Scene, given: Any, then: Any) -> None:  # noqa: ARG001
    """No more than that version gave, and no less."""
    policy = NO_VISITS | {"max_advance_seconds": None} | then["client"]["policy"]

    assert today.recognised(scene, then["item"]) == then["client"] | {"policy": policy}


@recorded("client_records")
def test_client_add_takes_the_same_options(scene: Scene, given: Any, then: Any) -> None:
    """A script that adds clients gives them what it gave them, but no tokens in advance."""
    policy = NO_VISITS | {"max_advance_seconds": 0} | then["client"]["policy"]

    assert today.client_record(scene, given)["client"] == then["client"] | {"policy": policy}


@recorded("secret_documents")
def test_a_key_signs_as_it_did(scene: Scene, given: Any, then: Any) -> None:
    """Under its kid; the key itself is made for the run."""
    settings = read_settings(ENVIRONS[given["stack"]])
    text = scene.fill(then["document"])

    key = read_key(text, algorithm=settings.algorithm, kid_prefix=settings.kid_prefix)

    assert (key.kid, key.algorithm) == (then["document"]["kid"], then["document"]["algorithm"])
    assert key.verify(key.sign({"room": "x"})) == {"room": "x"}


@recorded("staged_keys")
def test_a_staged_key_is_promoted(scene: Scene, given: Any, then: Any) -> None:
    """Though the version that staged it was another one."""
    document = scene.fill(then["document"])
    with scene.commands(given["stack"]) as world:
        assert world.run("key", "create", "--bits", "2048", "--kid", "old").exit_code == 0
        world.secrets.put_secret_value(
            SecretId=world.secret, SecretString=document, VersionStages=[NEXT]
        )

        promoted = world.run("key", "promote", "--kid", "new", "--yes")

        assert promoted.exit_code == 0, promoted.output
        assert world.stored()["private_key"] == json.loads(document)["private_key"]


@recorded("key_statuses")
def test_a_status_is_told_as_it_was(scene: Scene, given: Any, then: Any) -> None:
    """Until CheckKey writes the next one, whose fields are at least those."""
    before, written = then["value"], today.key_status(scene, given)["value"]

    assert holds(then["diagnostics"], today.diagnostics(scene, given, before))
    assert json.loads(before).keys() <= json.loads(written).keys()


@recorded("public_keys")
def test_a_published_key_is_given_out_to_its_end(scene: Scene, given: Any, then: Any) -> None:
    """Byte by byte, and not after: tokens that it verifies are in use for a month and more."""
    name, now = then["name"], given["now"]
    scene.ssm.put_parameter(Name=f"{PUBLIC_KEYS}/{name}", Type="String", Value=then["value"])

    given_out = {part: then[part] for part in ("pem", "jwks")}
    assert holds(given_out, today.given_out(scene, name, now))
    assert today.given_out(scene, name, now + 10_000)["pem"] is None

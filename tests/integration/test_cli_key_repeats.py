"""`jitsi-tokens key promote`, broken off at each call that it makes, and run again."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectionClosedError

from jitsi_tokens.core.rsa_keys import private_pem
from tests.integration.cli_world import APP_ID, World, running_world
from tests.integration.test_cli_key_change import labels

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.hazmat.primitives.asymmetric import rsa
    from typer.testing import Result

STACKS = ["jaas", "shared"]
CALLS = 7
OLD_VERSION, STAGED_VERSION = "a" * 32, "b" * 32


class Caller:
    """AWS's client: counts its calls, and breaks one off.

    Attributes:
        breaks_at: the number or the operation of that call; None for none.
        has_effect: whether AWS gets it before.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made = 0
        self.breaks_at: int | str | None = None
        self.has_effect = False
        self.error: BaseException = KeyboardInterrupt()
        call = vars(BaseClient)["_make_api_call"]

        def calling(client: Any, operation: str, parameters: Any) -> Any:
            breaks = self.breaks_at in (self.made, operation)
            self.made += 1
            if not breaks:
                return call(client, operation, parameters)
            if self.has_effect:
                with contextlib.suppress(ClientError):
                    call(client, operation, parameters)
            raise self.error

        monkeypatch.setattr(BaseClient, "_make_api_call", calling)


def _stage(world: World, documents: dict[str, dict[str, str]]) -> None:
    for version, stage in ((OLD_VERSION, "AWSCURRENT"), (STAGED_VERSION, "NEXT")):
        world.secrets.put_secret_value(
            SecretId=world.secret,
            SecretString=json.dumps(documents[stage]),
            ClientRequestToken=version,
            VersionStages=[stage],
        )


@pytest.fixture
def jaas(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    rsa_pem: str,
    rsa_pool: list[rsa.RSAPrivateKey],
) -> Iterator[World]:
    """Return a JaaS stack with a key, and the next one staged."""
    with running_world(monkeypatch) as world:
        old = {"algorithm": "RS256", "kid": f"{APP_ID}/old", "private_key": rsa_pem}
        new = {"algorithm": "RS256", "private_key": private_pem(rsa_pool[0])}
        _stage(world, {"AWSCURRENT": old, "NEXT": new})
        yield world


@pytest.fixture
def shared(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
) -> Iterator[World]:
    """Return a stack with a shared secret, and the next one staged."""
    with running_world(monkeypatch, provider="self-hosted") as world:
        old = {"algorithm": "HS256", "kid": "old", "secret": "o" * 64}
        new = {"algorithm": "HS256", "kid": "new", "secret": "n" * 64}
        _stage(world, {"AWSCURRENT": old, "NEXT": new})
        yield world


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """Return the stack that a test is given the name of."""
    world: World = request.getfixturevalue(request.param)
    return world


def _promote(world: World) -> Result:
    option = ["--kid", "new"] if world.parameters["Provider"] == "jaas" else ["--no-wait"]
    return world.run("key", "promote", *option, "--yes")


def _assert_promoted(world: World, kid: str) -> None:
    token = hashlib.sha256(
        f"jitsi-tokens key promote\n{STAGED_VERSION}\n{kid}".encode()
    ).hexdigest()
    ids = world.secrets.list_secret_version_ids(SecretId=world.secret, IncludeDeprecated=True)
    assert labels(world) == {
        "AWSCURRENT": token,
        "AWSPREVIOUS": OLD_VERSION,
        "NEXT": STAGED_VERSION,
    }
    assert len(ids["Versions"]) == 3
    assert world.stored()["kid"] == kid


@pytest.mark.parametrize("world", STACKS, indirect=True)
def test_each_call_is_tried_below(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A promotion makes as many as these tests know of."""
    caller = Caller(monkeypatch)

    assert _promote(world).exit_code == 0
    assert caller.made == CALLS


@pytest.mark.parametrize("world", STACKS, indirect=True)
@pytest.mark.parametrize("breaks_at", range(CALLS))
@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
def test_a_promotion_that_was_broken_off_is_the_same_when_repeated(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    breaks_at: int,
    *,
    has_effect: bool,
) -> None:
    """Wherever that was: one new version, and the key before as the previous."""
    caller = Caller(monkeypatch)
    caller.breaks_at, caller.has_effect = breaks_at, has_effect
    broken_off = _promote(world)

    caller.breaks_at = None

    assert broken_off.exit_code != 0
    assert _promote(world).exit_code == 0
    _assert_promoted(world, f"{APP_ID}/new" if world.parameters["Provider"] == "jaas" else "new")


@pytest.mark.parametrize("world", STACKS, indirect=True)
def test_a_promotion_whose_answer_was_lost_is_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator learns that it is safe to run it again."""
    caller = Caller(monkeypatch)
    caller.breaks_at, caller.has_effect = "PutSecretValue", True
    caller.error = ConnectionClosedError(endpoint_url="https://aws")

    lost = _promote(world)
    repeated = _promote(world)

    assert lost.exit_code == 3
    assert "Run the same command again: it is the same promotion." in lost.stderr
    assert repeated.exit_code == 0
    assert "is current already" in repeated.stderr
    _assert_promoted(world, f"{APP_ID}/new" if world.parameters["Provider"] == "jaas" else "new")


@pytest.mark.parametrize("has_effect", [False, True])
def test_a_rollback_whose_answer_was_lost_looks_what_became_of_it(
    jaas: World, monkeypatch: pytest.MonkeyPatch, *, has_effect: bool
) -> None:
    """Run again it would return to the later key."""
    _promote(jaas)
    caller = Caller(monkeypatch)
    caller.breaks_at, caller.has_effect = "UpdateSecretVersionStage", has_effect
    caller.error = ConnectionClosedError(endpoint_url="https://aws")

    result = jaas.run("key", "rollback", "--yes")

    if has_effect:
        assert result.exit_code == 0
        assert labels(jaas)["AWSCURRENT"] == OLD_VERSION
    else:
        assert result.exit_code == 3
        assert "It is not known whether the key was changed" in result.stderr
        assert labels(jaas)["AWSPREVIOUS"] == OLD_VERSION

"""`jitsi-tokens key stage`, `promote` and `rollback` of a JaaS stack."""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from botocore.client import BaseClient
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from moto.secretsmanager.models import secretsmanager_backends

from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.rsa_keys import fingerprint, private_pem, public_pem
from tests.integration.cli_world import APP_ID, Answer, World, json_error, running_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import rsa

    from tests.conftest import LoadApp

OLD = f"{APP_ID}/old"
NEW = f"{APP_ID}/new"


@pytest.fixture
def world(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    rsa_pem: str,
) -> Iterator[World]:
    """Return a JaaS stack with a key."""
    with running_world(monkeypatch) as world:
        world.store({"algorithm": "RS256", "kid": OLD, "private_key": rsa_pem})
        yield world


@pytest.fixture
def file(tmp_path: Path, rsa_pool: list[rsa.RSAPrivateKey]) -> str:
    """Return a file with the next key."""
    path = tmp_path / "next.pem"
    path.write_text(private_pem(rsa_pool[0]))
    return str(path)


@pytest.fixture
def staged(world: World, file: str) -> World:
    """Return a JaaS stack with a key, and the next one staged."""
    assert world.run("key", "stage", "--from", file).exit_code == 0
    return world


def labels(world: World) -> dict[str, str]:
    """Return which version each label is on."""
    described = world.secrets.describe_secret(SecretId=world.secret)
    return {
        label: version
        for version, found in described["VersionIdsToStages"].items()
        for label in found
    }


def labelled(world: World, label: str) -> dict[str, str]:
    """Return what the version of a label holds."""
    answer = world.secrets.get_secret_value(SecretId=world.secret, VersionStage=label)
    document: dict[str, str] = json.loads(answer["SecretString"])
    return document


def leave_pending(world: World) -> str:
    """Leave what a rotation without a function leaves: AWSPENDING on a version with no value."""
    secret = secretsmanager_backends["123456789012"]["eu-central-1"].secrets[world.secret]
    version_id = "e" * 32
    secret.versions[version_id] = {
        "version_id": version_id,
        "version_stages": ["AWSPENDING"],
        "createdate": 1,
    }
    return version_id


def _promote(world: World, *options: str, typed: str | None = None) -> Any:
    return world.run("key", "promote", *options, typed=typed)


def test_stage_makes_a_key_that_does_not_sign(world: World) -> None:
    """It waits under NEXT, without the id that 8x8 has yet to give."""
    before = world.stored()

    result = world.run("key", "stage", "--bits", "2048")

    document = labelled(world, "NEXT")
    key = load_pem_private_key(document["private_key"].encode(), None)
    assert result.exit_code == 0
    assert set(document) == {"algorithm", "private_key"}
    assert result.stdout == public_pem(key.public_key())  # type: ignore[arg-type]
    assert "https://jaas.8x8.vc, API Keys, Add API key" in result.stderr
    assert "jitsi-tokens --stack-name meetings key promote --kid <key id>" in result.stderr
    assert world.stored() == before
    assert "AWSPENDING" not in labels(world)


def test_stage_takes_a_key_from_a_file(staged: World, rsa_pool: list[rsa.RSAPrivateKey]) -> None:
    """As `key import` does."""
    assert labelled(staged, "NEXT")["private_key"] == private_pem(rsa_pool[0])


def test_stage_has_json_for_scripts(
    world: World, file: str, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """--json leaves nothing but JSON on stdout."""
    answer = json.loads(world.run("key", "stage", "--from", file, "--json").stdout)

    public = rsa_pool[0].public_key()
    assert answer == {
        "kid": None,
        "algorithm": "RS256",
        "fingerprint": fingerprint(public),
        "publicKey": public_pem(public),
        "label": "NEXT",
        "versionId": labels(world)["NEXT"],
    }


def test_stage_replaces_an_unused_key_on_demand_only(staged: World) -> None:
    """8x8 may have the public part of it already."""
    before = labels(staged)

    refused = staged.run("key", "stage", "--bits", "2048")
    staged.at_a_terminal()
    declined = staged.run("key", "stage", "--bits", "2048", typed="n\n")

    assert refused.exit_code == declined.exit_code == 1
    assert "Replace a staged key that was never promoted?" in refused.stderr
    assert "add --yes" in refused.stderr
    assert labels(staged) == before
    assert staged.run("key", "stage", "--bits", "2048", "--yes").exit_code == 0
    assert labels(staged)["NEXT"] != before["NEXT"]


@pytest.mark.parametrize("rolled_back", [False, True])
def test_stage_after_a_promotion_asks_nothing(staged: World, *, rolled_back: bool) -> None:
    """The label stands on a key that is the current one, or the one before."""
    _promote(staged, "--kid", "new", "--yes")
    if rolled_back:
        staged.run("key", "rollback", "--yes")
    before = labels(staged)

    result = staged.run("key", "stage", "--bits", "2048")

    after = labels(staged)
    assert result.exit_code == 0
    assert after.pop("NEXT") != before.pop("NEXT")
    assert after == before


def test_stage_leaves_the_key_id_to_the_console(world: World) -> None:
    """--kid comes with `key promote`."""
    result = world.run("key", "stage", "--kid", "new")

    assert result.exit_code == 1
    assert "give it to `key promote`" in result.stderr


@pytest.mark.parametrize("operation", ["PutSecretValue", "DescribeSecret"])
def test_a_key_that_is_not_staged_is_told_so(world: World, file: str, operation: str) -> None:
    """AWS's own words may quote the key."""
    world.with_secrets_manager(
        lambda asked: (
            json_error("InternalServiceError", "MIIEvg")
            if asked == operation
            else Answer(200, "{}")
        )
    )

    result = world.run("key", "stage", "--from", file)

    assert result.exit_code == 3
    assert "MIIEvg" not in result.output
    assert result.stdout == ""


def test_promote_makes_key_and_kid_current_together(
    staged: World, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """One version holds both; the key before is the previous one, and NEXT stays."""
    before = labels(staged)

    result = _promote(staged, "--kid", "new", "--yes")

    after = labels(staged)
    assert result.exit_code == 0
    assert staged.stored() == {
        "algorithm": "RS256",
        "kid": NEW,
        "private_key": private_pem(rsa_pool[0]),
    }
    assert after["AWSPREVIOUS"] == before["AWSCURRENT"]
    assert after["NEXT"] == before["NEXT"]
    assert "AWSPENDING" not in after
    assert f"until then tokens carry {OLD}" in result.stderr
    assert re.search(r"in 8x8's console until \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", result.stderr)
    assert staged.received[-1].path.endswith("/invocations")


def test_promote_asks_with_what_can_be_compared(
    staged: World, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """The operator is shown both ids and the fingerprint, and may say no."""
    staged.at_a_terminal()

    result = _promote(staged, typed="a b\nnew\nn\n")

    assert result.exit_code == 1
    assert "1 to 64 letters" in result.stderr
    assert f"{OLD} signs now, and {NEW} will." in result.stderr
    assert fingerprint(rsa_pool[0].public_key()) in result.stderr
    assert staged.stored()["kid"] == OLD


def test_promote_without_terminal_needs_kid_and_yes(staged: World) -> None:
    """A script is told what to give."""
    assert "give --kid" in _promote(staged).stderr
    assert "add --yes" in _promote(staged, "--kid", "new").stderr
    assert staged.stored()["kid"] == OLD


def test_promote_has_json_for_scripts(staged: World, rsa_pool: list[rsa.RSAPrivateKey]) -> None:
    """--json tells what became of it, also when it is repeated."""
    first = json.loads(_promote(staged, "--kid", "new", "--yes", "--json").stdout)
    second = json.loads(_promote(staged, "--kid", "new", "--yes", "--json").stdout)

    public = rsa_pool[0].public_key()
    assert first.pop("replacedNeededUntil") <= second.pop("replacedNeededUntil")
    assert first == second | {"changed": True}
    assert first == {
        "kid": NEW,
        "algorithm": "RS256",
        "fingerprint": fingerprint(public),
        "publicKey": public_pem(public),
        "versionId": labels(staged)["AWSCURRENT"],
        "changed": True,
        "replacedKid": OLD,
    }


def test_a_promotion_that_is_repeated_is_the_same(staged: World) -> None:
    """It asks nothing and changes nothing."""
    _promote(staged, "--kid", "new", "--yes")
    before = labels(staged)

    result = _promote(staged, "--kid", "new")

    assert result.exit_code == 0
    assert f"{NEW} is current already" in result.stderr
    assert labels(staged) == before


def test_a_wrong_kid_is_corrected_by_promoting_again(staged: World) -> None:
    """And the key before both is the one that a rollback returns to."""
    old = labels(staged)["AWSCURRENT"]
    _promote(staged, "--kid", "typo", "--yes")

    result = _promote(staged, "--kid", "new", "--yes")

    assert result.exit_code == 0
    assert staged.stored()["kid"] == NEW
    assert labels(staged)["AWSPREVIOUS"] == old
    staged.run("key", "rollback", "--yes")
    assert staged.stored()["kid"] == OLD


def test_a_version_without_a_label_is_promoted_again(staged: World) -> None:
    """Secrets Manager would ignore that it is put once more."""
    _promote(staged, "--kid", "first", "--yes")
    _promote(staged, "--kid", "new", "--yes")

    result = _promote(staged, "--kid", "first", "--yes")

    assert result.exit_code == 0
    assert staged.stored()["kid"] == f"{APP_ID}/first"


def test_promote_refuses_the_id_of_another_key(staged: World) -> None:
    """A new key under the id of the old one would be refused by Jitsi."""
    result = _promote(staged, "--kid", "old", "--yes")

    assert result.exit_code == 1
    assert f"{OLD} is the id of another key of this stack" in result.stderr
    assert labelled(staged, "AWSCURRENT")["kid"] == OLD


def test_promote_without_a_staged_key(world: World) -> None:
    """It says what to run; where that key signs already there is nothing to do."""
    missing = _promote(world, "--kid", "new", "--yes")
    present = _promote(world, "--kid", "old")

    assert missing.exit_code == 1
    assert "Run `key stage` first" in missing.stderr
    assert present.exit_code == 0
    assert f"{OLD} is current already" in present.stderr


def test_promote_at_a_terminal_without_a_staged_key_asks_nothing(world: World) -> None:
    """No id is wanted for a key that is not there."""
    world.at_a_terminal()

    assert "Run `key stage` first" in _promote(world).stderr


def test_promote_refuses_what_cannot_sign(world: World) -> None:
    """The key is tried before it is current."""
    world.secrets.put_secret_value(
        SecretId=world.secret,
        SecretString='{"algorithm": "RS256", "private_key": "x"}',
        VersionStages=["NEXT"],
    )

    result = _promote(world, "--kid", "new", "--yes")

    assert result.exit_code == 1
    assert "not an unencrypted PEM" in result.stderr
    assert world.stored()["kid"] == OLD


def test_the_first_key_may_be_staged(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    file: str,
) -> None:
    """Secrets Manager makes a secret's first version current, also the one without an id."""
    with running_world(monkeypatch) as empty:
        empty.run("key", "stage", "--from", file)
        early = empty.run("key", "stage", "--from", file)

        result = _promote(empty, "--kid", "new", "--yes")
        back = empty.run("key", "rollback", "--yes")

        assert "never promoted" in early.stderr
        assert result.exit_code == 0
        assert f"{NEW} signs." in result.stderr
        assert "in 8x8's console until" not in result.stderr
        assert empty.stored()["kid"] == NEW
        assert back.exit_code == 1
        assert "The previous key cannot sign" in back.stderr


def test_a_rotation_that_was_asked_for_changes_nothing(staged: World) -> None:
    """Its empty version is in nobody's way."""
    leave_pending(staged)

    result = _promote(staged, "--kid", "new", "--yes")

    assert result.exit_code == 0
    assert staged.stored()["kid"] == NEW


def test_rollback_returns_to_the_previous_key(staged: World, rsa_pem: str) -> None:
    """And once more to the later one."""
    _promote(staged, "--kid", "new", "--yes")

    back = staged.run("key", "rollback", "--yes")

    assert back.exit_code == 0
    assert staged.stored() == {"algorithm": "RS256", "kid": OLD, "private_key": rsa_pem}
    assert f"until then tokens carry {NEW}" in back.stderr
    assert f"`key rollback` once more returns to {NEW}" in back.stderr
    assert staged.run("key", "rollback", "--yes").exit_code == 0
    assert staged.stored()["kid"] == NEW


def test_a_key_that_was_rolled_back_is_promoted_again(staged: World) -> None:
    """As the version that it was."""
    _promote(staged, "--kid", "new", "--yes")
    version = labels(staged)["AWSCURRENT"]
    staged.run("key", "rollback", "--yes")

    result = _promote(staged, "--kid", "new", "--yes")

    assert result.exit_code == 0
    assert labels(staged)["AWSCURRENT"] == version


def test_rollback_asks(staged: World) -> None:
    """Which key signs, and which will."""
    _promote(staged, "--kid", "new", "--yes")

    result = staged.run("key", "rollback")

    assert result.exit_code == 1
    assert f"{NEW} signs now, and {OLD} will again." in result.stderr
    assert staged.stored()["kid"] == NEW


def test_rollback_needs_a_previous_key(world: World) -> None:
    """The first key has none before it."""
    result = world.run("key", "rollback", "--yes")

    assert result.exit_code == 1
    assert "There is no previous key to return to." in result.stderr


def test_rollback_refuses_a_key_of_another_stack(world: World, rsa_pem: str) -> None:
    """What was stored by hand may be no key of this stack."""
    world.store({"algorithm": "RS256", "kid": "elsewhere/1", "private_key": rsa_pem})
    world.store({"algorithm": "RS256", "kid": NEW, "private_key": rsa_pem})

    result = world.run("key", "rollback", "--yes")

    assert result.exit_code == 1
    assert "The previous key cannot sign." in result.stderr
    assert world.stored()["kid"] == NEW


@pytest.mark.parametrize(
    ("code", "exit_code", "sentence"),
    [
        ("AccessDeniedException", 3, "You may not read the stack's signing secret"),
        ("InvalidRequestException", 1, "scheduled for deletion"),
        ("InternalServiceError", 3, "AWS refused GetSecretValue (InternalServiceError)"),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_sentence(
    world: World, code: str, exit_code: int, sentence: str
) -> None:
    """Missing permissions, a deletion and outages are told apart."""
    described = json.dumps({"VersionIdsToStages": {"v" * 32: ["AWSCURRENT"]}})
    world.with_secrets_manager(
        lambda operation: (
            Answer(200, described) if operation == "DescribeSecret" else json_error(code)
        )
    )

    result = world.run("key", "rollback", "--yes")

    assert result.exit_code == exit_code
    assert sentence in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "--kid", "a"),
        ("import", "-", "--kid", "a"),
        ("stage",),
        ("promote", "--kid", "a"),
        ("rollback",),
    ],
)
def test_a_stack_that_rotates_makes_its_own_keys(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    arguments: tuple[str, ...],
) -> None:
    """Nothing is asked of Secrets Manager; the operator is told how to rotate."""
    with running_world(monkeypatch, provider="self-hosted", algorithm="RS256") as rotating:
        rotating.with_secrets_manager(lambda _: Answer(500, ""))

        result = rotating.run("key", *arguments)

        assert result.exit_code == 1
        assert f"rotate-secret --region eu-central-1 --secret-id '{rotating.secret}'" in (
            result.stderr
        )
        assert "key withdraw" in result.stderr
        assert len(rotating.received) == 1


def test_nothing_private_is_ever_printed(staged: World, rsa_pem: str) -> None:
    """Neither of the old key nor of the next, on neither stream."""
    commands = [
        ["stage", "--bits", "2048", "--yes"],
        ["stage", "--bits", "2048", "--yes", "--json"],
        ["promote", "--kid", "new", "--yes", "--json"],
        ["list"],
        ["list", "--json"],
        ["rollback", "--yes"],
        ["rollback", "--yes", "--json"],
        ["show", "--json"],
        ["check", "--json"],
    ]
    printed = "".join(staged.run("key", *command).output for command in commands)

    for pem in (rsa_pem, labelled(staged, "NEXT")["private_key"]):
        assert all(line not in printed for line in pem.splitlines())
    assert "PRIVATE" not in printed


@pytest.fixture
def issued(staged: World, load_app: LoadApp, jaas_environ: dict[str, str]) -> Callable[[], str]:
    """Return a way to have a token issued by a container that starts now."""
    boto3.client("secretsmanager").create_secret(Name="digest-key", SecretString="digest")
    secrets = {"SIGNING_KEY_SECRET": staged.secret, "DIGEST_KEY_SECRET": "digest-key"}
    app = load_app("issue_token", jaas_environ | secrets)
    client = write_client(Client(name="clinic", policy=Policy(rooms=["*"], moderator=True)))
    event = {
        "httpMethod": "POST",
        "resource": "/api/jitsi/jwt",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"userId": "1", "userName": "Roe", "roomName": "visit"}),
        "requestContext": {"extendedRequestId": "1", "authorizer": {"client": client}},
    }

    def issue() -> str:
        app.SIGNING_KEY._value = None
        response = app.handler(event, None)
        assert response["statusCode"] == 200
        token: str = json.loads(response["body"])["token"]
        return token

    return issue


def test_every_token_is_signed_with_the_key_that_it_names(
    staged: World,
    issued: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    rsa_key: rsa.RSAPrivateKey,
    rsa_pool: list[rsa.RSAPrivateKey],
) -> None:
    """Before and after each call of each change; between stage and promote by the old one."""
    public = {OLD: rsa_key.public_key(), NEW: rsa_pool[0].public_key()}
    tokens = [issued()]
    call = vars(BaseClient)["_make_api_call"]

    def calling(client: Any, operation: str, parameters: Any) -> Any:
        with monkeypatch.context() as unwatched:
            unwatched.setattr(BaseClient, "_make_api_call", call)
            tokens.append(issued())
            try:
                return call(client, operation, parameters)
            finally:
                tokens.append(issued())

    monkeypatch.setattr(BaseClient, "_make_api_call", calling)
    for command in (["promote", "--kid", "new"], ["rollback"], ["promote", "--kid", "new"]):
        assert staged.run("key", *command, "--yes").exit_code == 0

    kids = []
    for token in tokens:
        kids.append(jwt.get_unverified_header(token)["kid"])
        jwt.decode(token, public[kids[-1]], algorithms=["RS256"], audience="jitsi")
    assert [kid for kid, _ in itertools.groupby(kids)] == [OLD, NEW, OLD, NEW]

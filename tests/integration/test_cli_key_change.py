"""`jitsi-tokens key stage`, `promote` and `rollback`: another key, where a person changes it."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import re
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectionClosedError
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from moto.secretsmanager.models import secretsmanager_backends

from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.rsa_keys import fingerprint, private_pem, public_pem
from tests.integration.cli_world import (
    APP_ID,
    HANGS_UP,
    Answer,
    World,
    checked,
    json_error,
    running_world,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import rsa
    from typer.testing import Result

    from tests.conftest import LoadApp

OLD, NEW = f"{APP_ID}/old", f"{APP_ID}/new"
OLD_VERSION, STAGED_VERSION = "a" * 32, "b" * 32
NEXT_SECRET = "n" * 64
NOW = 1_800_000_000
RESTART_AT = "2027-01-15T08:05:00Z"
# A promotion makes as many calls to AWS.
CALLS = 7


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what the commands waited, on a clock of their own."""
    slept: list[float] = []
    clock = Clock(lambda: NOW + sum(slept), slept.append)
    monkeypatch.setattr("jitsi_tokens_cli.key.commands.CLOCK", clock)
    return slept


@pytest.fixture
def jaas(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    slept: list[float],  # noqa: ARG001
    rsa_pem: str,
) -> Iterator[World]:
    """Return a JaaS stack with a key."""
    with running_world(monkeypatch) as world:
        _put(world, "AWSCURRENT", {"algorithm": "RS256", "kid": OLD, "private_key": rsa_pem})
        yield world


@pytest.fixture
def shared(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    slept: list[float],  # noqa: ARG001
) -> Iterator[World]:
    """Return a self-hosted stack with a shared secret."""
    with running_world(monkeypatch, provider="self-hosted") as world:
        _put(world, "AWSCURRENT", {"algorithm": "HS256", "kid": "old", "secret": "o" * 64})
        yield world


@pytest.fixture
def staged_jaas(jaas: World, rsa_pool: list[rsa.RSAPrivateKey]) -> World:
    """Return it with the next key staged."""
    _put(jaas, "NEXT", {"algorithm": "RS256", "private_key": private_pem(rsa_pool[0])})
    return jaas


@pytest.fixture
def staged_shared(shared: World) -> World:
    """Return it with the next secret staged."""
    _put(shared, "NEXT", {"algorithm": "HS256", "kid": "new", "secret": NEXT_SECRET})
    return shared


@pytest.fixture(params=["staged_jaas", "staged_shared"])
def staged(request: pytest.FixtureRequest) -> World:
    """Return a stack of each kind with the next key staged."""
    world: World = request.getfixturevalue(request.param)
    return world


@pytest.fixture
def file(tmp_path: Path, rsa_pool: list[rsa.RSAPrivateKey]) -> str:
    """Return a file with the next key."""
    path = tmp_path / "next.pem"
    path.write_text(private_pem(rsa_pool[0]))
    return str(path)


def _put(world: World, label: str, document: dict[str, str]) -> None:
    world.secrets.put_secret_value(
        SecretId=world.secret,
        SecretString=json.dumps(document),
        ClientRequestToken=STAGED_VERSION if label == "NEXT" else OLD_VERSION,
        VersionStages=[label],
    )


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


def _is_jaas(world: World) -> bool:
    return world.parameters["Provider"] == "jaas"


def _kid(world: World, name: str) -> str:
    return f"{APP_ID}/{name}" if _is_jaas(world) else name


def _promote(world: World, *options: str) -> Result:
    kid = ["--kid", "new"] if _is_jaas(world) else ["--no-wait"]
    return world.run("key", "promote", *kid, "--yes", *options)


def test_stage_makes_a_key_that_does_not_sign(jaas: World) -> None:
    """It waits under NEXT, without the id that 8x8 has yet to give."""
    before = jaas.stored()

    result = jaas.run("key", "stage", "--bits", "2048")

    document = labelled(jaas, "NEXT")
    key = load_pem_private_key(document["private_key"].encode(), None)
    assert result.exit_code == 0
    assert set(document) == {"algorithm", "private_key"}
    assert result.stdout == public_pem(key.public_key())  # type: ignore[arg-type]
    assert "https://jaas.8x8.vc, API Keys, Add API key" in result.stderr
    assert "jitsi-tokens key promote --stack-name meetings --kid <key id>" in result.stderr
    assert jaas.stored() == before
    assert "AWSPENDING" not in labels(jaas)


def test_stage_makes_a_secret_that_does_not_sign(shared: World) -> None:
    """Unseen; the operator reads how to get it, and not to restart Jitsi yet."""
    result = shared.run("key", "stage")

    document = labelled(shared, "NEXT")
    assert result.exit_code == 0
    assert re.fullmatch("[0-9a-f]{8}", document["kid"])
    assert re.fullmatch("[A-Za-z0-9]{64}", document["secret"])
    assert result.stdout == ""
    assert (
        f"--secret-id '{shared.secret}' --query SecretString --output text"
        " --version-stage NEXT | jq -r .secret" in result.stderr
    )
    assert "Do not restart Jitsi yet" in result.stderr
    assert shared.stored()["kid"] == "old"


def test_stage_takes_a_key_from_a_file(
    jaas: World, file: str, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """As `key import` does; --json leaves nothing but JSON on stdout."""
    answer = json.loads(jaas.run("key", "stage", "--from", file, "--json").stdout)

    public = rsa_pool[0].public_key()
    assert labelled(jaas, "NEXT")["private_key"] == private_pem(rsa_pool[0])
    assert answer == {
        "kid": None,
        "algorithm": "RS256",
        "fingerprint": fingerprint(public),
        "publicKey": public_pem(public),
        "label": "NEXT",
        "versionId": labels(jaas)["NEXT"],
    }


def test_stage_replaces_an_unused_key_on_demand_only(staged_jaas: World) -> None:
    """8x8 may have the public part of it already."""
    before = labels(staged_jaas)

    refused = staged_jaas.run("key", "stage", "--bits", "2048")
    staged_jaas.at_a_terminal()
    declined = staged_jaas.run("key", "stage", "--bits", "2048", typed="n\n")

    assert refused.exit_code == declined.exit_code == 1
    assert "Replace a staged key that was never promoted?" in refused.stderr
    assert "add --yes" in refused.stderr
    assert labels(staged_jaas) == before
    assert staged_jaas.run("key", "stage", "--bits", "2048", "--yes").exit_code == 0
    assert labels(staged_jaas)["NEXT"] != before["NEXT"]


@pytest.mark.parametrize("rolled_back", [False, True])
def test_stage_after_a_promotion_asks_nothing(staged: World, *, rolled_back: bool) -> None:
    """The label is on a key that is the current one, or the one before."""
    _promote(staged)
    if rolled_back:
        staged.run("key", "rollback", "--yes", "--no-wait")
    before = labels(staged)

    result = staged.run("key", "stage", "--bits", "2048")

    after = labels(staged)
    assert result.exit_code == 0
    assert after.pop("NEXT") != before.pop("NEXT")
    assert after == before


@pytest.mark.parametrize(
    ("kind", "kid", "sentence"),
    [
        ("jaas", "new", "give it to `key promote`"),
        ("shared", "old", "old is the id of another key"),
        ("shared", "a/b", "must not contain a slash"),
    ],
)
def test_stage_refuses_a_kid(
    request: pytest.FixtureRequest, kind: str, kid: str, sentence: str
) -> None:
    """8x8 gives its keys an id; no two secrets go by one."""
    result = request.getfixturevalue(kind).run("key", "stage", "--kid", kid)

    assert result.exit_code == 1
    assert sentence in result.stderr


@pytest.mark.parametrize("answer", [json_error("InternalServiceError", "MIIEvg"), HANGS_UP])
def test_a_key_that_is_not_staged_is_told_so(jaas: World, file: str, answer: Answer) -> None:
    """AWS's own words may quote the key."""
    none = Answer(200, "{}")
    jaas.with_secrets_manager(lambda asked: answer if asked == "PutSecretValue" else none)

    result = jaas.run("key", "stage", "--from", file)

    told = "It is unknown whether" if answer is HANGS_UP else "The key was not stored."
    assert result.exit_code == 3
    assert told in result.stderr
    assert "MIIEvg" not in result.output
    assert result.stdout == ""


def test_promote_makes_key_and_kid_current_together(staged: World) -> None:
    """One version holds both; the key before is the previous one, and NEXT stays."""
    next_key = labelled(staged, "NEXT")
    # A rotation that somebody asked for: its empty version is in nobody's way.
    pending = leave_pending(staged)

    result = _promote(staged)

    after = labels(staged)
    assert result.exit_code == 0
    assert staged.stored() == next_key | {"kid": _kid(staged, "new")}
    assert after.pop("AWSCURRENT") not in (OLD_VERSION, STAGED_VERSION)
    assert after == {"AWSPREVIOUS": OLD_VERSION, "NEXT": STAGED_VERSION, "AWSPENDING": pending}
    assert staged.received[-1].path.endswith("/invocations")
    if _is_jaas(staged):
        assert f"Until then tokens carry {OLD}" in result.stderr
        assert re.search(r"in 8x8's console until 20\d\d-\d\d-\d\dT[\d:]{8}Z", result.stderr)


def test_promote_asks_with_what_can_be_compared(
    staged: World, rsa_pool: list[rsa.RSAPrivateKey], slept: list[float]
) -> None:
    """Both ids, and of 8x8's key the fingerprint; of a secret what Jitsi needs before."""
    staged.at_a_terminal()

    result = staged.run("key", "promote", typed="a b\nnew\nn\n" if _is_jaas(staged) else "n\n")

    kids = _kid(staged, "old"), _kid(staged, "new")
    assert result.exit_code == 1
    assert f"{kids[0]} signs now, and {kids[1]} will." in result.stderr
    assert staged.stored()["kid"] == kids[0]
    assert slept == []
    if _is_jaas(staged):
        assert "1 to 64 letters" in result.stderr
        assert fingerprint(rsa_pool[0].public_key()) in result.stderr
    else:
        assert "First put the secret that will sign into Jitsi's configuration" in result.stderr


def test_promote_without_terminal_needs_kid_and_yes(staged_jaas: World) -> None:
    """A script reads what to give."""
    assert "give --kid" in staged_jaas.run("key", "promote").stderr
    assert "add --yes" in staged_jaas.run("key", "promote", "--kid", "new").stderr
    assert staged_jaas.stored()["kid"] == OLD


def test_promote_is_the_same_when_repeated(
    staged: World, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """It asks nothing and changes nothing; --json tells what became of it, both times."""
    first = json.loads(_promote(staged, "--json").stdout)
    before = labels(staged)

    repeated = _promote(staged, "--json")

    second = json.loads(repeated.stdout)
    public = rsa_pool[0].public_key()
    assert f"{_kid(staged, 'new')} is current already" in repeated.stderr
    assert labels(staged) == before
    assert first == second | {"changed": True}
    assert first == {
        "kid": _kid(staged, "new"),
        "algorithm": "RS256" if _is_jaas(staged) else "HS256",
        "fingerprint": fingerprint(public) if _is_jaas(staged) else None,
        "publicKey": public_pem(public) if _is_jaas(staged) else None,
        "versionId": before["AWSCURRENT"],
        "changed": True,
        "replacedKid": _kid(staged, "old"),
    } | (
        {"replacedNeededUntil": "2027-01-22T16:05:00Z"}
        if _is_jaas(staged)
        else {"restartJitsiAt": RESTART_AT}
    )


def test_a_wrong_kid_is_corrected_by_promoting_again(staged_jaas: World) -> None:
    """The key before both is the one that a rollback returns to; the first may come again."""
    staged_jaas.run("key", "promote", "--kid", "typo", "--yes")

    result = _promote(staged_jaas)

    assert result.exit_code == 0
    assert staged_jaas.stored()["kid"] == NEW
    assert labels(staged_jaas)["AWSPREVIOUS"] == OLD_VERSION
    # Secrets Manager would ignore that this version, which has no label now, is put once more.
    staged_jaas.run("key", "promote", "--kid", "typo", "--yes")
    assert staged_jaas.stored()["kid"] == f"{APP_ID}/typo"
    staged_jaas.run("key", "rollback", "--yes")
    assert staged_jaas.stored()["kid"] == OLD


@pytest.mark.parametrize(
    ("staged", "kid", "sentence"),
    [
        ("staged_jaas", "old", f"{OLD} is the id of another key of this stack"),
        ("staged_shared", "summer", "has the id new"),
    ],
    indirect=["staged"],
)
def test_promote_refuses_the_id_of_another_key(staged: World, kid: str, sentence: str) -> None:
    """A new key under the id of the old one would be refused by Jitsi."""
    result = staged.run("key", "promote", "--kid", kid, "--yes")

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert staged.stored()["kid"] == _kid(staged, "old")


def test_promote_without_a_staged_key(jaas: World) -> None:
    """It says what to run; where that key signs already there is nothing to do."""
    missing = _promote(jaas)
    present = jaas.run("key", "promote", "--kid", "old")
    jaas.at_a_terminal()
    unasked = jaas.run("key", "promote")

    assert missing.exit_code == 1
    assert "Run `key stage` first" in missing.stderr
    assert "Run `key stage` first" in unasked.stderr
    assert present.exit_code == 0
    assert f"{OLD} is current already" in present.stderr


def test_promote_refuses_what_cannot_sign(jaas: World) -> None:
    """The key is tried before it is current."""
    _put(jaas, "NEXT", {"algorithm": "RS256", "private_key": "x"})

    result = _promote(jaas)

    assert result.exit_code == 1
    assert "not an unencrypted PEM" in result.stderr
    assert jaas.stored()["kid"] == OLD


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_a_changed_secret_waits_until_no_function_has_the_earlier_one(
    staged_shared: World, command: str, slept: list[float]
) -> None:
    """Five minutes, counted down; when to restart Jitsi is said before, and at its end."""
    if command == "rollback":
        _promote(staged_shared)

    result = staged_shared.run("key", command, "--yes")

    label = "NEXT" if command == "promote" else "AWSPREVIOUS"
    assert result.exit_code == 0
    assert staged_shared.stored()["kid"] == ("new" if command == "promote" else "old")
    assert f"--version-stage {label} | jq -r .secret" in result.stderr
    assert sum(slept) == 300
    assert f"restart Jitsi's Prosody at {RESTART_AT}" in result.stderr
    before, _, after = result.stderr.partition("... 5 min 00 s until every function signs with it")
    assert "... 30 s until" in after
    assert "NOW" not in before
    assert "Restart Jitsi's Prosody NOW" in after
    # How long ago a change was made is not known, so a repeat waits again.
    if command == "promote":
        staged_shared.run("key", "promote")
        assert sum(slept) == 600


@pytest.mark.parametrize("signs", [False, True])
def test_a_changed_secret_need_not_be_waited_for(
    staged_shared: World, slept: list[float], *, signs: bool
) -> None:
    """After a leak Jitsi is restarted at once; from one that does not sign people go back."""
    problem = {"code": "access-denied", "what": "The secret cannot be read.", "remedy": "Look."}
    staged_shared.check = lambda: checked(configured=signs, problems=[] if signs else [problem])

    result = staged_shared.run("key", "promote", "--yes", *(["--no-wait"] if signs else []))

    assert result.exit_code == (0 if signs else 1)
    assert slept == []
    assert f"restart Jitsi's Prosody at {RESTART_AT}" in result.stderr
    assert "NOW" not in result.stderr


def test_rollback_goes_back_and_forth(staged: World) -> None:
    """And the key that was rolled back is promoted again as the version that it was."""
    _promote(staged)
    promoted = labels(staged)["AWSCURRENT"]

    asked = staged.run("key", "rollback")
    back = staged.run("key", "rollback", "--yes", "--no-wait", "--json")

    old, new = _kid(staged, "old"), _kid(staged, "new")
    assert asked.exit_code == 1
    assert f"{new} signs now, and {old} will." in asked.stderr
    assert back.exit_code == 0
    assert (json.loads(back.stdout)["kid"], json.loads(back.stdout)["replacedKid"]) == (old, new)
    assert f"Another `key rollback` returns to {new}" in back.stderr
    assert labels(staged)["AWSCURRENT"] == OLD_VERSION
    assert staged.run("key", "rollback", "--yes", "--no-wait").exit_code == 0
    assert labels(staged)["AWSCURRENT"] == promoted
    staged.run("key", "rollback", "--yes", "--no-wait")
    _promote(staged)
    assert labels(staged)["AWSCURRENT"] == promoted


@pytest.mark.parametrize("overwritten", ["rubbish", '{"algorithm":"HS256","kid":"k","secret":""}'])
def test_rollback_restores_a_key_that_was_overwritten(staged: World, overwritten: str) -> None:
    """Jitsi still has it, so that nothing is to be done there, and nothing to wait for."""
    kid = staged.stored()["kid"]
    staged.secrets.put_secret_value(SecretId=staged.secret, SecretString=overwritten)

    result = staged.run("key", "rollback", "--yes")

    assert result.exit_code == 0, result.output
    assert staged.stored()["kid"] == kid
    assert "Jitsi still has it: change nothing there." in result.stderr
    assert "JWT_APP_SECRET" not in result.stderr
    assert "..." not in result.stderr


def test_rollback_needs_a_previous_key_that_signs(jaas: World, rsa_pem: str) -> None:
    """The first key has none before it; what was stored by hand may be no key of this stack."""
    none = jaas.run("key", "rollback", "--yes")
    jaas.store({"algorithm": "RS256", "kid": "elsewhere/1", "private_key": rsa_pem})
    jaas.store({"algorithm": "RS256", "kid": NEW, "private_key": rsa_pem})
    foreign = jaas.run("key", "rollback", "--yes")

    assert none.exit_code == foreign.exit_code == 1
    assert "There is no previous key to return to." in none.stderr
    assert "The previous key cannot sign." in foreign.stderr
    assert jaas.stored()["kid"] == NEW


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
    """Nothing is asked of Secrets Manager; the operator reads how to rotate."""
    with running_world(monkeypatch, provider="self-hosted", algorithm="RS256") as rotating:
        rotating.with_secrets_manager(lambda _: Answer(500, ""))

        result = rotating.run("key", *arguments)

        assert result.exit_code == 1
        assert "`jitsi-tokens key rotate`" in result.stderr
        assert "`jitsi-tokens key withdraw`" in result.stderr
        assert len(rotating.received) == 1


def test_nothing_private_is_ever_printed(staged: World) -> None:
    """Neither of the old key nor of the next, on neither stream."""
    documents = [labelled(staged, label) for label in ("AWSCURRENT", "NEXT")]
    commands = [
        ["promote", *(["--kid", "new"] if _is_jaas(staged) else []), "--yes", "--json"],
        ["list"],
        ["list", "--json"],
        ["rollback", "--yes"],
        ["show", "--json"],
        ["check", "--json"],
        ["stage", "--bits", "2048", "--yes"],
        ["stage", "--bits", "2048", "--yes", "--json"],
    ]
    printed = "".join(staged.run("key", *command).output for command in commands)

    for document in (*documents, labelled(staged, "NEXT")):
        private = document.get("private_key") or document["secret"]
        assert all(line not in printed for line in private.splitlines())
    assert "PRIVATE" not in printed


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


@pytest.fixture
def caller(staged: World, monkeypatch: pytest.MonkeyPatch) -> Caller:  # noqa: ARG001
    """Return the client of the commands, the stack apart."""
    return Caller(monkeypatch)


def _assert_promoted(world: World) -> None:
    kid = _kid(world, "new")
    token = hashlib.sha256(f"jitsi-tokens key promote\n{STAGED_VERSION}\n{kid}".encode())
    ids = world.secrets.list_secret_version_ids(SecretId=world.secret, IncludeDeprecated=True)
    assert labels(world) == {
        "AWSCURRENT": token.hexdigest(),
        "AWSPREVIOUS": OLD_VERSION,
        "NEXT": STAGED_VERSION,
    }
    assert len(ids["Versions"]) == 3
    assert world.stored()["kid"] == kid


@pytest.mark.parametrize("breaks_at", range(CALLS))
@pytest.mark.parametrize("has_effect", [False, True], ids=["before", "after"])
def test_a_promotion_that_was_broken_off_is_the_same_when_repeated(
    staged: World, caller: Caller, breaks_at: int, *, has_effect: bool
) -> None:
    """Wherever that was: one new version, and the key before as the previous."""
    caller.breaks_at, caller.has_effect = breaks_at, has_effect
    broken_off = _promote(staged)
    caller.breaks_at, caller.made = None, 0

    repeated = _promote(staged)

    assert broken_off.exit_code != 0
    assert repeated.exit_code == 0
    _assert_promoted(staged)


def test_each_call_is_broken_off_above(staged: World, caller: Caller) -> None:
    """A promotion makes as many as that test knows of."""
    assert _promote(staged).exit_code == 0
    assert caller.made == CALLS


def test_a_promotion_whose_answer_was_lost_is_told_so(staged: World, caller: Caller) -> None:
    """The operator learns that it is safe to run it again."""
    caller.breaks_at, caller.has_effect = "PutSecretValue", True
    caller.error = ConnectionClosedError(endpoint_url="https://aws")

    lost = _promote(staged)
    repeated = _promote(staged)

    assert lost.exit_code == 3
    assert "Run the same command again: it is the same promotion." in lost.stderr
    assert repeated.exit_code == 0
    assert "is current already" in repeated.stderr
    _assert_promoted(staged)


@pytest.mark.parametrize("has_effect", [False, True])
def test_a_rollback_whose_answer_was_lost_looks_what_became_of_it(
    staged_jaas: World, monkeypatch: pytest.MonkeyPatch, *, has_effect: bool
) -> None:
    """Run again it would return to the later key."""
    _promote(staged_jaas)
    caller = Caller(monkeypatch)
    caller.breaks_at, caller.has_effect = "UpdateSecretVersionStage", has_effect
    caller.error = ConnectionClosedError(endpoint_url="https://aws")

    result = staged_jaas.run("key", "rollback", "--yes")

    label = "AWSCURRENT" if has_effect else "AWSPREVIOUS"
    assert result.exit_code == (0 if has_effect else 3)
    assert ("It is unknown whether the key was changed" in result.stderr) != has_effect
    assert labels(staged_jaas)[label] == OLD_VERSION


@pytest.fixture
def issued(
    staged_jaas: World, load_app: LoadApp, jaas_environ: dict[str, str]
) -> Callable[[], str]:
    """Return a way to have a token issued by a container that starts now."""
    boto3.client("secretsmanager").create_secret(Name="digest-key", SecretString="digest")
    secrets = {"SIGNING_KEY_SECRET": staged_jaas.secret, "DIGEST_KEY_SECRET": "digest-key"}
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
    staged_jaas: World,
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
        assert staged_jaas.run("key", *command, "--yes").exit_code == 0

    kids = []
    for token in tokens:
        kids.append(jwt.get_unverified_header(token)["kid"])
        jwt.decode(token, public[kids[-1]], algorithms=["RS256"], audience="jitsi")
    assert [kid for kid, _ in itertools.groupby(kids)] == [OLD, NEW, OLD, NEW]

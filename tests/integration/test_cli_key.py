"""`jitsi-tokens key`: create, import, show, check."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from jitsi_tokens.core.keys import KeyDocument
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
from tests.integration.test_cli_key_change import labelled, labels

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import LoadApp


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a JaaS stack without a key."""
    with running_world(monkeypatch) as world:
        yield world


@pytest.fixture
def self_hosted(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a self-hosted stack with the secret that CloudFormation generated."""
    with running_world(monkeypatch, provider="self-hosted") as world:
        world.store({"algorithm": "HS256", "kid": "initial", "secret": "i" * 64})
        yield world


@pytest.fixture
def keyed(world: World, rsa_pem: str) -> World:
    """Return a JaaS stack with a key."""
    world.store({"algorithm": "RS256", "kid": f"{APP_ID}/old", "private_key": rsa_pem})
    return world


def _create(world: World, *options: str, typed: str | None = None) -> Any:
    return world.run("key", "create", "--bits", "2048", *options, typed=typed)


@pytest.mark.parametrize("kid", ["abc123", f"{APP_ID}/abc123"])
def test_create_stores_key_and_kid_together(world: World, kid: str) -> None:
    """An RSA key under <App ID>/<key id>; its public part alone is printed."""
    result = _create(world, "--kid", kid)

    document = world.stored()
    key = load_pem_private_key(document["private_key"].encode(), None)
    assert result.exit_code == 0
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    assert document["algorithm"] == "RS256"
    assert document["kid"] == f"{APP_ID}/abc123"
    assert result.stdout == public_pem(key.public_key())
    assert "https://jaas.8x8.vc, API Keys, Add API key" in result.stderr
    assert "PRIVATE KEY" not in result.output
    assert document["private_key"].splitlines()[1] not in result.output


@pytest.mark.parametrize(
    ("kid", "sentence"),
    [
        (f"{APP_ID.lower()}/abc", "belongs to another App ID"),
        ("vpaas-magic-cookie-ffffffffffffffffffffffffffffffff/abc", "belongs to another App ID"),
        ("a b", "1 to 64 letters"),
        ("", "1 to 64 letters"),
        ("x" * 65, "1 to 64 letters"),
        (f"{APP_ID}/", "1 to 64 letters"),
        (None, "There is no terminal to ask: give --kid"),
    ],
)
def test_create_refuses_a_kid_that_is_not_the_stacks(
    world: World, kid: str | None, sentence: str
) -> None:
    """Before a key is made."""
    result = _create(world, *([] if kid is None else ["--kid", kid]))

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert world.is_empty()


def test_create_asks_for_the_key_id_that_the_console_shows(world: World) -> None:
    """At a terminal the public part is shown first, and a wrong key id is asked for again."""
    world.at_a_terminal()

    result = _create(world, typed="not an id\nabc123\n")

    assert result.exit_code == 0
    assert "1 to 64 letters" in result.stderr
    assert world.stored()["kid"] == f"{APP_ID}/abc123"
    assert load_pem_public_key(result.stdout.encode())


def test_create_that_is_broken_off_is_gone_on_with(
    world: World, load_app: LoadApp, jaas_environ: dict[str, str]
) -> None:
    """The key is stored before 8x8 gets its public part: it waits, known to all, to be promoted."""
    world.at_a_terminal()
    _use_check_key(world, load_app, jaas_environ)

    broken_off = _create(world, typed="")

    waiting = labelled(world, "NEXT")
    public = broken_off.stdout.strip()
    assert broken_off.exit_code == 1
    assert "key promote --stack-name meetings --kid <key id>" in broken_off.stderr
    assert "kid" not in waiting

    [listed] = json.loads(world.run("key", "list", "--json").stdout)
    shown = world.run("key", "show")
    check = world.run("key", "check")
    again = _create(world, typed="n\n")
    assert (listed["kid"], listed["roles"], listed["problem"]) == (None, ["staged"], None)
    assert shown.exit_code == 0
    assert shown.stdout.strip().endswith(public)
    assert json.loads(world.run("key", "show", "--json").stdout)["kid"] is None
    assert check.exit_code == 1
    for told in (shown.stderr, check.stdout):
        assert "has no key id yet" in told
        assert "`jitsi-tokens key promote --kid <key id>`" in told
    assert "Replace a staged key that was never promoted?" in again.stderr

    promoted = world.run("key", "promote", typed="abc123\ny\n")

    assert promoted.exit_code == 0
    assert "no key signs now" in promoted.stderr
    assert world.stored() == waiting | {"kid": f"{APP_ID}/abc123"}
    assert world.run("key", "check").exit_code == 0
    keys = json.loads(world.run("key", "list", "--json").stdout)
    assert [key["roles"] for key in keys] == [["current"], ["staged", "promoted"]]
    assert "no previous key" in world.run("key", "rollback", "--yes").stderr
    # Another one takes the label, and the first version is nobody's key any more.
    world.run("key", "stage", "--bits", "2048")
    keys = json.loads(world.run("key", "list", "--json").stdout)
    assert [key["roles"] for key in keys] == [["current"], ["staged"]]


def test_a_key_is_replaced_on_demand_only(keyed: World, rsa_pool: list[rsa.RSAPrivateKey]) -> None:
    """With --replace, and leave: --yes, or a person's; the key before is the previous one."""
    before = keyed.stored()
    file = private_pem(rsa_pool[0])

    refused = _create(keyed, "--kid", "new")
    scripted = _create(keyed, "--kid", "new", "--replace")
    imported = keyed.run("key", "import", "-", "--kid", "new", typed=file)

    assert "Add --replace" in refused.stderr
    assert "add --yes" in scripted.stderr
    assert "Add --replace" in imported.stderr
    assert refused.exit_code == scripted.exit_code == imported.exit_code == 1
    assert list(labels(keyed)) == ["AWSCURRENT"]
    keyed.at_a_terminal()
    _create(keyed, "--kid", "new", "--replace", typed="n\n")
    assert keyed.stored() == before
    _create(keyed, "--kid", "new", "--replace", typed="y\n")
    assert keyed.stored()["kid"] == f"{APP_ID}/new"
    assert labelled(keyed, "AWSPREVIOUS") == before
    assert _create(keyed, "--kid", "newer", "--replace", "--yes").exit_code == 0


def test_bytes_may_be_somebodys_key(world: World) -> None:
    """A binary secret is no key document, and is overwritten with --replace alone."""
    world.store_bytes(b"hunter2")

    kept = _create(world, "--kid", "new")
    shown = world.run("key", "show")

    assert "Add --replace" in kept.stderr
    assert world.secrets.get_secret_value(SecretId=world.secret)["SecretBinary"]
    assert shown.exit_code == 1
    assert "hunter2" not in shown.output
    assert _create(world, "--kid", "new", "--replace", "--yes").exit_code == 0
    assert world.stored()["kid"] == f"{APP_ID}/new"


def test_a_key_that_cannot_sign_is_not_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is read as the functions will read it, before it replaces anything."""

    def spoilt(**fields: Any) -> KeyDocument:
        return KeyDocument(**{**fields, "private_key": "-----BEGIN PRIVATE KEY-----"})

    monkeypatch.setattr("jitsi_tokens_cli.key.common.KeyDocument", spoilt)

    result = _create(world, "--kid", "abc")

    assert result.exit_code == 1
    assert "is not an unencrypted PEM that can be read" in result.stderr
    assert world.is_empty()


@pytest.mark.parametrize(
    ("command", "reading", "storing", "sentence"),
    [
        ("show", "AccessDeniedException", "", "Missing permission on the signing secret"),
        ("show", "InternalServiceError", "", "The stack's signing secret cannot be read."),
        ("show", "InvalidRequestException", "", "restore-secret --region eu-central-1"),
        ("create", "AccessDeniedException", "", "Missing permission on the signing secret"),
        ("create", "", "ValidationException", "was not stored."),
        ("create", "", "", "unknown whether the key was stored"),
    ],
)
def test_what_aws_refuses_is_one_sentence(
    world: World, command: str, reading: str, storing: str, sentence: str
) -> None:
    """Missing permissions, a deletion, outages told apart; AWS's own words may quote the key."""
    at = {"v" * 32: ["AWSCURRENT"]}
    answers = {
        "DescribeSecret": Answer(200, json.dumps({"VersionIdsToStages": at} if reading else {})),
        "GetSecretValue": json_error(reading, "MIIEvg"),
        "PutSecretValue": json_error(storing, "MIIEvg") if storing else HANGS_UP,
    }
    world.with_secrets_manager(answers.__getitem__)
    options = ["--bits", "2048", "--kid", "new", "--replace", "--yes"]

    result = world.run("key", command, *(options if command == "create" else []))

    assert result.exit_code == (1 if "restore" in sentence else 3)
    assert sentence in result.stderr
    assert "MIIEvg" not in result.output
    assert world.is_empty()


def test_create_makes_a_shared_secret(self_hosted: World) -> None:
    """64 letters and digits under a random key id, unseen; on demand, as Jitsi may have another."""
    kept = self_hosted.run("key", "create")
    assert kept.exit_code == 1
    assert self_hosted.stored()["kid"] == "initial"

    result = self_hosted.run("key", "create", "--replace", "--yes")

    document = self_hosted.stored()
    assert result.exit_code == 0
    assert document["algorithm"] == "HS256"
    assert re.fullmatch("[0-9a-f]{8}", document["kid"])
    assert re.fullmatch("[A-Za-z0-9]{64}", document["secret"])
    assert document["secret"] not in result.output
    assert result.stdout == ""
    assert "JWT_APP_SECRET" in result.stderr
    assert (
        "aws secretsmanager get-secret-value --region eu-central-1"
        f" --secret-id '{self_hosted.secret}'" in result.stderr
    )


@pytest.mark.parametrize("wrapped", [False, True])
def test_import_reads_a_file_or_stdin(
    world: World, tmp_path: Path, rsa_key: rsa.RSAPrivateKey, rsa_pem: str, *, wrapped: bool
) -> None:
    """It is stored as PKCS#8, with its kid, whatever it was wrapped in."""
    file = tmp_path / "key.pem"
    file.write_text(rsa_pem)
    arguments: list[Any] = ["-" if wrapped else str(file), "--kid", "abc"]
    document = json.dumps({"data": {"key": base64.b64encode(rsa_pem.encode()).decode()}})

    result = world.run("key", "import", *arguments, typed=document if wrapped else None)

    assert result.exit_code == 0
    assert world.stored() == {
        "algorithm": "RS256",
        "kid": f"{APP_ID}/abc",
        "private_key": rsa_pem,
    }
    assert list(labels(world)) == ["AWSCURRENT"]
    assert result.stdout == public_pem(rsa_key.public_key())
    assert "PRIVATE KEY" not in result.output


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("open\nabc\n", "Stored as"),
        ("sesame\n", "The passphrase is wrong"),
        (None, "There is no terminal to ask for its passphrase"),
    ],
)
def test_import_asks_for_passphrase_and_kid(
    world: World, tmp_path: Path, rsa_key: rsa.RSAPrivateKey, typed: str | None, sentence: str
) -> None:
    """An encrypted key is stored in the clear, where Secrets Manager encrypts it."""
    file = tmp_path / "key.pem"
    file.write_bytes(
        rsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    )
    if typed:
        world.at_a_terminal()

    result = world.run("key", "import", str(file), *([] if typed else ["--kid", "a"]), typed=typed)

    assert sentence in result.stderr
    assert "sesame" not in result.output
    if typed == "open\nabc\n":
        assert world.stored()["private_key"] == private_pem(rsa_key)
    else:
        assert result.exit_code == 1
        assert world.is_empty()


@pytest.mark.parametrize(
    ("file", "typed", "sentence"),
    [
        ("none.pem", None, "Error: The file cannot be read: No such file or directory.\n"),
        ("-", "x" * 65_537, "larger than 64 KiB"),
        ("-", "ssh-rsa AAAAB3NzaC1yc2E me@here", "This is a public key"),
    ],
)
def test_import_refuses_a_file(world: World, file: str, typed: str | None, sentence: str) -> None:
    """In one sentence."""
    result = world.run("key", "import", file, "--kid", "abc", typed=typed)

    assert result.exit_code == 1
    assert sentence in result.stderr


@pytest.mark.parametrize("command", [["import", "-", "--replace"], ["stage", "--from", "-"]])
@pytest.mark.parametrize("secret", ["s" * 40, "s" * 40 + "#", "s" * 40 + "$x"])
def test_a_shared_secret_is_taken_over(self_hosted: World, command: list[str], secret: str) -> None:
    """As Jitsi has it; what docker-jitsi-meet's .env would change is warned of."""
    result = self_hosted.run("key", *command, "--kid", "old", "--yes", typed=f"{secret}\n")

    stored = labelled(self_hosted, "NEXT" if command[0] == "stage" else "AWSCURRENT")
    assert result.exit_code == 0
    assert stored == {"algorithm": "HS256", "kid": "old", "secret": secret}
    assert ("Warning: the secret contains # or $" in result.stderr) == (secret[40:] != "")
    assert secret not in result.output


def test_the_check_follows_every_change(world: World) -> None:
    """What it finds is printed with what to do, beside what the command prints."""
    problem = {"code": "access-denied", "what": "No leave to read.", "remedy": "Mend the role."}
    key = {"kid": f"{APP_ID}/abc", "algorithm": "RS256", "fingerprint": "f", "createdAt": 1}
    world.check = lambda: checked(key=key)

    good = _create(world, "--kid", "abc")
    world.check = lambda: checked(configured=False, problems=[problem])
    bad = _create(world, "--kid", "abd", "--replace", "--yes")

    assert world.received[-1].path.endswith("/invocations")
    assert f"The stack signs with {APP_ID}/abc, and the signature verifies." in good.stderr
    assert bad.exit_code == 1
    assert "No leave to read. Compare the function's role" in bad.stderr
    assert "Error: The check failed" in bad.stderr
    assert load_pem_public_key(bad.stdout.encode())


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (
            Answer(403, '{"Message": "no"}', (("x-amzn-errortype", "AccessDeniedException"),)),
            "Denied",
        ),
        (Answer(200, '{"errorType": "Boom"}', (("X-Amz-Function-Error", "Unhandled"),)), "its log"),
        (Answer(200, "null"), "answer cannot be read"),
    ],
)
def test_a_check_that_cannot_be_run_leaves_the_key(
    world: World, answer: Answer, cause: str
) -> None:
    """The operator learns that the key is stored, and what to run."""
    world.check = lambda: answer

    result = _create(world, "--kid", "abc")

    assert result.exit_code == 3
    assert "The key is stored, but the check could not be run." in result.stderr
    assert cause in result.stderr
    assert "jitsi-tokens key check --stack-name meetings" in result.stderr
    assert world.stored()["kid"] == f"{APP_ID}/abc"


def _use_check_key(world: World, load_app: LoadApp, environ: dict[str, str]) -> None:
    """Let the function itself answer for CheckKey."""
    boto3.client("ssm").put_parameter(Name="status", Value="{}", Type="String")
    app = load_app(
        "check_key",
        {
            **environ,
            "SIGNING_KEY_SECRET": world.secret,
            "STATUS_PARAMETER": "status",
            "PUBLIC_KEYS_PATH": world.outputs["PublicKeysPath"],
        },
    )
    world.check = lambda: Answer(200, msgspec.json.encode(app.handler({}, None)).decode())


def test_check_prints_a_line_for_each_thing_that_it_found(
    keyed: World, load_app: LoadApp, jaas_environ: dict[str, str]
) -> None:
    """What functions/check_key answers; and what a stack that still signs warns of."""
    problem = {"code": "unknown-key-published", "what": "A key is published.", "remedy": "x"}
    _use_check_key(keyed, load_app, jaas_environ)
    good = keyed.run("key", "check")
    keyed.check = lambda: checked(problems=[problem])
    warned = keyed.run("key", "check")
    keyed.check = lambda: checked(configured=False, problems=[problem])
    bad = keyed.run("key", "check")

    told = f"pass\tkey-check\tThe stack signs with {APP_ID}/old, and the signature verifies.\t\n"
    assert good.exit_code == 0
    # Before it is the line of the function itself.
    assert good.stdout.endswith(told)
    assert warned.exit_code == 0
    assert [line.split("\t")[:3] for line in warned.stdout.splitlines()] == [
        ["warning", "unknown-key-published", "A key is published."],
        ["pass", "key-check", "The stack signs, and the signature verifies."],
    ]
    assert "`jitsi-tokens key withdraw`" in warned.stdout
    assert bad.exit_code == 1
    assert bad.stdout.startswith("fail\tunknown-key-published\t")
    assert "Error: The check failed" in bad.stderr


@pytest.mark.parametrize("configured", [False, True])
def test_check_has_json_for_scripts(world: World, *, configured: bool) -> None:
    """Times are readable, and nothing else is on stdout."""
    key = {"kid": "k", "algorithm": "RS256", "fingerprint": None, "createdAt": 60}
    world.check = lambda: checked(configured=configured, key=key)

    result = world.run("key", "check", "--json")

    assert result.exit_code == (0 if configured else 1)
    assert json.loads(result.stdout) == {
        "configured": configured,
        "checkedAt": "1970-01-01T00:00:01Z",
        "key": key | {"createdAt": "1970-01-01T00:01:00Z"},
        "problems": [],
    }


@pytest.mark.parametrize("command", [["create", "--bits", "2048"], ["import", "-"]])
def test_create_and_import_have_json_for_scripts(
    keyed: World, rsa_pem: str, command: list[str]
) -> None:
    """With the public part in it."""
    options = ["--kid", "new", "--replace", "--yes", "--json"]

    answer = json.loads(keyed.run("key", *command, *options, typed=rsa_pem).stdout)

    key = load_pem_public_key(answer["publicKey"].encode())
    assert isinstance(key, rsa.RSAPublicKey)
    assert answer == {
        "kid": f"{APP_ID}/new",
        "algorithm": "RS256",
        "fingerprint": fingerprint(key),
        "publicKey": public_pem(key),
        "versionId": labels(keyed)["AWSCURRENT"],
    }


def test_show_tells_the_public_side(keyed: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """Key id, algorithm, age, fingerprint and public part, for people and scripts."""
    public = rsa_key.public_key()

    result = keyed.run("key", "show")
    answer = json.loads(keyed.run("key", "show", "--json").stdout)

    created = answer.pop("createdAt")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
    assert answer == {
        "kid": f"{APP_ID}/old",
        "algorithm": "RS256",
        "fingerprint": fingerprint(public),
        "publicKey": public_pem(public),
    }
    assert result.stdout == (
        f"Key id (kid)\t{APP_ID}/old\nAlgorithm\tRS256\nCreated\t{created}\n"
        f"SHA-256\t{fingerprint(public)}\n{public_pem(public)}"
    )


def test_show_of_a_shared_secret_has_no_public_part(self_hosted: World) -> None:
    """An HS256 key has nothing that may be printed but its id."""
    result = self_hosted.run("key", "show")

    assert result.exit_code == 0
    assert "initial" in result.stdout
    assert "none: a shared secret" in result.stdout
    assert "i" * 64 not in result.output


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (None, "`jitsi-tokens key create` or `jitsi-tokens key import`."),
        # The emulator gives an empty secret an empty first version.
        ("", "has no signing key yet"),
        ('{"hunter2": 1}', "not a JSON object of algorithm, kid"),
    ],
)
def test_show_where_there_is_no_key(world: World, document: str | None, sentence: str) -> None:
    """What is missing, or the cause alone: nothing of a document that cannot be read."""
    if document is not None:
        version = {"VersionId": "v" * 32, "SecretString": document, "CreatedDate": 1}
        world.with_secrets_manager(lambda _: Answer(200, json.dumps(version)))

    result = world.run("key", "show")

    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "hunter2" not in result.output

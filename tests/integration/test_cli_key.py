"""`jitsi-tokens key`: create, import, show, check."""

from __future__ import annotations

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
from jitsi_tokens.core.rsa_keys import fingerprint, public_pem
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


def test_create_stores_key_and_kid_together(world: World) -> None:
    """Key create --kid stores an RSA key under <App ID>/<key id> and prints its public part."""
    result = _create(world, "--kid", "abc123")

    document = world.stored()
    key = load_pem_private_key(document["private_key"].encode(), None)
    assert result.exit_code == 0
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.key_size == 2048
    assert document["algorithm"] == "RS256"
    assert document["kid"] == f"{APP_ID}/abc123"
    assert result.stdout == public_pem(key.public_key())
    assert "https://jaas.8x8.vc, API Keys, Add API key" in result.stderr


def test_create_never_prints_the_private_key(world: World) -> None:
    """Neither stream holds anything of the private part."""
    result = _create(world, "--kid", "abc123")

    body = world.stored()["private_key"].splitlines()[1]
    assert "PRIVATE KEY" not in result.output
    assert body not in result.output


def test_create_makes_4096_bits_unless_told_otherwise(
    world: World, monkeypatch: pytest.MonkeyPatch, rsa_key: rsa.RSAPrivateKey
) -> None:
    """8x8's instructions ask for 4096 bits."""
    asked: list[int] = []

    def make(bits: int) -> rsa.RSAPrivateKey:
        asked.append(bits)
        return rsa_key

    monkeypatch.setattr("jitsi_tokens_cli.key.commands.make_rsa_key", make)

    world.run("key", "create", "--kid", "abc123")

    assert asked == [4096]


def test_create_takes_a_full_kid_of_this_stack(world: World) -> None:
    """A kid as 8x8's console shows it, with the App ID, is the same kid."""
    _create(world, "--kid", f"{APP_ID}/abc123")

    assert world.stored()["kid"] == f"{APP_ID}/abc123"


@pytest.mark.parametrize(
    ("kid", "sentence"),
    [
        (f"{APP_ID.lower()}/abc", "belongs to another App ID"),
        ("vpaas-magic-cookie-ffffffffffffffffffffffffffffffff/abc", "belongs to another App ID"),
        ("a b", "1 to 64 letters"),
        ("", "1 to 64 letters"),
        ("x" * 65, "1 to 64 letters"),
        (f"{APP_ID}/", "1 to 64 letters"),
    ],
)
def test_create_refuses_a_kid_that_is_not_the_stacks(world: World, kid: str, sentence: str) -> None:
    """A key id of another form, or of another App ID, is refused before a key is made."""
    result = _create(world, "--kid", kid)

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


def test_create_that_is_broken_off_stores_nothing(world: World) -> None:
    """Ending the input where the key id is asked for leaves the stack as it was."""
    world.at_a_terminal()

    result = _create(world, typed="")

    assert result.exit_code == 1
    assert world.is_empty()


def test_create_without_terminal_needs_the_kid(world: World) -> None:
    """A script is told to give --kid."""
    result = _create(world)

    assert result.exit_code == 1
    assert "There is no terminal to ask: give --kid" in result.stderr


def test_create_keeps_a_key_that_is_there(keyed: World) -> None:
    """A present key is replaced only with --replace."""
    before = keyed.stored()

    result = _create(keyed, "--kid", "new")

    assert result.exit_code == 1
    assert "Add --replace" in result.stderr
    assert keyed.stored() == before


def test_replacing_without_terminal_needs_yes(keyed: World) -> None:
    """A script that replaces a key says so twice."""
    result = _create(keyed, "--kid", "new", "--replace")

    assert result.exit_code == 1
    assert "add --yes" in result.stderr
    assert keyed.stored()["kid"] == f"{APP_ID}/old"


def test_replace_with_yes_replaces(keyed: World) -> None:
    """--replace --yes stores without asking."""
    result = _create(keyed, "--kid", "new", "--replace", "--yes")

    assert result.exit_code == 0
    assert keyed.stored()["kid"] == f"{APP_ID}/new"


@pytest.mark.parametrize(("answer", "kid"), [("y\n", "new"), ("n\n", "old")])
def test_replace_at_a_terminal_asks(keyed: World, answer: str, kid: str) -> None:
    """The person decides whether the present key goes."""
    keyed.at_a_terminal()

    _create(keyed, "--kid", "new", "--replace", typed=answer)

    assert keyed.stored()["kid"] == f"{APP_ID}/{kid}"


def test_create_keeps_a_key_that_is_stored_as_bytes(world: World) -> None:
    """A binary secret is no key document, but may be somebody's key: it is not overwritten."""
    world.store_bytes(b"somebody's key")

    result = _create(world, "--kid", "new")

    assert result.exit_code == 1
    assert "Add --replace" in result.stderr
    assert world.secrets.get_secret_value(SecretId=world.secret)["SecretBinary"]


def test_replace_replaces_bytes(world: World) -> None:
    """What is no key document is replaced like a key."""
    world.store_bytes(b"somebody's key")

    result = _create(world, "--kid", "new", "--replace", "--yes")

    assert result.exit_code == 0
    assert world.stored()["kid"] == f"{APP_ID}/new"


def test_create_stores_nothing_where_the_secret_cannot_be_read(world: World) -> None:
    """Whether there is a key cannot be told, not even with --replace."""
    world.with_secrets_manager(lambda _: json_error("AccessDeniedException"))

    result = _create(world, "--kid", "new", "--replace", "--yes")

    assert result.exit_code == 3
    assert "You may not read the stack's signing secret" in result.stderr
    assert world.is_empty()


def test_a_key_that_cannot_sign_is_not_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The document is read as the functions will read it, before it replaces anything."""

    def spoilt(**fields: Any) -> KeyDocument:
        return KeyDocument(**{**fields, "private_key": "-----BEGIN PRIVATE KEY-----"})

    monkeypatch.setattr("jitsi_tokens_cli.key.storing.KeyDocument", spoilt)

    result = _create(world, "--kid", "abc")

    assert result.exit_code == 1
    assert "is not an unencrypted PEM that can be read" in result.stderr
    assert world.is_empty()


def test_an_empty_version_is_no_key(world: World) -> None:
    """The emulator gives an empty secret an empty first version, which is no key."""
    version = {"VersionId": "v" * 32, "SecretString": "", "CreatedDate": 1}
    world.with_secrets_manager(lambda _: Answer(200, json.dumps(version)))

    result = world.run("key", "show")

    assert result.exit_code == 1
    assert "has no signing key yet" in result.stderr


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("AccessDeniedException", "You may not read the stack's signing secret"),
        ("InternalServiceError", "The stack's signing secret cannot be read."),
    ],
)
def test_a_secret_that_cannot_be_read_is_one_sentence(
    world: World, code: str, sentence: str
) -> None:
    """Missing permissions and outages are told apart."""
    world.with_secrets_manager(lambda _: json_error(code))

    result = world.run("key", "show")

    assert result.exit_code == 3
    assert sentence in result.stderr


def _reads_no_key(operation: str, otherwise: Answer) -> Answer:
    if operation == "GetSecretValue":
        return json_error("ResourceNotFoundException")
    return otherwise


def test_a_key_that_is_not_taken_is_told_so(world: World) -> None:
    """The operator learns that nothing was stored; AWS's own words may quote the key."""
    world.with_secrets_manager(
        lambda operation: _reads_no_key(operation, json_error("ValidationException", "MIIEvg"))
    )

    result = _create(world, "--kid", "abc")

    assert result.exit_code == 3
    assert "The key was not stored." in result.stderr
    assert "MIIEvg" not in result.output


def test_a_key_that_may_have_been_taken_is_told_so(world: World) -> None:
    """Where the connection broke, the operator learns how to find out."""
    world.with_secrets_manager(lambda operation: _reads_no_key(operation, HANGS_UP))

    result = _create(world, "--kid", "abc")

    assert result.exit_code == 3
    assert "It is not known whether the key was stored" in result.stderr


def test_create_makes_a_shared_secret(self_hosted: World) -> None:
    """A self-hosted stack gets 64 letters and digits under a random key id, unseen."""
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


def test_a_shared_secrets_kid_may_be_chosen(self_hosted: World) -> None:
    """--kid names a shared secret; it holds no slash."""
    refused = self_hosted.run("key", "create", "--replace", "--yes", "--kid", "a/b")
    result = self_hosted.run("key", "create", "--replace", "--yes", "--kid", "spring")

    assert "holds no slash" in refused.stderr
    assert result.exit_code == 0
    assert self_hosted.stored()["kid"] == "spring"


def test_the_generated_secret_is_replaced_on_demand_only(self_hosted: World) -> None:
    """What CloudFormation generated may be in Jitsi's configuration already."""
    result = self_hosted.run("key", "create")

    assert result.exit_code == 1
    assert self_hosted.stored()["kid"] == "initial"


def test_import_reads_a_file(world: World, tmp_path: Path, rsa_pem: str) -> None:
    """A PKCS#8 file is stored as it is, with its kid."""
    file = tmp_path / "key.pem"
    file.write_text(rsa_pem)

    result = world.run("key", "import", str(file), "--kid", "abc")

    assert result.exit_code == 0
    assert world.stored() == {
        "algorithm": "RS256",
        "kid": f"{APP_ID}/abc",
        "private_key": rsa_pem,
    }
    assert "BEGIN PUBLIC KEY" in result.stdout
    assert "PRIVATE KEY" not in result.output


def test_import_reads_stdin(world: World, rsa_key: rsa.RSAPrivateKey, rsa_pem: str) -> None:
    """`-` takes the key from a pipe, pasted from an .env file for instance."""
    escaped = rsa_pem.replace("\n", "\\n")

    result = world.run("key", "import", "-", "--kid", "a", typed=f'JITSI_PRIVATE_KEY="{escaped}"\n')

    assert result.exit_code == 0
    assert world.stored()["private_key"] == rsa_pem
    assert public_pem(rsa_key.public_key()) == result.stdout


def test_import_asks_for_the_kid(world: World, tmp_path: Path, rsa_pem: str) -> None:
    """At a terminal the key id is asked for."""
    file = tmp_path / "key.pem"
    file.write_text(rsa_pem)
    world.at_a_terminal()

    world.run("key", "import", str(file), typed="abc\n")

    assert world.stored()["kid"] == f"{APP_ID}/abc"


def _encrypted(tmp_path: Path, key: rsa.RSAPrivateKey) -> str:
    file = tmp_path / "key.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"open"))
    )
    return str(file)


def test_import_asks_for_the_passphrase(
    world: World, tmp_path: Path, rsa_key: rsa.RSAPrivateKey, rsa_pem: str
) -> None:
    """An encrypted key is stored in the clear, where Secrets Manager encrypts it."""
    world.at_a_terminal()

    result = world.run(
        "key", "import", _encrypted(tmp_path, rsa_key), "--kid", "abc", typed="open\n"
    )

    assert result.exit_code == 0
    assert world.stored()["private_key"] == rsa_pem
    assert "open" not in result.stdout


def test_import_refuses_a_wrong_passphrase(
    world: World, tmp_path: Path, rsa_key: rsa.RSAPrivateKey
) -> None:
    """A wrong passphrase is one sentence, which does not repeat it."""
    world.at_a_terminal()

    result = world.run(
        "key", "import", _encrypted(tmp_path, rsa_key), "--kid", "abc", typed="sesame\n"
    )

    assert result.exit_code == 1
    assert "The passphrase is wrong" in result.stderr
    assert "sesame" not in result.output
    assert world.is_empty()


def test_import_without_terminal_cannot_ask_for_the_passphrase(
    world: World, tmp_path: Path, rsa_key: rsa.RSAPrivateKey
) -> None:
    """A script with an encrypted key is told that nobody can be asked."""
    result = world.run("key", "import", _encrypted(tmp_path, rsa_key), "--kid", "abc")

    assert result.exit_code == 1
    assert "nobody is there to ask for its passphrase" in result.stderr


def test_import_names_a_file_that_is_not_there(world: World, tmp_path: Path) -> None:
    """A missing file is one sentence."""
    result = world.run("key", "import", str(tmp_path / "none.pem"), "--kid", "abc")

    assert result.exit_code == 1
    assert result.stderr == "Error: The file cannot be read: No such file or directory.\n"


def test_import_refuses_a_file_that_is_too_long(world: World) -> None:
    """What is over 64 KiB is no key."""
    result = world.run("key", "import", "-", "--kid", "abc", typed="x" * 65_537)

    assert result.exit_code == 1
    assert "over 64 KiB" in result.stderr


def test_import_reads_a_shared_secret(self_hosted: World) -> None:
    """A self-hosted stack takes over the secret that Jitsi has."""
    secret = "s" * 40

    result = self_hosted.run(
        "key", "import", "-", "--kid", "old", "--replace", "--yes", typed=f"{secret}\n"
    )

    assert result.exit_code == 0
    assert self_hosted.stored() == {"algorithm": "HS256", "kid": "old", "secret": secret}
    assert secret not in result.output


def test_the_check_follows_every_change(world: World) -> None:
    """After storing, CheckKey is invoked and its answer shown."""
    world.check = lambda: checked(
        key={"kid": f"{APP_ID}/abc", "algorithm": "RS256", "fingerprint": "f", "createdAt": 1}
    )

    result = _create(world, "--kid", "abc")

    assert world.received[-1].path.endswith("/invocations")
    assert f"Checked: the stack signs with {APP_ID}/abc" in result.stderr


def test_a_failed_check_shows_remedies(world: World) -> None:
    """What the check finds is told with what to do, and the exit code is 1."""
    problem = {"code": "access-denied", "what": "No leave to read.", "remedy": "Mend the role."}
    world.check = lambda: checked(configured=False, problems=[problem])

    result = _create(world, "--kid", "abc")

    assert result.exit_code == 1
    assert "No leave to read. (access-denied)" in result.stderr
    assert "Compare the function's role" in result.stderr
    assert "the stack cannot sign tokens" in result.stderr


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
    assert "jitsi-tokens --stack-name meetings key check" in result.stderr
    assert world.stored()["kid"] == f"{APP_ID}/abc"


def test_check_runs_alone(keyed: World) -> None:
    """Key check asks the stack without changing a key."""
    result = keyed.run("key", "check")

    assert result.exit_code == 0
    assert "Checked: the stack signs" in result.stderr


def test_the_functions_own_answer_is_understood(
    keyed: World, load_app: LoadApp, jaas_environ: dict[str, str]
) -> None:
    """What functions/check_key answers is what the command reads."""
    boto3.client("ssm").put_parameter(Name="status", Value="{}", Type="String")
    app = load_app(
        "check_key",
        {
            **jaas_environ,
            "SIGNING_KEY_SECRET": keyed.secret,
            "STATUS_PARAMETER": "status",
            "PUBLIC_KEYS_PATH": keyed.outputs["PublicKeysPath"],
        },
    )
    keyed.check = lambda: Answer(200, msgspec.json.encode(app.handler({}, None)).decode())

    result = keyed.run("key", "check")

    assert result.exit_code == 0
    assert f"signs with {APP_ID}/old" in result.stderr


def test_show_tells_the_public_side(keyed: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """Key show prints id, algorithm, age, fingerprint and public PEM."""
    result = keyed.run("key", "show")

    public = rsa_key.public_key()
    assert result.exit_code == 0
    assert f"{APP_ID}/old" in result.stdout
    assert "RS256" in result.stdout
    assert fingerprint(public) in result.stdout
    assert public_pem(public) in result.stdout
    assert "PRIVATE" not in result.output


def test_show_has_json_for_scripts(keyed: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """--json holds the same, with the time in ISO 8601."""
    facts = json.loads(keyed.run("key", "show", "--json").stdout)

    assert facts["kid"] == f"{APP_ID}/old"
    assert facts["algorithm"] == "RS256"
    assert facts["fingerprint"] == fingerprint(rsa_key.public_key())
    assert facts["publicKey"] == public_pem(rsa_key.public_key())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", facts["createdAt"])


def test_show_of_a_shared_secret_has_no_public_part(self_hosted: World) -> None:
    """An HS256 key has nothing that may be printed but its id."""
    result = self_hosted.run("key", "show")

    assert result.exit_code == 0
    assert "initial" in result.stdout
    assert "has no public part" in result.stderr
    assert "i" * 64 not in result.output


def test_show_without_a_key_says_what_to_run(world: World) -> None:
    """A stack without a key exits with 1."""
    result = world.run("key", "show")

    assert result.exit_code == 1
    assert "`jitsi-tokens key create` or `jitsi-tokens key import`." in result.stderr


def test_show_of_bytes_tells_that_they_are_no_key(world: World) -> None:
    """A binary secret is told apart from a stack without a key."""
    world.store_bytes(b"hunter2")

    result = world.run("key", "show")

    assert result.exit_code == 1
    assert "The stack's signing secret cannot be read." in result.stderr
    assert "hunter2" not in result.output


def test_show_of_a_broken_document_tells_the_cause_alone(world: World) -> None:
    """Nothing of a document that cannot be read is printed."""
    world.secrets.put_secret_value(SecretId=world.secret, SecretString='{"hunter2": 1}')

    result = world.run("key", "show")

    assert result.exit_code == 1
    assert "not a JSON object of algorithm, kid" in result.stderr
    assert "hunter2" not in result.output

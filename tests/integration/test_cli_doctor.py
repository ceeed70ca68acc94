"""`jitsi-tokens doctor`: green on a healthy stack, and each broken thing named first."""

from __future__ import annotations

import json
import socket
from datetime import datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.backends import get_backend

from jitsi_tokens.core.clients import Client, make_api_key, write_client
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.status import KeyStatus, write_status
from jitsi_tokens_cli.client.store import ClientStore
from jitsi_tokens_cli.web import Reply
from tests.integration.cli_world import (
    APP_ID,
    HANGS_UP,
    STACK,
    TABLE,
    Answer,
    aws_error,
    json_error,
    running_world,
)
from tests.integration.deployed import (
    PROBLEM,
    SHARED_SECRET,
    STATUS,
    Deployed,
    jaas_document,
    published_document,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result

    from tests.conftest import LoadApp

    type Break = Callable[[Deployed, pytest.MonkeyPatch], object]

KINDS = ("jaas", "shared", "published")
COMMON = [
    "stack",
    "address",
    "clock",
    "signing-secret",
    "key-age",
    "pending-key",
    "staged-key",
    "clients",
    "key-check",
    "probe",
    "authorizer",
    "token",
]
SELF_HOSTED = {"meeting-page"}
PUBLISHED = {"rotation", "published-key", "missing-key-404", "jwks"}
DAY = 24 * 3600


@pytest.fixture(scope="session")
def other_key() -> rsa.RSAPrivateKey:
    """Return a key that is nobody's here."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
def documents(rsa_key: rsa.RSAPrivateKey, rsa_pem: str) -> dict[str, dict[str, str]]:
    """Return the key of each kind of stack."""
    return {
        "jaas": jaas_document(rsa_pem),
        "shared": {"algorithm": "HS256", "kid": "initial", "secret": SHARED_SECRET},
        "published": published_document(rsa_key, rsa_pem),
    }


@pytest.fixture
def environs(
    jaas_environ: dict[str, str],
    self_hosted_environ: dict[str, str],
    published_environ: dict[str, str],
) -> dict[str, dict[str, str]]:
    """Return the settings of each kind of stack."""
    return {"jaas": jaas_environ, "shared": self_hosted_environ, "published": published_environ}


@pytest.fixture
def deployed(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    load_app: LoadApp,
    environs: dict[str, dict[str, str]],
    documents: dict[str, dict[str, str]],
) -> Iterator[Deployed]:
    """Return a healthy stack of the kind that a test asks for; JaaS's where it asks for none."""
    kind = getattr(request, "param", "jaas")
    provider = "jaas" if kind == "jaas" else "self-hosted"
    algorithm = "RS256" if kind == "published" else "HS256"
    with running_world(monkeypatch, provider=provider, algorithm=algorithm) as world:
        stack = Deployed(world, load_app, environs[kind], monkeypatch)
        if kind == "published":
            stack.schedule_rotation()
        world.store(documents[kind])
        if kind == "published":
            stack.publish(stack.private_key(), stack.kid())
        stack.check()
        monkeypatch.setenv("JITSI_TOKENS_API_KEY", stack.add_client(rooms=["*"]))
        yield stack


def of_kind(kind: str) -> pytest.MarkDecorator:
    """Ask for a stack of one kind."""
    return pytest.mark.parametrize("deployed", [kind], indirect=True)


def examined(result: Result) -> dict[str, Any]:
    """Return what the command told a script."""
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def check_of(result: Result, name: str) -> dict[str, str]:
    """Return one check of it."""
    check: dict[str, str]
    [check] = [check for check in examined(result)["checks"] if check["check"] == name]
    return check


@pytest.mark.parametrize("deployed", KINDS, indirect=True)
def test_a_healthy_stack_is_green(deployed: Deployed) -> None:
    """Every check passes, and nothing waits."""
    result = deployed.world.run("doctor", "--json")

    document = examined(result)
    checks = document["checks"]
    assert result.exit_code == 0, result.output
    assert (document["healthy"], document["firstFailure"]) == (True, None)
    assert {check["outcome"] for check in checks} == {"pass"}
    names = [check["check"] for check in checks]
    assert [name for name in names if name not in PUBLISHED | SELF_HOSTED] == COMMON
    parameters = deployed.world.parameters
    assert (set(names) >= PUBLISHED) == (parameters["SigningAlgorithm"] == "RS256")
    assert (set(names) >= SELF_HOSTED) == (parameters["Provider"] == "self-hosted")
    assert all(check.keys() == {"check", "outcome", "found", "remedy"} for check in checks)
    assert deployed.slept == []


def test_a_person_is_told_one_line_a_check(deployed: Deployed) -> None:
    """On stdout; the sum of it on stderr."""
    result = deployed.world.run("doctor")

    assert len(result.stdout.splitlines()) == len(COMMON)
    assert f"ok       signing-secret  It holds the key {APP_ID}/key1 (RS256)" in result.stdout
    assert result.stderr == "Nothing is wrong (12 ok).\n"


def test_a_person_is_told_what_to_do(deployed: Deployed) -> None:
    """Below the line of what failed, and where to begin."""
    deployed.world.store({"algorithm": "RS256", "kid": "other/key1", "private_key": "x"})

    result = deployed.world.run("doctor")

    lines = result.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("FAILED"))
    assert "signing-secret  The key's kid does not belong to this stack" in lines[at]
    assert lines[at + 1].strip().startswith("→ Replace the key")
    assert result.stderr.startswith("Begin with signing-secret (")


def _no_key(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = stack.world.secrets.create_secret(Name="empty")["ARN"]
    stack.world.secret = stack.world.outputs["SigningKeySecret"] = secret
    monkeypatch.setenv("SIGNING_KEY_SECRET", secret)


def _gone(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.world.secrets.delete_secret(SecretId=stack.world.secret, ForceDeleteWithoutRecovery=True)


def _to_be_deleted(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.world.secrets.delete_secret(SecretId=stack.world.secret)


def _wrong_kid(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.world.store(stack.world.stored() | {"kid": f"{APP_ID.lower()}/key1"})


def _mistake_kid(stack: Deployed) -> None:
    _wrong_kid(stack, pytest.MonkeyPatch())


def _key_of_another_algorithm(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.world.store({"algorithm": "HS256", "kid": f"{APP_ID}/k", "secret": SHARED_SECRET})


def _unreadable_key(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.world.store(stack.world.stored() | {"private_key": "hunter2"})


def _orphan(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.leave_pending()


def _old_orphan(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.leave_pending()
    stack.offset = 31 * 60
    stack.check()


def _behind(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.ours = -42


def _ahead(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.ours = 42


def _overdue(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.offset = 16 * 60


def _not_published(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.withdraw(stack.kid())


def _not_given_out(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.answer_get("/asap/", Answer(404, "{}", PROBLEM))


def _published_failure(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.answer_get("/asap/", Answer(503, "{}", PROBLEM))


def _unknown_name_is_answered(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.replace(404, Answer(200, "<h1>Not found</h1>"))


def _unknown_name_is_kept(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.replace(404, Answer(404, "{}", (("Cache-Control", "max-age=86400"),)))


def _no_pem(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.answer_get("/asap/", Answer(200, "<h1>Maintenance</h1>"))


def _ending(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.publish(stack.private_key(), stack.kid(), expires_at=int(stack.now()) + 900)


def _empty_jwks(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.answer_get("/.well-known/", Answer(200, '{"keys": []}'))


def _other_jwks(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    entry = {"kty": "RSA", "kid": stack.kid(), "n": "AQAB", "e": "AQAB"}
    stack.answer_get("/.well-known/", Answer(200, json.dumps({"keys": [entry]})))


def _broken_jwks(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    entry = {"kty": "RSA", "kid": stack.kid(), "n": 7}
    stack.answer_get("/.well-known/", Answer(200, json.dumps({"keys": [7, entry]})))


def _no_jwks(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.answer_get("/.well-known/", Answer(500, ""))


def _revoked(_: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JITSI_TOKENS_API_KEY", make_api_key())


def _mistyped(_: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JITSI_TOKENS_API_KEY", "jtk_hunter2")


def _posts(status: int, body: str = "{}", headers: Any = PROBLEM) -> Break:
    def break_it(stack: Deployed, _: pytest.MonkeyPatch) -> None:
        stack.world.api = lambda _: Answer(status, body, headers)

    return break_it


def _tokens(status: int, body: str = "{}") -> Break:
    """Let callers who hold an API key be answered so."""

    def break_it(stack: Deployed, _: pytest.MonkeyPatch) -> None:
        stack.answer_known(Answer(status, body, PROBLEM))

    return break_it


def _claims(**claims: Any) -> Break:
    """Let the tokens have these claims."""

    def break_it(stack: Deployed, _: pytest.MonkeyPatch) -> None:
        stack.change_claims(claims)

    return break_it


def _probe(answer: Answer) -> Break:
    def break_it(stack: Deployed, _: pytest.MonkeyPatch) -> None:
        stack.answer_get("/api/jitsi/jwt", answer)

    return break_it


def _nobody_listens(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        stack.world.outputs["ApiUrl"] = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"


def _another_stacks_probe(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    _probe(Answer(200, '{"configured": false}'))(stack, _)


def _no_meeting_page(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.meeting_page = Answer(404, "")


def _not_rotating(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    [backend] = get_backend("secretsmanager").values()
    secret: Any = backend["eu-central-1"].secrets[stack.world.secret]
    secret.rotation_enabled = False


def _deployment(status: str) -> Break:
    def break_it(stack: Deployed, _: pytest.MonkeyPatch) -> None:
        stack.world.status = status

    return break_it


def _published_anew(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.publish(rsa.generate_private_key(65537, 2048), stack.kid())


BROKEN: list[tuple[str, str, Break, str, str]] = [
    ("update failed", "jaas", _deployment("UPDATE_ROLLBACK_FAILED"), "stack", "failed"),
    ("being updated", "jaas", _deployment("UPDATE_IN_PROGRESS"), "stack", "under way"),
    ("nobody listens", "jaas", _nobody_listens, "address", "does not answer (ConnectError)"),
    ("another service", "jaas", _probe(Answer(200, "hello")), "address", "not as jitsi-tokens"),
    ("another path", "jaas", _probe(Answer(404, "")), "address", "HTTP 404"),
    ("failing service", "jaas", _probe(Answer(503, "")), "address", "HTTP 503"),
    ("clock behind", "jaas", _behind, "clock", "s behind the"),
    ("clock ahead", "jaas", _ahead, "clock", "s ahead of"),
    ("no key", "jaas", _no_key, "signing-secret", "no current version"),
    ("no first key", "published", _no_key, "signing-secret", "first rotation is making it"),
    ("secret gone", "shared", _gone, "signing-secret", "is gone"),
    ("secret to be deleted", "jaas", _to_be_deleted, "signing-secret", "for deletion"),
    ("wrong kid", "jaas", _wrong_kid, "signing-secret", "kid does not belong"),
    ("wrong algorithm", "jaas", _key_of_another_algorithm, "signing-secret", "for another"),
    ("unreadable key", "jaas", _unreadable_key, "signing-secret", "unencrypted PEM"),
    ("no rotation", "published", _not_rotating, "rotation", "Nothing rotates the key"),
    ("orphan", "jaas", _orphan, "pending-key", "did not end"),
    ("old orphan", "published", _old_orphan, "pending-key", "did not end"),
    ("not published", "published", _not_published, "published-key", "not published"),
    ("not given out", "published", _not_given_out, "published-key", "HTTP 404"),
    ("server fails", "published", _published_failure, "published-key", "HTTP 503"),
    ("another key", "published", _published_anew, "published-key", "Another key"),
    ("no PEM", "published", _no_pem, "published-key", "something else than a public key"),
    ("about to end", "published", _ending, "published-key", "about to end"),
    ("unknown name", "published", _unknown_name_is_answered, "missing-key-404", "HTTP 200"),
    ("unknown name kept", "published", _unknown_name_is_kept, "missing-key-404", "no-store"),
    ("empty JWKS", "published", _empty_jwks, "jwks", "does not hold"),
    ("other JWKS", "published", _other_jwks, "jwks", "another key"),
    ("broken JWKS", "published", _broken_jwks, "jwks", "another key"),
    ("no JWKS", "published", _no_jwks, "jwks", "HTTP 500"),
    ("overdue", "shared", _overdue, "key-check", "16 min"),
    ("probe", "jaas", _another_stacks_probe, "probe", "false"),
    ("authorizer fails", "jaas", _posts(500), "authorizer", "HTTP 500"),
    ("authorizer throttled", "jaas", _posts(503), "authorizer", "HTTP 503"),
    ("no authorizer", "jaas", _posts(400), "authorizer", "not refused: HTTP 400"),
    ("firewall", "jaas", _posts(403), "authorizer", "HTTP 403"),
    ("other 401", "jaas", _posts(401, "", ()), "authorizer", "not as the stack does"),
    ("revoked", "jaas", _revoked, "token", "refuses this API key"),
    ("mistyped", "jaas", _mistyped, "token", "no API key"),
    ("no token", "jaas", _tokens(200), "token", "no token"),
    ("unavailable", "jaas", _tokens(503, '{"detail": "No key."}'), "token", "HTTP 503. No key."),
    ("denied", "jaas", _tokens(403), "token", "HTTP 403"),
    ("issuer", "shared", _claims(iss="other"), "token", "for its iss"),
    ("room", "jaas", _claims(room="*"), "token", "for its room"),
    ("expiry", "published", _claims(exp=1.5), "token", "for its exp"),
    ("begin", "jaas", _claims(nbf=4_000_000_000), "token", "for its nbf"),
    ("page", "shared", _no_meeting_page, "meeting-page", "a meeting's page with HTTP 404"),
]


@pytest.mark.parametrize(
    ("deployed", "break_it", "name", "words"),
    [(kind, break_it, name, words) for _, kind, break_it, name, words in BROKEN],
    ids=[id_ for id_, *_ in BROKEN],
    indirect=["deployed"],
)
def test_what_is_broken_is_named_first(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, break_it: Break, name: str, words: str
) -> None:
    """With what was found and what to do, and exit code 1."""
    break_it(deployed, monkeypatch)

    result = deployed.world.run("doctor", "--json")

    assert result.exit_code == 1, result.output
    document = examined(result)
    assert (document["healthy"], document["firstFailure"]) == (False, name), result.stdout
    check = check_of(result, name)
    assert words in check["found"]
    assert check["remedy"]
    assert "hunter2" not in result.output


def _named(result: Result, name: str) -> tuple[str, str]:
    check = check_of(result, name)
    return check["outcome"], check["found"]


def test_an_auditor_is_told_what_they_may_not_see(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not read the signing secret, nor call CheckKey, gets every other answer."""
    described = json.dumps(
        deployed.world.secrets.describe_secret(SecretId=deployed.world.secret), default=_seconds
    )

    def answer(operation: str) -> Answer:
        if operation == "DescribeSecret":
            return Answer(200, described)
        return json_error("AccessDeniedException", "User: auditor is not authorized")

    deployed.world.with_secrets_manager(answer)
    deployed.world.check = lambda: json_error("AccessDeniedException")
    monkeypatch.delenv("JITSI_TOKENS_API_KEY")

    result = deployed.world.run("doctor", "--json")

    assert result.exit_code == 3, result.output
    assert examined(result)["healthy"] is False
    assert "Nothing is wrong in what you may look at" in deployed.world.run("doctor").stderr
    outcome, found = _named(result, "signing-secret")
    assert outcome == "skipped"
    assert "You may not read the stack's signing secret" in found
    assert _named(result, "key-age") == ("pass", "The key is 0 days old.")
    assert _named(result, "key-check")[0] == "pass"
    assert _named(result, "token") == ("skipped", "Set JITSI_TOKENS_API_KEY to try a token.")


def _seconds(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else str(value)


@of_kind("published")
def test_an_auditor_compares_the_published_key_with_what_the_stack_says(
    deployed: Deployed, other_key: rsa.RSAPrivateKey
) -> None:
    """CheckKey keeps the key's id and fingerprint where they may be read."""
    deployed.world.with_secrets_manager(lambda _: json_error("AccessDeniedException"))
    healthy = deployed.world.run("doctor", "--json")
    deployed.publish(other_key, deployed.kid())
    deployed.offset += 61

    broken = deployed.world.run("doctor", "--json")

    assert healthy.exit_code == 3, healthy.output
    assert examined(healthy)["firstFailure"] is None
    assert _named(healthy, "published-key")[0] == "pass"
    assert {_named(healthy, name)[0] for name in ("rotation", "pending-key")} == {"skipped"}
    assert examined(broken)["firstFailure"] == "published-key"


@of_kind("published")
def test_who_may_read_nothing_in_ssm_goes_by_the_address(deployed: Deployed) -> None:
    """A key that it does not give out is not published, as far as Jitsi is concerned."""
    deployed.world.with_ssm(json_error("AccessDeniedException"))
    healthy = deployed.world.run("doctor", "--json")
    deployed.withdraw(deployed.kid())
    deployed.offset += 61

    broken = deployed.world.run("doctor", "--json")

    assert (healthy.exit_code, broken.exit_code) == (0, 1)
    assert examined(broken)["firstFailure"] == "published-key"


def test_an_ssm_that_does_not_answer_is_exit_code_3(deployed: Deployed) -> None:
    """Nothing is known of the checks, then, where CheckKey cannot be asked either."""
    deployed.world.with_ssm(HANGS_UP)
    deployed.world.check = lambda: HANGS_UP

    result = deployed.world.run("doctor", "--json")

    assert result.exit_code == 3
    assert _named(result, "key-check")[0] == "skipped"


def test_a_change_that_was_not_checked_yet_is_no_failure(deployed: Deployed) -> None:
    """Who may not call CheckKey is told when it last ran."""
    deployed.world.store(deployed.world.stored() | {"kid": f"{APP_ID}/key2"})
    deployed.world.check = lambda: json_error("AccessDeniedException")

    result = deployed.world.run("doctor", "--json")

    outcome, found = _named(result, "key-check")
    assert outcome == "pass"
    assert "CheckKey signed with" in found
    assert "/key1" in found


@of_kind("published")
def test_a_silent_address_leaves_its_checks_out(deployed: Deployed) -> None:
    """Each says where to look."""
    _nobody_listens(deployed, pytest.MonkeyPatch())

    result = deployed.world.run("doctor", "--json")

    for name in ("published-key", "missing-key-404", "jwks", "probe", "authorizer", "token"):
        outcome, found = _named(result, name)
        assert outcome == "skipped"
        assert found.endswith("(address).")


@pytest.mark.parametrize("code", ["AccessDeniedException", "InternalServiceError"])
def test_a_staged_key_that_cannot_be_read(deployed: Deployed, code: str) -> None:
    """Whether it is promoted cannot be told."""
    deployed.world.run("key", "stage", "--bits", "2048")
    described = json.dumps(
        deployed.world.secrets.describe_secret(SecretId=deployed.world.secret), default=_seconds
    )
    deployed.world.with_secrets_manager(
        lambda operation: (
            Answer(200, described) if operation == "DescribeSecret" else json_error(code)
        )
    )

    result = deployed.world.run("doctor", "--json")

    assert _named(result, "staged-key")[0] == "skipped"


def test_the_key_may_be_left_unread(deployed: Deployed) -> None:
    """Who may not read it is told that all is well; the stack's own check says whether it signs."""
    deployed.world.run("key", "stage", "--bits", "2048")
    asked = _without_reading(deployed)

    result = deployed.world.run("doctor", "--without-key", "--json")

    assert result.exit_code == 0, result.output
    assert asked == ["DescribeSecret"]
    assert {_named(result, name)[0] for name in ("signing-secret", "staged-key")} == {"skipped"}
    assert _named(result, "key-age") == ("pass", "The key is 0 days old.")


@pytest.mark.parametrize(
    ("item", "flaw"),
    [
        ({}, "filed under no client, its record names clinic-a"),
        ({"client": {"S": "other"}}, "filed under other, its record names clinic-a"),
        ({"client": {"S": "clinic-a"}, "record": {"S": "{"}}, "its record cannot be read"),
    ],
)
def test_an_api_key_that_names_no_one_client_is_found(
    deployed: Deployed, item: dict[str, Any], flaw: str
) -> None:
    """By its digest, which is what revokes it."""
    record = write_client(Client(name="clinic-a", policy=Policy(rooms=["*"])))
    sound = {"key_digest": {"S": "a" * 64}, "record": {"S": record}, "client": {"S": "clinic-a"}}
    misfiled = {"key_digest": {"S": "b" * 64}, "record": {"S": record}} | item
    for each in (sound, misfiled):
        deployed.world.dynamodb.put_item(TableName=TABLE, Item=each)

    result = deployed.world.run("doctor", "--json")

    outcome, found = _named(result, "clients")
    assert (result.exit_code, outcome) == (1, "fail")
    assert found == f"1 API key that the authorizer refuses: {'b' * 12} ({flaw})."


def test_who_may_not_read_the_clients_is_not_disturbed(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key operator's, an auditor's and a pipeline's doctor ends with 0 as before."""

    def denied(_store: ClientStore) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "Scan")

    monkeypatch.setattr(ClientStore, "all_keys", denied)

    result = deployed.world.run("doctor", "--json")

    assert _named(result, "clients")[0] == "skipped"
    assert result.exit_code == 0


@of_kind("published")
def test_a_rotation_that_goes_on_is_told_from_the_secrets_times(deployed: Deployed) -> None:
    """The pending version may be left unread too."""
    deployed.world.secrets.put_secret_value(
        SecretId=deployed.world.secret, SecretString="x", VersionStages=["AWSPENDING"]
    )
    asked = _without_reading(deployed)

    result = deployed.world.run("doctor", "--without-key", "--json")

    assert _named(result, "pending-key") == ("pass", "A rotation is under way.")
    assert asked == ["DescribeSecret"]


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (json_error("ResourceNotFoundException"), "fail", "gone"),
        (Answer(200, json.dumps({"DeletedDate": 1.0})), "fail", "scheduled for deletion"),
        (json_error("AccessDeniedException"), "skipped", "DescribeSecret"),
    ],
)
def test_a_secret_that_is_left_unread_must_be_there(
    deployed: Deployed, answer: Answer, outcome: str, words: str
) -> None:
    """As far as may be told."""
    deployed.world.with_secrets_manager(lambda _: answer)

    found = _named(deployed.world.run("doctor", "--without-key", "--json"), "signing-secret")

    assert found[0] == outcome
    assert words in found[1]


def _without_reading(deployed: Deployed) -> list[str]:
    """Have Secrets Manager tell of the secret and refuse all else; return what it is asked."""
    described = json.dumps(
        deployed.world.secrets.describe_secret(SecretId=deployed.world.secret), default=_seconds
    )
    asked: list[str] = []

    def answer(operation: str) -> Answer:
        asked.append(operation)
        return (
            Answer(200, described)
            if operation == "DescribeSecret"
            else json_error("AccessDeniedException")
        )

    deployed.world.with_secrets_manager(answer)
    return asked


def test_an_auditor_cannot_tell_whose_signature_it_is(deployed: Deployed) -> None:
    """The other rules are applied, and what is left is named."""
    deployed.world.with_secrets_manager(lambda _: json_error("AccessDeniedException"))

    result = deployed.world.run("doctor", "--json")

    outcome, found = _named(result, "token")
    assert (result.exit_code, outcome) == (3, "warning")
    assert "not checked: signature. You may not read" in found


def test_problems_that_cannot_be_looked_into_anew_are_told(deployed: Deployed) -> None:
    """What CheckKey wrote stands, with its time."""
    _mistake_kid(deployed)
    deployed.check()
    deployed.world.with_secrets_manager(lambda _: json_error("AccessDeniedException"))
    deployed.world.check = lambda: json_error("AccessDeniedException")

    result = deployed.world.run("doctor", "--json")

    assert examined(result)["firstFailure"] == "key-check"
    outcome, found = _named(result, "key-check")
    assert outcome == "fail"
    assert "(wrong-kid)" in found
    assert "cannot be asked anew: AWS refused Invoke" in found


def test_a_status_that_nobody_may_read_is_asked_for(deployed: Deployed) -> None:
    """And is left out where neither is allowed."""
    deployed.world.with_ssm(json_error("AccessDeniedException"))
    asked = deployed.world.run("doctor", "--json")
    deployed.world.check = lambda: json_error("AccessDeniedException")

    denied = deployed.world.run("doctor", "--json")

    assert "just now" in _named(asked, "key-check")[1]
    assert _named(denied, "key-check")[0] == "skipped"
    assert (asked.exit_code, denied.exit_code) == (0, 3)


def test_a_check_that_found_something_is_asked_anew(deployed: Deployed) -> None:
    """A key that was put right since then is told at once, and by the probe six seconds later."""
    genuine = deployed.world.stored()
    _mistake_kid(deployed)
    deployed.check()
    deployed.web("/v1/api/jitsi/jwt")
    deployed.world.store(genuine)

    result = deployed.world.run("doctor", "--json")

    assert result.exit_code == 0, result.output
    assert "just now" in _named(result, "key-check")[1]
    assert "since the check just now" in _named(result, "probe")[1]
    assert deployed.slept == [6]


def test_a_stack_without_a_status_gets_one(deployed: Deployed) -> None:
    """The parameter that somebody deleted is written anew."""
    deployed.world.ssm.delete_parameter(Name=STATUS)

    without = deployed.world.run("doctor", "--json")
    deployed.offset += 6
    after = deployed.world.run("doctor", "--json")

    assert examined(without)["firstFailure"] == "address"
    assert "just now" in _named(without, "key-check")[1]
    assert after.exit_code == 0


def test_a_status_that_says_nothing_is_a_failure(deployed: Deployed) -> None:
    """Not configured, for no reason that is given, and CheckKey says the same."""
    deployed.world.check = lambda: Answer(200, '{"configured": false, "checkedAt": 1}')
    write_status(deployed.world.ssm, STATUS, KeyStatus(configured=False, checked_at=0))

    result = deployed.world.run("doctor", "--json")

    assert examined(result)["firstFailure"] == "key-check"
    assert _named(result, "probe") == ("fail", 'It answers {"configured": false}.')


@pytest.mark.parametrize(
    ("deployed", "days", "words"),
    [
        ("jaas", 366, "jitsi-tokens key stage"),
        ("published", 101, "aws secretsmanager rotate-secret"),
    ],
    indirect=["deployed"],
)
def test_an_old_key_is_a_warning(deployed: Deployed, days: int, words: str) -> None:
    """The stack works, so the exit code says nothing of it."""
    deployed.offset = days * DAY + 60
    deployed.check()

    result = deployed.world.run("doctor", "--json")

    check = check_of(result, "key-age")
    assert result.exit_code == 0, result.output
    assert check["outcome"] == "warning"
    assert f"{days} days old" in check["found"]
    assert words in check["remedy"]


@of_kind("published")
def test_a_rotation_that_is_late_is_a_warning(deployed: Deployed) -> None:
    """It was due more than a day ago."""
    deployed.offset = 92 * DAY
    deployed.check()

    result = deployed.world.run("doctor", "--json")

    outcome, found = _named(result, "rotation")
    assert outcome == "warning"
    assert "it was due at" in found
    assert _named(result, "key-age")[0] == "pass"


@of_kind("published")
def test_a_stack_may_rotate_on_demand_alone(deployed: Deployed) -> None:
    """RotationDays=0 is a choice; a key that is a year old is worth a word all the same."""
    deployed.world.parameters["RotationDays"] = "0"
    young = deployed.world.run("doctor", "--json")
    deployed.offset = 400 * DAY + 60
    deployed.check()

    old = deployed.world.run("doctor", "--json")

    assert _named(young, "rotation")[0] == "pass"
    assert "RotationDays is 0" in _named(young, "rotation")[1]
    assert "rotate-secret" in check_of(old, "key-age")["remedy"]


@of_kind("published")
def test_a_rotation_that_goes_on_is_no_orphan(deployed: Deployed) -> None:
    """It is told, and is no failure."""
    deployed.leave_pending()

    result = deployed.world.run("doctor", "--json")

    assert result.exit_code == 0
    assert _named(result, "pending-key") == ("pass", "A rotation is under way.")


@of_kind("published")
def test_who_may_not_read_a_version_goes_by_the_secrets_own_times(deployed: Deployed) -> None:
    """That they changed a moment ago says that a rotation may be going on."""
    deployed.leave_pending()
    described = json.dumps(
        deployed.world.secrets.describe_secret(SecretId=deployed.world.secret), default=_seconds
    )
    deployed.world.with_secrets_manager(
        lambda operation: (
            Answer(200, described)
            if operation == "DescribeSecret"
            else json_error("AccessDeniedException")
        )
    )

    result = deployed.world.run("doctor", "--json")

    assert _named(result, "pending-key") == ("pass", "A rotation is under way.")


def test_a_staged_key_is_told(deployed: Deployed) -> None:
    """Until it is promoted."""
    deployed.world.run("key", "stage", "--bits", "2048")
    staged = deployed.world.run("doctor", "--json")
    deployed.world.run("key", "promote", "--kid", "key2", "--yes")

    promoted = deployed.world.run("doctor", "--json")

    assert "waits for" in _named(staged, "staged-key")[1]
    assert _named(promoted, "staged-key") == ("pass", "The key that was staged is promoted.")


def test_a_client_that_may_not_ask_for_the_room_is_given_a_hint(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with --room a token is tried."""
    monkeypatch.setenv("JITSI_TOKENS_API_KEY", deployed.add_client(rooms=["visit-*"]))

    refused = deployed.world.run("doctor", "--json")
    tried = deployed.world.run("doctor", "--json", "--room", "Visit 7")

    assert (refused.exit_code, tried.exit_code) == (0, 0)
    outcome, found = _named(refused, "token")
    assert outcome == "skipped"
    assert "give --room" in found
    assert _named(tried, "token")[0] == "skipped"
    allowed = deployed.world.run("doctor", "--json", "--room", "VISIT-7")
    assert _named(allowed, "token")[0] == "pass"


def test_a_room_that_can_be_none_is_wrong_usage(deployed: Deployed) -> None:
    """It is refused before anything is asked."""
    result = deployed.world.run("doctor", "--room", "*")

    assert result.exit_code == 2
    assert deployed.world.received == []


@pytest.mark.parametrize("path", ["probe", "token", "authorizer"])
def test_a_service_that_asks_for_patience_is_exit_code_3(deployed: Deployed, path: str) -> None:
    """Nothing was wrong, and not everything could be looked at."""
    patience = Answer(429, "{}", PROBLEM)
    if path == "probe":
        deployed.answer_get("/api/jitsi/jwt", patience)
    elif path == "token":
        deployed.answer_known(patience)
    else:
        deployed.world.api = lambda _: patience

    result = deployed.world.run("doctor", "--json")

    assert result.exit_code == 3
    assert (examined(result)["healthy"], examined(result)["firstFailure"]) == (False, None)


def test_a_silent_secrets_manager_is_exit_code_3(deployed: Deployed) -> None:
    """A script may try again."""
    deployed.world.with_secrets_manager(lambda _: json_error("InternalServiceError"))

    result = deployed.world.run("doctor")

    assert result.exit_code == 3
    assert "try again" in result.stderr
    assert "skipped  pending-key     AWS refused DescribeSecret (InternalServiceError)." in (
        result.stdout
    )


def test_a_service_that_falls_silent_is_told(deployed: Deployed) -> None:
    """After it had answered the probe."""
    deployed.world.api = lambda _: HANGS_UP

    result = deployed.world.run("doctor", "--json")

    assert examined(result)["firstFailure"] == "authorizer"
    assert "does not answer (RemoteProtocolError)" in _named(result, "authorizer")[1]


def test_a_stack_that_cannot_be_asked_for_is_exit_code_3(deployed: Deployed) -> None:
    """What AWS denies is no finding."""
    deployed.world.cloudformation = lambda _: aws_error("AccessDenied", "No.", 403)

    result = deployed.world.run("doctor")

    assert result.exit_code == 3


def test_a_deployment_that_was_taken_back_is_a_warning(deployed: Deployed) -> None:
    """The version before it works."""
    deployed.world.status = "UPDATE_ROLLBACK_COMPLETE"

    result = deployed.world.run("doctor", "--json")

    assert result.exit_code == 0
    assert _named(result, "stack")[0] == "warning"


@pytest.mark.parametrize(("ours", "outcome"), [(7.5, "warning"), (-7, "warning"), (4, "pass")])
def test_clocks_may_differ_by_a_little(deployed: Deployed, ours: float, outcome: str) -> None:
    """Jitsi's may, too: nbf lies ten seconds in the past."""
    deployed.ours = ours

    result = deployed.world.run("doctor", "--json")

    assert result.exit_code == 0
    assert _named(result, "clock")[0] == outcome


def test_the_url_may_be_another(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """--url, or JITSI_TOKENS_URL for the stack of the environment, stands for the stack's own."""
    monkeypatch.setenv("JITSI_TOKENS_STACK_NAME", STACK)
    monkeypatch.setenv("JITSI_TOKENS_URL", deployed.world.outputs["ApiUrl"] + "/")
    deployed.world.outputs["ApiUrl"] = "https://nowhere.invalid"

    by_environment = deployed.world.run("doctor", "--json")
    refused = deployed.world.run("doctor", "--url", "http://tokens.example.org")

    assert by_environment.exit_code == 0, by_environment.output
    assert refused.exit_code == 2
    assert "must be https" in refused.stderr


@pytest.mark.parametrize("named", ["another", None])
def test_the_environments_url_is_that_of_its_stack(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    """Another stack is looked at where it is."""
    if named:
        monkeypatch.setenv("JITSI_TOKENS_STACK_NAME", named)
    monkeypatch.setenv("JITSI_TOKENS_URL", "https://nowhere.invalid")

    result = deployed.world.run("doctor", "--json")

    assert result.exit_code == 0, result.output


def test_nothing_secret_is_printed(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key, no API key, no token."""
    api_key = deployed.add_client(rooms=["*"])
    monkeypatch.setenv("JITSI_TOKENS_API_KEY", api_key)
    deployed.change_claims({"iss": "other"})

    result = deployed.world.run("doctor")

    assert result.exit_code == 1
    for secret in (api_key, "PRIVATE KEY", "eyJ", deployed.world.stored()["private_key"][40:90]):
        assert secret not in result.output


@of_kind("published")
def test_wait_outlasts_the_first_rotation(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is green once the key is there, and says what it waits for."""
    document = deployed.world.stored()
    _no_key(deployed, monkeypatch)
    deployed.schedule_rotation()
    deployed.check()

    def rotated(_: float) -> None:
        if len(deployed.slept) == 3:
            deployed.world.store(document)

    deployed.while_asleep = rotated

    result = deployed.world.run("doctor", "--wait", "--json")

    assert result.exit_code == 0, result.output
    assert examined(result)["healthy"]
    assert result.stderr == (
        "Waiting. signing-secret: There is no key yet: the first rotation is making it.\n"
    )


@of_kind("published")
def test_wait_outlasts_a_rotation(deployed: Deployed) -> None:
    """Nothing is wrong meanwhile, but the key is about to change."""
    pending = deployed.leave_pending()

    def ended(_: float) -> None:
        deployed.world.secrets.update_secret_version_stage(
            SecretId=deployed.world.secret,
            VersionStage="AWSPENDING",
            RemoveFromVersionId=pending,
        )

    deployed.while_asleep = ended

    result = deployed.world.run("doctor", "--wait")

    assert result.exit_code == 0
    assert deployed.slept == [10]
    assert "Waiting. pending-key: A rotation is under way." in result.stderr


def test_wait_outlasts_a_deployment(deployed: Deployed) -> None:
    """One that makes the stack: its outputs come last."""
    outputs = dict(deployed.world.outputs)
    deployed.world.outputs.clear()
    deployed.world.status = "CREATE_IN_PROGRESS"

    def finished(_: float) -> None:
        deployed.world.outputs.update(outputs)
        deployed.world.status = "CREATE_COMPLETE"

    deployed.while_asleep = finished

    result = deployed.world.run("doctor", "--wait")

    assert result.exit_code == 0
    assert "Waiting. The stack meetings is being deployed" in result.stderr


def test_the_answer_has_nothing_to_say_of_itself() -> None:
    """It may hold a token."""
    assert repr(Reply(200, httpx.Headers(), b"eyJ", None)) == "Reply(status=200)"


def test_wait_ends(deployed: Deployed) -> None:
    """With what is wrong still, at its time."""
    _mistake_kid(deployed)

    result = deployed.world.run("doctor", "--wait", "--timeout", "25")

    assert result.exit_code == 1
    assert sum(deployed.slept) == 25
    assert "FAILED   signing-secret" in result.stdout


def test_wait_ends_where_the_deployment_does_not(deployed: Deployed) -> None:
    """With a sentence: there is nothing to look at."""
    deployed.world.outputs.clear()
    deployed.world.status = "CREATE_IN_PROGRESS"

    result = deployed.world.run("doctor", "--wait", "--timeout", "15")

    assert result.exit_code == 3
    assert "Error: The stack meetings is being deployed" in result.stderr

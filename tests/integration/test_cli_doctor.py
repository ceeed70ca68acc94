"""`jitsi-tokens doctor`: green on a healthy stack, and each broken thing named first."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import socket
import threading
import time
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from cryptography.hazmat.primitives.asymmetric import rsa
from moto.backends import get_backend

from jitsi_tokens.core.clients import Client, make_api_key, write_client
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.status import KeyStatus, write_status
from jitsi_tokens_cli.doctor.address import LIMIT_SECONDS
from tests.conftest import ENVIRONS
from tests.integration.cli_world import (
    APP_ID,
    HANGS_UP,
    STACK,
    TABLE,
    Answer,
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
    "visit",
]
SELF_HOSTED = {"meeting-page"}
PUBLISHED = {"rotation", "published-key", "missing-key-404", "jwks"}
DAY = 24 * 3600
DENIED = json_error("AccessDeniedException", "User: auditor is not authorized")
API = "/api/jitsi/jwt"
JWKS = "/.well-known/"
GARBAGE = {"algorithm": "RS256", "kid": f"{APP_ID}/key2", "private_key": "hunter2"}


@pytest.fixture
def deployed(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    load_app: LoadApp,
    rsa_key: rsa.RSAPrivateKey,
    rsa_pem: str,
) -> Iterator[Deployed]:
    """Return a healthy stack of the kind that a test asks for; JaaS's where it asks for none."""
    kind = getattr(request, "param", "jaas")
    document = {
        "jaas": jaas_document(rsa_pem),
        "shared": {"algorithm": "HS256", "kid": "initial", "secret": SHARED_SECRET},
        "published": published_document(rsa_key, rsa_pem),
    }[kind]
    environ = ENVIRONS["self-hosted" if kind == "shared" else kind]
    provider = "jaas" if kind == "jaas" else "self-hosted"
    algorithm = "RS256" if kind == "published" else "HS256"
    with running_world(monkeypatch, provider=provider, algorithm=algorithm) as world:
        stack = Deployed(world, load_app, environ, monkeypatch)
        if kind == "published":
            stack.schedule_rotation()
        world.store(document)
        if kind == "published":
            stack.publish(stack.private_key(), stack.kid())
        stack.check()
        monkeypatch.setenv(
            "JITSI_TOKENS_API_KEY", stack.add_client(rooms=["*"], visits=True, moderator=True)
        )
        yield stack


def of_kind(kind: str) -> pytest.MarkDecorator:
    """Ask for a stack of one kind."""
    return pytest.mark.parametrize("deployed", [kind], indirect=True)


def checks_of(result: Result) -> dict[str, dict[str, str]]:
    """Return what a script was told of each check."""
    return {check["check"]: check for check in json.loads(result.stdout)["checks"]}


@pytest.mark.parametrize("deployed", KINDS, indirect=True)
def test_a_healthy_stack_is_green(deployed: Deployed) -> None:
    """Every check passes and nothing waits: as JSON, and as tab-separated lines."""
    as_json = deployed.world.run("doctor", "--json")
    piped = deployed.world.run("doctor")

    document, checks = json.loads(as_json.stdout), checks_of(as_json)
    assert (as_json.exit_code, piped.exit_code) == (0, 0), as_json.output
    assert (document["healthy"], document["firstFailure"]) == (True, None)
    assert {check["outcome"] for check in checks.values()} == {"pass"}
    assert [name for name in checks if name not in PUBLISHED | SELF_HOSTED] == COMMON
    parameters = deployed.world.parameters
    assert (set(checks) >= PUBLISHED) == (parameters["SigningAlgorithm"] == "RS256")
    assert (set(checks) >= SELF_HOSTED) == (parameters["Provider"] == "self-hosted")
    fields = {"check", "outcome", "found", "remedy"}
    assert all(check.keys() == fields for check in checks.values())
    lines = [line.split("\t") for line in piped.stdout.splitlines()]
    assert [line[:2] for line in lines] == [["pass", name] for name in checks]
    assert piped.stderr == f"Everything is healthy ({len(checks)} pass).\n"
    assert deployed.slept == []
    visits = [each for each in deployed.world.received if "/api/visits/doctor-" in each.path]
    assert [each.method for each in visits] == ["PUT", "DELETE"] * 2
    assert len({each.path for each in visits}) == 2


def test_failures_are_repeated_at_the_end_of_a_screen(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to do, then where to begin."""
    deployed.world.store(GARBAGE)
    monkeypatch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)

    result = deployed.world.run("doctor")

    screen = re.sub(r"\x1b\[[0-9;]*m", "", result.stdout)
    checks, _, again = screen.partition("\n\n")
    assert "✗ signing-secret" in checks
    assert again.startswith("✗ signing-secret")
    assert "→ Run `jitsi-tokens key rollback`" in " ".join(again.split())
    assert "✓" not in again
    assert result.stderr.startswith("Begin with signing-secret (")
    assert "hunter2" not in result.output


def _no_key(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = stack.world.secrets.create_secret(Name="empty")["ARN"]
    stack.world.secret = stack.world.outputs["SigningKeySecret"] = secret
    monkeypatch.setenv("SIGNING_KEY_SECRET", secret)


def _only_staged(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    _no_key(stack, monkeypatch)
    stack.world.run("key", "stage", "--bits", "2048")


def _delete(stack: Deployed, *, at_once: bool) -> None:
    how: dict[str, Any] = {"ForceDeleteWithoutRecovery": True} if at_once else {}
    stack.world.secrets.delete_secret(SecretId=stack.world.secret, **how)


def _store(**fields: str) -> Break:
    return lambda stack, _: stack.world.store(stack.world.stored() | fields)


def _overwrite_twice(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    for kid in ("key2", "key3"):
        stack.world.store(GARBAGE | {"kid": f"{APP_ID}/{kid}"})


def _jwks(kid: object, *entries: object) -> Break:
    def break_it(stack: Deployed, _: pytest.MonkeyPatch) -> None:
        entry = {"kty": "RSA", "kid": stack.kid(), "n": kid, "e": "AQAB"}
        stack.answer_get(JWKS, Answer(200, json.dumps({"keys": [*entries, entry]})))

    return break_it


def _api_key(api_key: str) -> Break:
    return lambda _, monkeypatch: monkeypatch.setenv("JITSI_TOKENS_API_KEY", api_key)


def _nobody_listens(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    # No program is given a port below 1024 by chance.
    stack.world.outputs["ApiUrl"] = "http://127.0.0.1:1/v1"


def _withdrawn(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.withdraw(stack.kid())


def _publish_other(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    stack.publish(rsa.generate_private_key(65537, 2048), stack.kid())


def _not_rotating(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    [backend] = get_backend("secretsmanager").values()
    secret: Any = backend["eu-central-1"].secrets[stack.world.secret]
    secret.rotation_enabled = False


def _all(*breaks: Break) -> Break:
    return lambda stack, monkeypatch: [break_it(stack, monkeypatch) for break_it in breaks]


def _do(method: str, *arguments: Any) -> Break:
    """Call a method of the stack, or of its world."""
    return lambda stack, _: attrgetter(method)(stack)(*arguments)


def _set(**attributes: Any) -> Break:
    """Give the stack, or its world, other values."""

    def give(stack: Deployed, _: pytest.MonkeyPatch) -> None:
        for name, value in attributes.items():
            setattr(stack.world if hasattr(stack.world, name) else stack, name, value)

    return give


def _secrets(answer: Answer) -> Break:
    return _do("world.with_secrets_manager", lambda _: answer)


def _without_visits(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JITSI_TOKENS_API_KEY", stack.add_client("kiosk", rooms=["*"]))


def _described_only(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    """Have Secrets Manager describe the secret and refuse all else."""
    described = json.dumps(
        stack.world.secrets.describe_secret(SecretId=stack.world.secret),
        default=lambda value: value.timestamp() if isinstance(value, datetime) else str(value),
    )
    answers = {"DescribeSecret": Answer(200, described)}
    stack.world.with_secrets_manager(lambda operation: answers.get(operation, DENIED))


def _later(seconds: int) -> Break:
    """Let time pass, in which CheckKey has run."""

    def pass_time(stack: Deployed, _: pytest.MonkeyPatch) -> None:
        stack.offset += seconds
        stack.check()

    return pass_time


def _check_wrong_kid(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let CheckKey, and the probe, have seen a key that is right again."""
    genuine = stack.world.stored()
    _store(kid="other/key1")(stack, monkeypatch)
    stack.check()
    stack.web(f"/v1{API}")
    stack.world.store(genuine)


def _status_without_reason(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = Answer(200, '{"configured": false, "checkedAt": 1}')
    _set(check=lambda: answer)(stack, monkeypatch)
    write_status(stack.world.ssm, STATUS, KeyStatus(configured=False, checked_at=0))


def _item(**attributes: str) -> Break:
    """File an API key of clinic-a with these attributes."""

    def file(stack: Deployed, _: pytest.MonkeyPatch) -> None:
        record = write_client(Client(name="clinic-a", policy=Policy(rooms=["*"])))
        item = {"key_digest": "b" * 64, "record": record} | attributes
        stack.world.dynamodb.put_item(
            TableName=TABLE, Item={name: {"S": value} for name, value in item.items()}
        )

    return file


def _replace_shared_secret(stack: Deployed, _: pytest.MonkeyPatch) -> None:
    """Import another secret while functions still have the one before."""
    stack.world.run("doctor")
    secret = "another-secret-0123456789abcdef-0123456789"
    imported = stack.world.run("key", "import", "-", "--replace", "--yes", typed=secret)
    assert imported.exit_code == 0, imported.output


def _limited_client(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JITSI_TOKENS_API_KEY", stack.add_client(rooms=["visit-*"]))


def _no_dynamodb(stack: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.world.secrets_manager = lambda _: DENIED
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", stack.world.url)


_stage = _do("world.run", "key", "stage", "--bits", "2048")
_promote = _do("world.run", "key", "promote", "--kid", "key2", "--yes")
# The kind of stack, the exit code and options; what is so; the checks: with exit code 1, the first
# failure first; each with its outcome, and what is found and to be done.
CASES: list[tuple[str, Break, *tuple[str, ...]]] = [
    ("jaas 1", _set(status="UPDATE_ROLLBACK_FAILED"), "stack fail failed"),
    ("jaas 1", _set(status="UPDATE_IN_PROGRESS"), "stack fail in progress"),
    ("jaas 1", _nobody_listens, "address fail does not answer (ConnectError)"),
    ("jaas 1", _do("answer_get", API, Answer(200, "hello")), "address fail not as jitsi-tokens"),
    ("jaas 1", _do("answer_get", API, Answer(404, "")), "address fail HTTP 404. → Check that the"),
    ("jaas 1", _do("answer_get", API, Answer(503, "")), "address fail HTTP 503. → Look at the"),
    ("jaas 1", _set(ours=-42), "clock fail s behind the"),
    ("jaas 1", _no_key, "signing-secret fail no current version"),
    ("published 1", _no_key, "signing-secret fail first rotation is making it"),
    (
        "jaas 1",
        _only_staged,
        "signing-secret fail staged, not promoted. The key has no key id yet",
    ),
    (
        "jaas 1",
        _secrets(Answer(200, json.dumps({"VersionIdsToStages": {"v" * 32: ["NEXT"]}}))),
        "signing-secret fail A key is staged, not promoted. → Give 8x8 the public key",
    ),
    ("shared 1", lambda stack, _: _delete(stack, at_once=True), "signing-secret fail is gone"),
    ("jaas 1", lambda stack, _: _delete(stack, at_once=False), "signing-secret fail → Restore it"),
    ("jaas 1", _store(kid=f"{APP_ID.lower()}/k"), "signing-secret fail kid does not"),
    (
        "jaas 1",
        _store(private_key="hunter2"),
        "signing-secret fail → Run `jitsi-tokens key rollback`",
    ),
    (
        "shared 1",
        _store(secret="hunter2"),
        "signing-secret fail Jitsi still has that one, so change nothing there.",
    ),
    ("jaas 1", _overwrite_twice, "signing-secret fail Replace the key"),
    ("published 1", _not_rotating, "rotation fail Nothing rotates the key"),
    ("jaas 1", _do("leave_pending"), "pending-key fail did not finish"),
    ("published 1", _all(_do("leave_pending"), _later(31 * 60)), "pending-key fail did not finish"),
    ("published 1", _withdrawn, "published-key fail not published"),
    (
        "published 1",
        _do("answer_get", "/asap/", Answer(404, "{}", PROBLEM)),
        "published-key fail HTTP 404",
    ),
    ("published 1", _do("answer_get", "/asap/", Answer(503, "")), "published-key fail HTTP 503"),
    ("published 1", _publish_other, "published-key fail Another key"),
    (
        "published 1",
        _do("answer_get", "/asap/", Answer(200, "<h1>")),
        "published-key fail no public key",
    ),
    (
        "published 1",
        lambda stack, _: stack.publish(stack.private_key(), stack.kid(), int(stack.now()) + 900),
        "published-key fail about to expire",
    ),
    (
        "published 1",
        lambda stack, _: stack.replace(404, Answer(200, "<h1>Not found</h1>")),
        "missing-key-404 fail HTTP 200",
    ),
    (
        "published 1",
        lambda stack, _: stack.replace(404, Answer(404, "{}", (("Cache-Control", "max-age=9"),))),
        "missing-key-404 fail no-store",
    ),
    ("published 1", _do("answer_get", JWKS, Answer(200, "{}")), "jwks fail does not hold"),
    ("published 1", _jwks("AQAB"), "jwks fail another key"),
    ("published 1", _jwks(7, 7), "jwks fail another key"),
    ("published 1", _do("answer_get", JWKS, Answer(500, "")), "jwks fail HTTP 500"),
    ("shared 1", _set(offset=16 * 60), "key-check fail 16 min"),
    ("jaas 1", _do("answer_get", API, Answer(200, '{"configured": false}')), "probe fail false"),
    (
        "jaas 1",
        _set(api=lambda _: Answer(500, "")),
        "authorizer fail HTTP 500. → Look at the log of",
    ),
    ("jaas 1", _set(api=lambda _: Answer(400, "")), "authorizer fail not refused: HTTP 400"),
    ("jaas 1", _set(api=lambda _: Answer(403, "")), "authorizer fail HTTP 403"),
    ("jaas 1", _set(api=lambda _: Answer(401, "")), "authorizer fail not as the stack answers"),
    ("jaas 1", _api_key(make_api_key()), "token fail refuses this API key"),
    ("jaas 1", _api_key("jtk_hunter2"), "token fail no API key"),
    ("jaas 1", _do("answer_known", Answer(200, "{}")), "token fail no token"),
    (
        "jaas 1",
        _do("answer_known", Answer(503, '{"detail": "No key."}')),
        "token fail HTTP 503. No key.",
    ),
    ("shared 1", _do("change_claims", {"iss": "other"}), "token fail for its iss"),
    (
        "jaas 0",
        _do("change_claims", {"room": "*"}),
        "token warning accepts the token, whose room is",
    ),
    ("published 1", _do("change_claims", {"exp": 1.5}), "token fail for its exp"),
    (
        "shared 1",
        _set(meeting_page=Answer(404, "")),
        "meeting-page fail a meeting's page with HTTP 404. → Apache",
    ),
    (
        "shared 0",
        _set(meeting_page=Answer(200, "", (("X-Frame-Options", "DENY"),))),
        "meeting-page warning X-Frame-Options forbids the frame",
    ),
    (
        "shared 0",
        _all(
            _set(meeting_page=Answer(200, "", (("X-Frame-Options", "DENY"),))),
            lambda stack, _: stack.world.parameters.update(JoinMode="redirect"),
        ),
        "meeting-page pass opens",
    ),
    ("jaas 0", _without_visits, "visit skipped This client may not make visits."),
    (
        "jaas 1",
        lambda stack, _: stack.world.dynamodb.delete_table(TableName="visits"),
        "visit fail Making a visit gets HTTP 503.",
    ),
    (
        "jaas 3",
        _all(
            _described_only,
            _set(check=lambda: DENIED),
            lambda _, monkeypatch: monkeypatch.delenv("JITSI_TOKENS_API_KEY"),
        ),
        "signing-secret skipped secretsmanager:GetSecretValue",
        "key-age pass The key is 0 days old.",
        "key-check pass CheckKey signed with",
        "token skipped Set JITSI_TOKENS_API_KEY to try a token.",
        "visit skipped Set JITSI_TOKENS_API_KEY to try a visit.",
    ),
    (
        "published 3",
        _secrets(DENIED),
        "published-key pass public part of",
        "rotation skipped DescribeSecret (AccessDenied",
        "pending-key skipped DescribeSecret (AccessDenied",
    ),
    (
        "published 1",
        _all(_secrets(DENIED), _publish_other, _set(offset=61)),
        "published-key fail Another key is published",
    ),
    ("jaas 3", _secrets(DENIED), "token warning not checked: signature."),
    ("published 0", _do("world.with_ssm", DENIED), "published-key pass", "key-check pass just now"),
    (
        "published 1",
        _all(_do("world.with_ssm", DENIED), _withdrawn, _set(offset=61)),
        "published-key fail not published",
    ),
    (
        "jaas 3",
        _all(_do("world.with_ssm", HANGS_UP), _set(check=lambda: HANGS_UP)),
        "key-check skipped AWS",
    ),
    (
        "jaas 3",
        _secrets(json_error("InternalServiceError")),
        "signing-secret skipped DescribeSecret (Internal",
        "pending-key skipped DescribeSecret (Internal",
    ),
    (
        "jaas 0",
        _all(_store(kid=f"{APP_ID}/key2"), _set(check=lambda: DENIED)),
        "key-check pass /key1",
    ),
    (
        "published 1",
        _nobody_listens,
        "address fail ConnectError",
        "published-key skipped (address).",
        "missing-key-404 skipped (address).",
        "jwks skipped (address).",
        "probe skipped (address).",
        "authorizer skipped (address).",
        "token skipped (address).",
        "visit skipped (address).",
    ),
    ("jaas 3", _all(_stage, _described_only), "staged-key skipped A version is under NEXT."),
    ("jaas 0", _stage, "staged-key pass `jitsi-tokens key promote` makes it sign."),
    (
        "jaas 0",
        _all(_stage, _promote, _later(301)),
        "staged-key pass The staged key is promoted.",
        "token pass by every rule",
    ),
    (
        "jaas 0",
        _all(_do("world.run", "doctor"), _stage, _promote),
        "token pass with the previous key",
    ),
    (
        "shared 1",
        _all(_do("world.run", "doctor"), _store(secret="hunter2")),
        "signing-secret fail",
        "token pass with the previous key, which functions keep while there is no other.",
    ),
    ("shared 0", _replace_shared_secret, "token warning with the previous key"),
    ("shared 0", _all(_replace_shared_secret, _later(301)), "token pass by every rule"),
    (
        "jaas 0 --without-key",
        _stage,
        "signing-secret skipped was not read (--without-key).",
        "staged-key skipped A version is under NEXT.",
        "key-age pass The key is 0 days old.",
    ),
    ("published 3", _all(_do("leave_pending"), _described_only), "pending-key pass under way"),
    ("published 0", _do("leave_pending"), "pending-key pass under way"),
    ("jaas 3 --without-key", _secrets(DENIED), "signing-secret skipped DescribeSecret"),
    ("jaas 1", _item(), "clients fail filed under no client, its record names clinic-a)."),
    ("jaas 1", _item(client="clinic-a", record="{"), "clients fail (its record cannot be read)."),
    ("jaas 0", _no_dynamodb, "clients skipped needs ClientOperatorPolicy."),
    (
        "jaas 1",
        _all(
            _store(kid="other/key1"),
            _do("check"),
            _secrets(DENIED),
            _set(check=lambda: DENIED),
        ),
        "key-check fail cannot be run now: AWS refused Invoke",
    ),
    (
        "jaas 0",
        _check_wrong_kid,
        "key-check pass just now",
        'probe pass It answers {"configured": true}, since the check just now.',
    ),
    (
        "jaas 1",
        lambda stack, _: stack.world.ssm.delete_parameter(Name=STATUS),
        "address fail HTTP 503",
        "key-check pass just now",
    ),
    (
        "jaas 1",
        _status_without_reason,
        "key-check fail The stack cannot sign.",
        'probe fail It answers {"configured": false}.',
    ),
    ("jaas 0", _later(366 * DAY + 60), "key-age warning 366 days old. → Replace it"),
    ("published 0", _later(101 * DAY + 60), "key-age warning → Rotate it: `jitsi-tokens key"),
    (
        "published 0",
        _later(92 * DAY + 60),
        "rotation warning it was due at",
        "key-age pass 92 days old",
    ),
    (
        "published 0",
        _all(
            lambda stack, _: stack.world.parameters.update(RotationDays="0"), _later(400 * DAY + 60)
        ),
        "rotation pass RotationDays is 0",
        "key-age warning 400 days old. → Rotate it: `jitsi-tokens",
    ),
    ("jaas 0", _limited_client, "token skipped may not request the room doctor-"),
    ("jaas 0 --room VISIT-7", _limited_client, "token pass by every rule"),
    ("jaas 2 --room *", _all()),
    (
        "jaas 3",
        _do("answer_get", API, Answer(429, "{}")),
        "address skipped Rate limited (HTTP 429).",
    ),
    ("jaas 3", _set(api=lambda _: Answer(429, ""))),
    ("jaas 3", _do("answer_known", Answer(429, "")), "token skipped Rate limited"),
    (
        "jaas 1",
        _set(api=lambda _: HANGS_UP),
        "authorizer fail does not answer (RemoteProtocolError). → It answered a moment",
        "token skipped (authorizer).",
    ),
    (
        "jaas 0",
        _set(status="UPDATE_ROLLBACK_COMPLETE"),
        "stack warning → `aws cloudformation describe-stack-events",
    ),
    ("jaas 0", _set(ours=-7), "clock warning behind"),
    ("jaas 0", _set(ours=7.5), "clock warning ahead"),
    ("jaas 0", _set(ours=4), "clock pass agree"),
]


@pytest.mark.parametrize(
    ("deployed", "case"),
    [(head.split()[0], (head, *case)) for head, *case in CASES],
    ids=[" ".join(expected[:1]) or head for head, _, *expected in CASES],
    indirect=["deployed"],
)
def test_what_a_stack_may_be_like(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, case: tuple[str, Break, *tuple[str, ...]]
) -> None:
    """Each cause is named first, with what was found and what to do; nothing secret is printed."""
    head, break_it, *expected = case
    _, code, *options = head.split()
    break_it(deployed, monkeypatch)

    result = deployed.world.run("doctor", "--json", *options)

    assert result.exit_code == int(code), result.output
    checks = checks_of(result) if expected else {}
    for name, outcome, *words in (each.split(" ", 2) for each in expected):
        check = checks[name]
        assert check["outcome"] == outcome, check
        assert "".join(words) in f"{check['found']} → {check['remedy']}"
        assert check["remedy"] or outcome != "fail"
    if code == "1":
        first = expected[0].split()[0]
        document = json.loads(result.stdout)
        assert (document["healthy"], document["firstFailure"]) == (False, first), result.stdout
    # ".eyJ" is in every token; a key id, which is shown, may have "eyJ" by chance.
    for secret in ("hunter2", "PRIVATE KEY", ".eyJ", SHARED_SECRET, "jtk_"):
        assert secret not in result.output


@pytest.mark.parametrize("has_keys", [True, False])
def test_an_item_by_which_links_outlive_a_clients_keys_is_found(
    deployed: Deployed, *, has_keys: bool
) -> None:
    """With another policy than the keys have, or without any key."""
    record, other = (
        {"S": write_client(Client(name="clinic-a", policy=Policy(rooms=["*"], visits=visits)))}
        for visits in (False, True)
    )
    key = {"key_digest": {"S": "a" * 64}, "record": record, "client": {"S": "clinic-a"}}
    own = {"key_digest": {"S": "client#clinic-a"}, "key_count": {"N": "1"}, "record": other}
    for each in (own, key) if has_keys else (own,):
        deployed.world.dynamodb.put_item(TableName=TABLE, Item=each)

    result = deployed.world.run("doctor", "--json")

    check = checks_of(result)["clients"]
    assert (result.exit_code, check["outcome"]) == (1, "fail")
    assert check["found"].endswith("for clinic-a.")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (DENIED, "Everything you have permission to check is healthy ("),
        (json_error("InternalServiceError"), "AWS or the service prevented some checks"),
    ],
)
def test_what_was_not_checked_is_summarized(deployed: Deployed, answer: Answer, words: str) -> None:
    """Beside exit code 3."""
    deployed.world.with_secrets_manager(lambda _: answer)

    assert deployed.world.run("doctor").stderr.startswith(words)


@pytest.mark.parametrize(
    ("deployed", "break_it", "versions"),
    [
        ("jaas", _all(_stage, _promote), 2),
        ("jaas", _all(_stage, _store(private_key="hunter2")), 3),
        ("shared", _replace_shared_secret, 2),
        ("published", _do("leave_pending"), 2),
    ],
    indirect=["deployed"],
)
def test_each_version_of_the_secret_is_read_once(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, break_it: Break, versions: int
) -> None:
    """However many checks look at it."""
    break_it(deployed, monkeypatch)
    asked: list[tuple[str, str]] = []
    client_class: Any = BaseClient
    call = client_class._make_api_call

    def counted(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        answer = call(client, operation, parameters)
        # The functions run in the server's threads.
        if threading.current_thread() is threading.main_thread():
            asked.append((operation, answer.get("VersionId", "")))
        return answer

    monkeypatch.setattr(client_class, "_make_api_call", counted)

    deployed.world.run("doctor")

    read = [version for operation, version in asked if operation == "GetSecretValue"]
    assert len(read) == len(set(read)) == versions
    assert [operation for operation, _ in asked].count("DescribeSecret") == 1


def _serve_slowly(listener: socket.socket, head: bytes, over: threading.Event) -> None:
    """Take a connection; send nothing, or the head of an answer that never ends."""
    with contextlib.suppress(OSError), listener.accept()[0] as connection:
        for byte in itertools.chain(head, itertools.repeat(ord("b"))):
            if over.wait(0.02):
                return
            if head:
                connection.sendall(bytes([byte]))


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nA: "])
def test_an_address_that_hangs_is_asked_once(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    """The stack is told before it is asked, and the rest is skipped after its time."""
    assert LIMIT_SECONDS <= 10
    monkeypatch.setattr("jitsi_tokens_cli.doctor.command.LIMIT_SECONDS", 0.3)
    told: dict[str, float] = {}
    monkeypatch.setattr(
        "jitsi_tokens_cli.doctor.command.echo_check",
        lambda check: told.update({check.name: time.monotonic()}),
    )
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        thread = threading.Thread(target=_serve_slowly, args=(listener, head, over))
        thread.start()
        deployed.world.outputs["ApiUrl"] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        result = deployed.world.run("doctor")
        over.set()
        thread.join()

    assert result.exit_code == 1
    assert list(told) == COMMON
    assert 0.3 <= told["address"] - told["stack"] < 3
    assert told["token"] - told["address"] < 3
    assert result.stderr.startswith("Begin with address (")


def test_the_url_may_be_another(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """--url, or JITSI_TOKENS_URL for the stack of the environment, replaces the stack's own."""
    monkeypatch.setenv("JITSI_TOKENS_URL", deployed.world.outputs["ApiUrl"] + "/")
    deployed.world.outputs["ApiUrl"] = "https://nowhere.invalid"

    for named, code in ((STACK, 0), ("another", 1)):
        monkeypatch.setenv("JITSI_TOKENS_STACK_NAME", named)
        assert deployed.world.run("doctor").exit_code == code
    refused = deployed.world.run("doctor", "--url", "http://tokens.example.org")

    assert refused.exit_code == 2
    assert "must be https" in refused.stderr


@of_kind("published")
def test_wait_outlasts_the_first_rotation(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says what it waits for, then what has changed."""
    document = deployed.world.stored()
    _no_key(deployed, monkeypatch)
    deployed.schedule_rotation()
    deployed.check()

    def rotated(_: float) -> None:
        if len(deployed.slept) == 3:
            deployed.world.store(document)

    deployed.while_asleep = rotated

    result = deployed.world.run("doctor", "--wait")

    assert result.exit_code == 0, result.output
    told = [line.split("\t")[:2] for line in result.stdout.splitlines()]
    assert [outcome for outcome, name in told if name == "signing-secret"] == ["fail", "pass"]
    assert [outcome for outcome, name in told if name == "address"] == ["pass"]
    assert result.stderr.startswith(
        "Waiting. signing-secret: There is no key yet: the first rotation is making it.\n"
        "Everything is healthy ("
    )


@of_kind("published")
def test_wait_outlasts_a_rotation(deployed: Deployed) -> None:
    """Nothing is wrong meanwhile, but the key is about to change."""
    pending = deployed.leave_pending()

    def ended(_: float) -> None:
        deployed.world.secrets.update_secret_version_stage(
            SecretId=deployed.world.secret, VersionStage="AWSPENDING", RemoveFromVersionId=pending
        )

    deployed.while_asleep = ended

    result = deployed.world.run("doctor", "--wait")

    assert result.exit_code == 0
    assert deployed.slept == [10]
    assert "Waiting. pending-key: A rotation is under way." in result.stderr


@pytest.mark.parametrize("ends", [True, False])
def test_wait_outlasts_a_deployment(deployed: Deployed, *, ends: bool) -> None:
    """One that makes the stack: its outputs come last."""
    outputs = dict(deployed.world.outputs)
    deployed.world.outputs.clear()
    deployed.world.status = "CREATE_IN_PROGRESS"

    def finished(_: float) -> None:
        if ends:
            deployed.world.outputs.update(outputs)
            deployed.world.status = "CREATE_COMPLETE"

    deployed.while_asleep = finished

    result = deployed.world.run("doctor", "--wait", "--timeout", "15")

    assert result.exit_code == (0 if ends else 3)
    assert "Waiting. The stack meetings is being deployed" in result.stderr
    assert ("Error: The stack meetings is being deployed" in result.stderr) is not ends


def test_wait_ends(deployed: Deployed) -> None:
    """With what is still wrong, at its time; that was said once, though its age changes."""
    deployed.world.store(GARBAGE)
    deployed.offset = 16 * 60

    result = deployed.world.run("doctor", "--wait", "--timeout", "25")

    assert result.exit_code == 1
    assert sum(deployed.slept) == 25
    for name in ("signing-secret", "key-check"):
        assert result.stdout.count(f"fail\t{name}\t") == 1

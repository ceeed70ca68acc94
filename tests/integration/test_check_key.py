"""On a schedule and after every key change: can a token be signed? The answer goes to SSM."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jitsi_tokens.core.rsa_keys import fingerprint, private_pem
from jitsi_tokens.publication import Publication
from jitsi_tokens.status import KeyFacts, KeyStatus, read_status
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from tests.conftest import LoadApp

NOW = 1_800_000_000
STATUS = "/jitsi-tokens/test/key-status"
PATH = "/jitsi-tokens/test/public-keys"
CONTENT = "never-in-a-status-or-a-log-0123456789"


class Stack:
    """The function, its secret, and the status it writes."""

    def __init__(self, app: Any, kid: str) -> None:
        self.app = app
        self.kid = kid

    def store(self, document: Any) -> None:
        """Make this the secret's content."""
        text = document if isinstance(document, str) else json.dumps(document)
        boto3.client("secretsmanager").put_secret_value(SecretId="signing-key", SecretString=text)

    def check(self) -> KeyStatus:
        """Run the check; return what it answers, which is what it keeps."""
        status = msgspec.convert(self.app.handler({}, None), KeyStatus)
        assert status == read_status(boto3.client("ssm"), STATUS)
        return status


@pytest.fixture
def names(aws: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:  # noqa: ARG001
    """Return what the function is told of its stack, whose secret has no value yet."""
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "WARNING")
    boto3.client("secretsmanager").create_secret(Name="signing-key")
    return {
        "SIGNING_KEY_SECRET": "signing-key",
        "STATUS_PARAMETER": STATUS,
        "PUBLIC_KEYS_PATH": PATH,
    }


@pytest.fixture
def jaas(
    load_app: LoadApp,
    jaas_environ: dict[str, str],
    names: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Stack:
    """Return the function of a JaaS stack."""
    app = load_app("check_key", jaas_environ | names)
    monkeypatch.setattr(app, "time", SimpleNamespace(time=lambda: NOW + 0.9))
    return Stack(app, f"{jaas_environ['JAAS_APP_ID']}/ab12")


@pytest.fixture
def self_hosted(
    load_app: LoadApp, self_hosted_environ: dict[str, str], names: dict[str, str]
) -> Stack:
    """Return the function of a self-hosted stack."""
    return Stack(load_app("check_key", self_hosted_environ | names), "initial")


@pytest.fixture
def published(
    load_app: LoadApp,
    published_environ: dict[str, str],
    names: dict[str, str],
    rsa_pem: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Stack:
    """Return the function of a stack that publishes its keys, and has one."""
    app = load_app("check_key", published_environ | names)
    monkeypatch.setattr(app, "time", SimpleNamespace(time=lambda: NOW + 0.9))
    stack = Stack(app, "kid")
    stack.store({"algorithm": "RS256", "kid": stack.kid, "private_key": rsa_pem})
    return stack


@pytest.fixture
def publication(published: Stack) -> Publication:  # noqa: ARG001
    """Return that stack's public keys: none yet."""
    return Publication(boto3.client("ssm"), PATH)


def logged(printed: str) -> list[dict[str, Any]]:
    """Return the lines of the log that are about something wrong."""
    return [line for line in map(json.loads, printed.splitlines()) if "_aws" not in line]


def metrics(printed: str) -> dict[str, Any]:
    """Return the one line that makes metrics, each of which stands in its directive and in it."""
    [line] = [line for line in map(json.loads, printed.splitlines()) if "_aws" in line]
    [directive] = line.pop("_aws")["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service"]]
    assert line.keys() - {"service"} <= {metric["Name"] for metric in directive["Metrics"]}
    return dict(line)


def test_a_key_of_jaas_that_signs(
    jaas: Stack, rsa_key: rsa.RSAPrivateKey, rsa_pem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The facts of it that may be told; the log says nothing else than the metrics."""
    jaas.store({"algorithm": "RS256", "kid": jaas.kid, "private_key": rsa_pem})

    status = jaas.check()

    assert status.key is not None
    assert abs(status.key.created_at - time.time()) < 60
    assert status == KeyStatus(
        configured=True,
        checked_at=NOW,
        key=KeyFacts(
            kid=jaas.kid,
            algorithm="RS256",
            fingerprint=fingerprint(rsa_key.public_key()),
            created_at=status.key.created_at,
        ),
    )
    printed = capsys.readouterr()
    assert logged(printed.out) == []
    assert metrics(printed.out) == {
        "service": jaas.app.SERVICE,
        "Configured": 1,
        "KeyAgeDays": round((NOW - status.key.created_at) / 86_400, 2),
        "ForeignPublicKeys": 0,
    }


def test_a_shared_secret_that_signs(self_hosted: Stack) -> None:
    """It has no public part, and so no fingerprint."""
    self_hosted.store({"algorithm": "HS256", "kid": "initial", "secret": "x" * 32})

    status = self_hosted.check()

    assert status.configured
    assert status.problems == []
    assert status.key is not None
    assert (status.key.kid, status.key.fingerprint) == ("initial", None)


def test_a_secret_without_a_value(jaas: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """What a new JaaS stack has: the status says how to give it a key."""
    status = jaas.check()

    [problem] = status.problems
    assert (status.configured, status.key, problem.code) == (False, None, "no-key")
    assert "jitsi-tokens key create" in problem.remedy
    printed = capsys.readouterr().out
    [warning] = logged(printed)
    assert (warning["level"], warning["cause"]) == ("WARNING", "no-key")
    assert metrics(printed) == {
        "service": jaas.app.SERVICE,
        "Configured": 0,
        "ForeignPublicKeys": 0,
    }


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (CONTENT, "not-a-key-document"),
        ({"algorithm": "RS256", "kid": "KID", "key": CONTENT}, "not-a-key-document"),
        ({"algorithm": CONTENT, "kid": "KID"}, "not-a-key-document"),
        ({"algorithm": "HS256", "kid": "KID", "secret": CONTENT}, "wrong-algorithm"),
        ({"algorithm": "RS256", "kid": CONTENT, "private_key": CONTENT}, "wrong-kid"),
        ({"algorithm": "RS256", "kid": "KID", "secret": CONTENT}, "not-a-key-document"),
        ({"algorithm": "RS256", "kid": "KID", "private_key": CONTENT}, "unreadable-key"),
        ({"algorithm": "RS256", "kid": "KID", "private_key": "EC"}, "not-rsa"),
        ({"algorithm": "RS256", "kid": "KID", "private_key": "SHORT"}, "key-too-short"),
    ],
    ids=[
        *("text", "unknown-field", "unknown-algorithm", "wrong-algorithm", "wrong-kid"),
        *("no-key", "unreadable", "not-rsa", "too-short"),
    ],
)
def test_a_broken_document_has_its_code_in_the_status(
    jaas: Stack, document: Any, code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And its content neither there nor in the log."""
    pems = {
        "EC": _pem(ec.generate_private_key(ec.SECP256R1())),
        "SHORT": _pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505 - what is refused
    }
    if isinstance(document, dict):
        document = {
            name: {"KID": jaas.kid, **pems}.get(value, value) for name, value in document.items()
        }
    jaas.store(document)

    status = jaas.check()

    printed = "".join(capsys.readouterr())
    told = msgspec.json.encode(status).decode() + printed
    assert not status.configured
    assert status.key is None
    assert [problem.code for problem in status.problems] == [code]
    assert [line["cause"] for line in logged(printed)] == [code]
    assert CONTENT not in told
    assert "PRIVATE KEY" not in told


@pytest.mark.parametrize(
    ("secret", "code"),
    [("x" * 31, "key-too-short"), (None, "not-a-key-document")],
    ids=["too-short", "missing"],
)
def test_a_broken_shared_secret_has_its_code_in_the_status(
    self_hosted: Stack, secret: str | None, code: str
) -> None:
    """Each with what to do about it."""
    self_hosted.store({"algorithm": "HS256", "kid": "initial", "secret": secret})

    [problem] = self_hosted.check().problems

    assert problem.code == code
    assert problem.remedy


def test_the_content_of_a_pem_for_a_secret_stays_hidden(
    self_hosted: Stack, rsa_pem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A key that was pasted into the wrong stack does not sign, and is not told."""
    self_hosted.store({"algorithm": "HS256", "kid": "initial", "secret": rsa_pem})

    status = self_hosted.check()

    told = msgspec.json.encode(status).decode() + "".join(capsys.readouterr())
    assert [problem.code for problem in status.problems] == ["self-check-failed"]
    assert "PRIVATE KEY" not in told
    assert rsa_pem.splitlines()[1] not in told


def test_an_outage_of_secrets_manager_is_in_the_status(
    jaas: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check itself goes on."""

    def fail(**_arguments: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(jaas.app.SECRETS_MANAGER, "get_secret_value", fail)

    assert [problem.code for problem in jaas.check().problems] == ["unreachable"]


def test_a_repaired_key_repairs_the_status(self_hosted: Stack) -> None:
    """The last check is the one that counts."""
    self_hosted.store("rubbish")
    broken = self_hosted.check()
    self_hosted.store({"algorithm": "HS256", "kid": "initial", "secret": "x" * 32})

    repaired = self_hosted.check()

    assert (broken.configured, repaired.configured) == (False, True)


# What Jitsi verifies with


def test_a_key_that_is_published(
    published: Stack,
    publication: Publication,
    rsa_key: rsa.RSAPrivateKey,
    rsa_pool: list[rsa.RSAPrivateKey],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What signs is what Jitsi is given; earlier keys do not matter."""
    publication.publish(public_key_of(rsa_key, "kid"))
    publication.publish(public_key_of(rsa_pool[0], expires_at=NOW - 60))

    status = published.check()

    assert (status.configured, status.problems) == (True, [])
    assert status.key is not None
    assert (status.key.kid, status.key.algorithm) == ("kid", "RS256")
    assert status.key.fingerprint == fingerprint(rsa_key.public_key())
    printed = capsys.readouterr().out
    assert logged(printed) == []
    assert (metrics(printed)["Configured"], metrics(printed)["ForeignPublicKeys"]) == (1, 0)


@pytest.mark.parametrize(
    ("kid", "key", "expires_at", "code"),
    [
        (None, "own", None, "not-published"),
        ("another", "own", None, "not-published"),
        ("kid", "other", None, "published-key-differs"),
        ("kid", "own", NOW, "not-published"),
        ("kid", "own", NOW - 60, "not-published"),
    ],
    ids=["nothing", "under-another-kid", "another-key", "ends-now", "over"],
)
def test_a_key_that_jitsi_cannot_verify_with_is_not_configured(
    published: Stack,
    publication: Publication,
    rsa_key: rsa.RSAPrivateKey,
    rsa_pool: list[rsa.RSAPrivateKey],
    *,
    kid: str | None,
    key: str,
    expires_at: int | None,
    code: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It signs, and every token would be refused: the status tells both, and what to do."""
    if kid:
        public = {"own": rsa_key, "other": rsa_pool[0]}[key]
        publication.publish(public_key_of(public, kid, expires_at=expires_at))

    status = published.check()

    problem = status.problems[0]
    assert (status.configured, problem.code) == (False, code)
    assert status.key is not None
    assert status.key.fingerprint == fingerprint(rsa_key.public_key())
    assert "aws secretsmanager rotate-secret" in problem.remedy
    printed = capsys.readouterr().out
    assert (logged(printed)[0]["level"], logged(printed)[0]["cause"]) == ("WARNING", code)
    assert metrics(printed)["Configured"] == 0


@pytest.mark.parametrize(
    "expires_at", [None, NOW + 40 * 86_400], ids=["without an end", "far ahead"]
)
def test_a_key_that_is_nobodys_is_found(
    published: Stack,
    publication: Publication,
    rsa_key: rsa.RSAPrivateKey,
    rsa_pool: list[rsa.RSAPrivateKey],
    *,
    expires_at: int | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever can publish a key of theirs makes tokens that Jitsi takes: a metric says so."""
    publication.publish(public_key_of(rsa_key, "kid"))
    publication.publish(public_key_of(rsa_pool[0], "stranger", expires_at=expires_at))

    status = published.check()

    assert status.configured
    assert [problem.code for problem in status.problems] == ["unknown-key-published"]
    assert "key withdraw" in status.problems[0].remedy
    assert metrics(capsys.readouterr().out)["ForeignPublicKeys"] == 1


def test_a_key_that_is_to_come_and_one_that_ends_are_no_strangers(
    published: Stack,
    publication: Publication,
    rsa_key: rsa.RSAPrivateKey,
    rsa_pool: list[rsa.RSAPrivateKey],
) -> None:
    """During a rotation, and after it."""
    publication.publish(public_key_of(rsa_key, "kid"))
    publication.publish(public_key_of(rsa_pool[0], "previous", expires_at=NOW + 9 * 86_400))
    publication.publish(public_key_of(rsa_pool[1], "pending"))
    pending = {"algorithm": "RS256", "kid": "pending", "private_key": private_pem(rsa_pool[1])}
    boto3.client("secretsmanager").put_secret_value(
        SecretId="signing-key", SecretString=json.dumps(pending), VersionStages=["AWSPENDING"]
    )

    assert published.check().problems == []


def test_a_key_that_is_about_to_end_is_a_problem_in_time(
    published: Stack, publication: Publication, rsa_key: rsa.RSAPrivateKey
) -> None:
    """Its tokens verify still: it is configured."""
    publication.publish(public_key_of(rsa_key, "kid", expires_at=NOW + 1))

    status = published.check()

    assert status.configured
    assert [problem.code for problem in status.problems] == ["published-key-ends"]


@pytest.mark.parametrize(
    "error",
    [
        ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": CONTENT}}, "GetParametersByPath"
        ),
        EndpointConnectionError(endpoint_url="https://ssm"),
        ValueError(CONTENT),
    ],
    ids=["denied", "unreachable", "unexpected"],
)
def test_a_publication_that_cannot_be_read_is_not_taken_for_a_good_one(
    published: Stack,
    publication: Publication,
    rsa_key: rsa.RSAPrivateKey,
    *,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As with the secret itself: what nobody can tell is not configured until it can be told."""
    publication.publish(public_key_of(rsa_key, "kid"))

    def fail() -> None:
        raise error

    with monkeypatch.context() as failing:
        failing.setattr(published.app.PUBLICATION, "keys", fail)
        status = published.check()

    [problem] = status.problems
    assert (status.configured, problem.code) == (False, "publication-unreadable")
    assert type(error).__name__ in problem.what
    assert "SSM" in problem.remedy
    assert status.key is not None
    assert CONTENT not in msgspec.json.encode(status).decode() + "".join(capsys.readouterr())
    assert published.check().configured


@pytest.mark.parametrize("stack", ["jaas", "self_hosted"])
def test_a_stack_that_publishes_nothing_asks_for_nothing(
    request: pytest.FixtureRequest, stack: str, rsa_pem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8x8 and a shared secret need no public key of this stack's."""
    checked: Stack = request.getfixturevalue(stack)
    document = (
        {"algorithm": "RS256", "private_key": rsa_pem}
        if stack == "jaas"
        else {"algorithm": "HS256", "secret": "x" * 32}
    )
    checked.store(document | {"kid": checked.kid})
    monkeypatch.setattr(checked.app.PUBLICATION, "keys", lambda: pytest.fail("asked SSM"))

    assert checked.check().configured


def test_a_broken_key_is_the_problem_that_is_told(published: Stack) -> None:
    """What is published is looked at only beside a key that signs."""
    published.store("rubbish")

    assert [problem.code for problem in published.check().problems] == ["not-a-key-document"]

"""On a schedule and after every key change: can a token be signed? The answer goes to SSM."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
import pytest
from botocore.exceptions import ClientError

from jitsi_tokens.core.rsa_keys import fingerprint, private_pem
from jitsi_tokens.publication import Publication
from jitsi_tokens.status import KeyFacts, KeyStatus, read_status
from tests.conftest import APP_ID, ENVIRONS
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric import rsa

    from tests.conftest import LoadApp

NOW = 1_800_000_000
STATUS = "/jitsi-tokens/test/key-status"
PATH = "/jitsi-tokens/test/public-keys"
CONTENT = "never-in-a-status-or-a-log-0123456789"
SHORT = CONTENT[:31]


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
def make(load_app: LoadApp, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Stack]:
    """Return what makes the function of a kind of stack, whose secret has no value yet."""
    monkeypatch.setenv("POWERTOOLS_LOG_LEVEL", "WARNING")
    boto3.client("secretsmanager").create_secret(Name="signing-key")

    def make(kind: str, kid: str) -> Stack:
        names = {
            "SIGNING_KEY_SECRET": "signing-key",
            "STATUS_PARAMETER": STATUS,
            "PUBLIC_KEYS_PATH": PATH,
        }
        app = load_app("check_key", ENVIRONS[kind] | names)
        app.time = SimpleNamespace(time=lambda: NOW + 0.9)
        return Stack(app, kid)

    return make


@pytest.fixture
def jaas(make: Callable[[str, str], Stack]) -> Stack:
    """Return the function of a JaaS stack."""
    return make("jaas", f"{APP_ID}/ab12")


@pytest.fixture
def self_hosted(make: Callable[[str, str], Stack]) -> Stack:
    """Return the function of a self-hosted stack."""
    return make("self-hosted", "initial")


@pytest.fixture
def published(make: Callable[[str, str], Stack], rsa_pem: str) -> Stack:
    """Return the function of a stack that publishes its keys, and has one."""
    stack = make("published", "kid")
    stack.store({"algorithm": "RS256", "kid": stack.kid, "private_key": rsa_pem})
    return stack


@pytest.fixture
def publication(published: Stack) -> Publication:  # noqa: ARG001
    """Return that stack's public keys: none yet."""
    return Publication(boto3.client("ssm"), PATH)


@pytest.fixture
def pool(
    rsa_key: rsa.RSAPrivateKey, rsa_pool: list[rsa.RSAPrivateKey]
) -> dict[str, rsa.RSAPrivateKey]:
    """Return the stack's own key, and another."""
    return {"own": rsa_key, "other": rsa_pool[0]}


def logged(printed: str) -> list[dict[str, Any]]:
    """Return the lines of the log that are about something wrong."""
    return [line for line in map(json.loads, printed.splitlines()) if "_aws" not in line]


def metrics(printed: str) -> dict[str, Any]:
    """Return the one line that makes metrics, each of which is in its directive and in it."""
    [line] = [line for line in map(json.loads, printed.splitlines()) if "_aws" in line]
    [directive] = line.pop("_aws")["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["service"]]
    assert line.keys() - {"service"} <= {metric["Name"] for metric in directive["Metrics"]}
    return dict(line)


def test_a_key_of_jaas_that_signs(
    jaas: Stack, rsa_key: rsa.RSAPrivateKey, rsa_pem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The facts of it that may be told; the log says nothing else than the metrics.

    8x8 has its public part: SSM is not asked for any.
    """
    jaas.app.PUBLICATION = None
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
    """It has no public part, and so no fingerprint; SSM is not asked for any."""
    self_hosted.app.PUBLICATION = None
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


@pytest.mark.parametrize(
    ("stack", "document", "code"),
    [
        ("jaas", CONTENT, "not-a-key-document"),
        ("jaas", {"algorithm": "HS256", "kid": "KID", "secret": CONTENT}, "wrong-algorithm"),
        ("jaas", {"algorithm": "RS256", "kid": CONTENT, "private_key": "PEM"}, "wrong-kid"),
        ("published", {"algorithm": "RS256", "kid": "k", "private_key": CONTENT}, "unreadable-key"),
        ("self_hosted", {"algorithm": "HS256", "kid": "k", "secret": SHORT}, "key-too-short"),
        ("self_hosted", {"algorithm": "HS256", "kid": "k", "secret": "PEM"}, "self-check-failed"),
    ],
    ids=["text", "wrong-algorithm", "wrong-kid", "unreadable", "too-short", "pem-for-secret"],
)
def test_a_broken_document_has_its_code_in_the_status(
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    rsa_pem: str,
    *,
    stack: str,
    document: Any,
    code: str,
) -> None:
    """And its content neither there nor in the log; what is published is looked at beside a key."""
    checked: Stack = request.getfixturevalue(stack)
    if isinstance(document, dict):
        values = {"KID": checked.kid, "PEM": rsa_pem}
        document = {name: values.get(value, value) for name, value in document.items()}
    checked.store(document)

    status = checked.check()

    printed = "".join(capsys.readouterr())
    told = msgspec.json.encode(status).decode() + printed
    assert (status.configured, status.key) == (False, None)
    assert [problem.code for problem in status.problems] == [code]
    assert [line["cause"] for line in logged(printed)] == [code]
    assert status.problems[0].remedy
    assert not [text for text in (SHORT, "PRIVATE KEY", rsa_pem[100:140]) if text in told]


def test_an_outage_of_secrets_manager_is_in_the_status(
    self_hosted: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check itself goes on, and the last one is the one that counts."""
    self_hosted.store({"algorithm": "HS256", "kid": "initial", "secret": "x" * 32})

    def fail(**_arguments: Any) -> None:
        raise TimeoutError

    with monkeypatch.context() as failing:
        failing.setattr(self_hosted.app.SECRETS_MANAGER, "get_secret_value", fail)
        assert [problem.code for problem in self_hosted.check().problems] == ["unreachable"]

    assert self_hosted.check().configured


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


OWN = ("own", "kid", None)


@pytest.mark.parametrize(
    ("keys", "configured", "code", "foreign"),
    [
        # It signs, and Jitsi would refuse every token.
        ([], False, "not-published", 0),
        ([("own", "another", None)], False, "not-published", 1),
        ([("own", "kid", NOW)], False, "not-published", 0),
        ([("other", "kid", None)], False, "published-key-differs", 1),
        # Tokens verify still.
        ([("own", "kid", NOW + 1)], True, "published-key-ends", 0),
        # The holder of a stranger's key makes tokens that Jitsi takes: a metric says so.
        ([OWN, ("other", "stranger", None)], True, "unknown-key-published", 1),
        ([OWN, ("other", "stranger", NOW + 40 * 86_400)], True, "unknown-key-published", 1),
    ],
    ids=["nothing", "another-kid", "over", "another-key", "ends", "stranger", "far-ahead"],
)
def test_what_is_wrong_with_the_published_keys_is_told(
    published: Stack,
    publication: Publication,
    pool: dict[str, rsa.RSAPrivateKey],
    capsys: pytest.CaptureFixture[str],
    *,
    keys: list[tuple[str, str, int | None]],
    configured: bool,
    code: str,
    foreign: int,
) -> None:
    """In the status, beside the key that signs, in the log and in the metrics."""
    for key, kid, expires_at in keys:
        publication.publish(public_key_of(pool[key], kid, expires_at=expires_at))

    status = published.check()

    assert (status.configured, status.problems[0].code) == (configured, code)
    assert status.key is not None
    assert status.key.fingerprint == fingerprint(pool["own"].public_key())
    printed = capsys.readouterr().out
    assert (logged(printed)[0]["level"], logged(printed)[0]["cause"]) == ("WARNING", code)
    told = metrics(printed)
    assert (told["Configured"], told["ForeignPublicKeys"]) == (int(configured), foreign)


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


@pytest.mark.parametrize(
    "error",
    [
        ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": CONTENT}}, "GetParametersByPath"
        ),
        ValueError(CONTENT),
    ],
    ids=["denied", "unexpected"],
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

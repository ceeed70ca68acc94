"""On a schedule and after every key change: can a token be signed? The answer goes to SSM."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jitsi_tokens.rsa_keys import fingerprint
from jitsi_tokens.status import KeyFacts, KeyStatus, read_status

if TYPE_CHECKING:
    from tests.conftest import LoadApp

NOW = 1_800_000_000
STATUS = "/jitsi-tokens/test/key-status"
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
    return {"SIGNING_KEY_SECRET": "signing-key", "STATUS_PARAMETER": STATUS}


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


def test_a_key_of_jaas_that_signs(
    jaas: Stack, rsa_key: rsa.RSAPrivateKey, rsa_pem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The facts of it that may be told; the log says nothing."""
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
    assert capsys.readouterr() == ("", "")


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
    [logged] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (logged["level"], logged["cause"]) == ("WARNING", "no-key")


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
        ({"algorithm": "RS256", "kid": "KID", "secret": CONTENT}, "no-key"),
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
    assert [json.loads(line)["cause"] for line in printed.splitlines()] == [code]
    assert CONTENT not in told
    assert "PRIVATE KEY" not in told


@pytest.mark.parametrize(
    ("secret", "code"),
    [("x" * 31, "key-too-short"), (None, "no-key")],
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

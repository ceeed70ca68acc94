"""A secret by way of AWS's extension, for which a server on loopback stands in."""

from __future__ import annotations

import contextlib
import functools
import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import jwt
import pytest

from benchmarks.speed.extension_stand_in import (
    NOT_READY,
    Answer,
    ExtensionStandIn,
    refusal,
    value,
)
from jitsi_tokens import secrets_extension
from jitsi_tokens.clients import Client, write_client
from jitsi_tokens.policy import Policy
from jitsi_tokens.secrets import SecretUnavailable, Source
from jitsi_tokens.secrets_extension import SecretsExtension
from jitsi_tokens.secrets_manager import SecretsManager
from local_stack.emulator import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

type Asking = Callable[[Mapping[str, str]], SecretsExtension]

SECRET = "what nobody but the function may see"
SESSION_TOKEN = "session-token-of-the-container"
ENVIRON = {"AWS_SESSION_TOKEN": SESSION_TOKEN}


@pytest.fixture
def extension() -> Iterator[ExtensionStandIn]:
    """Return the stand-in, which holds one secret."""
    with ExtensionStandIn({"key": SECRET}) as stand_in:
        yield stand_in


@pytest.fixture
def asking(extension: ExtensionStandIn) -> Asking:
    """Return what makes a source that asks it, with an environment."""
    return functools.partial(SecretsExtension, extension.port)


@pytest.fixture
def source(asking: Asking) -> SecretsExtension:
    """Return a source that asks it, in a container."""
    return asking(ENVIRON)


def refused(source: Source, *, renewing: bool = False) -> SecretUnavailable:
    """Return why a secret cannot be had; nothing of it or of the token is told."""
    with pytest.raises(SecretUnavailable) as caught:
        source.fetch("key", renewing=renewing)
    assert SECRET not in str(caught.value)
    assert SESSION_TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value


# What is fetched


@pytest.mark.parametrize("renewing", [True, False])
def test_the_current_version_is_fetched(
    source: SecretsExtension, extension: ExtensionStandIn, *, renewing: bool
) -> None:
    """Its id, its text and when it was made; asked for with the container's token."""
    fetched = source.fetch("key", renewing=renewing)

    answered = json.loads(extension.answers["key"].body)
    assert (fetched.id, fetched.text) == (answered["VersionId"], SECRET)
    assert abs(datetime.now(UTC) - fetched.created_at).total_seconds() < 60
    assert extension.asked == [("key", "AWSCURRENT", SESSION_TOKEN)]
    assert SECRET not in repr(fetched)


def test_what_is_on_its_way_stays_out_of_its_repr() -> None:
    """It may stand in a traceback."""
    now = datetime.now(UTC)
    held = [
        secrets_extension._Reply(200, SECRET.encode()),
        secrets_extension._SecretValue("1", now, secret_string=SECRET, secret_binary=SECRET),
    ]

    assert list(map(repr, held)) == ["_Reply(status=200)", "_SecretValue(version_id='1')"]


@pytest.mark.usefixtures("aws")
def test_both_sources_give_the_same_version(
    source: SecretsExtension, extension: ExtensionStandIn
) -> None:
    """Made by moto, and answered by the stand-in as Secrets Manager answered it."""
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="key", SecretString=SECRET)["ARN"]
    held = client.get_secret_value(SecretId=arn)
    extension.answers[arn] = value(
        arn,
        SecretString=held["SecretString"],
        VersionId=held["VersionId"],
        CreatedDate=held["CreatedDate"].astimezone(UTC).isoformat(),
    )
    sources: list[Source] = [SecretsManager(), source]

    direct, by_extension = (each.fetch(arn, renewing=False) for each in sources)

    assert by_extension == direct
    assert direct.text == SECRET


@pytest.mark.parametrize(
    "secret_id", ["a&versionStage=AWSPENDING", "a/b c#d?e", "clé%41", "\r\nX: y"]
)
def test_an_id_is_sent_as_it_is(
    source: SecretsExtension, extension: ExtensionStandIn, secret_id: str
) -> None:
    """None brings another parameter, a path or a header in."""
    extension.answers[secret_id] = extension.answers["key"]

    assert source.fetch(secret_id, renewing=False).text == SECRET
    assert extension.asked == [(secret_id, "AWSCURRENT", SESSION_TOKEN)]


@pytest.mark.parametrize("created", [None, "2027-01-15 08:00:00 +0000 UTC"])
def test_a_time_that_cannot_be_read_costs_no_token(
    source: SecretsExtension, extension: ExtensionStandIn, created: str | None
) -> None:
    """Who signs does not ask how old the key is."""
    body = json.dumps({"VersionId": "1", "CreatedDate": created, "SecretString": SECRET}).encode()
    extension.answers["key"] = Answer(200, body)

    fetched = source.fetch("key", renewing=False)

    assert (fetched.text, fetched.created_at.timestamp()) == (SECRET, 0)


@pytest.mark.parametrize("created", ["1800000000", "1800000000.5", "2027-01-15T08:00:00Z"])
def test_a_time_is_read_as_a_text_or_a_number(
    source: SecretsExtension, extension: ExtensionStandIn, created: str
) -> None:
    """What signs does not depend on how AWS writes it."""
    extension.answers["key"] = value("key", SecretString=SECRET, CreatedDate=created)

    fetched = source.fetch("key", renewing=False)

    assert int(fetched.created_at.timestamp()) == 1_800_000_000


def test_the_longest_secret_is_fetched(
    source: SecretsExtension, extension: ExtensionStandIn
) -> None:
    """64 KB, each byte of which JSON escapes."""
    longest = "\x01" * 65_536
    extension.answers["key"] = value("key", SecretString=longest)

    assert source.fetch("key", renewing=False).text == longest


def test_the_token_is_read_each_time(asking: Asking, extension: ExtensionStandIn) -> None:
    """It is the container's, and may change under it."""
    environ = {"AWS_SESSION_TOKEN": "first"}
    source = asking(environ)
    source.fetch("key", renewing=False)
    environ["AWS_SESSION_TOKEN"] = "second"

    source.fetch("key", renewing=True)

    assert [asked.token for asked in extension.asked] == ["first", "second"]


# What is refused


@pytest.mark.parametrize(
    ("aws_code", "code"),
    [
        ("ResourceNotFoundException", "no-key"),
        ("AccessDeniedException", "access-denied"),
        ("DecryptionFailure", "access-denied"),
        ("InternalServiceError", "unreachable"),
        ("ThrottlingException", "unreachable"),
        ("InvalidRequestException", "secret-deleted"),
        ("KMSAccessDeniedException", "unreachable"),
        ("AccessDeniedExceptionally", "unreachable"),
    ],
)
def test_a_refusal_of_aws_is_named(
    source: SecretsExtension, extension: ExtensionStandIn, aws_code: str, code: str
) -> None:
    """By what a person can do about it; nothing else is taken from its text, nor asked again."""
    answer = refusal(aws_code)
    extension.answers["key"] = answer._replace(body=answer.body + SECRET.encode())

    why = refused(source)

    assert why.code == code
    assert (aws_code in str(why), "RequestID" in str(why)) == (False, False)
    assert len(extension.asked) == 1


@pytest.mark.parametrize("status", [301, 307, 401, 404, 500, 503])
def test_every_other_answer_is_told_by_its_status(
    source: SecretsExtension, extension: ExtensionStandIn, status: int
) -> None:
    """Its text is not, and a redirect is not followed: what is sent is a credential."""
    elsewhere = {"Location": f"http://127.0.0.1:{extension.port}/secretsmanager/get?secretId=other"}
    extension.answers["key"] = Answer(status, SECRET.encode(), elsewhere)

    why = refused(source)

    assert (why.code, str(status) in str(why)) == ("unreachable", True)
    assert len(extension.asked) == 1


def test_bytes_are_no_key_document(source: SecretsExtension, extension: ExtensionStandIn) -> None:
    """As by way of botocore."""
    extension.answers["key"] = value("key", SecretBinary="c2VjcmV0")

    assert refused(source).code == "not-a-key-document"


@pytest.mark.parametrize("content", [{}, {"SecretString": ""}], ids=["null", "empty"])
def test_an_empty_secret_is_no_key(
    source: SecretsExtension, extension: ExtensionStandIn, content: dict[str, str]
) -> None:
    """There is a version, and nothing in it."""
    extension.answers["key"] = value("key", **content)

    assert refused(source).code == "no-key"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        SECRET.encode(),
        json.dumps([SECRET]).encode(),
        json.dumps({"SecretString": SECRET}).encode(),
        b"[" * 60_000,
        value("key", SecretString=SECRET).body[:-1],
        value("key", SecretString=SECRET).body.replace(b"nobody", b"\xff"),
        value("key", SecretString="x" * secrets_extension._MAX_ANSWER_BYTES).body,
        value("key", SecretString="x" * 20 * secrets_extension._MAX_ANSWER_BYTES).body,
    ],
    ids=[
        *("empty", "no-json", "list", "incomplete", "nested", "cut", "no-utf-8"),
        *("too-long", "far-too-long"),
    ],
)
def test_what_cannot_be_read_is_unreachable(
    source: SecretsExtension, extension: ExtensionStandIn, body: bytes
) -> None:
    """And is followed by an answer that can."""
    extension.first = [Answer(200, body)]

    assert refused(source, renewing=True).code == "unreachable"
    assert source.fetch("key", renewing=True).text == SECRET


@pytest.mark.parametrize("token", [None, "", f"{SESSION_TOKEN}\r\nX: y", f"{SESSION_TOKEN}\u2603"])
def test_without_a_token_nothing_is_asked(
    asking: Asking, extension: ExtensionStandIn, token: str | None
) -> None:
    """Nor with one that HTTP cannot take, of which nothing is told."""
    environ = {} if token is None else {"AWS_SESSION_TOKEN": token}

    assert refused(asking(environ)).code == "unreachable"
    assert extension.asked == []


# What does not come


def test_an_extension_that_is_not_there_is_unreachable(extension: ExtensionStandIn) -> None:
    """At once, where there is a value to go on with."""
    with ExtensionStandIn({}) as gone:
        port = gone.port
    for renewing, seconds in ((True, 0.5), (False, 3)):
        began = time.monotonic()

        why = refused(SecretsExtension(port, ENVIRON), renewing=renewing)

        assert (why.code, "ConnectionRefusedError" in str(why)) == ("unreachable", True)
        assert time.monotonic() - began < seconds
    assert extension.asked == []


def test_an_extension_that_comes_a_little_later_is_waited_for() -> None:
    """Or that is started anew: an outage would last for half a minute."""
    with ExtensionStandIn({}) as gone:
        port = gone.port
    came = contextlib.ExitStack()

    def come() -> None:
        time.sleep(0.2)
        came.enter_context(ExtensionStandIn({"key": SECRET}, port=port))

    thread = threading.Thread(target=come)
    with came:
        thread.start()
        try:
            assert SecretsExtension(port, ENVIRON).fetch("key", renewing=False).text == SECRET
        finally:
            thread.join()


def test_an_answer_that_trickles_is_given_up_in_time(
    source: SecretsExtension, extension: ExtensionStandIn
) -> None:
    """A limit on each part of it would be none on the whole."""
    extension.first = [extension.answers["key"]._replace(seconds_a_byte=0.3)]
    began = time.monotonic()

    assert refused(source, renewing=True).code == "unreachable"
    assert 1 <= time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("renewing", "seconds", "tries"), [(False, 4, 2), (True, 1, 1)], ids=["reading", "renewing"]
)
def test_a_silent_extension_is_given_up_in_time(
    source: SecretsExtension,
    extension: ExtensionStandIn,
    *,
    renewing: bool,
    seconds: float,
    tries: int,
) -> None:
    """Sooner where there is a value to go on with; what comes later answers no other question."""
    source.fetch("key", renewing=not renewing)
    late = value("key", SecretString="too late")._replace(after_seconds=2.5)
    extension.first = [late] * tries
    began = time.monotonic()

    why = refused(source, renewing=renewing)

    assert seconds <= time.monotonic() - began < seconds + 1
    assert (why.code, "TimeoutError" in str(why)) == ("unreachable", True)
    assert len(extension.asked) == 1 + tries
    assert source.fetch("key", renewing=renewing).text == SECRET


def test_an_answer_that_breaks_off_is_asked_for_again(
    source: SecretsExtension, extension: ExtensionStandIn
) -> None:
    """Once, where there is nothing to go on with."""
    extension.first = [Answer(200, b"", {"Transfer-Encoding": "chunked"}, closes=True)]

    assert source.fetch("key", renewing=False).text == SECRET
    assert len(extension.asked) == 2


@pytest.mark.parametrize("times", [1, 4])
def test_an_extension_that_is_not_ready_is_waited_for(
    source: SecretsExtension, extension: ExtensionStandIn, times: int
) -> None:
    """The first call of a container may come sooner to the function than to the extension."""
    extension.first = [NOT_READY] * times

    assert source.fetch("key", renewing=False).text == SECRET
    assert len(extension.asked) == times + 1


@pytest.mark.parametrize(("renewing", "tries"), [(False, 6), (True, 1)])
def test_one_that_never_is_ready_is_given_up(
    source: SecretsExtension, extension: ExtensionStandIn, *, renewing: bool, tries: int
) -> None:
    """Within two seconds; where there is a value to go on with, at once."""
    extension.answers["key"] = NOT_READY
    began = time.monotonic()

    why = refused(source, renewing=renewing)

    assert why.code == "unreachable"
    assert time.monotonic() - began < 2
    assert len(extension.asked) == tries


def test_a_secret_that_speaks_of_readiness_is_a_secret(
    source: SecretsExtension, extension: ExtensionStandIn
) -> None:
    """Only a refusal is looked at for it."""
    text = NOT_READY.body.decode()
    extension.answers["key"] = value("key", SecretString=text)

    assert source.fetch("key", renewing=False).text == text
    assert len(extension.asked) == 1


# The connection


def test_a_renewal_does_not_depend_on_what_is_left_of_the_last(
    source: SecretsExtension, extension: ExtensionStandIn
) -> None:
    """Its one try has a connection of its own: a server closes what is idle for long."""
    source.fetch("key", renewing=False)

    assert source.fetch("key", renewing=True).text == SECRET
    assert (extension.connections, len(extension.asked)) == (2, 2)


def test_no_proxy_is_asked(
    source: SecretsExtension, extension: ExtensionStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the environment names."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)

    assert source.fetch("key", renewing=False).text == SECRET
    assert len(extension.asked) == 1


# The function

# In an interpreter of its own, which has nothing loaded that the function does not load.
ISSUE = """
import json, sys
sys.path[:0] = sys.argv[1:3]
import app
response = app.handler(json.loads(sys.argv[3]), None)
loaded = {"boto3", "botocore", "urllib3"} & {name.partition(".")[0] for name in sys.modules}
print(json.dumps([response, sorted(loaded)]))
"""


def test_a_token_is_issued_without_botocore(self_hosted_environ: dict[str, str]) -> None:
    """It verifies with the secret that the extension gave."""
    secret = "0123456789abcdef0123456789abcdef"
    document = {"algorithm": "HS256", "kid": "initial", "secret": secret}
    client = write_client(Client(name="clinic", policy=Policy(rooms=["visit-*"])))
    event = {
        "httpMethod": "POST",
        "resource": "/api/jitsi/jwt",
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"userId": "p1", "userName": "Zerlina", "roomName": "visit-1"}),
        "requestContext": {"extendedRequestId": "request-1", "authorizer": {"client": client}},
    }
    held = {"signing-key": json.dumps(document), "digest-key": "digest-key-0123456789"}
    with ExtensionStandIn(held) as extension:
        environ = self_hosted_environ | {
            "POWERTOOLS_SERVICE_NAME": "jitsi-tokens",
            "SIGNING_KEY_SECRET": "signing-key",
            "DIGEST_KEY_SECRET": "digest-key",
            "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(extension.port),
            **ENVIRON,
        }
        arguments = [ROOT / "functions/issue_token", ROOT / "layers/jitsi_tokens"]
        finished = subprocess.run(  # noqa: S603 - this interpreter and the code above
            [sys.executable, "-c", ISSUE, *arguments, json.dumps(event)],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )

    line, [response, loaded] = map(json.loads, finished.stdout.splitlines())
    claims = jwt.decode(
        json.loads(response["body"])["token"],
        secret,
        algorithms=["HS256"],
        audience="openemr_audience",
    )
    assert claims["room"] == "visit-1"
    assert loaded == []
    assert [asked.secret_id for asked in extension.asked] == ["signing-key", "digest-key"]
    assert line["outcome"] == "issued"
    assert SESSION_TOKEN not in finished.stdout + finished.stderr

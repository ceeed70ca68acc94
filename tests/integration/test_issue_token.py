"""POST /api/jitsi/jwt: a meeting token for one person, one room and one time."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import pytest

from jitsi_tokens.core.clients import Client, make_api_key, write_client
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.settings import KEY_FRESH_SECONDS

if TYPE_CHECKING:
    from tests.conftest import LoadApp

NOW = 1_800_000_000
SHARED_SECRET = "0123456789abcdef0123456789abcdef"
DIGEST_KEY = "digest-key-0123456789"
API_KEY = make_api_key()
CLIENT = Client(name="clinic-a", policy=Policy(rooms=["visit-*"], moderator=True))
REQUEST = {
    "userId": "patient-4711",
    "userName": "Zerlina Quux",
    "userEmail": "zerlina@example.org",
    "roomName": "Visit-Sensitive",
}
PRIVATE = ["patient-4711", "Zerlina", "zerlina@", "sensitive", "Sensitive", API_KEY, SHARED_SECRET]


class Service:
    """The function, its stack's secrets, and the clock that it looks at."""

    def __init__(self, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.now = float(NOW)
        self._monkeypatch = monkeypatch
        clock = SimpleNamespace(time=lambda: self.now, perf_counter=time.perf_counter)
        monkeypatch.setattr(app, "time", clock)

    def post(self, client: str | None = write_client(CLIENT), /, **changes: Any) -> dict[str, Any]:
        """Answer a request with these fields instead of the usual ones."""
        return self.send(json.dumps(REQUEST | changes), client)

    def send(
        self, body: str, client: str | None = write_client(CLIENT), **context: str
    ) -> dict[str, Any]:
        """Answer a request with this body, and this beside the client in the context."""
        event = {
            "httpMethod": "POST",
            "resource": "/api/jitsi/jwt",
            "headers": {
                "Content-Type": "application/json",
                "Authorization": f"Bearer {API_KEY}",
            },
            "body": body,
            "requestContext": {
                "extendedRequestId": "request-1",
                "authorizer": {"client": client} | context,
            },
        }
        response: dict[str, Any] = self.app.handler(event, None)
        return response

    def cut_off(self) -> None:
        """Make Secrets Manager unreachable."""

        def fail(**_arguments: Any) -> None:
            raise TimeoutError

        for manager in (self.app.SECRETS.first_fetch, self.app.SECRETS.refresh):
            self._monkeypatch.setattr(manager, "get_secret_value", fail)


@pytest.fixture
def service(
    load_app: LoadApp, self_hosted_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Service:
    """Return the function of a self-hosted stack that has its keys."""
    client = boto3.client("secretsmanager")
    document = {"algorithm": "HS256", "kid": "initial", "secret": SHARED_SECRET}
    client.create_secret(Name="signing-key", SecretString=json.dumps(document))
    client.create_secret(Name="digest-key", SecretString=DIGEST_KEY)
    names = {
        "SIGNING_KEY_SECRET": "signing-key",
        "DIGEST_KEY_SECRET": "digest-key",
        "JITSI_TENANT": "clinic",
    }
    return Service(load_app("issue_token", self_hosted_environ | names), monkeypatch)


def line_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the one line that was printed, with nothing else beside it."""
    printed = capsys.readouterr()
    assert printed.err == ""
    [text] = printed.out.splitlines()
    line: dict[str, Any] = json.loads(text)
    return line


def problem_of(response: dict[str, Any]) -> dict[str, Any]:
    """Return the problem in a response."""
    assert response["headers"]["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(response["body"])
    return problem


def test_a_token_is_issued(service: Service) -> None:
    """The five fields of the contract, as the token has them."""
    response = service.post(isModerator=True, expirationSeconds=900)

    assert response["statusCode"] == 200
    answer = json.loads(response["body"])
    token = answer.pop("token")
    assert answer == {
        "expiresAt": NOW + 900,
        "notBefore": NOW - 10,
        "meetingUrl": f"https://meet.example.org/clinic/visit-sensitive#jwt=%22{token}%22",
        "roomName": "visit-sensitive",
    }
    claims = jwt.decode(
        token,
        SHARED_SECRET,
        algorithms=["HS256"],
        audience="openemr_audience",
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    assert jwt.get_unverified_header(token)["kid"] == "initial"
    assert (claims["exp"], claims["nbf"], claims["iat"]) == (NOW + 900, NOW - 10, NOW)
    assert (claims["room"], claims["sub"]) == ("visit-sensitive", "clinic")
    assert claims["context"]["user"]["affiliation"] == "owner"


def test_a_request_leaves_one_line(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """EMF and audit record in one, room and user as keyed digests, under a `jti` of its own."""
    service.post()
    earlier = line_of(capsys)
    answer = json.loads(service.post()["body"])

    line = line_of(capsys)
    assert line["jti"] != earlier["jti"]

    def keyed(text: str) -> str:
        return hmac.new(DIGEST_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()

    claims = jwt.decode(answer["token"], options={"verify_signature": False})
    assert line["_aws"]["Timestamp"] == NOW * 1000
    assert (line["outcome"], line["role"], line["client"]) == ("issued", "guest", "clinic-a")
    assert line["service"] == service.app.SERVICE
    assert (line["requestId"], line["moderator"]) == ("request-1", False)
    assert (line["jti"], line["kid"], line["exp"]) == (claims["jti"], "initial", claims["exp"])
    assert (line["room"], line["user"]) == (
        keyed("room:visit-sensitive"),
        keyed("user:patient-4711"),
    )
    assert (line["StaleSigningKey"], line["MissingDigestKey"], line["Requests"]) == (0, 0, 1)
    assert line["Latency"] > 0


@pytest.mark.parametrize(
    ("changes", "status", "type_", "pointers"),
    [
        # Every fault is in one answer; unknown names are not repeated in the line.
        ({"Zerlina": 1, "roomName": "*"}, 400, "invalid-request", ["/roomName", "/Zerlina"]),
        ({"Zerlina": 1}, 400, "invalid-request", ["/Zerlina"]),
        ({"roomName": "Sensitive board"}, 403, "forbidden", ["/roomName"]),
    ],
    ids=["faults", "unknown", "other-room"],
)
def test_a_refusal_says_why_and_leaves_one_line_too(
    service: Service,
    capsys: pytest.CaptureFixture[str],
    *,
    changes: dict[str, Any],
    status: int,
    type_: str,
    pointers: list[str],
) -> None:
    """As problem details that point at the fields; the line has the first, and no token."""
    problem = problem_of(service.post(**changes))

    assert (problem["status"], problem["type"]) == (status, f"urn:jitsi-tokens:problem:{type_}")
    assert [error["pointer"] for error in problem["errors"]] == pointers
    line = line_of(capsys)
    assert (line["outcome"], line["reason"]) == ("refused", type_)
    assert line["field"] == (None if pointers == ["/Zerlina"] else pointers[0])
    assert (line["jti"], line["exp"]) == (None, None)


def test_a_default_is_within_the_clients_limit(service: Service) -> None:
    """Who names no lifetime gets what the client may have."""
    client = write_client(
        Client(name="kiosk", policy=Policy(rooms=["*"], max_lifetime_seconds=1800))
    )

    assert json.loads(service.post(client)["body"])["expiresAt"] == NOW + 1800


@pytest.mark.parametrize(
    ("advance", "ahead", "status"),
    [("0", 10, 200), ("60", 70, 200), ("60", 71, 403)],
)
def test_a_token_in_advance_needs_leave(
    service: Service, advance: str, ahead: int, status: int
) -> None:
    """A caller's clock may be ahead by the clock skew."""
    body = json.dumps(REQUEST | {"notBefore": NOW + ahead})

    answer = service.send(body, maxAdvanceSeconds=advance)

    assert answer["statusCode"] == status
    if status == 403:
        assert [error["pointer"] for error in problem_of(answer)["errors"]] == ["/notBefore"]


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(REQUEST),
        json.dumps(REQUEST | {"roomName": "Sensitive/*"}),
        json.dumps(REQUEST | {"Sensitive": "patient-4711"}),
        json.dumps(REQUEST)[:-1],
    ],
    ids=["issued", "room", "unknown-field", "malformed"],
)
def test_nothing_private_is_printed(
    service: Service, capsys: pytest.CaptureFixture[str], body: str
) -> None:
    """No name, address, room, token or credential, whether the request is granted or not."""
    response = service.send(body)

    printed = "".join(capsys.readouterr())
    token = json.loads(response["body"]).get("token")
    assert len(printed.splitlines()) == 1
    assert not [text for text in PRIVATE if text in printed]
    assert token is None or token.rpartition(".")[2] not in printed


def test_a_caller_whom_the_authorizer_did_not_recognise_is_refused(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything that was sent is read."""
    response = service.send("{", None)

    assert problem_of(response)["type"] == "urn:jitsi-tokens:problem:unauthorized"
    assert line_of(capsys)["reason"] == "unauthorized"


def test_a_body_that_is_not_json_is_refused(service: Service) -> None:
    """By its type."""
    event = {"requestContext": {"authorizer": {"client": write_client(CLIENT)}}, "body": "{}"}

    assert problem_of(service.app.handler(event, None))["status"] == 415


def test_without_a_key_it_is_a_503(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """That says when to try again, and a metric and a warning that say what happened."""
    boto3.client("secretsmanager").delete_secret(
        SecretId="signing-key", ForceDeleteWithoutRecovery=True
    )

    response = service.post()

    assert problem_of(response)["type"] == "urn:jitsi-tokens:problem:unavailable"
    assert response["headers"]["Retry-After"] == "30"
    warning, line = map(json.loads, capsys.readouterr().out.splitlines())
    assert (warning["level"], warning["cause"]) == ("WARNING", "no-key")
    assert (line["outcome"], line["reason"]) == ("failed", "unavailable")
    assert line["MissingSigningKey"] == 1


def test_the_key_outlives_an_outage(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """It signs for four hours more, and each token of it is counted."""
    service.post()
    service.cut_off()
    capsys.readouterr()

    service.now += KEY_FRESH_SECONDS
    while_stale = service.post()
    printed = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    service.now = NOW + KEY_FRESH_SECONDS + 14_400
    after_the_bound = service.post()

    assert while_stale["statusCode"] == 200
    assert [line.get("cause") for line in printed] == ["unreachable", None]
    assert printed[-1]["StaleSigningKey"] == 1
    assert after_the_bound["statusCode"] == 503
    assert after_the_bound["headers"]["Retry-After"] == "30"


def test_refusals_without_a_digest_key_keep_no_token_from_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused request asks for the digest key alone; its outage is not the signing key's."""
    manager = service.app.SECRETS.first_fetch
    get_secret_value = manager.get_secret_value

    def fail(**arguments: Any) -> Any:
        if arguments["SecretId"] == "digest-key":
            raise TimeoutError
        return get_secret_value(**arguments)

    monkeypatch.setattr(manager, "get_secret_value", fail)

    statuses = [service.post(roomName="elsewhere")["statusCode"], service.post()["statusCode"]]

    assert statuses == [403, 200]


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "no-key"), ("secret-content\ud800", "UnicodeEncodeError")],
    ids=["missing", "cannot-be-encoded"],
)
def test_without_a_digest_key_a_token_is_issued(
    service: Service, capsys: pytest.CaptureFixture[str], content: str | None, told: str
) -> None:
    """The digests are null, a metric says so, and what nobody expected is reported."""
    if content:
        service.app.DIGEST_KEY._make = lambda _text: content.encode()
    else:
        boto3.client("secretsmanager").delete_secret(
            SecretId="digest-key", ForceDeleteWithoutRecovery=True
        )

    response = service.post()

    printed = "".join(capsys.readouterr())
    said, line = map(json.loads, printed.splitlines())
    assert response["statusCode"] == 200
    assert told in (said.get("cause"), said.get("error"))
    assert (line["outcome"], line["room"], line["user"]) == ("issued", None, None)
    assert line["MissingDigestKey"] == 1
    assert "secret-content" not in printed


def test_an_unexpected_error_is_a_503_that_tells_nothing(
    service: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither to the caller nor to the log does it say what was sent."""

    def fail(*_arguments: Any, **values: Any) -> None:
        raise ZeroDivisionError(f"{values} {REQUEST} {API_KEY}")

    monkeypatch.setattr(service.app, "meeting_claims", fail)

    response = service.post()

    printed = "".join(capsys.readouterr())
    report, line = map(json.loads, printed.splitlines())
    assert problem_of(response)["detail"] == "The service failed; try again."
    assert (response["statusCode"], response["headers"]["Retry-After"]) == (503, "30")
    assert (report["level"], report["error"]) == ("ERROR", "ZeroDivisionError")
    assert report["place"].startswith("test_issue_token.py:")
    assert (line["outcome"], line["reason"]) == ("failed", "unavailable")
    assert line["MissingSigningKey"] == 0
    assert not [text for text in PRIVATE if text in printed + response["body"]]

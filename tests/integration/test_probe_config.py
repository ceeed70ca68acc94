"""GET /api/jitsi/jwt and GET /api/jitsi/diagnostics: what the last key check found.

It is kept in SSM Parameter Store, read at most every five seconds, and outlived while SSM fails.
"""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from botocore.parsers import ResponseParserError

from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.findings import finding
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.status import NEVER_CHECKED, KeyFacts, KeyStatus, read_status, write_status
from tests.template_reading import GATEWAY_RESPONSES, routes

if TYPE_CHECKING:
    from tests.conftest import LoadApp

NOW = 1_800_000_000
STATUS = "/jitsi-tokens/test/key-status"
JWT = "/api/jitsi/jwt"
KEY = KeyFacts(kid="app/key", algorithm="RS256", fingerprint="ab12", created_at=NOW - 60)
GOOD = KeyStatus(configured=True, checked_at=NOW, key=KEY)
BAD = KeyStatus(
    configured=False, checked_at=NOW, problems=[finding("no-key", "None.", trust="shared")]
)


OUTAGES = [
    ClientError({"Error": {"Code": "ThrottlingException", "Message": "x"}}, "GetParameter"),
    ConnectTimeoutError(endpoint_url="https://ssm"),
    ResponseParserError("an answer that is no JSON"),
]


class Probe:
    """The function, the status it reads, its readings, and the clock that it looks at."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.now = float(NOW)
        self.reads = 0
        self.error: Exception | None = None
        app.time = SimpleNamespace(time=lambda: self.now)
        for client in (app.FIRST_FETCH, app.REFRESH):
            client.meta.events.register("before-call.ssm.GetParameter", self._read)

    def get(
        self, resource: str = JWT, *, method: str = "GET", client: Client | None = None
    ) -> dict[str, Any]:
        """Return the response to a request."""
        context = {"authorizer": {"client": write_client(client)}} if client else {}
        event = {"httpMethod": method, "resource": resource, "requestContext": context}
        response: dict[str, Any] = self.app.handler(event, None)
        return response

    def tell(self, after: float) -> Any:
        """Return what the probe says at a time."""
        self.now = NOW + after
        response = self.get()
        return json.loads(response["body"]).get("configured", response["statusCode"])

    def _read(self, **_arguments: Any) -> None:
        self.reads += 1
        if self.error:
            raise self.error


def keep(status: KeyStatus) -> None:
    """Keep what a check found."""
    write_status(boto3.client("ssm"), STATUS, status)


@pytest.fixture
def probe(load_app: LoadApp, jaas_environ: dict[str, str]) -> Probe:
    """Return the function of a JaaS stack whose key was checked."""
    keep(GOOD)
    return Probe(load_app("probe_config", jaas_environ | {"STATUS_PARAMETER": STATUS}))


def client(*, diagnostics: bool) -> Client:
    """Return a client with or without leave."""
    return Client(name="clinic-a", policy=Policy(diagnostics=diagnostics))


def problem_of(response: dict[str, Any]) -> str:
    """Return the kind of the problem in a response."""
    assert response["headers"]["Content-Type"] == "application/problem+json"
    return str(json.loads(response["body"])["type"]).rpartition(":")[2]


@pytest.mark.parametrize(
    ("status", "configured"),
    [(GOOD, True), (BAD, False), (NEVER_CHECKED, False)],
    ids=["good", "bad", "never"],
)
def test_the_probe_says_whether_a_token_could_be_signed(
    probe: Probe, status: KeyStatus, *, configured: bool
) -> None:
    """To anybody, and nothing more; what is kept is what is read."""
    keep(status)
    assert read_status(boto3.client("ssm"), STATUS) == status

    response = probe.get()

    assert response["statusCode"] == 200
    assert response["headers"]["Content-Type"] == "application/json"
    assert response["headers"]["Cache-Control"] == "no-store"
    assert json.loads(response["body"]) == {"configured": configured}


def test_the_diagnostics_tell_a_client_with_leave(probe: Probe) -> None:
    """What the last check found, that it is overdue, and how this stack is set."""
    keep(BAD)
    probe.now += 901

    response = probe.get("/api/jitsi/diagnostics", client=client(diagnostics=True))

    document = json.loads(response["body"])
    assert response["statusCode"] == 200
    assert (document["configured"], document["provider"]) == (False, "jaas")
    assert [problem["code"] for problem in document["problems"]] == ["no-key", "check-overdue"]


@pytest.mark.parametrize(
    ("asking", "status", "kind"),
    [(client(diagnostics=False), 403, "forbidden"), (None, 401, "unauthorized")],
)
def test_the_diagnostics_need_a_client_with_leave(
    probe: Probe, asking: Client | None, status: int, kind: str
) -> None:
    """Also should the authorizer be missing."""
    response = probe.get("/api/jitsi/diagnostics", client=asking)

    assert (response["statusCode"], problem_of(response)) == (status, kind)
    assert "app/key" not in response["body"]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("resource", ["/api/jitsi/jwt", "/api/jitsi/diagnostics", "/", "/{proxy+}"])
def test_head_is_get_without_a_body(probe: Probe, resource: str, *, known: bool) -> None:
    """The same status and headers, of refusals too."""
    asking = client(diagnostics=True) if known else None

    expected = probe.get(resource, client=asking) | {"body": ""}

    assert probe.get(resource, method="HEAD", client=asking) == expected


def test_another_method_is_told_the_right_ones(probe: Probe) -> None:
    """Those that the template routes to a function on that path."""
    for path in {path for path, _ in routes()} - {"/", "/{proxy+}"}:
        for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            response = probe.get(path, method=method, client=client(diagnostics=True))

            assert (response["statusCode"], problem_of(response)) == (405, "method-not-allowed")
            allowed = response["headers"]["Allow"].split(", ")
            assert sorted((path, name) for name in [*allowed, "ANY"]) == sorted(
                route for route in routes() if route[0] == path
            )


@pytest.mark.parametrize("resource", ["/", "/{proxy+}", "/api/jitsi/jwt/"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_another_path_is_not_found(probe: Probe, method: str, resource: str) -> None:
    """The text names every path that there is, as API Gateway's own 404 does."""
    assert problem_of(probe.app.handler({}, None)) == "not-found"
    response = probe.get(resource, method=method, client=client(diagnostics=True))

    assert (response["statusCode"], problem_of(response)) == (404, "not-found")
    detail = json.loads(response["body"])["detail"]
    named = detail.removesuffix(".").replace(",", "").split()
    assert {path for path, _ in routes() if path not in named} == {"/", "/{proxy+}"}
    gateway = GATEWAY_RESPONSES["MISSING_AUTHENTICATION_TOKEN"]["ResponseTemplates"]
    assert json.loads(gateway["application/json"])["detail"] == detail


@pytest.mark.parametrize(
    "text", ["none", "[]", '{"configured": true}', '{"configured": "true", "checkedAt": 1}']
)
def test_a_status_that_cannot_be_read_is_none(probe: Probe, text: str) -> None:
    """It was written by no check."""
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=STATUS, Value=text, Type="String", Overwrite=True)

    assert read_status(ssm, STATUS) == NEVER_CHECKED
    assert probe.tell(0) is False


def test_a_status_is_read_at_most_every_five_seconds(probe: Probe) -> None:
    """And again where the clock goes backwards: no status comes from the future."""
    told = [probe.tell(after) for after in (0, 1, 4.9)]
    reads = probe.reads
    keep(BAD)

    assert (told, reads) == ([True] * 3, 1)
    assert probe.tell(5) is False
    keep(GOOD)
    assert probe.tell(-3600) is True


@pytest.mark.parametrize("error", OUTAGES, ids=["throttled", "timeout", "unreadable"])
def test_a_status_is_outlived_when_ssm_fails(
    probe: Probe, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a warning, and no more reads than when it works."""
    probe.tell(0)
    probe.error = error

    told = [probe.tell(after) for after in (5, 6, 9.9)]

    assert (told, probe.reads) == ([True] * 3, 2)
    [logged] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (logged["level"], logged["cause"]) == ("WARNING", type(error).__name__)


def test_without_any_status_an_outage_of_ssm_is_a_503(probe: Probe) -> None:
    """That says when to try again, to HEAD too; then the status is there."""
    probe.error = OUTAGES[0]

    told = [probe.tell(after) for after in (0, 1)]
    response = probe.get("/api/jitsi/diagnostics", client=client(diagnostics=True))
    head = probe.get(method="HEAD")

    assert (told, probe.reads) == ([503, 503], 1)
    assert (response["statusCode"], problem_of(response)) == (503, "unavailable")
    assert (head["statusCode"], head["body"], head["headers"]["Retry-After"]) == (503, "", "5")
    probe.error = None
    assert probe.tell(5) is True


def test_an_unexpected_error_is_a_503_that_tells_nothing(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither to the caller nor to the log."""

    def fail(_now: float) -> None:
        raise ZeroDivisionError("secret-input")

    monkeypatch.setattr(probe.app.STATUS, "get", fail)

    response = probe.get()

    printed = "".join(capsys.readouterr())
    assert (response["statusCode"], problem_of(response)) == (503, "unavailable")
    assert response["headers"]["Retry-After"] == "30"
    assert json.loads(printed)["error"] == "ZeroDivisionError"
    assert "secret-input" not in printed + response["body"]

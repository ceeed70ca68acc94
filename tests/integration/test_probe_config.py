"""GET /api/jitsi/jwt and GET /api/jitsi/diagnostics: what the last key check found."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.findings import finding
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.status import NEVER_CHECKED, KeyFacts, KeyStatus, write_status
from tests.template_reading import GATEWAY_RESPONSES, routes

if TYPE_CHECKING:
    from tests.conftest import LoadApp

NOW = 1_800_000_000
STATUS = "/jitsi-tokens/test/key-status"
KEY = KeyFacts(kid="app/key", algorithm="RS256", fingerprint="ab12", created_at=NOW - 60)
GOOD = KeyStatus(configured=True, checked_at=NOW, key=KEY)
BAD = KeyStatus(
    configured=False, checked_at=NOW, problems=[finding("no-key", "None.", trust="shared")]
)


class Probe:
    """The function, the status it reads, and the clock that it looks at."""

    def __init__(self, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.now = float(NOW)
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(app, "time", SimpleNamespace(time=lambda: self.now))

    def get(self, resource: str, *, method: str = "GET", client: Client | None = None) -> Any:
        """Return the response to a request."""
        context = {"authorizer": {"client": write_client(client)}} if client else {}
        event = {"httpMethod": method, "resource": resource, "requestContext": context}
        return self.app.handler(event, None)

    def cut_off(self) -> None:
        """Make SSM unreachable."""

        def fail(**_arguments: Any) -> None:
            raise EndpointConnectionError(endpoint_url="https://ssm")

        for client in (self.app.FIRST_FETCH, self.app.REFRESH):
            self._monkeypatch.setattr(client, "get_parameter", fail)


@pytest.fixture
def probe(
    load_app: LoadApp, jaas_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Probe:
    """Return the function of a JaaS stack whose key was checked."""
    probe = Probe(
        load_app("probe_config", jaas_environ | {"STATUS_PARAMETER": STATUS}), monkeypatch
    )
    write_status(boto3.client("ssm"), STATUS, GOOD)
    return probe


def client(*, diagnostics: bool) -> Client:
    """Return a client with or without leave."""
    return Client(name="clinic-a", policy=Policy(diagnostics=diagnostics))


def problem_of(response: dict[str, Any]) -> str:
    """Return the kind of the problem in a response, its headers checked."""
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert response["headers"]["Cache-Control"] == "no-store"
    problem = json.loads(response["body"])
    assert problem["status"] == response["statusCode"]
    return str(problem["type"]).rpartition(":")[2]


@pytest.mark.parametrize(
    ("status", "configured"),
    [(GOOD, True), (BAD, False), (NEVER_CHECKED, False)],
    ids=["good", "bad", "never"],
)
def test_the_probe_says_whether_a_token_could_be_signed(
    probe: Probe, status: KeyStatus, *, configured: bool
) -> None:
    """To anybody, and nothing more."""
    write_status(boto3.client("ssm"), STATUS, status)

    response = probe.get("/api/jitsi/jwt")

    assert response["statusCode"] == 200
    assert response["headers"]["Content-Type"] == "application/json"
    assert response["headers"]["Cache-Control"] == "no-store"
    assert json.loads(response["body"]) == {"configured": configured}


def test_the_diagnostics_tell_a_client_with_leave(probe: Probe) -> None:
    """What the last check found, and how this stack is set."""
    write_status(boto3.client("ssm"), STATUS, BAD)

    response = probe.get("/api/jitsi/diagnostics", client=client(diagnostics=True))

    document = json.loads(response["body"])
    assert response["statusCode"] == 200
    assert (document["configured"], document["provider"]) == (False, "jaas")
    assert [problem["code"] for problem in document["problems"]] == ["no-key"]


def test_the_diagnostics_need_leave(probe: Probe) -> None:
    """A client without is refused."""
    response = probe.get("/api/jitsi/diagnostics", client=client(diagnostics=False))

    assert (response["statusCode"], problem_of(response)) == (403, "forbidden")
    assert "app/key" not in response["body"]


def test_the_diagnostics_need_a_client(probe: Probe) -> None:
    """Nobody is refused with a 401, should the authorizer be missing."""
    response = probe.get("/api/jitsi/diagnostics")

    assert (response["statusCode"], problem_of(response)) == (401, "unauthorized")


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("resource", ["/api/jitsi/jwt", "/api/jitsi/diagnostics", "/", "/{proxy+}"])
def test_head_is_get_without_a_body(probe: Probe, resource: str, *, known: bool) -> None:
    """The same status and headers, of refusals too."""
    asking = client(diagnostics=True) if known else None

    expected = probe.get(resource, client=asking) | {"body": ""}

    assert probe.get(resource, method="HEAD", client=asking) == expected


def test_head_of_an_outage_has_no_body_either(probe: Probe) -> None:
    """A monitor reads the status and Retry-After."""
    probe.cut_off()

    response = probe.get("/api/jitsi/jwt", method="HEAD")

    assert (response["statusCode"], response["body"]) == (503, "")
    assert response["headers"]["Retry-After"] == "5"


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
    response = probe.get(resource, method=method, client=client(diagnostics=True))

    assert (response["statusCode"], problem_of(response)) == (404, "not-found")
    detail = json.loads(response["body"])["detail"]
    assert [path for path, _ in routes() if path.strip("/") and path not in detail] == ["/{proxy+}"]
    gateway = GATEWAY_RESPONSES["MISSING_AUTHENTICATION_TOKEN"]["ResponseTemplates"]
    assert json.loads(gateway["application/json"])["detail"] == detail


def test_an_empty_event_is_not_found(probe: Probe) -> None:
    """It names no route."""
    assert problem_of(probe.app.handler({}, None)) == "not-found"


def test_the_status_outlives_an_outage_of_ssm(
    probe: Probe, capsys: pytest.CaptureFixture[str]
) -> None:
    """The stale copy is better than none, and a warning tells of it."""
    probe.get("/api/jitsi/jwt")
    probe.cut_off()
    probe.now += 5

    response = probe.get("/api/jitsi/jwt")

    assert json.loads(response["body"]) == {"configured": True}
    assert json.loads(capsys.readouterr().out)["cause"] == "EndpointConnectionError"


@pytest.mark.parametrize("resource", ["/api/jitsi/jwt", "/api/jitsi/diagnostics"])
def test_without_any_status_an_outage_of_ssm_is_a_503(probe: Probe, resource: str) -> None:
    """That says when to try again."""
    probe.cut_off()

    response = probe.get(resource, client=client(diagnostics=True))

    assert (response["statusCode"], problem_of(response)) == (503, "unavailable")
    assert response["headers"]["Retry-After"] == "5"


def test_an_unexpected_error_is_a_503_that_tells_nothing(
    probe: Probe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither to the caller nor to the log."""

    def fail(_now: float) -> None:
        raise ZeroDivisionError("secret-input")

    monkeypatch.setattr(probe.app.STATUS, "get", fail)

    response = probe.get("/api/jitsi/jwt")

    printed = "".join(capsys.readouterr())
    assert (response["statusCode"], problem_of(response)) == (503, "unavailable")
    assert response["headers"]["Retry-After"] == "30"
    assert json.loads(printed)["error"] == "ZeroDivisionError"
    assert "secret-input" not in printed + response["body"]

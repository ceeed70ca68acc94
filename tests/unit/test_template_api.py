"""The API that the template makes: what the emulator does not imitate or nobody would notice."""

import itertools
import json
import re

import pytest

from tests.template_reading import GATEWAY_RESPONSES, KINDS, PARAMETERS, properties, routes

# These must not be missing; the two defaults take what has none of its own.
NEEDED = {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "ACCESS_DENIED", "THROTTLED"}


@pytest.mark.parametrize("name", sorted(NEEDED | GATEWAY_RESPONSES.keys()))
def test_a_gateway_response_is_a_problem_of_ours(name: str) -> None:
    """API Gateway's own errors read as the functions' do, and repeat nothing of the request."""
    response = GATEWAY_RESPONSES[name]
    text = response["ResponseTemplates"]["application/json"]
    document = json.loads(text)
    headers = response["ResponseParameters"]["Headers"]

    kind = KINDS[document["type"]]
    others = {"type": kind.type, "title": kind.title, "status": kind.status}
    assert document == others | {"detail": document["detail"]}
    assert response["StatusCode"] == kind.status
    assert ("Retry-After" in headers) == (kind.status in (429, 503))
    assert headers.get("WWW-Authenticate") == ("'Bearer'" if name == "UNAUTHORIZED" else None)
    assert headers["Content-Type"] == "'application/problem+json'"
    assert headers["Cache-Control"] == "'no-store'"
    assert headers["Strict-Transport-Security"] == "'max-age=63072000'"
    # API Gateway's messages can hold the caller's Authorization header.
    assert "$" not in text + str(headers)


def test_nothing_of_a_request_is_logged_or_traced() -> None:
    """A path can hold a name or a token, and a sample of a request its Authorization header."""
    api, firewall = properties("Api"), properties("Firewall")
    _, access_log = api["AccessLogSetting"]["Format"]

    assert set(re.findall(r"\$context\.[\w.]+", "".join(access_log))) == {
        "$context.extendedRequestId",
        "$context.status",
        "$context.error.responseType",
        "$context.responseLatency",
        "$context.resourcePath",  # as the template has it: /join/{proxy+}
    }
    assert {settings["DataTraceEnabled"] for settings in api["MethodSettings"]} == {False}
    assert not [settings for settings in api["MethodSettings"] if "LoggingLevel" in settings]
    assert "TracingEnabled" not in api
    for each in (firewall, *firewall["Rules"]):
        assert each["VisibilityConfig"]["SampledRequestsEnabled"] is False


def test_tls_is_1_2_at_least_and_nothing_bypasses_a_domain_name() -> None:
    """A firewall or a policy may protect that name."""
    for name in ("Api", "Domain"):
        assert properties(name)["SecurityPolicy"] == "SecurityPolicy_TLS13_1_2_2021_06"
        assert properties(name)["EndpointAccessMode"] == "STRICT"
    assert properties("Api")["DisableExecuteApiEndpoint"] == ["HasDomainName", True, False]


OPEN = {"Authorizer": "NONE"}
CLOSED = {
    ("/api/jitsi/jwt", "POST"),
    ("/api/jitsi/diagnostics", "GET"),
    ("/api/jitsi/diagnostics", "HEAD"),
    *(route for route, (name, _) in routes().items() if name == "ManageVisits"),
    ("/api/visits/{visitId}/participants/{participantId}/join", "POST"),
}


def test_routes_need_an_api_key_unless_they_give_nothing_secret() -> None:
    """The probe, the public keys, patients' routes, and all that is 404 or 405 are open."""
    for route, (name, event) in routes().items():
        assert event.get("Auth") == (None if route in CLOSED else OPEN)
        is_patients = name == "JoinVisit" and route[0].startswith("/join")
        assert route in CLOSED or is_patients or name in ("ProbeConfig", "ServePublicKey")


def test_a_route_without_an_api_key_is_throttled_lower() -> None:
    """Except the public keys, which Jitsi must always get, and patients' routes."""
    limits = {
        (settings["ResourcePath"].replace("~1", "/").replace("//", "/"), settings["HttpMethod"]): (
            settings["ThrottlingRateLimit"],
            settings["ThrottlingBurstLimit"],
        )
        for settings in properties("Api")["MethodSettings"]
    }
    served = {route for route, (name, _) in routes().items() if name == "ServePublicKey"}
    own = {
        **dict.fromkeys(
            itertools.product(("/join", "/join/{proxy+}"), ("GET", "HEAD")), (200, 1000)
        ),
        ("/join/status", "POST"): (100, 400),
        ("/join/enter", "POST"): (20, 100),
    }

    low = limits["/*", "*"]
    assert low == ("PublicThrottlingRate", "PublicThrottlingBurst")
    assert {route: limit for route, limit in limits.items() if limit != low} == (
        dict.fromkeys(CLOSED | served, ("ThrottlingRate", "ThrottlingBurst")) | own
    )
    for kind in ("ThrottlingRate", "ThrottlingBurst"):
        assert PARAMETERS[f"Public{kind}"]["Default"] < PARAMETERS[kind]["Default"]


def test_patients_are_counted_apart_by_the_firewall() -> None:
    """Many share one address of a mobile network; a health record does not."""
    statements = {
        rule["Name"]: rule["Statement"]["RateBasedStatement"]
        for rule in properties("Firewall")["Rules"]
        if "RateBasedStatement" in rule["Statement"]
    }
    own = statements["patients-per-address"]["ScopeDownStatement"]["RegexMatchStatement"]

    rest = statements["rate-per-address"]["ScopeDownStatement"]
    assert rest == {"NotStatement": {"Statement": {"RegexMatchStatement": own}}}
    pattern = re.compile(own["RegexString"])
    assert all(map(pattern.search, ("/join", "/v1/join/", "/v1/join/status", "/join/enter")))
    assert not any(map(pattern.search, ("/v1/api/visits/a/participants/b/join", "/joins", "/api")))
    assert own["FieldToMatch"] == {"UriPath": {}}

"""The API that the template makes: routes, authorizer, throttling, and the gateway's own errors."""

import json

import pytest

from tests.template_reading import (
    GATEWAY_RESPONSES,
    KINDS,
    PARAMETERS,
    PUBLISHED,
    RESOURCES,
    properties,
    references,
    routes,
)


@pytest.mark.parametrize("name", GATEWAY_RESPONSES)
def test_a_gateway_response_is_a_problem_of_ours(name: str) -> None:
    """API Gateway's own errors read as the functions' do: type, title and status of one kind."""
    response = GATEWAY_RESPONSES[name]

    document = json.loads(response["ResponseTemplates"]["application/json"])

    kind = KINDS[document["type"]]
    assert (document["title"], document["status"]) == (kind.title, kind.status)
    assert response["StatusCode"] == kind.status
    assert document.keys() == {"type", "title", "status", "detail"}
    assert document["detail"]


@pytest.mark.parametrize("name", GATEWAY_RESPONSES)
def test_a_gateway_response_has_the_headers_of_a_problem(name: str) -> None:
    """Its type, and that nobody stores it; when to try again; the scheme of a 401."""
    response = GATEWAY_RESPONSES[name]
    headers = response["ResponseParameters"]["Headers"]

    assert headers["Content-Type"] == "'application/problem+json'"
    assert headers["Cache-Control"] == "'no-store'"
    assert headers["Strict-Transport-Security"] == "'max-age=63072000'"
    assert ("Retry-After" in headers) == (response["StatusCode"] in (429, 503))
    assert headers.get("WWW-Authenticate") == ("'Bearer'" if name == "UNAUTHORIZED" else None)


def test_no_gateway_response_repeats_what_api_gateway_says() -> None:
    """Its messages can hold the caller's Authorization header."""
    assert "$context" not in json.dumps(GATEWAY_RESPONSES)
    assert "$" not in json.dumps([r["ResponseTemplates"] for r in GATEWAY_RESPONSES.values()])


def test_every_error_of_api_gateway_has_a_response() -> None:
    """Both defaults are there, and what the authorizer and the throttle say."""
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "UNAUTHORIZED", "ACCESS_DENIED", "THROTTLED"} <= (
        GATEWAY_RESPONSES.keys()
    )


# Routes


def test_the_api_is_regional_and_logs_no_data() -> None:
    """Data traces would hold the Authorization header."""
    api = properties("Api")

    assert api["EndpointConfiguration"] == {"Type": "REGIONAL"}
    assert {settings["DataTraceEnabled"] for settings in api["MethodSettings"]} == {False}
    assert not [settings for settings in api["MethodSettings"] if "LoggingLevel" in settings]


def test_the_access_log_holds_no_path_and_nothing_of_the_caller() -> None:
    """A path can hold what somebody typed, and what the authorizer hands on is a policy."""
    log = properties("Api")["AccessLogSetting"]

    assert log["DestinationArn"] == "AccessLog.Arn"
    _, parts = log["Format"]
    assert json.loads("".join(parts)) == {
        "service": "${AWS::StackName}",
        "requestId": "$context.extendedRequestId",
        "status": "$context.status",
        "errorType": "$context.error.responseType",
        "latency": "$context.responseLatency",
    }


def test_a_route_without_credentials_is_throttled_lower() -> None:
    """Whatever is not named is; what wants credentials is not, and neither are the public keys.

    Jitsi and the rotation have to get these, whoever else asks.
    """
    limits = {
        (settings["ResourcePath"].replace("~1", "/").replace("//", "/"), settings["HttpMethod"]): (
            settings["ThrottlingRateLimit"],
            settings["ThrottlingBurstLimit"],
        )
        for settings in properties("Api")["MethodSettings"]
    }
    closed = [
        route
        for route, (name, event) in routes().items()
        if "Auth" not in event or name == "ServePublicKey"
    ]

    assert limits["/*", "*"] == ("PublicThrottlingRate", "PublicThrottlingBurst")
    higher = {route: limit for route, limit in limits.items() if limit != limits["/*", "*"]}
    assert higher == dict.fromkeys(closed, ("ThrottlingRate", "ThrottlingBurst"))
    for kind in ("Rate", "Burst"):
        low, high = (PARAMETERS[f"{who}Throttling{kind}"]["Default"] for who in ("Public", ""))
        assert low < high


def test_tls_is_1_2_at_least() -> None:
    """On API Gateway's own name, and on one's own."""
    for name in ("Api", "Domain"):
        found = properties(name)
        assert found["SecurityPolicy"] == "SecurityPolicy_TLS13_1_2_2021_06"
        assert found["EndpointAccessMode"] == "STRICT"


def test_ones_own_name_is_the_only_one() -> None:
    """Whoever has a domain name has a firewall or a policy there: no way leads around it."""
    assert properties("Api")["DisableExecuteApiEndpoint"] == ["HasDomainName", True, False]
    assert properties("DomainMapping") == {
        "DomainName": "Domain",
        "RestApiId": "Api",
        "Stage": "Api.Stage",
    }


def test_a_change_of_a_parameter_reaches_the_stage() -> None:
    """SAM sees no change of the API in it, and would deploy nothing."""
    assert properties("Api")["AlwaysDeploy"] is True


def test_networks_are_allowed_for_the_api_alone() -> None:
    """Prosody and the rotation fetch public keys from elsewhere; no network is said, all are."""
    allow, (condition, deny, otherwise) = properties("Api")["Auth"]["ResourcePolicy"][
        "CustomStatements"
    ]

    assert (allow["Effect"], allow["Resource"]) == ("Allow", "execute-api:/*")
    assert (condition, otherwise) == ("HasAllowedNetworks", "AWS::NoValue")
    assert (deny["Effect"], deny["Resource"]) == ("Deny", "execute-api:/v1/*/api/*")
    assert deny["Condition"] == {"NotIpAddress": {"aws:SourceIp": [",", "AllowedNetworks"]}}
    assert [path for path, _ in routes() if path.startswith(("/asap", "/.well-known"))]
    assert all(
        path.startswith("/api/") for (path, _), (_, e) in routes().items() if "Auth" not in e
    )


def test_api_gateway_is_not_traced() -> None:
    """Its traces hold the whole address: a caller may have put a name or a token there."""
    assert "TracingEnabled" not in properties("Api")


def test_the_firewall_keeps_no_request() -> None:
    """A sample of one would hold its Authorization header."""
    firewall = properties("Firewall")
    rules = firewall["Rules"]

    assert {each["VisibilityConfig"]["SampledRequestsEnabled"] for each in [firewall, *rules]} == {
        False
    }
    assert sorted(rule["Priority"] for rule in rules) == list(range(len(rules)))
    assert {RESOURCES[name]["Condition"] for name in ("Firewall", "FirewallAssociation")} == {
        "HasFirewall"
    }


def test_the_authorizer_reads_one_header_and_turns_junk_away() -> None:
    """A key that is none costs no invocation; the answer is kept as long as the parameter says."""
    auth = properties("Api")["Auth"]
    authorizer = auth["Authorizers"][auth["DefaultAuthorizer"]]

    assert authorizer["FunctionPayloadType"] == "TOKEN"
    assert authorizer["FunctionArn"] == "AuthorizeClient.Alias"
    assert authorizer["Identity"] == {
        "Header": "Authorization",
        "ValidationExpression": "^[Bb][Ee][Aa][Rr][Ee][Rr] +jtk_[0-9A-Za-z]{49}$",
        "ReauthorizeEvery": "AuthorizerCacheSeconds",
    }


CLOSED = {
    ("/api/jitsi/jwt", "POST"): "IssueToken",
    ("/api/jitsi/diagnostics", "GET"): "ProbeConfig",
    ("/api/jitsi/diagnostics", "HEAD"): "ProbeConfig",
}


@pytest.mark.parametrize(("route", "name"), CLOSED.items())
def test_a_route_that_gives_something_wants_credentials(route: tuple[str, str], name: str) -> None:
    """It leaves the default authorizer in its place."""
    answering, event = routes()[route]

    assert answering == name
    assert "Auth" not in event


def test_every_other_route_is_open_and_gives_nothing_secret() -> None:
    """The probe, the public keys, and all that is 404 or 405."""
    others = {route: found for route, found in routes().items() if route not in CLOSED}

    assert ("/api/jitsi/jwt", "GET") in others
    public = {
        (path, method)
        for path in ("/asap/{file}", "/.well-known/jwks.json")
        for method in ("GET", "HEAD")
    }
    assert {route for route, (name, _) in others.items() if name == "ServePublicKey"} == public
    assert {name for name, _ in others.values()} == {"ProbeConfig", "ServePublicKey"}
    assert all(event["Auth"] == {"Authorizer": "NONE"} for _, event in others.values())


def test_what_get_answers_head_answers_too() -> None:
    """By the same function, with the same authorizer."""
    gets = {path: found for (path, method), found in routes().items() if method == "GET"}

    assert len(gets) == 4
    for path, (name, event) in gets.items():
        answering, head = routes()[path, "HEAD"]
        assert (answering, head.get("Auth")) == (name, event.get("Auth"))


def test_every_path_and_method_is_matched() -> None:
    """What is unmatched API Gateway answers with the caller's header in the text."""
    paths = {path for path, _ in routes()}

    assert {"/", "/{proxy+}"} <= paths
    assert all((path, "ANY") in routes() for path in paths)


def test_no_function_refers_to_the_api_it_serves() -> None:
    """That would be a cycle; events name it, and SAM takes care of those."""
    for name in PUBLISHED:
        own = {key: value for key, value in properties(name).items() if key != "Events"}
        assert "Api" not in references(own)

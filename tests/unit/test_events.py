"""The payloads for `sam local invoke`, and what docs/development.md says they are answered."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jitsi_tokens import clients, http, requests
from jitsi_tokens.problems import Problem

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "template.yaml").read_text()
DEVELOPMENT = (ROOT / "docs" / "development.md").read_text()
FOLDERS: list[str] = re.findall(r"CodeUri: functions/(\w+)", TEMPLATE)

EVENTS: dict[str, Any] = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events").glob("*.json"))
}
PROXY_EVENTS = [name for name, event in EVENTS.items() if "httpMethod" in event]
CALLERS_EVENTS = [name for name in PROXY_EVENTS if "authorizer" in EVENTS[name]["requestContext"]]
TOKEN_REQUESTS = [name for name in EVENTS if name.startswith("issue_token")]


def folder_of(event_name: str) -> str:
    """Return the function's folder that an event's file name begins with."""
    return next(folder for folder in FOLDERS if f"{event_name}_".startswith(f"{folder}_"))


def documented_status(event_name: str) -> int:
    """Return the status code that docs/development.md shows for an event."""
    _, _, answer = DEVELOPMENT.partition(f"--event events/{event_name}.json\n")
    found = re.match(r'\s*{"statusCode": (\d+)', answer)
    assert found
    return int(found[1])


def status(event: http.Event) -> int:
    """Return the status code that a request gets before any key is fetched."""
    try:
        request = requests.parse(http.json_body(event))
        http.caller(event).policy.check(request, request.room())
    except Problem as problem:
        return problem.kind.status
    return 200


@pytest.mark.parametrize("folder", FOLDERS)
def test_each_function_has_an_event(folder: str) -> None:
    """A file whose name begins with the function's folder."""
    assert folder in map(folder_of, EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_each_event_is_documented_with_its_function(name: str) -> None:
    """With the command that sends it to the right one."""
    function = folder_of(name).title().replace("_", "")
    assert f"**events/{name}.json**" in DEVELOPMENT
    assert f"$ invoke {function} --event events/{name}.json\n" in DEVELOPMENT


def test_each_documented_event_exists() -> None:
    """The page names no file that is gone."""
    assert set(re.findall(r"events/(\w+)\.json", DEVELOPMENT)) == EVENTS.keys()


@pytest.mark.parametrize("name", TOKEN_REQUESTS)
def test_a_token_request_is_answered_as_documented(name: str) -> None:
    """By parsing and policy alone: no key is needed for that."""
    assert status(EVENTS[name]) == documented_status(name)


def test_the_token_requests_show_leave_and_refusal() -> None:
    """One token at least, one bad request and one that is not allowed."""
    assert {status(EVENTS[name]) for name in TOKEN_REQUESTS} == {200, 400, 403}


def test_the_diagnostics_may_be_read_by_their_caller() -> None:
    """The event's own policy gives leave."""
    http.caller(EVENTS["probe_config_diagnostics"]).policy.check_diagnostics()


@pytest.mark.parametrize("name", PROXY_EVENTS)
def test_a_proxy_event_is_as_api_gateway_sends_it(name: str) -> None:
    """What API Gateway says twice agrees, and the route is the template's."""
    event = EVENTS[name]
    context = event["requestContext"]
    assert event["multiValueHeaders"] == {key: [value] for key, value in event["headers"].items()}
    assert f"Path: {event['resource']}\n" in TEMPLATE
    assert context["resourcePath"] == event["resource"]
    assert context["httpMethod"] == event["httpMethod"]
    assert context["path"] == f"/{context['stage']}{event['path']}"
    assert http.request_id(event)


def test_the_request_ids_differ() -> None:
    """So that a request's line can be told from another's."""
    assert len({http.request_id(EVENTS[name]) for name in PROXY_EVENTS}) == len(PROXY_EVENTS)


@pytest.mark.parametrize("name", CALLERS_EVENTS)
def test_a_caller_is_written_as_the_authorizer_writes_it(name: str) -> None:
    """Compact, every field of the policy there."""
    handed_on = EVENTS[name]["requestContext"]["authorizer"]
    client = http.caller(EVENTS[name])
    assert handed_on["client"] == clients.write_client(client)
    assert handed_on["principalId"] == client.name


def test_the_probe_and_an_unknown_path_have_no_caller() -> None:
    """Their routes have no authorizer."""
    assert not {"probe_config", "probe_config_unknown_path"} & set(CALLERS_EVENTS)


def test_the_authorizers_event_holds_an_api_key_of_valid_form() -> None:
    """Neither API Gateway nor the checksum refuses it unread."""
    event = EVENTS["authorize_client"]
    gateways = re.search(r"ValidationExpression: (.+)", TEMPLATE)
    assert event["type"] == "TOKEN"
    assert clients.api_key_in(event["authorizationToken"])
    assert gateways
    assert re.fullmatch(gateways[1], event["authorizationToken"])


def test_the_events_hold_that_api_key_alone() -> None:
    """No working key slips in."""
    held = {key for event in EVENTS.values() for key in re.findall(r"jtk_\w+", json.dumps(event))}
    assert held == set(re.findall(r"jtk_\w+", EVENTS["authorize_client"]["authorizationToken"]))


def test_the_key_check_is_called_by_a_schedule() -> None:
    """As EventBridge does it."""
    event = EVENTS["check_key"]
    assert event["source"] == "aws.events"
    assert event["detail-type"] == "Scheduled Event"

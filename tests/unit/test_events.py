"""The payloads for `sam local invoke`, and what docs/sam-local.md says they are answered."""

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest

from jitsi_tokens import http
from jitsi_tokens.core import clients
from tests.conftest import NAMES, LoadApp

ROOT = Path(__file__).parents[2]
TEMPLATE = (ROOT / "template.yaml").read_text()
# Of each event, in the page's order: its function, and the answer, shortened.
ROWS = {
    name: (function, answer)
    for name, function, answer in re.findall(
        r"^\| `(\w+)` \| ([\w, ]+) \|.*\| `(.+)` \|$",
        (ROOT / "docs" / "sam-local.md").read_text(),
        re.MULTILINE,
    )
}
FOLDERS: list[str] = re.findall(r"CodeUri: functions/(\w+)", TEMPLATE)

EVENTS: dict[str, Any] = {
    path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events").glob("*.json"))
}
# For several functions, so it bears the name of none.
KEEP_ALIVE = EVENTS.pop("keep_alive")
KEPT_ALIVE = (
    *("AuthorizeClient", "IssueToken", "ManageVisits", "JoinVisit"),
    *("ProbeConfig", "ServePublicKey"),
)
PROXY_EVENTS = [name for name, event in EVENTS.items() if "httpMethod" in event]
CALLERS_EVENTS = [name for name in PROXY_EVENTS if "authorizer" in EVENTS[name]["requestContext"]]


def folder_of(event_name: str) -> str:
    """Return the function's folder that an event's file name begins with."""
    return next(folder for folder in FOLDERS if f"{event_name}_".startswith(f"{folder}_"))


def shown(answer: str) -> str:
    """Return an answer without what differs from run to run: line breaks, and times."""
    return re.sub(r"\d{10}", "0", re.sub(r"\s", "", answer))


@pytest.fixture
def answers(load_app: LoadApp, self_hosted_environ: dict[str, str]) -> dict[str, Any]:
    """What a new self-hosted stack answers to each event, in the order of the page."""
    document = {"algorithm": "HS256", "kid": "initial", "secret": "x" * 32}
    manager = boto3.client("secretsmanager")
    manager.create_secret(Name="signing-key", SecretString=json.dumps(document))
    manager.create_secret(Name="digest-key", SecretString="x" * 32)
    boto3.client("dynamodb").create_table(
        TableName="clients",
        AttributeDefinitions=[{"AttributeName": "key_digest", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key_digest", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return {
        name: answer(load_app(folder_of(name), self_hosted_environ | NAMES), EVENTS[name])
        for name in sorted(EVENTS, key=list(ROWS).index)
    }


def answer(app: Any, event: http.Event) -> Any:
    """Return what Lambda makes of a function's answer, or of its failure."""
    try:
        return app.handler(event, None)
    except Exception as error:  # noqa: BLE001 - as Lambda does it
        return {"errorMessage": str(error), "errorType": type(error).__name__, "requestId": ""}


def test_the_page_sends_each_event_to_its_function() -> None:
    """And names no file that is gone."""
    assert ROWS.keys() == {*EVENTS, "keep_alive"}
    for name in EVENTS:
        assert ROWS[name][0] == folder_of(name).title().replace("_", "")


def test_each_event_is_answered_as_documented(answers: dict[str, Any]) -> None:
    """Every part that the page shows is in the answer, in its order; `…` means the rest."""
    for name, given in answers.items():
        parts = shown(ROWS[name][1]).split("…")
        pattern = ".*".join(map(re.escape, parts))
        assert re.fullmatch(pattern, shown(json.dumps(given))), name


@pytest.mark.parametrize("name", KEPT_ALIVE)
def test_the_daily_call_is_answered_before_all_else(
    name: str,
    load_app: LoadApp,
    self_hosted_environ: dict[str, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As documented, without a call of AWS and without a line in the log."""
    folder = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    # Nothing of these names exists.
    given = answer(load_app(folder, self_hosted_environ | NAMES), KEEP_ALIVE)

    assert json.dumps(given) == ROWS["keep_alive"][1]
    assert capsys.readouterr() == ("", "")


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


@pytest.mark.parametrize("name", CALLERS_EVENTS)
def test_a_caller_is_written_as_the_authorizer_writes_it(name: str) -> None:
    """Compact, every field of the policy there."""
    handed_on = EVENTS[name]["requestContext"]["authorizer"]
    client = http.caller(EVENTS[name])
    assert handed_on["client"] == clients.write_client(client)
    assert handed_on["principalId"] == client.name


def test_the_events_hold_no_working_api_key() -> None:
    """One is of valid form, so that neither API Gateway nor the checksum refuses it unread."""
    authorization = EVENTS["authorize_client"]["authorizationToken"]
    held = {key for event in EVENTS.values() for key in re.findall(r"jtk_\w+", json.dumps(event))}

    assert held == {clients.api_key_in(authorization)}

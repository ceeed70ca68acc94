"""API Gateway authorizer: who is calling, and what may they ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from msgspec.structs import replace

from jitsi_tokens import http
from jitsi_tokens.core.clients import Client, digest, make_api_key, write_client
from jitsi_tokens.core.policy import Policy

if TYPE_CHECKING:
    from tests.conftest import LoadApp

METHOD_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc123/v1/POST/api/jitsi/jwt"
CLIENT = Client(name="clinic-a", policy=Policy(rooms=["visit-*"], features=["lobby"]))
API_KEY = make_api_key()


class Authorizer:
    """The function, its table, and how often it was read."""

    def __init__(self, app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app = app
        self.reads: list[dict[str, Any]] = []
        get_item = app.TABLE.get_item

        def counted(**arguments: Any) -> Any:
            self.reads.append(arguments)
            return get_item(**arguments)

        monkeypatch.setattr(app.TABLE, "get_item", counted)

    def put(self, api_key: str, **attributes: Any) -> None:
        """Write an item for an API key, without the attributes that are None."""
        item = {"key_digest": {"S": digest(api_key)}, "client": {"S": "clinic-a"}} | attributes
        present = {name: value for name, value in item.items() if value is not None}
        self.app.TABLE.put_item(TableName="clients", Item=present)

    def answer(self, header: str | None) -> dict[str, Any]:
        """Answer as API Gateway asks."""
        event = {"type": "TOKEN", "methodArn": METHOD_ARN, "authorizationToken": header}
        response: dict[str, Any] = self.app.handler(event, None)
        return response


@pytest.fixture
def authorizer(load_app: LoadApp, monkeypatch: pytest.MonkeyPatch) -> Authorizer:
    """Return the function with one client in its table."""
    boto3.client("dynamodb").create_table(
        TableName="clients",
        AttributeDefinitions=[{"AttributeName": "key_digest", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key_digest", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    app = load_app("authorize_client", {"CLIENTS_TABLE": "clients"})
    authorizer = Authorizer(app, monkeypatch)
    authorizer.put(API_KEY, record={"S": write_client(CLIENT)})
    return authorizer


def assert_unauthorized(authorizer: Authorizer, header: str | None) -> None:
    """Check for the one text that API Gateway answers 401 to."""
    with pytest.raises(Exception, match=r"^Unauthorized$") as refused:
        authorizer.answer(header)
    assert refused.value.args == ("Unauthorized",)
    assert type(refused.value) is Exception


def test_a_known_api_key_may_use_the_whole_stage(authorizer: Authorizer) -> None:
    """API Gateway keeps the answer, and uses it for every route: never for the one asked."""
    answer = authorizer.answer(f"Bearer {API_KEY}")

    [statement] = answer["policyDocument"]["Statement"]
    assert statement == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:eu-central-1:123456789012:abc123/v1/*",
    }
    assert answer["principalId"] == "clinic-a"


def test_the_context_is_one_string_that_the_functions_read_back(authorizer: Authorizer) -> None:
    """API Gateway carries no objects; the second one tells the client's API keys apart."""
    context = authorizer.answer(f"Bearer {API_KEY}")["context"]

    event = {"requestContext": {"authorizer": context}}
    assert context == {"client": write_client(CLIENT), "key": digest(API_KEY)[:12]}
    assert http.caller(event) == CLIENT
    assert http.key_digits(event) == digest(API_KEY)[:12]


def test_a_limit_beside_the_record_is_handed_on_beside_it(authorizer: Authorizer) -> None:
    """So that code without that limit still reads the record; IssueToken reads both."""
    authorizer.put(API_KEY, record={"S": write_client(CLIENT)}, max_advance_seconds={"N": "0"})

    context = authorizer.answer(f"Bearer {API_KEY}")["context"]

    assert (context["client"], context["maxAdvanceSeconds"]) == (write_client(CLIENT), "0")
    read = http.caller({"requestContext": {"authorizer": context}})
    assert read.policy == replace(CLIENT.policy, max_advance_seconds=0)


def test_an_api_key_is_looked_up_each_time_by_its_digest(authorizer: Authorizer) -> None:
    """Consistently, so that a key just deleted is deleted; nothing else is read."""
    for _ in range(2):
        authorizer.answer(f"Bearer {API_KEY}")

    read, again = authorizer.reads
    assert read == again
    assert read["Key"] == {"key_digest": {"S": digest(API_KEY)}}
    assert read["ConsistentRead"] is True
    assert API_KEY not in json.dumps(read)


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer junk", API_KEY, f"Bearer {API_KEY[:-1]}"],
    ids=["null", "empty", "junk", "no-scheme", "shorter"],
)
def test_a_malformed_api_key_costs_no_read(authorizer: Authorizer, header: str | None) -> None:
    """It is refused by its form."""
    assert_unauthorized(authorizer, header)

    assert authorizer.reads == []


def test_an_unknown_api_key_is_refused(
    authorizer: Authorizer, capsys: pytest.CaptureFixture[str]
) -> None:
    """After one read, and without a word in the log."""
    assert_unauthorized(authorizer, f"Bearer {make_api_key()}")

    assert len(authorizer.reads) == 1
    assert capsys.readouterr() == ("", "")


RECORD = {"S": write_client(CLIENT)}
SECRET = {"S": '{"name": "secret-content", "policy": {"room": ["*"]}}'}


@pytest.mark.parametrize(
    "attributes",
    [
        *({}, {"record": {"N": "1"}}, {"record": SECRET}),
        # A limit that cannot be read is never taken for no limit.
        {"record": RECORD, "max_advance_seconds": {"S": "0"}},
        {"record": RECORD, "max_advance_seconds": {"N": "-1"}},
        {"record": RECORD, "max_advance_seconds": {"N": "0.5"}},
        {"record": RECORD, "max_advance_seconds": {"NULL": True}},
        # An API key that works must not be missed when its client is revoked by name.
        {"record": RECORD, "client": None},
        {"record": RECORD, "client": {"S": "clinic-b"}},
        {"record": RECORD, "client": {"S": "clinic-a "}},
        {"record": RECORD, "client": {"SS": ["clinic-a"]}},
    ],
    ids=[
        *("no-record", "record-of-a-number", "unknown-field", "advance-of-a-text"),
        *("advance-below-zero", "advance-of-half-a-second", "advance-of-nothing"),
        *("nobodys", "anothers", "nearly", "a-set"),
    ],
)
def test_an_item_that_cannot_be_read_is_refused(
    authorizer: Authorizer, attributes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    """And reported, by a part of its key's digest and nothing of its content."""
    api_key = make_api_key()
    authorizer.put(api_key, **attributes)

    assert_unauthorized(authorizer, f"Bearer {api_key}")

    printed = "".join(capsys.readouterr())
    [logged] = map(json.loads, printed.splitlines())
    assert (logged["level"], logged["item"]) == ("ERROR", digest(api_key)[:12])
    assert not [text for text in ("secret-content", "clinic", api_key) if text in printed]


def test_a_table_that_fails_is_no_unauthorized(
    authorizer: Authorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller with a good key reads to try again, not that the key is bad."""

    def fail(**_arguments: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(authorizer.app.TABLE, "get_item", fail)

    with pytest.raises(TimeoutError):
        authorizer.answer(f"Bearer {API_KEY}")

"""The two functions of visits on moto, a clinic that calls them, and the clock they look at."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from jitsi_tokens.core.clients import Client, own_item_key, write_client
from jitsi_tokens.core.policy import Policy
from tests.conftest import NAMES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tests.conftest import LoadApp

NOW = 1_800_000_000
MINUTE = 60
DAY = 86_400
SHARED_SECRET = "0123456789abcdef0123456789abcdef"
POLICY = Policy(moderator=True, visits=True, features=["lobby"])
VISIT = "/api/visits/{visitId}"
PARTICIPANT = f"{VISIT}/participants/{{participantId}}"


class Answer(NamedTuple):
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]

    @property
    def kind(self) -> str:
        """The end of a problem's type."""
        return str(self.body["type"].rpartition(":")[2])

    @property
    def pointers(self) -> list[str]:
        """The fields at fault."""
        return [error["pointer"] for error in self.body.get("errors", [])]

    def state_of(self, participant_id: str) -> dict[str, Any]:
        """Return where a participant is."""
        [found] = [
            each
            for each in self.body["state"]["participants"]
            if each["participantId"] == participant_id
        ]
        state: dict[str, Any] = found
        return state

    def link_of(self, participant_id: str) -> str:
        """Return the secret of a participant's link."""
        return str(self.state_of(participant_id)["link"]).partition("#")[2]


def body(starts_in: int = 30 * MINUTE, **changed: Any) -> dict[str, Any]:
    """Return a body of PUT for an appointment so many seconds from NOW."""
    document = {
        "startsAt": datetime.fromtimestamp(NOW + starts_in, UTC).isoformat(),
        "durationMinutes": 30,
        "timeZone": "Europe/Vienna",
        "contact": {"name": "Praxis Novak", "phone": "+43 1 2345678"},
        "participants": [
            {"participantId": "doctor", "userName": "Dr. Novak", "isModerator": True},
            {"participantId": "patient", "userName": "Zerlina Quux", "language": "de"},
        ],
    } | changed
    return {name: value for name, value in document.items() if value is not None}


def create_visits_table(dynamodb: DynamoDBClient) -> None:
    """Create the table as template.yaml does."""
    dynamodb.create_table(
        TableName="visits",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "client", "AttributeType": "S"},
            {"AttributeName": "starts_at", "AttributeType": "N"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-start",
                "KeySchema": [
                    {"AttributeName": "client", "KeyType": "HASH"},
                    {"AttributeName": "starts_at", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        BillingMode="PAY_PER_REQUEST",
    )


class Scene:
    """A stack with a clinic."""

    def __init__(
        self, load_app: LoadApp, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.now = NOW
        self.calls: list[str] = []
        self.pauses: list[float] = []
        self.dynamodb = boto3.client("dynamodb")
        self.secrets = boto3.client("secretsmanager")
        self._make_aws()
        # The logger has a name of its own in each test.
        named = environ | {k: v for k, v in NAMES.items() if k != "POWERTOOLS_SERVICE_NAME"}
        self.manage = load_app("manage_visits", named)
        self.join = load_app("join_visit", named)
        clock = SimpleNamespace(
            time=lambda: float(self.now), perf_counter=time.perf_counter, sleep=self.pauses.append
        )
        for app in (self.manage, self.join):
            monkeypatch.setattr(app, "time", clock)
            app.TABLE._dynamodb.meta.events.register("before-call.dynamodb", self._count)

    def _make_aws(self) -> None:
        create_visits_table(self.dynamodb)
        self.dynamodb.create_table(
            TableName="clients",
            KeySchema=[{"AttributeName": "key_digest", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "key_digest", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        document = {"algorithm": "HS256", "kid": "initial", "secret": SHARED_SECRET}
        self.secrets.create_secret(Name="signing-key", SecretString=json.dumps(document))
        self.secrets.create_secret(Name="digest-key", SecretString="digest-key-0123456789")
        self.secrets.create_secret(Name="link-key", SecretString="link-key-0123456789")
        boto3.client("ssm").put_parameter(
            Name="page", Type="String", Value="embed\nCall 144. | Rufen Sie 144 <an>."
        )
        self.set_client(POLICY)
        self.set_client(POLICY, name="other")

    def set_client(self, policy: Policy, name: str = "clinic", keys: int = 1) -> None:
        """Write what the table of clients says of one."""
        item = {
            "key_digest": {"S": own_item_key(name)},
            "record": {"S": write_client(Client(name=name, policy=policy))},
            "key_count": {"N": str(keys)},
        }
        self.dynamodb.put_item(TableName="clients", Item=item)

    def _count(self, model: Any, **_arguments: Any) -> None:
        self.calls.append(model.name)

    def api(
        self,
        method: str,
        resource: str = VISIT,
        sent: Any = None,
        *,
        client: str = "clinic",
        policy: Policy = POLICY,
        visit: str = "oe-1",
        participant: str = "patient",
        query: dict[str, str] | None = None,
    ) -> Answer:
        """Call a route of the health record's."""
        names = {"visitId": visit, "participantId": participant}
        record = write_client(Client(name=client, policy=policy))
        event = {
            "httpMethod": method,
            "resource": resource,
            "pathParameters": {k: v for k, v in names.items() if f"{{{k}}}" in resource},
            "queryStringParameters": query,
            "headers": {"Content-Type": "application/json"} if sent is not None else {},
            "body": json.dumps(sent) if sent is not None else None,
            "requestContext": {
                "extendedRequestId": "request-1",
                "path": f"/v1{resource.format(**names)}",
                "domainName": "abc.execute-api.eu-central-1.amazonaws.com",
                "authorizer": {"client": record, "key": "0123456789ab"},
            },
        }
        app = self.join if resource.endswith("/join") else self.manage
        return self._answer(app.handler(event, None))

    def put(self, visit: str = "oe-1", client: str = "clinic", **changed: Any) -> Answer:
        """PUT a visit."""
        return self.api("PUT", sent=body(**changed), visit=visit, client=client)

    def get(self, **arguments: Any) -> Answer:
        """GET a visit."""
        return self.api("GET", **arguments)

    def doctor_joins(self) -> Answer:
        """Have the doctor join from the health record."""
        return self.api("POST", f"{PARTICIPANT}/join", participant="doctor")

    def enter(self, link: str) -> Answer:
        """Click."""
        return self.at_the_door("/join/enter", {"link": link, "page": "p"})

    def status(self, link: str, asked: int = 0) -> Answer:
        """Ask as the page does."""
        return self.at_the_door("/join/status", {"link": link, "page": "p", "asked": asked})

    def at_the_door(self, resource: str, sent: Any, method: str = "POST") -> Answer:
        """Call a route of the patients'."""
        event = {
            "httpMethod": method,
            "resource": resource,
            "headers": {"content-type": "application/json"},
            "body": json.dumps(sent),
            "requestContext": {"extendedRequestId": "request-2"},
        }
        return self._answer(self.join.handler(event, None))

    def items(self, kind: str = "") -> list[dict[str, Any]]:
        """Return the items of the table, of one kind, by id."""
        found = self.dynamodb.scan(TableName="visits")["Items"]
        mine = [item for item in found if item["id"]["S"].startswith(kind)]
        return sorted(mine, key=lambda item: item["id"]["S"])

    def _answer(self, response: dict[str, Any]) -> Answer:
        text = response["body"]
        is_json = "json" in response["headers"].get("Content-Type", "")
        return Answer(
            response["statusCode"], json.loads(text) if is_json else text, response["headers"]
        )


@pytest.fixture
def scene(
    load_app: LoadApp, self_hosted_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Scene:
    """Return a stack with a clinic."""
    return Scene(load_app, self_hosted_environ, monkeypatch)

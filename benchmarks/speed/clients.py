"""The authorizer among more and more clients, by the emulator's table."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.measured import Clients
from benchmarks.speed.turns import take_turns
from jitsi_tokens.clients import Client, digest, make_api_key, write_client
from jitsi_tokens.policy import Policy
from local_stack import deployment
from local_stack.emulator import ROOT
from tests.conftest import load_function

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from local_stack.emulator import Emulator

COUNTS = (1, 1_000, 100_000)

_NAME = "caller"
_A_BATCH = 25


def by_clients(running: Emulator, times: int) -> list[Clients]:
    """Return the authorizer's time and its reads a call, for tables of more and more clients."""
    tables = deployment.client(running, "dynamodb")
    authorizers: dict[str, _Authorizer] = {}
    with pytest.MonkeyPatch.context() as monkeypatch:
        for count in COUNTS:
            print(f"  a table of {count:,} clients", flush=True)
            name, api_key = f"clients-{count}", make_api_key()
            _fill(tables, name, count, api_key)
            environ = running.environment() | {"CLIENTS_TABLE": name}
            app = load_function(monkeypatch, "authorize_client", environ)
            app.TABLE = deployment.client(running, "dynamodb")
            authorizers[str(count)] = _Authorizer(app, api_key)
        blocks = take_turns(authorizers, times=times)
    return [
        Clients(count, authorizer.reads / authorizer.calls, blocks[str(count)])
        for count, authorizer in zip(COUNTS, authorizers.values(), strict=True)
    ]


class _Authorizer:
    """AuthorizeClient, asked for one caller; counts what it asks of AWS."""

    def __init__(self, app: Any, api_key: str) -> None:
        event = json.loads((ROOT / "events" / "authorize_client.json").read_text())
        self._event = event | {"authorizationToken": f"Bearer {api_key}"}
        self._app = app
        self.calls = self.reads = 0
        app.TABLE.meta.events.register("before-call", self._note)

    def __call__(self) -> None:
        self.calls += 1
        if self._app.handler(self._event, None)["principalId"] != _NAME:
            raise ValueError("another client")

    def _note(self, **_arguments: object) -> None:
        self.reads += 1


def _fill(tables: DynamoDBClient, name: str, count: int, api_key: str) -> None:
    tables.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "key_digest", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "key_digest", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    record = {"S": write_client(Client(name=_NAME, policy=Policy(rooms=["*"])))}
    keys = itertools.chain([api_key], (make_api_key() for _ in range(count - 1)))
    for batch in itertools.batched(keys, _A_BATCH, strict=False):
        puts: Any = [
            {"PutRequest": {"Item": {"key_digest": {"S": digest(key)}, "record": record}}}
            for key in batch
        ]
        tables.batch_write_item(RequestItems={name: puts})

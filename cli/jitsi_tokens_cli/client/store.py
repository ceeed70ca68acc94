"""The table of clients: one item an API key, under the key's digest, and one a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.clients import (
    MAX_KEYS,
    Client,
    client_of,
    client_with_keys,
    digest,
    own_item_key,
    write_client,
)
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.output import info, iso_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from jitsi_tokens_cli.stack import Stack

# Of a megabyte each.
_TELL_PAGES = 10


class StoredKey(NamedTuple):
    """One API key.

    Attributes:
        name: the client that its item is filed under; empty where that names none.
        client: None where the authorizer refuses the key.
        record_name: the client that its record names, also of a record that is refused.
    """

    digest: str
    name: str
    created_at: str
    client: Client | None
    record_name: str = ""

    @property
    def is_misfiled(self) -> bool:
        """Whether item and record do not name the same client."""
        return not self.name or self.record_name not in (self.name, "")

    @property
    def rejection_reason(self) -> str:
        """Why the authorizer refuses the key; empty where it does not."""
        if self.client:
            return ""
        if self.is_misfiled:
            record = f", its record names {self.record_name}" if self.record_name else ""
            return f"filed under {self.name or 'no client'}{record}"
        return "its record cannot be read"


class _Named(msgspec.Struct):
    name: str


class ClientStore:
    """The clients of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._dynamodb: DynamoDBClient = stack.client("dynamodb")
        self._table = stack.clients_table
        self._counts: dict[str, int | None] = {}
        # The clients' own items, by what each says it is, as the table was read last.
        self._own: dict[str, Client | None] = {}

    def indexed_keys_of(self, name: str) -> list[StoredKey]:
        """Return a client's API keys as the index has them; recent ones may be missing.

        Needs no permission to scan the table. Not for changing rights.
        """
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="by-client",
            KeyConditionExpression="client = :name",
            ExpressionAttributeValues={":name": {"S": name}},
        )
        return [_stored(item) for page in pages for item in page["Items"]]

    def keys_of(self, name: str) -> list[StoredKey]:
        """Return every API key whose item or record names a client.

        This reads the whole table, as the index lags and knows the items' names alone. A change of
        these keys is refused if another one came in between.
        """
        self._counts[name] = self._key_count(name)
        return [key for key in self.all_keys() if name in (key.name, key.record_name)]

    def all_keys(self) -> list[StoredKey]:
        """Return every API key, by client and age."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        )
        keys: list[StoredKey] = []
        own: list[dict[str, AttributeValueTypeDef]] = []
        for number, page in enumerate(pages, 1):
            keys += [_stored(item) for item in page["Items"] if not _is_own(item)]
            own += filter(_is_own, page["Items"])
            if number % _TELL_PAGES == 0:
                info(f"... still reading the table, {len(keys)} API keys so far")
        self._own = {
            name: client_with_keys(item, name)
            for item in own
            for name in [_string(item, "key_digest").removeprefix(own_item_key(""))]
        }
        return sorted(keys, key=lambda key: (key.name, key.created_at, key.digest))

    def at_odds(self, keys: Sequence[StoredKey]) -> list[str]:
        """Return the clients whose own item says another policy than these keys, which are all."""
        held: dict[str, list[Client | None]] = {}
        for key in keys:
            if not key.is_misfiled:
                held.setdefault(key.name, []).append(key.client)
        return [
            name
            for name, client in sorted(self._own.items())
            if client is None or any(each != client for each in held.get(name, [None]))
        ]

    def add(self, client: Client, api_key: str, now: datetime, *, others: int = 0) -> None:
        """Keep an API key's digest with the client that holds it; `others`: keys that it has.

        Raises:
            CommandError: there are too many, or they changed meanwhile.
        """
        if others >= MAX_KEYS:
            raise CommandError(f"{client.name} has {others} API keys: revoke some first.")
        item: dict[str, AttributeValueTypeDef] = {
            "key_digest": {"S": digest(api_key)},
            "client": {"S": client.name},
            "created_at": {"S": iso_time(now)},
            **_of_client(client),
        }
        self._write(
            [
                {"Put": {"TableName": self._table, "Item": item}},
                self._own_item(client, others + 1),
            ]
        )

    def replace(self, keys: Sequence[StoredKey], client: Client) -> None:
        """Give all keys of a client its new policy, or none.

        Raises:
            CommandError: there are too many, or one was revoked meanwhile.
        """
        if len(keys) > MAX_KEYS:
            raise CommandError(
                f"{client.name} has {len(keys)} API keys, and at most {MAX_KEYS} can change"
                " together: revoke some first."
            )
        values: dict[str, AttributeValueTypeDef] = {
            ":record": {"S": write_client(client)},
            ":name": {"S": client.name},
        }
        change = "SET #record = :record REMOVE max_advance_seconds"
        if advance := _max_advance(client):
            values[":advance"] = advance["max_advance_seconds"]
            change = "SET #record = :record, max_advance_seconds = :advance"
        changes: list[TransactWriteItemTypeDef] = [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": {"key_digest": {"S": key.digest}},
                    "UpdateExpression": change,
                    "ConditionExpression": "client = :name",
                    "ExpressionAttributeNames": {"#record": "record"},
                    "ExpressionAttributeValues": values,
                }
            }
            for key in keys
        ]
        self._write([*changes, self._own_item(client, len(keys))])

    def remove(self, keys: Sequence[StoredKey]) -> None:
        """Delete API keys of one client, 99 in one transaction.

        Raises:
            CommandError: one was revoked meanwhile.
        """
        for start in range(0, len(keys), MAX_KEYS):
            some = keys[start : start + MAX_KEYS]
            counted = [key for key in some if not key.is_misfiled]
            deletions: list[TransactWriteItemTypeDef] = [
                {
                    "Delete": {
                        "TableName": self._table,
                        "Key": {"key_digest": {"S": key.digest}},
                        "ConditionExpression": "attribute_exists(key_digest)",
                    }
                }
                for key in some
            ]
            fewer = self._fewer(counted[0].name, len(counted)) if counted else []
            self._write([*deletions, *fewer])

    def _own_item(self, client: Client, keys: int) -> TransactWriteItemTypeDef:
        """Return the write of a client's own item, as long as nobody else writes it."""
        put: Any = {
            "TableName": self._table,
            "Item": {
                "key_digest": {"S": own_item_key(client.name)},
                "key_count": {"N": str(keys)},
                **_of_client(client),
            },
            **_unchanged(self._count_read_first(client.name)),
        }
        return {"Put": put}

    def _fewer(self, name: str, keys: int) -> list[TransactWriteItemTypeDef]:
        """Return the write of a client's own item after a loss of so many API keys."""
        present = self._count_read_first(name)
        if present is None:
            return []
        where: Any = {
            "TableName": self._table,
            "Key": {"key_digest": {"S": own_item_key(name)}},
            **_unchanged(present),
        }
        if present <= keys:
            return [{"Delete": where}]
        where["ExpressionAttributeValues"][":left"] = {"N": str(present - keys)}
        return [{"Update": where | {"UpdateExpression": "SET key_count = :left"}}]

    def _count_read_first(self, name: str) -> int | None:
        """Return the count as it was before the keys were read."""
        return self._counts.pop(name) if name in self._counts else self._key_count(name)

    def _key_count(self, name: str) -> int | None:
        """Return how many API keys a client's own item counts; None where it has no such item."""
        found = self._dynamodb.get_item(
            TableName=self._table,
            Key={"key_digest": {"S": own_item_key(name)}},
            ConsistentRead=True,
        )
        return int(found["Item"]["key_count"]["N"]) if "Item" in found else None

    def _write(self, items: Iterable[TransactWriteItemTypeDef]) -> None:
        try:
            self._dynamodb.transact_write_items(TransactItems=list(items))
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            raise CommandError(
                "Nothing was changed: one of the API keys changed meanwhile. Run the command again."
            ) from None


def _stored(item: dict[str, AttributeValueTypeDef]) -> StoredKey:
    return StoredKey(
        digest=_string(item, "key_digest"),
        name=_string(item, "client"),
        created_at=_string(item, "created_at"),
        client=client_of(item),
        record_name=_name_in(_string(item, "record")),
    )


def _is_own(item: dict[str, AttributeValueTypeDef]) -> bool:
    return _string(item, "key_digest").startswith(own_item_key(""))


def _unchanged(key_count: int | None) -> Any:
    """Return the condition that a client's own item is still the one that was read."""
    if key_count is None:
        return {"ConditionExpression": "attribute_not_exists(key_digest)"}
    return {
        "ConditionExpression": "key_count = :present",
        "ExpressionAttributeValues": {":present": {"N": str(key_count)}},
    }


def _of_client(client: Client) -> dict[str, AttributeValueTypeDef]:
    return {"record": {"S": write_client(client)}, **_max_advance(client)}


def _max_advance(client: Client) -> dict[str, AttributeValueTypeDef]:
    seconds = client.policy.max_advance_seconds
    return {} if seconds is None else {"max_advance_seconds": {"N": str(seconds)}}


def _name_in(record: str) -> str:
    try:
        return msgspec.json.decode(record, type=_Named).name
    except (msgspec.DecodeError, UnicodeError):
        return ""


def _string(item: dict[str, AttributeValueTypeDef], name: str) -> str:
    return item.get(name, {}).get("S", "")

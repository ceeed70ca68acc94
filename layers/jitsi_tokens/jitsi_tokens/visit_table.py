"""The table of visits: what is read of it, and what is written together.

An item past its `erase_at` does not exist, for any read or condition; DynamoDB removes it later.
Items by `id`: `V#<client>#<visitId>` (the visit), `L#<SHA-256 of a link>`, `R#<drawn room>`,
`J#<jti>`. What has happened is attributes of the visit's item of their own, with `#` in the names
of a participant's. Times are epoch seconds, handed in.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.clients import client_with_keys, own_item_key
from jitsi_tokens.core.visit_answers import Moment, Presence
from jitsi_tokens.core.visit_records import Visit
from jitsi_tokens.core.visits import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient

    from jitsi_tokens.core.clients import Client
    from jitsi_tokens.core.visit_requests import Wanted
    from jitsi_tokens.core.visits import Entry

MAX_MINTS_A_MINUTE = 10
PAGE_VISITS = 500
_SEEN_EVERY_SECONDS = 30
_DAY_SECONDS = 86_400
# What fails because somebody else wrote at the same time.
_RACES = {
    "ConditionalCheckFailedException",
    "TransactionCanceledException",
    "TransactionConflictException",
    "TransactionInProgressException",
}

type Item = dict[str, Any]


class Raced(Exception):
    """Somebody else wrote meanwhile: nothing was written."""


class StoredVisit(NamedTuple):
    """A visit's item.

    Attributes:
        version: raised by what changes the visit, not by what happens in it; another one than a
            visit had that was erased before.
        mints: by participant, 100 times the minute, and how many tokens there were in it.
    """

    client: str
    visit_id: str
    visit: Visit
    version: int
    facts: Facts
    presence: dict[str, Presence]
    mints: dict[str, int]
    erase_at: int

    def at(self, now: int) -> Moment:
        """Return the visit at a time."""
        return Moment(self.visit_id, self.visit, self.facts, self.presence, now)

    def has_mints_left(self, participant_id: str, now: int) -> bool:
        """Tell whether a link may still give a token in this minute."""
        return self.mints.get(participant_id, 0) < _minute(now) + MAX_MINTS_A_MINUTE


class Invitee(NamedTuple):
    """The participant a link was made for."""

    client: str
    visit_id: str
    participant_id: str


class Page(NamedTuple):
    """Some visits, and start and id of the last one read; None where there are no more."""

    visits: list[StoredVisit]
    last: tuple[int, str] | None


class VisitTable:
    """The visits of a stack. What AWS refuses is raised as botocore raises it."""

    def __init__(self, client: DynamoDBClient, environ: Mapping[str, str]) -> None:
        self._dynamodb = client
        self._table = environ["VISITS_TABLE"]
        self._clients_table = environ["CLIENTS_TABLE"]
        self._retention_seconds = int(environ["VISIT_RETENTION_DAYS"]) * _DAY_SECONDS

    def find(self, client: str, visit_id: str, now: int) -> StoredVisit | None:
        """Return a visit; None where there is none."""
        return _stored(self._get(_visit_key(client, visit_id)), now)

    def find_invitee(self, link_hash: str, now: int) -> Invitee | None:
        """Return the participant whose link has this hash; None where there is none."""
        item = self._get(f"L#{link_hash}")
        if not item or _is_erased(item, now):
            return None
        return Invitee(item["client"]["S"], item["visit"]["S"], item["participant"]["S"])

    def find_with_client(
        self, client: str, visit_id: str, now: int
    ) -> tuple[StoredVisit | None, Client | None]:
        """Return a visit and its client, as both are now; None for a client without keys.

        Raises:
            Raced: DynamoDB read only a part.
        """
        visit_key, client_key = _visit_key(client, visit_id), own_item_key(client)
        answer = self._dynamodb.batch_get_item(
            RequestItems={
                self._table: {"Keys": [{"id": {"S": visit_key}}], "ConsistentRead": True},
                self._clients_table: {
                    "Keys": [{"key_digest": {"S": client_key}}],
                    "ConsistentRead": True,
                },
            }
        )
        if answer.get("UnprocessedKeys"):
            raise Raced
        found = answer["Responses"]
        visit_item = next(iter(found.get(self._table, ())), None)
        client_item = next(iter(found.get(self._clients_table, ())), {})
        return _stored(visit_item, now), client_with_keys(client_item, client)

    def page(self, client: str, wanted: Wanted, now: int) -> Page:
        """Return a page of the client's visits, the earliest first: one query."""
        position: dict[str, Any] = {}
        if wanted.after:
            starts_at, visit_id = wanted.after
            position["ExclusiveStartKey"] = _item(
                client=client, starts_at=starts_at, id=_visit_key(client, visit_id)
            )
        answer = self._dynamodb.query(
            TableName=self._table,
            IndexName="by-start",
            KeyConditionExpression="client = :client AND starts_at BETWEEN :start AND :last",
            FilterExpression="erase_at > :now",
            ExpressionAttributeValues=_values(
                client=client, start=wanted.start, last=wanted.end - 1, now=now
            ),
            Limit=PAGE_VISITS,
            **position,
        )
        found = [_read(item) for item in answer["Items"]]
        last = answer.get("LastEvaluatedKey")
        if not last:
            return Page(found, None)
        return Page(found, (int(last["starts_at"]["N"]), _visit_id(last)))

    def write(
        self,
        client: str,
        visit_id: str,
        old: StoredVisit | None,
        new: Visit,
        *,
        forgets: bool,
        now: int,
    ) -> StoredVisit:
        """Write a visit with its links and its room, in one transaction; return it as it is then.

        Raises:
            Raced: the visit has changed since it was read, or somebody has entered.
        """
        kept = old if old and not forgets else None
        facts = kept.facts if kept else Facts()
        closes_at = max(new.plan.window.closes_at, facts.inside_until or 0)
        stored = StoredVisit(
            client=client,
            visit_id=visit_id,
            visit=new,
            version=old.version + 1 if old else now,
            facts=facts,
            presence=kept.presence if kept else {},
            mints=kept.mints if kept else {},
            erase_at=closes_at + self._retention_seconds,
        )
        item = self._item_itself(old, stored, now, forgets=kept is None)
        with _races():
            self._dynamodb.transact_write_items(
                TransactItems=[item, *self._items_beside(old, stored)]
            )
        return stored

    def admit(
        self, stored: StoredVisit, participant_id: str, entry: Entry, now: int, *, by_link: bool
    ) -> bool:
        """Record an entry; return False if the link has used up its tokens of the minute.

        Raises:
            Raced: the visit has changed since it was read, or others have entered.
        """
        values = {"version": stored.version, "now": now}
        changes = ["#joined = :now"]
        conditions = ["version = :version", "erase_at > :now"]
        names = {"#joined": f"joined#{participant_id}"}
        if entry.facts.joined_at != stored.facts.joined_at and entry.facts.joined_at is not None:
            values["joined_at"] = entry.facts.joined_at
            changes.append("joined_at = :joined_at")
        if entry.facts.inside_until != stored.facts.inside_until and entry.facts.inside_until:
            values["until"] = entry.facts.inside_until
            changes.append("inside_until = :until")
            conditions.append("(attribute_not_exists(inside_until) OR inside_until <= :until)")
        most = _minute(now) + MAX_MINTS_A_MINUTE
        if by_link:
            names["#mints"] = f"mints#{participant_id}"
            if stored.mints.get(participant_id, 0) < _minute(now):
                values["first"] = _minute(now) + 1
                changes.append("#mints = :first")
                conditions.append("(attribute_not_exists(#mints) OR #mints < :first)")
            else:  # Others may count at the same time.
                values["one"] = 1
                changes.append("#mints = #mints + :one")
        with _races():
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": _visit_key(stored.client, stored.visit_id)}},
                UpdateExpression=f"SET {', '.join(changes)}",
                ConditionExpression=" AND ".join(conditions),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=_values(**values),
                ReturnValues="UPDATED_NEW",
            )
        return not by_link or int(answer["Attributes"][names["#mints"]]["N"]) <= most

    def note_seen(self, stored: StoredVisit, participant_id: str, now: int) -> None:
        """Record that a participant's page has asked and waits, at most every 30 seconds.

        If the visit changes at the same time, nothing is written: the page asks again.
        """
        presence = stored.presence.get(participant_id, Presence())
        if presence.last_seen_at and now < presence.last_seen_at + _SEEN_EVERY_SECONDS:
            return
        changes = ["#seen = :now"]
        names = {"#seen": f"seen#{participant_id}"}
        if not presence.is_waiting(now):
            names["#waiting"] = f"waiting#{participant_id}"
            changes.append("#waiting = :now")
        with contextlib.suppress(Raced), _races():
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"id": {"S": _visit_key(stored.client, stored.visit_id)}},
                UpdateExpression=f"SET {', '.join(changes)}",
                ConditionExpression="version = :version AND erase_at > :now",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=_values(version=stored.version, now=now),
            )

    def note_token(
        self, stored: StoredVisit, participant_id: str, jti: str, expires_at: int
    ) -> None:
        """Record whose token has this id, so that a room can tell who is in it."""
        self._dynamodb.put_item(
            TableName=self._table,
            Item=_item(
                id=f"J#{jti}",
                client=stored.client,
                visit=stored.visit_id,
                participant=participant_id,
                generation=stored.visit.members[participant_id].generation,
                exp=expires_at,
                erase_at=expires_at + _DAY_SECONDS,
            ),
        )

    def _get(self, key: str) -> Item | None:
        answer = self._dynamodb.get_item(
            TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True
        )
        return answer.get("Item")

    def _item_itself(
        self, old: StoredVisit | None, stored: StoredVisit, now: int, *, forgets: bool
    ) -> Any:
        key, document = _visit_key(stored.client, stored.visit_id), _document(stored)
        values: dict[str, str | int] = {"now": now}
        conditions = ["attribute_not_exists(id) OR erase_at <= :now"]
        if old:
            values["read"] = old.version
            conditions = ["version = :read", "erase_at > :now"]
            # What becomes of the visit depends on what has happened in it.
            for name, fact in old.facts._asdict().items():
                if fact is None:
                    conditions.append(f"attribute_not_exists({name})")
                else:
                    values[f"read_{name}"] = fact
                    conditions.append(f"{name} = :read_{name}")
        written = {"TableName": self._table, "ConditionExpression": " AND ".join(conditions)}
        if forgets:
            # The whole item: it may say by now that more has happened than was read.
            item = _item(id=key, client=stored.client, **document)
            return {"Put": written | {"Item": item, "ExpressionAttributeValues": _values(**values)}}
        return {
            "Update": written
            | {
                "Key": {"id": {"S": key}},
                "UpdateExpression": f"SET {', '.join(f'{name} = :{name}' for name in document)}",
                "ExpressionAttributeValues": _values(**document, **values),
            }
        }

    def _items_beside(self, old: StoredVisit | None, stored: StoredVisit) -> Iterator[Any]:
        """Yield what is written with a visit: its room, and the links in force."""
        before = old.visit if old else None
        is_moved = not old or old.erase_at != stored.erase_at
        whose: dict[str, str | int] = {
            "client": stored.client,
            "visit": stored.visit_id,
            "erase_at": stored.erase_at,
        }
        items = []
        has_new_room = before is None or before.room != stored.visit.room
        if stored.visit.room_is_drawn and (is_moved or has_new_room):
            items.append(_item(id=f"R#{stored.visit.room}", **whose))
        known = {member.link_hash for member in before.active.values()} if before else set()
        items += [
            _item(
                id=f"L#{member.link_hash}",
                participant=id_,
                generation=member.generation,
                **whose,
            )
            for id_, member in stored.visit.active.items()
            if is_moved or member.link_hash not in known
        ]
        for item in items:
            yield {"Put": {"TableName": self._table, "Item": item}}


def _document(stored: StoredVisit) -> dict[str, str | int]:
    return {
        "document": msgspec.json.encode(stored.visit).decode(),
        "version": stored.version,
        "starts_at": stored.visit.plan.starts_at,
        "erase_at": stored.erase_at,
    }


def _stored(item: Item | None, now: int) -> StoredVisit | None:
    return None if not item or _is_erased(item, now) else _read(item)


def _read(item: Item) -> StoredVisit:
    numbers = {name: int(value["N"]) for name, value in item.items() if "N" in value}
    found: dict[str, dict[str, int]] = {"waiting": {}, "seen": {}, "joined": {}, "mints": {}}
    for name, number in numbers.items():
        kind, is_of_participant, participant_id = name.partition("#")
        if is_of_participant:
            found[kind][participant_id] = number
    waiting, seen, joined = found["waiting"], found["seen"], found["joined"]
    return StoredVisit(
        client=item["client"]["S"],
        visit_id=_visit_id(item),
        visit=msgspec.json.decode(item["document"]["S"], type=Visit),
        version=numbers["version"],
        facts=Facts(numbers.get("joined_at"), numbers.get("inside_until")),
        presence={
            id_: Presence(waiting.get(id_), seen.get(id_), joined.get(id_))
            for id_ in {*waiting, *seen, *joined}
        },
        mints=found["mints"],
        erase_at=numbers["erase_at"],
    )


@contextlib.contextmanager
def _races() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error_code(error) in _RACES:
            raise Raced from None
        raise


def _visit_key(client: str, visit_id: str) -> str:
    return f"V#{client}#{visit_id}"


def _visit_id(item: Mapping[str, Any]) -> str:
    return str(item["id"]["S"]).split("#", 2)[2]


def _is_erased(item: Mapping[str, Any], now: int) -> bool:
    return int(item["erase_at"]["N"]) <= now


def _minute(now: int) -> int:
    return now // 60 * 100


def _item(**values: str | int) -> Item:
    return {
        name: {"S": value} if isinstance(value, str) else {"N": str(value)}
        for name, value in values.items()
    }


def _values(**values: str | int) -> Item:
    return {f":{name}": value for name, value in _item(**values).items()}

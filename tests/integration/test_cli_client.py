"""`jitsi-tokens client`: add, set, list, revoke, rotate."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient

from jitsi_tokens.core.clients import (
    Client,
    api_key_in,
    client_with_keys,
    digest,
    make_api_key,
    own_item_key,
    read_client,
    write_client,
)
from jitsi_tokens.core.policy import Policy
from jitsi_tokens_cli.client.store import ClientStore, StoredKey
from tests.integration.cli_world import TABLE, World, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a stack without clients."""
    with running_world(monkeypatch) as world:
        yield world


def _add(world: World, name: str, *options: str) -> str:
    result = world.run("client", "add", name, *options, "--json")
    assert result.exit_code == 0, result.output
    return str(json.loads(result.stdout)["apiKey"])


def _item(world: World, api_key: str) -> dict[str, Any] | None:
    key = {"key_digest": {"S": digest(api_key)}}
    return world.dynamodb.get_item(TableName=TABLE, Key=key).get("Item")


def _policy(world: World, api_key: str) -> Policy:
    item = _item(world, api_key)
    assert item
    client = read_client(item["record"]["S"])
    assert client
    return client.policy


def test_add_keeps_the_digest_and_shows_the_key_once(world: World) -> None:
    """The table holds the client under the key's digest, and never the key."""
    result = world.run("client", "add", "openemr", "--room", "Visit-*", "--moderator")

    api_key = result.stdout.strip()
    item = _item(world, api_key)
    assert result.exit_code == 0
    assert api_key_in(f"Bearer {api_key}") == api_key
    assert item
    assert item["client"]["S"] == "openemr"
    assert item["created_at"]["S"].endswith("Z")
    assert read_client(item["record"]["S"]) == Client(
        name="openemr", policy=Policy(rooms=["visit-*"], moderator=True)
    )
    assert api_key not in json.dumps(item)
    assert api_key not in result.stderr


@pytest.mark.parametrize("arguments", [("add", "openemr", "--any-room"), ("rotate", "openemr")])
def test_a_new_key_has_json_for_scripts(world: World, arguments: tuple[str, ...]) -> None:
    """With --json stdout holds one object and nothing else."""
    _add(world, "openemr", "--any-room")

    answer = json.loads(world.run("client", *arguments, "--json").stdout)

    assert answer == {
        "client": "openemr",
        "apiKey": answer["apiKey"],
        "keyDigest": digest(answer["apiKey"]),
        "url": f"{world.url}/v1",
    }
    assert _policy(world, answer["apiKey"]).rooms == ["*"]


@pytest.mark.parametrize(
    ("options", "path", "room"),
    [
        (["--room", "visit-*"], "jitsi/jwt", '"roomName": "visit-123"'),
        (["--any-room"], "jitsi/jwt", '"roomName": "123"'),
        (["--diagnostics"], "jitsi/diagnostics", ""),
        (["--visits"], "visits?from=2027-01-01T00:00:00Z&to=2027-01-02T00:00:00Z", ""),
    ],
)
def test_add_says_where_the_key_goes_and_how_to_try_it(
    world: World, options: list[str], path: str, room: str
) -> None:
    """With the address; the key stays alone on stdout."""
    result = world.run("client", "add", "openemr", *options)

    assert f"export JITSI_TOKENS_URL={world.url}/v1\n" in result.stderr
    assert f'curl "$JITSI_TOKENS_URL/api/{path}"' in result.stderr
    assert room in result.stderr
    assert result.stdout.strip() not in result.stderr


def test_add_takes_the_whole_policy(world: World) -> None:
    """Each option of the policy is stored."""
    options = ["--feature", "recording", "--feature", "lobby", "--max-lifetime", "900"]

    api_key = _add(world, "desk", "--room", "a", "--room", "b", *options, "--diagnostics")

    assert _policy(world, api_key) == Policy(
        rooms=["a", "b"],
        features=["lobby", "recording"],
        max_lifetime_seconds=900,
        diagnostics=True,
    )


@pytest.mark.parametrize(("options", "kept"), [([], "0"), (["--max-advance", "86400"], "86400")])
def test_a_new_client_gets_no_tokens_in_advance_unless_told(
    world: World, options: list[str], kept: str
) -> None:
    """The limit is beside the record, in which code without it would not know the field."""
    item = _item(world, _add(world, "desk", "--room", "a", *options)) or {}

    assert item["max_advance_seconds"] == {"N": kept}
    assert json.loads(item["record"]["S"]) == {"name": "desk", "policy": {"rooms": ["a"]}}


def test_a_further_key_has_the_same_advance(world: World) -> None:
    """With or without the policy's options."""
    _add(world, "desk", "--room", "a", "--max-advance", "60")

    further = [_add(world, "desk"), _add(world, "desk", "--room", "a")]

    items = [_item(world, key) or {} for key in further]
    assert [item["max_advance_seconds"]["N"] for item in items] == ["60", "60"]


@pytest.mark.parametrize(
    ("before", "options", "after"),
    [
        ({"N": "60"}, [], {"N": "60"}),
        ({"N": "60"}, ["--max-advance", "0"], {"N": "0"}),
        (None, [], None),
        (None, ["--max-advance", "0"], {"N": "0"}),
        ({"S": "junk"}, [], {"N": "0"}),
    ],
)
def test_set_keeps_the_advance_unless_told(
    world: World, before: Any, options: list[str], after: Any
) -> None:
    """A client of an earlier version has none, and goes on as it was."""
    api_key = _add(world, "desk", "--room", "a")
    item = _item(world, api_key) or {}
    del item["max_advance_seconds"]
    kept = {} if before is None else {"max_advance_seconds": before}
    world.dynamodb.put_item(TableName=TABLE, Item=item | kept)

    world.run("client", "set", "desk", "--room", "b", *options)

    assert (_item(world, api_key) or {}).get("max_advance_seconds") == after
    assert _policy(world, api_key).rooms == ["b"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["openemr"], "Give --room with a pattern"),
        (["openemr", "--moderator"], "Give --room with a pattern"),
        (["OpenEMR", "--any-room"], "lower-case letters"),
        (["openemr", "--room", "*"], "ask for any room by its own option"),
        (["openemr", "--room", "a", "--any-room"], "not both"),
        (["openemr", "--any-room", "--feature", "recordings"], "knows no feature 'recordings'"),
        (["openemr", *(f"--room={i:02}{'x' * 120}" for i in range(45))], "fits 4096 bytes"),
    ],
)
def test_add_refuses_with_the_reason(world: World, arguments: list[str], sentence: str) -> None:
    """What cannot be a client is explained, and nothing is stored."""
    result = world.run("client", "add", *arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stdout == ""
    assert world.dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_add_again_gives_one_more_key_with_the_same_policy(world: World) -> None:
    """A client rotates its API key by holding two for a while."""
    first = _add(world, "openemr", "--room", "visit-*", "--moderator")

    second = _add(world, "openemr")
    third = _add(world, "openemr", "--room", "visit-*", "--moderator")

    assert len({first, second, third}) == 3
    assert _policy(world, first) == _policy(world, second) == _policy(world, third)


def test_add_again_with_another_policy_is_refused(world: World) -> None:
    """Two API keys of one client never differ in what they allow."""
    _add(world, "openemr", "--room", "visit-*")

    result = world.run("client", "add", "openemr", "--any-room")

    assert result.exit_code == 1
    assert "Run `client set` to change it" in result.stderr


def _spoil(world: World, api_key: str, record: str) -> None:
    world.dynamodb.update_item(
        TableName=TABLE,
        Key={"key_digest": {"S": digest(api_key)}},
        UpdateExpression="SET #record = :record",
        ExpressionAttributeNames={"#record": "record"},
        ExpressionAttributeValues={":record": {"S": record}},
    )


@pytest.mark.parametrize("command", ["add", "rotate"])
def test_a_client_that_cannot_be_read_gets_no_further_key(world: World, command: str) -> None:
    """There is no policy to copy from a malformed record."""
    _spoil(world, _add(world, "openemr", "--any-room"), "{")

    result = world.run("client", command, "openemr")

    assert result.exit_code == 1
    assert "run `client set` first" in result.stderr


def test_set_replaces_the_whole_policy_of_all_keys(world: World) -> None:
    """What is not given is not allowed any more, whichever key is used."""
    keys = [_add(world, "openemr", "--any-room", "--moderator"), _add(world, "openemr")]
    other = _add(world, "other", "--any-room")

    result = world.run("client", "set", "openemr", "--room", "visit-*", "--diagnostics")

    assert result.exit_code == 0
    assert "applies to 2 API keys within 45 seconds" in result.stderr
    expected = Policy(rooms=["visit-*"], diagnostics=True)
    assert [_policy(world, key) for key in keys] == [expected, expected]
    assert _policy(world, other).rooms == ["*"]


def test_set_has_json_for_scripts(world: World) -> None:
    """--json names the API keys whose policy changed."""
    keys = [_add(world, "openemr", "--any-room"), _add(world, "openemr")]

    answer = json.loads(world.run("client", "set", "openemr", "--room", "a", "--json").stdout)

    assert answer["client"] == "openemr"
    assert set(answer["keys"]) == {digest(key) for key in keys}


def test_set_mends_a_record_that_cannot_be_read(world: World) -> None:
    """A malformed record is replaced like any other."""
    api_key = _add(world, "openemr", "--any-room")
    _spoil(world, api_key, "{")

    world.run("client", "set", "openemr", "--room", "a")

    assert _policy(world, api_key).rooms == ["a"]


@pytest.mark.parametrize(
    "arguments", [("set", "nobody", "--any-room"), ("revoke", "nobody"), ("rotate", "nobody")]
)
def test_an_unknown_client_exits_with_1(world: World, arguments: tuple[str, ...]) -> None:
    """A typo in the name makes no client, and is not taken for success."""
    result = world.run("client", *arguments)

    assert result.exit_code == 1
    assert "There is no client nobody" in result.stderr
    assert world.dynamodb.scan(TableName=TABLE)["Count"] == 0


def test_set_does_not_bring_back_a_revoked_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key that went meanwhile stops the change as a whole."""
    api_key = _add(world, "openemr", "--any-room")
    gone = StoredKey("0" * 64, "openemr", "", None)
    present = StoredKey(digest(api_key), "openemr", "", None)
    monkeypatch.setattr(ClientStore, "keys_of", lambda *_: [present, gone])

    result = world.run("client", "set", "openemr", "--room", "a")

    assert result.exit_code == 1
    assert "Nothing was changed" in result.stderr
    assert _policy(world, api_key).rooms == ["*"]
    assert world.dynamodb.scan(TableName=TABLE)["Count"] == 2  # with the client's own item


def test_other_refusals_show_their_code(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing table is no change by somebody else."""
    monkeypatch.setattr(
        ClientStore, "keys_of", lambda *_: [StoredKey("0" * 64, "openemr", "", None)]
    )
    world.outputs["ClientsTable"] = "elsewhere"

    result = world.run("client", "set", "openemr", "--any-room")

    assert result.exit_code == 3
    assert "AWS refused GetItem (ResourceNotFoundException" in result.stderr


def test_set_refuses_more_keys_than_a_transaction_takes(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All keys change together or not at all."""
    keys = [StoredKey(f"{number:064x}", "openemr", "", None) for number in range(101)]
    monkeypatch.setattr(ClientStore, "keys_of", lambda *_: keys)

    result = world.run("client", "set", "openemr", "--any-room")

    assert result.exit_code == 1
    assert "101 API keys, and at most 99" in result.stderr


def test_list_gives_a_pipe_a_line_a_client(world: World) -> None:
    """Separated by tabs, with whole digests."""
    options = ["--room", "visit-*", "--moderator", "--feature", "lobby", "--max-lifetime", "900"]
    keys = [_add(world, "openemr", *options), _add(world, "openemr")]
    _add(world, "zeta", "--any-room", "--diagnostics")

    result = world.run("client", "list")

    headings, openemr, zeta = (line.split("\t") for line in result.stdout.splitlines())
    assert headings == ["client", "rooms", "rights", "lifetime", "advance", "api keys"]
    assert openemr[:5] == ["openemr", "visit-*", "moderator, lobby", "900 s", "0 s"]
    assert all(digest(key) in openemr[5] for key in keys)
    assert zeta[:5] == ["zeta", "*", "diagnostics", "stack's", "0 s"]


def test_list_gives_a_terminal_a_line_a_client(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its width; --wide shows all of it."""
    api_key = _add(world, "openemr", "--room", f"visit-{'x' * 99}", "--moderator")
    for module in ("output", "client.output"):
        monkeypatch.setattr(f"jitsi_tokens_cli.{module}.is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "80")

    narrow, wide = (world.run("client", "list", *option).stdout for option in ([], ["--wide"]))

    assert len(narrow.splitlines()) == 2
    assert max(map(len, narrow.splitlines())) <= 80
    assert digest(api_key)[:8] in narrow
    assert digest(api_key) in wide


def test_list_has_json_for_scripts(world: World) -> None:
    """--json holds whole digests, grouped by client."""
    first = _add(world, "openemr", "--room", "visit-*")
    second = _add(world, "openemr")

    (client,) = json.loads(world.run("client", "list", "--json").stdout)

    assert client["client"] == "openemr"
    assert client["policy"]["rooms"] == ["visit-*"]
    assert {key["digest"] for key in client["keys"]} == {digest(first), digest(second)}
    assert all(key["createdAt"] for key in client["keys"])


def test_list_survives_records_that_cannot_be_read(world: World) -> None:
    """A malformed record is shown as such beside the others."""
    _spoil(world, _add(world, "broken", "--any-room"), "{")
    _spoil(world, _add(world, "forged", "--any-room"), '{"name":"other","policy":{}}')
    world.dynamodb.put_item(TableName=TABLE, Item={"key_digest": {"S": "x"}})
    _add(world, "sound", "--any-room")

    result = world.run("client", "list")
    documents = json.loads(world.run("client", "list", "--json").stdout)

    assert result.exit_code == 0
    assert [document["policy"] is None for document in documents] == [True, True, True, False]
    for text in (
        "refused: filed under no client",
        "refused: filed under forged, its record names other",
        "refused: its record cannot be read",
    ):
        assert result.stdout.count(text) == 1


def test_list_of_none_says_what_to_run(world: World) -> None:
    """An empty table is no error; --json is an empty list."""
    result = world.run("client", "list")

    assert result.exit_code == 0
    assert "Run `jitsi-tokens client add`." in result.stderr
    assert json.loads(world.run("client", "list", "--json").stdout) == []


def test_revoke_deletes_one_key(world: World) -> None:
    """--key names one API key by the first digits of its digest."""
    first, second = _add(world, "openemr", "--any-room"), _add(world, "openemr")

    result = world.run("client", "revoke", "openemr", "--key", digest(first)[:8].upper(), "--yes")

    assert "Revoked 1 API key of openemr." in result.stderr
    assert _item(world, first) is None
    assert _item(world, second)


@pytest.mark.parametrize(
    ("prefix", "sentence"),
    [
        ("abc1234", "8 to 64 hex digits"),
        ("not-hexes", "8 to 64 hex digits"),
        ("", "8 to 64 hex digits"),
        ("0" * 64, "0 API keys have a digest"),
    ],
)
def test_revoke_refuses_a_digest_that_names_no_one_key(
    world: World, prefix: str, sentence: str
) -> None:
    """What names none of the client's keys deletes nothing; what names no key at all is misused."""
    api_key = _add(world, "openemr", "--any-room")

    result = world.run("client", "revoke", "openemr", "--key", prefix, "--yes")

    assert result.exit_code == (1 if prefix == "0" * 64 else 2)
    assert sentence in result.stderr
    assert _item(world, api_key)


def _file(world: World, name: str | None, record: str) -> str:
    """Put an item that no command writes, and return its API key."""
    api_key = make_api_key()
    item = {"key_digest": {"S": digest(api_key)}, "record": {"S": record}}
    filed = {} if name is None else {"client": {"S": name}}
    world.dynamodb.put_item(TableName=TABLE, Item=item | filed)
    return api_key


RECORD = write_client(Client(name="openemr", policy=Policy(rooms=["*"])))
OTHERS = write_client(Client(name="other", policy=Policy(rooms=["*"])))
MISFILED = {
    "under-another": ("other", RECORD),
    "under-none": (None, RECORD),
    "with-anothers-record": ("openemr", OTHERS),
    "of-tomorrow": (None, '{"name":"openemr","policy":{"from":"a later release"}}'),
}


@pytest.mark.parametrize(("name", "record"), [*MISFILED.values(), ("openemr", "{")])
def test_revoke_deletes_all_that_names_the_client(
    world: World, name: str | None, record: str
) -> None:
    """Item or record, whatever the other of the two says."""
    keys = [_add(world, "openemr", "--any-room"), _file(world, name, record)]
    other = _add(world, "sound", "--any-room")

    result = world.run("client", "revoke", "openemr", "--yes")

    assert "Revoked 2 API keys of openemr." in result.stderr
    assert [_item(world, key) for key in keys] == [None, None]
    assert _item(world, other)


@pytest.mark.parametrize(("name", "record"), MISFILED.values(), ids=MISFILED)
def test_a_change_of_the_client_lets_no_misfiled_key_in(
    world: World, name: str | None, record: str
) -> None:
    """Else the person who filed it would get what the client may do."""
    sound, misfiled = _add(world, "openemr", "--any-room"), _file(world, name, record)

    result = world.run("client", "set", "openemr", "--room", "a")

    assert "applies to 1 API key " in result.stderr
    assert f"Skipped API key {digest(misfiled)[:8]}" in result.stderr
    assert f"`client revoke --key {digest(misfiled)[:12]}`" in result.stderr
    item = _item(world, misfiled)
    assert item
    assert (item.get("client", {}).get("S"), item["record"]["S"]) == (name, record)
    assert _policy(world, sound).rooms == ["a"]
    assert _policy(world, _add(world, "openemr")).rooms == ["a"]


@pytest.mark.parametrize("digits", [12, 64])
@pytest.mark.parametrize(
    ("name", "record", "whose"),
    [(None, RECORD, "openemr"), ("other", RECORD, "other"), (None, "{", None)],
)
def test_revoke_needs_no_name_with_a_digest(
    world: World, digits: int, name: str | None, record: str, whose: str | None
) -> None:
    """The audit record and `doctor` show one, and an item need not have the other."""
    api_key, stays = _file(world, name, record), _add(world, "openemr", "--any-room")

    result = world.run("client", "revoke", "--key", digest(api_key)[:digits], "--yes", "--json")

    assert json.loads(result.stdout) == {"client": whose, "keys": [digest(api_key)]}
    assert _item(world, api_key) is None
    assert _item(world, stays)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "sentence"),
    [
        ([], 2, "Give the client's NAME, or --key with a digest."),
        (["--key", "0" * 11], 2, "--key takes 12 to 64 hex digits"),
        (["--key", "0" * 12], 1, "2 API keys have a digest that begins with these digits."),
        (["--key", "1" * 12], 1, "0 API keys have a digest that begins with these digits."),
    ],
)
def test_revoke_without_a_name_is_about_one_key(
    world: World, arguments: list[str], exit_code: int, sentence: str
) -> None:
    """What may mean several deletes none."""
    for key_digest in ("0" * 63 + "1", "0" * 63 + "2"):
        world.dynamodb.put_item(TableName=TABLE, Item={"key_digest": {"S": key_digest}})

    result = world.run("client", "revoke", *arguments, "--yes")

    assert result.exit_code == exit_code
    assert sentence in result.stderr
    assert world.dynamodb.scan(TableName=TABLE)["Count"] == 2


@pytest.mark.parametrize(
    "command",
    [["add"], ["rotate"], ["set", "--any-room"], ["revoke", "--yes"]],
    ids=lambda command: command[0],
)
def test_rights_change_by_what_the_table_holds_now(
    world: World, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    """The index lags: a key of a moment ago would keep its rights."""
    _add(world, "openemr", "--any-room")
    asked: list[tuple[str, bool]] = []
    call = vars(BaseClient)["_make_api_call"]

    def calling(client: Any, operation: str, parameters: Any) -> Any:
        if operation in ("Scan", "Query"):
            asked.append((operation, parameters["ConsistentRead"]))
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", calling)

    assert world.run("client", command[0], "openemr", *command[1:]).exit_code == 0
    assert asked == [("Scan", True)]


def test_a_long_table_is_told_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator sees that it goes on."""
    for number in range(20):
        _add(world, f"client-{number}", "--any-room")
    monkeypatch.setattr("moto.dynamodb.models.table.RESULT_SIZE_LIMIT", 400)

    result = world.run("client", "list", "--json")

    assert len(json.loads(result.stdout)) == 20
    assert "... still reading the table, " in result.stderr


def _rotate(world: World, *options: str) -> Any:
    result = world.run("client", "rotate", "openemr", *options, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _made_at(world: World, api_key: str, time: str) -> None:
    world.dynamodb.update_item(
        TableName=TABLE,
        Key={"key_digest": {"S": digest(api_key)}},
        UpdateExpression="SET created_at = :time",
        ExpressionAttributeValues={":time": {"S": time}},
    )


def test_rotate_adds_a_key_and_says_what_to_do_next(world: World) -> None:
    """The new API key is shown once, has the same policy, and the earlier one keeps working."""
    earlier = _add(world, "openemr", "--room", "visit-*", "--moderator")

    result = world.run("client", "rotate", "openemr")

    api_key = result.stdout.strip()
    assert result.exit_code == 0
    assert _policy(world, api_key) == _policy(world, earlier)
    assert "run `client rotate openemr --finish` to revoke 1 API key from before" in result.stderr
    assert api_key not in result.stderr


def test_finish_revokes_all_but_the_newest(world: World) -> None:
    """Of a client's API keys the newest stays; other clients keep theirs."""
    earlier = [_add(world, "openemr", "--any-room"), _add(world, "openemr")]
    other = _add(world, "other", "--any-room")
    newest = _rotate(world)["apiKey"]

    result = world.run("client", "rotate", "openemr", "--finish", "--yes")

    assert result.exit_code == 0
    assert "Revoked 2 API keys of openemr." in result.stderr
    assert "accept revoked keys for 45 more seconds" in result.stderr
    assert [_item(world, key) for key in earlier] == [None, None]
    assert _item(world, newest)
    assert _item(world, other)


def test_finish_may_be_run_again(world: World) -> None:
    """With one API key there is nothing to finish, and nothing wrong."""
    earlier = _add(world, "openemr", "--any-room")
    newest = _rotate(world)["apiKey"]

    first = _rotate(world, "--finish", "--yes")
    result = world.run("client", "rotate", "openemr", "--finish")
    second = _rotate(world, "--finish")

    assert first == {"client": "openemr", "keys": [digest(earlier)]}
    assert second == {"client": "openemr", "keys": []}
    assert result.exit_code == 0
    assert "there is nothing to finish" in result.stderr
    assert _item(world, newest)


@pytest.mark.parametrize("time", ["2026-01-31T09:00:00Z", "", "yesterday", "2026-01-31T09:00:00"])
def test_finish_refuses_where_the_newest_cannot_be_told(world: World, time: str) -> None:
    """Two API keys of one second, or of no time that can be read, are left to the operator."""
    keys = [_add(world, "openemr", "--any-room"), _add(world, "openemr")]
    _made_at(world, keys[0], "2026-01-31T09:00:00Z")
    _made_at(world, keys[1], time)

    result = world.run("client", "rotate", "openemr", "--finish", "--yes")

    assert result.exit_code == 1
    assert "`client revoke --key`" in result.stderr
    assert all(_item(world, key) for key in keys)


def test_finish_does_not_mind_earlier_keys_of_one_second(world: World) -> None:
    """Only the newest must be told from the others."""
    keys = [_add(world, "openemr", "--any-room"), _add(world, "openemr"), _add(world, "openemr")]
    for key in keys[:2]:
        _made_at(world, key, "2026-01-31T09:00:00Z")
    _made_at(world, keys[2], "2026-01-31T09:00:01Z")

    world.run("client", "rotate", "openemr", "--finish", "--yes")

    assert [_item(world, key) is None for key in keys] == [True, True, False]


def test_a_lagging_clock_makes_no_earlier_key_the_newest(world: World) -> None:
    """The new API key is dated after those that are there, whatever this machine's clock says."""
    earlier = _add(world, "openemr", "--any-room")
    _made_at(world, earlier, "2099-12-31T23:59:59Z")

    newest = _rotate(world)["apiKey"]

    item = _item(world, newest)
    assert item
    assert item["created_at"]["S"] == "2100-01-01T00:00:00Z"
    assert _rotate(world, "--finish", "--yes")["keys"] == [digest(earlier)]


@pytest.mark.parametrize(("answer", "kept"), [("y\n", False), ("n\n", True)])
def test_finish_asks_at_a_terminal(world: World, answer: str, *, kept: bool) -> None:
    """The person sees what is revoked, what is kept, and how long it takes, and decides."""
    earlier = _add(world, "openemr", "--any-room")
    newest = _rotate(world)["apiKey"]
    world.at_a_terminal()

    result = world.run("client", "rotate", "openemr", "--finish", typed=answer)

    for text in (digest(earlier)[:8], digest(newest)[:8], "within 45 seconds"):
        assert text in result.stderr
    assert result.exit_code == int(kept)
    assert (_item(world, earlier) is not None) == kept
    assert _item(world, newest)


@pytest.mark.parametrize("arguments", [("revoke", "openemr"), ("rotate", "openemr", "--finish")])
def test_a_script_needs_yes(world: World, arguments: tuple[str, ...]) -> None:
    """Nobody is there to ask."""
    earlier = _add(world, "openemr", "--any-room")
    _rotate(world)

    result = world.run("client", *arguments)

    assert result.exit_code == 1
    assert "add --yes" in result.stderr
    assert _item(world, earlier)


# A client's own item, by which links know what the client may do


def _own_item(world: World, name: str) -> dict[str, Any]:
    key = {"key_digest": {"S": own_item_key(name)}}
    return dict(world.dynamodb.get_item(TableName=TABLE, Key=key).get("Item", {}))


def test_a_client_has_one_item_with_its_policy_and_the_number_of_its_keys(world: World) -> None:
    """It changes with every key, in the same transaction; it is no key, and in no list."""
    found = []
    first = _add(world, "desk", "--visits", "--moderator", "--max-advance", "60")
    for command in (
        ["client", "add", "desk"],
        ["client", "set", "desk", "--visits", "--moderator-links"],
        ["client", "rotate", "desk"],
        ["client", "revoke", "desk", "--key", digest(first)[:12], "--yes"],
        ["client", "rotate", "desk", "--finish", "--yes"],
    ):
        assert world.run(*command).exit_code == 0
        item = _own_item(world, "desk")
        client = client_with_keys(item, "desk")
        assert client
        found.append((item["key_count"]["N"], client.policy))

    before = Policy(visits=True, moderator=True, max_advance_seconds=60)
    after = Policy(visits=True, moderator_links=True, max_advance_seconds=60)
    assert found == [("2", before), ("2", after), ("3", after), ("2", after), ("1", after)]
    assert "client" not in _own_item(world, "desk")
    assert "client#" not in world.run("client", "list", "--json").stdout
    assert world.run("client", "revoke", "desk", "--yes").exit_code == 0
    assert _own_item(world, "desk") == {}


def test_a_client_from_before_gets_its_item_with_the_next_change(world: World) -> None:
    """Until then it has none, and so no visits."""
    _add(world, "desk", "--room", "a")
    _add(world, "desk")
    world.dynamodb.delete_item(TableName=TABLE, Key={"key_digest": {"S": own_item_key("desk")}})

    world.run("client", "add", "desk")

    assert _own_item(world, "desk")["key_count"] == {"N": "3"}


def test_a_client_has_99_keys_at_most(world: World) -> None:
    """One transaction writes them all, and the client's own item."""
    client = Client(name="desk", policy=Policy(visits=True))
    for number in range(99):
        item = {
            "key_digest": {"S": f"{number:064x}"},
            "client": {"S": "desk"},
            "record": {"S": write_client(client)},
            "created_at": {"S": "2026-01-01T00:00:00Z"},
        }
        world.dynamodb.put_item(TableName=TABLE, Item=item)

    refused = world.run("client", "add", "desk")
    changed = world.run("client", "set", "desk", "--visits", "--moderator-links")

    assert refused.exit_code != 0
    assert "revoke some first" in refused.output
    assert changed.exit_code == 0
    assert _own_item(world, "desk")["key_count"] == {"N": "99"}
    assert world.run("client", "revoke", "desk", "--yes").exit_code == 0
    assert _own_item(world, "desk") == {}

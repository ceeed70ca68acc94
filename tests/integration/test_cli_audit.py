"""`jitsi-tokens audit`: what was issued and refused, found again."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.problems import (
    FORBIDDEN,
    VISIT_OVER,
    Problem,
    field_error,
    field_problem,
    invalid_field,
)
from jitsi_tokens.core.requests import TokenRequest
from jitsi_tokens.telemetry import RequestLine
from jitsi_tokens_cli.audit.search import time_of
from jitsi_tokens_cli.output import time_text
from tests.integration.cli_world import APP_ID, Answer, World, json_error, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

GROUP = "/aws/lambda/meetings-issue-token"
DAY = 24 * 3600
DIGEST_KEY = uuid.uuid4().hex
NOW = int(time.time())
RUNTIME = "START RequestId: 8f5 Version: 3\n"
LOGGED = json.dumps({"level": "WARNING", "message": "a secret could not be fetched"})


class AuditedWorld:
    """A stack with an audit record, of which nothing is written yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._logs = boto3.client("logs")
        self._logs.create_log_group(logGroupName=GROUP)
        self._logs.create_log_stream(logGroupName=GROUP, logStreamName="container")
        self.digest_key = world.secrets.create_secret(Name="digest-key", SecretString=DIGEST_KEY)
        world.outputs["AuditLogGroup"] = GROUP
        world.outputs["DigestKeySecret"] = self.digest_key["ARN"]

    def audit(self, *arguments: str) -> Result:
        """Run the command."""
        return self.world.run("audit", *arguments)

    def found(self, *arguments: str) -> list[dict[str, Any]]:
        """Return what the command finds."""
        result = self.audit(*arguments, "--json")
        assert result.exit_code == 0, result.output
        records: list[dict[str, Any]] = json.loads(result.stdout)
        return records

    def log(self, text: str, *, ago: float = 60) -> None:
        """Have the function print a line; `ago` in seconds."""
        self._logs.put_log_events(
            logGroupName=GROUP,
            logStreamName="container",
            logEvents=[{"timestamp": int((NOW - ago) * 1000), "message": text}],
        )

    def issued(
        self,
        *,
        room: str = "visit-1",
        client: str = "clinic-a",
        user: str = "user-1",
        kid: str = "kid-1",
        key: str = "0123456789ab",
        lives: float = 3600,
        digest_key: str | None = DIGEST_KEY,
        ago: float = 60,
        took: float = 0,
    ) -> str:
        """Log a token, and return its `jti`.

        Its request began `ago` seconds before now, and took so many; it `lives` from now on.
        """
        jti = str(uuid.uuid4())
        record = _asked(room=room, client=client, user=user, key=key)
        record.issued({"jti": jti, "exp": NOW + lives}, kid, stale=False)
        self.log(_text(record, ago, digest_key), ago=ago - took)
        return jti

    def refused(self) -> None:
        """Log a refusal by the client's policy."""
        record = _asked()
        record.refused(
            field_problem(FORBIDDEN, [field_error("/isModerator", "must be false")]), "/isModerator"
        )
        self.log(_text(record))

    def unread(self) -> None:
        """Log the refusal of a request that was not read."""
        record = RequestLine("meetings", "request-1")
        record.called_by("clinic-a")
        record.refused(invalid_field("/roomName", "must name one room"))
        self.log(_text(record))

    def visited(self, action: str, visit_id: str, *, room: str | None = None) -> None:
        """Log a change of a visit, or a refused click where a `room` is given."""
        record = _asked(room=room) if room else RequestLine("meetings", "request-1")
        record.called_by("clinic-a")
        record.acts(action)
        record.concerns(visit_id)
        if room:
            record.refused(Problem(VISIT_OVER, "The visit is over."))
        else:
            record.done()
        self.log(_text(record))


def _asked(
    *,
    room: str = "visit-1",
    client: str = "clinic-a",
    user: str = "user-1",
    key: str = "0123456789ab",
) -> RequestLine:
    record = RequestLine("meetings", "request-1")
    record.called_by(client, key)
    record.asked(TokenRequest(user_id=user, user_name="Jane", room_name=room), room)
    return record


def _text(record: RequestLine, ago: float = 60, digest_key: str | None = DIGEST_KEY) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        record.write(NOW - ago, 0.01, lambda: digest_key.encode() if digest_key else None)
    return printed.getvalue()


@pytest.fixture
def audited(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[AuditedWorld]:  # noqa: ARG001
    """Return a stack with an audit record."""
    clock = Clock(lambda: NOW, time.sleep)
    monkeypatch.setattr("jitsi_tokens_cli.audit.command.CLOCK", clock)
    with running_world(monkeypatch) as world:
        yield AuditedWorld(world)


def _page(*messages: str, token: str | None = None) -> Answer:
    events = [{"timestamp": NOW * 1000, "message": message} for message in messages]
    return Answer(200, json.dumps({"events": events, **({"nextToken": token} if token else {})}))


def test_a_room_is_found_by_its_name(audited: AuditedWorld) -> None:
    """As people type it: what Jitsi takes for the same room is the same here."""
    jti = audited.issued(room="my%20room")
    audited.issued(room="another-room")

    for typed in ("My Room", "my%20room", "MY%20ROOM"):
        assert [record["jti"] for record in audited.found("--room", typed)] == [jti]


def test_a_user_is_found_by_their_id(audited: AuditedWorld) -> None:
    """The one that the application sent."""
    jti = audited.issued(user="user-1")
    audited.issued(user="user-2")

    assert [record["jti"] for record in audited.found("--user", "user-1")] == [jti]


def test_each_option_narrows(audited: AuditedWorld) -> None:
    """Alone, and all together."""
    jti = audited.issued(client="clinic-a")
    audited.issued(client="clinic-b")
    audited.refused()

    assert len(audited.found()) == 3
    assert len(audited.found("--client", "clinic-a")) == 2
    assert [record["jti"] for record in audited.found("--jti", jti.upper())] == [jti]
    [refused] = audited.found("--outcome", "refused")
    assert (refused["reason"], refused["field"]) == ("forbidden", "/isModerator")
    everything = ("--room", "visit-1", "--user", "user-1", "--outcome", "issued", "--jti", jti)
    assert [record["jti"] for record in audited.found("--client", "clinic-a", *everything)] == [jti]
    assert audited.found("--client", "clinic-b", *everything) == []


def test_an_api_key_leads_to_what_it_asked_for(audited: AuditedWorld) -> None:
    """By its digest, or as much of it as the record has."""
    jti = audited.issued(key="abcdef012345")
    audited.issued()

    for digits in ("ABCDEF012345", "abcdef012345" + "9" * 52):
        assert [record["jti"] for record in audited.found("--key", digits)] == [jti]
    assert "\tabcdef012345\t" in audited.audit().stdout


def test_tokens_whose_end_lies_ahead_are_told_apart(audited: AuditedWorld) -> None:
    """However long ago they were collected; what is over or was refused is not shown."""
    for lives in (-1, 0):
        audited.issued(lives=lives)
    audited.refused()
    collected = audited.issued(ago=13 * DAY, lives=1)
    fresh = audited.issued()

    assert [record["jti"] for record in audited.found("--alive")] == [collected, fresh]
    assert [record["jti"] for record in audited.found("--alive", "--since", "1h")] == [fresh]
    assert "(still alive)" in audited.audit("--alive").stderr


def test_a_window_is_of_the_requests_times(audited: AuditedWorld) -> None:
    """A line is written when its request ends, and counts to when that began."""
    slow = audited.issued(ago=3605, took=15)
    early = audited.issued(ago=3600)
    late = audited.issued(ago=60)

    hour, minute = (time_of((NOW - seconds) * 1000) for seconds in (3600, 60))
    found = audited.found("--since", "2h")
    assert [record["jti"] for record in found] == [slow, early, late]
    found = audited.found("--since", hour, "--until", minute)
    assert [record["jti"] for record in found] == [early]
    found = audited.found("--since", "2h", "--until", hour)
    assert [record["jti"] for record in found] == [slow]


def test_the_oldest_comes_first(audited: AuditedWorld) -> None:
    """By the times of the requests, whichever line was written first."""
    second = audited.issued(ago=300, took=0)
    first = audited.issued(ago=310, took=20)
    third = audited.issued(ago=200)

    assert [record["jti"] for record in audited.found()] == [first, second, third]


def test_other_lines_of_the_log_are_skipped(audited: AuditedWorld) -> None:
    """The runtime's, and what went wrong."""
    jti = audited.issued()
    audited.log(RUNTIME)
    audited.log(LOGGED)

    assert [record["jti"] for record in audited.found()] == [jti]


def test_a_pipe_gets_every_id_in_full(audited: AuditedWorld) -> None:
    """Separated by tabs; what was found is counted on stderr."""
    jti = audited.issued(kid=f"{APP_ID}/4f4910")
    audited.refused()
    [digest] = [record["room"] for record in audited.found("--jti", jti)]

    result = audited.audit()

    headings, issued, refused = (line.split("\t") for line in result.stdout.splitlines())
    assert headings[0] == "time (utc)"
    assert issued[:5] == [time_of((NOW - 60) * 1000), "issued", "clinic-a", "guest", digest]
    assert issued[6:] == [jti, f"{APP_ID}/4f4910", "0123456789ab", time_text(NOW + 3600)]
    assert refused[1:5] == ["refused", "clinic-a", "forbidden /isModerator", digest]
    assert result.stderr.startswith(f"2 records in {GROUP} from ")


def test_a_terminal_gets_a_line_a_record(
    audited: AuditedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its width, with short ids, whole times, and the day of an end on another day."""
    ids = [audited.issued(client="clinic-of-the-north", lives=2 * 86_400) for _ in range(26)]
    audited.refused()
    monkeypatch.setattr("jitsi_tokens_cli.output.is_terminal", lambda _: True)
    monkeypatch.setattr("jitsi_tokens_cli.audit.command.is_terminal", lambda _: True)
    monkeypatch.setenv("COLUMNS", "80")

    lines = audited.audit().stdout.splitlines()

    assert len(lines) == 28
    assert max(map(len, lines)) <= 80
    assert lines[1].startswith(time_text(NOW - 60)[5:19].replace("T", " "))
    assert lines[1].endswith(time_text(NOW + 2 * 86_400)[5:10])
    assert ids[0][:8] in lines[1]
    assert ids[0] in audited.audit("--wide").stdout


def test_csv_holds_the_digests_in_full(audited: AuditedWorld) -> None:
    """A row a record, for a spreadsheet."""
    jti = audited.issued()
    audited.refused()
    digest = audited.found("--jti", jti)[0]["room"]

    result = audited.audit("--csv")

    issued, refused = csv.DictReader(io.StringIO(result.stdout))
    assert (issued["jti"], issued["room"], issued["moderator"]) == (jti, digest, "false")
    assert (refused["outcome"], refused["jti"], refused["room"]) == ("refused", "", digest)


def test_nothing_found_is_no_error(audited: AuditedWorld) -> None:
    """What was searched is said, without the room's name; a script gets an empty result."""
    audited.issued()

    result = audited.audit("--room", "Other Room", "--client", "clinic-a", "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == []
    assert result.stderr.startswith(f"Nothing was found in {GROUP} from ")
    assert result.stderr.endswith(" until now (client clinic-a, the room given).\n")
    assert audited.audit("--room", "other").stdout == ""


def test_what_cannot_be_compared_is_counted(audited: AuditedWorld) -> None:
    """A token of an hour without the digest key may be of the room that is asked for."""
    audited.issued(digest_key=None)
    audited.issued(digest_key=None, client="clinic-b")
    audited.unread()

    result = audited.audit("--room", "visit-1", "--client", "clinic-a")

    assert result.stdout == ""
    assert "1 record could not be compared: the digest key was missing" in result.stderr
    assert "1 record could not be compared: the request was refused before it was" in result.stderr
    assert "could not be compared" not in audited.audit("--client", "clinic-a").stderr


def test_a_visit_is_found_by_its_id(audited: AuditedWorld) -> None:
    """What was done with it, and who was refused; what cannot have a visit, or a room, is left."""
    audited.visited("visit-put", "oe-1")
    audited.visited("visit-put", "oe-2")
    audited.visited("enter", "oe-1", room="visit-1")
    audited.issued()

    result = audited.audit("--visit", "oe-1")

    details = [line.split()[3] for line in result.stdout.splitlines()[1:]]
    assert details == ["visit-put", "visit-over"]
    assert "could not be compared" not in result.stderr
    assert [each["action"] for each in audited.found("--outcome", "done")] == ["visit-put"] * 2
    of_the_room = audited.audit("--room", "visit-1", "--json")
    assert [each.get("action") for each in json.loads(of_the_room.stdout)] == ["enter", None]
    assert "could not be compared" not in of_the_room.stderr


def test_a_limit_says_how_to_go_on(audited: AuditedWorld) -> None:
    """So that nobody takes a part for the whole."""
    audited.issued(ago=300)
    jti = audited.issued(ago=200)
    audited.issued(ago=100)

    result = audited.audit("--limit", "2", "--json")

    last = time_of((NOW - 200) * 1000)
    assert [record["jti"] for record in json.loads(result.stdout)][1:] == [jti]
    assert f"There may be more: go on with --since {last}." in result.stderr
    assert audited.found("--since", last, "--limit", "1")[0]["jti"] == jti


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--csv", "--json"], "Give --csv or --json, not both."),
        (["--since", "yesterday"], "--since takes how long ago"),
        (["--until", "5y"], "--until takes how long ago"),
        (["--client", 'a" || $.x = "'], "lower-case letters, digits and hyphens"),
        (["--key", "0123456789a"], "--key takes 12 to 64 hex digits"),
        (["--key", "0123456789a*"], "--key takes 12 to 64 hex digits"),
        (["--jti", "*"], "--jti takes a token's id"),
        (["--jti", ""], "--jti takes a token's id"),
        (["--room", "*"], "roomName must name one room: a wildcard would open every room."),
        (["--room", "clinic/visit"], "roomName must not hold a slash"),
        (["--room", ""], "roomName is not valid: expected string of length >= 1."),
        (["--room", "x" * 256], "roomName is not valid: expected string of length <= 255."),
        (["--user", "\u202e"], "userId must not hold U+202E, right-to-left override."),
        (["--user", "u" * 129], "userId is not valid: expected string of length <= 128."),
        (["--visit", "oe/1"], "A visit's id is 1 to 128 letters"),
        (["--outcome", "granted"], "'granted' is not one of"),
        (["--limit", "0"], "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    audited: AuditedWorld, arguments: list[str], sentence: str
) -> None:
    """Before anybody is asked: a room as the service refuses it, with the same reason."""
    result = audited.audit(*arguments)

    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())
    assert audited.world.received == []


@pytest.mark.parametrize("option", [[], ["--client", "clinic-a"], ["--room", "visit-1"]])
def test_the_digest_key_is_read_only_where_it_is_needed(
    audited: AuditedWorld, option: list[str]
) -> None:
    """And is shown nowhere."""
    asked: list[str] = []
    key = {"ARN": "arn", "VersionId": "1", "SecretString": DIGEST_KEY, "CreatedDate": NOW}

    def answer(operation: str) -> Answer:
        asked.append(operation)
        return Answer(200, json.dumps(key))

    jti = audited.issued()
    audited.world.with_secrets_manager(answer)

    result = audited.audit(*option)

    assert jti in result.stdout
    assert asked == (["GetSecretValue"] if "--room" in option else [])
    assert DIGEST_KEY not in result.output


@pytest.mark.parametrize(
    ("answer", "exit_code", "sentence"),
    [
        (json_error("AccessDeniedException"), 3, "Missing permission on the digest key"),
        (json_error("ResourceNotFoundException"), 1, "The digest key cannot be read. The"),
        (json_error("InvalidRequestException"), 1, "is scheduled for deletion"),
        (json_error("InternalServiceError"), 3, "The digest key cannot be read. Secrets"),
    ],
)
def test_a_digest_key_that_cannot_be_read_is_one_sentence(
    audited: AuditedWorld, answer: Answer, exit_code: int, sentence: str
) -> None:
    """With what to do, where it is leave that is missing."""
    audited.world.with_secrets_manager(lambda _: answer)

    result = audited.audit("--room", "visit-1")

    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("answer", "exit_code", "sentence"),
    [
        (
            json_error("AccessDeniedException", "User: me is not authorized"),
            3,
            "(AccessDeniedException: User: me is not authorized). The stack's AuditorPolicy",
        ),
        (json_error("ResourceNotFoundException"), 1, f"The log group {GROUP} does not exist"),
        (json_error("InvalidParameterException", "visit-1"), 3, "(InvalidParameterException)."),
    ],
)
def test_a_log_that_cannot_be_read_is_one_sentence(
    audited: AuditedWorld, answer: Answer, exit_code: int, sentence: str
) -> None:
    """Denied, deleted, or whatever else AWS finds."""
    audited.world.with_logs(lambda _: answer)

    result = audited.audit()

    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("output", ["AuditLogGroup", "DigestKeySecret"])
def test_a_stack_of_an_earlier_release_is_told_apart(audited: AuditedWorld, output: str) -> None:
    """It says nothing of its log."""
    del audited.world.outputs[output]

    result = audited.audit("--room", "visit-1")

    assert result.exit_code == 1
    assert f"has no output {output}: it is from an earlier release." in result.stderr


def test_every_page_is_read(audited: AuditedWorld) -> None:
    """An empty one with a token is not the end; CloudWatch Logs gets the whole query."""
    records = [_text(_asked(), ago=90) for _ in range(3)]
    pages = iter([_page(records[0], token="1"), _page(token="2"), _page(*records[1:])])
    audited.world.with_logs(lambda _: next(pages))

    assert len(audited.found("--client", "clinic-a", "--since", "1h", "--until", "1m")) == 3
    sent = [json.loads(request.body) for request in audited.world.received[1:]]
    assert [request.pop("nextToken", None) for request in sent] == [None, "1", "2"]
    assert sent[0] == sent[1] == sent[2]
    assert sent[0] == {
        "logGroupName": GROUP,
        "startTime": (NOW - 3600) * 1000,
        # Of a request that began before the window's end the line may come a little later.
        "endTime": NOW * 1000,
        "filterPattern": '{ $.Requests = 1 && $.client = "clinic-a" }',
    }


def test_a_slow_search_says_that_it_goes_on(
    audited: AuditedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every five seconds at most, and on stderr."""
    ticks = itertools.count(NOW, 3)
    clock = Clock(lambda: next(ticks), time.sleep)
    monkeypatch.setattr("jitsi_tokens_cli.audit.command.CLOCK", clock)
    pages = iter([_page(RUNTIME, token="1"), _page(RUNTIME, token="2"), _page(RUNTIME)])
    audited.world.with_logs(lambda _: next(pages))

    result = audited.audit("--csv")

    assert "... still reading the log, 2 lines so far\n" in result.stderr
    assert result.stdout.count("\n") == 1


def test_an_interrupt_says_how_far_it_came(
    audited: AuditedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was printed until then is not the whole."""
    asked = itertools.count()

    def now() -> float:
        if next(asked) == 2:
            raise KeyboardInterrupt
        return NOW

    monkeypatch.setattr("jitsi_tokens_cli.audit.command.CLOCK", Clock(now, time.sleep))
    first = audited.issued(ago=600)
    audited.issued(ago=60)

    result = audited.audit("--csv")

    assert result.exit_code == 130
    assert first in result.stdout
    assert result.stderr == "Stopped before the end of the log, at 1 record.\n"

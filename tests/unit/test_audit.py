"""What `jitsi-tokens audit` asks for, and how it shows what it finds."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitsi_tokens_cli.audit.command import cell
from jitsi_tokens_cli.audit.search import Query, Record, Window, read_record, read_window, time_of
from jitsi_tokens_cli.errors import UsageError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
EVER = Window(0, None)
# What CloudWatch Logs reads as one condition: a field, and a number or a text in double quotes.
CONDITION = re.compile(r'\$\.(\w+) (?:= (\d+|"(?:[^"\\]|\\.)*")|IS NULL)')
METRICS: dict[str, Any] = {
    "Timestamp": 1_800_000_000_000,
    "CloudWatchMetrics": [{"Namespace": "JitsiTokens"}],
}
LINE: dict[str, Any] = {"_aws": METRICS, "service": "tokens", "outcome": "issued"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30m", "2026-11-22T11:30:00.000Z"),
        ("24h", "2026-11-21T12:00:00.000Z"),
        ("7d", "2026-11-15T12:00:00.000Z"),
        ("999999999d", "1970-01-01T00:00:00.000Z"),
        ("2026-11-01", "2026-11-01T00:00:00.000Z"),
        ("2026-11-01T08:30", "2026-11-01T08:30:00.000Z"),
        ("2026-11-01T08:30:00.25+01:00", "2026-11-01T07:30:00.250Z"),
        ("1911-01-01", "1970-01-01T00:00:00.000Z"),
    ],
)
def test_a_time_is_read_as_people_give_it(text: str, moment: str) -> None:
    """A time back from now, or one of ISO 8601; without a zone, UTC."""
    window = read_window(text, None, NOW)

    assert time_of(window.since) == moment


@pytest.mark.parametrize(
    ("since", "until", "sentence"),
    [
        ("yesterday", None, "--since takes how long ago, such as 30m, 24h or 7d, or an ISO"),
        ("7", None, "zone is UTC unless you give one"),
        ("-7d", None, "--since takes"),
        ("\u0667d", None, "--since takes"),
        ("2026-02-30", None, "--since takes"),
        ("0001-01-01T00:00+14:00", None, "--since takes"),
        ("24h", "9999-12-31T23:59-14:00", "--until takes"),
        ("24h", "soon", "--until takes"),
        ("1h", "2h", "--until must be later than --since"),
        ("1h", "1h", "--until must be later than --since"),
        ("2026-11-23", None, "--since is in the future"),
    ],
)
def test_what_is_no_time_is_refused(since: str, until: str | None, sentence: str) -> None:
    """With the forms that are taken."""
    with pytest.raises(UsageError, match=sentence):
        read_window(since, until, NOW)


@given(st.text(), st.text())
def test_whatever_is_given_as_a_time_is_read_or_refused(since: str, until: str) -> None:
    """And what is read can be told."""
    try:
        window = read_window(since, until, NOW)
    except UsageError:
        return

    assert str(window).startswith("from ")


@given(
    st.dictionaries(st.sampled_from(["client", "jti", "outcome"]), st.text()),
    st.dictionaries(st.sampled_from(["room", "user"]), st.text()),
)
def test_what_is_asked_for_stays_inside_its_quotes(
    fields: dict[str, str], digests: dict[str, str]
) -> None:
    """No value ends its condition, or begins another one."""
    pattern = Query(EVER, fields, digests).pattern()

    read = [(name, json.loads(value)) for name, value in CONDITION.findall(pattern) if value]
    assert read == [("Requests", 1), *fields.items(), *digests.items()]
    assert set(CONDITION.sub("", pattern)) <= set("{}()&| ")


@pytest.mark.parametrize(
    "message",
    [
        "START RequestId: 1 Version: 2\n",
        "",
        "{",
        "[]",
        json.dumps({"level": "ERROR", "service": "tokens"}),
        json.dumps(LINE | {"_aws": METRICS | {"CloudWatchMetrics": [{"Namespace": "Other"}]}}),
        json.dumps(LINE | {"_aws": METRICS | {"Timestamp": "1"}}),
        json.dumps(LINE | {"_aws": METRICS | {"Timestamp": 10**15}}),
        json.dumps(LINE | {"outcome": None}),
        "\ud800",
    ],
)
def test_a_line_of_anything_else_is_no_record(message: str) -> None:
    """The runtime's, a logger's, or another program's metrics."""
    assert read_record(message) is None


def test_a_line_of_another_release_is_a_record() -> None:
    """Fields come and go in six years: what is there is kept."""
    record = read_record(json.dumps(LINE | {"new": 1}) + "\n")

    assert record == Record(1_800_000_000_000, {"service": "tokens", "outcome": "issued", "new": 1})


@given(
    st.one_of(
        st.text(),
        st.from_regex(r"\A[\t\r\n =+\-@\uff0b]+.*"),
        st.none(),
        st.booleans(),
        st.integers(min_value=0),
    )
)
def test_no_cell_is_a_formula(value: Any) -> None:
    """Whatever a field holds; an apostrophe tells a spreadsheet that it is text."""
    text = cell(value)

    assert not text.strip().startswith(("=", "+", "-", "@", "\uff0b"))
    assert all(character.isprintable() or character == "\n" for character in text)
    assert text[:1] != "\n"

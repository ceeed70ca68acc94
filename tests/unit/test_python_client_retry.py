"""The Python client's patience: waits, Retry-After, the end of the time, the limits themselves."""

from __future__ import annotations

import math
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jitsi_tokens_client import Limits, UnavailableError
from jitsi_tokens_client.address import Address
from jitsi_tokens_client.call import Call, is_configured
from jitsi_tokens_client.outcome import Answer, Failure, Reason
from jitsi_tokens_client.retry import backoff_seconds, retry_after_seconds
from jitsi_tokens_client.settings import Settings

SETTINGS = Settings(Address("https://tokens.example.org", "tokens.example.org"), None, None)
TIMED_OUT = Failure(Reason.TIMED_OUT)
CHANCES = st.floats(min_value=0, max_value=1)


def call_of(**limits: float) -> Call[bool]:
    """Return a call under these limits."""
    return is_configured(SETTINGS, Limits(**limits))  # type: ignore[arg-type]


def busy(retry_after: str | None = None, status: int = 503) -> Answer:
    """Return an answer that asks to come again."""
    return Answer(status, "text/html", retry_after, b"")


@given(st.integers(min_value=1, max_value=10**6), CHANCES)
def test_a_wait_is_full_jitter_up_to_two_seconds(attempts: int, chance: float) -> None:
    """0.2, 0.4, 0.8, 1.6, 2, 2, ..."""
    longest = min(2.0, 0.2 * 2 ** min(attempts - 1, 30))

    assert 0 <= backoff_seconds(attempts, chance) <= longest
    assert backoff_seconds(attempts, 1) == longest


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 7 ", 7),
        ("-7", 0),
        ("7" * 999, 10**9),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 10**9),
        (formatdate(1_000_030, usegmt=True), 30),
        (formatdate(999_000, usegmt=True), 0),
        ("Mon, 12 Jan 1970 13:46:50 GMT", 10),
        ("Monday, 12-Jan-70 13:46:50 GMT", 10),
        ("Mon Jan 12 13:46:50 1970", 10),
        *((text, None) for text in ("", "soon", "1.5", "1e3", "\N{SUPERSCRIPT TWO}", "7" * 5000)),
        *((text, None) for text in ("Sun, 99 Foo 2026 08:42:03 GMT", "22 Nov 2026", "Sun")),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: int | None) -> None:
    """A date is read against the clock here; what is malformed counts as not there."""
    assert retry_after_seconds(header, 1_000_000) == seconds


@given(st.text(), st.floats(min_value=0, max_value=4e9))
def test_retry_after_is_never_negative_and_never_breaks(header: str, clock: float) -> None:
    """Whatever stands in it."""
    seconds = retry_after_seconds(header, clock)

    assert seconds is None or seconds >= 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [TIMED_OUT, busy(), busy("0"), busy("1"), busy("3", 429), busy("soon", 502)]
            ),
            st.floats(min_value=0, max_value=8),
            CHANCES,
        ),
        min_size=6,
        max_size=6,
    ),
    st.integers(min_value=1, max_value=6),
)
def test_no_wait_and_no_attempt_outlasts_the_total(
    events: list[tuple[Answer | Failure, float, float]], attempts: int
) -> None:
    """However long the attempts take, within what each may."""
    call = call_of(attempts=attempts)
    now, attempts_made = 100.0, 0
    while call.result is None:
        outcome, taken, chance = events[attempts_made]
        seconds = call.begin(now)
        assert 0 < seconds <= 8
        assert now + seconds <= 120 + 0.001
        now += min(taken, seconds)
        attempts_made += 1
        wait = call.take(outcome, now=now, clock=0, chance=chance)
        if wait is not None:
            asked = outcome.retry_after if isinstance(outcome, Answer) else None
            assert wait >= (int(asked) if asked and asked.isdigit() else 0)
            assert now + wait < 120
            now += wait

    assert attempts_made <= attempts
    assert isinstance(call.result, UnavailableError)


def test_a_wait_that_is_too_long_is_not_begun() -> None:
    """The caller hears at once how long the service asks to wait."""
    call = call_of()
    call.begin(0)

    assert call.take(busy("19"), now=0.5, clock=0, chance=0.5) == pytest.approx(19.1)
    assert call.take(busy("20"), now=0.5, clock=0, chance=0) is None
    assert isinstance(call.result, UnavailableError)
    assert call.result.retry_after_seconds == 20
    assert call.result.status == 503


@given(st.integers(min_value=100, max_value=999).filter(lambda s: s not in {429, 502, 503, 504}))
def test_no_other_status_gets_another_attempt(status: int) -> None:
    """Not even where it has a Retry-After."""
    call = call_of()
    call.begin(0)

    assert call.take(busy("0", status), now=0, clock=0, chance=0) is None
    assert call.result is not None


@pytest.mark.parametrize("reason", list(Reason))
def test_failures_of_the_connection_get_another_attempt(reason: Reason) -> None:
    """A certificate, an address, or an error that nobody knows stays as it is."""
    call = call_of()
    call.begin(0)
    passing = {Reason.TIMED_OUT, Reason.NOT_RESOLVED, Reason.NOT_CONNECTED, Reason.CLOSED}

    wait = call.take(Failure(reason), now=0, clock=0, chance=0)

    assert (wait is not None) is (reason in passing)


@pytest.mark.parametrize("name", ["connect_seconds", "attempt_seconds", "total_seconds"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 86_401])
def test_a_time_is_over_nothing_and_at_most_a_day(name: str, value: float) -> None:
    """Clocks and selectors take no infinity."""
    with pytest.raises(ValueError, match=name):
        call_of(**{name: value})


def test_the_limits_are_these() -> None:
    """Unless others are given."""
    assert (Limits().connect_seconds, Limits().attempt_seconds) == (3, 8)
    assert (Limits().total_seconds, Limits().attempts) == (20, 4)


@pytest.mark.parametrize("attempts", [0, -1, 1.5, True, "2", math.inf])
def test_attempts_are_a_whole_number(attempts: Any) -> None:
    """At least one."""
    with pytest.raises(ValueError, match="attempts must be a whole number, 1 or more"):
        Limits(attempts=attempts)


def test_a_connection_has_a_limit_of_its_own() -> None:
    """Within that of the attempt."""
    request = call_of().request

    for connect_seconds, expected in ((3, 3), (9, 8)):
        timeout = request.arguments(8, connect_seconds)["timeout"]
        assert timeout.as_dict() == {"connect": expected, "read": 8, "write": 8, "pool": 8}

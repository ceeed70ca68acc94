"""The Python client's attempts: waits, Retry-After, the deadline, the limits themselves."""

from __future__ import annotations

import math
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jitsi_tokens_client import ConfigurationError, JitsiTokensError, Limits, UnavailableError
from jitsi_tokens_client.retry import Attempts, backoff_seconds, retry_after_seconds

CHANCES = st.floats(min_value=0, max_value=1)


def busy(seconds: int | None = None) -> UnavailableError:
    """Return the error of a service that asks to come again."""
    return UnavailableError("busy", status=503, retry_after_seconds=seconds)


@given(st.integers(min_value=1, max_value=10**6), CHANCES)
def test_a_wait_is_full_jitter_up_to_two_seconds(attempts: int, chance: float) -> None:
    """0.2, 0.4, 0.8, 1.6, 2, 2, ..."""
    longest = min(2.0, 0.2 * 2 ** min(attempts - 1, 30))

    assert 0 <= backoff_seconds(attempts, chance) <= longest
    assert backoff_seconds(attempts, 1) == longest


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7" * 5000, 10**9),
        (formatdate(1_000_030, usegmt=True), 30),
        ("Mon, 12 Jan 1970 13:46:50 GMT", 10),
        ("Monday, 12-Jan-70 13:46:50 GMT", 10),
        ("Mon Jan 12 13:46:50 1970", 10),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: int | None) -> None:
    """A date counts from the clock here; tests/clients/test_alike.py has more, for PHP too."""
    assert retry_after_seconds(header, 1_000_000) == seconds


@given(st.text(), st.floats(min_value=0, max_value=4e9))
def test_retry_after_is_never_negative_and_never_breaks(header: str, clock: float) -> None:
    """Any text."""
    seconds = retry_after_seconds(header, clock)

    assert seconds is None or seconds >= 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from([UnavailableError("no answer"), busy(), busy(0), busy(1), busy(3)]),
            st.floats(min_value=0, max_value=8),
            CHANCES,
        ),
        min_size=6,
        max_size=6,
    ),
    st.integers(min_value=1, max_value=6),
)
def test_no_wait_and_no_attempt_outlasts_the_total(
    events: list[tuple[UnavailableError, float, float]], most: int
) -> None:
    """However long the attempts take, within what each may."""
    attempts, now = Attempts(Limits(attempts=most), 100), 100.0
    made = 0
    for error, taken, chance in events:
        seconds = attempts.begin(now)
        made += 1
        assert 0 < seconds <= 8
        assert now + seconds <= 120 + 0.001
        now += min(taken, seconds)
        try:
            wait = attempts.wait_after(error, now, chance)
        except UnavailableError:
            break
        assert wait >= (error.retry_after_seconds or 0)
        assert now + wait < 120
        now += wait

    assert made <= most


def test_a_wait_that_is_too_long_is_not_begun() -> None:
    """The caller hears at once how long the service asks to wait."""
    attempts = Attempts(Limits(), 0)
    attempts.begin(0)

    assert attempts.wait_after(busy(19), 0.5, 0.5) == pytest.approx(19.1)
    with pytest.raises(UnavailableError):
        attempts.wait_after(busy(20), 0.5, 0)


@pytest.mark.parametrize("error", [UnavailableError("", status=500), ConfigurationError("")])
def test_another_error_stands(error: JitsiTokensError) -> None:
    """A certificate that does not hold will not hold a moment later."""
    attempts = Attempts(Limits(), 0)
    attempts.begin(0)

    with pytest.raises(type(error)) as raised:
        attempts.wait_after(error, 0, 0)

    assert raised.value is error


@pytest.mark.parametrize("name", ["connect_seconds", "attempt_seconds", "total_seconds"])
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, 86_401])
def test_a_time_is_over_nothing_and_at_most_a_day(name: str, value: float) -> None:
    """Clocks and selectors take no infinity."""
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("attempts", [0, 1.5, True, "2"])
def test_attempts_are_a_whole_number(attempts: Any) -> None:
    """At least one."""
    with pytest.raises(ValueError, match="attempts must be a whole number, 1 or more"):
        Limits(attempts=attempts)

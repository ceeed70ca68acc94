"""What the Python client does not send, the ids that it derives, the time of an appointment."""

from __future__ import annotations

import datetime as dt
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jitsi_tokens_client import Appointment, InvalidRequestError, Secret
from jitsi_tokens_client.body import TokenRequest, encode

KEY = Secret("an-id-key")
HALF_HOUR = dt.timedelta(minutes=30)
NEW_YORK = "America/New_York"
SENT: dict[str, Any] = {"room_name": "visit-1", "user_name": "Zo\u00eb"}


def refusal(**changes: Any) -> InvalidRequestError:
    """Return why nothing is sent."""
    error = encode(TokenRequest(**SENT | changes), KEY)
    assert isinstance(error, InvalidRequestError)
    assert error.status is None
    return error


def derived_id(key: str, **changes: Any) -> str:
    """Return the id that is sent of a user of whom none is given."""
    content = encode(TokenRequest(**SENT | changes), Secret(key))
    assert isinstance(content, bytes)
    user_id: str = json.loads(content)["userId"]
    return user_id


def local(date: str, time: str, zone: str = NEW_YORK, **lengths: Any) -> Appointment:
    """Return an appointment of half an hour at a local time."""
    day, hour = dt.date.fromisoformat(date), dt.time.fromisoformat(time)
    return Appointment.local(day, hour, zone, **{"duration": HALF_HOUR} | lengths)


def instant(text: str) -> int:
    """Return epoch seconds."""
    return int(dt.datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("room_name", "/roomName"),
        ("user_name", "/userName"),
        ("user_email", "/userEmail"),
        ("user_avatar", "/userAvatar"),
        ("user_id", "/userId"),
    ],
)
@pytest.mark.parametrize("value", ["a\ud800", "\udfff", b"bytes", 7])
def test_a_string_that_is_none_is_not_sent(name: str, pointer: str, value: object) -> None:
    """Half a character, or another type; the message does not repeat it."""
    error = refusal(**{name: value})

    assert error.field == pointer
    assert str(error).isascii()


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("is_moderator", "false", "/isModerator"),
        ("is_moderator", 1, "/isModerator"),
        ("expiration_seconds", 60.5, "/expirationSeconds"),
        ("expiration_seconds", True, "/expirationSeconds"),
        ("not_before", 2**63, "/notBefore"),
        ("not_before", "now", "/notBefore"),
        ("features", {"recording": "no"}, "/features"),
        ("features", {"\ud800": True}, "/features"),
        ("features", {1: True}, "/features"),
        ("features", ["recording"], "/features"),
        ("features", "recording", "/features"),
        ("appointment", "tomorrow", "/appointment"),
        ("appointment", 0, "/appointment"),
    ],
)
def test_another_type_is_not_sent(name: str, value: object, pointer: str) -> None:
    """The string "false" would make a moderator."""
    assert refusal(**{name: value}).field == pointer


def test_an_id_as_it_was_computed_elsewhere() -> None:
    """By openssl dgst -sha256 -hmac: a change here would give all users new ids."""
    of_email = derived_id("0123456789abcdef", user_email="Jane.Doe@Example.ORG")
    of_name = derived_id("0123456789abcdef", user_name="Jane Doe", room_name="visit-1")

    assert of_email == "0ae2734da3fb78f807a8625184ce1ad314c00a3e4cf4c3a2315276e320b1763d"
    assert of_name == "cc08efb329345371248b6e2a0e6492f18bed25d9fce199f3ad41ac6e2c93b0af"


def test_a_key_of_any_bytes_gives_an_id() -> None:
    """os.environ keeps what is no UTF-8 as surrogates."""
    derived = derived_id("\udcff", user_email=" \u0130A ")

    assert derived == hmac.digest(b"\xff", "email\n \u0130a ".encode(), "sha256").hex()


@pytest.mark.parametrize(
    ("date", "time", "starts_at"),
    [
        ("2026-01-05", "09:00", "2026-01-05T09:00:00-05:00"),
        ("2026-07-06", "09:00", "2026-07-06T09:00:00-04:00"),
        # Spring: 02:00 becomes 03:00.
        ("2026-03-08", "01:59:59", "2026-03-08T01:59:59-05:00"),
        ("2026-03-08", "02:00", "2026-03-08T03:00:00-04:00"),
        ("2026-03-08", "02:30", "2026-03-08T03:30:00-04:00"),
        ("2026-03-08", "03:00", "2026-03-08T03:00:00-04:00"),
        # Autumn: 02:00 becomes 01:00, and the first 01:30 is meant.
        ("2026-11-01", "00:59:59", "2026-11-01T00:59:59-04:00"),
        ("2026-11-01", "01:00", "2026-11-01T01:00:00-04:00"),
        ("2026-11-01", "01:30", "2026-11-01T01:30:00-04:00"),
        ("2026-11-01", "02:00", "2026-11-01T02:00:00-05:00"),
    ],
)
def test_a_local_time_around_daylight_saving(date: str, time: str, starts_at: str) -> None:
    """The window is counted in seconds, not by the clock on the wall."""
    appointment = local(date, time)

    assert appointment.not_before == instant(starts_at) - 900
    assert appointment.expiration_seconds == 900 + 1800 + 1800


@given(
    st.datetimes(
        min_value=dt.datetime(1990, 1, 1),  # noqa: DTZ001
        max_value=dt.datetime(2100, 1, 1),  # noqa: DTZ001
    ),
    *(st.timedeltas(dt.timedelta(), dt.timedelta(days=2)) for _ in range(3)),
)
def test_a_window_is_a_sum_of_whole_seconds(
    moment: dt.datetime, duration: dt.timedelta, early: dt.timedelta, overrun: dt.timedelta
) -> None:
    """In any zone."""
    appointment = Appointment.local(
        moment.date(), moment.time(), NEW_YORK, duration, early, overrun
    )

    lengths = [int(length.total_seconds()) for length in (early, duration, overrun)]
    assert appointment.expiration_seconds == sum(lengths)
    assert appointment.not_before + lengths[0] == appointment.start.timestamp() // 1


def test_the_second_of_two_equal_times_can_be_given_as_such() -> None:
    """An aware datetime says which it is; a `fold` of a local time does not count."""
    second = dt.datetime.fromisoformat("2026-11-01T01:30:00-05:00")
    folded = Appointment.local(dt.date(2026, 11, 1), dt.time(1, 30, fold=1), NEW_YORK, HALF_HOUR)

    assert (
        Appointment(second, HALF_HOUR).not_before == local("2026-11-01", "01:30").not_before + 3600
    )
    assert folded.not_before == local("2026-11-01", "01:30").not_before


@pytest.mark.parametrize("length", ["duration", "early", "overrun"])
@pytest.mark.parametrize("days", [-1, 32])
def test_no_length_is_negative_or_endless(length: str, days: int) -> None:
    """It would end before it began, or never."""
    with pytest.raises(ValueError, match=length):
        local("2026-01-05", "09:00", NEW_YORK, **{length: dt.timedelta(days=days)})


def test_an_appointment_is_of_our_time() -> None:
    """Before 1970 there are no epoch seconds."""
    with pytest.raises(ValueError, match="1970"):
        local("1969-12-30", "09:00", NEW_YORK)


@pytest.mark.parametrize("zone", ["a\0b", "\ud800", "Tur\u212aey"])
def test_a_zone_is_named_in_ascii(zone: str) -> None:
    """The Kelvin sign is no k; tests/clients tries what can be given to PHP too."""
    with pytest.raises(ValueError, match="time_zone"):
        local("2026-01-05", "09:00", zone)


def test_a_start_has_a_zone_and_a_local_time_has_none() -> None:
    """Whose clock is meant must be said once."""
    with pytest.raises(ValueError, match="aware"):
        Appointment(dt.datetime(2026, 1, 5, 9), HALF_HOUR)  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        Appointment.local(dt.date(2026, 1, 5), dt.time(9, tzinfo=dt.UTC), NEW_YORK, HALF_HOUR)

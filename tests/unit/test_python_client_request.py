"""What the Python client refuses to send, the ids that it derives, and appointments."""

from __future__ import annotations

import datetime as dt
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jitsi_tokens_client import Appointment, InvalidRequestError, Secret
from jitsi_tokens_client.request import TokenRequest

HALF_HOUR = dt.timedelta(minutes=30)
NEW_YORK = "America/New_York"
SENT: dict[str, Any] = {"room_name": "visit-1", "user_name": "Zo\u00eb"}


def derived_id(key: str, **changes: Any) -> str:
    """Return the user id that is sent if none is given."""
    user_id: str = json.loads(TokenRequest(**SENT | changes).body(Secret(key)))["userId"]
    return user_id


def local(date: str, time: str, **lengths: Any) -> Appointment:
    """Return an appointment in New York."""
    day, hour = dt.date.fromisoformat(date), dt.time.fromisoformat(time)
    return Appointment.local(day, hour, NEW_YORK, **{"duration": HALF_HOUR} | lengths)


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("room_name", "a\ud800", "/roomName"),
        ("user_name", None, "/userName"),
        ("user_email", b"bytes", "/userEmail"),
        ("user_avatar", 7, "/userAvatar"),
        ("user_id", "\udfff", "/userId"),
        ("is_moderator", "false", "/isModerator"),
        ("is_moderator", 1, "/isModerator"),
        ("features", {"recording": "no"}, "/features"),
        ("features", {"\ud800": True}, "/features"),
        ("features", {1: True}, "/features"),
        ("features", ["recording"], "/features"),
    ],
)
def test_a_wrong_type_is_not_sent(name: str, value: object, pointer: str) -> None:
    """The string "false" would make a moderator. The message does not repeat the value."""
    with pytest.raises(InvalidRequestError) as raised:
        TokenRequest(**SENT | {name: value}).body(Secret("key"))

    assert raised.value.field == pointer
    assert raised.value.status is None
    assert str(raised.value).isascii()


def test_an_id_as_it_was_computed_elsewhere() -> None:
    """By openssl dgst -sha256 -hmac: a change here would give all users new ids."""
    of_email = derived_id("0123456789abcdef", user_email="Jane.Doe@Example.ORG")
    of_name = derived_id("0123456789abcdef", user_name="Jane Doe", room_name="visit-1")

    assert of_email == "0ae2734da3fb78f807a8625184ce1ad314c00a3e4cf4c3a2315276e320b1763d"
    assert of_name == "cc08efb329345371248b6e2a0e6492f18bed25d9fce199f3ad41ac6e2c93b0af"


def test_a_key_of_any_bytes_gives_an_id() -> None:
    """os.environ keeps bytes that are not UTF-8 as surrogates."""
    derived = derived_id("\udcff", user_email=" \u0130A ")

    assert derived == hmac.digest(b"\xff", "email\n \u0130a ".encode(), "sha256").hex()


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
    """Around daylight-saving time too."""
    appointment = Appointment.local(
        moment.date(), moment.time(), NEW_YORK, duration, early, overrun
    )

    lengths = [int(length.total_seconds()) for length in (early, duration, overrun)]
    assert appointment.expiration_seconds == sum(lengths)
    assert appointment.not_before + lengths[0] == appointment.start.timestamp() // 1


def test_the_second_of_two_equal_times_is_an_aware_datetime() -> None:
    """The `fold` of a local time does not count."""
    first = local("2026-11-01", "01:30").not_before
    second = dt.datetime.fromisoformat("2026-11-01T01:30:00-05:00")
    folded = Appointment.local(dt.date(2026, 11, 1), dt.time(1, 30, fold=1), NEW_YORK, HALF_HOUR)

    assert Appointment(second, HALF_HOUR).not_before == first + 3600
    assert folded.not_before == first


@pytest.mark.parametrize("length", ["duration", "early", "overrun"])
@pytest.mark.parametrize("days", [-1, 32])
def test_no_length_is_negative_or_over_31_days(length: str, days: int) -> None:
    """Each is named."""
    with pytest.raises(ValueError, match=length):
        local("2026-01-05", "09:00", **{length: dt.timedelta(days=days)})


def test_a_start_has_a_zone_and_a_local_time_has_none() -> None:
    """And it is after 1970."""
    with pytest.raises(ValueError, match="aware"):
        Appointment(dt.datetime(2026, 1, 5, 9), HALF_HOUR)  # noqa: DTZ001
    with pytest.raises(ValueError, match="naive"):
        Appointment.local(dt.date(2026, 1, 5), dt.time(9, tzinfo=dt.UTC), NEW_YORK, HALF_HOUR)
    with pytest.raises(ValueError, match="1970"):
        local("1969-12-30", "09:00")

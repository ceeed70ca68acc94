"""What happens in a visit at the same time: each race many times, with both ends of it."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.stack.service import LINKS, ROOMS
from tests.stack.visits import (
    DOCTOR,
    RELATIVE,
    Visits,
    body,
    claims_of,
    kind,
    links_of,
    token_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.stack.service import Service

pytestmark = [pytest.mark.stack, pytest.mark.slow]

ROUNDS = 50
AT_ONCE = 10
STEP_SECONDS = 0.005


@pytest.fixture(scope="module")
def record(self_hosted: Service) -> Visits:
    """Return a health record, and have as many containers as will be asked at once."""
    api_key = self_hosted.add_client("races", "--visits", "--moderator")
    record = Visits(self_hosted, api_key, "races")
    link = links_of(record.put("warm", admission="on-time"))["patient"]
    for call in (partial(record.get, "warm"), partial(record.join, "warm")):
        at_once(call, AT_ONCE)
    at_once(partial(record.status, link), AT_ONCE)
    return record


def at_once[T](call: Callable[[], T], times: int) -> list[T]:
    """Return the answers of a call that ten make at the same time, as often as is asked for."""
    start = threading.Barrier(AT_ONCE)

    def called(_: int) -> T:
        start.wait()
        return call()

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return list(threads.map(called, range(times)))


def pressed(press: Callable[[], httpx.Response]) -> httpx.Response:
    """Press until API Gateway has time for it."""
    while (answer := press()).status_code == 429:
        pass
    return answer


class Race:
    """A change of the health record's against somebody who presses until it is answered.

    The winner starts later in the next round, until each wins by turns.
    """

    def __init__(self) -> None:
        self._head_start = 0.0  # in seconds, of the presses; of the change where below 0
        self.seen = Counter[str | int]()

    def run(
        self, change: Callable[[], httpx.Response], press: Callable[[], httpx.Response]
    ) -> tuple[httpx.Response, list[httpx.Response], httpx.Response]:
        """Return the answer to the change, the presses before it with a token, the one after it."""
        start, is_answered = threading.Barrier(2), threading.Event()

        def changes() -> httpx.Response:
            start.wait()
            time.sleep(max(0, self._head_start))
            answer = change()
            is_answered.set()
            return answer

        def presses() -> list[httpx.Response]:
            start.wait()
            time.sleep(max(0, -self._head_start))
            answers = [pressed(press)]
            while not is_answered.is_set():
                answers.append(pressed(press))
            return [*answers, pressed(press)]

        with ThreadPoolExecutor(2) as threads:
            changing, pressing = threads.submit(changes), threads.submit(presses)
        *meanwhile, after = pressing.result()
        self.seen.update(answer.status_code for answer in meanwhile)
        return changing.result(), [each for each in meanwhile if each.is_success], after

    def won(self, *, press: bool) -> None:
        """Note who has won a round."""
        self.seen["press" if press else "change"] += 1
        self._head_start += -STEP_SECONDS if press else STEP_SECONDS


@pytest.fixture
def race() -> Iterator[Race]:
    """Return a race; print who won how often: where it is always the same one, it was no race."""
    race = Race()
    yield race
    print(dict(race.seen))  # noqa: T201 - seen with -s, and where a test fails
    assert race.seen["press"] * race.seen["change"] > 0
    assert not [each for each in race.seen if isinstance(each, int) and each >= 500]


def tokens_of(answers: list[httpx.Response]) -> list[dict[str, Any]]:
    """Return what the tokens in answers say, of enter or of join."""
    return [
        claims_of(answer.json()["token"] if "token" in answer.json() else token_of(answer))
        for answer in answers
    ]


def putting(record: Visits, visit_id: str, **changes: Any) -> Callable[[], httpx.Response]:
    """Return a PUT that always sends the same."""
    return partial(record.call, "PUT", f"/{visit_id}", json=body(**changes))


def document_of(item: dict[str, Any]) -> dict[str, Any]:
    """Return what the health record made of a visit."""
    return dict(json.loads(item["document"]["S"]))


def room_of(record: Visits, visit_id: str) -> str:
    """Return a visit's room, which is in no log."""
    room = str(document_of(record.item(visit_id))["room"])
    ROOMS.append(room)
    return room


def test_a_link_gives_ten_tokens_a_minute_to_twenty_who_press_at_once(record: Visits) -> None:
    """The others are asked to wait."""
    for number in range(3):
        visit = f"pressed-{number}"
        link = links_of(record.put(visit, admission="on-time"))["patient"]

        answers = at_once(partial(record.enter, link), 2 * AT_ONCE)

        given = tokens_of([answer for answer in answers if answer.is_success])
        assert {answer.status_code for answer in answers} <= {200, 429}
        assert max(Counter(claims["iat"] // 60 for claims in given).values()) == 10


def test_ten_puts_make_one_visit(record: Visits) -> None:
    """One set of links, one room, one answer 201, and nobody is sent away."""
    answers = Counter[int]()
    for number in range(ROUNDS):
        put = putting(record, f"put-{number}")
        made = at_once(put, AT_ONCE)
        assert all(links_of(each.json()) == links_of(made[0].json()) for each in made)
        LINKS.extend(links_of(made[0].json()).values())
        answers.update(each.status_code for each in made)

    assert answers == {201: ROUNDS, 200: ROUNDS * (AT_ONCE - 1)}
    beside = Counter(
        (item["visit"]["S"], id_[:2]) for id_, item in record.items().items() if "visit" in item
    )
    for number in range(ROUNDS):
        assert (beside[f"put-{number}", "R#"], beside[f"put-{number}", "L#"]) == (1, 3)


@pytest.mark.parametrize("days", [21, 1 / 48], ids=["three-weeks", "half-an-hour"])
def test_a_visit_is_moved_when_a_guest_enters(record: Visits, race: Race, days: float) -> None:
    """Nobody is in another room than the visit's, unless they are out long before it opens."""
    for number in range(ROUNDS):
        visit = f"moved-{number}-{days:.0f}"
        links = links_of(record.put(visit, admission="on-time"))
        before = room_of(record, visit)
        if days > 1:  # Then it does not change until when somebody is inside.
            record.enter(links["relative"])
        change = putting(record, visit, admission="on-time", starts_in=300 + days * 86400)

        _, admitted, after = race.run(change, partial(record.enter, links["patient"]))

        item = record.item(visit)
        room = document_of(item)["room"]
        assert {each["room"] for each in tokens_of(admitted)} <= {before}
        race.won(press=bool(admitted))
        if admitted and days < 1:
            assert room == before
            assert tokens_of([after])[0]["room"] == room
        else:
            assert room != before
            assert kind(after) == (409, "too-early")
            assert not [name for name in item if "#" in name or name == "inside_until"]


def test_a_guest_is_left_out_when_they_enter(record: Visits, race: Race) -> None:
    """They have a token and were noted, or have none and were not."""
    for number in range(ROUNDS):
        visit = f"left-out-{number}"
        link = links_of(record.put(visit, admission="on-time"))["patient"]
        change = putting(record, visit, admission="on-time", participants=[DOCTOR, RELATIVE])

        _, admitted, after = race.run(change, partial(record.enter, link))

        item = record.item(visit)
        assert kind(after) == (404, "link-replaced")
        assert document_of(item)["members"]["patient"]["revoked"] is True
        assert ("joined#patient" in item) == ("inside_until" in item) == bool(admitted)
        race.won(press=bool(admitted))


def test_a_visit_is_moved_when_the_doctor_joins(record: Visits, race: Race) -> None:
    """The guest is offered the room that the doctor is in, whichever it is."""
    for number in range(ROUNDS):
        visit = f"joined-{number}"
        link = links_of(record.put(visit))["patient"]
        before = room_of(record, visit)
        change = putting(record, visit, starts_in=600)

        _, admitted, after = race.run(change, partial(record.join, visit))

        room = room_of(record, visit)
        assert record.status(link).json()["canEnter"] is True
        tokens = tokens_of([*admitted, after, record.enter(link)])
        assert {each["room"] for each in tokens} == {room}
        race.won(press=room == before)


def test_a_link_is_replaced_when_it_is_opened(record: Visits, race: Race) -> None:
    """Each token is known by the generation of the link that it was for."""
    for number in range(ROUNDS):
        visit = f"replaced-{number}"
        old = links_of(record.put(visit, admission="on-time"))["patient"]

        changed, admitted, after = race.run(
            partial(record.call, "POST", f"/{visit}/participants/patient/new-link"),
            partial(record.enter, old),
        )

        new = links_of(changed.json())["patient"]
        LINKS.append(new)
        assert kind(after) == (404, "link-replaced")
        for link, generation, answers in ((old, 1, admitted), (new, 2, [record.enter(new)])):
            hashed = f"L#{hashlib.sha256(link.encode()).hexdigest()}"
            for id_ in (hashed, *(f"J#{each['jti']}" for each in tokens_of(answers))):
                assert record.row(id_)["generation"]["N"] == str(generation)
        race.won(press=bool(admitted))


def test_a_visit_is_cancelled_when_the_doctor_joins(record: Visits, race: Race) -> None:
    """The doctor has a token and was noted, or has none and was not."""
    for number in range(ROUNDS):
        visit = f"cancelled-{number}"
        record.put(visit)

        _, admitted, after = race.run(
            partial(record.call, "DELETE", f"/{visit}"), partial(record.join, visit)
        )

        item = record.item(visit)
        assert kind(after) == (409, "visit-cancelled")
        assert ("joined#doctor" in item) == ("joined_at" in item) == bool(admitted)
        if admitted:  # The cancellation came later, and knew of it.
            assert document_of(item)["plan"]["joins_after"] >= int(item["joined_at"]["N"])
        race.won(press=bool(admitted))

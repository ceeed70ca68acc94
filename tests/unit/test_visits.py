"""A visit's rules, played by a health record, a doctor, a patient and a relative."""
# ruff: noqa: D102 - a rule says by its name what happens

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from jitsi_tokens.core import links, visit_records, visits
from jitsi_tokens.core.problems import Problem
from jitsi_tokens.core.visit_requests import ParticipantBody, VisitBody, check_visit
from jitsi_tokens.core.visits import Entry, Facts, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = 1_800_000_000
MINUTE = 60
DAY = 24 * 3600
PEOPLE = ("doctor", "patient", "daughter")


def _body(**changed: Any) -> VisitBody:
    starts_at = datetime.fromtimestamp(changed.pop("starts_at", NOW), UTC)
    document: dict[str, Any] = {
        "startsAt": starts_at.isoformat(),
        "durationMinutes": 30,
        "timeZone": "Europe/Vienna",
        "contact": {"name": "Praxis", "phone": "1"},
        "participants": [_participant("doctor", isModerator=True), _participant("patient")],
    }
    body = msgspec.convert(document | changed, VisitBody)
    check_visit(body, NOW)
    return body


def _participant(id_: str, **more: Any) -> dict[str, Any]:
    return {"participantId": id_, "userName": id_.title(), **more}


def _drawing() -> Any:
    numbers = itertools.count(1)
    return lambda: f"drawn-{next(numbers)}"


class Token(NamedTuple):
    """A token that somebody got: for which room, until when."""

    room: str
    ends_at: int


class Clinic(RuleBasedStateMachine):
    """A health record, a doctor, a patient and a relative, who do anything in any order."""

    @initialize(admission=st.sampled_from(["with-moderator", "on-time"]))
    def begin(self, admission: str) -> None:
        self.now = NOW - 3600
        self.draw = _drawing()
        self.admission = admission
        self.body = _body(admission=admission)
        self.facts = Facts()
        self.visit = visit_records.put(None, self.body, self.facts, self.now, self.draw).visit
        self.tokens: list[Token] = []
        self.dead: set[str] = set()
        # When the last moderator's token was made that no end and no cancelling has undone.
        self.moderated_at: int | None = None

    def _take(self, change: visit_records.Change) -> None:
        before = self._links()
        self.visit = change.visit
        if change.forgets:
            # Who is still in the old room is out before the new window opens.
            opens_at = change.visit.plan.window.opens_at
            assert all(token.ends_at < opens_at for token in self.tokens)
            self.tokens.clear()
            self.facts = Facts()
            self.moderated_at = None
        self.dead |= before - self._links()

    def _change(self, change: Callable[[], visit_records.Visit]) -> bool:
        """Change the visit; return False where that is refused."""
        try:
            self._take(visit_records.Change(change()))
        except Problem:
            return False
        return True

    def _links(self) -> set[str]:
        return {self._link(id_) for id_ in self.visit.active}

    def _link(self, id_: str) -> str:
        member = self.visit.members[id_]
        holder = links.Holder("s", "c", "v", self.visit.instance, id_, member.generation)
        return links.derive(b"key", holder)

    @rule(minutes=st.sampled_from([1, 7, 29, 61, 300, 1439]))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @rule(
        minutes=st.one_of(st.sampled_from([0, 5, 15, 60, -30]), st.integers(-900, 3000)),
        duration=st.sampled_from([15, 30, 60, 600]),
        participants=st.one_of(st.none(), st.sets(st.sampled_from(PEOPLE))),
    )
    def the_calendar_changes(
        self, minutes: int, duration: int, participants: set[str] | None
    ) -> None:
        changed: dict[str, Any] = {"durationMinutes": duration}
        if participants is not None:
            changed["participants"] = [
                _participant(id_, isModerator=id_ == "doctor") for id_ in sorted(participants)
            ]
        starts_at = self.visit.plan.starts_at + minutes * MINUTE
        body = _body(starts_at=starts_at, admission=self.admission, **changed)
        if participants is None:
            body = msgspec.structs.replace(body, participants=msgspec.UNSET)
        try:
            change = visit_records.put(self.visit, body, self.facts, self.now, self.draw)
        except Problem:
            return
        self._take(change)
        self.body = body
        again = visit_records.put(self.visit, body, self.facts, self.now, self.draw)
        assert again == visit_records.Change(self.visit), "a repeated call changes nothing"

    @rule(minutes=st.sampled_from([0, 20, 600]))
    def it_is_late(self, minutes: int) -> None:
        self._change(lambda: visit_records.delayed(self.visit, minutes))

    @rule()
    def it_is_cancelled(self) -> None:
        assert self._change(lambda: visit_records.cancelled(self.visit, self.facts, self.now, None))
        self.moderated_at = None
        assert not any(member.participant for member in self.visit.members.values())
        assert isinstance(self._enters("patient"), Refused)

    @rule()
    def it_is_ended(self) -> None:
        if self._change(lambda: visit_records.ended(self.visit, self.facts, self.now, "done")):
            self.moderated_at = None
            assert isinstance(self._enters("patient"), Refused)

    @rule(id_=st.sampled_from(PEOPLE))
    def somebody_is_put_on_the_day(self, id_: str) -> None:
        body = ParticipantBody(user_name=id_, is_moderator=id_ == "doctor")
        self._change(lambda: visit_records.with_participant(self.visit, id_, body, self.draw))

    @rule(id_=st.sampled_from(PEOPLE))
    def somebody_is_revoked(self, id_: str) -> None:
        self._change(lambda: visit_records.without_participant(self.visit, id_))

    @rule(id_=st.sampled_from(PEOPLE))
    def somebody_gets_a_new_link(self, id_: str) -> None:
        self._change(lambda: visit_records.with_new_link(self.visit, id_))

    def _enters(self, id_: str) -> Entry | Refused:
        plan = self.visit.plan
        if self.visit.members.get(id_) and self.visit.members[id_].is_moderator:
            return visits.moderator_enters(plan, self.facts, self.now)
        return visits.guest_enters(plan, self.facts, self.now)

    @rule(id_=st.sampled_from(PEOPLE))
    def somebody_opens_a_link(self, id_: str) -> None:
        if id_ in self.visit.active:
            self._admit(id_, self._enters(id_))

    @rule()
    def the_doctor_joins(self) -> None:
        member = self.visit.active.get("doctor")
        if member and member.is_moderator:
            entry = visits.moderator_joins(self.visit.plan, self.facts, self.now)
            window = self.visit.plan.window
            near = window.opens_at - DAY <= self.now < window.closes_at + DAY
            assert isinstance(entry, Entry) == (near and not self.visit.plan.cancelled)
            self._admit("doctor", entry)

    def _admit(self, id_: str, entry: Entry | Refused) -> None:
        plan = self.visit.plan
        if isinstance(entry, Refused):
            return
        assert not plan.cancelled
        assert entry.closes_at > self.now
        if self.visit.members[id_].is_moderator:
            self.moderated_at = self.now
        elif self.admission == "with-moderator":
            assert self.moderated_at is not None, "no guest without a moderator"
        if not self.visit.members[id_].is_moderator:
            stretch = self.moderated_at is not None and plan.stretch(self.moderated_at)
            assert plan.window.holds(self.now) or (stretch and stretch.holds(self.now))
        self.facts = entry.facts
        self.tokens.append(Token(self.visit.room, entry.closes_at))

    @invariant()
    def nobody_is_in_another_room(self) -> None:
        assert {token.room for token in self.tokens} <= {self.visit.room}

    @invariant()
    def no_dead_link_comes_alive(self) -> None:
        assert not self.dead & self._links()


def _play(examples: int) -> None:
    limits = settings(max_examples=examples, stateful_step_count=50, deadline=None)
    run_state_machine_as_test(Clinic, settings=limits)


def test_nobody_gets_in_who_must_not() -> None:
    """In 3,000 steps of anything in any order."""
    _play(60)


@pytest.mark.slow
def test_nobody_gets_in_who_must_not_for_long() -> None:
    """In 50,000."""
    _play(1000)

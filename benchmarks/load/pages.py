"""Patients' pages that wait, and a moderator who lets them in. Locust loads this file.

RECORD_API_KEY      of the client whose visits they are
LINKS               the secrets of the guests' links, by the visit's id, as JSON
LOAD_ROW            the file to write a row for each kind of call to, as JSON: how many answers 200,
                    429 and others; p50, p95, p99 and the longest of their times in milliseconds
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

from locust import FastHttpUser, constant, events
from locust.exception import StopUser

_LINKS: dict[str, list[str]] = json.loads(os.environ["LINKS"])
_RECORD = {"Authorization": f"Bearer {os.environ['RECORD_API_KEY']}"}
# Between two visits that open.
_PAUSE_SECONDS = 5
# How long a page waits before it asks again: after no answer, or 429; and once it has entered.
_AGAIN_SECONDS = 5
_IN_SECONDS = 30
# The emulator closes a connection after 5 seconds, just when the page asks again.
_CLOSE = {"Connection": "close"}
_OK, _TOO_MANY = 200, 429
# `offer` is no call: its time is from the answer to a moderator's join to the answer that a guest
# may enter.
_ANSWERS: dict[str, Counter[int]] = {
    name: Counter() for name in ("join", "status", "enter", "offer")
}
_ALL_PAGES_ARE_OPEN = threading.Event()
# When each visit's moderator was answered, by the monotonic clock.
_OPENED: dict[str, float] = {}


class Page(FastHttpUser):  # type: ignore[misc] # locust has an environment of its own
    """A page that asks again when it was told to, and clicks once, as soon as it may."""

    connection_timeout = network_timeout = 30
    links = iter([(visit, link) for visit, links in _LINKS.items() for link in links])

    def on_start(self) -> None:
        """Open a link of its own."""
        self.visit, link = next(self.links)
        self.sent = {"link": link, "page": str(uuid.uuid4())}
        self.asked, self.pause, self.is_offered, self.is_in = 0, 0, False, False

    def wait_time(self) -> float:
        """Return what the last answer said, in seconds."""
        return self.pause

    def ask(self) -> None:
        """Ask what to show, and enter where the answer offers it."""
        answer = self._post("status", self.sent | {"asked": self.asked})
        self.asked += 1
        self.pause = answer.get("nextSeconds", _AGAIN_SECONDS)
        if self.is_in or not answer.get("canEnter"):
            return
        if not self.is_offered:
            self.is_offered = True
            now = time.monotonic()
            # The offer may come before the moderator's own answer.
            waited = (now - _OPENED.get(self.visit, now)) * 1000
            self.environment.stats.log_request("POST", "offer", waited, 0)
            _ANSWERS["offer"][_OK] += 1
        if self._post("enter", self.sent):
            self.is_in, self.pause = True, _IN_SECONDS

    tasks: ClassVar[list[Any]] = [ask]

    def _post(self, what: str, sent: dict[str, Any]) -> dict[str, Any]:
        """Return the answer; nothing where it is none of 200."""
        answer = self.client.post(f"/join/{what}", name=what, json=sent, headers=_CLOSE)
        _ANSWERS[what][answer.status_code] += 1
        return dict(answer.json()) if answer.status_code == _OK else {}


class Moderator(FastHttpUser):  # type: ignore[misc]
    """Opens the visits, one after the other."""

    fixed_count = 1
    wait_time = constant(_PAUSE_SECONDS)
    visits = iter(_LINKS)

    def on_start(self) -> None:
        """Wait for the pages."""
        _ALL_PAGES_ARE_OPEN.wait()

    def let_in(self) -> None:
        """Press the button in the health record."""
        visit = next(self.visits, None)
        if visit is None:
            raise StopUser
        path = f"/api/visits/{visit}/participants/doctor/join"
        answer = self.client.post(path, name="join", headers=_RECORD | _CLOSE)
        _OPENED[visit] = time.monotonic()
        _ANSWERS["join"][answer.status_code] += 1

    tasks: ClassVar[list[Any]] = [let_in]


def _end(environment: Any, **_: object) -> None:
    seen = {}
    for name, answers in _ANSWERS.items():
        times = environment.stats.get(name, "POST")
        others = answers.total() - answers[_OK] - answers[_TOO_MANY]
        percentiles = [times.get_response_time_percentile(n / 100) for n in (50, 95, 99)]
        longest = times.max_response_time
        seen[name] = [answers[_OK], answers[_TOO_MANY], others, *percentiles, longest]
    Path(os.environ["LOAD_ROW"]).write_text(json.dumps(seen))


events.spawning_complete.add_listener(lambda **_: _ALL_PAGES_ARE_OPEN.set())
events.quitting.add_listener(_end)

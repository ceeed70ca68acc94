"""Callers that ask at the same time, again and again, and keep what became of each request."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple, Self

import httpx

from tests.faults.figures import GOOD, UNEXPECTED, Request, figures_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.figures import Figures

_PATIENCE_SECONDS = 90


class Group(NamedTuple):
    """Callers of one kind.

    Attributes:
        asks: what each caller does to ask once, and which returns the kind of answer.
        pause_seconds: from an answer to the next request.
        first_answers: good ones of each, before anything counts.
    """

    name: str
    asks: list[Callable[[], str]]
    pause_seconds: float = 0.05  # as people arrive at a busy service, not as fast as it answers
    first_answers: int = 5


class Crowd:
    """Has every group ask for as long as the context lasts.

    It begins when every caller has had its first answers, asked for without a pause: the emulator
    then has as many containers as it needs, and their start is no part of the figures.
    """

    def __init__(self, *groups: Group) -> None:
        self._began = self._ended = 0.0
        self._groups = groups
        self._requests: dict[str, list[Request]] = {group.name: [] for group in groups}
        self._pausing = threading.Event()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(group, _name(group, n), ask), daemon=True)
            for group in groups
            for n, ask in enumerate(group.asks)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        _wait_until(self._everybody_is_served, "not everybody is served")
        self._pausing.set()
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=_PATIENCE_SECONDS)
        self._ended = time.monotonic()

    def go_on(self, group: str, answers: int, kind: str | None = None) -> None:
        """Wait until a group got so many more answers, of a kind or of any.

        Only those are counted that were asked for from now on.
        """
        since = time.monotonic()
        requests = self._requests[group]

        def enough() -> bool:
            kinds = [request.kind for request in tuple(requests) if request.began >= since]
            return sum(kind in (None, one) for one in kinds) >= answers

        _wait_until(enough, f"{group}: no {kind or 'answer'}")

    def figures(self, group: str) -> Figures:
        """Return what became of a group's requests, once the crowd has gone."""
        counted = [request for request in self._requests[group] if request.ended >= self._began]
        return figures_of(counted, self._began, self._ended)

    def _everybody_is_served(self) -> bool:
        served = Counter(
            request.caller
            for requests in self._requests.values()
            for request in tuple(requests)
            if request.kind == GOOD
        )
        return all(
            served[_name(group, n)] >= group.first_answers
            for group in self._groups
            for n in range(len(group.asks))
        )

    def _run(self, group: Group, caller: str, ask: Callable[[], str]) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                kind = ask()
            except httpx.HTTPError as error:
                kind = f"{UNEXPECTED}: {type(error).__name__}"
            self._requests[group.name].append(Request(caller, began, time.monotonic(), kind))
            if self._pausing.is_set():
                self._stop.wait(group.pause_seconds)


def _name(group: Group, number: int) -> str:
    return f"{group.name} {number}"


def _wait_until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)

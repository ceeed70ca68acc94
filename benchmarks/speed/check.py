"""`make bench-check`: ratios against their bounds, on any machine, with neighbours or without.

A neighbour slows what is compared alike, as both take turns, and it is their medians that are
compared. What is over its bound is measured again, and all turns so far count together: a
disturbance is outvoted, and a regression stays.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from benchmarks.measured import Containers, Handler, Series, Speed, this_machine
from benchmarks.peers.build import build as build_peers
from benchmarks.speed import containers, subjects, warm
from benchmarks.speed.bounds import MOST
from benchmarks.speed.ratios import ratios
from local_stack import deployment
from local_stack.demonstration import say
from tests.conftest import ENVIRONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ATTEMPTS = 4

_ROUNDS = 7
_TIMES = 2000
# Each behind its floor, and those that share one side by side.
_FUNCTIONS = (
    "IssueToken, HS256",
    "AuthorizeClient",
    "ProbeConfig",
    "ServePublicKey",
    "CheckKey",
    "RotateSigningKey",
)
# What a start reads; nobody listens where AWS would be.
_ENVIRONMENT = ENVIRONS["published"] | {
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "POWERTOOLS_SERVICE_NAME": "jitsi-tokens",
    "CLIENTS_TABLE": "clients",
    "SIGNING_KEY_SECRET": "signing-key",
    "DIGEST_KEY_SECRET": "digest-key",
    "STATUS_PARAMETER": "/status",
    "PUBLIC_KEYS_PATH": "/public-keys",
    "PUBLIC_URL": "http://127.0.0.1:9",
    "PUBLICATION_LEAD_SECONDS": "0",
}


def main() -> int:
    """Measure, say what was found, and return 1 where something stays over its bound."""
    say("sam build")
    deployment.build()
    return held(_measure)


def held(measure: Callable[[], Speed], attempts: int = ATTEMPTS) -> int:
    """Return 0 as soon as all ratios of all turns so far are within their bounds, else 1.

    Raises:
        KeyError: a bound is one of a ratio that was not measured.
    """
    speed: Speed | None = None
    for attempt in range(1, attempts + 1):
        speed = _joined(speed, measure())
        over = _told(speed)
        if not over:
            return 0
        if attempt < attempts:
            say(f"over its bound: {'; '.join(over)}. Measured again ({attempt} of {attempts - 1})")
    say("slower than it was: docs/performance.md says how each ratio is made, and what it was")
    return 1


def _measure() -> Speed:
    say(f"starts of each function beside its floor, {_ROUNDS} containers each")
    peers = build_peers()
    every = [
        subject
        for clients, names in itertools.groupby(_FUNCTIONS, subjects.floor_of)
        for subject in (
            subjects.floor(clients, peers, _ENVIRONMENT),
            *(subjects.started(name, _ENVIRONMENT) for name in names),
        )
    ]
    taken = containers.measure(every, rounds=_ROUNDS, calls=0)
    say("a warm request beside its signature")
    return Speed(
        machine=this_machine(),
        busy=False,
        containers=taken,
        warm=warm.over_the_signature(_TIMES, ("HS256", "RSA-2048")),
        others=[],
        parts=[],
        patterns=warm.by_patterns(_TIMES, ("HS256",)),
        clients=[],
        packages={},
    )


def _told(speed: Speed) -> list[str]:
    over = []
    found = ratios(speed)
    for name, bound in MOST.items():
        if bound.guard is None:
            continue
        value = found[name].value
        held = value <= bound.guard
        print(f"  {value:5.2f} of {bound.guard:5.2f}  {name}{'' if held else ': OVER'}")
        if not held:
            over.append(name)
    return over


def _joined(before: Speed | None, now: Speed) -> Speed:
    if before is None:
        return now
    pairs = zip(before.containers.handlers, now.containers.handlers, strict=True)
    handlers = [
        Handler(one.name, one.function_bytes, one.layer_bytes, one.rounds + two.rounds)
        for one, two in pairs
    ]
    return Speed(
        machine=now.machine,
        busy=now.busy,
        containers=Containers(now.containers.calls, handlers, 0, 0),
        warm=_joined_series(before.warm, now.warm),
        others=[],
        parts=[],
        patterns=_joined_series(before.patterns, now.patterns),
        clients=[],
        packages={},
    )


def _joined_series(before: Iterable[Series], now: Iterable[Series]) -> list[Series]:
    return [
        Series(
            one.title,
            one.calls + two.calls,
            {name: blocks + two.blocks[name] for name, blocks in one.blocks.items()},
        )
        for one, two in zip(before, now, strict=True)
    ]

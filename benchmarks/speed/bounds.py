"""What the ratios may be: the targets, and what `make bench-check` holds them to.

A guard lies between what was measured and its target: far enough above the one that no neighbour
trips it, and low enough that what slows a request or a start by a fourth does.
"""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.speed.subjects import COMPILED, PLAIN
from benchmarks.speed.warm import PEM


class Bound(NamedTuple):
    """The most that a ratio may be.

    Attributes:
        target: what it is meant to be at most.
        guard: what `make bench-check` lets pass; None: it takes too long to measure there.
    """

    target: float
    guard: float | None


_OVER_ENCODE = "handler less its signature, over a bare encode"
_SECRETS = "a client of secretsmanager"
_PARAMETERS = "a client of ssm"
_BOTH = "a client of secretsmanager,ssm"

MOST = {
    f"HS256: {_OVER_ENCODE}": Bound(5, 3.5),
    f"RSA-2048: {_OVER_ENCODE}": Bound(5, 2.9),
    f"RSA-4096: {_OVER_ENCODE}": Bound(5, None),
    "HS256: 50 room patterns over 1": Bound(1.6, 1.45),
    "RSA-4096: 50 room patterns over 1": Bound(1.2, None),
    "authorizer: 100,000 clients over 1": Bound(1.2, None),
    f"start: IssueToken, HS256, over {_SECRETS}": Bound(1.25, 1.25),
    f"start: IssueToken, RS256, over {_SECRETS}": Bound(1.25, None),
    "start: AuthorizeClient, over a client of dynamodb": Bound(1.2, 1.1),
    f"start: ProbeConfig, over {_PARAMETERS}": Bound(1.2, 1.15),
    f"start: ServePublicKey, over {_PARAMETERS}": Bound(1.2, 1.15),
    f"start: CheckKey, over {_BOTH}": Bound(1.2, 1.2),
    f"start: RotateSigningKey, over {_BOTH}": Bound(1.2, 1.2),
    f"start: IssueToken, HS256, over {COMPILED}": Bound(0.85, None),
    f"start: IssueToken, RS256, over {COMPILED}": Bound(0.85, None),
    f"start: IssueToken, HS256, over {PLAIN}": Bound(0.4, None),
    f"start: IssueToken, RS256, over {PLAIN}": Bound(0.4, None),
    f"memory: IssueToken, HS256, over {_SECRETS}": Bound(1.35, 1.3),
    f"memory: IssueToken, RS256, over {_SECRETS}": Bound(1.35, None),
}

# The one thing that is to be many times slower than ours.
AT_LEAST = {f"RSA-4096: {PEM} over the handler": 100}

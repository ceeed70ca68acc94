"""Every rule by which Jitsi reads a token, in the order in which a person should hear of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from jitsi_tokens_cli.token.explain.context import context_rules
from jitsi_tokens_cli.token.explain.header import header_rules
from jitsi_tokens_cli.token.explain.link import link_rule
from jitsi_tokens_cli.token.explain.names import name_rules
from jitsi_tokens_cli.token.explain.role import role_rules
from jitsi_tokens_cli.token.explain.room import room_rule, room_seen
from jitsi_tokens_cli.token.explain.times import time_rules

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest
    from jitsi_tokens_cli.token.explain.verdicts import Verdict


class Explanation(NamedTuple):
    """What became of each rule, and the room as Jitsi will see it."""

    rules: list[Verdict]
    room: str | None

    @property
    def failures(self) -> list[Verdict]:
        """The rules that the token breaks."""
        return [rule for rule in self.rules if rule.outcome == "fail"]

    @property
    def not_checked(self) -> list[Verdict]:
        """The rules that Jitsi applies and that could not be applied here."""
        return [rule for rule in self.rules if rule.outcome == "not-checked"]

    @property
    def verdict(self) -> Literal["accepted", "refused", "undecided"]:
        """What the rules come to; undecided where none is broken, and one was not checked."""
        if self.failures:
            return "refused"
        return "undecided" if self.not_checked else "accepted"


def explain(evidence: TokenUnderTest) -> Explanation:
    """Apply every rule of how Jitsi reads a token.

    The order is Jitsi's: web client (the link), login (header, times, names), joining the room.
    """
    rules = [
        link_rule(evidence),
        *header_rules(evidence),
        *time_rules(evidence),
        *name_rules(evidence),
        room_rule(evidence),
        *context_rules(evidence),
        *role_rules(evidence),
    ]
    return Explanation(rules, room_seen(evidence))

"""What a check comes to: of `doctor`, of `token explain`, of the key."""

from __future__ import annotations

from typing import Literal, NamedTuple

type Outcome = Literal["pass", "warning", "fail", "skipped", "not-checked", "not-applicable"]


class Check(NamedTuple):
    """One thing that was looked at, or one rule that was applied.

    Attributes:
        outcome: "skipped" where the caller may not look or there is nothing to look at;
            "not-checked" where Jitsi applies a rule that cannot be applied here.
        why: why it matters, or why it was not checked.
        remedy: what to do.
        transient: it is about to change by itself.
        obstructed: AWS or the service did not answer; a later check may succeed.
        denied: the caller lacks the permission to look.
    """

    name: str
    outcome: Outcome
    found: str
    why: str = ""
    remedy: str = ""
    transient: bool = False
    obstructed: bool = False
    denied: bool = False


def passed(name: str, found: str, remedy: str = "") -> Check:
    """Return a check that found nothing wrong; a remedy is then a piece of advice."""
    return Check(name, "pass", found, remedy=remedy)


def warning(name: str, found: str, remedy: str, *, why: str = "") -> Check:
    """Return a check of what works now, and may not later or elsewhere."""
    return Check(name, "warning", found, why, remedy)


def failed(name: str, found: str, remedy: str, *, why: str = "") -> Check:
    """Return a check that found something wrong."""
    return Check(name, "fail", found, why, remedy)


def skipped(name: str, found: str) -> Check:
    """Return a check that was not made; `found` says why."""
    return Check(name, "skipped", found)


def not_checked(name: str, found: str, remedy: str = "", *, why: str) -> Check:
    """Return a rule that Jitsi applies and that cannot be applied here."""
    return Check(name, "not-checked", found, why, remedy)


def not_applicable(name: str, found: str, *, why: str) -> Check:
    """Return a rule that does not concern this token or this Jitsi."""
    return Check(name, "not-applicable", found, why)

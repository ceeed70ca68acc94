"""What is said of one rule, and how a token's values are shown in it."""

import json
from typing import Any, Literal, NamedTuple

from jitsi_tokens_cli.output import printable

type Outcome = Literal["pass", "fail", "not-applicable", "not-checked"]

MISSING = "missing"
_LONGEST = 120
_MOST_MEMBERS = 5


class Verdict(NamedTuple):
    """What became of one rule.

    Attributes:
        outcome: "not-checked" where Jitsi applies the rule, but here something is lacking to do
            the same.
        why: why Jitsi refuses the token, or why the rule was not applied.
    """

    rule: str
    outcome: Outcome
    found: str
    why: str = ""
    remedy: str = ""


def passed(rule: str, found: str, remedy: str = "") -> Verdict:
    """Say that a token keeps a rule; a remedy is then a piece of advice."""
    return Verdict(rule, "pass", found, remedy=remedy)


def failed(rule: str, found: str, why: str, remedy: str) -> Verdict:
    """Say that a token breaks a rule."""
    return Verdict(rule, "fail", found, why, remedy)


def not_applicable(rule: str, found: str, why: str) -> Verdict:
    """Say that a rule has nothing to do with this token or this Jitsi."""
    return Verdict(rule, "not-applicable", found, why)


def not_checked(rule: str, found: str, why: str, remedy: str = "") -> Verdict:
    """Say that nobody can tell here whether a token keeps a rule."""
    return Verdict(rule, "not-checked", found, why, remedy)


def claim(claims: dict[str, Any], name: str) -> str:
    """Return what a token has under a name, for a person to read."""
    return shown(claims[name]) if name in claims else MISSING


def shown(value: object) -> str:
    """Return a JSON value on one line, cut where it is long."""
    match value:
        case dict():
            return f"an object of {len(value)}"
        case list() if len(value) > _MOST_MEMBERS or any(
            isinstance(member, dict | list) for member in value
        ):
            return f"an array of {len(value)}"
    text = printable(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Return the first of some names, quoted."""
    more = f" and {len(names) - _MOST_MEMBERS} more" if len(names) > _MOST_MEMBERS else ""
    return ", ".join(map(shown, names[:_MOST_MEMBERS])) + more

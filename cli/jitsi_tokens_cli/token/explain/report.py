"""What `token explain` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens_cli.output import echo, echo_json, echo_table, printable

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.rules import Explanation
    from jitsi_tokens_cli.token.explain.verdicts import Outcome, Verdict


_ON_TOP: list[Outcome] = ["fail", "not-checked", "pass", "not-applicable"]


def put_report(explanation: Explanation) -> None:
    """Show a person the verdict, then every rule, the broken ones on top."""
    room = explanation.room
    echo(
        f"Jitsi will see the room as: {printable(room)}"
        if room
        else "Jitsi will see no one room in this token."
    )
    echo(_headline(explanation))
    on_top = sorted(explanation.rules, key=lambda rule: _ON_TOP.index(rule.outcome))
    echo_table(
        ["Rule", "Outcome", "What was found, why it matters, what to do"],
        [[rule.rule, rule.outcome.replace("-", " "), _text(rule)] for rule in on_top],
    )


def put_json_report(explanation: Explanation) -> None:
    """Hand every rule over to a script, in the order in which Jitsi applies them."""
    failures = explanation.failures
    echo_json(
        {
            "verdict": explanation.verdict,
            "firstFailure": failures[0].rule if failures else None,
            "room": explanation.room,
            "rules": [
                {
                    "rule": rule.rule,
                    "outcome": rule.outcome,
                    "found": rule.found,
                    "why": rule.why,
                    "remedy": rule.remedy,
                }
                for rule in explanation.rules
            ],
        }
    )


def _headline(explanation: Explanation) -> str:
    if failures := explanation.failures:
        first = failures[0]
        count = "one rule" if len(failures) == 1 else f"{len(failures)} rules. The first"
        return f"This token breaks {count}: {first.rule}. {first.why}"
    if names := [rule.rule for rule in explanation.not_checked]:
        return (
            f"This token breaks no rule that was checked. Not checked: {', '.join(names)}; the"
            " table says why."
        )
    return "This token breaks no rule: Jitsi accepts it."


def _text(rule: Verdict) -> str:
    return "\n".join(line for line in (rule.found, rule.why, rule.remedy) if line)

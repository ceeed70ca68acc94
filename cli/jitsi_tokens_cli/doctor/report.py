"""What `doctor` prints."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from jitsi_tokens_cli.output import echo, echo_json, info, printable

if TYPE_CHECKING:
    from jitsi_tokens_cli.checks import Check, Outcome
    from jitsi_tokens_cli.doctor.examination import Examination

_FOR_PEOPLE: dict[Outcome, str] = {
    "pass": "ok",
    "warning": "warning",
    "fail": "FAILED",
    "skipped": "skipped",
}
_OUTCOME_WIDTH = 9
_NAME_WIDTH = 16
_INDENT = " " * (_OUTCOME_WIDTH + _NAME_WIDTH)


def put_report(examination: Examination) -> None:
    """Show a person each check on a line, and below it what to do."""
    for check in examination.checks:
        outcome = _FOR_PEOPLE[check.outcome]
        echo(f"{outcome:<{_OUTCOME_WIDTH}}{check.name:<{_NAME_WIDTH}}{line_of(check)}")
        if check.remedy:
            echo(f"{_INDENT}→ {_one_line(check.remedy)}")
    info(_summary(examination))


def put_json_report(examination: Examination) -> None:
    """Hand every check over to a script."""
    failures = examination.failures
    echo_json(
        {
            "healthy": not failures and not examination.is_incomplete,
            "firstFailure": failures[0].name if failures else None,
            "checks": [
                {
                    "check": check.name,
                    "outcome": check.outcome,
                    "found": check.found,
                    "remedy": check.remedy,
                }
                for check in examination.checks
            ],
        }
    )


def line_of(check: Check) -> str:
    """Return what was found, on one line."""
    return _one_line(check.found)


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def _summary(examination: Examination) -> str:
    counts = Counter(_FOR_PEOPLE[check.outcome] for check in examination.checks)
    told = ", ".join(f"{count} {word.lower()}" for word, count in counts.items())
    if failures := examination.failures:
        return f"Begin with {failures[0].name} ({told})."
    if examination.is_denied:
        return f"Nothing is wrong in what you may look at ({told})."
    if examination.is_incomplete:
        return f"AWS or the service did not let everything be checked: try again ({told})."
    return f"Nothing is wrong ({told})."

"""The checks of the stack's own check: what CheckKey finds, when, and what the probe says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.findings import CHECK_OVERDUE
from jitsi_tokens.status import FRESH_SECONDS, NEVER_CHECKED, KeyStatus, problems_of, read_status
from jitsi_tokens_cli.checks import Check, failed, passed
from jitsi_tokens_cli.doctor.address import PROBE_PATH
from jitsi_tokens_cli.doctor.unknown import Unknown, attempt
from jitsi_tokens_cli.errors import Unreachable
from jitsi_tokens_cli.key import check as key_check
from jitsi_tokens_cli.output import duration_text, time_text

if TYPE_CHECKING:
    from jitsi_tokens.core.clock import Clock
    from jitsi_tokens.status import KeyFacts
    from jitsi_tokens_cli.stack import Stack
    from jitsi_tokens_cli.web import Reply, Web


def stored_status(stack: Stack) -> KeyStatus | Unknown:
    """Return what the last check found."""

    def read() -> KeyStatus:
        try:
            return read_status(stack.client("ssm"), stack.status_parameter)
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return NEVER_CHECKED

    return attempt(read)


def status_check(
    stack: Stack, stored: KeyStatus | Unknown, facts: KeyFacts | None, now: float
) -> Check:
    """Judge what CheckKey found last; have it check anew where that was nothing good, or old news.

    A check that is overdue is not made good by asking for one: its schedule is what is wrong.
    """
    name = "key-check"
    if isinstance(stored, KeyStatus):
        if any(problem.code == CHECK_OVERDUE.code for problem in problems_of(stored, int(now))):
            return failed(
                name,
                f"CheckKey looked at the key {_ago(stored, now)} ago, and should every five"
                " minutes.",
                CHECK_OVERDUE.remedy,
            )
        if not _is_bad(stored) and stored.key == facts:
            return _good(stored, f"{_ago(stored, now)} ago")
    try:
        status = key_check.check(stack)
    except Unreachable as error:
        if isinstance(stored, Unknown):
            return stored.skipped(name)
        if _is_bad(stored):
            when = time_text(stored.checked_at) if stored.checked_at else "never"
            return _bad(stack, stored, f" (looked at: {when}; cannot be asked anew: {error})")
        return _good(stored, f"{_ago(stored, now)} ago")
    return _bad(stack, status) if _is_bad(status) else _good(status, "just now")


def probe_check(web: Web, first: Reply, status: Check, clock: Clock) -> Check:
    """Judge what everybody is told.

    Raises:
        Unanswered: nothing came when it was asked again.
    """
    name = "probe"
    if _says_configured(first):
        return passed(name, 'It answers {"configured": true}.')
    if status.outcome == "fail":
        return failed(
            name, 'It answers {"configured": false}.', f"Mend what {status.name} found: see there."
        )
    # It may have been asked before the check, and keeps what that wrote.
    clock.sleep(FRESH_SECONDS + 1)
    if _says_configured(web.get(PROBE_PATH)):
        return passed(name, 'It answers {"configured": true}, since the check just now.')
    return failed(
        name,
        'It answers {"configured": false}, and the last check says something else.',
        "Look at the log of ProbeConfig, and whether the URL is this stack's.",
    )


def _says_configured(reply: Reply) -> bool:
    return reply.document().get("configured") is True


def _is_bad(status: KeyStatus) -> bool:
    return not status.configured or bool(status.problems)


def _good(status: KeyStatus, when: str) -> Check:
    kid = f" with {status.key.kid}" if status.key else ""
    return passed("key-check", f"CheckKey signed{kid} {when}, and the signature verified.")


def _bad(stack: Stack, status: KeyStatus, remark: str = "") -> Check:
    problems = status.problems or [stack.finding("no-key", "The stack cannot sign.")]
    return failed(
        "key-check",
        " ".join(f"{problem.what} ({problem.code})" for problem in problems) + remark,
        " ".join(stack.finding(problem.code).remedy for problem in problems),
    )


def _ago(status: KeyStatus, now: float) -> str:
    return duration_text(max(0, now - status.checked_at))

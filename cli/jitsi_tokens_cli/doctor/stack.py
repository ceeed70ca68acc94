"""The checks of what AWS tells of a stack: its deployment, its clients, its own key check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.clients import KEY_DIGITS
from jitsi_tokens.core.findings import CHECK_OVERDUE
from jitsi_tokens.status import NEVER_CHECKED, KeyStatus, problems_of, read_status
from jitsi_tokens_cli.checks import Check, failed, passed, skipped, warning
from jitsi_tokens_cli.client.keys import counted
from jitsi_tokens_cli.client.store import ClientStore
from jitsi_tokens_cli.doctor.unknown import Unknown, attempt
from jitsi_tokens_cli.errors import Unreachable
from jitsi_tokens_cli.key import check as key_check
from jitsi_tokens_cli.output import duration_text, time_text

if TYPE_CHECKING:
    from jitsi_tokens.status import KeyFacts
    from jitsi_tokens_cli.doctor.secret import Secret
    from jitsi_tokens_cli.stack import Stack

_COMPLETE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")
_MOST_SHOWN = 10


def stack_check(stack: Stack) -> Check:
    """Judge how the last deployment ended."""
    name, status = "stack", stack.status
    if status in _COMPLETE or status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS":
        return passed(name, f"{stack.name} is deployed in {stack.region} ({status}).")
    events = f"aws cloudformation describe-stack-events --region {stack.region}"
    why = f"`{events} --stack-name {stack.name}` says why."
    if status.endswith("_ROLLBACK_COMPLETE"):
        found = f"The last deployment was rolled back ({status}): the version before it runs."
        return warning(name, found, why)
    if status.endswith("_IN_PROGRESS"):
        found = f"A deployment is in progress ({status})."
        return failed(name, found, "Wait: `jitsi-tokens doctor --wait`.")._replace(transient=True)
    return failed(name, f"The last deployment failed ({status}).", why)


def clients_check(stack: Stack) -> Check:
    """Look through the whole table for API keys that the authorizer refuses."""
    name = "clients"
    store = ClientStore(stack)
    keys = attempt(store.all_keys)
    if isinstance(keys, Unknown):
        if keys.denied:
            # No auditor or key operator needs to: it does not make the examination incomplete.
            return skipped(name, "Reading the clients needs ClientOperatorPolicy.")
        return keys.skipped(name)
    if not keys:
        return passed(name, "There are no API keys yet: `jitsi-tokens client add` makes one.")
    refused = [key for key in keys if key.rejection_reason]
    at_odds = store.at_odds(keys)
    if at_odds and not refused:
        return failed(
            name,
            "Links to visits and API keys have different policies, for"
            f" {', '.join(at_odds[:_MOST_SHOWN])}.",
            "Run `jitsi-tokens client set` with the whole policy: it writes both. For a client"
            " without API keys run `client add`, then `client revoke`. No command causes this:"
            " find out who did.",
        )
    if not refused:
        return passed(name, f"{counted(keys)}, all with valid records.")
    shown = [f"{key.digest[:KEY_DIGITS]} ({key.rejection_reason})" for key in refused[:_MOST_SHOWN]]
    more = len(refused) - len(shown)
    return failed(
        name,
        f"{counted(refused)} that the authorizer refuses: {'; '.join(shown)}"
        + (f"; and {more} more." if more else "."),
        "Repair a record that cannot be read with `jitsi-tokens client set`. Revoke the others:"
        " `jitsi-tokens client revoke --key <digest>`. No command causes this: find out who did.",
    )


def stored_status(stack: Stack) -> KeyStatus | Unknown:
    """Return what CheckKey found last."""

    def read() -> KeyStatus:
        try:
            return read_status(stack.client("ssm"), stack.status_parameter)
        except ClientError as error:
            if error_code(error) != "ParameterNotFound":
                raise
            return NEVER_CHECKED

    return attempt(read)


def status_check(
    secret: Secret, stored: KeyStatus | Unknown, facts: KeyFacts | None, now: float
) -> Check:
    """Judge what CheckKey found last; run it again if that is bad, or about another key.

    An overdue check stays a failure, whatever a run finds: its schedule is what is wrong.
    """
    name = "key-check"
    ago = ""
    if isinstance(stored, KeyStatus):
        ago = f"{duration_text(max(0, now - stored.checked_at))} ago"
        if any(problem.code == CHECK_OVERDUE.code for problem in problems_of(stored, int(now))):
            return failed(
                name,
                f"CheckKey last checked the key {ago}; it should do so every five minutes.",
                CHECK_OVERDUE.remedy,
            )
        if not _is_bad(stored) and stored.key == facts:
            return _good(stored, ago)
    try:
        status = key_check.check(secret.stack)
    except Unreachable as error:
        if isinstance(stored, Unknown):
            return stored.skipped(name)
        if _is_bad(stored):
            when = time_text(stored.checked_at) if stored.checked_at else "never"
            return _bad(secret, stored, f" (last check: {when}; cannot be run now: {error})")
        return _good(stored, ago)
    return _bad(secret, status) if _is_bad(status) else _good(status, "just now")


def _is_bad(status: KeyStatus) -> bool:
    return not status.configured or bool(status.problems)


def _good(status: KeyStatus, when: str) -> Check:
    kid = f" with {status.key.kid}" if status.key else ""
    return passed("key-check", f"CheckKey signed{kid} {when}, and the signature verified.")


def _bad(secret: Secret, status: KeyStatus, remark: str = "") -> Check:
    problems = status.problems or [secret.stack.finding("no-key", "The stack cannot sign.")]
    # Several problems of a key may have one remedy.
    remedies = dict.fromkeys(secret.remedy(problem.code) for problem in problems)
    return failed(
        "key-check",
        " ".join(f"{problem.what} ({problem.code})" for problem in problems) + remark,
        " ".join(remedies),
    )

"""All checks of `doctor`, in the order in which causes come before what they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from jitsi_tokens.publication import Publication
from jitsi_tokens.status import KeyStatus
from jitsi_tokens_cli.checks import Check, failed
from jitsi_tokens_cli.doctor.address import clock_check, make_contact, meeting_page_check
from jitsi_tokens_cli.doctor.authorizer import authorizer_check
from jitsi_tokens_cli.doctor.changes import age_check, pending_check, rotation_check, staged_check
from jitsi_tokens_cli.doctor.clients import clients_check
from jitsi_tokens_cli.doctor.published import jwks_check, published_check, unknown_key_check
from jitsi_tokens_cli.doctor.secret import describe, secret_check, unread_check
from jitsi_tokens_cli.doctor.stack import stack_check
from jitsi_tokens_cli.doctor.status import probe_check, status_check, stored_status
from jitsi_tokens_cli.doctor.token import token_check
from jitsi_tokens_cli.doctor.unknown import Unknown, attempt
from jitsi_tokens_cli.web import Unanswered

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens.core.clock import Clock
    from jitsi_tokens.status import KeyFacts
    from jitsi_tokens_cli.doctor.secret import Secret
    from jitsi_tokens_cli.stack import Stack
    from jitsi_tokens_cli.web import Reply, Web

_SILENT = Unknown("The address does not answer as it should (address).")
_NO_KEY = Unknown("There is no key to look at (signing-secret).")


class Examination(NamedTuple):
    """What became of each check."""

    checks: list[Check]

    @property
    def failures(self) -> list[Check]:
        """What is wrong, a cause before what it leads to."""
        return [check for check in self.checks if check.outcome == "fail"]

    @property
    def is_denied(self) -> bool:
        """Whether there is something that whoever asks may not look at."""
        return any(check.denied for check in self.checks)

    @property
    def is_incomplete(self) -> bool:
        """Whether AWS or the service kept a check from being made."""
        return self.is_denied or any(check.obstructed for check in self.checks)

    @property
    def unsettled(self) -> list[Check]:
        """What a later examination may find to be otherwise."""
        return [
            check
            for check in self.checks
            if check.outcome == "fail" or check.transient or check.obstructed
        ]


def examine(
    stack: Stack, web: Web, clock: Clock, room: str, *, reads_key: bool = True
) -> Examination:
    """Check a stack from outside and inside; `room` is the one to ask a token for.

    Unless it `reads_key`, nothing asks Secrets Manager for what the signing secret holds.
    """
    contact = make_contact(web, clock)
    # Times in AWS are by its clock, whatever this machine's says.
    now = clock.now() if contact.date is None else contact.date
    secret = describe(stack)
    if reads_key:
        key, facts = secret_check(stack, secret, now)
    else:
        key, facts = unread_check(stack, secret), None
    stored = stored_status(stack)
    if key.outcome == "skipped" and isinstance(stored, KeyStatus):
        # Who may not read the key may read what the stack itself says of it.
        facts = stored.key
    checks = [
        stack_check(stack),
        contact.check,
        clock_check(contact, stack.settings.clock_skew_seconds),
        key,
        age_check(stack, facts, now) if facts else _NO_KEY.skipped("key-age"),
        *_changes(stack, secret, now, reads_key=reads_key),
        clients_check(stack),
    ]
    if stack.settings.provider != "jaas":
        checks.append(meeting_page_check(stack.settings))
    match stack.trust:
        case "console" | "shared":
            pass
        case "published":
            checks += _publication(stack, web, contact.reply, facts)
        case _:
            assert_never(stack.trust)
    status = status_check(stack, stored, facts, now)
    if contact.reply is None:
        silent = [_SILENT.skipped(name) for name in ("probe", "authorizer", "token")]
        return Examination([*checks, status, *silent])
    probe = contact.reply
    checks += [
        status,
        _reached("probe", lambda: probe_check(web, probe, status, clock)),
        _reached("authorizer", lambda: authorizer_check(web)),
        _reached("token", lambda: token_check(stack, web, room, now, reads_key=reads_key)),
    ]
    return Examination(checks)


def _changes(stack: Stack, secret: Secret | Unknown, now: float, *, reads_key: bool) -> list[Check]:
    names = [*(["rotation"] if stack.rotates else []), "pending-key", "staged-key"]
    if isinstance(secret, Unknown):
        return [secret.skipped(name) for name in names]
    if not secret.exists:
        return [_NO_KEY.skipped(name) for name in names]
    checks = [
        pending_check(stack, secret, now, reads_key=reads_key),
        staged_check(stack, secret, reads_key=reads_key),
    ]
    return [rotation_check(stack, secret, now), *checks] if "rotation" in names else checks


def _publication(
    stack: Stack, web: Web, probe: Reply | None, facts: KeyFacts | None
) -> list[Check]:
    if probe is None:
        return [_SILENT.skipped(name) for name in ("published-key", "missing-key-404", "jwks")]
    unknown_key = _reached("missing-key-404", lambda: unknown_key_check(web))
    if facts is None:
        return [_NO_KEY.skipped("published-key"), unknown_key, _NO_KEY.skipped("jwks")]
    kept = attempt(Publication(stack.client("ssm"), stack.public_keys_path).keys)
    published = None if isinstance(kept, Unknown) else kept
    return [
        _reached("published-key", lambda: published_check(stack, web, facts, published)),
        unknown_key,
        _reached("jwks", lambda: jwks_check(web, facts)),
    ]


def _reached(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except Unanswered as error:
        return failed(
            name, str(error), "It answered a moment ago: run `jitsi-tokens doctor` again."
        )

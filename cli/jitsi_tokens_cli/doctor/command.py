"""`jitsi-tokens doctor`: what is wrong with a deployed stack."""

import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, assert_never

import typer

from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.rooms import RoomRefused, scoped_room
from jitsi_tokens.status import KeyStatus
from jitsi_tokens_cli.address import Url, service_url
from jitsi_tokens_cli.app import examples
from jitsi_tokens_cli.checks import Check, failed, skipped
from jitsi_tokens_cli.doctor.address import (
    LIMIT_SECONDS,
    authorizer_check,
    clock_check,
    jwks_check,
    make_contact,
    meeting_page_check,
    probe_check,
    published_check,
    unknown_key_check,
)
from jitsi_tokens_cli.doctor.secret import Secret, age_check
from jitsi_tokens_cli.doctor.stack import clients_check, stack_check, status_check, stored_status
from jitsi_tokens_cli.doctor.token import token_check
from jitsi_tokens_cli.doctor.visit import visit_check
from jitsi_tokens_cli.errors import CommandError, Unreachable
from jitsi_tokens_cli.output import (
    Json,
    duration_text,
    echo,
    echo_check,
    echo_json,
    info,
    is_terminal,
    progress,
)
from jitsi_tokens_cli.stack import DeploymentUnfinished, Stack, find_stack
from jitsi_tokens_cli.web import Unanswered, Web

EPILOG = examples(
    "jitsi-tokens doctor --stack-name my-stack",
    "jitsi-tokens doctor --stack-name my-stack --wait",
    "jitsi-tokens doctor --stack-name my-stack --without-key --json",
)

CLOCK = Clock(time.time, time.sleep)
_WAIT_SECONDS = 300
_ASK_AGAIN_SECONDS = 10.0


def doctor(
    ctx: typer.Context,
    *,
    url: Url = None,
    room: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=(
                "Room for the test token, which is discarded. Needed if the client may not"
                " request a random room, the default."
            ),
        ),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help=(
                "Repeat the checks until nothing is wrong, and print what changes: for example"
                " while the first rotation makes the first key."
            ),
        ),
    ] = False,
    timeout: Annotated[
        int,
        typer.Option(metavar="SECONDS", min=1, help="How long --wait lasts at most."),
    ] = _WAIT_SECONDS,
    without_key: Annotated[
        bool,
        typer.Option(
            "--without-key",
            help=(
                "Do not read the signing key, for people who have no permission to. The stack's"
                " own check and the address still show whether it signs."
            ),
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check a deployed stack, and say how to repair it.

    Prints each check when it is done, and repeats the failed ones at the end. With
    an API key in JITSI_TOKENS_API_KEY, or in the file that JITSI_TOKENS_API_KEY_FILE
    names, it requests a token and checks it by Jitsi's rules. If the client may
    make visits, it makes one a year ahead and cancels it. It prints no secret.

    Skips what you have no permission to read. An address that does not answer
    within 10 seconds is a failure, and is not tried again.

    Exits with 1 if something is wrong, and with 3 if only AWS or the service
    prevented some checks.
    """
    room = _checked(room)
    printed: dict[str, str] = {}

    def look() -> list[Check]:
        checks = []
        stack = find_stack(ctx.obj)
        web = Web(service_url(stack, url), limit_seconds=LIMIT_SECONDS)
        for check in examine(stack, web, CLOCK, room, reads_key=not without_key):
            checks.append(check)
            # With --wait: what passes again, or says the same but for its times, is no news.
            news = check.outcome if check.outcome == "pass" else re.sub(r"\d", "", check.found)
            if not as_json and printed.get(check.name) != news:
                printed[check.name] = news
                echo_check(check)
        return checks

    checks = _look_until(look, CLOCK.now() + timeout) if wait else look()
    failures = [check for check in checks if check.outcome == "fail"]
    is_incomplete = any(check.obstructed or check.denied for check in checks)
    if as_json:
        _print_json(checks, failures, is_healthy=not failures and not is_incomplete)
    else:
        _summarize(checks, failures, is_incomplete=is_incomplete)
    if failures:
        raise typer.Exit(CommandError.exit_code)
    if is_incomplete:
        raise typer.Exit(Unreachable.exit_code)


def examine(
    stack: Stack, web: Web, clock: Clock, room: str, *, reads_key: bool = True
) -> Iterator[Check]:
    """Check a stack from outside and inside, and yield each check as it ends.

    Requests a token for `room`. Unless it `reads_key`, the signing secret's content is not read.
    """
    yield stack_check(stack)
    contact = make_contact(web, clock)
    yield contact.check
    yield clock_check(contact, stack.settings.clock_skew_seconds)
    silent = "" if contact.reply else "address"

    def asked(name: str, check: Callable[[], Check]) -> Check:
        """Return a check that sends requests: none after the first that got no answer."""
        nonlocal silent
        if silent:
            return skipped(name, f"The address does not answer as it should ({silent}).")
        try:
            return check()
        except Unanswered as error:
            silent = name
            return failed(name, str(error), "It answered a moment ago: run doctor again.")

    # Times in AWS are by its clock, whatever this machine's says.
    now = clock.now() if contact.date is None else contact.date
    secret = Secret(stack, reads=reads_key)
    key, facts = secret.check(now)
    stored = stored_status(stack)
    if key.outcome == "skipped" and isinstance(stored, KeyStatus):
        # Who may not read the key may read what the stack itself says of it.
        facts = stored.key
    yield key
    yield age_check(stack, facts, now)
    yield from secret.changes(now)
    yield clients_check(stack)
    if stack.settings.provider != "jaas":
        yield meeting_page_check(stack.settings, web.url if stack.joins_in_frame else None)
    match stack.trust:
        case "console" | "shared":
            pass
        case "published":
            yield asked("published-key", lambda: published_check(stack, web, facts))
            yield asked("missing-key-404", lambda: unknown_key_check(web))
            yield asked("jwks", lambda: jwks_check(web, facts))
        case _:
            assert_never(stack.trust)
    status = status_check(secret, stored, facts, now)
    yield status
    yield asked("probe", lambda: probe_check(web, contact, status, clock))
    yield asked("authorizer", lambda: authorizer_check(web))
    token = asked("token", lambda: token_check(secret, web, room, now))
    yield token
    yield asked("visit", lambda: visit_check(web, token, now))


def _look_until(look: Callable[[], list[Check]], deadline: float) -> list[Check]:
    """Look again until nothing is wrong or about to change, or the time is over."""
    told = ""
    while True:
        try:
            checks = look()
            reason = next(filter(None, map(_unsettled, checks)), "")
            if not reason or CLOCK.now() >= deadline:
                return checks
        except DeploymentUnfinished as unfinished:
            if CLOCK.now() >= deadline:
                raise
            reason = str(unfinished)
        if reason != told:
            info(f"Waiting. {reason}")
            told = reason
        left = max(0.0, deadline - CLOCK.now())
        with progress(f"Waiting, {duration_text(left)} left"):
            CLOCK.sleep(min(_ASK_AGAIN_SECONDS, left))


def _unsettled(check: Check) -> str:
    """Return what a later look may find changed."""
    is_unsettled = check.outcome == "fail" or check.transient or check.obstructed
    return f"{check.name}: {check.found}" if is_unsettled else ""


def _print_json(checks: list[Check], failures: list[Check], *, is_healthy: bool) -> None:
    fields = ("outcome", "found", "remedy")
    of_checks = [
        {"check": check.name, **{field: getattr(check, field) for field in fields}}
        for check in checks
    ]
    first = failures[0].name if failures else None
    echo_json({"healthy": is_healthy, "firstFailure": first, "checks": of_checks})


def _summarize(checks: list[Check], failures: list[Check], *, is_incomplete: bool) -> None:
    if failures and is_terminal(sys.stdout):
        echo("")
        for check in failures:
            echo_check(check)
        echo("")
    counts = Counter(check.outcome for check in checks)
    counted = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    if failures:
        told = f"Begin with {failures[0].name}"
    elif any(check.denied for check in checks):
        told = "Everything you have permission to check is healthy"
    elif is_incomplete:
        told = "AWS or the service prevented some checks: try again"
    elif counts["warning"]:
        told = "Nothing failed, but read the warnings"
    else:
        told = "Everything is healthy"
    info(f"{told} ({counted}).")


def _checked(room: str | None) -> str:
    if room is None:
        return f"doctor-{secrets.token_hex(8)}"
    try:
        scoped_room(room)
    except RoomRefused as refused:
        raise typer.BadParameter(f"The room {refused}.", param_hint="--room") from None
    return room

"""`jitsi-tokens key stage`, `promote`, `rollback`: another key, in steps that can be taken back."""

import time
from typing import Annotated, Any, assert_never

import typer

from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.keys import MIN_RSA_BITS
from jitsi_tokens.core.rsa_keys import RSA_BITS
from jitsi_tokens.secrets import PREVIOUS
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from jitsi_tokens_cli.app import App
from jitsi_tokens_cli.inputs import confirm
from jitsi_tokens_cli.key import promotion, staging, text, versions
from jitsi_tokens_cli.key.check import check_stored
from jitsi_tokens_cli.key.files import MAX_RSA_BITS
from jitsi_tokens_cli.key.kid import ask_kid, checked_kid
from jitsi_tokens_cli.key.output import facts, put_public_part
from jitsi_tokens_cli.key.promotion import Change
from jitsi_tokens_cli.key.versions import ByHand, KeyVersions
from jitsi_tokens_cli.output import Json, duration_text, echo_json, info, time_text
from jitsi_tokens_cli.stack import Stack, find_stack

app = App()
CLOCK = Clock(time.time, time.sleep)
_TELL_SECONDS = 30

Yes = Annotated[bool, typer.Option("--yes", help="Go on without asking.")]
NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        help="HS256: do not wait the five minutes for which running functions keep a key.",
    ),
]


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack key stage")
def stage(
    ctx: typer.Context,
    *,
    file: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Take the key from a file, as `key import` does, instead of making one. `-` reads"
            " stdin.",
        ),
    ] = None,
    bits: Annotated[
        int,
        typer.Option(min=MIN_RSA_BITS, max=MAX_RSA_BITS, help="Length of an RSA key (JaaS)."),
    ] = RSA_BITS,
    kid: Annotated[
        str | None,
        typer.Option(
            "--kid",
            metavar="KEY_ID",
            help="HS256: the next key's id; a random one where this is left out. JaaS: 8x8"
            " gives it, for `key promote`.",
        ),
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make the next key, while the present one goes on signing.

    JaaS: its public part is printed, for 8x8's console. HS256: the command says how to read
    the next secret and what to prepare in Jitsi. `key promote` lets it sign.
    """
    stack = find_stack(ctx.obj)
    trust = versions.changed_by_hand(stack)
    next_kid = staging.kid_to_stage(stack, trust, kid)
    brought = staging.document_of_file(stack, next_kid, file) if file else None
    staging.allow_staging(stack, next_kid, yes=yes)
    document = brought or staging.make_document(stack, next_kid, bits)
    staged = staging.put_staged(stack, document)
    if as_json:
        echo_json(
            facts(staged.key)
            | {"kid": next_kid or None, "label": versions.NEXT, "versionId": staged.version_id}
        )
    else:
        put_public_part(staged.key)
    info(text.staged(stack, trust, next_kid))


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack key promote --kid 4f6c2a")
def promote(
    ctx: typer.Context,
    *,
    kid: Annotated[
        str | None,
        typer.Option(
            "--kid",
            metavar="KEY_ID",
            help="JaaS: the id that 8x8's console shows for the staged key, asked for where this"
            " is left out. HS256: the staged secret has its id.",
        ),
    ] = None,
    no_wait: NoWait = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let the staged key sign: key and id become current in one call.

    Run it again where its answer was lost, or with the right --kid where that was mistyped.
    HS256: running functions keep the earlier secret for five minutes. The command waits for
    that, counting down, and then says to restart Jitsi.
    """
    stack = find_stack(ctx.obj)
    trust = versions.changed_by_hand(stack)
    given = checked_kid(stack, trust, kid)
    held = versions.read_all(stack)
    change = promotion.promotion(stack, held, given or _kid_of_staged(stack, trust, held))
    if change.is_current:
        info(f"{change.key.kid} is current already.")
    else:
        match trust:
            case "console":
                question = text.promote_question(change.key, held.signing_kid())
            case "shared":
                info(text.prepare_jitsi(stack, versions.NEXT))
                question = text.shared_question(change.key, held.signing_kid())
            case _:
                assert_never(trust)
        confirm(question, yes=yes)
    _carry_out(stack, trust, held, change, waits=not no_wait, as_json=as_json)


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack key rollback")
def rollback(
    ctx: typer.Context, *, no_wait: NoWait = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Let the previous key sign again. Run again, it undoes itself.

    HS256: it waits as `key promote` does, and Jitsi must have the earlier secret again.
    """
    stack = find_stack(ctx.obj)
    trust = versions.changed_by_hand(stack)
    held = versions.read_all(stack)
    change = promotion.return_to_previous(stack, held)
    match trust:
        case "console":
            question = text.rollback_question(change.key, held.signing_kid())
        case "shared":
            info(text.prepare_jitsi(stack, PREVIOUS))
            question = text.shared_question(change.key, held.signing_kid())
        case _:
            assert_never(trust)
    confirm(question, yes=yes)
    _carry_out(stack, trust, held, change, waits=not no_wait, as_json=as_json)
    info(f"`key rollback` once more returns to {held.signing_kid()}.")


def _kid_of_staged(stack: Stack, trust: ByHand, held: KeyVersions) -> str:
    if held.staged is None:
        return ""
    match trust:
        case "console":
            return ask_kid(stack)
        case "shared":
            return held.staged.kid
        case _:
            assert_never(trust)


def _carry_out(
    stack: Stack, trust: ByHand, held: KeyVersions, change: Change, *, waits: bool, as_json: bool
) -> None:
    """Let the key of a change sign, and say what is to be done beside it."""
    promotion.make_current(stack, held, change)
    replaced = held.previous if change.is_current else held.current
    replaced_kid = replaced.kid if replaced else ""
    answer: dict[str, Any] = facts(change.key) | {
        "versionId": change.version_id,
        "changed": not change.is_current,
        "replacedKid": replaced_kid or None,
    }
    match trust:
        case "console":
            until = CLOCK.now() + stack.settings.key_retention_seconds
            answer["replacedNeededUntil"] = time_text(until) if replaced_kid else None
            info(text.in_minutes(change.key, replaced_kid, time_text(until)))
        case "shared":
            until = CLOCK.now() + KEY_FRESH_SECONDS
            answer["restartJitsiAt"] = time_text(until)
            info(text.restart_jitsi_at(change.key, time_text(until)))
        case _:
            assert_never(trust)
    if as_json:
        echo_json(answer)
    check_stored(stack)
    if trust == "shared" and waits:
        _count_down(until)
        info(text.restart_jitsi(change.key))


def _count_down(until: float) -> None:
    while (left := until - CLOCK.now()) > 0:
        info(f"... {duration_text(left)} until every function signs with it")
        CLOCK.sleep(min(left, _TELL_SECONDS))

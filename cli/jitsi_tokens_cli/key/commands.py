"""`jitsi-tokens key`: the stack's signing key, and how a person changes it."""

from typing import Annotated, Any, assert_never

import msgspec
import typer

from jitsi_tokens.core.keys import KeyDocument, KeyRefused, SigningKey
from jitsi_tokens.core.rsa_keys import RSA_BITS, public_pem
from jitsi_tokens.secrets import CURRENT, PREVIOUS
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from jitsi_tokens.status import KeyStatus
from jitsi_tokens_cli.app import App, examples
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import Yes, confirm
from jitsi_tokens_cli.key import check, common, listing, published, versions
from jitsi_tokens_cli.key.common import CLOCK, TELL_SECONDS, Bits
from jitsi_tokens_cli.key.versions import NEXT, ByHand, Change, KeyVersions, full_kid
from jitsi_tokens_cli.output import (
    Json,
    Wide,
    duration_text,
    echo,
    echo_check,
    echo_facts,
    echo_json,
    info,
    iso_time,
    time_text,
)
from jitsi_tokens_cli.signing_secret import labelled_version
from jitsi_tokens_cli.stack import Stack, find_stack

app = App("Manage the key that signs the tokens.")

Kid = Annotated[
    str | None,
    typer.Option(
        "--kid",
        metavar="KEY_ID",
        help=(
            "The key's id. JaaS: the id that 8x8's console shows; by default, you are asked for"
            " it. HS256: any id; random by default."
        ),
    ),
]
StagedKid = Annotated[
    str | None,
    typer.Option(
        "--kid",
        metavar="KEY_ID",
        help=(
            "HS256: the key's id; random by default. JaaS: leave it out, and give it to `key"
            " promote`."
        ),
    ),
]
PromotedKid = Annotated[
    str | None,
    typer.Option(
        "--kid",
        metavar="KEY_ID",
        help=(
            "JaaS: the key's id, as 8x8's console shows it; by default, you are asked for it."
            " HS256: leave it out, as the staged secret has one."
        ),
    ),
]
Replace = Annotated[bool, typer.Option("--replace", help="Replace the current key.")]
NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        help="HS256: do not wait the five minutes for which running functions keep a key.",
    ),
]

_MINUTES = KEY_FRESH_SECONDS // 60
_CONSOLE = (
    "Give 8x8 the public key: https://jaas.8x8.vc, API Keys, Add API key. The console shows the"
    " key id."
)


@app.command(epilog=examples("jitsi-tokens key create --stack-name my-stack"))
def create(
    ctx: typer.Context,
    *,
    kid: Kid = None,
    bits: Bits = RSA_BITS,
    replace: Replace = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make a signing key and store it in the stack's secret.

    JaaS: an RSA key. Prints the public part, for 8x8's console, and asks for the key id. If you
    stop there, continue with `key promote`. HS256: a secret that Jitsi needs too. The private
    part is never printed and never written to a file.
    """
    stack = find_stack(ctx.obj)
    trust = versions.changed_by_hand(stack)
    given = common.checked_kid(stack, trust, kid)
    held = versions.read_all(stack)
    _allow_current(stack, held, replace=replace, yes=yes)
    match trust:
        case "console":
            _allow_staged(held, yes=yes)
            _create_for_console(stack, given, common.made(trust, bits), as_json=as_json)
        case "shared":
            document = common.with_kid(common.made(trust, bits), given)
            _store_shared(stack, document, as_json=as_json)
        case _:
            assert_never(trust)


@app.command("import", epilog=examples("jitsi-tokens key import jaas.pem --stack-name my-stack"))
def import_key(
    ctx: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="JaaS: an RSA key (PKCS#1, PKCS#8 or OpenSSH, encrypted or not; PEM, DER, or"
            " either inside JSON, base64 or an .env file). HS256: the shared secret. `-` reads"
            " stdin.",
        ),
    ],
    *,
    kid: Kid = None,
    replace: Replace = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Check an existing key, then store it."""
    stack = find_stack(ctx.obj)
    trust = versions.changed_by_hand(stack)
    given = common.checked_kid(stack, trust, kid)
    document = common.brought(stack, trust, file)
    _allow_current(stack, versions.read_all(stack), replace=replace, yes=yes)
    match trust:
        case "console":
            _show_for_console(versions.tried(stack, document), as_json=as_json)
            document = common.with_kid(document, given or common.ask_kid(stack))
            _report_stored(stack, *versions.store(stack, document, CURRENT), as_json=as_json)
        case "shared":
            _store_shared(stack, common.with_kid(document, given), as_json=as_json)
        case _:
            assert_never(trust)


@app.command(epilog=examples("jitsi-tokens key stage --stack-name my-stack"))
def stage(
    ctx: typer.Context,
    *,
    file: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help=(
                "Read the key from a file, as `key import` does, instead of making one. `-` reads"
                " stdin."
            ),
        ),
    ] = None,
    bits: Bits = RSA_BITS,
    kid: StagedKid = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make the next key, while the current one keeps signing.

    JaaS: prints the public part, for 8x8's console. HS256: says how to read the next secret
    and what to prepare in Jitsi. `key promote` then makes the key sign.
    """
    stack = find_stack(ctx.obj)
    trust = versions.changed_by_hand(stack)
    if trust == "console" and kid is not None:
        raise CommandError(
            "8x8's console gives the key id when it gets the public key: leave --kid out here, and"
            " give it to `key promote`."
        )
    given = full_kid(kid, stack.kid_prefix) if kid is not None else ""
    document = common.brought(stack, trust, file) if file else None
    held = versions.read_all(stack)
    if given and held.holder_of(given):
        raise CommandError(
            f"{given} is the id of another key of this stack, the current or the previous one."
        )
    _allow_staged(held, yes=yes)
    document = common.with_kid(document or common.made(trust, bits), given)
    key, version_id = versions.store(stack, document, NEXT)
    if as_json:
        staged = {"kid": document.kid or None, "label": NEXT, "versionId": version_id}
        echo_json(common.facts(key) | staged)
    else:
        common.echo_public_part(key)
    match trust:
        case "console":
            info(
                f"{_CONSOLE}\nThe key is staged; the current key keeps signing. Once 8x8 has the"
                f" public key:\n  {_promote_command(stack)} --kid <key id>"
            )
        case "shared":
            info(
                f"Staged as {document.kid}. The current secret keeps"
                f" signing.\n{_prepare_jitsi(stack, NEXT)}\nThen, when no visit is about to"
                f" begin:\n  {_promote_command(stack)}"
            )
        case _:
            assert_never(trust)


@app.command(epilog=examples("jitsi-tokens key promote --kid 4f6c2a --stack-name my-stack"))
def promote(
    ctx: typer.Context,
    *,
    kid: PromotedKid = None,
    no_wait: NoWait = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make the staged key sign. Key and id become current in one call.

    If the answer got lost, run it again. If --kid was mistyped, run it again with the right one.
    HS256: running functions keep the earlier secret for five minutes. The command counts these
    down, then asks you to restart Jitsi.
    """
    stack = find_stack(ctx.obj)
    trust = versions.changed_by_hand(stack)
    given = common.checked_kid(stack, trust, kid)
    held = versions.read_all(stack)
    if held.staged and not given:
        given = held.staged.kid or common.ask_kid(stack)
    change = versions.promotion(stack, held, given)
    if change.is_current:
        info(f"{change.key.kid} is current already.")
    else:
        _confirm(stack, trust, held, change, NEXT, yes=yes)
    _carry_out(stack, trust, held, change, waits=not no_wait, as_json=as_json)


@app.command(epilog=examples("jitsi-tokens key rollback --stack-name my-stack"))
def rollback(
    ctx: typer.Context, *, no_wait: NoWait = False, yes: Yes = False, as_json: Json = False
) -> None:
    """Make the previous key sign again. A second run undoes the first.

    HS256: waits as `key promote` does, and Jitsi needs the earlier secret again.
    """
    stack = find_stack(ctx.obj)
    trust = versions.changed_by_hand(stack)
    held = versions.read_all(stack)
    change = versions.return_to_previous(stack, held)
    if not versions.can_sign(stack, held.current):
        _restore(stack, trust, held, change, yes=yes, as_json=as_json)
        return
    _confirm(stack, trust, held, change, PREVIOUS, yes=yes)
    _carry_out(stack, trust, held, change, waits=not no_wait, as_json=as_json)
    info(f"Another `key rollback` returns to {held.signing_kid}.")


@app.command("list", epilog=examples("jitsi-tokens key list --stack-name my-stack"))
def list_keys(ctx: typer.Context, *, wide: Wide = False, as_json: Json = False) -> None:
    """List the keys in the secret, and those that are published.

    Without permission to read the secret's values, it shows what it can.
    """
    stack = find_stack(ctx.obj)
    keys = listing.listed(stack)
    if as_json:
        echo_json(keys)
    elif keys:
        listing.echo_keys(stack, keys, wide=wide)
    else:
        info("There are no keys yet.")


@app.command(epilog=examples("jitsi-tokens key show --stack-name my-stack"))
def show(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Show the current key: its id, age, fingerprint and public part. Never the private part."""
    stack = find_stack(ctx.obj)
    version = labelled_version(stack)
    if version is None:
        missing = stack.finding("no-key", f"The stack {stack.name} has no signing key yet.")
        raise CommandError(f"{missing.what} {missing.remedy}")
    waiting = None
    try:
        key = stack.read_key(version.text)
    except KeyRefused as error:
        if error.code != "no-key-id" or version.document is None:
            raise
        key = versions.tried(stack, version.document)
        waiting = stack.finding(error.code, str(error))
    kid = key.kid if waiting is None else None
    created = iso_time(version.created_at)
    if as_json:
        echo_json(common.facts(key) | {"kid": kid, "createdAt": created})
    else:
        rows = [
            ("Key id (kid)", kid or "none yet"),
            ("Algorithm", key.algorithm),
            ("Created", created),
            ("SHA-256", key.fingerprint or "none: a shared secret"),
        ]
        echo_facts(rows)
        common.echo_public_part(key)
    if waiting:
        info(f"{waiting.what} {waiting.remedy}")


@app.command("check", epilog=examples("jitsi-tokens key check --stack-name my-stack"))
def check_key(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Have the stack sign a token and verify it now."""
    stack = find_stack(ctx.obj)
    status = check.check(stack)
    if as_json:
        echo_json(_status_document(status))
    else:
        found = check.checks(stack, status)
        for each in found:
            echo_check(each, max(len(each.name) for each in found) + 2)
    if not status.configured:
        raise CommandError(check.CHECK_FAILED)


app.add_typer(published.app)


def _allow_current(stack: Stack, held: KeyVersions, *, replace: bool, yes: bool) -> None:
    """Let a key be stored where there is none, or where the operator means to replace it."""
    if held.current is None:
        return
    if not replace:
        raise CommandError(
            f"The stack {stack.name} has a signing key already (`key show` shows it). Add"
            " --replace to replace it."
        )
    confirm(f"Replace the signing key of {stack.name}?", yes=yes)


def _allow_staged(held: KeyVersions, *, yes: bool) -> None:
    """Let a key be staged where no other waits, or where the operator means to replace that."""
    if held.staged and not held.is_promoted(held.staged):
        confirm(
            "Replace a staged key that was never promoted? 8x8 or Jitsi may already have it, and"
            " `key promote` would make it sign.",
            yes=yes,
        )


def _create_for_console(stack: Stack, kid: str, document: KeyDocument, *, as_json: bool) -> None:
    """Store a new key, show its public part, learn its id, and let it sign."""
    key, _ = versions.store(stack, document, NEXT)
    _show_for_console(key, as_json=as_json)
    if not kid:
        info(
            "The key is stored but does not sign yet. If you stop here, continue with:\n  "
            f"{_promote_command(stack)} --kid <key id>"
        )
        kid = common.ask_kid(stack)
    held = versions.read_all(stack)
    change = versions.promotion(stack, held, kid)
    versions.make_current(stack, held, change)
    _report_stored(stack, change.key, change.version_id, as_json=as_json)


def _show_for_console(key: SigningKey, *, as_json: bool) -> None:
    if key.public_key:
        show = info if as_json else echo
        show(public_pem(key.public_key).strip())
    info(f"{_CONSOLE} Until 8x8 has it under the same key id, Jitsi refuses the tokens.")


def _store_shared(stack: Stack, document: KeyDocument, *, as_json: bool) -> None:
    """Store a shared secret, and say how Jitsi gets it."""
    key, version_id = versions.store(stack, document, CURRENT)
    info(
        "Give Jitsi the same secret (docker-jitsi-meet: JWT_APP_SECRET), and restart it in"
        f" {_MINUTES} minutes, when the functions sign with it; until then it refuses the tokens."
        f" {common.how_to_read(stack)}"
    )
    _report_stored(stack, key, version_id, as_json=as_json)


def _report_stored(stack: Stack, key: SigningKey, version_id: str, *, as_json: bool) -> None:
    if as_json:
        echo_json(common.facts(key) | {"versionId": version_id})
    info(f"Stored as {key.kid}. Running functions use it within {_MINUTES} minutes.")
    check.check_stored(stack)


def _promote_command(stack: Stack) -> str:
    return f"jitsi-tokens key promote --stack-name {stack.name}"


def _prepare_jitsi(stack: Stack, label: str) -> str:
    return (
        "First put the secret that will sign into Jitsi's configuration (docker-jitsi-meet:"
        f" JWT_APP_SECRET in .env). Do not restart Jitsi yet. {common.how_to_read(stack, label)}"
    )


def _confirm(
    stack: Stack, trust: ByHand, held: KeyVersions, change: Change, label: str, *, yes: bool
) -> None:
    """Ask whether the key of a label may sign."""
    question = f"{held.signing_kid} signs now, and {change.key.kid} will."
    match trust:
        case "console":
            question += (
                " Does 8x8's console show the public key with the SHA-256 fingerprint"
                f" {change.key.fingerprint} under that id? Without it Jitsi refuses every token. Go"
                " on?"
            )
        case "shared":
            info(_prepare_jitsi(stack, label))
            question += (
                f" Restart Jitsi after {_MINUTES} minutes; it then refuses all tokens issued"
                " before. Is the new secret in Jitsi's configuration, and is no visit about to"
                " begin?"
            )
        case _:
            assert_never(trust)
    confirm(question, yes=yes)


def _restore(
    stack: Stack, trust: ByHand, held: KeyVersions, change: Change, *, yes: bool, as_json: bool
) -> None:
    """Restore the previous key where the current version cannot sign, as after an overwrite."""
    kid = change.key.kid
    confirm(f"The current key cannot sign. Make {kid} sign again?", yes=yes)
    versions.make_current(stack, held, change)
    if as_json:
        answer = {"versionId": change.version_id, "changed": True, "replacedKid": None}
        nothing = "replacedNeededUntil" if trust == "console" else "restartJitsiAt"
        echo_json(common.facts(change.key) | answer | {nothing: None})
    info(f"{kid} is current again. Jitsi still has it: change nothing there.")
    check.check_stored(stack)


def _carry_out(
    stack: Stack, trust: ByHand, held: KeyVersions, change: Change, *, waits: bool, as_json: bool
) -> None:
    """Let the key of a change sign, and say what is to be done beside it."""
    versions.make_current(stack, held, change)
    replaced = held.previous if change.is_current else held.current
    replaced_kid = replaced.kid if replaced else ""
    kid = change.key.kid
    answer: dict[str, Any] = common.facts(change.key) | {
        "versionId": change.version_id,
        "changed": not change.is_current,
        "replacedKid": replaced_kid or None,
    }
    match trust:
        case "console":
            until = CLOCK.now() + stack.settings.key_retention_seconds
            answer["replacedNeededUntil"] = time_text(until) if replaced_kid else None
            info(f"{kid} signs. Running functions use it within {_MINUTES} minutes.")
            if replaced_kid:
                info(
                    f"Until then tokens carry {replaced_kid}. Leave that key in 8x8's console"
                    f" until {time_text(until)}, when the last token signed with it expires."
                )
        case "shared":
            until = CLOCK.now() + KEY_FRESH_SECONDS
            answer["restartJitsiAt"] = time_text(until)
            info(
                f"{kid} is current. Running functions use it within {_MINUTES} minutes: restart"
                f" Jitsi's Prosody at {time_text(until)}. If the earlier secret has leaked, restart"
                " it now: until you do, Jitsi accepts tokens forged with it."
            )
        case _:
            assert_never(trust)
    if as_json:
        echo_json(answer)
    check.check_stored(stack)
    if trust == "shared" and waits:
        _count_down(until)
        info(
            f"{kid} signs. Restart Jitsi's Prosody NOW (docker-jitsi-meet: `docker compose up -d"
            " prosody`): until then it refuses every new token, and from then on it refuses those"
            " that were issued before."
        )


def _count_down(until: float) -> None:
    while (left := until - CLOCK.now()) > 0:
        info(f"... {duration_text(left)} until every function signs with it")
        CLOCK.sleep(min(left, TELL_SECONDS))


def _status_document(status: KeyStatus) -> dict[str, Any]:
    """Return a check's answer for a script, its times readable."""
    document: dict[str, Any] = msgspec.to_builtins(status)
    document["checkedAt"] = time_text(status.checked_at)
    if status.key:
        document["key"]["createdAt"] = time_text(status.key.created_at)
    return document

"""`jitsi-tokens key`: the stack's signing key."""

from typing import Annotated, assert_never

import typer

from jitsi_tokens.core.keys import MIN_RSA_BITS, read_key
from jitsi_tokens.core.rsa_keys import RSA_BITS, make_rsa_key
from jitsi_tokens_cli.app import App
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import read_file
from jitsi_tokens_cli.key import change_commands, check, version_commands
from jitsi_tokens_cli.key.files import MAX_RSA_BITS, read_rsa_key, read_shared_secret
from jitsi_tokens_cli.key.kid import checked_kid
from jitsi_tokens_cli.key.output import put_key, status_document
from jitsi_tokens_cli.key.storing import (
    ask_passphrase,
    make_shared_secret,
    store_for_console,
    store_shared,
)
from jitsi_tokens_cli.key.versions import changed_by_hand
from jitsi_tokens_cli.output import Json, echo_json, info
from jitsi_tokens_cli.signing_secret import allow_change, current_version
from jitsi_tokens_cli.stack import find_stack

app = App("The key that signs the tokens.")
app.add_typer(change_commands.app)
app.add_typer(version_commands.app)

Kid = Annotated[
    str | None,
    typer.Option(
        "--kid",
        metavar="KEY_ID",
        help="The key's id. JaaS: the one that 8x8's console shows, asked for where this is left"
        " out. HS256: any; a random one where this is left out.",
    ),
]
Replace = Annotated[bool, typer.Option("--replace", help="Put it in place of the present key.")]
Yes = Annotated[bool, typer.Option("--yes", help="Replace without asking.")]


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack key create")
def create(
    ctx: typer.Context,
    *,
    kid: Kid = None,
    bits: Annotated[
        int,
        typer.Option(min=MIN_RSA_BITS, max=MAX_RSA_BITS, help="Length of an RSA key (JaaS)."),
    ] = RSA_BITS,
    replace: Replace = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Make a signing key in memory and store it in the stack's secret.

    JaaS: an RSA key. Its public part is printed, for 8x8's console. HS256: a secret that
    Jitsi must be given too. The private part is never printed and never written to a file.
    """
    stack = find_stack(ctx.obj)
    trust = changed_by_hand(stack)
    given = checked_kid(stack, trust, kid)
    allow_change(stack, replace=replace, yes=yes)
    match trust:
        case "console":
            info(f"Making an RSA key of {bits} bits ...")
            store_for_console(stack, given, make_rsa_key(bits), as_json=as_json)
        case "shared":
            store_shared(stack, given, make_shared_secret(), as_json=as_json)
        case _:
            assert_never(trust)


@app.command("import", epilog="Example: jitsi-tokens --stack-name my-stack key import jaas.pem")
def import_key(
    ctx: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="JaaS: an RSA key (PKCS#1, PKCS#8 or OpenSSH, encrypted or not, also as pasted"
            " from an .env file). HS256: the shared secret. `-` reads stdin.",
        ),
    ],
    *,
    kid: Kid = None,
    replace: Replace = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Store a key that exists already, after checking it in full."""
    stack = find_stack(ctx.obj)
    trust = changed_by_hand(stack)
    given = checked_kid(stack, trust, kid)
    content = read_file(file)
    match trust:
        case "console":
            key = read_rsa_key(content, ask_passphrase)
            allow_change(stack, replace=replace, yes=yes)
            store_for_console(stack, given, key, as_json=as_json)
        case "shared":
            secret = read_shared_secret(content)
            allow_change(stack, replace=replace, yes=yes)
            store_shared(stack, given, secret, as_json=as_json)
        case _:
            assert_never(trust)


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack key show --json")
def show(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Show the present key: its id, age, fingerprint and public part. Never the private part."""
    stack = find_stack(ctx.obj)
    version = current_version(stack)
    if version is None:
        missing = stack.finding("no-key", f"The stack {stack.name} has no signing key yet.")
        raise CommandError(f"{missing.what} {missing.remedy}")
    key = read_key(version.text, algorithm=stack.algorithm, kid_prefix=stack.kid_prefix)
    put_key(key, version.created_at, as_json=as_json)


@app.command("check", epilog="Example: jitsi-tokens --stack-name my-stack key check")
def check_key(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Have the stack sign a token and verify it now."""
    stack = find_stack(ctx.obj)
    status = check.check(stack)
    if as_json:
        echo_json(status_document(status))
    check.report(stack, status)

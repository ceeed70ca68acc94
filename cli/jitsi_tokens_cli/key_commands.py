"""`jitsi-tokens key`: the stack's signing key."""

from datetime import datetime
from typing import Annotated

import typer

from jitsi_tokens.keys import MIN_RSA_BITS, SigningKey, read_key
from jitsi_tokens.rsa_keys import RSA_BITS, fingerprint, make_rsa_key, public_pem
from jitsi_tokens_cli import key_check
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import ask_hidden, read_file
from jitsi_tokens_cli.key_files import MAX_RSA_BITS, read_rsa_key, read_shared_secret
from jitsi_tokens_cli.key_storing import (
    checked_kid,
    make_shared_secret,
    store_rsa,
    store_shared,
)
from jitsi_tokens_cli.output import Json, iso_time, put, put_json, put_table, say
from jitsi_tokens_cli.signing_secret import allow_change, current_version
from jitsi_tokens_cli.stack import find_stack

app = typer.Typer(no_args_is_help=True, help="The key that signs the tokens.")

Kid = Annotated[
    str | None,
    typer.Option(
        "--kid",
        metavar="KEY_ID",
        help="The key's id. JaaS: the one that 8x8's console shows, asked for where this is left"
        " out. Self-hosted: any; a random one where this is left out.",
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
) -> None:
    """Make a signing key in memory and store it in the stack's secret.

    JaaS: an RSA key. Its public part is printed, for 8x8's console. Self-hosted: a secret that
    Jitsi must be given too. The private part is never printed and never written to a file.
    """
    stack = find_stack(ctx.obj)
    given = checked_kid(stack, kid)
    allow_change(stack, replace=replace, yes=yes)
    if stack.algorithm == "HS256":
        store_shared(stack, given, make_shared_secret())
        return
    say(f"Making an RSA key of {bits} bits ...")
    store_rsa(stack, given, make_rsa_key(bits))


@app.command("import", epilog="Example: jitsi-tokens --stack-name my-stack key import jaas.pem")
def import_key(
    ctx: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="JaaS: an RSA key (PKCS#1, PKCS#8 or OpenSSH, encrypted or not, also as pasted"
            " from an .env file). Self-hosted: the shared secret. `-` reads stdin.",
        ),
    ],
    *,
    kid: Kid = None,
    replace: Replace = False,
    yes: Yes = False,
) -> None:
    """Store a key that exists already, after checking it in full."""
    stack = find_stack(ctx.obj)
    given = checked_kid(stack, kid)
    content = read_file(file)
    if stack.algorithm == "HS256":
        secret = read_shared_secret(content)
        allow_change(stack, replace=replace, yes=yes)
        store_shared(stack, given, secret)
        return
    key = read_rsa_key(content, _ask_passphrase)
    allow_change(stack, replace=replace, yes=yes)
    store_rsa(stack, given, key)


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack key show --json")
def show(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Show the present key: its id, age, fingerprint and public part. Never the private part."""
    stack = find_stack(ctx.obj)
    version = current_version(stack)
    if version is None:
        raise CommandError(
            f"The stack {stack.name} has no signing key yet. Run `key create` or `key import`."
        )
    key = read_key(version.text, algorithm=stack.algorithm, kid_prefix=stack.kid_prefix)
    if as_json:
        put_json(_facts(key, version.created_at))
    else:
        _put_facts(key, version.created_at)


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack key check")
def check(ctx: typer.Context) -> None:
    """Have the stack sign a token and verify it now."""
    key_check.report(key_check.check(find_stack(ctx.obj)))


def _ask_passphrase() -> str:
    return ask_hidden(
        "Passphrase of the key",
        without_terminal="The key is encrypted, and nobody is there to ask for its passphrase.",
    )


def _facts(key: SigningKey, created_at: datetime) -> dict[str, str | None]:
    public = key.public_key
    return {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "createdAt": iso_time(created_at),
        "fingerprint": fingerprint(public) if public else None,
        "publicKey": public_pem(public) if public else None,
    }


def _put_facts(key: SigningKey, created_at: datetime) -> None:
    rows = [
        ["Key id (kid)", key.kid],
        ["Algorithm", key.algorithm],
        ["Created", iso_time(created_at)],
    ]
    public = key.public_key
    if public:
        rows.append(["Fingerprint (SHA-256)", fingerprint(public)])
    put_table(["Signing key", ""], rows)
    if public:
        put(public_pem(public).strip())
    else:
        say("A shared secret has no public part.")

"""`jitsi-tokens client`: who may ask for tokens."""

import re
from datetime import UTC, datetime
from typing import Annotated

import typer

from jitsi_tokens.clients import Client, check_name, digest, make_api_key
from jitsi_tokens_cli.client_options import PolicyOptions, takes_policy
from jitsi_tokens_cli.client_output import documents, put_clients
from jitsi_tokens_cli.client_store import ClientStore, StoredKey
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import confirm
from jitsi_tokens_cli.output import Json, put, put_json, say
from jitsi_tokens_cli.stack import find_stack

app = typer.Typer(no_args_is_help=True, help="The clients that may ask for tokens.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The client's name.")]

_DIGEST_PREFIX = re.compile(r"[0-9a-f]{8,64}")


@app.command(
    epilog="Example: jitsi-tokens --stack-name my-stack client add openemr --room 'visit-*'"
    " --moderator"
)
@takes_policy
def add(
    ctx: typer.Context,
    name: Name,
    *,
    options: PolicyOptions,
    as_json: Json = False,
) -> None:
    """Make an API key for a client, and show it this once.

    A name that exists gets one more API key with the policy it has: give no policy options then.
    """
    check_name(name)
    store = ClientStore(find_stack(ctx.obj))
    client = _client_to_add(name, options, store.keys_of(name))
    api_key = make_api_key()
    store.add(client, api_key, datetime.now(UTC))
    if as_json:
        put_json({"client": name, "apiKey": api_key, "keyDigest": digest(api_key)})
        return
    say(f"The API key of {name}. It is shown this once and kept nowhere; it works at once:")
    put(api_key)


@app.command(
    "set",
    epilog="Example: jitsi-tokens --stack-name my-stack client set openemr --room 'visit-*'",
)
@takes_policy
def set_policy(
    ctx: typer.Context,
    name: Name,
    *,
    options: PolicyOptions,
) -> None:
    """Replace a client's whole policy, for all its API keys together.

    What is not given is not allowed: without --moderator, the client makes no moderators.
    """
    check_name(name)
    client = Client(name=name, policy=options.policy())
    stack = find_stack(ctx.obj)
    store = ClientStore(stack)
    keys = _known(name, store.keys_of(name))
    store.replace(keys, client)
    say(
        f"The policy of {name} holds for {_counted(keys)} within {stack.authorizer_cache_seconds}"
        " seconds, as long as API Gateway remembers a caller."
    )


@app.command("list", epilog="Example: jitsi-tokens --stack-name my-stack client list")
def list_clients(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the clients, their policies, and the digests of their API keys."""
    keys = ClientStore(find_stack(ctx.obj)).all_keys()
    if as_json:
        put_json(documents(keys))
    elif keys:
        put_clients(keys)
    else:
        say("There are no clients yet. Run `client add`.")


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack client revoke openemr")
def revoke(
    ctx: typer.Context,
    name: Name,
    *,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="DIGEST",
            help="Only the API key whose digest begins so: 8 or more hex digits of `client list`.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Revoke without asking.")] = False,
) -> None:
    """Delete a client's API keys, or one of them."""
    check_name(name)
    stack = find_stack(ctx.obj)
    store = ClientStore(stack)
    keys = _known(name, store.keys_of(name))
    if key is not None:
        keys = _one_key(keys, key)
    confirm(f"Revoke {_counted(keys)} of {name}?", yes=yes)
    store.remove(keys)
    say(
        f"Revoked {_counted(keys)} of {name}. It may work for at most"
        f" {stack.authorizer_cache_seconds} seconds longer, while API Gateway remembers it."
    )


def _client_to_add(name: str, options: PolicyOptions, keys: list[StoredKey]) -> Client:
    """Return the client that gets one more API key: a new one, or the one that has these."""
    if not keys:
        return Client(name=name, policy=options.policy())
    present = keys[0].client
    if present is None or any(key.client != present for key in keys):
        raise CommandError(
            f"The policy of {name} cannot be read, or is not the same for all its API keys: run"
            " `client set` first."
        )
    if options.given and options.policy() != present.policy:
        raise CommandError(
            f"{name} exists with another policy. Run `client set` to change it, or `client add`"
            " without policy options for one more API key."
        )
    return present


def _known(name: str, keys: list[StoredKey]) -> list[StoredKey]:
    if not keys:
        raise CommandError(
            f"There is no client {name}. `client list` names them; a new one is found in a moment."
        )
    return keys


def _one_key(keys: list[StoredKey], prefix: str) -> list[StoredKey]:
    """Return the one API key whose digest begins so."""
    if not _DIGEST_PREFIX.fullmatch(prefix.lower()):
        raise CommandError("--key takes 8 to 64 hex digits, as `client list` shows them.")
    found = [key for key in keys if key.digest.startswith(prefix.lower())]
    if len(found) != 1:
        raise CommandError(f"{len(found)} API keys of this client have a digest that begins so.")
    return found


def _counted(keys: list[StoredKey]) -> str:
    return "1 API key" if len(keys) == 1 else f"{len(keys)} API keys"

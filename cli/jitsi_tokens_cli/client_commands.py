"""`jitsi-tokens client`: who may ask for tokens."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from jitsi_tokens.clients import Client, check_name, digest, make_api_key
from jitsi_tokens_cli.asking import confirm
from jitsi_tokens_cli.client_choice import client_to_add, counted, known, one_key
from jitsi_tokens_cli.client_list import documents, put_clients
from jitsi_tokens_cli.client_policy import (
    AnyRoom,
    Diagnostics,
    Feature,
    MaxLifetime,
    Moderator,
    PolicyOptions,
    Room,
)
from jitsi_tokens_cli.client_store import ClientStore
from jitsi_tokens_cli.output import put, put_json, say
from jitsi_tokens_cli.stack import find_stack

app = typer.Typer(no_args_is_help=True, help="The clients that may ask for tokens.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The client's name.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a script.")]


@app.command(
    epilog="Example: jitsi-tokens --stack-name my-stack client add openemr --room 'visit-*'"
    " --moderator"
)
def add(
    ctx: typer.Context,
    name: Name,
    *,
    room: Room = None,
    any_room: AnyRoom = False,
    moderator: Moderator = False,
    feature: Feature = None,
    max_lifetime: MaxLifetime = None,
    diagnostics: Diagnostics = False,
    as_json: Json = False,
) -> None:
    """Make an API key for a client, and show it this once.

    A name that exists gets one more API key with the policy it has: give no policy options then.
    """
    check_name(name)
    options = PolicyOptions(room, any_room, moderator, feature, max_lifetime, diagnostics)
    store = ClientStore(find_stack(ctx.obj))
    client = client_to_add(name, options, store.keys_of(name))
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
def set_policy(
    ctx: typer.Context,
    name: Name,
    *,
    room: Room = None,
    any_room: AnyRoom = False,
    moderator: Moderator = False,
    feature: Feature = None,
    max_lifetime: MaxLifetime = None,
    diagnostics: Diagnostics = False,
) -> None:
    """Replace a client's whole policy, for all its API keys together.

    What is not given is not allowed: without --moderator, the client makes no moderators.
    """
    check_name(name)
    options = PolicyOptions(room, any_room, moderator, feature, max_lifetime, diagnostics)
    client = Client(name=name, policy=options.policy())
    stack = find_stack(ctx.obj)
    store = ClientStore(stack)
    keys = known(name, store.keys_of(name))
    store.replace(keys, client)
    say(
        f"The policy of {name} holds for {counted(keys)} within {stack.authorizer_cache_seconds}"
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
    keys = known(name, store.keys_of(name))
    if key is not None:
        keys = one_key(keys, key)
    confirm(f"Revoke {counted(keys)} of {name}?", yes=yes)
    store.remove(keys)
    say(
        f"Revoked {counted(keys)} of {name}. It may work for at most"
        f" {stack.authorizer_cache_seconds} seconds longer, while API Gateway remembers it."
    )

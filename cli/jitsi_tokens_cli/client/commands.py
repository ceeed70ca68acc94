"""`jitsi-tokens client`: who may ask for tokens."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from jitsi_tokens.core.clients import KEY_DIGITS, Client, check_name, digest, make_api_key
from jitsi_tokens_cli.address import service_url
from jitsi_tokens_cli.app import App, examples, takes
from jitsi_tokens_cli.client.keys import (
    SHORT,
    by_age,
    counted,
    described,
    holder,
    known,
    max_advance_of,
    one_key,
    time_of_next,
    well_filed,
)
from jitsi_tokens_cli.client.options import PolicyOptions
from jitsi_tokens_cli.client.output import documents, echo_clients, info_next_steps
from jitsi_tokens_cli.client.store import ClientStore, StoredKey
from jitsi_tokens_cli.errors import CommandError, UsageError
from jitsi_tokens_cli.inputs import Yes, confirm
from jitsi_tokens_cli.output import Json, Wide, echo, echo_json, info
from jitsi_tokens_cli.stack import Stack, find_stack

app = App("Manage clients: applications with an API key and a policy.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The client's name.")]


@app.command(
    epilog=examples(
        "jitsi-tokens client add openemr --stack-name my-stack \\\n"
        "    --room 'visit-*' --moderator",
    )
)
@takes(PolicyOptions)
def add(
    ctx: typer.Context,
    name: Name,
    *,
    options: PolicyOptions,
    as_json: Json = False,
) -> None:
    """Make an API key for a client, and show it once.

    An existing client gets one more API key with the same policy: give no policy options then.
    Only the key is printed on stdout; stderr says how to use it.
    """
    check_name(name)
    stack = find_stack(ctx.obj)
    store = ClientStore(stack)
    keys = well_filed(store.keys_of(name))
    client = _client_to_add(name, options, keys)
    _add_key(stack, store, client, datetime.now(UTC), others=len(keys), as_json=as_json)


@app.command(
    epilog=examples(
        "jitsi-tokens client rotate openemr --stack-name my-stack",
        "jitsi-tokens client rotate openemr --stack-name my-stack --finish",
    )
)
def rotate(
    ctx: typer.Context,
    name: Name,
    *,
    finish: Annotated[
        bool, typer.Option("--finish", help="Revoke every API key but the newest.")
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Replace a client's API key without a gap.

    Makes a new API key. Give it to the application, then run this again with --finish to revoke
    the earlier ones.
    """
    check_name(name)
    stack = find_stack(ctx.obj)
    store = ClientStore(stack)
    keys = known(name, well_filed(store.keys_of(name)))
    if finish:
        _finish(stack, store, keys, yes=yes, as_json=as_json)
        return
    made_at = time_of_next(keys, datetime.now(UTC))
    _add_key(stack, store, holder(keys), made_at, others=len(keys), as_json=as_json)
    info(
        f"Then run `client rotate {name} --finish` to revoke {counted(keys)} from before. Until"
        " then it works, too."
    )


@app.command(
    "set",
    epilog=examples("jitsi-tokens client set openemr --stack-name my-stack --room 'visit-*'"),
)
@takes(PolicyOptions)
def set_policy(
    ctx: typer.Context,
    name: Name,
    *,
    options: PolicyOptions,
    as_json: Json = False,
) -> None:
    """Replace a client's whole policy, for all its API keys together.

    Whatever you leave out is no longer allowed: without --moderator, the client makes no
    moderators. Only --max-advance keeps its value.
    """
    check_name(name)
    options.policy()  # Check the options before calling AWS.
    stack = find_stack(ctx.obj)
    store = ClientStore(stack)
    keys = known(name, well_filed(store.keys_of(name)))
    store.replace(keys, Client(name=name, policy=options.policy(max_advance_of(keys))))
    info(
        f"The policy of {name} applies to {counted(keys)} within {stack.authorizer_cache_seconds}"
        " seconds: API Gateway caches callers for so long."
    )
    if as_json:
        echo_json(_changed(name, keys))


@app.command("list", epilog=examples("jitsi-tokens client list --stack-name my-stack"))
def list_clients(ctx: typer.Context, *, wide: Wide = False, as_json: Json = False) -> None:
    """List clients, policies, and digests of the API keys."""
    keys = ClientStore(find_stack(ctx.obj)).all_keys()
    if as_json:
        echo_json(documents(keys))
    elif keys:
        echo_clients(keys, wide=wide)
    else:
        info("There are no clients yet. Run `jitsi-tokens client add`.")


@app.command(
    epilog=examples(
        "jitsi-tokens client revoke openemr --stack-name my-stack",
        "jitsi-tokens client revoke --key 5ae1d4b0c9f2 --stack-name my-stack",
    )
)
def revoke(
    ctx: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The client's name. Optional with --key."),
    ] = None,
    *,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            metavar="DIGEST",
            help=(
                "Only the API key whose digest begins with these hex digits from `client list`: 8"
                f" or more, {KEY_DIGITS} or more without NAME."
            ),
        ),
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delete a client's API keys, or one of them.

    This includes keys that the authorizer already refuses because item and record name different
    clients.
    """
    if name is not None:
        check_name(name)
    elif key is None:
        raise UsageError("Which API keys? Give the client's NAME, or --key with a digest.")
    stack = find_stack(ctx.obj)
    store = ClientStore(stack)
    keys = known(name, store.keys_of(name)) if name else store.all_keys()
    if key is not None:
        keys = one_key(keys, key, least=SHORT if name else KEY_DIGITS)
    whose = name or keys[0].name or keys[0].record_name or None
    confirm(f"Revoke {counted(keys)} of {whose or 'no client'}?", yes=yes)
    _revoke(stack, store, whose or "no client", keys)
    if as_json:
        echo_json(_changed(whose, keys))


def _client_to_add(name: str, options: PolicyOptions, keys: list[StoredKey]) -> Client:
    """Return the client that gets one more API key: a new one, or the one that has these."""
    if not keys:
        return Client(name=name, policy=options.policy())
    present = holder(keys)
    if options.given and options.policy(present.policy.max_advance_seconds) != present.policy:
        raise CommandError(
            f"{name} exists with another policy. Run `client set` to change it, or `client add`"
            " without policy options for one more API key."
        )
    return present


def _add_key(
    stack: Stack,
    store: ClientStore,
    client: Client,
    made_at: datetime,
    *,
    others: int,
    as_json: bool,
) -> None:
    """Make an API key and print it; `others` is how many the client has."""
    name, url = client.name, service_url(stack, None)
    api_key = make_api_key()
    store.add(client, api_key, made_at, others=others)
    if as_json:
        echo_json({"client": name, "apiKey": api_key, "keyDigest": digest(api_key), "url": url})
        return
    info(f"The API key of {name}. It works at once. Store it now, as it is shown only once:")
    echo(api_key)
    info_next_steps(url, client.policy)


def _finish(
    stack: Stack, store: ClientStore, keys: list[StoredKey], *, yes: bool, as_json: bool
) -> None:
    """Revoke all of a client's API keys but the newest."""
    name = keys[0].name
    *earlier, newest = by_age(keys)
    if earlier:
        listed = ", ".join(described(key) for key in earlier)
        confirm(
            f"Revoke {counted(earlier)} of {name} ({listed}), and keep the newest,"
            f" {described(newest)}? Callers that still use another are rejected within"
            f" {stack.authorizer_cache_seconds} seconds.",
            yes=yes,
        )
        _revoke(stack, store, name, earlier)
    else:
        info(f"{name} has one API key, {described(newest)}: there is nothing to finish.")
    if as_json:
        echo_json(_changed(name, earlier))


def _revoke(stack: Stack, store: ClientStore, name: str, keys: list[StoredKey]) -> None:
    store.remove(keys)
    info(
        f"Revoked {counted(keys)} of {name}. API Gateway may accept revoked keys for"
        f" {stack.authorizer_cache_seconds} more seconds. Tokens already issued work until they"
        " expire."
    )


def _changed(name: str | None, keys: list[StoredKey]) -> dict[str, Any]:
    return {"client": name, "keys": [key.digest for key in keys]}

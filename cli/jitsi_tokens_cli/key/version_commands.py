"""`jitsi-tokens key withdraw`, `cleanup`, `list`: what is there, and what must go."""

import time
from typing import Annotated, assert_never

import typer

from jitsi_tokens.publication import FRESH_SECONDS, Publication
from jitsi_tokens.secrets import CURRENT, PENDING
from jitsi_tokens_cli.app import App
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import confirm
from jitsi_tokens_cli.key import listing
from jitsi_tokens_cli.output import Json, echo_json, info
from jitsi_tokens_cli.signing_secret import current_version
from jitsi_tokens_cli.stack import Stack, find_stack

app = App()

Yes = Annotated[bool, typer.Option("--yes", help="Go on without asking.")]


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack key withdraw q3Zb0vXn")
def withdraw(
    ctx: typer.Context,
    kid: Annotated[
        str, typer.Argument(metavar="KID", help="The key's id, as `key list` shows it.")
    ],
    *,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Unpublish a key at once, as after a leak. For a stack that publishes its public keys."""
    stack = find_stack(ctx.obj)
    _refuse_where_nothing_is_published(stack)
    publication = Publication(stack.client("ssm"), stack.public_keys_path)
    published = sorted(key.kid for key in publication.keys().values())
    withdrawn = kid in published
    if withdrawn:
        confirm(f"{_warning(stack, kid)}Withdraw {kid}?", yes=yes)
        publication.withdraw(kid)
        published.remove(kid)
        info(
            f"Withdrawn. {kid} is given out for {2 * FRESH_SECONDS} seconds longer at most, half of"
            " it by caches on the way; but Prosody keeps the keys that it fetched until it"
            " restarts. Restart it after that"
            " (docker-jitsi-meet: `docker compose restart prosody`): from then on the tokens of"
            " this key are refused."
        )
    else:
        info(
            f"{kid} is not published: there is nothing to do. Published:"
            f" {', '.join(published) or 'none'}."
        )
    if as_json:
        echo_json({"kid": kid, "withdrawn": withdrawn, "published": published})


@app.command(epilog="Example: jitsi-tokens --stack-name my-stack key cleanup")
def cleanup(ctx: typer.Context, *, yes: Yes = False, as_json: Json = False) -> None:
    """Remove an AWSPENDING that a rotation left behind: it fails every later one."""
    stack = find_stack(ctx.obj)
    secret = stack.secret
    at = secret.labels()
    left = at.get(PENDING)
    if left is None or left == at.get(CURRENT):
        left = None
        info("There is no AWSPENDING left behind: nothing to clean up.")
    else:
        confirm(
            f"Remove AWSPENDING from version {left}? A rotation that is under way would fail.",
            yes=yes,
        )
        secret.move(PENDING, None, source=left)
        info("AWSPENDING is removed. The next rotation begins anew.")
    if as_json:
        echo_json({"cleaned": left is not None, "versionId": left})


@app.command("list", epilog="Example: jitsi-tokens --stack-name my-stack key list --json")
def list_keys(ctx: typer.Context, *, as_json: Json = False) -> None:
    """List the keys that the secret holds, and those that are published."""
    stack = find_stack(ctx.obj)
    keys = listing.listed(stack)
    if as_json:
        echo_json(listing.documents(keys))
    elif keys:
        listing.put_keys(stack, keys, time.time())
    else:
        info("There are no keys yet.")


def _refuse_where_nothing_is_published(stack: Stack) -> None:
    match stack.trust:
        case "console":
            raise CommandError(
                "This stack publishes no keys: Jitsi has them from 8x8. Delete the key there, at"
                " https://jaas.8x8.vc, API Keys. Where it is the one that signs, first `key stage`"
                " and `key promote` another."
            )
        case "shared":
            raise CommandError(
                "This stack publishes no keys: Jitsi has a shared secret. `key stage` and `key"
                " promote` another, and Jitsi's restart shuts the present one out."
            )
        case "published":
            return
        case _:
            assert_never(stack.trust)


def _warning(stack: Stack, kid: str) -> str:
    try:
        current = current_version(stack)
    except CommandError as error:
        return f"Whether it signs now is not known. {error} "
    if current is None or current.kid != kid:
        return ""
    return (
        "IT IS THE KEY THAT SIGNS NOW: until the next one does, Jitsi will refuse every new token."
        f" Where the leak can wait, rotate first: `{stack.rotate_secret_command}`. "
    )

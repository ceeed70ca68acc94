"""`jitsi-tokens key rotate`, `withdraw`, `cleanup`: keys that the stack makes and publishes."""

from typing import Annotated, assert_never

import typer
from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.publication import FRESH_SECONDS
from jitsi_tokens.secrets import CURRENT, PENDING, KeyVersion
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from jitsi_tokens_cli.app import App, examples
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.inputs import Yes, confirm
from jitsi_tokens_cli.key import check
from jitsi_tokens_cli.key.common import CLOCK, TELL_SECONDS, facts
from jitsi_tokens_cli.key.versions import read
from jitsi_tokens_cli.output import Json, duration_text, echo_json, info
from jitsi_tokens_cli.signing_secret import labelled_version
from jitsi_tokens_cli.stack import Stack, find_stack

app = App()

_POLL_SECONDS = 5
# Secrets Manager rotates nothing without a schedule: for RotationDays=0, the longest.
_SELDOM_DAYS = 1000
# The function's own limit, and some minutes in which Secrets Manager tries once more.
_LIMIT_SECONDS = 20 * 60


@app.command(epilog=examples("jitsi-tokens key rotate --stack-name my-stack"))
def rotate(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Replace the key now, on a stack that publishes its keys.

    Secrets Manager makes the next key, publishes it, and lets it sign once Jitsi can fetch it.
    The command waits for that, about three minutes. Tokens keep working, and Jitsi needs no
    restart.
    """
    stack = find_stack(ctx.obj)
    match stack.trust:
        case "console":
            raise CommandError(
                "8x8 must have the public key first, so this takes two steps: `jitsi-tokens key"
                " stage`, then `jitsi-tokens key promote --kid <key id>`."
            )
        case "shared":
            raise CommandError(
                "Jitsi must have the secret too, so this takes two steps: `jitsi-tokens key stage`,"
                " then `jitsi-tokens key promote`."
            )
        case "published":
            pass
        case _:
            assert_never(stack.trust)
    replaced = labelled_version(stack)
    replaced_kid = replaced.kid if replaced else ""
    _start(stack)
    info(
        "The rotation has started, and takes about three minutes. It goes on if you interrupt this"
        " command."
    )
    version = _next_version(stack, replaced)
    key = stack.read_key(version.text)
    if key.kid == replaced_kid:
        raise CommandError(
            f"The new version holds the same key, {key.kid}: Secrets Manager did not run"
            " RotateSigningKey. The local emulator never does: use `make rotate` there. Do not"
            " withdraw this key."
        )
    if as_json:
        answer = {"versionId": version.id, "changed": True, "replacedKid": replaced_kid or None}
        echo_json(facts(key) | answer)
    info(f"{key.kid} signs. Running functions use it within {KEY_FRESH_SECONDS // 60} minutes.")
    if replaced_kid:
        info(
            f"{replaced_kid} stays published until its last token ends (`key list` shows when). If"
            f" it has leaked: `jitsi-tokens key withdraw {replaced_kid}` in"
            f" {KEY_FRESH_SECONDS // 60} minutes, then restart Prosody."
        )
    check.check_stored(stack)


@app.command(
    epilog=examples(
        "jitsi-tokens key withdraw 4QyTeUh6ZCT3PN0_r5Nz --stack-name my-stack",
    )
)
def withdraw(
    ctx: typer.Context,
    kid: Annotated[
        str, typer.Argument(metavar="KID", help="The key's id, as `key list` shows it.")
    ],
    *,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Unpublish a key at once, for example after a leak."""
    stack = find_stack(ctx.obj)
    match stack.trust:
        case "console":
            raise CommandError(
                "This stack publishes no keys: Jitsi has them from 8x8. Delete the key there, at"
                " https://jaas.8x8.vc, API Keys. If it is the one that signs, first `key stage`"
                " and `key promote` another."
            )
        case "shared":
            raise CommandError(
                "This stack publishes no keys: Jitsi has a shared secret. `key stage` and `key"
                " promote` another; Jitsi's restart then shuts the current one out."
            )
        case "published":
            pass
        case _:
            assert_never(stack.trust)
    publication = stack.publication
    kids = sorted(key.kid for key in publication.keys().values())
    withdrawn = kid in kids
    if withdrawn:
        confirm(f"{_warning(stack, kid)}Withdraw {kid}?", yes=yes)
        publication.withdraw(kid)
        kids.remove(kid)
        info(
            f"Withdrawn. Functions and caches serve {kid} for {2 * FRESH_SECONDS} more seconds at"
            " most, but Prosody keeps the keys that it fetched until it restarts. Restart it after"
            " that (docker-jitsi-meet: `docker compose restart prosody`): from then on it refuses"
            " the tokens of this key."
        )
    if as_json:
        echo_json({"kid": kid, "withdrawn": withdrawn, "published": kids})
    if not withdrawn:
        raise CommandError(
            f"{kid} is not published, so nothing was withdrawn. Published:"
            f" {', '.join(kids) or 'none'}."
        )


@app.command(epilog=examples("jitsi-tokens key cleanup --stack-name my-stack"))
def cleanup(ctx: typer.Context, *, yes: Yes = False, as_json: Json = False) -> None:
    """Remove what an abandoned rotation left behind.

    Removes the label AWSPENDING, with which every later rotation fails.
    """
    stack = find_stack(ctx.obj)
    secret = stack.secret
    at = secret.labels()
    left = at.get(PENDING)
    if left is None or left == at.get(CURRENT):
        left = None
        info("Nothing to clean up: no version has the label AWSPENDING.")
    else:
        confirm(
            f"Remove AWSPENDING from version {left}? A rotation that is under way would fail.",
            yes=yes,
        )
        secret.move(PENDING, None, source=left)
        info("AWSPENDING is removed. The next rotation starts afresh.")
    if as_json:
        echo_json({"cleaned": left is not None, "versionId": left})


def _start(stack: Stack) -> None:
    """Start a rotation, as `aws secretsmanager rotate-secret` does."""
    # Secrets Manager knows no function of a secret that has no schedule.
    schedule = {
        "RotationLambdaARN": stack.rotation_function,
        "RotationRules": {"AutomaticallyAfterDays": _SELDOM_DAYS},
    }
    try:
        stack.client("secretsmanager").rotate_secret(
            SecretId=stack.signing_secret, **({} if stack.rotation_days else schedule)
        )
    except ClientError as error:
        if error_code(error) != "InvalidRequestException":
            raise
        raise CommandError(
            "Secrets Manager cannot start a rotation: an earlier one is under way, or did not"
            " finish. `key list` shows its key as pending. If it still does in half an hour:"
            f" `jitsi-tokens key cleanup --stack-name {stack.name}`, then rotate."
        ) from None


def _next_version(stack: Stack, replaced: KeyVersion | None) -> KeyVersion:
    """Wait until another version signs than the one given, and return it."""
    started = told_at = CLOCK.now()
    while (now := CLOCK.now()) - started < _LIMIT_SECONDS:
        # Not by reading the key: CloudTrail notes each read, to be looked at after a leak.
        current = stack.secret.labels().get(CURRENT)
        if current != (replaced.id if replaced else None) and (version := read(stack, current)):
            return version
        if now - told_at >= TELL_SECONDS:
            told_at = now
            info(f"... {duration_text(now - started)}: the next key does not sign yet")
        CLOCK.sleep(_POLL_SECONDS)
    raise CommandError(
        f"The next key does not sign after {_LIMIT_SECONDS // 60} minutes; the current one keeps"
        " signing. The log of RotateSigningKey says why. `key list` and `doctor` show whether the"
        " rotation has ended since."
    )


def _warning(stack: Stack, kid: str) -> str:
    try:
        current = labelled_version(stack)
    except CommandError as error:
        return f"It is unknown whether it signs now. {error} "
    if current is None or current.kid != kid:
        return ""
    return (
        "IT IS THE KEY THAT SIGNS NOW: until the next one does, Jitsi will refuse every new token."
        f" If the leak can wait, first run `jitsi-tokens key rotate --stack-name {stack.name}`. "
    )

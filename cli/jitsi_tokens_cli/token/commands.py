"""`jitsi-tokens token`: tokens to try the stack with, and tokens to look into."""

import os
import time
from typing import Annotated, Any, NamedTuple

import jwt
import msgspec
import typer

from jitsi_tokens.core.keys import read_key
from jitsi_tokens_cli.address import URL_VARIABLE, base_url
from jitsi_tokens_cli.app import App
from jitsi_tokens_cli.errors import CommandError, UsageError
from jitsi_tokens_cli.inputs import STDIN, find_api_key
from jitsi_tokens_cli.output import Json, echo, echo_json, echo_table, info, time_text
from jitsi_tokens_cli.signing_secret import current_version
from jitsi_tokens_cli.stack import Target, find_stack
from jitsi_tokens_cli.token import service, text
from jitsi_tokens_cli.token.explain.command import EPILOG, explain
from jitsi_tokens_cli.token.source import TokenSource, read_token
from jitsi_tokens_cli.web import Web

app = App(
    "Meeting tokens: issue one, look into one, find out why Jitsi refuses one.",
)

_SWITCHES = {"true": True, "false": False}


class _Signature(NamedTuple):
    """What became of the check of a signature: for a script, and in a sentence."""

    code: str
    sentence: str


_VERIFIED = _Signature("verified", "The signature is that of the stack's present key.")
_OTHER_KEY_ID = _Signature(
    "verified-other-key-id",
    "The signature is that of the stack's present key, but the header names another key id:"
    " Jitsi will look for that one.",
)
_FAILED = _Signature(
    "failed",
    "The signature is not that of the stack's present key: another key signed the token, or it"
    " was changed.",
)
_UNCHECKED = _Signature(
    "unchecked",
    "The signature was NOT checked, so anyone may have written this: give --stack-name to check"
    " it.",
)


@app.command(
    epilog="Example: jitsi-tokens --stack-name my-stack token issue --user-id 7 --user-name 'Dr."
    " Roe' --room visit-12 --moderator"
)
def issue(
    ctx: typer.Context,
    *,
    user_id: Annotated[str, typer.Option(help="Id of the person.")],
    user_name: Annotated[str, typer.Option(help="Name that the meeting shows.")],
    room: Annotated[str, typer.Option(help="Name of the room.")],
    email: Annotated[str | None, typer.Option(help="E-mail address.")] = None,
    avatar: Annotated[str | None, typer.Option(help="https URL of a picture.")] = None,
    moderator: Annotated[bool, typer.Option("--moderator", help="Make a moderator.")] = False,
    expires_in: Annotated[
        int | None, typer.Option(metavar="SECONDS", help="Lifetime. Left out: an hour.")
    ] = None,
    not_before: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Start: epoch seconds, or as 2030-01-31T09:00:00Z."),
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=true|false", help="A feature's switch; repeat for more."),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            envvar=URL_VARIABLE, metavar="URL", help="The service. Left out: the stack's."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Ask the service for a token, as a health record does.

    The API key is read from JITSI_TOKENS_API_KEY, from the file that JITSI_TOKENS_API_KEY_FILE
    names, or asked for. It is never an argument: arguments are seen by everyone on the machine.
    """
    request: dict[str, Any] = {
        "userId": user_id,
        "userName": user_name,
        "roomName": room,
        "userEmail": email,
        "userAvatar": avatar,
        "isModerator": moderator,
        "expirationSeconds": expires_in,
        "notBefore": _epoch_or_text(not_before),
        "features": _switches(feature) if feature else None,
    }
    web = Web(base_url(url or "") or find_stack(ctx.obj).api_url)
    answer = service.issue(
        web,
        find_api_key(os.environ),
        {name: value for name, value in request.items() if value is not None},
    )
    if as_json:
        echo_json(msgspec.to_builtins(answer))
        return
    echo(f"Meeting URL: {answer.meeting_url}")
    echo(f"Room:        {answer.room_name}")
    echo(f"Valid from:  {time_text(answer.not_before)}")
    echo(f"Valid until: {time_text(answer.expires_at)}")
    echo(f"Token:       {answer.token}")


@app.command(epilog="Example: jitsi-tokens token inspect token.txt")
def inspect(
    ctx: typer.Context,
    token: TokenSource = STDIN,
    *,
    as_json: Json = False,
) -> None:
    """Show what a token says, and whether it is valid now.

    With --stack-name its signature is checked with the stack's key.
    """
    decoded = text.decode(read_token(token).text)
    signature = _check_signature(ctx.obj, decoded)
    valid = text.validity(decoded.claims, time.time())
    if as_json:
        echo_json(
            {
                "header": decoded.header,
                "claims": decoded.claims,
                "validNow": valid.startswith("yes"),
                "validity": valid,
                "signature": signature.code,
            }
        )
        info(signature.sentence)
    else:
        echo_table(["Header", ""], text.rows(decoded.header))
        echo_table(["Claim", ""], text.rows(decoded.claims))
        echo(f"Valid now: {valid}")
        echo(signature.sentence)
    if signature is _FAILED:
        raise typer.Exit(CommandError.exit_code)


app.command(epilog=EPILOG)(explain)


def _epoch_or_text(time_given: str | None) -> int | str | None:
    # The service takes epoch seconds as a number only.
    is_epoch = time_given and time_given.isascii() and time_given.isdecimal()
    return int(time_given) if time_given and is_epoch else time_given


def _switches(options: list[str]) -> dict[str, bool]:
    features: dict[str, bool] = {}
    for option in options:
        name, _, value = option.partition("=")
        if value not in _SWITCHES:
            raise UsageError("A feature is given as NAME=true or NAME=false.")
        if name in features:
            raise UsageError("A feature is given twice.")
        features[name] = _SWITCHES[value]
    return features


def _check_signature(target: Target, token: text.Token) -> _Signature:
    if not target.stack_name:
        return _UNCHECKED
    stack = find_stack(target)
    version = current_version(stack)
    if version is None:
        raise CommandError(f"The stack {stack.name} has no signing key to check with.")
    key = read_key(version.text, algorithm=stack.algorithm, kid_prefix=stack.kid_prefix)
    try:
        key.verify(token.text)
    except (jwt.PyJWTError, ValueError):
        return _FAILED
    return _VERIFIED if token.header.get("kid") == key.kid else _OTHER_KEY_ID

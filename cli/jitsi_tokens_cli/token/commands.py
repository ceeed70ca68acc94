"""`jitsi-tokens token`: tokens to try the stack with, and tokens to look into."""

import os
import time
import webbrowser
from typing import Annotated, Any

import jwt
import msgspec
import typer

from jitsi_tokens.core.issued import IssuedToken
from jitsi_tokens_cli.address import ServiceUrl, base_url
from jitsi_tokens_cli.app import App, examples
from jitsi_tokens_cli.errors import CommandError, UsageError
from jitsi_tokens_cli.inputs import STDIN, find_api_key
from jitsi_tokens_cli.output import Json, echo_facts, echo_json, info, time_text
from jitsi_tokens_cli.signing_secret import labelled_version
from jitsi_tokens_cli.stack import Target, find_stack
from jitsi_tokens_cli.token import service, text
from jitsi_tokens_cli.token.explain.command import EPILOG, explain
from jitsi_tokens_cli.web import Web

app = App("Issue, inspect and explain meeting tokens.")

OpenLink = Annotated[
    bool,
    typer.Option(
        "--open",
        help="Open the meeting in your browser, and print neither link nor token. The browser"
        " gets the link as an argument, which others on this machine can see.",
    ),
]

_SWITCHES = {"true": True, "false": False}


# What became of the check of a signature: for a script, and in a sentence.
_SIGNATURES = {
    "verified": "The stack's current key signed it.",
    "verified-other-key-id": "The stack's current key signed it, but the header names another key"
    " id: Jitsi will look for that one.",
    "failed": (
        "The stack's current key did not sign it: another key did, or the token was changed"
        " afterwards."
    ),
    "unchecked": "NOT checked, so anyone may have written this. Give --stack-name to check it.",
}


@app.command(
    epilog=examples(
        "jitsi-tokens token issue --stack-name my-stack --room visit-12 \\",
        "  --user-id 7 --user-name 'Dr. Roe' --moderator --open",
    )
)
def issue(
    ctx: typer.Context,
    *,
    user_id: Annotated[str, typer.Option(metavar="ID", help="The person's id.")],
    user_name: Annotated[
        str, typer.Option(metavar="NAME", help="The person's name, which the meeting shows.")
    ],
    room: Annotated[str, typer.Option(metavar="NAME", help="Name of the room.")],
    email: Annotated[str | None, typer.Option(metavar="ADDRESS", help="E-mail address.")] = None,
    avatar: Annotated[
        str | None, typer.Option(metavar="URL", help="https URL of a picture.")
    ] = None,
    moderator: Annotated[bool, typer.Option("--moderator", help="Make a moderator.")] = False,
    expires_in: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS", help="Lifetime. Default: an hour, or the limit if that is lower."
        ),
    ] = None,
    not_before: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Start: epoch seconds, or a time such as 2030-01-31T09:00:00Z. Default: now.",
        ),
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=true|false", help="Switch a feature on or off; repeat for more."
        ),
    ] = None,
    url: ServiceUrl = None,
    open_link: OpenLink = False,
    as_json: Json = False,
) -> None:
    """Request a token from the service, as a health record does.

    The API key comes from JITSI_TOKENS_API_KEY, from the file that
    JITSI_TOKENS_API_KEY_FILE names, or from a prompt. It is never an argument:
    everyone on the machine can see arguments.
    """
    check_output(open_link=open_link, as_json=as_json)
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
    show_meeting(answer, open_link=open_link, as_json=as_json)


@app.command(
    epilog=examples(
        "jitsi-tokens token inspect link.txt",
        "jitsi-tokens token inspect link.txt --stack-name my-stack",
    )
)
def inspect(
    ctx: typer.Context,
    token: text.TokenSource = STDIN,
    *,
    as_json: Json = False,
) -> None:
    """Show what a token says, and whether it is valid now.

    With --stack-name, check its signature with the stack's key, and exit with 1
    if another key signed it.
    """
    decoded = text.decode(text.read_token(token).text)
    signature = _check_signature(ctx.obj, decoded)
    valid = text.validity(decoded.claims, time.time())
    if as_json:
        echo_json(
            {
                "header": decoded.header,
                "claims": decoded.claims,
                "validNow": valid.startswith("yes"),
                "validity": valid,
                "signature": signature,
            }
        )
        info(f"Signature: {_SIGNATURES[signature]}")
    else:
        echo_facts(
            [
                *text.rows(decoded.header, "header."),
                *text.rows(decoded.claims),
                ("Valid now", valid),
                ("Signature", _SIGNATURES[signature]),
            ]
        )
    if signature == "failed":
        raise typer.Exit(CommandError.exit_code)


app.command(epilog=EPILOG)(explain)


def check_output(*, open_link: bool, as_json: bool) -> None:
    """Refuse --open with --json, before a token is issued.

    Raises:
        UsageError: both were given.
    """
    if open_link and as_json:
        raise UsageError("Give --json or --open, not both: --json prints the link.")


def show_meeting(answer: IssuedToken, *, open_link: bool, as_json: bool) -> None:
    """Print a meeting's link and token, or open it in the browser."""
    if as_json:
        echo_json(msgspec.to_builtins(answer))
        return
    is_opened = open_link and webbrowser.open(answer.meeting_url)
    if open_link:
        info(
            "The meeting opens in your browser."
            if is_opened
            else "No browser can be started here: open the link yourself."
        )
    facts = [
        ("Meeting URL", answer.meeting_url),
        ("Room", answer.room_name),
        ("Valid from", time_text(answer.not_before)),
        ("Valid until", time_text(answer.expires_at)),
        ("Token", answer.token),
    ]
    echo_facts(facts[1:-1] if is_opened else facts)


def _epoch_or_text(time_given: str | None) -> int | str | None:
    # The service takes epoch seconds as a number only.
    is_epoch = time_given and time_given.isascii() and time_given.isdecimal()
    return int(time_given) if time_given and is_epoch else time_given


def _switches(options: list[str]) -> dict[str, bool]:
    features: dict[str, bool] = {}
    for option in options:
        name, _, value = option.partition("=")
        if value not in _SWITCHES:
            raise UsageError("Give a feature as NAME=true or NAME=false.")
        if name in features:
            raise UsageError("A feature is given twice.")
        features[name] = _SWITCHES[value]
    return features


def _check_signature(target: Target, token: text.Token) -> str:
    if not target.stack_name:
        return "unchecked"
    stack = find_stack(target)
    version = labelled_version(stack)
    if version is None:
        raise CommandError(f"The stack {stack.name} has no signing key to check with.")
    key = stack.read_key(version.text)
    try:
        key.verify(token.text)
    except (jwt.PyJWTError, ValueError):
        return "failed"
    return "verified" if token.header.get("kid") == key.kid else "verified-other-key-id"

"""`jitsi-tokens token`: tokens to try the stack with, and tokens to look into."""

import os
import time
from typing import Annotated, Any

import typer

from jitsi_tokens_cli import files, token_text
from jitsi_tokens_cli.api_key import find_api_key
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.output import put, put_json, put_table, say
from jitsi_tokens_cli.stack import find_stack
from jitsi_tokens_cli.token_request import not_before_value, switches
from jitsi_tokens_cli.token_service import check_url
from jitsi_tokens_cli.token_service import issue as ask_service
from jitsi_tokens_cli.token_signature import Signature, check_signature

app = typer.Typer(no_args_is_help=True, help="Meeting tokens: issue one, look into one.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a script.")]


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
            envvar="JITSI_TOKENS_URL", metavar="URL", help="The service. Left out: the stack's."
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
        "notBefore": None if not_before is None else not_before_value(not_before),
        "features": switches(feature) if feature else None,
    }
    address = url or find_stack(ctx.obj).api_url
    check_url(address)
    answer = ask_service(
        address,
        find_api_key(os.environ),
        {name: value for name, value in request.items() if value is not None},
    )
    if as_json:
        put_json(
            {
                "token": answer.token,
                "expiresAt": answer.expires_at,
                "notBefore": answer.not_before,
                "meetingUrl": answer.meeting_url,
                "roomName": answer.room_name,
            }
        )
        return
    put(f"Meeting URL: {answer.meeting_url}")
    put(f"Room:        {answer.room_name}")
    put(f"Valid from:  {token_text.time_text(answer.not_before)}")
    put(f"Valid until: {token_text.time_text(answer.expires_at)}")
    put(f"Token:       {answer.token}")


@app.command(epilog="Example: jitsi-tokens token inspect token.txt")
def inspect(
    ctx: typer.Context,
    token: Annotated[
        str,
        typer.Argument(
            metavar="[TOKEN|FILE|URL|-]",
            help="A token, a file that holds one, a meeting URL, or `-` for stdin. A token as an"
            " argument stays in the shell's history.",
            show_default=False,
        ),
    ] = files.STDIN,
    *,
    as_json: Json = False,
) -> None:
    """Show what a token says, and whether it is valid now.

    With --stack-name its signature is checked with the stack's key.
    """
    decoded = token_text.decode(_found_token(token))
    signature = check_signature(ctx.obj, decoded)
    valid = token_text.validity(decoded.claims, time.time())
    if as_json:
        put_json(
            {
                "header": decoded.header,
                "claims": decoded.claims,
                "validNow": valid.startswith("yes"),
                "validity": valid,
                "signature": signature.value,
            }
        )
        say(signature.sentence)
    else:
        put_table(["Header", ""], token_text.rows(decoded.header))
        put_table(["Claim", ""], token_text.rows(decoded.claims))
        put(f"Valid now: {valid}")
        put(signature.sentence)
    if signature is Signature.FAILED:
        raise typer.Exit(1)


def _found_token(source: str) -> str:
    if found := token_text.token_in(source):
        return found
    if "://" in source:
        raise CommandError("The URL holds no token: none follows jwt= in it.")
    content = files.read(source)
    found = token_text.token_in(content.decode(errors="replace"))
    if found is None:
        raise CommandError("There is no token: neither a JWT nor a meeting URL that holds one.")
    return found

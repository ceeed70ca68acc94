"""`jitsi-tokens token explain`: which of Jitsi's rules a token breaks."""

import time
from typing import Annotated

import typer

from jitsi_tokens.core.rooms import backend_safe
from jitsi_tokens_cli.address import Url, service_url
from jitsi_tokens_cli.errors import CommandError, UsageError
from jitsi_tokens_cli.inputs import STDIN
from jitsi_tokens_cli.output import Json
from jitsi_tokens_cli.stack import Target, find_stack
from jitsi_tokens_cli.token import text
from jitsi_tokens_cli.token.explain.expectations import Expectations, TokenUnderTest
from jitsi_tokens_cli.token.explain.flags import Flags
from jitsi_tokens_cli.token.explain.link import read_address
from jitsi_tokens_cli.token.explain.report import put_json_report, put_report
from jitsi_tokens_cli.token.explain.rules import explain as apply_rules
from jitsi_tokens_cli.token.explain.stack import expectations_of_stack

EPILOG = (
    "Examples: jitsi-tokens --stack-name my-stack token explain token.txt --room 'My Room';"
    " jitsi-tokens token explain --issuer app --audience app --secret-file secret.txt"
)
_OTHER = "Another Jitsi than the stack's"


def explain(
    ctx: typer.Context,
    token: text.TokenSource = STDIN,
    *,
    room: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The room that the person means to join. Left out: the URL's."
        ),
    ] = None,
    url: Url = None,
    as_json: Json = False,
    jaas_app_id: Annotated[
        str | None,
        typer.Option(metavar="APP_ID", help="JaaS, by its App ID.", rich_help_panel=_OTHER),
    ] = None,
    algorithm: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The algorithm that it is set to. Left out: HS256 with a secret, RS256 with a"
            " public key.",
            rich_help_panel=_OTHER,
        ),
    ] = None,
    issuer: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="An issuer it accepts; repeat for more.", rich_help_panel=_OTHER
        ),
    ] = None,
    audience: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="An audience it accepts; repeat for more.", rich_help_panel=_OTHER
        ),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The sub that it wants. Left out: the tenant, else the domain.",
            rich_help_panel=_OTHER,
        ),
    ] = None,
    tenant: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The tenant of its URLs, /tenant/room.", rich_help_panel=_OTHER
        ),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="The host of its URLs.", rich_help_panel=_OTHER),
    ] = None,
    public_key: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="The public key that it has, as a PEM.", rich_help_panel=_OTHER
        ),
    ] = None,
    key_server: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The key server that it asks (JWT_ASAP_KEYSERVER).",
            rich_help_panel=_OTHER,
        ),
    ] = None,
    secret_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="A file with the secret that it shares. Never an argument: arguments are seen by"
            " everyone on the machine.",
            rich_help_panel=_OTHER,
        ),
    ] = None,
) -> None:
    """Say which rule of Jitsi's a token breaks, why, and what to do.

    With --stack-name the token is held against that stack's Jitsi. The flags
    below describe another Jitsi: where one is given, the stack is not asked.
    With neither, JaaS is recognised by its tokens, and what depends on a
    configuration is not checked.

    Exits with 1 where a rule is broken.
    """
    flags = Flags(
        jaas_app_id=jaas_app_id,
        algorithm=algorithm,
        issuer=issuer,
        audience=audience,
        subject=subject,
        tenant=tenant,
        domain=domain,
        public_key=public_key,
        key_server=key_server,
        secret_file=secret_file,
    )
    found = text.read_token(token)
    decoded = text.decode(found.text)
    address = read_address(found.url)
    explanation = apply_rules(
        TokenUnderTest(
            found=found,
            token=decoded,
            expected=_expectations(ctx.obj, url, flags, decoded),
            intended_room=_meant(room) if room else address and address.room,
            now=int(time.time()),
        )
    )
    if as_json:
        put_json_report(explanation)
    else:
        put_report(explanation)
    if explanation.failures:
        raise typer.Exit(CommandError.exit_code)


def _expectations(target: Target, url: str | None, flags: Flags, token: text.Token) -> Expectations:
    if flags.any_given() or not target.stack_name:
        return flags.expectations(token)
    stack = find_stack(target)
    return expectations_of_stack(stack, service_url(stack, url))


def _meant(name: str) -> str:
    try:
        return backend_safe(name)
    except UnicodeEncodeError:
        raise UsageError("The room's name is not valid Unicode.") from None

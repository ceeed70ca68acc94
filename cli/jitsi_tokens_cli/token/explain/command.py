"""`jitsi-tokens token explain`: which of Jitsi's rules a token breaks."""

import re
import sys
import time
from typing import Annotated, Any, NamedTuple

import typer

from jitsi_tokens.core.rooms import backend_safe
from jitsi_tokens.core.rsa_keys import read_public_pem
from jitsi_tokens_cli.address import Url, service_url
from jitsi_tokens_cli.app import examples, takes
from jitsi_tokens_cli.checks import Check
from jitsi_tokens_cli.errors import CommandError, UsageError
from jitsi_tokens_cli.inputs import STDIN, read_file
from jitsi_tokens_cli.output import (
    Json,
    echo,
    echo_check,
    echo_json,
    is_terminal,
    one_line,
    wrapped,
)
from jitsi_tokens_cli.stack import Target, find_stack
from jitsi_tokens_cli.token import text
from jitsi_tokens_cli.token.explain.expectations import (
    ALGORITHMS,
    APP_ID_PREFIX,
    Expectations,
    FindKey,
    KeyAnswer,
    KeyFound,
    KeyUnknown,
    TokenUnderTest,
    looks_like_jaas,
    of_jaas,
)
from jitsi_tokens_cli.token.explain.keys import expectations_of_stack, of_key_server
from jitsi_tokens_cli.token.explain.rooms import read_address, room_seen
from jitsi_tokens_cli.token.explain.rules import Explanation, checks

EPILOG = examples(
    "jitsi-tokens token explain link.txt --stack-name my-stack --room visit-12",
    "jitsi-tokens token explain link.txt --issuer app --secret-file secret.txt",
    "jitsi-tokens token explain link.txt --key-server https://example.org/asap",
)
_NAME_WIDTH = 14


def _other(metavar: str, text: str) -> Any:
    return typer.Option(metavar=metavar, help=f"Another Jitsi: {text}")


class _Flags(NamedTuple):
    """What the command line says of another Jitsi."""

    jaas_app_id: Annotated[str | None, _other("APP_ID", "JaaS, by its App ID.")] = None
    algorithm: Annotated[
        str | None, _other("NAME", "its algorithm. Default: RS256, or HS256 with a secret.")
    ] = None
    issuer: Annotated[list[str] | None, _other("NAME", "accepts this iss; repeatable.")] = None
    audience: Annotated[list[str] | None, _other("NAME", "accepts this aud; repeatable.")] = None
    subject: Annotated[str | None, _other("NAME", "verifies domains, and requires this sub.")] = (
        None
    )
    tenant: Annotated[str | None, _other("NAME", "the tenant of its links.")] = None
    domain: Annotated[str | None, _other("HOST", "the host of its links.")] = None
    public_key: Annotated[str | None, _other("FILE", "its public key, as a PEM.")] = None
    key_server: Annotated[str | None, _other("URL", "its JWT_ASAP_KEYSERVER.")] = None
    secret_file: Annotated[str | None, _other("FILE", "a file with its secret.")] = None


@takes(_Flags)
def explain(
    ctx: typer.Context,
    token: text.TokenSource = STDIN,
    *,
    room: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The room to join. Default: the link's."),
    ] = None,
    url: Url = None,
    as_json: Json = False,
    flags: _Flags,
) -> None:
    """Check a token against Jitsi's rules: what breaks one, and why.

    With --stack-name, applies the rules of that stack's Jitsi. The options for
    another Jitsi describe a different one; the stack is then not read. Without
    either, recognises tokens for JaaS, and skips rules that depend on a
    configuration.

    Exits with 1 if Jitsi refuses the token. A warning means that Jitsi accepts
    the token, but something can still fail or do harm.
    """
    found = text.read_token(token)
    decoded = text.decode(found.text)
    address = read_address(found.url)
    tested = TokenUnderTest(
        found=found,
        token=decoded,
        expected=_expectations(ctx.obj, url, flags, decoded),
        intended_room=_intended(room) if room else address and address.room,
        now=int(time.time()),
    )
    done = []
    for check in checks(tested):
        done.append(check)
        if not as_json:
            _echo(check)
    explanation = Explanation(done, room_seen(tested))
    if as_json:
        _echo_json(explanation)
    else:
        _echo_verdict(explanation)
    if explanation.failures:
        raise typer.Exit(CommandError.exit_code)


def _expectations(
    target: Target, url: str | None, flags: _Flags, token: text.Token
) -> Expectations:
    if any(flags) or not target.stack_name:
        return _described(flags, token)
    stack = find_stack(target)
    return expectations_of_stack(stack, service_url(stack, url))


def _described(flags: _Flags, token: text.Token) -> Expectations:
    """Return what the Jitsi that the flags describe wants.

    Raises:
        UsageError: they contradict each other, or one is no address.
        CommandError: a file does not hold what it should.
    """
    is_described = any(flags._replace(jaas_app_id=None, public_key=None))
    if flags.jaas_app_id is not None:
        if is_described:
            raise UsageError("With --jaas-app-id, give only --public-key: 8x8 sets the rest.")
        app_id = flags.jaas_app_id.removeprefix(APP_ID_PREFIX)
        if not re.fullmatch("[0-9A-Fa-f]{32}", app_id):
            raise UsageError(
                f"An App ID is 32 hexadecimal digits, with {APP_ID_PREFIX} or without."
            )
        return of_jaas(APP_ID_PREFIX + app_id, _key(flags))
    if not is_described and looks_like_jaas(token.header, token.claims):
        return of_jaas(None, _key(flags))
    host = (flags.domain or "").partition(":")[0]
    return Expectations(
        provider="self-hosted" if is_described else None,
        find_key=_key(flags),
        algorithm=_algorithm(flags),
        issuers=tuple(flags.issuer or ()),
        audiences=tuple(flags.audience or ()),
        subject=flags.subject or flags.tenant or host or None,
        verifies_domain=flags.subject is not None,
        domain=flags.domain,
        tenant=flags.tenant,
    )


def _key(flags: _Flags) -> FindKey:
    answer: KeyAnswer
    match (flags.public_key, flags.key_server, flags.secret_file):
        case (None, None, None):
            answer = KeyUnknown(
                "There is no key to check it with: anyone may have written this token.",
                "Give --stack-name, or --public-key, --key-server or --secret-file.",
            )
        case (None, str(url), None):
            return of_key_server(url)
        case (str(name), None, None):
            public_key = read_public_pem(read_file(name).decode(errors="replace"))
            if public_key is None:
                raise CommandError(
                    "The file of --public-key holds no RSA public key in PEM: it begins with"
                    " -----BEGIN PUBLIC KEY-----."
                )
            answer = KeyFound(public_key)
        case (None, None, str(name)):
            # Less the line end that editors add.
            secret = read_file(name).rstrip(b"\r\n")
            if not secret:
                raise CommandError("The file of --secret-file is empty.")
            answer = KeyFound(secret)
        case _:
            raise UsageError("Give one of --public-key, --key-server and --secret-file.")
    return lambda _: answer


def _algorithm(flags: _Flags) -> str | None:
    """Return the algorithm: the one that was named, or the default that goes with the key."""
    has_public_key = flags.public_key is not None or flags.key_server is not None
    name = flags.algorithm
    if name is None:
        return "RS256" if has_public_key else "HS256" if flags.secret_file else None
    if name not in ALGORITHMS:
        raise UsageError(f"Jitsi knows the algorithms {', '.join(ALGORITHMS)}.")
    if has_public_key and name.startswith("HS"):
        raise UsageError(f"{name} takes --secret-file: it has no public key.")
    if flags.secret_file is not None and name.startswith("RS"):
        raise UsageError(f"{name} takes --public-key or --key-server: no secret.")
    return name


def _intended(name: str) -> str:
    try:
        return backend_safe(name)
    except UnicodeEncodeError:
        raise UsageError("The room's name is not valid Unicode.") from None


def _echo(check: Check) -> None:
    # What was found is a value, and the reason a sentence after it.
    found = f"{check.found}." if check.why else check.found
    echo_check(check._replace(found=found), _NAME_WIDTH)


def _echo_verdict(explanation: Explanation) -> None:
    verdict = {
        "refused": f"Jitsi refuses this token: {_names(explanation.failures)}.",
        "undecided": (
            "Undecided: the token passes every rule that was checked. Not checked:"
            f" {_names(explanation.not_checked)}."
        ),
        "accepted": "Jitsi accepts this token.",
    }[explanation.verdict]
    if warnings := explanation.with_outcome("warning"):
        verdict += f" Warnings: {_names(warnings)}."
    if explanation.room:
        verdict += f" Room: {one_line(explanation.room)}."
    if not is_terminal(sys.stdout):
        echo(f"{explanation.verdict}\tverdict\t{verdict}\t")
        return
    if explanation.failures:
        echo("")
    for check in explanation.failures:
        _echo(check)
    echo(f"\n{wrapped(verdict)}")


def _names(found: list[Check]) -> str:
    return ", ".join(check.name for check in found)


def _echo_json(explanation: Explanation) -> None:
    failures = explanation.failures
    names = ("rule", "outcome", "found", "why", "remedy")
    echo_json(
        {
            "verdict": explanation.verdict,
            "firstFailure": failures[0].name if failures else None,
            "room": explanation.room,
            "rules": [dict(zip(names, check, strict=False)) for check in explanation.rules],
        }
    )

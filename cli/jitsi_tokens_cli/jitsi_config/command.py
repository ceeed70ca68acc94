"""`jitsi-tokens jitsi-config`: the settings of a self-hosted Jitsi."""

import re
from enum import StrEnum
from typing import Annotated, assert_never

import typer

from jitsi_tokens_cli.address import Url, check_url, key_server_of, service_url
from jitsi_tokens_cli.app import examples
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.jitsi_config.formats import (
    JitsiSide,
    SecretStore,
    check_values,
    env_text,
    external_secrets_text,
    kubernetes_text,
    prosody_text,
)
from jitsi_tokens_cli.output import echo
from jitsi_tokens_cli.stack import Stack, find_stack

EPILOG = examples(
    "jitsi-tokens jitsi-config --stack-name my-stack > jitsi-tokens.env",
    "jitsi-tokens jitsi-config --stack-name my-stack --format prosody",
)
_DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")


class Format(StrEnum):
    """How the Jitsi is installed, and so what it reads."""

    ENV = "env"
    KUBERNETES = "kubernetes"
    EXTERNAL_SECRETS = "external-secrets"
    PROSODY = "prosody"


def _dns_name(text: str) -> str:
    if not _DNS_NAME.fullmatch(text):
        raise typer.BadParameter("Kubernetes takes lower-case letters, digits, dots and hyphens.")
    return text


def jitsi_config(
    ctx: typer.Context,
    *,
    output: Annotated[
        Format,
        typer.Option(
            "--format",
            help="env: docker-jitsi-meet's .env. kubernetes: a ConfigMap and a Secret."
            " external-secrets: the same, with the Secret kept by the External Secrets Operator."
            " prosody: a Debian install's Lua.",
        ),
    ] = Format.ENV,
    url: Url = None,
    namespace: Annotated[
        str,
        typer.Option(metavar="NAME", callback=_dns_name, help="Kubernetes: Jitsi's namespace."),
    ] = "jitsi",
    store: Annotated[
        str,
        typer.Option(
            "--secret-store",
            metavar="NAME",
            callback=_dns_name,
            help="external-secrets: the SecretStore for Secrets Manager.",
        ),
    ] = "aws-secrets-manager",
    cluster_store: Annotated[
        bool, typer.Option("--cluster-store", help="The SecretStore is a ClusterSecretStore.")
    ] = False,
) -> None:
    """Print the settings that a self-hosted Jitsi needs.

    The shared secret is never printed, only the command that gives it to Jitsi.
    """
    stack = find_stack(ctx.obj)
    side = _jitsi_side(stack, service_url(stack, url))
    match output:
        case Format.ENV:
            echo(env_text(side))
        case Format.KUBERNETES:
            echo(kubernetes_text(side, namespace))
        case Format.PROSODY:
            echo(prosody_text(side))
        case Format.EXTERNAL_SECRETS:
            if side.key_server:
                raise CommandError(
                    "There is no secret to sync: Jitsi fetches this stack's public keys. Use"
                    " --format kubernetes."
                )
            echo(
                external_secrets_text(side, namespace, SecretStore(store, of_cluster=cluster_store))
            )


def _jitsi_side(stack: Stack, url: str) -> JitsiSide:
    match stack.trust:
        case "console":
            raise CommandError(
                "8x8 runs JaaS's Jitsi, and there is nothing to set but the key: `key show` prints"
                " its public part, which 8x8's console (https://jaas.8x8.vc, API Keys) must hold"
                " under the same key id."
            )
        case "shared":
            key_server = None
        case "published":
            key_server = key_server_of(url)
        case _:
            assert_never(stack.trust)
    check_url(url)
    side = JitsiSide(
        settings=stack.settings,
        stack_name=stack.name,
        region=stack.region,
        signing_secret=stack.signing_secret,
        key_server=key_server,
        read_secret=stack.read_secret_command,
    )
    check_values(side)
    return side

"""Kubernetes' manifests for docker-jitsi-meet's images and a stack's tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jitsi_tokens_cli.jitsi_config import reasons
from jitsi_tokens_cli.jitsi_config.containers import login_settings, moderator_settings
from jitsi_tokens_cli.jitsi_config.side import comment, indented

if TYPE_CHECKING:
    from jitsi_tokens_cli.jitsi_config.containers import Setting
    from jitsi_tokens_cli.jitsi_config.side import JitsiSide

_NAME = "jitsi-tokens"


class SecretStore(NamedTuple):
    """The External Secrets Operator's way to Secrets Manager."""

    name: str
    of_cluster: bool


def kubernetes_text(side: JitsiSide, namespace: str) -> str:
    """Return a ConfigMap, and with a shared secret a Secret that has yet to be filled."""
    documents = [_config_map(side, namespace)]
    if side.key_server is None:
        documents.append(_empty_secret(side, namespace))
    return "\n---\n".join(documents)


def external_secrets_text(side: JitsiSide, namespace: str, store: SecretStore) -> str:
    """Return a ConfigMap, and what keeps a Secret the same as Secrets Manager's."""
    return f"{_config_map(side, namespace)}\n---\n{_external_secret(side, namespace, store)}"


def _config_map(side: JitsiSide, namespace: str) -> str:
    secret = (
        ""
        if side.key_server
        else " Prosody's alone also take the Secret, by envFrom with a secretRef."
    )
    title = (
        f"docker-jitsi-meet's images {side.title}. The pods of web, prosody and jicofo take this"
        f" by envFrom with a configMapRef.{secret} They read it when they start: restart them"
        " after a change."
    )
    settings = [
        *map(_entry, login_settings(side)),
        comment(reasons.MODERATORS, "#"),
        *map(_entry, moderator_settings()),
    ]
    return f"""\
{comment(title, "#")}
{_head("v1", "ConfigMap", namespace)}
data:
{indented("\n\n".join(settings), 2)}"""


def _empty_secret(side: JitsiSide, namespace: str) -> str:
    about = (
        "Empty, as the shared secret stands in Secrets Manager. What follows fills it, and shows"
        " the secret to nobody. To apply this file again leaves it filled."
    )
    merge = "jq '{stringData: {JWT_APP_SECRET: .secret}}'"
    patch = f"kubectl patch secret {_NAME} --namespace {namespace} --type merge"
    return f"""\
{comment(about, "#")}
#   {side.read_secret} | {merge} | {patch} --patch-file /dev/stdin
{_head("v1", "Secret", namespace)}
type: Opaque"""


def _external_secret(side: JitsiSide, namespace: str, store: SecretStore) -> str:
    access = (
        f"The store's provider is aws, with the service SecretsManager in {side.region}. Its role"
        " may do secretsmanager:GetSecretValue with the secret below, and kms:Decrypt with the"
        " key that encrypts it."
    )
    return f"""\
{comment("The shared secret stands in Secrets Manager alone: this copies it from there.", "#")}
{_head("external-secrets.io/v1", "ExternalSecret", namespace)}
spec:
  # How soon a changed secret is here. Prosody takes it up when it restarts.
  refreshInterval: 1h
  secretStoreRef:
{indented(comment(access, "#"), 4)}
    kind: {"ClusterSecretStore" if store.of_cluster else "SecretStore"}
    name: "{store.name}"
  target:
    name: {_NAME}
  data:
    - secretKey: JWT_APP_SECRET
      remoteRef:
        # The stack's output SigningKeySecret, and the field of its document that Jitsi wants.
        key: "{side.signing_secret}"
        property: secret"""


def _head(version: str, kind: str, namespace: str) -> str:
    return f"""\
apiVersion: {version}
kind: {kind}
metadata:
  name: {_NAME}
  namespace: "{namespace}\""""


def _entry(setting: Setting) -> str:
    # Kubernetes takes strings alone, and YAML reads a bare 1 as a number.
    return f'{comment(setting.reason, "#")}\n{setting.name}: "{setting.value}"'

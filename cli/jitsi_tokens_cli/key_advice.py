"""What the operator does beside storing the key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Stack

CONSOLE = (
    "Give 8x8 the public key above: https://jaas.8x8.vc, API Keys, Add API key. Until 8x8 has it"
    " under the same key id, Jitsi refuses the tokens."
)


def shared(stack: Stack) -> str:
    """Say how Jitsi comes by the secret that it shares with the stack."""
    return (
        "Jitsi must get the same secret (docker-jitsi-meet: JWT_APP_SECRET); until then it refuses"
        " the tokens. To read it, where nobody looks over your shoulder:\n"
        f"  aws secretsmanager get-secret-value {stack.region_option}"
        f" --secret-id '{stack.signing_secret}'"
        " --query SecretString --output text | jq -r .secret"
    )

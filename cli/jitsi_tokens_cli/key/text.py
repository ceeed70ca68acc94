"""What the operator is told and asked about a key, beside what a command prints of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from jitsi_tokens.settings import KEY_FRESH_SECONDS
from jitsi_tokens_cli.key.versions import NEXT

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import SigningKey
    from jitsi_tokens_cli.key.versions import ByHand
    from jitsi_tokens_cli.stack import Stack

CONSOLE = (
    "Give 8x8 the public key: https://jaas.8x8.vc, API Keys, Add API key. The console shows the"
    " key id."
)


def staged(stack: Stack, trust: ByHand, kid: str) -> str:
    """Say what comes between staging and promoting."""
    promote = f"  jitsi-tokens --stack-name {stack.name} key promote"
    match trust:
        case "console":
            return (
                f"{CONSOLE}\n"
                "Staged: the present key goes on signing. When 8x8 has the public key:\n"
                f"{promote} --kid <key id>"
            )
        case "shared":
            return (
                f"Staged as {kid}. The present secret goes on signing.\n"
                f"{prepare_jitsi(stack, NEXT)}\n"
                f"Then, when no visit is about to begin:\n{promote}"
            )
        case _:
            assert_never(trust)


def prepare_jitsi(stack: Stack, label: str) -> str:
    """Say what Jitsi's operator does before the secret of a label signs."""
    return (
        "First put the secret that is to sign into Jitsi's configuration (docker-jitsi-meet:"
        " JWT_APP_SECRET in .env), and do not restart Jitsi yet."
        f" {how_to_read(stack, label)}"
    )


def how_to_read(stack: Stack, label: str = "") -> str:
    """Say how a shared secret is read by whoever may: the current one, or that of a label."""
    stage = f" --version-stage {label}" if label else ""
    return (
        "To read it, where nobody looks over your shoulder:\n"
        f"  {stack.read_secret_command}{stage} | jq -r .secret"
    )


def promote_question(key: SigningKey, signing: str) -> str:
    """Ask whether a key that was staged for 8x8 may sign."""
    return (
        f"{signing} signs now, and {key.kid} will. Has 8x8 the public key with the SHA-256"
        f" fingerprint {key.fingerprint} under that id? Without it Jitsi refuses every"
        " token. Go on?"
    )


def rollback_question(key: SigningKey, signing: str) -> str:
    """Ask whether the previous key, 8x8's, may sign again."""
    return (
        f"{signing} signs now, and {key.kid} will again. It must still be in 8x8's console. Go on?"
    )


def restart_jitsi_at(key: SigningKey, time: str) -> str:
    """Say when Jitsi's operator has something to do."""
    return (
        f"{key.kid} is current. Running functions take it up within {KEY_FRESH_SECONDS // 60}"
        f" minutes: restart Jitsi's Prosody at {time}. If the earlier secret has leaked, restart it"
        " now: until you do, Jitsi accepts tokens forged with it."
    )


def restart_jitsi(key: SigningKey) -> str:
    """Say what Jitsi's operator does at once."""
    return (
        f"{key.kid} signs. Restart Jitsi's Prosody NOW (docker-jitsi-meet: `docker compose up -d"
        " prosody`): until then it refuses every new token, and from then on it refuses those that"
        " were issued before."
    )


def in_minutes(key: SigningKey, replaced_kid: str, needed_until: str) -> str:
    """Say when a key is in use everywhere, and how long the one before is needed."""
    minutes = KEY_FRESH_SECONDS // 60
    if not replaced_kid:
        return f"{key.kid} signs. Running functions take it up within {minutes} minutes."
    return (
        f"{key.kid} signs. Running functions take it up within {minutes} minutes; until then tokens"
        f" carry {replaced_kid}. Leave that key in 8x8's console until {needed_until}: by then the"
        " last token signed with it is over."
    )


def shared_question(key: SigningKey, signing: str) -> str:
    """Ask whether another shared secret may sign."""
    return (
        f"{signing} signs now, and {key.kid} will. Restart Jitsi after {KEY_FRESH_SECONDS // 60}"
        " minutes; it then refuses all tokens issued before. Is the new secret in Jitsi's"
        " configuration, and is no visit about to begin?"
    )

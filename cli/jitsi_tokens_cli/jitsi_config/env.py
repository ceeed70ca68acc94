"""docker-jitsi-meet's `.env` for a stack's tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens_cli.jitsi_config import reasons
from jitsi_tokens_cli.jitsi_config.containers import login_settings, moderator_settings
from jitsi_tokens_cli.jitsi_config.side import comment

if TYPE_CHECKING:
    from jitsi_tokens_cli.jitsi_config.containers import Setting
    from jitsi_tokens_cli.jitsi_config.side import JitsiSide


def env_text(side: JitsiSide) -> str:
    """Return the lines for `.env`. The shared secret is not among them."""
    blocks = [comment(f"docker-jitsi-meet's .env {side.title}.", "#")]
    blocks += [_assignment(setting) for setting in login_settings(side)]
    if side.key_server is None:
        blocks.append(_secret(side))
    blocks.append(comment(reasons.MODERATORS, "#"))
    blocks += [_assignment(setting) for setting in moderator_settings()]
    return "\n\n".join(blocks)


def _assignment(setting: Setting) -> str:
    return f"{comment(setting.reason, '#')}\n{setting.name}={setting.value}"


def _secret(side: JitsiSide) -> str:
    about = (
        "The shared secret stands in Secrets Manager. What follows adds it to this file, and shows"
        " it to nobody."
    )
    return f"""\
{comment(about, "#")}
#   {side.read_secret} | jq -r '"JWT_APP_SECRET=" + .secret' >> .env
#JWT_APP_SECRET="""

"""docker-jitsi-meet's `.env` for a stack's tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jitsi_tokens_cli.jitsi_config import side as why
from jitsi_tokens_cli.jitsi_config.side import comment

if TYPE_CHECKING:
    from jitsi_tokens_cli.jitsi_config.side import JitsiSide

# docker-jitsi-meet's own, which no browser ever sees.
_XMPP_DOMAIN = "meet.jitsi"
_LIST = "A comma-separated list, without blanks."


class Setting(NamedTuple):
    """A variable of docker-jitsi-meet's containers, and the reason for its value."""

    name: str
    value: str
    reason: str


def login_settings(side: JitsiSide) -> list[Setting]:
    """Return what makes Jitsi take this stack's tokens, and nothing else."""
    settings = side.settings
    verification = side.verification(_XMPP_DOMAIN)
    return [
        Setting("ENABLE_AUTH", "1", why.LOGIN),
        Setting("AUTH_TYPE", "jwt", why.TOKEN_LOGIN),
        Setting("ENABLE_GUESTS", "0", why.NO_GUESTS),
        Setting("JWT_ALLOW_EMPTY", "0", why.NO_EMPTY_TOKEN),
        Setting("JWT_APP_ID", settings.app_id, why.APP_ID),
        *_key_server(side),
        Setting("JWT_ACCEPTED_ISSUERS", settings.issuer.issuer, f"{why.ISSUERS} {_LIST}"),
        Setting("JWT_ACCEPTED_AUDIENCES", settings.issuer.audience, f"{why.AUDIENCES} {_LIST}"),
        Setting(
            "JWT_ENABLE_DOMAIN_VERIFICATION",
            "1" if verification.fits else "0",
            verification.reason,
        ),
    ]


def moderator_settings() -> list[Setting]:
    """Return what makes moderators of those alone whose token says so."""
    return [
        Setting(
            "XMPP_MUC_MODULES",
            "token_affiliation",
            f"{why.TOKEN_AFFILIATION} {_LIST}",
        ),
        Setting("JICOFO_ENABLE_AUTH", "0", why.NO_JICOFO_AUTHENTICATION),
        Setting("ENABLE_AUTO_OWNER", "0", why.NO_AUTO_OWNER),
        Setting("WAIT_FOR_HOST_DISABLE_AUTO_OWNERS", "1", why.NO_WAIT_FOR_HOST_OWNERS),
    ]


def env_text(side: JitsiSide) -> str:
    """Return the lines for `.env`. The shared secret is not among them."""
    blocks = [comment(f"docker-jitsi-meet's .env {side.title}.", "#")]
    blocks += [_assignment(setting) for setting in login_settings(side)]
    if not side.settings.publishes_keys:
        blocks.append(_secret(side))
    blocks.append(comment(why.MODERATORS, "#"))
    blocks += [_assignment(setting) for setting in moderator_settings()]
    return "\n\n".join(blocks)


def _key_server(side: JitsiSide) -> list[Setting]:
    if not side.settings.publishes_keys:
        return []
    reason = side.key_server_reason("JWT_APP_SECRET")
    return [Setting("JWT_ASAP_KEYSERVER", side.key_server, reason)]


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

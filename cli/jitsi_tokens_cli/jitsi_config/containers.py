"""The variables of docker-jitsi-meet's containers, however they are handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jitsi_tokens.core import moderators
from jitsi_tokens_cli.jitsi_config import reasons

if TYPE_CHECKING:
    from jitsi_tokens_cli.jitsi_config.side import JitsiSide

# docker-jitsi-meet's own, which no browser ever sees.
_XMPP_DOMAIN = "meet.jitsi"
_ALGORITHM = (
    f"{reasons.ALGORITHM} Without this variable it is RS256 where JWT_ASAP_KEYSERVER is set, and"
    " HS256 elsewhere."
)
_LOBBY_BYPASS = reasons.token_lobby_bypass(
    "docker-jitsi-meet's images hold it since stable-9457; with an older one put"
    " mod_token_lobby_bypass.lua into the volume /prosody-plugins-custom."
)
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
        Setting("ENABLE_AUTH", "1", reasons.LOGIN),
        Setting("AUTH_TYPE", "jwt", reasons.TOKEN_LOGIN),
        Setting("ENABLE_GUESTS", "0", reasons.NO_GUESTS),
        Setting("JWT_ALLOW_EMPTY", "0", reasons.NO_EMPTY_TOKEN),
        Setting("JWT_APP_ID", settings.app_id, reasons.APP_ID),
        *_key_server(side),
        Setting("JWT_SIGN_TYPE", settings.algorithm, _ALGORITHM),
        Setting("JWT_ACCEPTED_ISSUERS", settings.profile.issuer, f"{reasons.ISSUERS} {_LIST}"),
        Setting(
            "JWT_ACCEPTED_AUDIENCES",
            settings.profile.audience,
            f"{reasons.AUDIENCES} {_LIST}",
        ),
        Setting(
            "JWT_ENABLE_DOMAIN_VERIFICATION",
            "1" if verification.fits else "0",
            verification.reason,
        ),
    ]


def moderator_settings() -> list[Setting]:
    """Return what makes moderators of those alone whose token says so."""
    why = {
        "XMPP_MUC_MODULES": f"{reasons.TOKEN_AFFILIATION} {_LOBBY_BYPASS} {_LIST}",
        "JICOFO_ENABLE_AUTH": reasons.NO_JICOFO_AUTHENTICATION,
        "ENABLE_AUTO_OWNER": reasons.NO_AUTO_OWNER,
        "WAIT_FOR_HOST_DISABLE_AUTO_OWNERS": reasons.NO_WAIT_FOR_HOST_OWNERS,
    }
    return [Setting(name, value, why[name]) for name, value in moderators.SETTINGS.items()]


def _key_server(side: JitsiSide) -> list[Setting]:
    if side.key_server is None:
        return []
    reason = side.key_server_reason("JWT_APP_SECRET")
    return [Setting("JWT_ASAP_KEYSERVER", side.key_server, reason)]

"""Prosody's, Jicofo's and Apache's own configuration, as a Debian install has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens.core.rooms import FILE_ENDINGS
from jitsi_tokens_cli.jitsi_config import reasons
from jitsi_tokens_cli.jitsi_config.side import comment, indented

if TYPE_CHECKING:
    from jitsi_tokens_cli.jitsi_config.side import JitsiSide

_LOBBY_BYPASS = reasons.token_lobby_bypass(
    "Put mod_token_lobby_bypass.lua into a folder that plugin_paths names, such as"
    " /usr/share/jitsi-meet/prosody-plugins."
)


def prosody_text(side: JitsiSide) -> str:
    """Return Lua for Prosody; in comments what Jicofo and Apache need. No secret is in it."""
    head = (
        f"Prosody's configuration on Debian {side.title}. It takes the package"
        " jitsi-meet-tokens. Put these lines into the sections that"
        f" /etc/prosody/conf.avail/{side.host}.cfg.lua has already, in place of lines of the same"
        " name; lists get what is named here beside what they hold. Afterwards: systemctl restart"
        " prosody jicofo"
    )
    return "\n\n".join(
        [
            comment(head, "--"),
            f'VirtualHost "{side.host}"\n{indented(_login(side), 4)}',
            comment(reasons.MODERATORS, "--"),
            f'Component "conference.{side.host}" "muc"\n{indented(_rooms(), 4)}',
            f"-- And in /etc/jitsi/jicofo/jicofo.conf:\n{_as_comment(_jicofo())}",
            _apache(side),
        ]
    )


def _login(side: JitsiSide) -> str:
    settings, profile = side.settings, side.settings.profile
    verification = side.verification(side.host)
    return "\n".join(
        [
            _line("authentication", '"token"', f"{reasons.LOGIN} {reasons.TOKEN_LOGIN}"),
            _line("allow_empty_token", "false", reasons.NO_EMPTY_TOKEN),
            _line("app_id", f'"{settings.app_id}"', reasons.APP_ID),
            _key(side),
            _line("signature_algorithm", f'"{settings.algorithm}"', reasons.ALGORITHM),
            _line("asap_accepted_issuers", f'{{ "{profile.issuer}" }}', reasons.ISSUERS),
            _line("asap_accepted_audiences", f'{{ "{profile.audience}" }}', reasons.AUDIENCES),
            _line("enable_domain_verification", _lua(verification.fits), verification.reason),
            comment(f"{reasons.NO_GUESTS} So there is no VirtualHost for guests.", "--"),
        ]
    )


def _key(side: JitsiSide) -> str:
    if side.key_server:
        reason = side.key_server_reason("app_secret")
        return _line("asap_key_server", f'"{side.key_server}"', reason)
    about = (
        "The shared secret stands in Secrets Manager. What follows prints it: run it where nobody"
        " looks over your shoulder."
    )
    return f"""\
{comment(about, "--")}
--   {side.read_secret} | jq -r .secret
-- app_secret = \"\""""


def _rooms() -> str:
    modules = "\n".join(
        [
            comment("Compares the token's room with the room that is joined.", "--"),
            '"token_verification";',
            comment(reasons.TOKEN_AFFILIATION, "--"),
            '"token_affiliation";',
            comment(_LOBBY_BYPASS, "--"),
            '"token_lobby_bypass";',
        ]
    )
    return "\n".join(
        [
            f"modules_enabled = {{\n{indented(modules, 4)}\n}}",
            _line("wait_for_host_disable_auto_owners", "true", reasons.NO_WAIT_FOR_HOST_OWNERS),
        ]
    )


def _jicofo() -> str:
    return f"""\
jicofo {{
  authentication {{
{indented(comment(reasons.NO_JICOFO_AUTHENTICATION, "#"), 4)}
    enabled = false
  }}
  conference {{
{indented(comment(reasons.NO_AUTO_OWNER, "#"), 4)}
    enable-auto-owner = false
  }}
}}"""


def _apache(side: JitsiSide) -> str:
    head = (
        f"And with Apache as web server, in /etc/apache2/sites-available/{side.host}.conf, instead"
        " of the RewriteRule that Jitsi's example has: that one answers 404 for a room with a"
        " hyphen, an escape or a tenant. Afterwards: systemctl reload apache2"
    )
    tenant = f"(?:{side.settings.tenant}/)?" if side.settings.tenant else ""
    endings = "|".join(ending[1:] for ending in FILE_ENDINGS)
    room = rf"(?!http-bind|xmpp-websocket|.*\.(?:{endings})$)[^/]+"
    return f"{comment(head, '--')}\n{_as_comment(f'RewriteRule ^/{tenant}{room}$ /index.html')}"


def _line(name: str, value: str, reason: str) -> str:
    return f"{comment(reason, '--')}\n{name} = {value}"


def _as_comment(text: str) -> str:
    return "\n".join(f"--   {line}" for line in text.split("\n"))


def _lua(value: bool) -> str:  # noqa: FBT001 - it is the value
    return "true" if value else "false"

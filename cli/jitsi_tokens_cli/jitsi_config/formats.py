"""What each way to install Jitsi reads of a stack, with the reason beside each setting."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from jitsi_tokens.core import moderators
from jitsi_tokens.core.rooms import FILE_ENDINGS
from jitsi_tokens_cli.errors import CommandError

if TYPE_CHECKING:
    from jitsi_tokens.settings import Settings

# Jitsi's images write a value into Lua between quotes as it is, and take a comma for a list's.
_CARRIED_UNHARMED = re.compile(r"[A-Za-z0-9_.:/%@+=~-]+")
_COLUMNS = 88
_WITHOUT_TOKEN = (
    ' Jibri and Jigasi bring no token, and with this on Prosody refuses them ("Room and token'
    ' mismatched"): where you use them, name the XMPP domain that they log in to in'
    " token_verification_allowlist, a list among the options of the conference component"
    " (docker-jitsi-meet: XMPP_MUC_CONFIGURATION), or turn this off."
)
# docker-jitsi-meet's own, which no browser ever sees.
_XMPP_DOMAIN = "meet.jitsi"
_NAME = "jitsi-tokens"

# Why each setting is what it is.
_LOGIN = "Nobody gets in without logging in."
_TOKEN_LOGIN = "People log in with a token."
_NO_EMPTY_TOKEN = "A login without a token is refused."
_NO_GUESTS = "Guests would get in without a token, and without any of its limits."
_ALGORITHM = "Prosody accepts only tokens with this algorithm."
_APP_ID = "Without an app id Prosody checks no token, not even with public keys."
_ISSUERS = "The iss of this stack's tokens."
_AUDIENCES = "The aud of this stack's tokens."
_MODERATORS = (
    "Moderators: a stock Jitsi makes every holder of a token a moderator, patients too. Each of"
    " the following is needed for the token to decide."
)
_TOKEN_AFFILIATION = (
    "token_affiliation makes moderators of those whose token says so, and members of the others."
    " It is part of jitsi-meet since 2026-05-08 (docker-jitsi-meet: stable-10978). Where Prosody"
    " does not find it, nobody is a moderator, and Prosody's log says once, when it starts:"
    " \"Unable to load module 'token_affiliation'\"."
)
_NO_JICOFO_AUTHENTICATION = (
    "Jicofo's own authentication makes everybody who has logged in an owner. Prosody checks the"
    " tokens in any case."
)
_NO_AUTO_OWNER = (
    "Otherwise Jicofo makes the first person in the room an owner, even if it is the patient."
)
_NO_WAIT_FOR_HOST_OWNERS = (
    "Otherwise Prosody's muc_wait_for_host, where it is in use, makes every holder of a token an"
    " owner."
)
_DOCKER_ALGORITHM = (
    f"{_ALGORITHM} Without this variable it is RS256 where JWT_ASAP_KEYSERVER is set, and"
    " HS256 elsewhere."
)
_LOBBY_BYPASS = (
    "token_lobby_bypass lets moderators past the lobby. Without it a moderator who turns the lobby"
    " on and then reloads the page waits in the lobby, and so does a second moderator. It is in"
    " https://github.com/jitsi-contrib/prosody-plugins, folder token_lobby_bypass. {where} Where"
    " Prosody does not find it, the log says \"Unable to load module 'token_lobby_bypass'\", and"
    " all the rest works."
)
_LOBBY_BYPASS_IN_DOCKER = _LOBBY_BYPASS.format(
    where="docker-jitsi-meet's images hold it since stable-9457; with an older one put"
    " mod_token_lobby_bypass.lua into the volume /prosody-plugins-custom."
)
_LOBBY_BYPASS_ON_DEBIAN = _LOBBY_BYPASS.format(
    where="Put mod_token_lobby_bypass.lua into a folder that plugin_paths names, such as"
    " /usr/share/jitsi-meet/prosody-plugins."
)
_LIST = "A comma-separated list, without blanks."
_NO_WELCOME_PAGE = (
    "Otherwise a hang-up leads to Jitsi's welcome page, in the frame of a visit's page too."
)


class Verification(NamedTuple):
    """Whether Prosody can compare a token's sub with the domain or tenant, and why."""

    fits: bool
    reason: str


class JitsiSide(NamedTuple):
    """What the templates are filled with.

    Attributes:
        key_server: where Jitsi finds this stack's public keys; None where it has a shared secret.
        read_secret: the command that prints the signing secret's document.
    """

    settings: Settings
    stack_name: str
    region: str
    signing_secret: str
    key_server: str | None
    read_secret: str

    @property
    def host(self) -> str:
        """The public host name, which a Debian install also gives to its VirtualHost."""
        return self.settings.domain.partition(":")[0].lower()

    @property
    def title(self) -> str:
        """Whose settings these are."""
        return f"for the tokens of the stack {self.stack_name} ({self.settings.algorithm})"

    def key_server_reason(self, secret_name: str) -> str:
        """Say why the key server is set, and what is not."""
        return (
            "Prosody fetches a public key here, by the SHA-256 of its kid, and keeps it until"
            " Prosody restarts: another key needs another kid. There is no shared secret: remove"
            f" {secret_name}."
        )

    def verification(self, xmpp_domain: str) -> Verification:
        """Tell whether Prosody can verify the domain: it compares sub with it, or with a tenant."""
        subject, tenant = self.settings.profile.subject, self.settings.tenant
        wanted = f"the tenant {tenant}" if tenant else f"the XMPP domain {xmpp_domain}"
        if subject == "*":
            reason = f"The tokens' sub is *, good for {wanted} too."
            return Verification(fits=True, reason=reason + _WITHOUT_TOKEN)
        if subject.lower() == (tenant or xmpp_domain):
            reason = f"The tokens' sub is {wanted}: no other will do."
            return Verification(fits=True, reason=reason + _WITHOUT_TOKEN)
        return Verification(
            fits=False,
            reason=f"Prosody would want {wanted} in the tokens' sub, which is {subject}: the"
            " stack's parameter JitsiSubject sets it.",
        )


class Setting(NamedTuple):
    """A variable of docker-jitsi-meet's containers, and the reason for its value."""

    name: str
    value: str
    reason: str


class SecretStore(NamedTuple):
    """The External Secrets Operator's way to Secrets Manager."""

    name: str
    of_cluster: bool


def check_values(side: JitsiSide) -> None:
    """Refuse what Jitsi's own templates would break on.

    Raises:
        CommandError: a value holds such a character.
    """
    settings = side.settings
    for name, value in (
        ("JitsiDomain", side.host),
        ("JitsiAppId", settings.app_id),
        ("JitsiIssuer", settings.profile.issuer),
        ("JitsiAudience", settings.profile.audience),
        ("the service's URL", side.key_server),
        ("SigningKeySecret", side.signing_secret),
    ):
        if value is not None and not _CARRIED_UNHARMED.fullmatch(value):
            raise CommandError(
                f"Jitsi's configuration cannot carry {name}: it takes letters, digits and"
                " _ . : / % @ + = ~ -"
            )


def env_text(side: JitsiSide) -> str:
    """Return the lines for `.env`. The shared secret is not among them."""
    blocks = [_comment(f"docker-jitsi-meet's .env {side.title}.", "#")]
    blocks += [_assignment(setting) for setting in (*_login_settings(side), _web_setting())]
    if side.key_server is None:
        blocks.append(_secret(side))
    blocks.append(_comment(_MODERATORS, "#"))
    blocks += [_assignment(setting) for setting in _moderator_settings()]
    return "\n\n".join(blocks)


def _assignment(setting: Setting) -> str:
    return f"{_comment(setting.reason, '#')}\n{setting.name}={setting.value}"


def _secret(side: JitsiSide) -> str:
    about = (
        "The shared secret is in Secrets Manager. This command adds it to this file, and shows it"
        " to nobody. It refuses a secret with # or $, which an .env file cannot carry: replace that"
        " one by `jitsi-tokens key stage` and `key promote`."
    )
    carried = """if .secret | test("[#$]") then error("not for .env: key stage") else .secret end"""
    return f"""\
{_comment(about, "#")}
#   {side.read_secret} | jq -r '"JWT_APP_SECRET=" + ({carried})' >> .env
#JWT_APP_SECRET="""


def kubernetes_text(side: JitsiSide, namespace: str) -> str:
    """Return a ConfigMap, and with a shared secret a Secret that has yet to be filled."""
    documents = [_config_map(side, namespace)]
    if side.key_server is None:
        documents.append(_empty_secret(side, namespace))
    return "\n---\n".join(documents)


def external_secrets_text(side: JitsiSide, namespace: str, store: SecretStore) -> str:
    """Return a ConfigMap, and what keeps a Secret the same as Secrets Manager's."""
    return f"{_config_map(side, namespace)}\n---\n{_external_secret(side, namespace, store)}"


def prosody_text(side: JitsiSide) -> str:
    """Return Lua for Prosody; in comments what the others need. No secret is in it."""
    head = (
        f"Prosody's configuration on Debian {side.title}. It needs the package jitsi-meet-tokens."
        " Put these lines into the existing sections of"
        f" /etc/prosody/conf.avail/{side.host}.cfg.lua. Replace lines of the same name; add the"
        " entries of a list to the existing list. Afterwards: systemctl restart prosody jicofo"
    )
    return "\n\n".join(
        [
            _comment(head, "--"),
            f'VirtualHost "{side.host}"\n{_indented(_login(side), 4)}',
            _comment(_MODERATORS, "--"),
            f'Component "conference.{side.host}" "muc"\n{_indented(_rooms(), 4)}',
            f"-- And in /etc/jitsi/jicofo/jicofo.conf:\n{_as_comment(_jicofo())}",
            _welcome_page(side),
            _apache(side),
        ]
    )


def _login_settings(side: JitsiSide) -> list[Setting]:
    """Return what makes Jitsi take this stack's tokens, and nothing else."""
    settings = side.settings
    verification = side.verification(_XMPP_DOMAIN)
    return [
        Setting("ENABLE_AUTH", "1", _LOGIN),
        Setting("AUTH_TYPE", "jwt", _TOKEN_LOGIN),
        Setting("ENABLE_GUESTS", "0", _NO_GUESTS),
        Setting("JWT_ALLOW_EMPTY", "0", _NO_EMPTY_TOKEN),
        Setting("JWT_APP_ID", settings.app_id, _APP_ID),
        *_key_server(side),
        Setting("JWT_SIGN_TYPE", settings.algorithm, _DOCKER_ALGORITHM),
        Setting("JWT_ACCEPTED_ISSUERS", settings.profile.issuer, f"{_ISSUERS} {_LIST}"),
        Setting(
            "JWT_ACCEPTED_AUDIENCES",
            settings.profile.audience,
            f"{_AUDIENCES} {_LIST}",
        ),
        Setting(
            "JWT_ENABLE_DOMAIN_VERIFICATION",
            "1" if verification.fits else "0",
            verification.reason,
        ),
    ]


def _moderator_settings() -> list[Setting]:
    """Return what makes moderators of those alone whose token says so."""
    why = {
        "XMPP_MUC_MODULES": f"{_TOKEN_AFFILIATION} {_LOBBY_BYPASS_IN_DOCKER} {_LIST}",
        "JICOFO_ENABLE_AUTH": _NO_JICOFO_AUTHENTICATION,
        "ENABLE_AUTO_OWNER": _NO_AUTO_OWNER,
        "WAIT_FOR_HOST_DISABLE_AUTO_OWNERS": _NO_WAIT_FOR_HOST_OWNERS,
    }
    return [Setting(name, value, why[name]) for name, value in moderators.SETTINGS.items()]


def _web_setting() -> Setting:
    return Setting("ENABLE_WELCOME_PAGE", "0", _NO_WELCOME_PAGE)


def _key_server(side: JitsiSide) -> list[Setting]:
    if side.key_server is None:
        return []
    reason = side.key_server_reason("JWT_APP_SECRET")
    return [Setting("JWT_ASAP_KEYSERVER", side.key_server, reason)]


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
        *map(_entry, (*_login_settings(side), _web_setting())),
        _comment(_MODERATORS, "#"),
        *map(_entry, _moderator_settings()),
    ]
    return f"""\
{_comment(title, "#")}
{_head("v1", "ConfigMap", namespace)}
data:
{_indented("\n\n".join(settings), 2)}"""


def _empty_secret(side: JitsiSide, namespace: str) -> str:
    about = (
        "Empty, as the shared secret is in Secrets Manager. This command fills it, and shows"
        " the secret to nobody. To apply this file again leaves it filled."
    )
    merge = "jq '{stringData: {JWT_APP_SECRET: .secret}}'"
    patch = f"kubectl patch secret {_NAME} --namespace {namespace} --type merge"
    return f"""\
{_comment(about, "#")}
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
{_comment("The shared secret is in Secrets Manager alone: this copies it from there.", "#")}
{_head("external-secrets.io/v1", "ExternalSecret", namespace)}
spec:
  # How soon a changed secret is here. Prosody takes it up when it restarts.
  refreshInterval: 1h
  secretStoreRef:
{_indented(_comment(access, "#"), 4)}
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
    return f'{_comment(setting.reason, "#")}\n{setting.name}: "{setting.value}"'


def _login(side: JitsiSide) -> str:
    settings, profile = side.settings, side.settings.profile
    verification = side.verification(side.host)
    return "\n".join(
        [
            _line("authentication", '"token"', f"{_LOGIN} {_TOKEN_LOGIN}"),
            _line("allow_empty_token", "false", _NO_EMPTY_TOKEN),
            _line("app_id", f'"{settings.app_id}"', _APP_ID),
            _key(side),
            _line("signature_algorithm", f'"{settings.algorithm}"', _ALGORITHM),
            _line("asap_accepted_issuers", f'{{ "{profile.issuer}" }}', _ISSUERS),
            _line("asap_accepted_audiences", f'{{ "{profile.audience}" }}', _AUDIENCES),
            _line(
                "enable_domain_verification", str(verification.fits).lower(), verification.reason
            ),
            _comment(f"{_NO_GUESTS} So there must be no VirtualHost for guests.", "--"),
        ]
    )


def _key(side: JitsiSide) -> str:
    if side.key_server:
        reason = side.key_server_reason("app_secret")
        return _line("asap_key_server", f'"{side.key_server}"', reason)
    about = (
        "The shared secret is in Secrets Manager. This command prints it: run it while nobody"
        " else sees your screen."
    )
    return f"""\
{_comment(about, "--")}
--   {side.read_secret} | jq -r .secret
-- app_secret = \"\""""


def _rooms() -> str:
    modules = "\n".join(
        [
            _comment("Compares the token's room with the room that is joined.", "--"),
            '"token_verification";',
            _comment(_TOKEN_AFFILIATION, "--"),
            '"token_affiliation";',
            _comment(_LOBBY_BYPASS_ON_DEBIAN, "--"),
            '"token_lobby_bypass";',
        ]
    )
    return "\n".join(
        [
            f"modules_enabled = {{\n{_indented(modules, 4)}\n}}",
            _line("wait_for_host_disable_auto_owners", "true", _NO_WAIT_FOR_HOST_OWNERS),
        ]
    )


def _jicofo() -> str:
    return f"""\
jicofo {{
  authentication {{
{_indented(_comment(_NO_JICOFO_AUTHENTICATION, "#"), 4)}
    enabled = false
  }}
  conference {{
{_indented(_comment(_NO_AUTO_OWNER, "#"), 4)}
    enable-auto-owner = false
  }}
}}"""


def _welcome_page(side: JitsiSide) -> str:
    head = f"And at the end of /etc/jitsi/meet/{side.host}-config.js. {_NO_WELCOME_PAGE}"
    return f"{_comment(head, '--')}\n{_as_comment('config.welcomePage = { disabled: true };')}"


def _apache(side: JitsiSide) -> str:
    head = (
        f"And with Apache as web server, in /etc/apache2/sites-available/{side.host}.conf, instead"
        " of the RewriteRule that Jitsi's example has: that one answers 404 for a room with a"
        " hyphen, an escape or a tenant. Afterwards: systemctl reload apache2"
    )
    tenant = f"(?:{side.settings.tenant}/)?" if side.settings.tenant else ""
    endings = "|".join(ending[1:] for ending in FILE_ENDINGS)
    room = rf"(?!http-bind|xmpp-websocket|.*\.(?:{endings})$)[^/]+"
    return f"{_comment(head, '--')}\n{_as_comment(f'RewriteRule ^/{tenant}{room}$ /index.html')}"


def _line(name: str, value: str, reason: str) -> str:
    return f"{_comment(reason, '--')}\n{name} = {value}"


def _as_comment(text: str) -> str:
    return "\n".join(f"--   {line}" for line in text.split("\n"))


def _comment(text: str, mark: str) -> str:
    """Return a text as comment lines; `mark` is what each begins with."""
    lines = wrap(text, _COLUMNS - len(mark), break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"{mark} {line}" for line in lines)


def _indented(text: str, spaces: int) -> str:
    """Return a text with each line moved to the right."""
    return "\n".join(f"{' ' * spaces}{line}" if line else "" for line in text.split("\n"))

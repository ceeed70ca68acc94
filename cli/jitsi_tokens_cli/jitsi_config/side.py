"""What the Jitsi side must know of a stack: the same for each way to install Jitsi."""

from __future__ import annotations

import re
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

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
            " Prosody restarts: another key needs another kid. There is no shared secret: take"
            f" {secret_name} out."
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


def comment(text: str, mark: str) -> str:
    """Return a text as comment lines; `mark` is what each begins with."""
    lines = wrap(text, _COLUMNS - len(mark), break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"{mark} {line}" for line in lines)


def indented(text: str, spaces: int) -> str:
    """Return a text with each line moved to the right."""
    return "\n".join(f"{' ' * spaces}{line}" if line else "" for line in text.split("\n"))

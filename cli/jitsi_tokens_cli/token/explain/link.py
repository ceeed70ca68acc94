"""The rule of the link: how the token is handed over, and where the URL leads."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from jitsi_tokens.core.rooms import backend_safe, unopened
from jitsi_tokens_cli.token.explain.verdicts import Verdict, failed, not_applicable, passed, shown

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest

# The web client drops them from a path: jitsi-meet, util/uri.ts.
_DROPPED_FROM_PATH = re.compile("[:?#\\[\\]@!$&'()*+,;=></\"]")
_IN_FRAGMENT = re.compile('(?:^|&)jwt=(?P<quote>%22|")?')
_QUOTE_IT = "Write #jwt=%22<token>%22."


class Address(NamedTuple):
    """A meeting URL as the web client takes it apart; the room as Jitsi compares it.

    Attributes:
        unopened: why the web server in front of Jitsi does not open it, if it does not.
    """

    host: str
    tenant: str
    room: str | None
    fragment: str
    unopened: str | None


def read_address(url: str | None) -> Address | None:
    """Return the parts of a meeting URL; None where there is none that can be read."""
    try:
        parts = urlsplit(url or "")
        *tenant, name = parts.path.lstrip("/").split("/")
        reason = unopened(backend_safe(name))
        room = backend_safe(_DROPPED_FROM_PATH.sub("", name))
    except ValueError:
        return None
    if not parts.netloc:
        return None
    host = parts.netloc.rpartition("@")[2].lower()
    host = host.removesuffix(":443" if parts.scheme == "https" else ":80")
    return Address(host, "/".join(tenant), room or None, parts.fragment, reason)


def link_rule(evidence: TokenUnderTest) -> Verdict:
    """Judge how the token is handed over (web client: parseJWTFromURLParams)."""
    if evidence.found.is_bytes:
        return failed(
            "link",
            "b'…' stands around the token",
            "It is how Python prints bytes, and no part of a token: with it, Jitsi can read none.",
            "Hand over token.decode(), or print nothing but the token's text.",
        )
    address = read_address(evidence.found.url)
    if address is None:
        return not_applicable("link", "a token alone", "No meeting URL was given.")
    in_fragment = _IN_FRAGMENT.search(address.fragment)
    if in_fragment and not in_fragment["quote"]:
        return failed(
            "link",
            "#jwt= without quotes",
            "In the fragment the web client drops a token that does not stand in double quotes.",
            _QUOTE_IT,
        )
    if objection := _address_objection(evidence, address):
        return objection
    found = f"{shown(address.host)}, {shown(address.tenant)}" if address.tenant else address.host
    if not in_fragment:
        return passed(
            "link",
            found,
            "In the query the token stays in access logs, history and Referer: rather write"
            " #jwt=%22<token>%22.",
        )
    return passed("link", found)


def _address_objection(evidence: TokenUnderTest, address: Address) -> Verdict | None:
    expected = evidence.expected
    tenant = expected.tenant
    if tenant is None and expected.is_jaas and isinstance(evidence.claims.get("sub"), str):
        tenant = evidence.claims["sub"]
    if expected.domain and address.host != expected.domain.lower():
        return failed(
            "link",
            shown(address.host),
            f"The URL leads to another Jitsi than {expected.domain}, which the token is read by.",
            f"Open the meeting at https://{expected.domain}/.",
        )
    if tenant is not None and address.tenant.lower() != tenant.lower():
        path = f"/{tenant}/<room>" if tenant else "/<room>"
        return failed(
            "link",
            f"the tenant {shown(address.tenant)}" if address.tenant else "no tenant",
            f"The path of a meeting is {path} there: a room of another tenant is another room.",
            f"Open {path}.",
        )
    if address.tenant and (reason := unopened(backend_safe(address.tenant))):
        return failed(
            "link",
            "the tenant in the URL",
            f"A tenant {reason}.",
            "Choose another JitsiTenant.",
        )
    if address.unopened:
        return failed(
            "link",
            "the room in the URL",
            f"Its name {address.unopened}.",
            "Choose another name for the room.",
        )
    return None

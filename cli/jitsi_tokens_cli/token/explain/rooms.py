"""The rules of the link and of the room."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from jitsi_tokens.core.rooms import RoomRefused, backend_safe, scoped_room, unopened, web_origin
from jitsi_tokens_cli.checks import Check, failed, not_applicable, not_checked, passed, warning
from jitsi_tokens_cli.token.explain import lua_pattern
from jitsi_tokens_cli.token.explain.expectations import claim, shown

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import TokenUnderTest

# The web client drops them from a path: jitsi-meet, util/uri.ts.
_DROPPED_FROM_PATH = re.compile("[:?#\\[\\]@!$&'()*+,;=></\"]")
_HANDED_OVER = re.compile("(?:^|&)jwt=(?P<quote>%22|\"|%27|')?")
_SLASH = re.compile("/|%2f", re.IGNORECASE)
_EVERY_ROOM = "*"
# RFC 7622, 3.3.
_LOCALPART_BYTES = 1023
_OTHER_NAME = "Choose another name for the room."
_IN_FRAGMENT = "Write #jwt=%22<token>%22."


class Address(NamedTuple):
    """A meeting link as the web client takes it apart; the room as Jitsi compares it.

    Attributes:
        unopened: why the web server in front of Jitsi does not open it, if it does not.
    """

    host: str
    tenant: str
    room: str | None
    query: str
    fragment: str
    unopened: str | None


def read_address(url: str | None) -> Address | None:
    """Return the parts of a meeting link; None where there is none that can be read."""
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
    host = host.removesuffix(":80" if parts.scheme == "http" else ":443")
    return Address(host, "/".join(tenant), room or None, parts.query, parts.fragment, reason)


def room_seen(tested: TokenUnderTest) -> str | None:
    """Return the room as Jitsi will see it: the one that is meant, else the claim's."""
    room = tested.claims.get("room")
    if tested.intended_room or not isinstance(room, str) or _opens_several(tested):
        return tested.intended_room
    return _folded(_SLASH.split(room)[-1]) or None


def link(tested: TokenUnderTest) -> Check:
    """Find the token in it as the web client does (parseJWTFromURLParams), and the meeting."""
    if tested.found.is_bytes:
        why = "That is how Python prints bytes: Jitsi cannot read a token with it."
        return failed("link", "b'…' is around the token", "Hand over token.decode().", why=why)
    address = read_address(tested.found.url)
    if address is None:
        return not_applicable("link", "a token alone", why="No meeting link was given.")
    if flaw := _token_flaw(address) or _target_flaw(address, tested):
        found, remedy, why = flaw
        return failed("link", found, remedy, why=why)
    found = f"{shown(address.host)}, {shown(address.tenant)}" if address.tenant else address.host
    if str(tested.found.url).startswith("http") and not _HANDED_OVER.search(address.fragment):
        why = "In the query the token stays in access logs, history and Referer."
        return warning("link", found, _IN_FRAGMENT, why=why)
    return passed("link", found)


def room(tested: TokenUnderTest) -> Check:
    """Compare it with the room that is joined (Prosody: token/util.lib.lua, verify_room)."""
    value, found = tested.claims.get("room"), claim(tested.claims, "room")
    meant = tested.intended_room
    if not isinstance(value, str):
        why = "Jitsi requires it, as a string. A null hangs the login without an answer."
        return failed("room", found, _write(meant), why=why)
    if value == _EVERY_ROOM:
        why = "It opens every room: anyone with the token can join any meeting."
        return warning("room", found, _write(meant), why=why)
    if _opens_several(tested):
        return _pattern(value, found, meant)
    if _SLASH.search(value):
        why = "The claim is the bare room. The tenant or App ID belongs in sub and in the link."
        return failed("room", found, _write(meant or room_seen(tested)), why=why)
    return _one_room(value, found, meant)


def _one_room(room: str, found: str, meant: str | None) -> Check:
    folded, reason = _folded(room) or "", _objection(room)
    # Prosody lower-cases A to Z and nothing else.
    lowered = room.encode(errors="replace").lower().decode()
    remedy, why = _write(meant or folded), ""
    if reason and (not folded or len(folded) > _LOCALPART_BYTES or unopened(folded)):
        remedy, why = _OTHER_NAME, f"The name {reason}."
    elif lowered != folded:
        why = f'It is not the form in which Jitsi compares rooms: it will see "{folded}".'
    elif meant not in (None, lowered):
        why = f'The token is for this room, and the person joins "{meant}".'
    if why:
        return failed("room", found, remedy, why=why)
    if reason:
        return warning("room", found, _OTHER_NAME, why=f"Jitsi takes it, but the name {reason}.")
    if room != lowered:
        why = "Jitsi compares rooms in lower case. Prosody corrects A to Z, and no other letter."
        return warning("room", found, remedy, why=why)
    advice = ["Give --room to compare it with the room to join."] if meant is None else []
    if "%" in room:
        advice.append(
            'In such a room "End meeting for all", polls and breakout rooms fail: use only a-z,'
            " 0-9 and -."
        )
    return passed("room", found, " ".join(advice))


def _pattern(pattern: str, found: str, meant: str | None) -> Check:
    # Until 2026-09 Prosody lower-cased the pattern, too.
    matches = meant is None or [lua_pattern.matches(p, meant) for p in (pattern, pattern.lower())]
    if matches is True or True in matches:
        why = (
            "context.room.regex makes it a Lua pattern: it opens every room that matches. A Jitsi"
            " that does not verify domains (docker-jitsi-meet's default) takes it for a name."
        )
        return warning("room", found, _write(meant), why=why)
    if None in matches:
        why = "This Lua pattern is beyond what current Jitsi takes, or what can be tried here."
        return not_checked("room", found, _write(meant), why=why)
    why = f'This Lua pattern does not match "{meant}". In it - repeats, and %- is a hyphen.'
    return failed("room", found, _write(meant), why=why)


def _token_flaw(address: Address) -> tuple[str, str, str] | None:
    """Return what was found, what to do, and why the web client drops the token."""
    if found := _HANDED_OVER.search(address.fragment):
        if found["quote"] not in ("%22", '"'):
            why = "In the fragment the web client drops a token without double quotes."
            return "#jwt= without quotes", _IN_FRAGMENT, why
    elif (found := _HANDED_OVER.search(address.query)) and found["quote"]:
        why = "From the query the web client takes the quotes as a part of the token."
        return "?jwt= with quotes", _IN_FRAGMENT, why
    return None


def _target_flaw(address: Address, tested: TokenUnderTest) -> tuple[str, str, str] | None:
    """Return what was found, what to do, and why the link does not lead to the meeting."""
    domain, tenant = tested.expected.domain, tested.expected.tenant
    if tenant is None and tested.expected.is_jaas and isinstance(tested.claims.get("sub"), str):
        tenant = tested.claims["sub"]
    if domain and address.host != domain.lower():
        why = f"The link leads to another Jitsi than {domain}, which the token is for."
        return shown(address.host), f"Open the meeting at {web_origin(domain)}/.", why
    if tenant is not None and address.tenant.lower() != tenant.lower():
        path = f"/{tenant}/<room>" if tenant else "/<room>"
        found = f"the tenant {shown(address.tenant)}" if address.tenant else "no tenant"
        return (
            found,
            f"Open {path}.",
            f"A meeting's path here is {path}: each tenant has its own path.",
        )
    if address.tenant and (reason := unopened(backend_safe(address.tenant))):
        return "the tenant in the link", "Choose another JitsiTenant.", f"A tenant {reason}."
    if address.unopened:
        return "the room in the link", _OTHER_NAME, f"Its name {address.unopened}."
    return None


def _opens_several(tested: TokenUnderTest) -> bool:
    """Tell whether the claim is `*` or a pattern."""
    about_room = tested.context.get("room")
    is_pattern = isinstance(about_room, dict) and about_room.get("regex") in (True, "true")
    return is_pattern or tested.claims.get("room") == _EVERY_ROOM


def _objection(room: str) -> str | None:
    try:
        scoped_room(room)
    except RoomRefused as refused:
        return str(refused)
    return None


def _folded(name: str) -> str | None:
    try:
        return backend_safe(name)
    except UnicodeEncodeError:
        return None


def _write(room: str | None) -> str:
    if room and unopened(room):
        return _OTHER_NAME
    # In full, to be copied; once percent-encoded, a room holds no quote.
    return f'Write "{room}".' if room else "Write the name of the one room that is meant."

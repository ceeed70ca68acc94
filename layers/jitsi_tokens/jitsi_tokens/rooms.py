"""The room's backend-safe name, room patterns, and the meeting URL."""

import re
import unicodedata
from typing import Literal
from urllib.parse import quote, unquote_to_bytes

from jitsi_tokens.text import flaw

type TokenPlacement = Literal["fragment", "query"]

# RFC 7622 ends an XMPP localpart at 1,023 bytes; Jitsi puts the tenant in front of the room.
MAX_ROOM_BYTES = 960

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
# What encodeURIComponent leaves alone beside letters, digits and the -._~ that quote() leaves.
_LEFT_ALONE = "!'()*"


class RoomRefused(ValueError):
    """No meeting can be scoped to this name. The text says why and never holds the name."""


def backend_safe(name: str) -> str:
    """Return the form in which Jitsi compares rooms.

    Percent-decode (left as it is where that fails), NFKC, lower case, encodeURIComponent, lower
    case: getBackendSafeRoomName in jitsi-meet.

    Raises:
        UnicodeEncodeError: the name holds a lone surrogate.
    """
    folded = unicodedata.normalize("NFKC", _percent_decoded(name)).lower()
    return quote(folded, safe=_LEFT_ALONE).lower()


def scoped_room(name: str) -> str:
    """Return the room claim for a name that a caller sent.

    Raises:
        RoomRefused: the name opens every room, another room, or none at all.
    """
    if reason := flaw(_percent_decoded(name)):
        raise RoomRefused(reason)
    room = backend_safe(name)
    if "%2f" in room:
        raise RoomRefused("takes the bare room name: the tenant is a setting of the stack")
    if room == "*":
        raise RoomRefused("must name one room: a wildcard would open every room")
    if room in (".", ".."):
        raise RoomRefused("must not be a relative path: a browser would leave the room")
    if len(room) > MAX_ROOM_BYTES:
        raise RoomRefused(f"must fit {MAX_ROOM_BYTES} bytes once percent-encoded")
    if backend_safe(room) != room:
        raise RoomRefused("has no stable form: Jitsi would compute another room from its own URL")
    return room


def normalised_pattern(pattern: str) -> str:
    """Return a room pattern with what stands between its stars normalised as room names are."""
    return "*".join(backend_safe(part) for part in pattern.split("*"))


def matches(pattern: str, room: str) -> bool:
    """Tell whether a normalised pattern, in which `*` alone is special, covers a room claim."""
    first, *rest = pattern.split("*")
    if not rest:
        return room == pattern
    last = rest.pop()
    if len(room) < len(first) + len(last):
        return False
    if not (room.startswith(first) and room.endswith(last)):
        return False
    start, end = len(first), len(room) - len(last)
    for part in rest:
        found = room.find(part, start, end)
        if found < 0:
            return False
        start = found + len(part)
    return True


def meeting_url(
    domain: str, tenant: str | None, room: str, token: str, placement: TokenPlacement
) -> str:
    """Return the address that joins the room.

    In the fragment, which no server sees, the web client wants the token in double quotes.
    """
    base = f"https://{domain}/{tenant}/{room}" if tenant else f"https://{domain}/{room}"
    return f"{base}?jwt={token}" if placement == "query" else f"{base}#jwt=%22{token}%22"


def _percent_decoded(name: str) -> str:
    """Decode as decodeURIComponent does, all or nothing."""
    if "%" not in name or _BROKEN_ESCAPE.search(name):
        return name
    try:
        return unquote_to_bytes(name).decode()
    except UnicodeError:
        return name

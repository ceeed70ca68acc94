"""The room's backend-safe name, which rooms can be opened, room patterns, and the meeting URL."""

import re
import unicodedata
from typing import Literal
from urllib.parse import quote, unquote_to_bytes

from jitsi_tokens.core.text import is_unassigned, rejection_reason

type TokenPlacement = Literal["fragment", "query"]

# RFC 7622 ends an XMPP localpart at 1,023 bytes; Jitsi puts the tenant in front of the room.
MAX_ROOM_BYTES = 960

_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
# What encodeURIComponent leaves alone beside letters, digits and the -._~ that quote() leaves.
_LEFT_ALONE = "!'()*"
# What web servers in front of Jitsi open no meeting page for: docker-jitsi-meet's meet.conf,
# jitsi-meet's doc/debian/jitsi-meet/jitsi-meet.example and doc/jaas/nginx-jaas.conf. On the decoded
# path, nginx's location for a room is ^/([^/?&:'"]+)$; files of the web root come before it.
FILE_ENDINGS = (".js", ".html", ".txt", ".json", ".ico", ".css", ".map")
# The other locations, and directories of the web root. Behind a tenant the first two are prefixes
# there, the third is one at 8x8, and the dot of config.js is any character.
_PATH = re.compile(
    r"http-bind|xmpp-websocket|_unlock"
    r"|(?:config(?:%..|[^%*])js|jaas-jwt|etherpad|rtc-visualizer|rtcstats-ws|socket\.io"
    r"|libs|css|static|images|fonts|lang|sounds|connection_optimization|\.well-known|transcripts"
    r")\Z"
)
_CHARACTERS = {
    "%2f": "a slash: the tenant is a setting of the stack",
    "%22": "a quotation mark: Jitsi's web server opens no such room",
    "%26": "an ampersand: Jitsi's web server opens no such room",
    "'": "an apostrophe: Jitsi's web server opens no such room",
    "%3a": "a colon: Jitsi's web server opens no such room",
    "%3f": "a question mark: Jitsi's web server opens no such room",
}
_CHARACTER = re.compile("|".join(_CHARACTERS))


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
    decoded = _percent_decoded(name)
    if reason := rejection_reason(decoded):
        raise RoomRefused(reason)
    if not decoded.isascii() and any(map(is_unassigned, decoded)):
        # A browser with newer Unicode tables may compute another room.
        raise RoomRefused("must not hold characters that Unicode 15 does not know")
    room = backend_safe(name)
    if reason := unopened(room):
        raise RoomRefused(reason)
    if room == "*":
        raise RoomRefused("must name one room: a wildcard would open every room")
    if len(room) > MAX_ROOM_BYTES:
        raise RoomRefused(f"must fit {MAX_ROOM_BYTES} bytes once percent-encoded")
    if backend_safe(room) != room:
        raise RoomRefused("has no stable form: Jitsi would compute another room from its own URL")
    return room


def unopened(room: str) -> str | None:
    """Say why the web server in front of Jitsi opens no such room; None where it does.

    Of a normalised pattern: why it opens none of the rooms that the pattern covers.
    """
    if found := _CHARACTER.search(room):
        return f"must not hold {_CHARACTERS[found[0]]}"
    if room.endswith(FILE_ENDINGS):
        ending = room[room.rindex(".") :]
        return f"must not end in {ending}: Jitsi's web server takes it for a file"
    if room in (".", ".."):
        return "must not be a relative path: a browser would leave the room"
    if _PATH.match(room):
        return "must not be a path that Jitsi's web server answers itself, such as http-bind"
    return None


def normalised_pattern(pattern: str) -> str:
    """Return a room pattern with the parts between its stars normalised as room names are."""
    return "*".join(backend_safe(part) for part in pattern.split("*"))


def matches(pattern: str, room: str) -> bool:
    """Tell whether a normalised pattern, in which `*` alone is special, covers a room claim."""
    first, *rest = pattern.split("*")
    if not rest:
        return room == pattern
    last = rest.pop()
    if len(room) < len(first) + len(last):
        return False
    start, end = len(first), len(room) - len(last)
    if not (room.startswith(first) and room.endswith(last)) or _is_inside_escape(room, end):
        return False
    for part in rest:
        found = room.find(part, start, end)
        while found >= 0 and _is_inside_escape(room, found):
            found = room.find(part, found + 1, end)
        if found < 0:
            return False
        start = found + len(part)
    return True


def web_origin(domain: str) -> str:
    """Return the origin at which a browser finds Jitsi: by http on this machine only, else https.

    Browsers give camera and microphone to a loopback host without TLS: W3C Secure Contexts, 3.1.
    """
    scheme = "http" if domain.partition(":")[0] in ("localhost", "127.0.0.1") else "https"
    return f"{scheme}://{domain}"


def meeting_url(
    domain: str, tenant: str | None, room: str, token: str, placement: TokenPlacement
) -> str:
    """Return the address that joins the room.

    In the fragment, which no server sees, the web client wants the token in double quotes. It
    drops `!()*` from a path unless they are percent-encoded: jitsi-meet, util/uri.ts.
    """
    path = quote(room, safe="%")
    base = f"{web_origin(domain)}/{tenant}/{path}" if tenant else f"{web_origin(domain)}/{path}"
    return f"{base}?jwt={token}" if placement == "query" else f"{base}#jwt=%22{token}%22"


def _is_inside_escape(room: str, index: int) -> bool:
    """Tell whether a place lies behind the `%` of an escape: `9*` must not match in `%a9`."""
    return "%" in room[max(0, index - 2) : index]


def _percent_decoded(name: str) -> str:
    """Decode as decodeURIComponent does, all or nothing."""
    if "%" not in name or _BROKEN_ESCAPE.search(name):
        return name
    try:
        return unquote_to_bytes(name).decode()
    except UnicodeError:
        return name

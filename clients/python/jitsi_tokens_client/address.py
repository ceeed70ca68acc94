"""The service's address: whether an API key may go there."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import NamedTuple

import httpx

PATH = "/api/jitsi/jwt"
# People paste the address of the request.
_PASTED = re.compile(rf"(?<!:/){PATH}/*([?#].*)?\Z", re.DOTALL)
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_PORTS = range(1, 65_536)
# RFC 3986, appendix B.
_AUTHORITY = re.compile(r"[^:/?#]+://([^/?#]*)")
_SERVER = re.compile(r"(?:\[(?P<ip>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:]*))(?::[0-9]+)?")


class Address(NamedTuple):
    """Where the service is: its URL without a slash at the end, and the host for messages."""

    url: str
    host: str

    @property
    def is_encrypted(self) -> bool:
        """Whether it is https."""
        return self.url.lower().startswith("https:")


def read_address(text: str) -> Address | str:
    """Return an address, or what is wrong with it, as the end of a sentence about it.

    The path of a request at its end is cut off.
    """
    text = _PASTED.sub("", text)
    if not text.isprintable() or " " in text or "\\" in text:
        return "holds blanks, control characters or backslashes."
    authority = _AUTHORITY.match(text)
    _, at, server = authority[1].rpartition("@") if authority else ("", "", "")
    named = _SERVER.fullmatch(server)
    # Parsed by what will send: two parsers may find two hosts in one text.
    url = _parsed(text)
    if url is None or named is None or not _is_name(named["name"] or "-"):
        return "is malformed."
    text, host = text.rstrip("/"), (named["ip"] or named["name"]).lower()
    flaw = _flaw(text, url.scheme, host, has_user=bool(at))
    return flaw or Address(text, host)


def _flaw(text: str, scheme: str, host: str, *, has_user: bool) -> str | None:
    is_open = scheme == "http" and not _is_loopback(host)
    has_more = "?" in text or "#" in text
    flaws = {
        "must begin with https:// and a host name.": scheme not in ("https", "http") or not host,
        "holds a user name or password: leave them out.": has_user,
        "must end with its path: leave out what follows ? or #.": has_more,
        "must be https: it would show the API key to others.": is_open,
    }
    return next((flaw for flaw, is_there in flaws.items() if is_there), None)


def _parsed(text: str) -> httpx.URL | None:
    try:
        url = httpx.URL(text)
        # To read `host` decodes it, which may fail: better here than where it is sent.
        is_sound = (url.port is None or url.port in _PORTS) and isinstance(url.host, str)
    # idna's errors are UnicodeErrors, and so ValueErrors.
    except (httpx.InvalidURL, ValueError):
        return None
    return url if is_sound else None


def _is_name(text: str) -> bool:
    # Letters with their marks, digits, hyphens; dots between, and perhaps one at the end.
    return all(
        label and all(c in "-0123456789" or unicodedata.category(c)[0] in "LM" for c in label)
        for label in text.removesuffix(".").split(".")
    )


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return any(address in network for network in _LOOPBACK)

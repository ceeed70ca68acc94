"""The page at /join: what it says, and what the stack's operator set for it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import TYPE_CHECKING, NamedTuple

from jitsi_tokens.core.rooms import web_origin
from jitsi_tokens.secrets import UNREACHABLE, KeyVersion, SecretUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mypy_boto3_ssm import SSMClient

_BETWEEN_SENTENCES = re.compile(r"\s*[|\n]\s*")
# Beside the handler, where functions/join_visit/Makefile puts it.
_FILE = "page.html"
_CONTACT = "<!-- contact -->"


class PageSettings(NamedTuple):
    """What the operator set.

    Attributes:
        embed: whether a visit is shown in a frame of the page.
        contact: whom to call, where the page knows no visit; a sentence a language.
    """

    embed: bool = True
    contact: tuple[str, ...] = ()


def read_page_settings(text: str) -> PageSettings:
    """Return the settings in the parameter: JoinMode, a line break, and ContactText.

    ContactText has a `|` or a line break between two languages.
    """
    mode, _, contact = text.partition("\n")
    sentences = _BETWEEN_SENTENCES.split(contact)
    return PageSettings(mode.strip() != "redirect", tuple(filter(None, map(str.strip, sentences))))


def fetch_parameter(client: SSMClient, name: str) -> KeyVersion:
    """Return a parameter, as a secret is fetched.

    Raises:
        SecretUnavailable: SSM did not give it.
    """
    try:
        found = client.get_parameter(Name=name)["Parameter"]
    except Exception as error:  # noqa: BLE001 - botocore raises more than its own base class
        raise SecretUnavailable(
            UNREACHABLE, f"SSM did not return the page's settings ({type(error).__name__})."
        ) from None
    return KeyVersion(str(found["Version"]), found["Value"], found["LastModifiedDate"])


class Page(NamedTuple):
    """What a browser gets: the same for everybody.

    Attributes:
        html: the file, without the operator's ContactText.
        headers: what the browser allows it, Jitsi's frame included.
    """

    html: str
    headers: Mapping[str, str]

    def with_contact(self, contact: tuple[str, ...]) -> str:
        """Return the page with whom to call, where it knows no visit."""
        sentences = (f"<p>{html.escape(sentence)}</p>" for sentence in contact)
        return self.html.replace(_CONTACT, "".join(sentences), 1)


def read_page(folder: Path, jitsi_domain: str) -> Page:
    """Return the page in the folder of the handler; its Jitsi is at a domain."""
    page = (folder / _FILE).read_text(encoding="utf-8")
    jitsi = web_origin(jitsi_domain)
    allowed = f'(self "{jitsi}")'
    policy = (
        "default-src 'none'",
        f"script-src {_hash_of('script', page)}",
        f"style-src {_hash_of('style', page)}",
        "img-src data:",
        "connect-src 'self'",
        f"frame-src {jitsi}",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
    features = ("camera", "microphone", "display-capture", "screen-wake-lock")
    headers = {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        # A page that opened this one, such as a webmail, cannot put another in its place.
        "Cross-Origin-Opener-Policy": "same-origin",
        "X-Robots-Tag": "noindex",
        "Permissions-Policy": ", ".join(f"{feature}={allowed}" for feature in features),
    }
    return Page(page, headers)


def _hash_of(tag: str, page: str) -> str:
    """Return the source expression for the one element that has no attributes: CSP 3, 2.3.1."""
    text = page.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

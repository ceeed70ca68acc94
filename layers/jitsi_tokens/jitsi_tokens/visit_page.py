"""The page at /join: what it says, and what the stack's operator set for it."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from typing import TYPE_CHECKING, NamedTuple

from jitsi_tokens.secrets import UNREACHABLE, KeyVersion, SecretUnavailable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

_STYLE = "body{font:1.25rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:36rem;padding:1rem}"
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_BETWEEN_SENTENCES = re.compile(r"\s*[|\n]\s*")

HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Permissions-Policy": "camera=(), microphone=(), display-capture=(), screen-wake-lock=()",
}


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
            UNREACHABLE, f"SSM did not give the page's settings ({type(error).__name__})."
        ) from None
    return KeyVersion(str(found["Version"]), found["Value"], found["LastModifiedDate"])


def page(settings: PageSettings) -> str:
    """Return the page: the same for everybody, without a script."""
    sentences = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in settings.contact)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Video visit</title><style>{_STYLE}</style>"
        f"<h1>Video visit</h1><p>This page cannot show your visit yet.</p>{sentences}"
    )

"""A participant's link: derived from a key, never stored; the table holds its SHA-256 alone."""

import hashlib
import hmac
import re
from typing import NamedTuple

from jitsi_tokens.core.base62 import CHECKSUM_CHARACTERS, checksum, encoded

_PREFIX = "jtv_"
_SECRET_CHARACTERS = 27  # 160 bits in base 62
_SECRET_BYTES = 20
_FORM = re.compile(f"{_PREFIX}[0-9A-Za-z]{{{_SECRET_CHARACTERS + CHECKSUM_CHARACTERS}}}")


class Holder(NamedTuple):
    """What a link is derived from, beside the key.

    Attributes:
        instance: random, drawn when the visit is made: after erasure no old link comes back.
        generation: how often the participant got a new link.
    """

    stack: str
    client: str
    visit_id: str
    instance: str
    participant_id: str
    generation: int


def derive(key: bytes, holder: Holder) -> str:
    """Return the secret of a participant's link, the same each time: HMAC-SHA256, 160 bits of it.

    Each part is preceded by its length, so that no two holders give the same message.
    """
    parts = [str(part).encode() for part in holder]
    message = b"".join(len(part).to_bytes(4) + part for part in parts)
    secret = hmac.digest(key, message, "sha256")[:_SECRET_BYTES]
    text = encoded(int.from_bytes(secret), _SECRET_CHARACTERS)
    return f"{_PREFIX}{text}{checksum(text)}"


def is_link(text: str) -> bool:
    """Tell whether a text has the form and the checksum of a link's secret."""
    if not _FORM.fullmatch(text):
        return False
    secret = text.removeprefix(_PREFIX)[:_SECRET_CHARACTERS]
    return hmac.compare_digest(text[-CHECKSUM_CHARACTERS:], checksum(secret))


def link_hash(link: str) -> str:
    """Return the SHA-256 of a link's secret, in hex."""
    return hashlib.sha256(link.encode()).hexdigest()

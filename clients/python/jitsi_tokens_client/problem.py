"""What the service says is wrong (RFC 9457), as far as a message may repeat it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jitsi_tokens_client.secret import Secret

_TYPE = "urn:jitsi-tokens:problem:"
_KIND = re.compile(r"[a-z-]{1,40}")
_TOKEN_OR_LINK = re.compile(r"eyJ[A-Za-z0-9_-]{8,}|jtv_")
_MAX_DETAIL_CHARACTERS = 300
_POINTER = re.compile(r"/.{,99}", re.DOTALL)


class Problem(NamedTuple):
    """The first error of a problem document, or the document's own detail.

    Attributes:
        is_ours: whether the service wrote the document; if not, the rest is None.
        kind: the end of its type.
        opens_at: when the visit opens, in epoch seconds.
    """

    is_ours: bool = False
    detail: str | None = None
    field: str | None = None
    kind: str | None = None
    opens_at: int | None = None

    def append_to(self, sentence: str) -> str:
        """Return a sentence, followed by what the service says."""
        says = " ".join(part for part in (self.field, self.detail) if part)
        text = f"{sentence}: {says}" if says else sentence
        return text if text.endswith(".") else f"{text}."


def read_problem(document: Mapping[str, Any], secrets: Sequence[Secret]) -> Problem:
    """Read a problem document; nothing of it that holds a secret, token or link is repeated."""
    kind = str(document.get("type"))
    if not kind.startswith(_TYPE):
        return Problem()
    kind, opens_at = kind.removeprefix(_TYPE), document.get("opensAt")
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    error = first if isinstance(first, dict) else {}
    details = (_harmless(one.get("detail"), secrets) for one in (error, document))
    detail = next((text for text in details if text), "")[:_MAX_DETAIL_CHARACTERS]
    line = "".join(letter if letter.isprintable() else " " for letter in detail)
    pointer = _harmless(error.get("pointer"), secrets) or ""
    is_pointer = pointer.isprintable() and _POINTER.fullmatch(pointer)
    return Problem(
        is_ours=True,
        detail=line.strip(),
        field=pointer if is_pointer else None,
        kind=kind if _KIND.fullmatch(kind) else None,
        # True is an int, too.
        opens_at=opens_at if type(opens_at) is int else None,
    )


def _harmless(value: object, secrets: Sequence[Secret]) -> str | None:
    if not isinstance(value, str) or _TOKEN_OR_LINK.search(value):
        return None
    return None if any(secret.reveal() in value for secret in secrets) else value

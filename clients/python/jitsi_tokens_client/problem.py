"""What the service says is wrong (RFC 9457), as far as it may be repeated."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jitsi_tokens_client.outcome import Answer
    from jitsi_tokens_client.secret import Secret

_MEDIA_TYPE = "application/problem+json"
_TYPE = "urn:jitsi-tokens:problem:"
_JWT = re.compile(r"eyJ[A-Za-z0-9_-]{8,}")
_MAX_DETAIL_CHARACTERS = 300
_MAX_POINTER_CHARACTERS = 100


class Problem(NamedTuple):
    """What may be repeated of a problem document: its first error's, else its own detail."""

    detail: str | None = None
    field: str | None = None

    def append_to(self, sentence: str) -> str:
        """Return a sentence, followed by what the service says."""
        says = " ".join(part for part in (self.field, self.detail) if part)
        text = f"{sentence}: {says}" if says else sentence
        return text if text.endswith(".") else f"{text}."


def read_problem(answer: Answer, secrets: Sequence[Secret]) -> Problem | None:
    """Return the service's problem document in an answer; None where there is none."""
    document = json_object(answer.body) if answer.media_type == _MEDIA_TYPE else {}
    if not str(document.get("type")).startswith(_TYPE):
        return None
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    error = first if isinstance(first, dict) else {}
    return Problem(
        _detail(error.get("detail"), secrets) or _detail(document.get("detail"), secrets),
        _pointer(error.get("pointer"), secrets),
    )


def json_object(body: bytes | None) -> dict[str, Any]:
    """Return the JSON object in a body; an empty one where there is none."""
    try:
        document = json.loads((body or b"").decode())
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _detail(value: object, secrets: Sequence[Secret]) -> str | None:
    if not isinstance(value, str) or _holds_secret(value, secrets):
        return None
    cut = value[:_MAX_DETAIL_CHARACTERS]
    return "".join(letter if letter.isprintable() else " " for letter in cut).strip()


def _pointer(value: object, secrets: Sequence[Secret]) -> str | None:
    if not isinstance(value, str) or _holds_secret(value, secrets):
        return None
    is_fit = len(value) <= _MAX_POINTER_CHARACTERS and value.isprintable()
    return value if value.startswith("/") and is_fit else None


def _holds_secret(text: str, secrets: Sequence[Secret]) -> bool:
    return bool(_JWT.search(text)) or any(secret.reveal() in text for secret in secrets)

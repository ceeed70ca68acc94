"""The line that a check of the signing key leaves: what it found, as metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens import emf

if TYPE_CHECKING:
    from jitsi_tokens.status import KeyStatus

_DAY_SECONDS = 86_400
_DIRECTIVES = [
    emf.directive(
        ["service"], {"Configured": "Count", "KeyAgeDays": "None", "ForeignPublicKeys": "Count"}
    )
]
# With each of these a key is published that is not the rotation's.
_FOREIGN = {"unknown-key-published", "published-key-differs"}


def write_metrics(service: str, status: KeyStatus) -> None:
    """Print the line of a check.

    Whether a token can be signed (1 or 0), the signing key's age in days, and whether a key is
    published that is not the rotation's (1 or 0).
    """
    found = {problem.code for problem in status.problems}
    fields: dict[str, object] = {
        "service": service,
        "Configured": int(status.configured),
        "ForeignPublicKeys": int(bool(found & _FOREIGN)),
    }
    if status.key:
        fields["KeyAgeDays"] = round((status.checked_at - status.key.created_at) / _DAY_SECONDS, 2)
    emf.write(status.checked_at, _DIRECTIVES, fields)

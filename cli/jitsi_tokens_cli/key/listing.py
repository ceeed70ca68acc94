"""The keys of a stack: what the secret's versions hold, and what is published."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from jitsi_tokens.core.keys import KeyRefused
from jitsi_tokens.core.rsa_keys import fingerprint, read_public_pem
from jitsi_tokens.publication import Publication
from jitsi_tokens.secrets import CURRENT, PENDING, PREVIOUS
from jitsi_tokens_cli.key import versions
from jitsi_tokens_cli.key.versions import NEXT, KeyVersions
from jitsi_tokens_cli.output import echo_table, iso_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jitsi_tokens.core.public_keys import PublicKey
    from jitsi_tokens.secrets import KeyVersion
    from jitsi_tokens_cli.stack import Stack

_ROLES = {
    CURRENT: "current",
    PREVIOUS: "previous",
    NEXT: "staged",
    PENDING: "pending",
}
_HEADINGS = ["Key id (kid)", "Role", "Algorithm", "Created", "Fingerprint (SHA-256)"]


class ListedKey(NamedTuple):
    """A key that the secret holds, or that is published, or both.

    Attributes:
        version_id: None where the secret holds it no longer.
        roles: what its labels say, a foreign label as it is; `promoted` where the key of the label
            NEXT is the current one, or the one before.
        problem: why the version holds no key to work with.
    """

    kid: str
    roles: list[str]
    version_id: str | None = None
    algorithm: str | None = None
    created_at: datetime | None = None
    fingerprint: str | None = None
    problem: str | None = None
    published: PublicKey | None = None


def listed(stack: Stack) -> list[ListedKey]:
    """Return the keys, the current one first.

    Raises:
        Unreachable: the caller may not read them.
    """
    roles: dict[str, list[str]] = {}
    at = stack.secret.labels()
    # A rotation that ended may leave it there.
    if at.get(PENDING) == at.get(CURRENT):
        at.pop(PENDING, None)
    for label in sorted(at, key=lambda label: [*_ROLES, label].index(label)):
        roles.setdefault(at[label], []).append(_ROLES.get(label, label))
    held = {version_id: versions.read(stack, version_id) for version_id in roles}
    changes = KeyVersions(*(held.get(at.get(label, "")) for label in (CURRENT, PREVIOUS, NEXT)))
    if changes.staged and changes.is_promoted(changes.staged):
        # The label stays, so that a mistyped id can be corrected.
        roles[changes.staged.id].append("promoted")
    published = _published(stack)
    keys = []
    for version_id, version in held.items():
        key = _of_version(stack, version_id, version)._replace(roles=roles[version_id])
        keys.append(key._replace(published=published.pop(key.kid, None)))
    return keys + [_of_publication(key) for key in published.values()]


def documents(keys: Sequence[ListedKey]) -> list[dict[str, Any]]:
    """Return the keys for a script."""
    return [
        {
            "kid": key.kid or None,
            "roles": key.roles,
            "versionId": key.version_id,
            "algorithm": key.algorithm,
            "createdAt": iso_time(key.created_at) if key.created_at else None,
            "fingerprint": key.fingerprint,
            "problem": key.problem,
            "publishedAt": _iso(key.published.published_at) if key.published else None,
            "publishedUntil": (
                _iso(key.published.expires_at)
                if key.published and key.published.expires_at is not None
                else None
            ),
        }
        for key in keys
    ]


def put_keys(stack: Stack, keys: Sequence[ListedKey], now: float) -> None:
    """Show the keys to a person."""
    published = _publishes(stack)
    echo_table(
        [*_HEADINGS, *(["Published"] if published else [])],
        [
            [*_cells(key), *([_publication(key.published, now)] if published else [])]
            for key in keys
        ],
    )


def _cells(key: ListedKey) -> list[str]:
    return [
        key.kid or "without an id",
        ", ".join(key.roles) or "none",
        key.algorithm or "",
        iso_time(key.created_at) if key.created_at else "",
        key.problem or key.fingerprint or "none: a shared secret",
    ]


def _publication(key: PublicKey | None, now: float) -> str:
    if key is None:
        return "no"
    since = f"since {_iso(key.published_at)}"
    if key.expires_at is None:
        return f"{since}, while it signs"
    if not key.is_served(now):
        return f"no more since {_iso(key.expires_at)}"
    return f"{since}, until {_iso(key.expires_at)}"


def _publishes(stack: Stack) -> bool:
    match stack.trust:
        case "console" | "shared":
            return False
        case "published":
            return True
        case _:
            assert_never(stack.trust)


def _published(stack: Stack) -> dict[str, PublicKey]:
    if not _publishes(stack):
        return {}
    found = Publication(stack.client("ssm"), stack.public_keys_path).keys().values()
    return {key.kid: key for key in sorted(found, key=lambda key: (-key.published_at, key.kid))}


def _of_version(stack: Stack, version_id: str, version: KeyVersion | None) -> ListedKey:
    if version is None:
        return ListedKey("", [], version_id, problem="The version has no value.")
    key = ListedKey(version.kid, [], version_id, created_at=version.created_at)
    if version.document is None:
        return key._replace(problem="The version holds no key document.")
    try:
        tried = versions.tried(stack, version.document)
    except KeyRefused as error:
        return key._replace(algorithm=version.document.algorithm, problem=str(error))
    return key._replace(algorithm=tried.algorithm, fingerprint=tried.fingerprint)


def _of_publication(key: PublicKey) -> ListedKey:
    listed = ListedKey(key.kid, [], published=key)
    public = read_public_pem(key.pem)
    if public is None:
        return listed._replace(problem="What is published is no RSA public key.")
    return listed._replace(algorithm="RS256", fingerprint=fingerprint(public))


def _iso(seconds: int) -> str:
    return iso_time(datetime.fromtimestamp(seconds, UTC))

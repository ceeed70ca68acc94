"""`jitsi-tokens key list`: what the secret's versions hold, and what is published.

A key is a document as --json prints it. Its roles are what its labels say, a foreign label as it
is; `promoted` where the key of the label NEXT is the current one, or the one before.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, assert_never

from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.keys import KeyRefused
from jitsi_tokens.core.rsa_keys import fingerprint, read_public_pem
from jitsi_tokens.secrets import CURRENT, PENDING, PREVIOUS
from jitsi_tokens_cli.key import versions
from jitsi_tokens_cli.key.check import check
from jitsi_tokens_cli.key.versions import NEXT, KeyVersions
from jitsi_tokens_cli.output import echo_table, info, is_terminal, iso_time, time_text
from jitsi_tokens_cli.signing_secret import MayNotRead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jitsi_tokens.core.public_keys import PublicKey
    from jitsi_tokens.secrets import KeyVersion
    from jitsi_tokens_cli.stack import Stack

    type Key = dict[str, Any]

# Of an ISO time, its day.
_DATE = 10
_UNREAD = "Missing permission to read this version."
_ROLES = {CURRENT: "current", PREVIOUS: "previous", NEXT: "staged", PENDING: "pending"}


def listed(stack: Stack) -> list[Key]:
    """Return the keys, the current one first, as far as the caller may see them.

    Raises:
        Unreachable: the caller may see nothing.
    """
    keys, published = _of_secret(stack), _published(stack)
    for key in keys:
        key.update(_times(published.pop(key["kid"] or "", None)))
    return keys + [_of_publication(key) for key in published.values()]


def echo_keys(stack: Stack, keys: Sequence[Key], *, wide: bool) -> None:
    """Show the keys to a person, one line each: on a terminal what fits into 80 columns."""
    wide = wide or not is_terminal(sys.stdout)
    publishes, now = _publishes(stack), time_text(time.time())
    length = None if wide else _DATE

    def publication(key: Key) -> str:
        since, until = key["publishedAt"], key["publishedUntil"]
        if until:
            return f"{'until' if now < until else 'ended'} {until[:length]}"
        return f"since {since[:length]}" if since else "no"

    prefix = "" if wide else stack.kid_prefix
    columns = {
        "Key id (kid)": [(key["kid"] or "without an id").removeprefix(prefix) for key in keys],
        "Role": [", ".join(key["roles"]) or "none" for key in keys],
        "Created": [(key["createdAt"] or "")[:length] for key in keys],
        "Published": [publication(key) for key in keys],
        "Fingerprint (SHA-256)": [
            key["problem"] or key["fingerprint"] or "a shared secret" for key in keys
        ],
    }
    if not publishes:
        del columns["Published"]
    elif not wide:
        # `key withdraw` takes the whole id, which is half of the line.
        del columns["Created"], columns["Fingerprint (SHA-256)"]
        for key in keys:
            if key["problem"] not in (None, _UNREAD):
                info(f"{key['kid'] or ', '.join(key['roles'])}: {key['problem']}")
    echo_table(list(columns), list(zip(*columns.values(), strict=True)), wide=wide)


def _of_secret(stack: Stack) -> list[Key]:
    at = _unless_denied(stack.secret.labels)
    if at is None:
        return _unread(stack, {}, {})
    # A rotation that ended may leave it there.
    if at.get(PENDING) == at.get(CURRENT):
        at.pop(PENDING, None)
    roles: dict[str, list[str]] = {}
    for label in sorted(at, key=lambda label: [*_ROLES, label].index(label)):
        roles.setdefault(at[label], []).append(_ROLES.get(label, label))
    try:
        held = {version_id: versions.read(stack, version_id) for version_id in roles}
    except MayNotRead:
        return _unread(stack, at, roles)
    current, previous, staged = (held.get(at.get(label, "")) for label in (CURRENT, PREVIOUS, NEXT))
    if staged and KeyVersions(current, previous, staged).is_promoted(staged):
        # The label stays, so that a mistyped id can be corrected.
        roles[staged.id].append("promoted")
    for version in filter(None, held.values()):
        told = roles[version.id]
        if (
            stack.trust == "console"
            and version.document
            and not version.kid
            and told != ["current"]
        ):
            # A secret's first version becomes current at once; without an id it signs nothing.
            roles[version.id] = [each for each in told if each not in ("current", "previous")]
    return [
        _key(told, versionId=id_, **_of_version(stack, held[id_]))
        for id_, told in roles.items()
        if told
    ]


def _unread(stack: Stack, at: dict[str, str], roles: dict[str, list[str]]) -> list[Key]:
    """Return what is known of the keys without the permission to read the secret."""
    status = check(stack)
    info(
        "Missing permission on the signing secret: the current key is shown as the stack's last"
        " check found it, and the keys of other versions are unknown."
    )
    current_id = at.get(CURRENT)
    current = _key(roles.pop(current_id or "", ["current"]), versionId=current_id)
    if key := status.key:
        current |= {
            "kid": key.kid,
            "algorithm": key.algorithm,
            "createdAt": time_text(key.created_at),
            "fingerprint": key.fingerprint,
        }
    elif status.problems:
        current["problem"] = status.problems[0].what
    return [current] + [_key(told, versionId=id_, problem=_UNREAD) for id_, told in roles.items()]


def _of_version(stack: Stack, version: KeyVersion | None) -> Key:
    if version is None:
        return {"problem": "The version has no value."}
    key = {"kid": version.kid or None, "createdAt": iso_time(version.created_at)}
    if version.document is None:
        return key | {"problem": "The version holds no key document."}
    key["algorithm"] = version.document.algorithm
    try:
        return key | {"fingerprint": versions.tried(stack, version.document).fingerprint}
    except KeyRefused as error:
        return key | {"problem": str(error)}


def _of_publication(key: PublicKey) -> Key:
    listed = _key([], kid=key.kid, **_times(key))
    public = read_public_pem(key.pem)
    if public is None:
        return listed | {"problem": "The published value is not an RSA public key."}
    return listed | {"algorithm": "RS256", "fingerprint": fingerprint(public)}


def _key(roles: list[str], **known: Any) -> Key:
    names = ("versionId", "algorithm", "createdAt", "fingerprint", "problem")
    return {"kid": None, "roles": roles, **dict.fromkeys(names), **_times(None), **known}


def _times(published: PublicKey | None) -> Key:
    ends = published.expires_at if published else None
    return {
        "publishedAt": time_text(published.published_at) if published else None,
        "publishedUntil": None if ends is None else time_text(ends),
    }


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
    found = _unless_denied(stack.publication.keys)
    if found is None:
        info("Missing permission on the published keys: ssm:GetParametersByPath.")
        return {}
    newest_first = sorted(found.values(), key=lambda key: (-key.published_at, key.kid))
    return {key.kid: key for key in newest_first}


def _unless_denied[T](read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ClientError as error:
        if error_code(error) != "AccessDeniedException":
            raise
        return None

"""The checks of the key's changes: its age, its rotation, and the labels that changes leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens.secrets import CURRENT, PENDING, KeyVersion
from jitsi_tokens_cli.checks import Check, failed, passed, skipped, warning
from jitsi_tokens_cli.doctor.secret import ROTATION_SECONDS
from jitsi_tokens_cli.doctor.unknown import DAY_SECONDS, Unknown, attempt
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.key.versions import NEXT, read, read_all
from jitsi_tokens_cli.output import iso_time

if TYPE_CHECKING:
    from jitsi_tokens.status import KeyFacts
    from jitsi_tokens_cli.doctor.secret import Secret
    from jitsi_tokens_cli.stack import Stack

_LATE_DAYS = 10
_OLD_DAYS = 365


def age_check(stack: Stack, facts: KeyFacts, now: float) -> Check:
    """Judge how long the key has been there."""
    days = max(0, int((now - facts.created_at) // DAY_SECONDS))
    found = f"The key is {days} days old."
    if stack.rotates_by_schedule:
        if days > stack.rotation_days + _LATE_DAYS:
            return warning(
                "key-age",
                f"{found} It should be replaced every {stack.rotation_days} days.",
                f"Rotate it: `{stack.rotate_secret_command}`. The log of RotateSigningKey says what"
                " goes wrong.",
            )
    elif days > _OLD_DAYS:
        return warning(
            "key-age",
            found,
            f"Rotate it: `{stack.rotate_secret_command}`."
            if stack.rotates
            else "Replace it: `jitsi-tokens key stage`, then `jitsi-tokens key promote`.",
        )
    return passed("key-age", found)


def rotation_check(stack: Stack, secret: Secret, now: float) -> Check:
    """Judge the schedule of a stack whose keys rotate."""
    if stack.rotation_days == 0:
        return passed("rotation", "The key rotates when you ask for it: RotationDays is 0.")
    if not secret.described.get("RotationEnabled"):
        return failed(
            "rotation",
            f"Nothing rotates the key, which RotationDays ({stack.rotation_days}) asks for.",
            f"Turn it on: `{stack.schedule_rotation_command}`.",
        )
    last, following = secret.time_of("LastRotatedDate"), secret.time_of("NextRotationDate")
    told = f"last {iso_time(last)}" if last else "not yet"
    if following and now - following.timestamp() > DAY_SECONDS:
        return warning(
            "rotation",
            f"The key rotates every {stack.rotation_days} days, {told}; it was due at"
            f" {iso_time(following)}.",
            "The log of RotateSigningKey says what goes wrong.",
        )
    next_time = f", next by {iso_time(following)}" if following else ""
    found = f"The key rotates every {stack.rotation_days} days, {told}{next_time}."
    return passed("rotation", found)


def pending_check(stack: Stack, secret: Secret, now: float, *, reads_key: bool) -> Check:
    """Look for a rotation that was given up: its label is in the way of every one after it."""
    name, pending = "pending-key", secret.version_of(PENDING)
    if pending is None or pending == secret.version_of(CURRENT):
        return passed(name, f"No version is left under {PENDING}.")
    version_id = pending if reads_key else None
    if stack.rotates and _is_recent(stack, secret, version_id, now):
        return passed(name, "A rotation is under way.")._replace(transient=True)
    return failed(
        name,
        f"A version is left under {PENDING}, by a rotation that did not end: it fails every"
        " rotation after.",
        "`jitsi-tokens key cleanup` takes the label away. The log of RotateSigningKey says why the"
        " rotation did not end.",
    )


def staged_check(stack: Stack, secret: Secret, *, reads_key: bool) -> Check:
    """Tell whether a key waits to be promoted."""
    name = "staged-key"
    if secret.version_of(NEXT) is None:
        return passed(name, "No key is staged.")
    if not reads_key:
        return skipped(name, f"A key is labelled {NEXT}; it was not read (--without-key).")
    try:
        versions = attempt(lambda: read_all(stack))
    except CommandError as error:
        return skipped(name, f"A key is labelled {NEXT}. {error}")
    if isinstance(versions, Unknown):
        return versions.skipped(name)
    if versions.staged is None or versions.is_promoted(versions.staged):
        return passed(name, "The key that was staged is promoted.")
    return passed(name, "A key is staged, and waits for `jitsi-tokens key promote`.")


def _is_recent(stack: Stack, secret: Secret, version_id: str | None, now: float) -> bool:
    """Tell whether a version is so new that its rotation may still be going on.

    Without its id, by the times of the whole secret.
    """
    try:
        version = attempt(lambda: read(stack, version_id)) if version_id else None
    except CommandError:
        version = None
    if isinstance(version, KeyVersion):
        return now - version.created_at.timestamp() < ROTATION_SECONDS
    # One that has no value yet, or that may not be read.
    return secret.changed_since(now - ROTATION_SECONDS)

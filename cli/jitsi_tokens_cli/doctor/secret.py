"""The checks of the signing secret: its key, the key's age, its rotation, and staged changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.keys import KeyRefused
from jitsi_tokens.secrets import CURRENT, PENDING, PREVIOUS, KeyVersion, SecretUnavailable
from jitsi_tokens.secrets_manager import fetch_version
from jitsi_tokens.status import facts_of
from jitsi_tokens_cli.checks import Check, failed, passed, skipped, warning
from jitsi_tokens_cli.doctor.unknown import DAY_SECONDS, NO_KEY, Unknown, attempt
from jitsi_tokens_cli.key.versions import NEXT
from jitsi_tokens_cli.output import iso_time
from jitsi_tokens_cli.signing_secret import MAY_NOT_READ

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import SigningKey
    from jitsi_tokens.status import KeyFacts
    from jitsi_tokens_cli.stack import Stack

_NAME = "signing-secret"
# A step takes 15 minutes at most, and Secrets Manager retries what failed.
_ROTATION_SECONDS = 30 * 60
_STAGED = "A key is staged, not promoted."
_LOG = "the log of RotateSigningKey"
_LATE_DAYS = 10
_OLD_DAYS = 365


class Secret:
    """The signing secret of a stack, of which each version is read at most once.

    Unless it `reads`, only DescribeSecret is asked.
    """

    def __init__(self, stack: Stack, *, reads: bool) -> None:
        self.stack = stack
        self._reads = reads
        self._client = stack.client("secretsmanager")
        described = attempt(self._describe)
        self._unknown = described if isinstance(described, Unknown) else None
        self._described = {} if isinstance(described, Unknown) else described
        self._read: dict[str, KeyVersion | SecretUnavailable | Unknown] = {}

    def version(self, label: str) -> KeyVersion | SecretUnavailable | Unknown:
        """Return the version under a label, or why there is none, or why nobody can tell."""
        if self._unknown:
            # Secrets Manager would not answer a second time either.
            if self._unknown.obstructed or not self._reads:
                return self._unknown
        elif not self._described:
            return SecretUnavailable("secret-gone", "The signing secret is gone.")
        elif "DeletedDate" in self._described:
            return SecretUnavailable("secret-deleted", "The secret is scheduled for deletion.")
        elif self._id_of(label) is None:
            found = _STAGED if self._id_of(NEXT) else "The secret has no current version."
            return SecretUnavailable("no-key", found)
        if not self._reads:
            return Unknown("The signing secret was not read (--without-key).")
        key = self._id_of(label) or label
        if key not in self._read:
            self._read[key] = self._fetch(label)
        return self._read[key]

    def key(self, label: str) -> SigningKey | None:
        """Return the key under a label; None where none is known that signs."""
        version = self.version(label)
        try:
            return self.stack.read_key(version.text) if isinstance(version, KeyVersion) else None
        except KeyRefused:
            return None

    def remedy(self, code: str) -> str:
        """Return what to do about a finding, the least change first."""
        if not self.stack.rotates and not self.key(CURRENT) and self.key(PREVIOUS):
            return (
                "Run `jitsi-tokens key rollback`: it restores the previous key. Jitsi still has"
                " that one, so change nothing there."
            )
        if code == "no-key" and self.stack.trust == "console" and self._id_of(NEXT):
            code = "no-key-id"
        return self.stack.finding(code).remedy

    def check(self, now: float) -> tuple[Check, KeyFacts | None]:
        """Judge the current key, and return its id, age and fingerprint."""
        version = self.version(CURRENT)
        match version:
            case Unknown():
                return version.skipped(_NAME), None
            case SecretUnavailable():
                return self._unavailable(version, now), None
        try:
            key = self.stack.read_key(version.text)
        except KeyRefused as error:
            # A secret's first version becomes current at once, whatever its label.
            found = f"{_STAGED} {error}" if error.code == "no-key-id" else str(error)
            return failed(_NAME, found, self.remedy(error.code)), None
        check = passed(_NAME, f"The current key is {key.kid} ({key.algorithm}), and it signs.")
        return check, facts_of(key, version.created_at)

    def changes(self, now: float) -> list[Check]:
        """Judge its rotation, and the labels that changes leave."""
        if not self._described or "DeletedDate" in self._described:
            unknown = self._unknown or Unknown(NO_KEY)
            rotation = ["rotation"] if self.stack.rotates else []
            return [unknown.skipped(name) for name in (*rotation, "pending-key", "staged-key")]
        checks = [self._pending(now), self._staged()]
        return [self._rotation(now), *checks] if self.stack.rotates else checks

    def _id_of(self, label: str) -> str | None:
        versions: dict[str, list[str]] = self._described.get("VersionIdsToStages", {})
        return next((id_ for id_, labels in versions.items() if label in labels), None)

    def _changed_since(self, moment: float) -> bool:
        times = [self._described.get(name) for name in ("LastChangedDate", "CreatedDate")]
        return any(time and time.timestamp() > moment for time in times)

    def _describe(self) -> dict[str, Any]:
        try:
            return dict(self._client.describe_secret(SecretId=self.stack.signing_secret))
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise
            return {}

    def _fetch(self, label: str) -> KeyVersion | SecretUnavailable | Unknown:
        try:
            return fetch_version(self._client, self.stack.signing_secret, label)
        except SecretUnavailable as error:
            match error.code:
                case "access-denied":
                    return Unknown(MAY_NOT_READ, denied=True)
                case "unreachable":
                    return Unknown(str(error), obstructed=True)
            return error

    def _unavailable(self, error: SecretUnavailable, now: float) -> Check:
        if error.code == "secret-gone":
            remedy = "CloudFormation does not create it again: deploy a stack under another name."
            return failed(_NAME, str(error), remedy)
        is_first_due = self.stack.rotates_by_schedule and error.code == "no-key"
        if is_first_due and self._changed_since(now - _ROTATION_SECONDS):
            found = "There is no key yet: the first rotation is making it."
            remedy = f"Wait: `jitsi-tokens doctor --wait`. If it takes longer, look at {_LOG}."
            return failed(_NAME, found, remedy)._replace(transient=True)
        return failed(_NAME, str(error), self.remedy(error.code))

    def _rotation(self, now: float) -> Check:
        name, days = "rotation", self.stack.rotation_days
        if days == 0:
            return passed(name, "The key rotates only on request: RotationDays is 0.")
        if not self._described.get("RotationEnabled"):
            found = f"Nothing rotates the key, though RotationDays is {days}."
            schedule = (
                f"aws secretsmanager rotate-secret --region {self.stack.region}"
                f" --secret-id '{self.stack.signing_secret}'"
                f" --rotation-lambda-arn '{self.stack.rotation_function}'"
                f" --rotation-rules AutomaticallyAfterDays={days}"
            )
            return failed(name, found, f"Run `{schedule}`.")
        last, due = map(self._described.get, ("LastRotatedDate", "NextRotationDate"))
        rotated = f"last {iso_time(last)}" if last else "not yet"
        found = f"The key rotates every {days} days, {rotated}"
        if due and now - due.timestamp() > DAY_SECONDS:
            return warning(name, f"{found}; it was due at {iso_time(due)}.", f"Look at {_LOG}.")
        return passed(name, f"{found}, next by {iso_time(due)}." if due else f"{found}.")

    def _pending(self, now: float) -> Check:
        """Look for an abandoned rotation: the label that it leaves fails every later rotation."""
        name, pending = "pending-key", self._id_of(PENDING)
        if pending in (None, self._id_of(CURRENT)):
            return passed(name, f"No version is left under {PENDING}.")
        if self.stack.rotates:
            version, since = self.version(PENDING), now - _ROTATION_SECONDS
            if (
                version.created_at.timestamp() > since
                if isinstance(version, KeyVersion)
                # It has no value yet, or may not be read.
                else self._changed_since(since)
            ):
                return passed(name, "A rotation is under way.")._replace(transient=True)
        found = f"A rotation that did not finish left {PENDING} on a version: later rotations fail."
        return failed(name, found, f"Run `jitsi-tokens key cleanup`, and look at {_LOG}.")

    def _staged(self) -> Check:
        name = "staged-key"
        if self._id_of(NEXT) is None:
            return passed(name, "No key is staged.")
        staged = self.version(NEXT)
        if isinstance(staged, Unknown):
            return staged.skipped(name)._replace(found=f"A version is under {NEXT}. {staged.why}")
        if isinstance(staged, KeyVersion) and self._is_promoted(staged):
            return passed(name, "The staged key is promoted.")
        return passed(name, "A key is staged; `jitsi-tokens key promote` makes it sign.")

    def _is_promoted(self, staged: KeyVersion) -> bool:
        return any(
            isinstance(version, KeyVersion)
            and bool(version.kid)
            and staged.document is not None
            and version.has_key_of(staged.document)
            for version in map(self.version, (CURRENT, PREVIOUS))
        )


def age_check(stack: Stack, facts: KeyFacts | None, now: float) -> Check:
    """Judge how old the key is."""
    name = "key-age"
    if facts is None:
        return skipped(name, NO_KEY)
    days = max(0, int((now - facts.created_at) // DAY_SECONDS))
    found = f"The key is {days} days old."
    rotate = "Rotate it: `jitsi-tokens key rotate`."
    if stack.rotates_by_schedule and days > stack.rotation_days + _LATE_DAYS:
        found += f" It should be replaced every {stack.rotation_days} days."
        return warning(name, found, f"{rotate} Look at {_LOG}.")
    if stack.rotates_by_schedule or days <= _OLD_DAYS:
        return passed(name, found)
    stage = "Replace it: `jitsi-tokens key stage`, then `jitsi-tokens key promote`."
    return warning(name, found, rotate if stack.rotates else stage)

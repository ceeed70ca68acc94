"""Secrets Manager, asked directly: the versions of a secret, and the labels on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.secrets import CURRENT, UNREACHABLE, KeyVersion, SecretUnavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from jitsi_tokens.core.keys import KeyDocument

_REFUSALS = {
    "InvalidRequestException": ("secret-deleted", "The secret is scheduled for deletion."),
    "AccessDeniedException": ("access-denied", "The function may not read or decrypt the secret."),
    "DecryptionFailure": ("access-denied", "The function may not decrypt the secret."),
}
_MISSING = "ResourceNotFoundException"
# Also where a version has another label than the one that is asked for with its id.
_MISSING_UNDER_LABEL = (_MISSING, "InvalidRequestException")


class SigningSecret:
    """The secret that holds the signing key. What AWS refuses is raised as botocore raises it."""

    def __init__(self, client: SecretsManagerClient, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id

    def get(self, label: str = CURRENT, version_id: str = "") -> KeyVersion | None:
        """Return the version under a label, if it has the id where one is given.

        With an empty label the version of the id. None where there is none.
        """
        is_both = bool(label and version_id)
        try:
            answer = self._client.get_secret_value(
                SecretId=self._secret_id,
                **({"VersionStage": label} if label else {}),
                **({"VersionId": version_id} if version_id else {}),
            )
        except ClientError as error:
            if error_code(error) not in (_MISSING_UNDER_LABEL if is_both else (_MISSING,)):
                raise
            return None
        if is_both and label not in answer["VersionStages"]:
            return None
        return KeyVersion(
            answer["VersionId"],
            answer.get("SecretString") or "",
            answer["CreatedDate"],
            holds_bytes=bool(answer.get("SecretBinary")),
        )

    def labels(self) -> dict[str, str]:
        """Return the id of the version that each label is on."""
        described = self._client.describe_secret(SecretId=self._secret_id)
        return {
            label: version_id
            for version_id, found in described.get("VersionIdsToStages", {}).items()
            for label in found
        }

    def put(self, document: KeyDocument, label: str, version_id: str = "") -> str:
        """Store a document as a new version, and return its id.

        Takes the label from the version that has it. The first version of a secret becomes
        current at once, whatever its label.
        """
        return self._client.put_secret_value(
            SecretId=self._secret_id,
            SecretString=document.text(),
            VersionStages=[label],
            **({"ClientRequestToken": version_id} if version_id else {}),
        )["VersionId"]

    def move(self, label: str, version_id: str | None, *, source: str | None) -> None:
        """Move a label from the version `source`, if it is on one, to another, or to none."""
        self._client.update_secret_version_stage(
            SecretId=self._secret_id,
            VersionStage=label,
            **({"MoveToVersionId": version_id} if version_id else {}),
            **({"RemoveFromVersionId": source} if source else {}),
        )


def fetch_version(client: SecretsManagerClient, secret_id: str, label: str = CURRENT) -> KeyVersion:
    """Return the version under a label.

    Raises:
        SecretUnavailable: with the cause.
    """
    try:
        version = SigningSecret(client, secret_id).get(label)
    except ClientError as error:
        code = error_code(error)
        refusal = _REFUSALS.get(code, (UNREACHABLE, f"Secrets Manager refused: {code}."))
        raise SecretUnavailable(*refusal) from None
    except Exception as error:  # noqa: BLE001 - botocore raises more than its own base class
        raise SecretUnavailable(
            UNREACHABLE, f"Secrets Manager did not answer ({type(error).__name__})."
        ) from None
    if version is None:
        raise SecretUnavailable("no-key", "The secret has no current version.")
    if version.holds_bytes:
        raise SecretUnavailable(
            "not-a-key-document", "The secret contains binary data instead of text."
        )
    if not version.text:
        raise SecretUnavailable("no-key", "The secret is empty.")
    return version

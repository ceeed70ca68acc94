"""Secrets Manager, asked directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from jitsi_tokens import aws
from jitsi_tokens.secrets import CURRENT, UNREACHABLE, SecretUnavailable, Version

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_REFUSALS = {
    "ResourceNotFoundException": ("no-key", "The secret has no current version."),
    "InvalidRequestException": ("secret-deleted", "The secret is scheduled for deletion."),
    "AccessDeniedException": ("access-denied", "The function may not read or decrypt the secret."),
    "DecryptionFailure": ("access-denied", "The function may not decrypt the secret."),
}


class SecretsManager:
    """A source of secrets: it waits less long where there is a value to go on with."""

    def __init__(self) -> None:
        self._first_fetch = aws.client("secretsmanager", aws.FIRST_FETCH)
        self._refresh = aws.client("secretsmanager", aws.REFRESH)

    def fetch(self, secret_id: str, *, refresh: bool) -> Version:
        """Return the current version.

        Raises:
            SecretUnavailable: with the cause.
        """
        return fetch_version(self._refresh if refresh else self._first_fetch, secret_id)


def fetch_version(client: SecretsManagerClient, secret_id: str, stage: str = CURRENT) -> Version:
    """Return the version under a label.

    Raises:
        SecretUnavailable: with the cause.
    """
    try:
        answer = client.get_secret_value(SecretId=secret_id, VersionStage=stage)
    except ClientError as error:
        code = aws.error_code(error)
        refusal = _REFUSALS.get(code, (UNREACHABLE, f"Secrets Manager refused: {code}."))
        raise SecretUnavailable(*refusal) from None
    except Exception as error:  # noqa: BLE001 - botocore raises more than its own base class
        raise SecretUnavailable(
            UNREACHABLE, f"Secrets Manager did not answer ({type(error).__name__})."
        ) from None
    if answer.get("SecretBinary"):
        raise SecretUnavailable("not-a-key-document", "The secret holds bytes in place of text.")
    if not (text := answer.get("SecretString")):
        raise SecretUnavailable("no-key", "The secret is empty.")
    return Version(answer["VersionId"], text, answer["CreatedDate"])

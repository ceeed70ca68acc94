"""The secret that rotates: its versions by label, as Secrets Manager moves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.secrets import CURRENT, PENDING

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient


class LabelledVersion(NamedTuple):
    """A version of the secret: its id and its content, each None where there is none."""

    id: str | None
    text: str | None

    def __repr__(self) -> str:
        return f"LabelledVersion(id={self.id!r})"


class RotatedSecret:
    """The secret of a rotation. A rotation's token is the id of the version that it makes."""

    def __init__(self, client: SecretsManagerClient, secret_id: str) -> None:
        self._client = client
        self._secret_id = secret_id

    def current(self, token: str | None = None) -> LabelledVersion:
        """Return the version that is current, if it is the token's where one is given."""
        return self._version(CURRENT, token)

    def pending(self, token: str) -> LabelledVersion:
        """Return the token's version while it is the one that is to come."""
        return self._version(PENDING, token)

    def put_pending(self, token: str, text: str) -> bool:
        """Make the version that is to come; False where another run of the step was faster.

        Takes the label from a rotation that was given up. A secret's first version becomes
        current at once, so that a later step may meet it as both.
        """
        try:
            self._client.put_secret_value(
                SecretId=self._secret_id,
                ClientRequestToken=token,
                SecretString=text,
                VersionStages=[PENDING],
            )
        except ClientError as error:
            if error_code(error) != "ResourceExistsException":
                raise
            return False
        return True

    def make_current(self, token: str, instead_of: LabelledVersion) -> None:
        """Move AWSCURRENT to the token's version.

        AWSPENDING is left to Secrets Manager: it may go with this call, or stay on this version
        until the next rotation. Taken away by a call of its own it looks like a failed rotation
        (AWS's guide to rotation functions, finishSecret).
        """
        self._client.update_secret_version_stage(
            SecretId=self._secret_id,
            VersionStage=CURRENT,
            MoveToVersionId=token,
            **({"RemoveFromVersionId": instead_of.id} if instead_of.id else {}),
        )

    def _version(self, stage: str, token: str | None) -> LabelledVersion:
        try:
            answer = self._client.get_secret_value(
                SecretId=self._secret_id,
                VersionStage=stage,
                **({"VersionId": token} if token else {}),
            )
        except ClientError as error:
            if error_code(error) not in ("ResourceNotFoundException", "InvalidRequestException"):
                raise
            return LabelledVersion(None, None)
        if stage not in answer["VersionStages"]:
            return LabelledVersion(None, None)
        return LabelledVersion(answer["VersionId"], answer.get("SecretString") or None)

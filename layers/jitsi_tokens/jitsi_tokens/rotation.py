"""The four steps of a rotation by Secrets Manager, each safe to repeat.

New key → its public part published → found there from outside, and a token verified with it →
current. The key it replaces stays published until the last token that it signed is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jwt
from botocore.exceptions import ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens.core.keys import KeyDocument, KeyRefused, SigningKey, read_key
from jitsi_tokens.core.public_keys import PublicKey, name_of
from jitsi_tokens.core.rsa_keys import jwk, make_rsa_key, private_pem, public_pem, thumbprint
from jitsi_tokens.publication import OtherKeyPublished
from jitsi_tokens.secrets import CURRENT, PENDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

    from jitsi_tokens.core.clock import Clock
    from jitsi_tokens.publication import Publication
    from jitsi_tokens.secrets import KeyVersion
    from jitsi_tokens.secrets_manager import SigningSecret

_LISTED_SECONDS = 20
_ASK_AGAIN_SECONDS = 2.0
_NOT_PUBLISHED = "The new key is not published: run setSecret first."


class RotationRefused(Exception):
    """A step that did not happen. The text says why and holds nothing of a key."""


class Rotation:
    """The rotation of one secret. Its token is the id of the version that it makes.

    Args:
        fetch: what the public address answers for a name; None where there is nothing (yet).
        deadline: until when it is asked, in epoch seconds; a new name takes a while to resolve.
        lead_seconds: how long a key is published before it signs, for caches of the JWKS.
        retention_seconds: how long it is published after that.
    """

    def __init__(
        self,
        secret: SigningSecret,
        publication: Publication,
        *,
        fetch: Callable[[str], str | None],
        deadline: float,
        lead_seconds: int,
        retention_seconds: int,
        clock: Clock,
    ) -> None:
        self._secret = secret
        self._publication = publication
        self._fetch = fetch
        self._deadline = deadline
        self._lead_seconds = lead_seconds
        self._retention_seconds = retention_seconds
        self._clock = clock

    def create(self, token: str) -> None:
        """Make the key that is to come; the secret may have no current one yet.

        Raises:
            RotationRefused: the version holds something else.
        """
        if self._pending(token) or self._is_current(token):
            return
        key, kid = _new_key()
        document = KeyDocument(algorithm="RS256", kid=kid, private_key=private_pem(key))
        try:
            self._secret.put(document, PENDING, token)
        except ClientError as error:
            if error_code(error) != "ResourceExistsException":
                raise
            # Another run of the step was faster: its key is the one.
            self._pending_key(token)

    def publish(self, token: str) -> None:
        """Publish the public part of the key that is to come.

        Raises:
            RotationRefused: there is no such key, or its `kid` is another's.
        """
        key = self._pending_key(token)
        if key is None:
            return
        try:
            self._publication.publish(self._public_key(key))
        except OtherKeyPublished:
            raise RotationRefused("Another key is published under the new key's kid.") from None

    def test(self, token: str) -> None:
        """Verify a token of the key that is to come with what the public address gives out.

        Raises:
            RotationRefused: it is not found there, or is another key.
        """
        key = self._pending_key(token)
        if key is None:
            return
        wanted = self._public_key(key)
        published = self._record(wanted.name)
        current = self._secret.get(CURRENT)
        if current and current.id != token:
            self._wait_until(published.published_at + self._lead_seconds)
        _verify(key, self._fetched(wanted.name))

    def finish(self, token: str) -> None:
        """Make the new key current, and let the public keys before it end in their time.

        Raises:
            RotationRefused: there is no such key, or nobody could verify its tokens.
        """
        key = self._pending_key(token)
        if key is not None:
            new = self._public_key(key)
            if self._record(new.name).pem != new.pem:
                raise RotationRefused(_NOT_PUBLISHED)
            self._make_current(token)
        self._retire_all_but(_read(self._secret.get(CURRENT, token)))

    def _make_current(self, token: str) -> None:
        """Move AWSCURRENT to the token's version.

        AWSPENDING is left to Secrets Manager: it may go with this call, or stay on this version
        until the next rotation. Taken away by a call of its own it looks like a failed rotation
        (AWS's guide to rotation functions, finishSecret).
        """
        current = self._secret.get(CURRENT)
        if current is None:
            self._secret.move(CURRENT, token, source=None)
        elif current.id != token:
            self._let_end_anew(current)
            self._secret.move(CURRENT, token, source=current.id)

    def _retire_all_but(self, current: SigningKey) -> None:
        now = int(self._clock.now())
        for key in self._publication.keys().values():
            if key.kid == current.kid:
                # A late repeat of the last rotation's end may have met it as another key.
                if key.expires_at is not None:
                    self._publication.expire(key, None)
            elif key.expires_at is None:
                # The limits may have been lowered since tokens were signed with it.
                needed = max(key.retention_seconds, self._retention_seconds)
                self._publication.expire(key, now + needed)
            elif not key.is_served(now):
                self._publication.withdraw(key.kid)

    def _public_key(self, key: SigningKey) -> PublicKey:
        public = _public(key)
        numbers = jwk(public)
        return PublicKey(
            kid=key.kid,
            pem=public_pem(public),
            n=numbers.n,
            e=numbers.e,
            published_at=int(self._clock.now()),
            retention_seconds=self._retention_seconds,
        )

    def _let_end_anew(self, current: KeyVersion) -> None:
        """Take away an end that the key has from a time before it signed again."""
        try:
            kid = _read(current).kid
        except KeyRefused:
            return
        published = self._publication.keys().get(name_of(kid))
        if published is not None and published.expires_at is not None:
            self._publication.expire(published, None)

    def _record(self, name: str) -> PublicKey:
        # SSM promises nobody to list at once what was stored a moment ago.
        deadline = self._clock.now() + _LISTED_SECONDS
        while (record := self._publication.keys().get(name)) is None:
            if self._clock.now() >= deadline:
                raise RotationRefused(_NOT_PUBLISHED)
            self._clock.sleep(_ASK_AGAIN_SECONDS)
        return record

    def _fetched(self, name: str) -> str:
        while (pem := self._fetch(name)) is None:
            if self._clock.now() >= self._deadline:
                raise RotationRefused("The public address does not give the new key out.")
            self._clock.sleep(_ASK_AGAIN_SECONDS)
        return pem

    def _wait_until(self, moment: float) -> None:
        while (left := moment - self._clock.now()) > 0:
            self._clock.sleep(left)

    def _pending_key(self, token: str) -> SigningKey | None:
        """Return the key that is to come; None where it came: the rotation is over."""
        version = self._pending(token)
        return None if version is None and self._is_current(token) else _read(version)

    def _pending(self, token: str) -> KeyVersion | None:
        version = self._secret.get(PENDING, token)
        return version if version and version.text else None

    def _is_current(self, token: str) -> bool:
        current = self._secret.get(CURRENT)
        return current is not None and current.id == token


def _new_key() -> tuple[RSAPrivateKey, str]:
    while True:
        key = make_rsa_key()
        kid = thumbprint(key.public_key())
        # A command line would take a leading hyphen for an option.
        if kid[0].isalnum():
            return key, kid


def _read(version: KeyVersion | None) -> SigningKey:
    if version is None:
        raise RotationRefused("There is no new key under this token: run createSecret first.")
    return read_key(version.text, algorithm="RS256", kid_prefix="")


def _public(key: SigningKey) -> RSAPublicKey:
    if key.public_key is None:
        raise RotationRefused("A shared secret has no public part.")
    return key.public_key


def _verify(key: SigningKey, pem: str) -> None:
    if pem != public_pem(_public(key)):
        raise RotationRefused("The public address serves another key under the new key's kid.")
    try:
        jwt.decode(key.sign({}), pem, algorithms=["RS256"])
    except (jwt.PyJWTError, ValueError):
        raise RotationRefused("A token of the new key does not verify with it.") from None

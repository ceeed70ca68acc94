"""The flags of `token explain`, for a Jitsi that is not the stack's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from jitsi_tokens.settings import jaas_app_id
from jitsi_tokens_cli.errors import UsageError
from jitsi_tokens_cli.token.explain import keys
from jitsi_tokens_cli.token.explain.expectations import (
    ALGORITHMS,
    APP_ID,
    Expectations,
    looks_like_jaas,
    of_jaas,
)
from jitsi_tokens_cli.token.explain.key_server import of_key_server

if TYPE_CHECKING:
    from jitsi_tokens_cli.token.explain.expectations import FindKey
    from jitsi_tokens_cli.token.text import Token


class Flags(NamedTuple):
    """What was told of a Jitsi on the command line."""

    jaas_app_id: str | None
    algorithm: str | None
    issuer: list[str] | None
    audience: list[str] | None
    subject: str | None
    tenant: str | None
    domain: str | None
    public_key: str | None
    key_server: str | None
    secret_file: str | None

    def any_given(self) -> bool:
        """Tell whether they describe anything."""
        return any(self)

    def expectations(self, token: Token) -> Expectations:
        """Return what that Jitsi wants; JaaS's rules where the token is plainly made for it.

        Raises:
            UsageError: they contradict each other, or one is no address.
            CommandError: a file does not hold what it should.
        """
        only_key = self._replace(jaas_app_id=None, public_key=None)
        if self.jaas_app_id is not None:
            if only_key.any_given():
                raise UsageError("--jaas-app-id goes with --public-key alone: 8x8 sets the rest.")
            app_id = jaas_app_id(self.jaas_app_id)
            if not APP_ID.fullmatch(app_id):
                raise UsageError(
                    "A JaaS App ID is 32 hexadecimal digits, with or without vpaas-magic-cookie-."
                )
            return of_jaas(app_id, self._find_key())
        if not only_key.any_given() and looks_like_jaas(token.header, token.claims):
            return of_jaas(None, self._find_key())
        return Expectations(
            provider="self-hosted" if only_key.any_given() else None,
            find_key=self._find_key(),
            algorithm=self._algorithm(),
            issuers=tuple(self.issuer or ()),
            audiences=tuple(self.audience or ()),
            subject=self.subject or self.tenant or (self.domain or "").partition(":")[0] or None,
            domain=self.domain,
            tenant=self.tenant,
        )

    def _find_key(self) -> FindKey:
        match (self.public_key, self.key_server, self.secret_file):
            case (None, None, None):
                return keys.no_key
            case (str(name), None, None):
                return keys.of_public_key_file(name)
            case (None, str(url), None):
                return of_key_server(url)
            case (None, None, str(name)):
                return keys.of_secret_file(name)
        raise UsageError("Give one of --public-key, --key-server and --secret-file.")

    def _algorithm(self) -> str | None:
        """Return the algorithm: the one that was named, or the default that goes with the key."""
        has_public_key = self.public_key is not None or self.key_server is not None
        if self.algorithm is None:
            if has_public_key:
                return "RS256"
            return None if self.secret_file is None else "HS256"
        if self.algorithm not in ALGORITHMS:
            raise UsageError(f"Jitsi knows the algorithms {', '.join(ALGORITHMS)}.")
        if has_public_key and self.algorithm.startswith("HS"):
            raise UsageError(f"{self.algorithm} takes --secret-file: it has no public key.")
        if self.secret_file is not None and self.algorithm.startswith("RS"):
            raise UsageError(f"{self.algorithm} takes --public-key or --key-server: no secret.")
        return self.algorithm

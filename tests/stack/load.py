"""A client that asks for tokens without pause, and joins with each as Jitsi would let it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

import jwt

from jitsi_tokens.core.public_keys import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.stack.service import Service

type FindPem = Callable[[str], str | None]

_UNCHECKED: Any = {
    "verify_aud": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class Load:
    """Asks, and verifies what it is given by the `kid` of each token.

    Attributes:
        tokens: what was issued.
        failures: what was refused, and what did not verify.
    """

    def __init__(self, service: Service, find_pem: FindPem) -> None:
        self.tokens: list[str] = []
        self.failures: list[str] = []
        self._service = service
        self._api_key = service.api_key
        self._jitsi = Jitsi(find_pem)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=60)

    @property
    def kids(self) -> list[str]:
        """The key ids of the tokens, in the order of their first use."""
        return list(dict.fromkeys(jwt.get_unverified_header(token)["kid"] for token in self.tokens))

    def go_on(self, tokens: int) -> None:
        """Wait until so many more were asked for."""
        wanted = len(self.tokens) + len(self.failures) + tokens
        deadline = time.monotonic() + 60
        while len(self.tokens) + len(self.failures) < wanted:
            assert time.monotonic() < deadline, "nobody answers"
            time.sleep(0.05)

    def _run(self) -> None:
        while not self._stop.is_set():
            answer = self._service.post(self._api_key)
            if answer.status_code != 200:
                self.failures.append(f"refused: {answer.status_code}")
                continue
            token = answer.json()["token"]
            self.tokens.append(token)
            if not self._jitsi.accepts(token):
                self.failures.append("a token does not verify")


class Jitsi:
    """Verifies tokens as Prosody does, by the `kid` of each."""

    def __init__(self, find_pem: FindPem) -> None:
        self._find_pem = find_pem
        self._known: dict[str, str] = {}

    def accepts(self, token: str, now: float | None = None) -> bool:
        """Tell whether a token lets its holder in; `now` in epoch seconds, None for the time."""
        kid = jwt.get_unverified_header(token)["kid"]
        # Prosody asks for a kid that it does not know, and keeps the answer until it restarts.
        pem = self._known.get(kid) or self._find_pem(kid)
        if pem is None:
            return False
        self._known[kid] = pem
        return verifies(token, pem, now)


def verifies(token: str, key: Any, now: float | None = None) -> bool:
    """Tell whether a token is one of a key, and valid; `now` in epoch seconds."""
    try:
        claims = jwt.decode(token, key, algorithms=["RS256"], options=_UNCHECKED)
    except jwt.PyJWTError:
        return False
    return bool(claims["nbf"] <= (time.time() if now is None else now) < claims["exp"])


def published_pem(service: Service) -> FindPem:
    """Return how Prosody finds a key: by the hash of its `kid`, at the stack's address."""

    def find(kid: str) -> str | None:
        answer = service.http.get(f"/asap/{name_of(kid)}.pem")
        return answer.text if answer.status_code == 200 else None

    return find

"""Why a check could not be made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens_cli.checks import Check
from jitsi_tokens_cli.errors import aws_sentence

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_SECONDS = 24 * 3600
NO_KEY = "There is no key to check (signing-secret)."
_DENIALS = frozenset(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])


class Unknown(NamedTuple):
    """What could not be read, and why: nobody answered, or the caller lacks the permission."""

    why: str
    obstructed: bool = False
    denied: bool = False

    def skipped(self, name: str) -> Check:
        """Return the check that could not be made."""
        return Check(name, "skipped", self.why, obstructed=self.obstructed, denied=self.denied)


def rate_limited(name: str) -> Check:
    """Return the check that the service answers 429 to."""
    return Unknown("Rate limited (HTTP 429).", obstructed=True).skipped(name)


def attempt[T](read: Callable[[], T]) -> T | Unknown:
    """Return what AWS answers, or why it does not."""
    try:
        return read()
    except ClientError as error:
        denied = error_code(error) in _DENIALS
        return Unknown(aws_sentence(error), obstructed=not denied, denied=denied)
    except BotoCoreError as error:
        return Unknown(aws_sentence(error), obstructed=True)

"""What a check of `doctor` comes to, and what may keep it from being made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from jitsi_tokens.aws import error_code
from jitsi_tokens_cli.errors import aws_sentence

if TYPE_CHECKING:
    from collections.abc import Callable

DAY_SECONDS = 24 * 3600

type Outcome = Literal["pass", "warning", "fail", "skipped"]

_DENIALS = frozenset(["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        remedy: what to do, where something is to be done.
        transient: it is about to change by itself.
        obstructed: AWS or the service did not let it be looked at, and may another time.
        denied: whoever asks may not look at it.
    """

    name: str
    outcome: Outcome
    found: str
    remedy: str = ""
    transient: bool = False
    obstructed: bool = False
    denied: bool = False


class Unknown(NamedTuple):
    """What could not be read, and why."""

    why: str
    obstructed: bool = False
    denied: bool = False

    def skipped(self, name: str) -> Check:
        """Return the check that it keeps from being made."""
        return Check(name, "skipped", self.why, obstructed=self.obstructed, denied=self.denied)


def passed(name: str, found: str) -> Check:
    """Say that all is well."""
    return Check(name, "pass", found)


def warning(name: str, found: str, remedy: str) -> Check:
    """Say what will not stay well, or may not be."""
    return Check(name, "warning", found, remedy)


def failed(name: str, found: str, remedy: str) -> Check:
    """Say what is wrong."""
    return Check(name, "fail", found, remedy)


def skipped(name: str, why: str) -> Check:
    """Say why a check was not made."""
    return Check(name, "skipped", why)


def rate_limited(name: str) -> Check:
    """Return the check that the service answers 429 to."""
    return Unknown("Rate limited (HTTP 429).", obstructed=True).skipped(name)


def attempt[T](read: Callable[[], T]) -> T | Unknown:
    """Return what AWS tells, or why it does not."""
    try:
        return read()
    except ClientError as error:
        denied = error_code(error) in _DENIALS
        return Unknown(aws_sentence(error), obstructed=not denied, denied=denied)
    except BotoCoreError as error:
        return Unknown(aws_sentence(error), obstructed=True)

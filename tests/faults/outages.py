"""The ways in which a service of AWS fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stack.aws_error import AwsError
from tests.stack.fault_proxy import Slow

if TYPE_CHECKING:
    from tests.stack.fault_proxy import Mode

# Longer than any function waits for an answer, and shorter than one waits that has nothing yet.
TOO_SLOW = Slow(3)
SLOW = Slow(1.5)

OUTAGES: dict[str, Mode] = {
    "too slow (3 s)": TOO_SLOW,
    "HTTP 500": AwsError(500, "InternalServiceError"),
    "throttles": AwsError(400, "ThrottlingException"),
    "denies access": AwsError(400, "AccessDeniedException"),
    "refuses connections": "refuse",
    "silent": "silent",
}

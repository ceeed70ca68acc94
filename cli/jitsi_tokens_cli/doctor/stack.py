"""The check of the stack's deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jitsi_tokens_cli.checks import Check, failed, passed, warning

if TYPE_CHECKING:
    from jitsi_tokens_cli.stack import Stack

_DEPLOYED = frozenset(
    [
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "IMPORT_COMPLETE",
    ]
)
_EARLIER_VERSION = frozenset(["UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"])


def stack_check(stack: Stack) -> Check:
    """Judge how the last deployment ended."""
    if stack.status in _DEPLOYED:
        return passed("stack", f"{stack.name} is deployed in {stack.region} ({stack.status}).")
    if stack.status in _EARLIER_VERSION:
        return warning(
            "stack",
            f"The last deployment was taken back ({stack.status}): the version before it runs.",
            _why(stack),
        )
    if stack.status.endswith("_IN_PROGRESS"):
        return failed(
            "stack",
            f"A deployment is under way ({stack.status}).",
            "Wait for its end, or run `jitsi-tokens doctor --wait`.",
        )._replace(transient=True)
    return failed(
        "stack",
        f"The last deployment failed ({stack.status}).",
        _why(stack),
    )


def _why(stack: Stack) -> str:
    return (
        f"`aws cloudformation describe-stack-events {stack.region_option}"
        f" --stack-name {stack.name}` says why."
    )

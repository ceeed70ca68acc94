"""What can be wrong with the signing key, and what to do about it."""

from typing import TYPE_CHECKING, Annotated, assert_never

from msgspec import Meta, Struct

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import Trust

_ROTATE = "Rotate the key: `jitsi-tokens key rotate`."
_STAGE = "Replace the key: `jitsi-tokens key stage`, then `jitsi-tokens key promote`."

# {replace} is how another key comes to sign on the kind of stack at hand.
_REMEDIES = {
    "access-denied": "Compare the function's role and the KMS key's policy with the template.",
    "unreachable": "Wait for Secrets Manager; look at the function's network, if it has a VPC.",
    "secret-deleted": "Restore it: `aws secretsmanager restore-secret`. {replace}",
    "not-published": "{replace} Until then Jitsi refuses every token.",
    "published-key-differs": "{replace} Find out who wrote to the public keys' path in SSM.",
    "publication-unreadable": "Wait for SSM; compare CheckKey's role with the template.",
    "unknown-key-published": (
        "`jitsi-tokens key list` shows which one, `jitsi-tokens key withdraw` unpublishes it. If"
        " no abandoned rotation left it, find out who wrote it."
    ),
    "published-key-ends": "{replace} The current key was put back by hand.",
}
_GIVE_KEY = "Give the stack a key: `jitsi-tokens key create` or `jitsi-tokens key import`."
_PROMOTE = (
    "Give 8x8 the public key, which `jitsi-tokens key show` prints, then run `jitsi-tokens key"
    " promote --kid <key id>`."
)
_MAKE_KEY = (
    "A rotation makes the key: `jitsi-tokens key rotate`. Where that fails, the log of"
    " RotateSigningKey says why."
)
_TEXTS = {
    "not-published": "The signing key's public part is not published.",
    "published-key-differs": "Another key is published under its kid.",
    "unknown-key-published": "A published key neither signs nor is about to sign.",
    "published-key-ends": "The signing key's public part is about to expire.",
}


class Finding(Struct, frozen=True):
    """One problem: its code, what is wrong, and what to do."""

    code: Annotated[
        str, Meta(description="The kind of problem, for programs.", examples=["check-overdue"])
    ]
    what: Annotated[
        str,
        Meta(
            description="What is wrong, for people.",
            examples=["The signing key was not checked for 15 minutes."],
        ),
    ]
    remedy: Annotated[
        str,
        Meta(
            description="What to do about it, for people.",
            examples=["Look at CheckKey's schedule and at its log."],
        ),
    ]


NEVER_CHECKED = Finding(
    "never-checked",
    "The signing key has not been checked yet.",
    "Wait five minutes, or invoke the function CheckKey.",
)
CHECK_OVERDUE = Finding(
    "check-overdue",
    "The signing key was not checked for 15 minutes.",
    "Look at CheckKey's schedule and at its log.",
)
_OF_THE_CHECK = {found.code: found for found in (NEVER_CHECKED, CHECK_OVERDUE)}


def finding(code: str, what: str = "", *, trust: "Trust") -> Finding:
    """Return a finding with the remedy for its code on the kind of stack at hand.

    Args:
        code: the short name of what is wrong.
        what: may be left out where the code has a text of its own.
        trust: the kind of stack.
    """
    if found := _OF_THE_CHECK.get(code):
        return found
    match trust:
        case "console" | "shared":
            first, replace = _GIVE_KEY, _STAGE
        case "published":
            first, replace = _MAKE_KEY, _ROTATE
        case _:
            assert_never(trust)
    remedies = _REMEDIES | {"no-key": first, "no-key-id": _PROMOTE}
    remedy = remedies.get(code, "{replace}")
    remedy = remedy.format(replace=replace)
    return Finding(code, what or _TEXTS.get(code, ""), remedy)

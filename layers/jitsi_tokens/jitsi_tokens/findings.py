"""What can be wrong with the signing key, and what to do about it."""

from msgspec import Struct

_KEY_COMMAND = "Run `jitsi-tokens key create` or `jitsi-tokens key import`."
_ROTATE = "Rotate the key: `aws secretsmanager rotate-secret --secret-id <SigningKeySecret>`."
_REMEDIES = {
    "never-checked": "Wait five minutes, or invoke the function CheckKey.",
    "check-overdue": "Look at CheckKey's schedule and at its log.",
    "no-key": f"Give the stack a key. {_KEY_COMMAND} A stack that rotates makes its own: look at"
    " the log of RotateSigningKey.",
    "access-denied": "Compare the function's role and the KMS key's policy with the template.",
    "unreachable": "Wait for Secrets Manager; look at the function's network, if it has a VPC.",
    "secret-deleted": "Restore it: `aws secretsmanager restore-secret`. Then replace the key.",
    "not-published": f"{_ROTATE} Until then Jitsi refuses every token.",
    "published-key-differs": f"{_ROTATE} Find out who wrote to the public keys' path in SSM.",
    "publication-unreadable": "Wait for SSM; compare CheckKey's role with the template.",
    "published-key-ends": f"{_ROTATE} The current key was put back by hand.",
    "wrong-kid": "Store the key again with the key id that 8x8's console shows for it.",
}
_REPLACE = f"Replace the key. {_KEY_COMMAND}"


class Finding(Struct, frozen=True):
    """One thing that is wrong: a code, what it is, and what to do."""

    code: str
    what: str
    remedy: str


def finding(code: str, what: str) -> Finding:
    """Return a finding with the remedy for its code."""
    return Finding(code, what, _REMEDIES.get(code, _REPLACE))

"""The PEM block of a private key, out of what people paste."""

import re

from jitsi_tokens_cli.errors import CommandError

_ASSIGNMENT = re.compile(r"(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*=")
_PEM_BLOCK = re.compile(
    r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----.*?-----END (?P=label)-----", re.DOTALL
)
_PEM_BEGIN = re.compile(r"-----BEGIN (?P<label>[A-Z0-9 ]+)-----")
_SSH_PUBLIC_KEY = re.compile(
    r"(?:ssh-|ecdsa-sha2-|sk-)[a-z0-9@.-]+ AAAA|---- BEGIN SSH2 PUBLIC KEY"
)


def private_block(text: str) -> tuple[str, bytes]:
    """Return the label and the PEM of the only private key in a text.

    The text may be pasted from an .env file: with a name, quotes and written-out line ends.

    Raises:
        CommandError: with what the text holds instead.
    """
    text = _unescaped(text)
    blocks = [
        found for found in _PEM_BLOCK.finditer(text) if found["label"].endswith("PRIVATE KEY")
    ]
    match blocks:
        case [block]:
            return block["label"], f"{block[0]}\n".encode()
        case [_, *_]:
            raise CommandError("The file holds several private keys: give one with the one to use.")
    labels = {found["label"] for found in _PEM_BEGIN.finditer(text)}
    if any(label.endswith("PRIVATE KEY") for label in labels):
        raise CommandError("The private key is cut off: its END line is missing.")
    if any(label.endswith("PUBLIC KEY") for label in labels) or _SSH_PUBLIC_KEY.match(text):
        raise CommandError("This is a public key. The stack signs, so it needs the private key.")
    if any("CERTIFICATE" in label for label in labels):
        raise CommandError(
            "This is a certificate. The stack signs, so it needs the private key that goes with it."
        )
    if text.startswith("PuTTY-User-Key-File"):
        raise CommandError("This is a PuTTY key. Export it as an OpenSSH key with PuTTYgen first.")
    raise CommandError(
        "This is no private key: a PEM file begins with -----BEGIN PRIVATE KEY-----,"
        " -----BEGIN RSA PRIVATE KEY----- or the like."
    )


def _unescaped(text: str) -> str:
    """Undo what an .env file does to a PEM: a name, quotes, written-out line ends."""
    value = _ASSIGNMENT.sub("", text.strip(), count=1) if _ASSIGNMENT.match(text.strip()) else text
    value = value.strip().strip("\"'")
    value = value.replace("\\r", "").replace("\\n", "\n")
    return "\n".join(line.strip() for line in value.splitlines())

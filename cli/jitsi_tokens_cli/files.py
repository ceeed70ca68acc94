"""Files, and stdin under the name `-`."""

import sys
from pathlib import Path

from jitsi_tokens_cli.errors import CommandError

STDIN = "-"
# No key, token or API key is longer.
MAX_BYTES = 65_536


def read(name: str) -> bytes:
    """Return what a file holds.

    Raises:
        CommandError: it cannot be read, or is too long for what it should hold.
    """
    try:
        if name == STDIN:
            content = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"The file cannot be read: {error.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise CommandError(f"The file is over {MAX_BYTES // 1024} KiB: that is not what it is for.")
    return content


def as_text(content: bytes) -> str:
    """Return a key file's content as text.

    Raises:
        CommandError: it is empty or binary.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(
            "The file is binary. Make a PEM of it first: openssl pkey -inform DER -in FILE."
        ) from None
    if not text.strip():
        raise CommandError("The file is empty.")
    return text

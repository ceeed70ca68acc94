"""A shared secret as people have it, checked for what Jitsi can carry."""

from jitsi_tokens.keys import MIN_SECRET_BYTES
from jitsi_tokens_cli.errors import CommandError
from jitsi_tokens_cli.files import as_text

# docker-jitsi-meet writes the secret into Prosody's Lua, by way of a shell's .env file.
_BREAKS_JITSI = "\"\\'$#"


def read_shared_secret(content: bytes) -> str:
    """Return the shared secret of a file, without the line end that editors add.

    Raises:
        CommandError: Jitsi could not use it, or it is too weak.
    """
    secret = as_text(content).removesuffix("\n").removesuffix("\r")
    if secret.startswith("JWT_APP_SECRET="):
        raise CommandError("Give the secret alone, without JWT_APP_SECRET= before it.")
    if not all("!" <= character <= "~" for character in secret):
        raise CommandError(
            "A shared secret is one line of printable ASCII without spaces: Jitsi reads it from"
            " an environment variable."
        )
    if any(character in secret for character in _BREAKS_JITSI):
        raise CommandError(
            "A shared secret holds none of \" \\ ' $ #: they break the configuration that"
            " docker-jitsi-meet generates from it."
        )
    if len(secret) < MIN_SECRET_BYTES:
        raise CommandError(
            f"The shared secret is too short: HS256 needs {MIN_SECRET_BYTES} bytes or more."
        )
    return secret

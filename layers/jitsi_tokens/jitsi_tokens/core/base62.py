"""Numbers in letters and digits, and a checksum that turns typos away before anything is read."""

import zlib

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM_CHARACTERS = 6


def encoded(number: int, width: int) -> str:
    """Return a number's last digits to the base 62, `width` of them."""
    characters = ""
    for _ in range(width):
        number, remainder = divmod(number, 62)
        characters = _ALPHABET[remainder] + characters
    return characters


def checksum(text: str) -> str:
    """Return the checksum of a text."""
    return encoded(zlib.crc32(text.encode()), CHECKSUM_CHARACTERS)

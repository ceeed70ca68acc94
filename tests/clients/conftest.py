"""What the tests of this folder share."""

from tests.clients.callers import caller

__all__ = ["caller"]

"""More and more callers on a local stack."""

"""`jitsi-tokens key`: the life of the signing key."""

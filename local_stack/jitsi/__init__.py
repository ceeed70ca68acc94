"""A stand-in for Jitsi on loopback: says what Jitsi would do with a token, and holds no meeting."""

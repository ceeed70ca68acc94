"""Meeting tokens for Jitsi: what a caller may ask, what a client may get, what Jitsi accepts."""

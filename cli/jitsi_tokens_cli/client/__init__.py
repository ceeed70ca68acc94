"""`jitsi-tokens client`: who may ask for tokens."""

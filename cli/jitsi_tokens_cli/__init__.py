"""The operator's command line of jitsi-tokens."""

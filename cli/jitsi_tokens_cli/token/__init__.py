"""`jitsi-tokens token`: tokens to try, and to look into."""

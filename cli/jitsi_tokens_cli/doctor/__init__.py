"""`jitsi-tokens doctor`: whether a deployed stack is well, from outside and inside."""

"""`jitsi-tokens jitsi-config`: what the Jitsi side is to be told."""

"""`jitsi-tokens jitsi-config`: the settings of a self-hosted Jitsi."""

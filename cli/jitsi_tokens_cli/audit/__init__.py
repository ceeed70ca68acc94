"""`jitsi-tokens audit`: what was issued and refused."""

"""What jitsi-tokens is measured against: what people would otherwise run, and the floors below."""

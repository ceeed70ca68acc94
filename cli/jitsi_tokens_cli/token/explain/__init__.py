"""`jitsi-tokens token explain`: which rule of Jitsi's a token breaks."""

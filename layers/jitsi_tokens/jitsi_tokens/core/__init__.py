"""What is pure: no AWS, no environment. What a caller may ask, and what Jitsi accepts."""

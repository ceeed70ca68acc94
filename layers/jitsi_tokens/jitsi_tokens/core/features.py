"""The features that a token can name."""

# The web client reports any other key as an error: jitsi-meet, features/base/jwt/constants.ts.
FEATURES = frozenset(
    [
        "branding",
        "calendar",
        "create-polls",
        "file-upload",
        "flip",
        "inbound-call",
        "list-visitors",
        "livestreaming",
        "live-translation",
        "lobby",
        "moderation",
        "outbound-call",
        "recording",
        "room",
        "screen-sharing",
        "send-groupchat",
        "send-private-message",
        "sip-inbound-call",
        "sip-outbound-call",
        "transcription",
    ]
)

"""Settings that make a self-hosted Jitsi take the moderator from the token.

They also let moderators past the lobby.
"""

MODERATOR_WARNING = "A stock Jitsi makes every holder of a token a moderator, patients too."
# docker-jitsi-meet's variables. Each of them is needed; token_lobby_bypass for the lobby alone.
SETTINGS = {
    "XMPP_MUC_MODULES": "token_affiliation,token_lobby_bypass",
    "JICOFO_ENABLE_AUTH": "0",
    "ENABLE_AUTO_OWNER": "0",
    "WAIT_FOR_HOST_DISABLE_AUTO_OWNERS": "1",
}


def settings_text() -> str:
    """Return the settings as a sentence lists them."""
    *others, last = (f"{name}={value}" for name, value in SETTINGS.items())
    return f"{', '.join(others)} and {last}"

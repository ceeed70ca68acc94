"""Why each setting is what it is: the same for each way to install Jitsi."""

LOGIN = "Nobody gets in without logging in."
TOKEN_LOGIN = "To log in is to bring a token."
NO_EMPTY_TOKEN = "A login without a token is refused."
NO_GUESTS = "Guests come in without a token, and past everything that a token says."
ALGORITHM = "Prosody takes tokens of this algorithm alone."
APP_ID = "Prosody checks no token without one, not even with public keys."
ISSUERS = "The iss of this stack's tokens."
AUDIENCES = "The aud of this stack's tokens."
MODERATORS = (
    "Moderators: a stock Jitsi makes every holder of a token a moderator, patients too. Each of"
    " the following is needed for the token to decide."
)
TOKEN_AFFILIATION = (
    "token_affiliation makes moderators of those whose token says so, and members of the others."
    " It is part of jitsi-meet since 2026-05-08 (docker-jitsi-meet: stable-10978). Where Prosody"
    " does not find it, nobody is a moderator, and Prosody's log says once, when it starts:"
    " \"Unable to load module 'token_affiliation'\"."
)
NO_JICOFO_AUTHENTICATION = (
    "Jicofo's own authentication makes an owner of everybody who has logged in. Prosody checks"
    " the tokens all the same."
)
NO_AUTO_OWNER = "Otherwise Jicofo makes an owner of the first in the room, be it the patient."
NO_WAIT_FOR_HOST_OWNERS = (
    "Where Prosody's muc_wait_for_host is in use, it makes an owner of every holder of a token."
)


def token_lobby_bypass(where: str) -> str:
    """Say what the module is for; `where` is where its file is put."""
    return (
        "token_lobby_bypass lets moderators past the lobby. Without it a moderator who turns the"
        " lobby on and then reloads the page waits in the lobby, and so does a second moderator."
        " It is in https://github.com/jitsi-contrib/prosody-plugins, folder token_lobby_bypass."
        f' {where} Where Prosody does not find it, the log says "Unable to load module'
        " 'token_lobby_bypass'\", and all the rest works."
    )

"""Why each setting is what it is: the same for each way to install Jitsi."""

LOGIN = "Nobody gets in without logging in."
TOKEN_LOGIN = "To log in is to bring a token."
NO_EMPTY_TOKEN = "A login without a token is refused."
NO_GUESTS = "Guests come in without a token, and past everything that a token says."
APP_ID = "Prosody checks no token without one, not even with public keys."
ISSUERS = "The iss of this stack's tokens."
AUDIENCES = "The aud of this stack's tokens."
MODERATORS = (
    "Moderators: a stock Jitsi makes every holder of a token a moderator, patients too. Each of"
    " the following is needed for the token to decide."
)
TOKEN_AFFILIATION = (
    "Makes moderators of those whose token says so, and members of the others. It is part of"
    " current jitsi-meet."
)
NO_JICOFO_AUTHENTICATION = (
    "Jicofo's own authentication makes an owner of everybody who has logged in. Prosody checks"
    " the tokens all the same."
)
NO_AUTO_OWNER = "Otherwise Jicofo makes an owner of the first in the room, be it the patient."
NO_WAIT_FOR_HOST_OWNERS = (
    "Where Prosody's muc_wait_for_host is in use, it makes an owner of every holder of a token."
)

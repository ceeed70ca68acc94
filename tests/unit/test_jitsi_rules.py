"""The tokens of each kind of stack, by the rules that Jitsi reads a token by.

Prosody: token/util.lib.lua, luajwtjitsi.lib.lua; jitsi-meet: features/base/jwt; 8x8's pages.
"""

from __future__ import annotations

import json
import re
import unicodedata
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote, urlsplit

import jwt
import pytest

from jitsi_tokens.core.claims import meeting_claims
from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.keys import SigningKey, read_key
from jitsi_tokens.core.requests import parse
from jitsi_tokens.core.rooms import meeting_url
from jitsi_tokens.settings import Settings, read_settings
from tests.conftest import APP_ID, ENVIRONS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

NOW = 1_800_000_000
SECRET = "0123456789abcdef0123456789abcdef"
REQUIRED = {"userId": "u-1", "userName": "Anna", "roomName": "My Room"}
EVERYTHING = {
    **REQUIRED,
    "userEmail": "anna@example.org",
    "userAvatar": "https://example.org/a.png",
    "isModerator": True,
    "expirationSeconds": 900,
    "notBefore": NOW + 86_400,
    "features": {"recording": True, "lobby": False},
}


class Kind(NamedTuple):
    """What Jitsi expects of the tokens of one kind of stack."""

    environ: str
    kid: str
    issuer: str
    audience: str
    subject: str
    base: str


OWN = ("initial", "openemr", "openemr_audience")
KINDS = {
    "jaas": Kind("jaas", f"{APP_ID}/ab12cd", "chat", "jitsi", APP_ID, f"https://8x8.vc/{APP_ID}/"),
    "self-hosted": Kind("self-hosted", *OWN, "meet.example.org", "https://meet.example.org/"),
    "tenant": Kind("tenant", *OWN, "clinic", "https://meet.example.org/clinic/"),
}


class Meeting(NamedTuple):
    """What a request is answered, and what its token holds."""

    token: str
    url: str
    header: dict[str, Any]
    claims: dict[str, Any]


class Stack(NamedTuple):
    """A stack of one kind."""

    kind: Kind
    settings: Settings
    key: SigningKey

    def issue(self, **changes: Any) -> Meeting:
        """Issue a token as the function does, at NOW."""
        request = parse(json.dumps(REQUIRED | changes).encode())
        room = request.room()
        claims = meeting_claims(
            request,
            profile=self.settings.profile,
            room=room,
            validity=request.validity(self.settings.limits, NOW),
            clock_skew_seconds=self.settings.clock_skew_seconds,
            now=NOW,
            jti="jti-1",
        )
        token = self.key.sign(claims)
        placement, tenant = self.settings.token_placement, self.settings.tenant
        url = meeting_url(self.settings.domain, tenant, room, token, placement)
        return Meeting(token, url, part(token, 0), part(token, 1))

    def expected(self, user: dict[str, Any], **claims: Any) -> dict[str, Any]:
        """Return the claims that Jitsi expects, for an hour from NOW."""
        return {
            "aud": self.kind.audience,
            "iss": self.kind.issuer,
            "sub": self.kind.subject,
            "room": "my%20room",
            "exp": NOW + 3600,
            "nbf": NOW - 10,
            "iat": NOW,
            "jti": "jti-1",
            "context": {"user": {"id": "u-1", "name": "Anna"} | user},
        } | claims


def part(token: str, index: int) -> dict[str, Any]:
    """Return the header or the claims of a token."""
    fields: dict[str, Any] = json.loads(urlsafe_b64decode(token.split(".")[index] + "=="))
    return fields


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest, rsa_pem: str) -> Stack:
    """Return a stack of each kind, with a key from its document."""
    kind = KINDS[request.param]
    settings = read_settings(ENVIRONS[kind.environ])
    document = {"algorithm": settings.algorithm, "kid": kind.kid}
    document |= {"private_key": rsa_pem} if request.param == "jaas" else {"secret": SECRET}
    key = read_key(
        json.dumps(document), algorithm=settings.algorithm, kid_prefix=settings.kid_prefix
    )
    return Stack(kind, settings, key)


def test_the_token_of_a_guest(stack: Stack) -> None:
    """Who sent only what is required; what is absent is left out, as a null hangs the login.

    JaaS expects features; elsewhere an empty object would take the defaults away.
    """
    meeting = stack.issue()

    assert meeting.header == {
        "typ": "JWT",
        "alg": stack.settings.algorithm,
        "kid": stack.kind.kid,
    }
    expected = stack.expected({"moderator": "false"})
    if stack.kind.environ == "jaas":
        expected["context"]["features"] = {}
    else:
        expected["context"]["user"]["affiliation"] = "member"
    assert meeting.claims == expected


def test_the_token_of_a_moderator_who_sent_everything(stack: Stack) -> None:
    """Flags are strings, but for the one that mod_token_lobby_bypass reads.

    JaaS knows neither that nor the affiliation.
    """
    user: dict[str, Any] = {"moderator": "true"}
    user |= {"email": "anna@example.org", "avatar": "https://example.org/a.png"}
    if stack.kind.environ != "jaas":
        user |= {"affiliation": "owner", "lobby_bypass": True}
    expected = stack.expected(user, nbf=NOW + 86_390, exp=NOW + 87_300)
    expected["context"]["features"] = {"recording": "true", "lobby": "false"}

    assert stack.issue(**EVERYTHING).claims == expected


def test_no_claim_has_a_type_that_never_matches(stack: Stack) -> None:
    """No array for aud, no string and no float for a time."""
    for changes in (REQUIRED, EVERYTHING):
        assert {name: type(value) for name, value in stack.issue(**changes).claims.items()} == {
            **dict.fromkeys(["aud", "iss", "sub", "room", "jti"], str),
            **dict.fromkeys(["exp", "nbf", "iat"], int),
            "context": dict,
        }


def test_the_signature_is_of_the_stacks_key(stack: Stack) -> None:
    """By a server's reading of it: RS256 with the public key, HS256 with the secret's own bytes."""
    key: RSAPublicKey | str = stack.key.public_key or SECRET
    algorithm = "RS256" if stack.kind.environ == "jaas" else "HS256"
    read = jwt.decode(
        stack.issue(**EVERYTHING).token,
        key,
        [algorithm],
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
        audience=stack.kind.audience,
    )

    assert read["sub"] == stack.kind.subject


@pytest.mark.parametrize(
    "name",
    [
        *("My Room", "Café", "a+b=c", "100%", "Straße", "ﬁn", "İstanbul", "!()*-._~", "%25"),
        "Sprechstunde Dr. Müller",
    ],
)
def test_the_link_leads_into_the_room_of_the_token(stack: Stack, name: str) -> None:
    """The web client drops `!()*` from the path and folds what is left: that is the claim's room.

    The token is in quotes in the fragment, where no server sees it.
    """
    meeting = stack.issue(roomName=name)
    base, _, room = meeting.url.partition("#")[0].rpartition("/")
    folded = unicodedata.normalize("NFKC", unquote(re.sub("[!()*]", "", room))).lower()

    assert quote(folded, safe="!'()*").lower() == meeting.claims["room"]
    assert f"{base}/" == stack.kind.base
    assert urlsplit(meeting.url).fragment == f"jwt=%22{meeting.token}%22"


def test_features_that_deny_everything_stay(stack: Stack) -> None:
    """An empty object is not the same as none; and all twenty may be asked for, as strings."""
    everything = stack.issue(features=dict.fromkeys(FEATURES, True)).claims["context"]

    assert stack.issue(features={}).claims["context"]["features"] == {}
    assert everything["features"] == dict.fromkeys(FEATURES, "true")
    assert len(FEATURES) == 20


def test_settings_change_the_subject_and_the_link() -> None:
    """An XMPP domain that is not the public one; a query for what passes no fragment on."""
    environ = ENVIRONS["self-hosted"] | {"JITSI_SUBJECT": "xmpp.example.org"}
    settings = read_settings(environ | {"MEETING_URL_TOKEN_PLACEMENT": "query"})
    key = SigningKey("HS256", "k", SECRET.encode())

    meeting = Stack(KINDS["self-hosted"], settings, key).issue()

    assert meeting.claims["sub"] == "xmpp.example.org"
    assert meeting.url == f"https://meet.example.org/my%20room?jwt={meeting.token}"

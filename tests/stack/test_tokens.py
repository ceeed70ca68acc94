"""Tokens of the three shapes, asked for over HTTP and verified as Jitsi does."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.stack.service import EMAIL, NAME, ROOM, USER_ID

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

JAAS_APP_ID = "vpaas-magic-cookie-2ec2e4abf2874096ba00d895b9672444"


@pytest.mark.parametrize(("moderator", "flag"), [(True, "true"), (False, "false")])
def test_a_jaas_token_verifies_with_the_public_key(
    jaas: Service, *, moderator: bool, flag: str
) -> None:
    """Doctor and patient each get what JaaS accepts."""
    issued = jaas.post(isModerator=moderator).json()

    claims = jaas.claims(issued["token"])
    assert jwt.get_unverified_header(issued["token"]) == {
        "alg": "RS256",
        "kid": f"{JAAS_APP_ID}/4f4910",
        "typ": "JWT",
    }
    assert claims["sub"] == JAAS_APP_ID
    assert claims["room"] == issued["roomName"] == ROOM
    assert claims["context"] == {
        "user": {"id": USER_ID, "name": NAME, "email": EMAIL, "moderator": flag},
        "features": {},
    }
    assert issued["expiresAt"] == claims["exp"] == claims["iat"] + 3600
    assert issued["notBefore"] == claims["nbf"] == claims["iat"] - 10
    assert abs(claims["iat"] - time.time()) < 60
    assert issued["meetingUrl"] == (
        f"https://8x8.vc/{JAAS_APP_ID}/{ROOM}#jwt=%22{issued['token']}%22"
    )


@pytest.mark.parametrize(("moderator", "affiliation"), [(True, "owner"), (False, "member")])
def test_a_self_hosted_token_verifies_with_the_shared_secret(
    self_hosted: Service, *, moderator: bool, affiliation: str
) -> None:
    """Prosody's defaults of the self-hosted guide accept it."""
    issued = self_hosted.post(isModerator=moderator).json()

    secret = self_hosted.secret_document()["secret"]
    claims = self_hosted.claims(issued["token"])
    assert (len(secret), secret.isalnum()) == (64, True)
    assert claims["sub"] == "meet.example.org"
    assert claims["context"]["user"]["affiliation"] == affiliation
    assert "features" not in claims["context"]
    assert issued["meetingUrl"] == f"https://meet.example.org/{ROOM}#jwt=%22{issued['token']}%22"


def test_a_tenant_is_in_sub_and_in_the_url(published: Service) -> None:
    """`/tenant/room` wants the tenant in `sub`, and the bare room in `room`."""
    issued = published.post().json()

    claims = published.claims(issued["token"])
    assert (claims["sub"], claims["room"]) == ("clinic", ROOM)
    assert issued["meetingUrl"].startswith(f"https://meet.example.org/clinic/{ROOM}#jwt=%22")


def test_the_origin_guides_calls_answer(jaas: Service) -> None:
    """The probe and the body of the JaaS guide are valid; its room is normalised once."""
    body: dict[str, Any] = {
        "userId": "user-123",
        "userName": "John Doe",
        "userEmail": "john@example.com",
        "userAvatar": "https://example.com/john.png",
        "isModerator": True,
        "roomName": "Session-123 Café",
        "expirationSeconds": 3600,
        "features": {"livestreaming": False, "recording": False, "moderation": True},
    }

    # The emulator keeps the schedule, and the last check may have met an outage of another test's.
    jaas.check_key()
    probe = jaas.http.get("/api/jitsi/jwt")
    issued = jaas.post(**body).json()

    claims = jaas.claims(issued["token"])
    assert probe.json() == {"configured": True}
    assert issued["expiresAt"] == claims["exp"]
    assert claims["room"] == issued["roomName"] == "session-123%20caf%c3%a9"
    assert "/session-123%20caf%c3%a9#jwt=" in issued["meetingUrl"]
    assert claims["context"]["features"] == {
        "livestreaming": "false",
        "recording": "false",
        "moderation": "true",
    }


def test_diagnostics_tell_what_the_key_is(jaas: Service) -> None:
    """An operator sees which key signs, and that nothing is wrong."""
    jaas.check_key()
    told = jaas.http.get(
        "/api/jitsi/diagnostics", headers={"Authorization": f"Bearer {jaas.api_key}"}
    ).json()

    shown = json.loads(jaas.commands.run("key", "show", "--json"))
    assert (told["configured"], told["problems"]) == (True, [])
    assert (told["provider"], told["appId"], told["algorithm"]) == ("jaas", JAAS_APP_ID, "RS256")
    assert told["keyId"] == f"{JAAS_APP_ID}/4f4910"
    assert told["publicKeyFingerprint"] == shown["fingerprint"]
    assert 0 <= told["keyAgeSeconds"] < 3600
    assert told["lifetimes"]["maximumSeconds"] == 14400

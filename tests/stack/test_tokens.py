"""Tokens of the three shapes, asked for over HTTP and verified as Jitsi does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
import msgspec
import pytest

from local_stack import deployment
from tests.stack.service import EMAIL, NAME, ROOM, TOKENS, USER_ID

if TYPE_CHECKING:
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

JAAS_APP_ID = "vpaas-magic-cookie-2ec2e4abf2874096ba00d895b9672444"


def shared_secret(service: Service) -> str:
    """Return the HS256 secret, read as the operator of Jitsi reads it."""
    answer = deployment.client(service.emulator, "secretsmanager").get_secret_value(
        SecretId=service.stack.outputs["SigningKeySecret"]
    )
    return str(msgspec.json.decode(answer["SecretString"])["secret"])


def verified(token: str, key: str, algorithm: str, audience: str, issuer: str) -> dict[str, Any]:
    """Return the claims of a token that stands up to its audience, its issuer and the time."""
    return jwt.decode(token, key, algorithms=[algorithm], audience=audience, issuer=issuer)


@pytest.mark.parametrize(("moderator", "flag"), [(True, "true"), (False, "false")])
def test_a_jaas_token_verifies_with_the_public_key(
    jaas: Service, *, moderator: bool, flag: str
) -> None:
    """Doctor and patient each get what JaaS accepts."""
    issued = jaas.post(isModerator=moderator).json()

    claims = verified(issued["token"], jaas.public_pem(), "RS256", "jitsi", "chat")
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

    secret = shared_secret(self_hosted)
    claims = verified(issued["token"], secret, "HS256", "openemr_telehealth", "openemr")
    assert len(secret) == 64
    assert secret.isalnum()
    assert claims["sub"] == "meet.example.org"
    assert claims["context"]["user"]["affiliation"] == affiliation
    assert "features" not in claims["context"]
    assert issued["meetingUrl"] == f"https://meet.example.org/{ROOM}#jwt=%22{issued['token']}%22"


def test_a_tenant_stands_in_sub_and_in_the_url(tenant: Service) -> None:
    """`/tenant/room` wants the tenant in `sub`, and the bare room in `room`."""
    issued = tenant.post().json()

    secret = shared_secret(tenant)
    claims = verified(issued["token"], secret, "HS256", "openemr_telehealth", "openemr")
    assert claims["sub"] == "clinic"
    assert claims["room"] == ROOM
    assert issued["meetingUrl"].startswith(f"https://meet.example.org/clinic/{ROOM}#jwt=%22")


def test_the_origin_guides_calls_answer(jaas: Service) -> None:
    """The probe and the body of the JaaS guide are valid as they stand there."""
    body = {
        "userId": "user-123",
        "userName": "John Doe",
        "userEmail": "john@example.com",
        "userAvatar": "https://example.com/john.png",
        "isModerator": True,
        "roomName": "session-123",
        "expirationSeconds": 3600,
        "features": {"livestreaming": False, "recording": False, "moderation": True},
    }

    # The emulator keeps the schedule, and the last check may have met an outage of another test's.
    jaas.check_key()
    probe = jaas.http.get("/api/jitsi/jwt")
    answer = jaas.http.post(
        "/api/jitsi/jwt", json=body, headers={"Authorization": f"Bearer {jaas.api_key}"}
    )

    TOKENS.append(answer.json()["token"])
    claims = verified(answer.json()["token"], jaas.public_pem(), "RS256", "jitsi", "chat")
    assert probe.json() == {"configured": True}
    assert answer.status_code == 200
    assert answer.json()["expiresAt"] == claims["exp"]
    assert claims["context"]["features"] == {
        "livestreaming": "false",
        "recording": "false",
        "moderation": "true",
    }


def test_claim_url_and_answer_name_the_same_room(jaas: Service) -> None:
    """The room is normalised once, to the web client's form."""
    issued = jaas.post(roomName="Xylophone-Visit Café").json()

    claims = jwt.decode(issued["token"], options={"verify_signature": False})
    assert claims["room"] == issued["roomName"] == "xylophone-visit%20caf%c3%a9"
    assert "/xylophone-visit%20caf%c3%a9#jwt=" in issued["meetingUrl"]


def test_diagnostics_tell_what_the_key_is(jaas: Service) -> None:
    """An operator sees which key signs, and that nothing is wrong."""
    jaas.check_key()
    told = jaas.http.get(
        "/api/jitsi/diagnostics", headers={"Authorization": f"Bearer {jaas.api_key}"}
    ).json()

    shown = msgspec.json.decode(jaas.commands.run("key", "show", "--json"))
    assert told["configured"] is True
    assert told["problems"] == []
    assert told["provider"] == "jaas"
    assert told["appId"] == JAAS_APP_ID
    assert told["keyId"] == f"{JAAS_APP_ID}/4f4910"
    assert told["algorithm"] == "RS256"
    assert told["publicKeyFingerprint"] == shown["fingerprint"]
    assert 0 <= told["keyAgeSeconds"] < 3600
    assert told["lifetimes"]["maximumSeconds"] == 14400

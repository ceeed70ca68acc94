"""The PHP and the Python client, and the functions that people know, on the deployed stack."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from jitsi_tokens.core.clients import make_api_key
from tests.clients.callers import caller
from tests.clients.drop_ins import python
from tests.clients.php_caller import CLIENT, php
from tests.stack.service import EMAIL, NAME, ROOM

if TYPE_CHECKING:
    from tests.clients.callers import Caller
    from tests.clients.outcome import Outcome
    from tests.stack.fault_proxy import FaultProxy
    from tests.stack.service import Service

pytestmark = pytest.mark.stack

__all__ = ["caller"]  # a fixture

PATIENT: dict[str, Any] = {"room_name": ROOM, "user_name": NAME}
DOCTOR = PATIENT | {"user_email": EMAIL, "is_moderator": True}
# A new container takes the emulator seconds where the machine is under load.
PATIENCE = {"attempt_seconds": 20, "total_seconds": 60}
# As in the guide that people followed.
OLD_PHP = f"""
require_once '{CLIENT}/generate-jwt-token.php';
echo generate_jwt_token('appointment-123', 'Dr. Smith', 'dr.smith@clinic.com', true), "\\n";
echo generate_jwt_token('appointment-123', 'John Doe', 'john.doe@email.com', false), "\\n";
"""
OLD_PYTHON = """
from generate_jwt_token import generate_jwt_token
print(generate_jwt_token('appointment-123', 'Dr. Smith', 'dr.smith@clinic.com', is_moderator=True))
print(generate_jwt_token('appointment-123', 'John Doe', 'john.doe@email.com', is_moderator=False))
"""


def settings(service: Service, api_key: str | None = None) -> dict[str, Any]:
    """Return a caller's settings for the stack."""
    return PATIENCE | {"url": service.stack.url, "api_key": api_key or service.api_key}


def test_doctor_and_patient(self_hosted: Service, caller: Caller) -> None:
    """Each gets a token that verifies, and a URL that holds it; the probe says that they can."""
    for request, affiliation in ((DOCTOR, "owner"), (PATIENT, "member")):
        outcome = caller.issue(settings(self_hosted), **request)

        assert outcome.kind == "meeting", outcome
        token = outcome.values["token"]
        claims = self_hosted.claims(token)
        assert claims["context"]["user"]["affiliation"] == affiliation
        assert claims["room"] == outcome.values["roomName"] == ROOM
        assert claims["exp"] == outcome.values["expiresAt"]
        assert outcome.values["meetingUrl"].endswith(f"/{ROOM}#jwt=%22{token}%22")
        assert token not in outcome.dumps
        assert self_hosted.api_key not in outcome.dumps
    assert caller.is_configured({"url": self_hosted.stack.url}).values == {"configured": True}


def refused(outcome: Outcome, kind: str, field: str | None = None) -> None:
    """Assert that a call ended with an error, and that it tells no secret."""
    assert (outcome.kind, outcome.values.get("field")) == (kind, field), outcome
    assert "jtk_" not in outcome.dumps
    assert EMAIL not in outcome.values["message"]


# Each wrong key costs the emulator a second, and the other two read answers with the same code.
@pytest.mark.parametrize("caller", ["python", "php"], indirect=True)
def test_each_error_of_a_real_answer(
    self_hosted: Service, dynamodb: FaultProxy, caller: Caller
) -> None:
    """Credentials, not allowed, invalid, configuration, unavailable."""
    good = settings(self_hosted)
    elsewhere = good | {"url": f"{self_hosted.stack.url}/elsewhere"}
    patients = self_hosted.add_client("patients", "--any-room")

    refused(caller.issue(settings(self_hosted, make_api_key()), **PATIENT), "Credentials")
    refused(caller.issue(settings(self_hosted, patients), **DOCTOR), "NotAllowed", "/isModerator")
    refused(
        caller.issue(good, **PATIENT | {"user_email": "nobody"}), "InvalidRequest", "/userEmail"
    )
    refused(caller.issue(elsewhere, **PATIENT), "Configuration")
    unknown_yet = self_hosted.add_client("patients")
    dynamodb.switch("refuse")
    try:
        refused(
            caller.issue(settings(self_hosted, unknown_yet) | {"attempts": 2}, **PATIENT),
            "Unavailable",
        )
    finally:
        dynamodb.switch("through")


@pytest.mark.parametrize("caller", ["python", "php"], indirect=True)
def test_a_link_for_tomorrow(self_hosted: Service, caller: Caller) -> None:
    """It is signed for its window, and by nobody's clock but the appointment's."""
    new_york = ZoneInfo("America/New_York")
    tomorrow = (datetime.now(new_york) + timedelta(days=1)).date()
    begins = int(datetime.combine(tomorrow, time(10), new_york).timestamp())
    start = datetime.fromtimestamp(begins, new_york).isoformat()

    outcome = caller.issue(
        settings(self_hosted), **PATIENT, appointment={"start": start, "duration": 1800}
    )

    assert outcome.kind == "meeting", outcome
    assert outcome.values["notBefore"] == begins - 15 * 60 - 10
    assert outcome.values["expiresAt"] == begins + (30 + 30) * 60


@pytest.mark.parametrize("language", ["php", "python"])
def test_the_old_calls_return_tokens(self_hosted: Service, language: str) -> None:
    """For a moderator and for a guest."""
    run, option, code = (php, "-r", OLD_PHP) if language == "php" else (python, "-c", OLD_PYTHON)

    finished = run(
        *(option, code),
        JITSI_TOKENS_URL=self_hosted.stack.url,
        JITSI_TOKENS_API_KEY=self_hosted.api_key,
    )

    assert finished.returncode == 0, finished.stderr
    doctor, patient = map(self_hosted.claims, finished.stdout.split())
    assert doctor["room"] == patient["room"] == "appointment-123"
    flags = [claims["context"]["user"]["moderator"] for claims in (doctor, patient)]
    assert flags == ["true", "false"]

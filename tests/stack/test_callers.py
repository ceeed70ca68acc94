"""The PHP and the Python client, and the scripts people know, on the deployed stack."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from jitsi_tokens.core.clients import make_api_key
from tests.clients.callers import CALLERS, caller
from tests.clients.drop_ins import DROP_INS, DropIn, python
from tests.clients.php_caller import CLIENT, php, require_php
from tests.stack.service import EMAIL, NAME, ROOM, TOKENS
from tests.stack.test_tokens import shared_secret, verified

if TYPE_CHECKING:
    from pathlib import Path

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

# The calls of the guide that people followed, unchanged but for the sending of mail.
OLD_PHP = """<?php
require_once 'generate-jwt-token.php';

// Generate token for doctor (moderator)
$doctorToken = generate_jwt_token(
    'appointment-123',           // room name
    'Dr. Smith',                 // user name
    'dr.smith@clinic.com',       // user email
    true                         // is moderator
);

// Generate token for patient
$patientToken = generate_jwt_token(
    'appointment-123',
    'John Doe',
    'john.doe@email.com',
    false                        // not moderator
);

// Create meeting URLs
$doctorUrl = "https://meet.example.org/appointment-123?jwt={$doctorToken}";
$patientUrl = "https://meet.example.org/appointment-123?jwt={$patientToken}";
echo "$doctorUrl\\n$patientUrl\\n";
"""
OLD_PYTHON = """
from generate_jwt_token import generate_jwt_token

# Generate tokens
doctor_token = generate_jwt_token(
    'appointment-123',
    'Dr. Smith',
    'dr.smith@clinic.com',
    is_moderator=True
)

patient_token = generate_jwt_token(
    'appointment-123',
    'John Doe',
    'john.doe@email.com',
    is_moderator=False
)

# Create URLs
doctor_url = f"https://meet.example.org/appointment-123?jwt={doctor_token}"
patient_url = f"https://meet.example.org/appointment-123?jwt={patient_token}"
print(doctor_url, patient_url, sep="\\n")
"""


def settings(service: Service, api_key: str | None = None) -> dict[str, Any]:
    """Return what a caller is told of the stack."""
    return PATIENCE | {"url": service.stack.url, "api_key": api_key or service.api_key}


def claims_of(service: Service, token: str) -> dict[str, Any]:
    """Return the claims of a token that the stack's Jitsi accepts."""
    TOKENS.append(token)
    secret = shared_secret(service)
    return verified(token, secret, "HS256", "openemr_telehealth", "openemr")


def test_doctor_and_patient(self_hosted: Service, caller: Caller) -> None:
    """Each gets a token that verifies, and a URL that holds it."""
    for request, affiliation in ((DOCTOR, "owner"), (PATIENT, "member")):
        outcome = caller.issue(settings(self_hosted), **request)

        assert outcome.kind == "meeting", outcome
        token = outcome.values["token"]
        claims = claims_of(self_hosted, token)
        assert claims["context"]["user"]["affiliation"] == affiliation
        assert claims["room"] == outcome.values["roomName"] == ROOM
        assert claims["exp"] == outcome.values["expiresAt"]
        assert outcome.values["meetingUrl"].endswith(f"/{ROOM}#jwt=%22{token}%22")
        assert token not in outcome.dumps
        assert self_hosted.api_key not in outcome.dumps


def test_a_person_has_the_same_id_in_every_language(self_hosted: Service) -> None:
    """So that a site may mix them."""
    require_php()

    ids = {
        claims_of(
            self_hosted,
            caller.issue(settings(self_hosted), **DOCTOR).values["token"],
        )["context"]["user"]["id"]
        for name, caller in CALLERS.items()
        if name != "php-guzzle"
    }

    assert len(ids) == 1


def test_it_tells_whether_the_service_is_set_up(self_hosted: Service, caller: Caller) -> None:
    """As the probe says."""
    outcome = caller.is_configured({"url": self_hosted.stack.url})

    assert outcome.values == {"configured": True}, outcome


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
    patients = self_hosted.add_client("patients", "--any-room")

    refused(caller.issue(settings(self_hosted, make_api_key()), **PATIENT), "Credentials")
    refused(caller.issue(settings(self_hosted, patients), **DOCTOR), "NotAllowed", "/isModerator")
    refused(
        caller.issue(good, **PATIENT | {"user_email": "nobody"}), "InvalidRequest", "/userEmail"
    )
    refused(
        caller.issue(good, **PATIENT, appointment={"start": "2026-01-05T10:00Z", "duration": 60}),
        "InvalidRequest",
        "/notBefore",
    )
    refused(
        caller.issue(good | {"url": f"{self_hosted.stack.url}/elsewhere"}, **PATIENT),
        "Configuration",
    )
    unknown_yet = self_hosted.add_client("patients")
    dynamodb.switch("refuse")
    try:
        refused(
            caller.issue(settings(self_hosted, unknown_yet) | {"attempts": 2}, **PATIENT),
            "Unavailable",
        )
    finally:
        dynamodb.switch("through")


def test_a_link_for_tomorrow(self_hosted: Service, caller: Caller) -> None:
    """It is signed for its window, and by nobody's clock but the appointment's."""
    new_york = ZoneInfo("America/New_York")
    tomorrow = (datetime.now(new_york) + timedelta(days=1)).date()
    begins = int(datetime.combine(tomorrow, time(10), new_york).timestamp())

    outcome = caller.issue(
        settings(self_hosted),
        **PATIENT,
        appointment={
            "start": datetime.fromtimestamp(begins, new_york).isoformat(),
            "duration": 1800,
        },
    )

    assert outcome.kind == "meeting", outcome
    assert outcome.values["notBefore"] == begins - 15 * 60 - 10
    assert outcome.values["expiresAt"] == begins + (30 + 30) * 60


@pytest.mark.parametrize("language", ["php", "python"])
def test_the_old_calls_still_work(self_hosted: Service, language: str, tmp_path: Path) -> None:
    """Unchanged: tokens that verify, and URLs that hold them."""
    variables = {
        "JITSI_TOKENS_URL": self_hosted.stack.url,
        "JITSI_TOKENS_API_KEY": self_hosted.api_key,
    }
    script = tmp_path / f"old.{language}"
    if language == "php":
        script.write_text(OLD_PHP)
        finished = php("-d", f"include_path={CLIENT}", str(script), **variables)
    else:
        script.write_text(OLD_PYTHON)
        finished = python(str(script), **variables)

    assert finished.returncode == 0, finished.stderr
    doctor, patient = finished.stdout.splitlines()
    for url, flag in ((doctor, "true"), (patient, "false")):
        place, _, token = url.partition("?jwt=")
        claims = claims_of(self_hosted, token)
        assert place == "https://meet.example.org/appointment-123"
        assert claims["room"] == "appointment-123"
        assert claims["context"]["user"]["moderator"] == flag


@pytest.mark.parametrize("drop_in", DROP_INS.values(), ids=DROP_INS.keys())
def test_the_old_commands_still_work(self_hosted: Service, drop_in: DropIn) -> None:
    """Room, name, address and whether the person is a moderator."""
    finished = drop_in.run(
        drop_in.script,
        *(ROOM, NAME, EMAIL, drop_in.moderator),
        JITSI_TOKENS_URL=self_hosted.stack.url,
        JITSI_TOKENS_API_KEY=self_hosted.api_key,
    )

    assert finished.returncode == 0, finished.stderr
    url, token = (line.rpartition(" ")[2] for line in finished.stdout.splitlines())
    assert claims_of(self_hosted, token)["context"]["user"]["affiliation"] == "owner"
    assert url == f"https://meet.example.org/{ROOM}#jwt=%22{token}%22"

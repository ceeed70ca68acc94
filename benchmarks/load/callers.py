"""Who calls a stack. Locust loads this file, in an environment of its own.

DOCTORS_API_KEY     of a client that may make moderators in rooms `visit-*`
PATIENTS_API_KEY    of one that may not, in the same rooms
"""

from __future__ import annotations

import json
import os
import uuid
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.request import urlopen

from locust import FastHttpUser, events

from benchmarks.load import answers

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.load.answers import Check, Keys

_DOCTORS, _PATIENTS = (os.environ[f"{who}_API_KEY"] for who in ("DOCTORS", "PATIENTS"))
# Of an API key's form, so that the authorizer is called; of a checksum that no key has.
_UNKNOWN = "jtk_" + "0" * 49
_KEY_SET = "/.well-known/jwks.json"
_OK = 200


class Caller(FastHttpUser):  # type: ignore[misc] # locust has an environment of its own
    """One caller, who asks the next thing as soon as the last is answered."""

    connection_timeout = network_timeout = 30
    keys: ClassVar[Keys] = {}

    def doctor(self) -> None:
        """Ask for a moderator's token."""
        self._ask_for_token("doctor", _DOCTORS, isModerator=True)

    def patient(self) -> None:
        """Ask for a guest's token."""
        self._ask_for_token("patient", _PATIENTS)

    def probe(self) -> None:
        """Ask whether the service works."""
        self._get("probe", "/api/jitsi/jwt", answers.configured)

    def key_set(self) -> None:
        """Ask for all public keys."""
        self._get("key set", _KEY_SET, answers.key_set)

    def public_key(self) -> None:
        """Ask for the public key of a `kid`, as Prosody does."""
        name = sha256(str(next(iter(self.keys))).encode()).hexdigest()
        self._get("public key", f"/asap/{name}.pem", answers.pem)

    def malformed(self) -> None:
        """Send what is no JSON."""
        self._post("malformed", _DOCTORS, "{", 400, answers.problem("malformed-request"))

    def forbidden(self) -> None:
        """Ask for a room that the policy does not allow."""
        person = json.dumps(_person("staff-room"))
        self._post("forbidden", _PATIENTS, person, 403, answers.problem("forbidden"))

    def no_key(self) -> None:
        """Send what has not the form of an API key."""
        self._post("no API key", "none", "{}", 401, answers.any_text)

    def unknown_key(self) -> None:
        """Send an API key that no table holds."""
        self._post("unknown API key", _UNKNOWN, "{}", 401, answers.any_text)

    # How many of a thousand calls. The emulator loses a worker to each unknown key: a second.
    tasks: ClassVar[dict[Callable[[Caller], None], int]] = {
        patient: 450,
        doctor: 350,
        probe: 80,
        key_set: 30,
        public_key: 30,
        malformed: 20,
        forbidden: 20,
        no_key: 19,
        unknown_key: 1,
    }

    def _ask_for_token(self, name: str, api_key: str, **fields: Any) -> None:
        person = _person(f"visit-{uuid.uuid4()}", **fields)
        check = answers.token_for(person, self.keys)
        self._post(name, api_key, json.dumps(person), _OK, check)

    def _get(self, name: str, path: str, check: Check) -> None:
        with self.client.get(path, name=name, catch_response=True) as answer:
            _judge(answer, _OK, check)

    def _post(self, name: str, api_key: str, body: str, status: int, check: Check) -> None:
        headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        with self.client.post(
            "/api/jitsi/jwt", body, name=name, headers=headers, catch_response=True
        ) as answer:
            _judge(answer, status, check)


def _judge(answer: Any, status: int, check: Check) -> None:
    if answer.status_code != status:
        got = answer.status_code or "no answer"
        wrong: str | None = f"{got} in place of {status}"
    else:
        wrong = check(answer.text)
    if wrong:
        answer.failure(wrong)
    else:
        answer.success()


def _person(room: str, **fields: Any) -> dict[str, Any]:
    return {"userId": "user-123", "userName": "Somebody", "roomName": room, **fields}


def _fetch_keys(environment: Any, **_: object) -> None:
    with urlopen(f"{environment.host}{_KEY_SET}", timeout=60) as answer:  # noqa: S310 - the stack
        Caller.keys = answers.read_keys(answer.read().decode())


events.test_start.add_listener(_fetch_keys)

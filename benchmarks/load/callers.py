"""Who calls a stack. Locust loads this file, in an environment of its own.

DOCTORS_API_KEY     of a client that may make moderators in rooms `visit-*`
PATIENTS_API_KEY    of one that may not, in the same rooms
LOAD_ROW            the file to write a row to, as JSON: requests and tokens a second; p50, p95 and
                    p99 of the times in milliseconds; how many answers were wrong
"""

from __future__ import annotations

import json
import os
import random
import uuid
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.request import urlopen

import jwt
from locust import FastHttpUser, events

_DOCTORS, _PATIENTS = (os.environ[f"{who}_API_KEY"] for who in ("DOCTORS", "PATIENTS"))
# An API key by its form, so that the authorizer is called, with a checksum that no key has.
_UNKNOWN = "jtk_" + "0" * 49
_KEY_SET = "/.well-known/jwks.json"
_OK = 200


class Call(NamedTuple):
    """A call: its share of a thousand, and the status and text of the right answer.

    A POST where there is an API key. Without a body it asks for a token.
    """

    share: int
    status: int
    text: str
    path: str = "/api/jitsi/jwt"
    api_key: str | None = None
    body: str | None = None


_CALLS = {
    "patient": Call(450, _OK, "", api_key=_PATIENTS),
    "doctor": Call(350, _OK, "", api_key=_DOCTORS),
    "probe": Call(80, _OK, '"configured":true'),
    "key set": Call(30, _OK, '"kid"', _KEY_SET),
    # As Prosody asks for the key of a `kid`.
    "public key": Call(30, _OK, "BEGIN PUBLIC KEY", "/asap/{file}.pem"),
    "malformed": Call(20, 400, ":malformed-request", api_key=_DOCTORS, body="{"),
    "forbidden": Call(
        *(20, 403, ":forbidden"),
        api_key=_PATIENTS,
        body='{"userId": "u", "userName": "U", "roomName": "staff-room"}',
    ),
    "no API key": Call(19, 401, "", api_key="none", body="{}"),
    # It costs the emulator a worker: a second.
    "unknown API key": Call(1, 401, "", api_key=_UNKNOWN, body="{}"),
}


class Caller(FastHttpUser):  # type: ignore[misc] # locust has an environment of its own
    """One caller, who sends the next request as soon as the last is answered."""

    connection_timeout = network_timeout = 30
    keys: ClassVar[dict[str | None, jwt.PyJWK]] = {}

    def ask(self) -> None:
        """Make one of the calls, by their shares."""
        shares = [call.share for call in _CALLS.values()]
        [(name, call)] = random.choices([*_CALLS.items()], shares)  # noqa: S311 - no secret
        room, moderator = f"visit-{uuid.uuid4()}", name == "doctor"
        person = {"userId": "user-123", "userName": "Somebody", "roomName": room}
        sent: dict[str, Any] = {"method": "GET"}
        if call.api_key:
            sent["method"] = "POST"
            sent["data"] = call.body or json.dumps({**person, "isModerator": moderator})
            sent["headers"] = {
                "Authorization": f"Bearer {call.api_key}",
                "Content-Type": "application/json",
            }
        file = sha256(str(next(iter(self.keys))).encode()).hexdigest()
        path = call.path.format(file=file)
        with self.client.request(url=path, name=name, catch_response=True, **sent) as answer:
            if answer.status_code != call.status:
                wrong: str | None = f"{answer.status_code or 'no answer'} instead of {call.status}"
            elif call.text not in answer.text:
                wrong = "another answer"
            else:
                is_token = call.api_key and not call.body
                wrong = self._wrong_in(answer.text, room, moderator) if is_token else None
            if wrong:
                answer.failure(wrong)
            else:
                answer.success()

    tasks: ClassVar[list[Any]] = [ask]

    def _wrong_in(self, text: str, room: str, moderator: bool) -> str | None:  # noqa: FBT001
        try:
            token = json.loads(text)["token"]
            key = self.keys[jwt.get_unverified_header(token)["kid"]]
            claims = jwt.decode(token, key, algorithms=["RS256"], options={"verify_aud": False})
            if claims["room"] != room:
                return "another room"
            is_moderator = claims["context"]["user"]["moderator"] in (True, "true")
        except (ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            # Its name alone: its text may quote a token.
            return type(error).__name__
        return None if is_moderator == moderator else "another role"


def _start(environment: Any, **_: object) -> None:
    with urlopen(f"{environment.host}{_KEY_SET}", timeout=60) as answer:  # noqa: S310 - the stack
        key_set = jwt.PyJWKSet.from_json(answer.read().decode())
    Caller.keys = {key.key_id: key for key in key_set.keys}


def _end(environment: Any, **_: object) -> None:
    # Not --csv: that is written once a second, and never at the end.
    stats, total = environment.stats, environment.stats.total
    tokens = [stats.get(name, "POST").total_rps for name in ("doctor", "patient")]
    row = {
        "requests_per_second": total.total_rps,
        "tokens_per_second": sum(tokens),
        **{f"p{n}": total.get_response_time_percentile(n / 100) for n in (50, 95, 99)},
        "errors": total.num_failures,
    }
    Path(os.environ["LOAD_ROW"]).write_text(json.dumps(row))


events.test_start.add_listener(_start)
events.quitting.add_listener(_end)

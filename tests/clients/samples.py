"""What the misbehaving server is asked, and what it answers when it behaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.clients import unruly_server as unruly

if TYPE_CHECKING:
    from tests.clients.unruly_server import UnrulyServer

API_KEY = "jtk_not-one-that-a-service-made"
ID_KEY = "an id key of somebody's own"
TOKEN = "eyJhbGciOiJub25lIn0.eyJyb29tIjoieCJ9.c2lnbmF0dXJl"
MEETING: dict[str, Any] = {
    "token": TOKEN,
    "expiresAt": 1795319334,
    "notBefore": 1795315724,
    "meetingUrl": f"https://meet.example.org/visit#jwt=%22{TOKEN}%22",
    "roomName": "visit",
}
GOOD = json.dumps(MEETING)
WELL = unruly.answer(200, GOOD)
# In bytes: more than a Lambda function can answer.
TOO_LONG = 6 * 1024 * 1024 + 1

# What editors, pipes and address bars put around a value, and after an address.
DRESSES = [
    ("{}\n", ""),
    ("{}\r\n", "/"),
    (" \t{}\v\f ", "/api/jitsi/jwt"),
    ("\ufeff {}\r\n", "/api/jitsi/jwt/?a=b#c"),
]
PATIENT: dict[str, Any] = {"room_name": "visit", "user_name": "John Doe"}
DOCTOR: dict[str, Any] = {
    "room_name": "visit",
    "user_name": "Dr. Zoë Quackenbush",
    "user_email": "Zoe@Clinic.Example",
    "is_moderator": True,
}


def settings(server: UnrulyServer, **limits: Any) -> dict[str, Any]:
    """Return a caller's settings for a server."""
    return {"url": server.url, "api_key": API_KEY} | limits

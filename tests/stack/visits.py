"""A health record that makes visits, and the patients with their links."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt

from local_stack import deployment
from tests.stack.service import EMAIL, LINKS, NAME, ROOMS, TOKENS, USER_ID

if TYPE_CHECKING:
    import httpx

    from tests.stack.service import Service

CONTACT = {"name": "Praxis", "phone": "+43 1 2345678"}
DOCTOR = {"participantId": "doctor", "userName": "Dr. Novak", "isModerator": True}
PATIENT = {
    "participantId": "patient",
    "userName": NAME,
    "userEmail": EMAIL,
    "userId": USER_ID,
    "language": "de",
}
RELATIVE = {"participantId": "relative", "userName": NAME}


def at(seconds: float = 0) -> str:
    """Return a time from now, as RFC 3339 has it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def body(**changes: Any) -> dict[str, Any]:
    """Return an appointment that is open now, and will be for an hour; None leaves a field out."""
    document = {
        "startsAt": at(changes.pop("starts_in", 300)),
        "durationMinutes": 30,
        "timeZone": "Europe/Vienna",
        "contact": CONTACT,
        "participants": [DOCTOR, PATIENT, RELATIVE],
    } | changes
    return {name: value for name, value in document.items() if value is not None}


def kind(answer: httpx.Response) -> tuple[int, str]:
    """Return the status of a refusal, and the end of its type."""
    return answer.status_code, str(answer.json()["type"]).rpartition(":")[2]


class Visits:
    """A health record with its API key, and the patients with their links."""

    def __init__(self, service: Service, api_key: str, client: str) -> None:
        self.service = service
        self.client = client
        self.api_key = api_key
        self._headers = {"Authorization": f"Bearer {api_key}"}
        self._dynamodb = deployment.client(service.emulator, "dynamodb")
        self._table = service.stack.outputs["VisitsTable"]

    def call(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send a request of the health record's."""
        path = f"/api/visits{path}"
        return self.service.http.request(method, path, headers=self._headers, **arguments)

    def put(self, visit_id: str, **changes: Any) -> dict[str, Any]:
        """Create or change a visit, and return it."""
        answer = self.call("PUT", f"/{visit_id}", json=body(**changes))
        assert answer.is_success, answer.text
        LINKS.extend(links_of(answer.json()).values())
        return dict(answer.json())

    def get(self, visit_id: str) -> dict[str, Any]:
        """Return a visit."""
        return dict(self.call("GET", f"/{visit_id}").json())

    def join(self, visit_id: str, participant: str = "doctor") -> httpx.Response:
        """Press the button in the health record."""
        answer = self.call("POST", f"/{visit_id}/participants/{participant}/join")
        if answer.is_success:
            TOKENS.append(answer.json()["token"])
            ROOMS.append(answer.json()["roomName"])
        return answer

    def status(self, link: str, asked: int = 0) -> httpx.Response:
        """Ask as the page does."""
        sent = {"link": link, "page": "page", "asked": asked}
        return self.service.http.post("/join/status", json=sent)

    def enter(self, link: str) -> httpx.Response:
        """Press the button of the page."""
        answer = self.service.http.post("/join/enter", json={"link": link, "page": "page"})
        if answer.is_success:
            TOKENS.append(token_of(answer))
        return answer

    def items(self) -> dict[str, dict[str, Any]]:
        """Return the whole table."""
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table)
        return {item["id"]["S"]: item for page in pages for item in page["Items"]}

    def item(self, visit_id: str) -> dict[str, Any]:
        """Return a visit's item."""
        return self.row(f"V#{self.client}#{visit_id}")

    def row(self, id_: str) -> dict[str, Any]:
        """Return an item by its id."""
        key = {"id": {"S": id_}}
        return dict(self._dynamodb.get_item(TableName=self._table, Key=key)["Item"])

    def write(self, item: dict[str, Any]) -> None:
        """Put an item into the table, as time would have it."""
        self._dynamodb.put_item(TableName=self._table, Item=item)


def links_of(visit: dict[str, Any]) -> dict[str, str]:
    """Return the secret of each participant's link."""
    return {
        each["participantId"]: each["link"].rpartition("#")[2]
        for each in visit["state"]["participants"]
        if "link" in each
    }


def token_of(answer: httpx.Response) -> str:
    """Return the token in a meeting's address."""
    return str(answer.json()["meetingUrl"]).rpartition("%22")[0].rpartition("%22")[2]


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says."""
    return dict(jwt.decode(token, options={"verify_signature": False}))

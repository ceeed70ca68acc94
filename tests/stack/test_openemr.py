"""The module of OpenEMR, behind stand-ins of OpenEMR, on the deployed stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.openemr import PATIENT, VISIT, OpenEmr, begin_of, visit
from tests.stack.service import EMAIL, LINKS, NAME, ROOM, ROOMS, USER_ID
from tests.stack.visits import Visits, kind, token_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.service import Service

pytestmark = pytest.mark.stack

ID = "oe-default-412"
FIRST_NAME, LAST_NAME = NAME.split()
# Of the row nothing but the names may go anywhere, and the search of the log covers the rest.
PEOPLE: dict[str, Any] = {
    "fname": FIRST_NAME,
    "lname": LAST_NAME,
    "ufname": FIRST_NAME,
    "ulname": LAST_NAME,
    "email": EMAIL,
    "pubpid": USER_ID,
    "pc_title": ROOM,
    "pc_hometext": ROOM,
}


@pytest.mark.parametrize("version", ["7.0", "8.0", "8.2"])
def test_provider_and_patient_meet(self_hosted: Service, tmp_path: Path, version: str) -> None:
    """In one room, as moderator and guest, with the policy that docs/openemr.md names.

    The service follows the calendar, and an appointment that stays is not sent again.
    """
    client = f"openemr-{version.replace('.', '-')}"
    record = Visits(self_hosted, self_hosted.add_client(client, "--visits", "--moderator"), client)
    with OpenEmr(tmp_path) as openemr:
        openemr.begin(version, self_hosted.stack.url, record.api_key)
        appointment = visit(**PEOPLE)
        openemr.change(events=[appointment])
        assert openemr.ask("GET", "/run").status == 200
        first = record.get(ID)
        assert first["state"]["status"] == "open", openemr.log
        openemr.change(events=[appointment | {"pc_time": "2026-02-28 12:00:00"}])
        openemr.ask("GET", "/run")
        assert record.get(ID)["revision"] == first["revision"]

        openemr.change(pid=PATIENT, user=None)
        opened = openemr.open_in_portal()
        assert opened.status == 303, openemr.log
        link = opened.headers["Location"].partition("#")[2]
        LINKS.append(link)
        assert kind(record.enter(link)) == (409, "waiting-for-moderator")
        openemr.begin(version, self_hosted.stack.url, record.api_key)
        openemr.change(events=[appointment])
        pressed = openemr.ask("POST", VISIT, openemr.fields() | {"action": "join"})
        assert pressed.status == 303, openemr.log
        entered = record.enter(link)
        claims = [
            self_hosted.claims(token)
            for token in (token_in(pressed.headers["Location"]), token_of(entered))
        ]
        assert claims[0]["room"] == claims[1]["room"]
        ROOMS.append(claims[0]["room"])
        assert claims[1]["exp"] <= begin_of(openemr.event) + 90 * 60
        for claim, name, role in zip(claims, (NAME, FIRST_NAME), ("owner", "member"), strict=True):
            user = claim["context"]["user"]
            assert (user["name"], user["affiliation"], user.get("email")) == (name, role, None)

        assert openemr.press("late", minutes="20").status == 200
        assert record.get(ID)["state"]["delayMinutes"] == 20
        openemr.change(events=[visit(60, **PEOPLE)])
        openemr.ask("GET", "/save?eid=412")
        moved = record.get(ID)["state"]
        assert (moved["delayMinutes"], moved["status"]) == (0, "live")
        assert openemr.press("by-phone").status == 200
        openemr.ask("GET", "/run")
        assert record.get(ID)["state"]["because"] == "by-phone"
        openemr.change(events=[])
        openemr.ask("GET", "/run")
        assert record.get(ID)["state"]["status"] == "cancelled"
        openemr.check_what_was_said()


def token_in(url: str) -> str:
    """Return the token in a meeting URL."""
    return url.removesuffix("%22").partition("#jwt=%22")[2]

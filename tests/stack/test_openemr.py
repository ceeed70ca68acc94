"""The module of docs/openemr.md, behind stand-ins of OpenEMR, on the deployed stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.clients.openemr import JOIN, OpenEmr, begin_of, visit
from tests.clients.test_openemr import Button
from tests.stack.service import EMAIL, NAME, ROOM, TOKENS, USER_ID

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.service import Service

pytestmark = pytest.mark.stack

# As the page has it.
POLICY = ("--moderator", "--room", "visit-*", "--max-lifetime", "14400", "--max-advance", "604800")
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


def token_in(url: str) -> str:
    """Return the token in a meeting URL."""
    return url.removesuffix("%22").partition("#jwt=%22")[2]


@pytest.mark.parametrize("version", ["7.0", "8.1"])
def test_provider_and_patient_meet(self_hosted: Service, tmp_path: Path, version: str) -> None:
    """In one room, as moderator and guest, for the time of the visit.

    A policy without moderators lets nobody be one. Tomorrow's link begins before the visit.
    """
    assert self_hosted.post().is_success  # the functions are awake
    api_key = self_hosted.add_client("openemr-module", *POLICY)
    guests = self_hosted.add_client("openemr-guests", "--room", "visit-*")
    with OpenEmr(tmp_path) as openemr:
        openemr.begin(version, self_hosted.stack.url, api_key)
        openemr.change(events=[visit(**PEOPLE)])
        end = begin_of(openemr.event) + (30 + 30) * 60
        pressed = openemr.ask("POST", JOIN, Button(openemr.dialog()).fields)
        link = openemr.link()
        assert (pressed.status, link.status) == (303, 200), openemr.log
        openemr.set_up(jitsi_join_api_key=guests)
        assert openemr.press().status == 500
        assert "/isModerator" in openemr.log
        openemr.set_up(jitsi_join_api_key=api_key)
        openemr.change(events=[visit(24 * 60, **PEOPLE)])
        early = openemr.link()
        assert early.status == 200, openemr.log
        begin = begin_of(openemr.event)
        openemr.check_what_was_said()

    urls = (pressed.headers["Location"], link.body)
    provider, patient = (self_hosted.claims(token_in(url)) for url in urls)
    assert provider["room"] == patient["room"]
    assert all(url.startswith(f"https://meet.example.org/{patient['room']}#") for url in urls)
    assert provider["exp"] == patient["exp"] == end
    assert provider["context"]["user"]["id"] != patient["context"]["user"]["id"]
    for claims, name, role in ((provider, NAME, "owner"), (patient, FIRST_NAME, "member")):
        user = claims["context"]["user"]
        assert (user["name"], user["affiliation"], user.get("email")) == (name, role, None)
    TOKENS.append(token_in(early.body))
    claims = jwt.decode(token_in(early.body), options={"verify_signature": False})
    assert (claims["nbf"], claims["exp"]) == (begin - 15 * 60 - 10, begin + (30 + 30) * 60)

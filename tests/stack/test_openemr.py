"""The module of docs/openemr.md, behind stand-ins of OpenEMR, on the deployed stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.clients.openemr import JOIN, OpenEmr, begin_of, visit
from tests.clients.test_openemr import Button
from tests.stack.service import EMAIL, NAME, ROOM, TOKENS, USER_ID
from tests.stack.test_tokens import shared_secret, verified

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenEmr]:
    """One PHP for the tests of this module."""
    with OpenEmr(tmp_path_factory.mktemp("openemr")) as running:
        yield running


@pytest.fixture(scope="module")
def api_key(self_hosted: Service) -> str:
    """The API key of a client with the page's policy, once the functions are awake."""
    assert self_hosted.post().is_success
    return self_hosted.add_client("openemr-module", *POLICY)


@pytest.fixture(params=["7.0", "8.1"])
def openemr(
    request: pytest.FixtureRequest, site: OpenEmr, self_hosted: Service, api_key: str
) -> Iterator[OpenEmr]:
    """OpenEMR in each of the two forms, with the visit of the person of these tests."""
    site.begin(request.param, self_hosted.stack.url, api_key)
    site.change(events=[visit(**PEOPLE)])
    yield site
    site.check_what_was_said()


def claims_of(service: Service, url: str) -> dict[str, Any]:
    """Return the claims of the token in a meeting URL, which the stack's Jitsi accepts."""
    place, _, token = url.removesuffix("%22").partition("#jwt=%22")
    TOKENS.append(token)
    secret = shared_secret(service)
    claims = verified(token, secret, "HS256", "openemr_telehealth", "openemr")
    assert place == f"https://meet.example.org/{claims['room']}"
    return claims


def test_provider_and_patient_meet(self_hosted: Service, openemr: OpenEmr) -> None:
    """In one room, as moderator and guest, for the time of the visit."""
    pressed = openemr.ask("POST", JOIN, Button(openemr.dialog()).fields)
    link = openemr.link()

    assert (pressed.status, link.status) == (303, 200), openemr.log
    provider = claims_of(self_hosted, pressed.headers["Location"])
    patient = claims_of(self_hosted, link.body)
    assert provider["room"] == patient["room"]
    assert provider["exp"] == patient["exp"] == begin_of(openemr.event) + (30 + 30) * 60
    assert provider["context"]["user"]["id"] != patient["context"]["user"]["id"]
    for claims, name, role in ((provider, NAME, "owner"), (patient, FIRST_NAME, "member")):
        user = claims["context"]["user"]
        assert (user["name"], user["affiliation"]) == (name, role)
        assert "email" not in user


def test_a_link_for_tomorrow_begins_before_the_visit(
    self_hosted: Service, openemr: OpenEmr
) -> None:
    """And no sooner: who has it early waits."""
    openemr.change(events=[visit(24 * 60, **PEOPLE)])
    link = openemr.link()

    assert link.status == 200, openemr.log
    token = link.body.removesuffix("%22").partition("#jwt=%22")[2]
    TOKENS.append(token)
    with pytest.raises(jwt.ImmatureSignatureError):
        verified(token, shared_secret(self_hosted), "HS256", "openemr_telehealth", "openemr")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["nbf"] == begin_of(openemr.event) - 15 * 60 - 10
    assert claims["exp"] == begin_of(openemr.event) + (30 + 30) * 60


def test_a_policy_without_moderators_lets_nobody_be_one(
    self_hosted: Service, openemr: OpenEmr
) -> None:
    """The provider is told whom to ask, the log what is wrong, and patients have their links."""
    openemr.set_up(jitsi_join_api_key=self_hosted.add_client("openemr-guests", "--room", "visit-*"))
    pressed = openemr.press()
    link = openemr.link()

    assert pressed.status == 500
    assert "Location" not in pressed.headers
    assert "/isModerator" in openemr.log
    assert claims_of(self_hosted, link.body)["context"]["user"]["affiliation"] == "member"

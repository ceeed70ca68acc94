"""The page of a deployed stack in real browsers, whose Jitsi is the stand-in."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local_stack.jitsi.server import StandIn
from tests.page.browsers import Browser, chromium
from tests.page.patients import CONTACT_TEXT, Patient
from tests.stack.own_emulator import built, dynamodb, own_emulator, proxies
from tests.stack.service import Service, deployed
from tests.stack.visits import Visits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_stack.emulator import Emulator
    from tests.stack.own_emulator import Proxies

__all__ = ["built", "dynamodb", "proxies"]  # fixtures


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make pictures` asks for."""
    parser.addoption("--pictures", type=Path, help="folder for pictures, and for what is heard")


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config) -> Path | None:
    """Where pictures of the screens go, and what a screen reader has of a visit; if anywhere."""
    folder: Path | None = pytestconfig.getoption("--pictures")
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def watch() -> None:
    """What the functions ask of AWS is not recorded."""


@pytest.fixture(scope="session")
def running_emulator(
    built: Path,  # noqa: ARG001 - what is deployed there
    proxies: Proxies,
) -> Iterator[Emulator]:
    """An emulator that begins empty."""
    with own_emulator("page-emulator-home", proxies) as running:
        yield running


@pytest.fixture(scope="session")
def jitsi() -> Iterator[str]:
    """The host and port of a stand-in for Jitsi."""
    with StandIn() as standin:
        threading.Thread(target=standin.serve_forever, daemon=True).start()
        yield standin.domain
        standin.shutdown()


@pytest.fixture(scope="session")
def service(running_emulator: Emulator, jitsi: str) -> Iterator[Service]:
    """A self-hosted stack, with the key it made itself."""
    parameters = {"JitsiDomain": jitsi, "ContactText": CONTACT_TEXT}
    with deployed(running_emulator, "self-hosted", **parameters) as service:
        service.check_key()
        yield service


@pytest.fixture(scope="session")
def record(service: Service) -> Visits:
    """A health record."""
    return Visits(service, service.add_client("page", "--visits", "--moderator"), "page")


@pytest.fixture(scope="session")
def running_chromium() -> Iterator[Browser]:
    """Chromium, for all tests: to start it takes as long as many of them."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(running_chromium: Browser) -> Iterator[Browser]:
    """A tab of Chromium, whose page may use the camera; it must leave no error."""
    running_chromium.may_use_camera("granted")
    running_chromium.cdp("Network.clearBrowserCookies")  # a host's, whatever the port
    running_chromium.errors()
    running_chromium.events()
    with running_chromium.own_tab() as tab:
        yield tab
        assert tab.errors() == []


@pytest.fixture
def patient(record: Visits, browser: Browser) -> Patient:
    """A patient whose visit begins in five minutes: its doctor is not there yet."""
    return Patient(record, browser)

"""The module of docs/openemr.md, run by PHP's own web server behind stand-ins of OpenEMR."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import time
import urllib.parse
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from local_stack.emulator import ROOT
from tests.clients.php_caller import CLIENT, inherited, require_php

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAGE = ROOT / "docs" / "openemr.md"
_STANDIN = Path(__file__).with_name("openemr_standin.php")
_MODULES = "interface/modules/custom_modules"
MODULE = "oe-module-jitsi-join"
JOIN = f"/{_MODULES}/{MODULE}/public/join.php"
# Everything that PHP has to say, in the answer and in the log; its own zone is not the clinic's.
_TALKATIVE = {
    "error_reporting": "-1",
    "display_errors": "1",
    "log_errors": "1",
    "html_errors": "0",
    "zend.exception_ignore_args": "0",
    "zend.exception_string_param_max_len": "1000000",
    "date.timezone": "UTC",
}
_COMPLAINT = re.compile(r"\b(Warning|Notice|Deprecated|(Fatal|Parse) error): ")
_ROOM = re.compile("visit-[0-9a-f]{32}")
_SECONDS = 30

ZONE = "Etc/GMT+5"  # the same all year
ROOM_KEY = "0123456789abcdef" * 4
PROVIDER, EVENT = 7, "412"


def visit(minutes: int = -5, **changes: Any) -> dict[str, Any]:
    """Return an appointment that begins so many minutes from now, of half an hour."""
    begin = datetime.now(ZoneInfo(ZONE)) + timedelta(minutes=minutes)
    return {
        "pc_eid": EVENT,
        "pc_aid": str(PROVIDER),
        "pc_pid": "90210",
        "pc_eventDate": f"{begin:%Y-%m-%d}",
        "pc_startTime": f"{begin:%H:%M:%S}",
        "pc_duration": "1800",
        "pc_recurrtype": "0",
        "pc_apptstatus": "-",
        "pc_title": "Office visit",
        "pc_hometext": "a rash",
        "fname": "Joan",
        "lname": "Appleseed",
        "DOB": "1961-07-23",
        "pubpid": "MRN-55501",
        "phone_cell": "555-0199",
        "email": "joan@appleseed.example",
        "ufname": "Jane",
        "ulname": "Underhill",
    } | changes


def series(*days: int, minutes: int = -5, **changes: Any) -> dict[str, Any]:
    """Return an appointment that comes again, so many days from today each time."""
    one = visit(minutes)
    dates = [later(one["pc_eventDate"], day) for day in days]
    return one | {"pc_recurrtype": "1", "pc_eventDate": dates[0], "occurrences": dates} | changes


def later(date: str, days: int) -> str:
    """Return the date so many days later."""
    return f"{datetime.fromisoformat(date) + timedelta(days=days):%Y-%m-%d}"


def begin_of(event: Mapping[str, Any]) -> int:
    """Return when an appointment begins, in epoch seconds."""
    local = datetime.fromisoformat(f"{event['pc_eventDate']}T{event['pc_startTime']}")
    return int(local.replace(tzinfo=ZoneInfo(ZONE)).timestamp())


class Answer(NamedTuple):
    """What the browser gets."""

    status: int
    headers: dict[str, str]
    body: str


class OpenEmr:
    """Answers over HTTP as an OpenEMR with the module, whose database is told by the tests."""

    def __init__(self, folder: Path, **variables: str) -> None:
        require_php()
        self.module = folder / _MODULES / MODULE
        self._scenario_file = folder / "scenario.json"
        self._scenario: dict[str, Any] = {"root": str(folder)}
        self._log_file = folder / "log"
        self._log_begin = 0
        self._answers: list[tuple[str, Answer]] = []
        _write_files(folder)
        settings = [f"-d{name}={value}" for name, value in _TALKATIVE.items()]
        environment = inherited() | {"OPENEMR_STANDIN": str(self._scenario_file)}
        with self._log_file.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own files
                ["php", *settings, "-S", "127.0.0.1:0", str(_STANDIN)],  # noqa: S607
                stdout=log,
                stderr=log,
                env=environment | variables,
            )

    def __enter__(self) -> Self:
        end = time.monotonic() + _SECONDS
        while not (said := re.search(r"http://127\.0\.0\.1:(\d+)\) started", self.log)):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.01)
        self._port = int(said[1])
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(_SECONDS)

    def begin(self, version: str, url: str, api_key: str) -> None:
        """Begin anew: a version of OpenEMR, the provider signed in, and one visit."""
        self._log_begin = self._log_file.stat().st_size
        self._answers.clear()
        self._scenario |= {
            "version": version,
            "user": PROVIDER,
            "acl": True,
            "events": [visit()],
            "encrypted": ["jitsi_join_api_key", "jitsi_join_room_key"],
            "globals": {
                "gbl_time_zone": ZONE,
                "webroot": "/openemr",
                "jitsi_join_url": url,
                "jitsi_join_api_key": api_key,
                "jitsi_join_room_key": ROOM_KEY,
            },
        }

    def change(self, **changes: Any) -> None:
        """Change who is signed in (`user`), what that user may (`acl`), the `events`."""
        self._scenario |= changes

    def set_up(self, **settings: str) -> None:
        """Change settings, as an administrator does."""
        self._scenario["globals"] |= settings

    @property
    def event(self) -> dict[str, Any]:
        """The first appointment."""
        event: dict[str, Any] = self._scenario["events"][0]
        return event

    @property
    def log(self) -> str:
        """What PHP has written to its log since it was begun anew."""
        return self._log_file.read_bytes()[self._log_begin :].decode()

    def dialog(self, date: str = "") -> str:
        """Return what the module shows in the appointment, opened on a date."""
        answer = self.ask("GET", f"/add_edit_event.php?eid={self.event['pc_eid']}&{date}")
        assert answer.status == 200
        return answer.body

    def press(self, **changes: Any) -> Answer:
        """Post what the button does, but for the changes; None leaves a field out."""
        right = {
            "eid": self.event["pc_eid"],
            "date": self.event["pc_eventDate"],
            "csrf_token_form": self.ask("GET", "/csrf").body,
        }
        form = {name: value for name, value in (right | changes).items() if value is not None}
        return self.ask("POST", JOIN, form)

    def link(self, date: str | None = None) -> Answer:
        """Have a link made for the patient."""
        event = self.event
        return self.ask("GET", f"/link?eid={event['pc_eid']}&date={date or event['pc_eventDate']}")

    def ask(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> Answer:
        """Ask as a browser does, that follows nothing."""
        self._scenario_file.write_text(json.dumps(self._scenario))
        body = None if form is None else urllib.parse.urlencode(form)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        connection.request(method, path, body, headers)
        told = connection.getresponse()
        answer = Answer(told.status, dict(told.getheaders()), told.read().decode())
        connection.close()
        self._answers.append((path, answer))
        return answer

    def check_what_was_said(self) -> None:
        """Assert that PHP complained of nothing, and that nobody was told what is not for them."""
        settings = self._scenario["globals"]
        keys = {settings["jitsi_join_api_key"], settings["jitsi_join_room_key"]}
        secrets = {"jtk_", "eyJ", ROOM_KEY, *filter(None, keys)}
        people = {
            event[name]
            for event in self._scenario["events"]
            for name in ("fname", "lname", "ufname", "ulname", "pubpid", "pc_title", "email")
        }
        pages = [answer.body for path, answer in self._answers if not path.startswith("/link")]
        for text in (self.log, *pages):
            assert not _COMPLAINT.search(text), text
            assert not _ROOM.search(text)
            assert not {word for word in secrets | people if word in text}


def blocks() -> dict[str, str]:
    """Return the page's PHP files, by where they lie below OpenEMR's modules."""
    found = re.findall(r"^```php\n(.*?)^```$", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    files: dict[str, str] = {}
    for block in found:
        named = re.search(rf"^// ({MODULE}/\S+): ", block, re.MULTILINE)
        assert named, block
        files[named[1]] = block
    assert len(files) == len(found)
    return files


def _write_files(folder: Path) -> None:
    for name, text in blocks().items():
        file = folder / _MODULES / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    shutil.copytree(CLIENT, folder / _MODULES / MODULE / "jitsi-tokens")
    (folder / "interface" / "globals.php").write_text("<?php openemr_standin_login();\n")
    (folder / "library").mkdir()
    (folder / "library" / "appointments.inc.php").write_text("<?php\n")

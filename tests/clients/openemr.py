"""The module of docs/openemr.md, run by PHP's own web server behind stand-ins of OpenEMR."""

from __future__ import annotations

import hashlib
import hmac
import html
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

from local_stack.emulator import ROOT
from tests.clients.php_caller import inherited, require_php

if TYPE_CHECKING:
    from collections.abc import Mapping

_STANDIN = Path(__file__).with_name("openemr_standin.php")
PACKAGE = ROOT / "clients" / "openemr" / "package.py"
MODULE = "interface/modules/custom_modules/oe-module-jitsi-tokens"
VISIT = f"/{MODULE}/public/visit.php"
WAITING = f"/{MODULE}/public/waiting.php"
PORTAL = f"/{MODULE}/public/portal.php"
CONFIG = f"/{MODULE}/moduleConfig.php"
# OpenEMR's own files that the module's scripts load.
_FILES = {
    "interface/globals.php": "<?php openemr_standin_globals();\n",
    "portal/verify_session.php": "<?php $pid = openemr_standin_verify($landingpage);\n",
    "library/appointments.inc.php": "<?php\n",
    "library/classes/postmaster.php": "<?php\n",
}
# Everything that PHP has to say, in the answer and in the log; its own zone is not the clinic's.
_TALKATIVE = {
    "error_reporting": "-1",
    "display_errors": "1",
    "log_errors": "1",
    "html_errors": "0",
    "zend.exception_ignore_args": "0",
    "zend.exception_string_param_max_len": "1000000",
    "date.timezone": "UTC",
    "opcache.enable": "0",  # a file that changed is seen at once
}
_COMPLAINT = re.compile(r"\b(Warning|Notice|Deprecated|(Fatal|Parse) error): ")
_SECONDS = 30

ZONE = "Etc/GMT+5"  # the same all year
CATEGORY = "16"
PROVIDER, EVENT, PATIENT = 7, "412", 90210


def visit(minutes: float = -5, zone: str = ZONE, **changes: Any) -> dict[str, Any]:
    """Return an appointment that begins so many minutes from now, of half an hour."""
    begin = datetime.now(ZoneInfo(zone)) + timedelta(minutes=minutes)
    return {
        "pc_eid": EVENT,
        "pc_catid": CATEGORY,
        "pc_multiple": "0",
        "pc_aid": str(PROVIDER),
        "pc_pid": str(PATIENT),
        "pc_time": "2026-01-31 12:00:00",
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
        "hipaa_allowemail": "YES",
        "language": "Spanish",
        "ufname": "Jane",
        "ulname": "Underhill",
    } | changes


def later(date: str, days: int) -> str:
    """Return the date so many days later."""
    return f"{datetime.fromisoformat(date) + timedelta(days=days):%Y-%m-%d}"


def begin_of(event: Mapping[str, Any], zone: str = ZONE) -> int:
    """Return when an appointment begins, in epoch seconds."""
    local = datetime.fromisoformat(f"{event['pc_eventDate']}T{event['pc_startTime']}")
    return int(local.replace(tzinfo=ZoneInfo(zone)).timestamp())


class Answer(NamedTuple):
    """What the browser gets."""

    status: int
    headers: dict[str, str]
    body: str


class OpenEmr:
    """Answers over HTTP as an OpenEMR with the module, whose database the tests fill."""

    def __init__(self, folder: Path, **variables: str) -> None:
        require_php()
        self.folder = folder
        self.module = folder / MODULE
        self._scenario_file = folder / "scenario.json"
        self._scenario: dict[str, Any] = {"root": str(folder)}
        self._log_file = folder / "log"
        self._log_begin = 0
        self._answers: list[Answer] = []
        for name, text in _FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        self.install()
        settings = [f"-d{name}={value}" for name, value in _TALKATIVE.items()]
        environment = inherited() | {"OPENEMR_STANDIN": str(self._scenario_file)}
        with self._log_file.open("w") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own files
                ["php", *settings, "-S", "127.0.0.1:0", str(_STANDIN)],  # noqa: S607
                stdout=log,
                stderr=log,
                env=environment | variables | {"PHP_CLI_SERVER_WORKERS": "2"},
                start_new_session=True,
            )

    def install(self) -> None:
        """Unpack the archive as a clinic does."""
        shutil.rmtree(self.module, ignore_errors=True)
        archive = self.folder / "module.zip"
        subprocess.run([sys.executable, PACKAGE, archive], check=True)  # noqa: S603 - our own
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(self.module.parent)

    def __enter__(self) -> Self:
        end = time.monotonic() + _SECONDS
        while not (said := re.search(r"http://127\.0\.0\.1:(\d+)\) started", self.log)):
            assert self._process.poll() is None, self.log
            assert time.monotonic() < end, self.log
            time.sleep(0.01)
        self._port = int(said[1])
        return self

    def __exit__(self, *_: object) -> None:
        # With its workers, which outlive it otherwise.
        os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait(_SECONDS)

    def begin(self, version: str, url: str, api_key: str) -> None:
        """Begin again: a version of OpenEMR, the provider signed in, and one visit."""
        self._log_begin = self._log_file.stat().st_size
        self._answers.clear()
        for name in ("audit", "mail", "sql", "done.json"):
            (self.folder / name).unlink(missing_ok=True)
        self._scenario |= {
            "version": version,
            "active": True,
            "user": PROVIDER,
            "pid": None,
            "acl": ["patients/appt"],
            "users": {"7": ["Jane", "Underhill"], "8": ["Ann", "Cover"]},
            "events": [visit()],
            "encrypted": ["jitsi_tokens_api_key"],
            "hidden": [],
            "mailer": None,
            "globals": {
                "gbl_time_zone": ZONE,
                "webroot": "/openemr",
                "unique_installation_id": "of this OpenEMR",
                "patient_reminder_sender_email": "clinic@example.org",
                "SMTP_SECURE": "tls",
                "jitsi_tokens_url": url,
                "jitsi_tokens_api_key": api_key,
                "jitsi_tokens_categories": CATEGORY,
                "jitsi_tokens_closing": "x % ^ ? ! > $",
                "jitsi_tokens_clinic": "Praxis",
                "jitsi_tokens_phone": "+43 1 2345678",
            },
        }

    def change(self, **changes: Any) -> None:
        """Change who is signed in (`user`, `pid`), what they may (`acl`), the `events`."""
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
        """What PHP has written to its log since it was begun again."""
        return self._log_file.read_bytes()[self._log_begin :].decode()

    def noted(self, file: str) -> list[Any]:
        """Return what went to OpenEMR's `audit`, `mail` or `sql`, the oldest first."""
        path = self.folder / file
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def done(self) -> dict[str, str]:
        """Return the module's table."""
        path = self.folder / "done.json"
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def dialog(self, query: str = "") -> str:
        """Return what the module shows in the appointment, opened on a date."""
        answer = self.ask("GET", f"/add_edit_event.php?eid={self.event['pc_eid']}&{query}")
        assert answer.status == 200
        return answer.body

    def fields(self) -> dict[str, str]:
        """Return what the dialog's buttons post, without the action."""
        [data] = re.findall('data-jitsi-tokens="([^"]*)"', self.dialog())
        fields: dict[str, str] = json.loads(html.unescape(data))
        return fields

    def press(self, action: str = "join", **changes: Any) -> Answer:
        """Post what a button does, but for the changes; None leaves a field out."""
        event = self.event
        token = csrf_token("of the staff")
        right = {"eid": event["pc_eid"], "date": event["pc_eventDate"], "csrf_token_form": token}
        return self.ask("POST", VISIT, right | {"action": action} | changes)

    def open_in_portal(self, **changes: Any) -> Answer:
        """Post what the card's button does, but for the changes."""
        event = self.event
        token = csrf_token("of the portal")
        right = {"eid": event["pc_eid"], "date": event["pc_eventDate"], "csrf_token_form": token}
        return self.ask("POST", PORTAL, right | changes)

    def ask(self, method: str, path: str, form: Mapping[str, Any] | None = None) -> Answer:
        """Ask as a browser does, that follows nothing."""
        # In one step: another request may read it.
        new = self._scenario_file.with_suffix(f".{threading.get_ident()}")
        new.write_text(json.dumps(self._scenario))
        new.replace(self._scenario_file)
        sent = {name: value for name, value in (form or {}).items() if value is not None}
        body = None if form is None else urllib.parse.urlencode(sent)
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        # What the browser opened last was the staff's login.
        headers["Cookie"] = "App=OpenEMR"
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        connection.request(method, path, body, headers)
        told = connection.getresponse()
        answer = Answer(told.status, dict(told.getheaders()), told.read().decode())
        connection.close()
        self._answers.append(answer)
        return answer

    def check_what_was_said(self) -> None:
        """Assert that PHP complained of nothing, and that no secret or name was told."""
        secrets = {"jtk_", "eyJ", self._scenario["globals"]["jitsi_tokens_api_key"]} - {""}
        people = {
            event[name]
            for event in self._scenario["events"]
            for name in ("lname", "pubpid", "pc_title", "pc_hometext", "email")
        }
        pages = [answer.body for answer in self._answers]
        audit = [line[3] for line in self.noted("audit")]
        for text in (self.log, *pages, *audit):
            assert not _COMPLAINT.search(text), text
            assert not {word for word in secrets | people if word in text}
        assert not [text for text in (self.log, *audit) if "jtv_" in text]


def csrf_token(key: str) -> str:
    """Return the CSRF token of a session, as OpenEMR makes it."""
    return hmac.new(key.encode(), b"default", hashlib.sha256).hexdigest()[:40]

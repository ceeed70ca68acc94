"""The scripts that people already call: the same calls, without the secret."""

from __future__ import annotations

import json
import shlex
import subprocess

import pytest

from tests.clients import unruly_server as unruly
from tests.clients.drop_ins import DROP_INS, PERSON, PYTHON_CLIENT, DropIn, python
from tests.clients.php_caller import CLIENT, inherited, php
from tests.clients.samples import API_KEY, MEETING, TOKEN, WELL
from tests.clients.unruly_server import UnrulyServer


@pytest.fixture(params=list(DROP_INS.values()), ids=list(DROP_INS))
def drop_in(request: pytest.FixtureRequest) -> DropIn:
    """Each of the two scripts."""
    chosen: DropIn = request.param
    return chosen


def test_the_command_prints_url_and_token(drop_in: DropIn) -> None:
    """With the arguments that it always had."""
    with UnrulyServer(WELL) as server:
        variables = {"JITSI_TOKENS_URL": server.url, "JITSI_TOKENS_API_KEY": API_KEY}
        doctor = drop_in.run(drop_in.script, *PERSON, drop_in.moderator, **variables)
        patient = drop_in.run(drop_in.script, *PERSON, **variables)

        for finished in (doctor, patient):
            assert finished.returncode == 0, finished.stderr
            assert MEETING["meetingUrl"] in finished.stdout.splitlines()[0]
            assert TOKEN in finished.stdout.splitlines()[1]
            assert not finished.stderr
        assert b'"isModerator":true' in server.received[0].body.replace(b" ", b"")
        assert b'"isModerator":false' in server.received[1].body.replace(b" ", b"")


@pytest.mark.parametrize(
    "arguments",
    [
        *((), ("room",), ("room", "name")),
        *((*PERSON, "perhaps"), (*PERSON, "true", "more"), (*PERSON, "--mod")),
    ],
)
def test_wrong_usage_says_how(drop_in: DropIn, arguments: tuple[str, ...]) -> None:
    """And is no moderator by mistake."""
    with UnrulyServer(WELL) as server:
        variables = {"JITSI_TOKENS_URL": server.url, "JITSI_TOKENS_API_KEY": API_KEY}
        finished = drop_in.run(drop_in.script, *arguments, **variables)

        assert finished.returncode == 2
        assert "usage" in finished.stderr.lower()
        assert not finished.stdout
        assert not server.received


def test_help_helps(drop_in: DropIn) -> None:
    """It names what has to be set."""
    finished = drop_in.run(drop_in.script, "--help")

    assert finished.returncode == 0
    for name in ("JITSI_TOKENS_URL", "JITSI_TOKENS_API_KEY", "JITSI_TOKENS_ID_KEY"):
        assert name in finished.stdout


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        (unruly.problem("forbidden", 403, "must be false.", "/isModerator"), 1),
        (unruly.problem("unauthorized", 401, "Send a key."), 1),
        (unruly.problem("unavailable", 503, "Later.", Retry_After="60"), 3),
    ],
)
def test_a_refusal_is_one_line(drop_in: DropIn, deed: unruly.Deed, code: int) -> None:
    """With an exit code that a script can act on, and no trace."""
    with UnrulyServer(deed) as server:
        variables = {"JITSI_TOKENS_URL": server.url, "JITSI_TOKENS_API_KEY": API_KEY}
        finished = drop_in.run(drop_in.script, *PERSON, **variables)

        assert finished.returncode == code
        assert len(finished.stderr.splitlines()) == 1
        assert not finished.stdout
        assert API_KEY not in finished.stderr
        assert PERSON[2] not in finished.stderr


def test_nothing_set_is_said(drop_in: DropIn) -> None:
    """The first thing that anybody meets."""
    finished = drop_in.run(drop_in.script, *PERSON)

    assert finished.returncode == 1
    assert "JITSI_TOKENS_URL" in finished.stderr


@pytest.mark.parametrize("output", ["> /dev/full", ">&-"])
def test_a_command_that_cannot_write_says_so(drop_in: DropIn, output: str) -> None:
    """In one line, and not by exit status 0."""
    with UnrulyServer(WELL) as server:
        variables = {
            "JITSI_TOKENS_URL": server.url,
            "JITSI_TOKENS_API_KEY": API_KEY,
            # libfaketime would take the closed descriptor for a file of its own.
            "LD_PRELOAD": "",
        }
        command = [drop_in.program, drop_in.script, *PERSON]
        finished = subprocess.run(  # noqa: S602 - our own line
            f"exec {shlex.join(command)} {output}",
            shell=True,
            stderr=subprocess.PIPE,
            text=True,
            env=inherited() | {"PYTHONPATH": str(PYTHON_CLIENT)} | variables,
            timeout=60,
            check=False,
        )

    assert finished.returncode == 1
    assert finished.stderr == "Standard output cannot be written.\n"


def test_the_python_script_takes_a_name_with_a_hyphen() -> None:
    """After two hyphens, as its README says; what looks like the option is a name then."""
    with UnrulyServer(WELL) as server:
        variables = {"JITSI_TOKENS_URL": server.url, "JITSI_TOKENS_API_KEY": API_KEY}
        finished = python(DROP_INS["python"].script, "--", "-visit", "--moderator", "", **variables)

        assert finished.returncode == 0, finished.stderr
        sent = json.loads(server.received[0].body)
    assert (sent["roomName"], sent["userName"]) == ("-visit", "--moderator")
    assert sent["isModerator"] is False


def test_every_php_file_is_valid() -> None:
    """By `php -l`."""
    files = sorted(CLIENT.rglob("*.php"))

    assert len(files) > 5
    for file in files:
        checked = php("-l", str(file))
        assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        *((text, True) for text in ("true", "1", "'true'", "'1'")),
        *((text, False) for text in ("false", "0", "'false'", "'0'", "''", "null")),
        *((text, None) for text in ("'doctor'", "2", "[]")),
    ],
)
def test_a_word_of_a_form_makes_no_moderator(given: str, sent: bool | None) -> None:  # noqa: FBT001
    """PHP takes 'false' for true: here it is false, and what is neither is refused."""
    script = f"""<?php
        require '{DROP_INS["php"].script}';
        try {{
            generate_jwt_token('room', 'name', '', {given});
        }} catch (JitsiTokens\\InvalidRequestException $error) {{
            echo $error->field;
        }}"""
    with UnrulyServer(WELL) as server:
        finished = php(JITSI_TOKENS_URL=server.url, JITSI_TOKENS_API_KEY=API_KEY, text=script)

        assert finished.returncode == 0, finished.stderr
        assert not finished.stderr
        if sent is None:
            assert finished.stdout == "/isModerator"
        else:
            assert json.loads(server.received[0].body)["isModerator"] is sent

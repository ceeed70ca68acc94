"""`jitsi-tokens token`: issue, inspect."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import msgspec
import pytest

from jitsi_tokens.core.clients import make_api_key
from jitsi_tokens.core.problems import FORBIDDEN, FieldError, Problem
from jitsi_tokens.core.rooms import meeting_url
from tests.integration.cli_world import APP_ID, HANGS_UP, Answer, World, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric import rsa

PERSON = ["--user-id", "7", "--user-name", "Dr. Roe", "--room", "visit-12"]
TOKEN = "eyJhbGciOiJSUzI1NiJ9.e30." + "s" * 300
ISSUED = {
    "token": TOKEN,
    "expiresAt": 1893456000,
    "notBefore": 1893452390,
    "meetingUrl": f"https://8x8.vc/app/visit-12#jwt=%22{TOKEN}%22",
    "roomName": "visit-12",
}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a stack whose service issues one token."""
    with running_world(monkeypatch) as world:
        world.service = Answer(200, json.dumps(ISSUED))
        yield world


@pytest.fixture
def api_key(world: World, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: ARG001 - clears it
    """Return the API key in the environment."""
    api_key = make_api_key()
    monkeypatch.setenv("JITSI_TOKENS_API_KEY", api_key)
    return api_key


def _sent(world: World) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(world.received[-1].body)
    return body


def test_issue_asks_the_stacks_service(world: World, api_key: str) -> None:
    """The request goes to the stack's address with the API key; what is printed can be copied."""
    result = world.run("token", "issue", *PERSON)

    request = world.received[-1]
    assert result.exit_code == 0
    assert request.path == "/v1/api/jitsi/jwt"
    assert request.headers["Authorization"] == f"Bearer {api_key}"
    assert _sent(world) == {
        "userId": "7",
        "userName": "Dr. Roe",
        "roomName": "visit-12",
        "isModerator": False,
    }
    assert result.stdout.splitlines() == [
        f"Meeting URL\t{ISSUED['meetingUrl']}",
        "Room\tvisit-12",
        "Valid from\t2029-12-31T22:59:50Z",
        "Valid until\t2030-01-01T00:00:00Z",
        f"Token\t{TOKEN}",
    ]


@pytest.mark.usefixtures("api_key")
def test_issue_sends_every_option(world: World) -> None:
    """Each option is a field of the contract; the service reads RFC 3339 itself."""
    options = ["--email", "roe@example.org", "--avatar", "https://example.org/roe.png"]
    limits = ["--moderator", "--expires-in", "900", "--not-before", "1893452400"]
    switches = ["--feature", "recording=true", "--feature", "lobby=false"]

    world.run("token", "issue", *PERSON, *options, *limits, *switches)

    assert _sent(world) == {
        "userId": "7",
        "userName": "Dr. Roe",
        "roomName": "visit-12",
        "userEmail": "roe@example.org",
        "userAvatar": "https://example.org/roe.png",
        "isModerator": True,
        "expirationSeconds": 900,
        "notBefore": 1893452400,
        "features": {"recording": True, "lobby": False},
    }
    world.run("token", "issue", *PERSON, "--not-before", "2030-01-01T00:00:00Z")
    assert _sent(world)["notBefore"] == "2030-01-01T00:00:00Z"


@pytest.mark.usefixtures("api_key")
def test_what_issue_prints_is_read_by_the_others(world: World) -> None:
    """Piped as it is, or as JSON, which is the service's answer."""
    people = world.run("token", "issue", *PERSON).stdout
    script = world.run("token", "issue", *PERSON, "--json").stdout

    assert json.loads(script) == ISSUED
    for printed in (people, script):
        inspected = world.run("token", "inspect", "-", "--json", typed=printed, stack=False)
        explained = world.run("token", "explain", "-", "--json", typed=printed, stack=False)
        assert json.loads(inspected.stdout)["header"] == {"alg": "RS256"}
        assert json.loads(explained.stdout)["rules"][0]["found"] == '"8x8.vc", "app"'


@pytest.mark.usefixtures("api_key")
@pytest.mark.parametrize("can_open", [True, False])
def test_issue_opens_the_meeting(
    world: World, monkeypatch: pytest.MonkeyPatch, *, can_open: bool
) -> None:
    """The link is printed only where no browser takes it."""
    opened: list[str] = []

    def browse(url: str) -> bool:
        opened.append(url)
        return can_open

    monkeypatch.setattr("webbrowser.open", browse)

    result = world.run("token", "issue", *PERSON, "--open")
    with_json = world.run("token", "issue", *PERSON, "--open", "--json")

    assert opened == [ISSUED["meetingUrl"]]
    assert result.exit_code == 0
    assert (TOKEN in result.output) is not can_open
    assert "Valid until\t2030-01-01T00:00:00Z\n" in result.stdout
    assert ("opens in your browser" in result.stderr) is can_open
    assert with_json.exit_code == 2


@pytest.mark.usefixtures("api_key")
def test_issue_needs_no_stack_with_a_url(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """--url and JITSI_TOKENS_URL name the service; no proxy sees a key over plain http."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    by_option = world.run("token", "issue", *PERSON, "--url", f"{world.url}/a/", stack=False)
    monkeypatch.setenv("JITSI_TOKENS_URL", f" {world.url}/b/api/jitsi/jwt?c=d\n")
    by_environment = world.run("token", "issue", *PERSON, stack=False)

    assert (by_option.exit_code, by_environment.exit_code) == (0, 0)
    paths = [request.path for request in world.received]
    assert paths == ["/a/api/jitsi/jwt", "/b/api/jitsi/jwt"]


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://example.org", "must be https"),
        ("http://10.0.0.1/v1", "must be https"),
        ("http://localhost.example.org", "must be https"),
        ("ftp://example.org", "must begin with https://"),
        ("example.org/v1", "must begin with https://"),
        ("https://me:hunter2@example.org", "user name or password"),
        ("https://example.org/?a=b", "leave out ?"),
        ("https://[::1", "malformed"),
        ("https://example.org:port", "malformed"),
    ],
)
def test_issue_refuses_where_an_api_key_must_not_go(
    world: World, api_key: str, url: str, sentence: str
) -> None:
    """Nothing is sent in the clear, and the address is not repeated."""
    result = world.run("token", "issue", *PERSON, "--url", url)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "hunter2" not in result.output
    assert api_key not in result.output
    assert world.received == []


def test_issue_finds_the_api_key(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In the file that a variable names, as a container's secrets are mounted, or by asking."""
    in_file, typed = make_api_key(), make_api_key()
    (tmp_path / "key").write_text(f"\ufeff{in_file}\n")

    nowhere = world.run("token", "issue", *PERSON)
    world.at_a_terminal()
    asked = world.run("token", "issue", *PERSON, typed=f"{typed}\n")
    by_prompt = world.received[-1].headers["Authorization"]
    monkeypatch.setenv("JITSI_TOKENS_API_KEY_FILE", str(tmp_path / "key"))
    world.run("token", "issue", *PERSON)
    by_file = world.received[-1].headers["Authorization"]

    assert nowhere.exit_code == 1
    assert "Set JITSI_TOKENS_API_KEY" in nowhere.stderr
    assert (by_prompt, by_file) == (f"Bearer {typed}", f"Bearer {in_file}")
    assert typed not in asked.output


def test_issue_refuses_what_is_no_api_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped API key is not sent, and not repeated."""
    mistyped = make_api_key()[:-1] + "-"
    monkeypatch.setenv("JITSI_TOKENS_API_KEY", mistyped)

    result = world.run("token", "issue", *PERSON)

    assert result.exit_code == 1
    assert "no API key of jitsi-tokens" in result.stderr
    assert mistyped not in result.output


@pytest.mark.usefixtures("api_key")
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--feature", "recording"], "NAME=true or NAME=false"),
        (["--feature", "recording=yes"], "NAME=true or NAME=false"),
        (["--feature", "flip=true", "--feature", "flip=false"], "given twice"),
    ],
)
def test_issue_refuses_unclear_features(world: World, options: list[str], sentence: str) -> None:
    """A switch is on or off, and named once."""
    result = world.run("token", "issue", *PERSON, *options)

    assert result.exit_code == 2
    assert sentence in result.stderr


@pytest.mark.usefixtures("api_key")
def test_issue_shows_a_problem(world: World) -> None:
    """A refusal is shown with title, detail and fields, and cannot act on the terminal."""
    field = FieldError("/roomName", "is outside\x1b[2J the rooms.")
    problem = Problem(FORBIDDEN, "roomName is outside.", errors=[field])
    world.service = Answer(403, json.dumps(msgspec.to_builtins(problem.details())))

    result = world.run("token", "issue", *PERSON)

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "Error: The client's policy does not allow this (HTTP 403)\n"
        "  roomName is outside.\n"
        "  /roomName: is outside\\x1b[2J the rooms.\n"
    )


@pytest.mark.usefixtures("api_key")
@pytest.mark.parametrize(
    ("answer", "code", "sentence"),
    [
        (Answer(502, "<html>"), 3, "answered HTTP 502 without saying why"),
        (Answer(429, "{}"), 3, "answered HTTP 429 without saying why"),
        (Answer(302, "", (("Location", "https://example.org"),)), 1, "answered HTTP 302"),
        (Answer(200, "{}"), 1, "answer does not come from jitsi-tokens"),
        (HANGS_UP, 3, "127.0.0.1 does not answer (RemoteProtocolError)"),
    ],
)
def test_issue_explains_an_answer_that_is_none(
    world: World, answer: Answer, code: int, sentence: str
) -> None:
    """One sentence, and 3 where it is worth trying again."""
    world.service = answer

    result = world.run("token", "issue", *PERSON)

    assert result.exit_code == code
    assert sentence in result.stderr


def _claims(**claims: Any) -> dict[str, Any]:
    now = int(time.time())
    user = {"id": "7", "name": "Dr. Roe", "moderator": "true"}
    return {
        "aud": "jitsi",
        "room": "visit-12",
        "iat": now,
        "nbf": now - 10,
        "exp": now + 3700,
        "context": {"user": user, "features": {}},
        **claims,
    }


@pytest.fixture
def token(world: World, rsa_key: rsa.RSAPrivateKey, rsa_pem: str) -> str:
    """Return a token of the stack's key."""
    kid = f"{APP_ID}/abc"
    world.store({"algorithm": "RS256", "kid": kid, "private_key": rsa_pem})
    return jwt.encode(_claims(), rsa_key, "RS256", {"kid": kid})


def test_inspect_shows_what_a_token_says(world: World, token: str) -> None:
    """Names and values, nested names joined, times readable."""
    result = world.run("token", "inspect", typed=f"{token}\n", stack=False)

    facts = dict(line.split("\t") for line in result.stdout.splitlines())
    assert result.exit_code == 0
    assert facts["header.kid"] == f"{APP_ID}/abc"
    assert facts["context.user.name"] == "Dr. Roe"
    assert facts["context.features"] == "{}"
    assert facts["exp"].endswith("Z)")
    assert facts["Valid now"].startswith("yes, for 1 h 01 min")
    assert facts["Signature"].startswith("NOT checked")


def test_inspect_checks_the_signature_with_a_stack(
    world: World, token: str, rsa_key: rsa.RSAPrivateKey, rsa_pool: list[rsa.RSAPrivateKey]
) -> None:
    """The stack's key decides, and no other algorithm fools it."""
    forged = jwt.encode(_claims(), rsa_pool[0], "RS256", jwt.get_unverified_header(token))
    misnamed = jwt.encode(_claims(), rsa_key, "RS256", {"kid": f"{APP_ID}/other"})
    unsigned = jwt.encode(_claims(), "", "none")

    for text, code, word in (
        (token, 0, "verified"),
        (misnamed, 0, "verified-other-key-id"),
        (forged, 1, "failed"),
        (unsigned, 1, "failed"),
    ):
        result = world.run("token", "inspect", text, "--json")
        assert (result.exit_code, json.loads(result.stdout)["signature"]) == (code, word)
        assert result.stderr.startswith("Signature: The stack's current key")


def test_inspect_needs_a_key_to_check_with(world: World) -> None:
    """A stack without a key cannot check."""
    result = world.run("token", "inspect", TOKEN)

    assert result.exit_code == 1
    assert "has no signing key to check with" in result.stderr


@pytest.mark.parametrize("placement", ["fragment", "query"])
def test_inspect_reads_links_and_files(
    world: World, token: str, tmp_path: Path, placement: Any
) -> None:
    """A file, which PowerShell may have written, keeps the token out of the shell's history."""
    url = meeting_url("8x8.vc", APP_ID, "visit-12", token, placement)
    (tmp_path / "utf-8.txt").write_text(f'See "{url}"\n')
    (tmp_path / "utf-16.txt").write_text(f"{url}\r\n", encoding="utf-16")
    world.at_a_terminal()

    by_stdin = world.run("token", "inspect", "--json", typed=f"{url}\n", stack=False)
    for source in (url, str(tmp_path / "utf-8.txt"), str(tmp_path / "utf-16.txt")):
        result = world.run("token", "inspect", source, "--json", stack=False)
        assert result.stdout.partition("validNow")[0] == by_stdin.stdout.partition("validNow")[0]

    answer = json.loads(by_stdin.stdout)
    assert "Ctrl-D" in by_stdin.stderr
    assert answer["claims"]["room"] == "visit-12"
    assert (answer["validNow"], answer["signature"]) == (True, "unchecked")


@pytest.mark.parametrize(
    ("source", "typed", "sentence"),
    [
        ("-", "hello", "There is no token"),
        ("-", "", "There is no token"),
        ("-", "eyJub3QganNvbg.e30.c2ln", "not JSON objects"),
        ("-", "eyJhIjoxfQ.WzFd.c2ln", "not JSON objects"),
        ("-", "eyJhIjoxfQ.A.c2ln", "not JSON objects"),
        ("-", f"{TOKEN} eyJhIjoxfQ.e30.c2ln", "several tokens that differ"),
        ("eyJhIjoxfQ.e30", None, "The token is incomplete"),
        ("https://8x8.vc/app/room", None, "The link holds no token"),
        ("no-such-file", None, "No such file"),
    ],
)
def test_what_is_no_token_is_refused(
    world: World, source: str, typed: str | None, sentence: str
) -> None:
    """By inspect and explain alike, with a sentence that repeats none of it."""
    for command in ("inspect", "explain"):
        result = world.run("token", command, source, typed=typed, stack=False)

        assert result.exit_code == 1
        assert sentence in result.stderr
        assert "eyJ" not in result.output


def test_inspect_disarms_control_characters(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """A token is untrusted: its claims cannot act on the terminal or as markup."""
    token = jwt.encode(_claims(room="\x1b]0;x\x07[bold]\u202e"), rsa_key, "RS256")

    result = world.run("token", "inspect", token, stack=False)

    assert "\\x1b]0;x\\x07[bold]\\u202e" in result.stdout
    assert "\x1b" not in result.stdout

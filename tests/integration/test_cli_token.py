"""`jitsi-tokens token`: issue, inspect."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from jitsi_tokens.core.clients import make_api_key
from jitsi_tokens.core.problems import FORBIDDEN, FieldError, Problem
from jitsi_tokens.core.rooms import meeting_url
from tests.integration.cli_world import APP_ID, HANGS_UP, Answer, World, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    """The request goes to the stack's address with the API key, and holds what was given."""
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


@pytest.mark.usefixtures("api_key")
def test_issue_sends_every_option(world: World) -> None:
    """Each option is a field of the contract."""
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


@pytest.mark.usefixtures("api_key")
def test_issue_sends_a_time_of_the_calendar_as_it_is(world: World) -> None:
    """The service reads RFC 3339 itself."""
    world.run("token", "issue", *PERSON, "--not-before", "2030-01-01T00:00:00Z")

    assert _sent(world)["notBefore"] == "2030-01-01T00:00:00Z"


@pytest.mark.usefixtures("api_key")
def test_issue_prints_address_times_and_token(world: World) -> None:
    """Long lines are not broken: they are copied."""
    result = world.run("token", "issue", *PERSON)

    assert f"Meeting URL: {ISSUED['meetingUrl']}\n" in result.stdout
    assert f"Token:       {TOKEN}\n" in result.stdout
    assert "Valid from:  2029-12-31T22:59:50Z\n" in result.stdout
    assert "Valid until: 2030-01-01T00:00:00Z\n" in result.stdout


@pytest.mark.usefixtures("api_key")
def test_issue_has_json_for_scripts(world: World) -> None:
    """--json is the service's answer."""
    assert json.loads(world.run("token", "issue", *PERSON, "--json").stdout) == ISSUED


@pytest.mark.usefixtures("api_key")
def test_issue_needs_no_stack_with_a_url(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """--url and JITSI_TOKENS_URL stand for the stack's address."""
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
        ("ftp://example.org", "begins with https://"),
        ("example.org/v1", "begins with https://"),
        ("https://me:hunter2@example.org", "user name or password"),
        ("https://example.org/?a=b", "what follows ?"),
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


@pytest.mark.usefixtures("api_key")
def test_issue_over_loopback_passes_no_proxy(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would see an API key that goes over plain http."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    result = world.run("token", "issue", *PERSON, "--url", world.url)

    assert result.exit_code == 0


def test_issue_reads_the_api_key_from_a_file(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """JITSI_TOKENS_API_KEY_FILE names a file, as a container's secrets are mounted."""
    api_key = make_api_key()
    (tmp_path / "key").write_text(f"\ufeff{api_key}\n")
    monkeypatch.setenv("JITSI_TOKENS_API_KEY_FILE", str(tmp_path / "key"))

    world.run("token", "issue", *PERSON)

    assert world.received[-1].headers["Authorization"] == f"Bearer {api_key}"


def test_issue_asks_for_the_api_key(world: World) -> None:
    """At a terminal the API key is asked for, and not shown."""
    api_key = make_api_key()
    world.at_a_terminal()

    result = world.run("token", "issue", *PERSON, typed=f"{api_key}\n")

    assert world.received[-1].headers["Authorization"] == f"Bearer {api_key}"
    assert api_key not in result.output


def test_issue_without_an_api_key_says_where_it_comes_from(world: World) -> None:
    """A script is told which variables to set."""
    result = world.run("token", "issue", *PERSON)

    assert result.exit_code == 1
    assert "Set JITSI_TOKENS_API_KEY" in result.stderr


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
        (Answer(200, "{}"), 1, "answer is not that of jitsi-tokens"),
        (HANGS_UP, 3, "127.0.0.1 does not answer (RemoteProtocolError)"),
    ],
)
def test_issue_explains_an_answer_that_is_none(
    world: World, answer: Answer, code: int, sentence: str
) -> None:
    """Whatever stands in the way of the service is one sentence, and 3 where it may go away."""
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
    """Header and claims are tables, with nested names joined and times readable."""
    result = world.run("token", "inspect", typed=f"{token}\n", stack=False)

    assert result.exit_code == 0
    for text in (f"{APP_ID}/abc", "context.user.name", "Dr. Roe", "context.features", "Z)"):
        assert text in result.stdout
    assert "Valid now: yes, for 1 h 01 min" in result.stdout
    assert "The signature was NOT checked" in result.stdout


def test_inspect_checks_the_signature_with_a_stack(world: World, token: str) -> None:
    """With --stack-name the stack's key decides."""
    result = world.run("token", "inspect", token)

    assert result.exit_code == 0
    assert "The signature is that of the stack's present key." in result.stdout


def test_inspect_exits_with_1_where_the_signature_fails(world: World, token: str) -> None:
    """Another key's token is shown, and told to be one."""
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    forged = jwt.encode(_claims(), other, "RS256", jwt.get_unverified_header(token))

    result = world.run("token", "inspect", forged)

    assert result.exit_code == 1
    assert "Dr. Roe" in result.stdout
    assert "is not that of the stack's present key" in result.stdout


@pytest.mark.usefixtures("token")
def test_inspect_is_not_fooled_by_another_algorithm(world: World) -> None:
    """A token without signature, or one keyed with the public key, fails."""
    unsigned = jwt.encode(_claims(), "", "none")

    assert world.run("token", "inspect", unsigned).exit_code == 1


@pytest.mark.usefixtures("token")
def test_inspect_tells_a_kid_that_does_not_fit(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """The right key under a wrong id is what Jitsi refuses without saying why."""
    misnamed = jwt.encode(_claims(), rsa_key, "RS256", {"kid": f"{APP_ID}/other"})

    result = world.run("token", "inspect", misnamed, "--json")

    assert json.loads(result.stdout)["signature"] == "verified-other-key-id"
    assert "names another key id" in result.stderr


def test_inspect_needs_a_key_to_check_with(world: World) -> None:
    """A stack without a key cannot check."""
    result = world.run("token", "inspect", TOKEN)

    assert result.exit_code == 1
    assert "has no signing key to check with" in result.stderr


@pytest.mark.parametrize("placement", ["fragment", "query"])
def test_inspect_takes_meeting_urls(world: World, token: str, placement: Any) -> None:
    """A token is found in a meeting's address, in its fragment or its query."""
    url = meeting_url("8x8.vc", APP_ID, "visit-12", token, placement)

    by_argument = world.run("token", "inspect", url, "--json", stack=False)
    by_stdin = world.run("token", "inspect", "--json", typed=f"{url}\n", stack=False)

    for result in (by_argument, by_stdin):
        assert json.loads(result.stdout)["claims"]["room"] == "visit-12"


def test_inspect_reads_files(world: World, token: str, tmp_path: Path) -> None:
    """A file keeps the token out of the shell's history."""
    (tmp_path / "token.txt").write_text(f'"{token}"\n')

    result = world.run("token", "inspect", str(tmp_path / "token.txt"), "--json", stack=False)

    answer = json.loads(result.stdout)
    assert answer["header"]["alg"] == "RS256"
    assert answer["validNow"] is True
    assert answer["signature"] == "unchecked"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("hello", "neither a JWT nor a meeting URL"),
        ("", "neither a JWT nor a meeting URL"),
        ("eyJub3QganNvbg.e30.c2ln", "not JSON objects"),
        ("eyJhIjoxfQ.WzFd.c2ln", "not JSON objects"),
        ("eyJhIjoxfQ.A.c2ln", "not JSON objects"),
    ],
)
def test_inspect_refuses_what_is_no_jwt(world: World, typed: str, sentence: str) -> None:
    """What cannot be read as a token exits with 1."""
    result = world.run("token", "inspect", typed=typed, stack=False)

    assert result.exit_code == 1
    assert sentence in result.stderr


def test_inspect_refuses_urls_and_files_without_a_token(world: World) -> None:
    """An address without a token, and a file that is not there, are told apart."""
    url = world.run("token", "inspect", "https://8x8.vc/app/room", stack=False)
    file = world.run("token", "inspect", "no-such-file", stack=False)

    assert "none follows jwt=" in url.stderr
    assert "No such file" in file.stderr


def test_inspect_disarms_control_characters(world: World, rsa_key: rsa.RSAPrivateKey) -> None:
    """A token is untrusted: its claims cannot act on the terminal or as markup."""
    token = jwt.encode(_claims(room="\x1b]0;x\x07[bold]\u202e"), rsa_key, "RS256")

    result = world.run("token", "inspect", token, stack=False)

    assert "\\x1b]0;x\\x07[bold]\\u202e" in result.stdout
    assert "\x1b" not in result.stdout

"""What `make run` does with a deployed stack: a key, a client, two tokens, shown."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, assert_never

import httpx

from jitsi_tokens.core.clients import digest
from local_stack.commands import CommandFailure, Commands
from local_stack.emulator import LOCAL
from local_stack.rotation import rotate
from local_stack.steps import step

if TYPE_CHECKING:
    from jitsi_tokens.core.keys import Trust
    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator

CLIENT = "openemr"
_POLICY = (
    *("--any-room", "--moderator", "--diagnostics", "--visits"),
    *("--feature", "moderation", "--feature", "recording", "--feature", "livestreaming"),
    *("--feature", "transcription", "--feature", "screen-sharing", "--feature", "lobby"),
)
_ROOM = "session-123"
_DOCTOR = {
    "userId": "user-123",
    "userName": "Dr. Jane Smith",
    "userEmail": "dr.smith@clinic.example",
    "roomName": _ROOM,
    "isModerator": True,
    "expirationSeconds": 3600,
    "features": {"livestreaming": False, "recording": False, "moderation": True},
}
_PATIENT = {"userId": "user-456", "userName": "John Doe", "roomName": _ROOM}
_ROLES = {"doctor": "moderator", "patient": "guest"}
_BIN = LOCAL / "venv" / "bin"
_NEXT = """
Next:
  . .local/stack.env     address, API key and jitsi-tokens for this shell
  jitsi-tokens doctor
  jitsi-tokens token issue --room visit-12 --user-id 7 --user-name 'Dr. Roe'
  jitsi-tokens client list
  jitsi-tokens client revoke openemr
{rerun}
  make stop              stops the emulator; keys and clients are kept

VERBOSE=1 shows claims and whole links. README.md has the same call by curl."""

_RERUN: dict[Trust, str] = {
    "console": "  make run               deploys what changed",
    "shared": "  make run PROVIDER=self-hosted    deploys what changed",
    "published": "  make rotate            replaces the signing key\n"
    "  make run PROVIDER=self-hosted ALGORITHM=RS256    deploys what changed",
}


class DemonstrationFailure(RuntimeError):
    """A step did not do what it should; the text holds what it answered."""


def demonstrate(emulator: Emulator, stack: Stack, *, verbose: bool = False) -> None:
    """Give the stack a key and a client where it has none, then issue and show two tokens."""
    commands = Commands(emulator, stack)
    with step("signing key") as making:
        making.told = _ensure_key(emulator, stack, commands)
    with step(f"client {CLIENT}") as adding:
        api_key, adding.told = _ensure_client(commands, stack)
    _write_environment(emulator, stack, api_key)
    links = {}
    for person, body in (("doctor", _DOCTOR), ("patient", _PATIENT)):
        with step(f"{person}'s token") as issuing:
            issued = _issue(stack, api_key, body)
            issuing.told = f"room {_ROOM}, {_ROLES[person]}"
        links[person] = issued["meetingUrl"]
        if verbose:
            print(commands.run("token", "inspect", "-", text=issued["token"]))
    _show_end(stack, links, verbose=verbose)


def _ensure_key(emulator: Emulator, stack: Stack, commands: Commands) -> str:
    try:
        commands.run("key", "check")
    except CommandFailure:
        match stack.trust:
            case "console" | "shared":
                commands.run("key", "create", "--kid", "local")
            case "published":
                # The first key, or one in place of a key that is not published.
                for _ in rotate(emulator, stack):
                    pass
            case _:
                assert_never(stack.trust)
        commands.run("key", "check")
        return "made, and checked"
    return "kept, and checked"


def _ensure_client(commands: Commands, stack: Stack) -> tuple[str, str]:
    """Return an API key of the client, and what was done for it."""
    api_key = _remembered_api_key(stack)
    # The authorizer remembers a revoked key for a while: the table is what counts.
    listed = json.loads(commands.run("client", "list", "--json"))
    if api_key and any(
        key["digest"] == digest(api_key) for entry in listed for key in entry["keys"]
    ):
        return api_key, "kept, with its API key"
    if any(entry["client"] == CLIENT for entry in listed):
        answer, told = commands.run("client", "add", CLIENT, "--json"), "one more API key"
    else:
        answer, told = commands.run("client", "add", CLIENT, *_POLICY, "--json"), "added"
    return str(json.loads(answer)["apiKey"]), told


def _remembered_api_key(stack: Stack) -> str | None:
    try:
        lines = (LOCAL / f"{stack.name}.env").read_text().splitlines()
    except FileNotFoundError:
        return None
    prefix = "export JITSI_TOKENS_API_KEY="
    return next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), None)


def _write_environment(emulator: Emulator, stack: Stack, api_key: str) -> None:
    variables = {
        "JITSI_TOKENS_URL": stack.url,
        "JITSI_TOKENS_API_KEY": api_key,
        "JITSI_TOKENS_STACK_NAME": stack.name,
        **emulator.environment(),
    }
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    # Sourced again, it does not make PATH longer.
    text += f'case ":$PATH:" in *":{_BIN}:"*) ;; *) export PATH="{_BIN}:$PATH" ;; esac\n'
    for name in (stack.name, "stack"):
        path = LOCAL / f"{name}.env"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text)


def _issue(stack: Stack, api_key: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(
        f"{stack.url}/api/jitsi/jwt", json=body, headers=_bearer(api_key), timeout=30
    )
    if answer.is_error:
        raise DemonstrationFailure(f"HTTP {answer.status_code}: {answer.text}")
    issued: dict[str, Any] = answer.json()
    return issued


def _bearer(api_key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"}


def _show_end(stack: Stack, links: dict[str, str], *, verbose: bool) -> None:
    print()
    for person, link in links.items():
        page, _, token = link.partition("=")
        print(f"The {person} joins at {link if verbose else f'{page}={token[:12]}...'}")
    print(_NEXT.format(rerun=_RERUN[stack.trust]), flush=True)

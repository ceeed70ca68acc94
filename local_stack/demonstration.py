"""What `make run` does with a deployed stack: a key, a client, two tokens, shown."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, assert_never

import httpx

from local_stack.commands import CommandFailure, Commands
from local_stack.emulator import LOCAL
from local_stack.rotation import rotate

if TYPE_CHECKING:
    from local_stack.deployment import Stack
    from local_stack.emulator import Emulator

CLIENT = "openemr"
_POLICY = (
    *("--any-room", "--moderator", "--diagnostics"),
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
_UNAUTHORIZED = 401


class DemonstrationFailure(RuntimeError):
    """A step did not do what it should; the text holds what it answered."""


def say(text: str) -> None:
    """Say what happens now."""
    print(f"==> {text}", flush=True)


def demonstrate(emulator: Emulator, stack: Stack) -> None:
    """Give the stack a key and a client where it has none, then issue and show two tokens."""
    commands = Commands(emulator, stack)
    _ensure_key(emulator, stack, commands)
    api_key = _ensure_client(commands, stack)
    _write_environment(emulator, stack, api_key)
    probe = httpx.get(f"{stack.url}/api/jitsi/jwt", timeout=30)
    say(f"GET /api/jitsi/jwt answers {probe.text}")
    for person, body in (("doctor", _DOCTOR), ("patient", _PATIENT)):
        say(f"POST /api/jitsi/jwt for a {person}")
        _show(commands, person, _issue(stack, api_key, body))
    _show_commands(stack)


def _ensure_key(emulator: Emulator, stack: Stack, commands: Commands) -> None:
    try:
        commands.run("key", "show", "--json")
    except CommandFailure:
        match stack.trust:
            case "console" | "shared":
                say("jitsi-tokens key create --kid local")
                commands.run("key", "create", "--kid", "local")
            case "published":
                for step in rotate(emulator, stack):
                    say(f"the first rotation: {step}")
            case _:
                assert_never(stack.trust)
    else:
        say("the stack has a signing key: kept")
    commands.run("key", "check")


def _ensure_client(commands: Commands, stack: Stack) -> str:
    api_key = _remembered_api_key(stack)
    if api_key and _probe_with(stack, api_key) != _UNAUTHORIZED:
        say(f"client {CLIENT}: kept, with its API key from .local/{stack.name}.env")
        return api_key
    listed = json.loads(commands.run("client", "list", "--json"))
    if any(entry["client"] == CLIENT for entry in listed):
        say(f"jitsi-tokens client add {CLIENT} (a further API key: the earlier one is not here)")
        answer = commands.run("client", "add", CLIENT, "--json")
    else:
        say(shlex.join(("jitsi-tokens", "client", "add", CLIENT, *_POLICY)))
        answer = commands.run("client", "add", CLIENT, *_POLICY, "--json")
    return str(json.loads(answer)["apiKey"])


def _remembered_api_key(stack: Stack) -> str | None:
    try:
        lines = (LOCAL / f"{stack.name}.env").read_text().splitlines()
    except FileNotFoundError:
        return None
    prefix = "export JITSI_TOKENS_API_KEY="
    return next((line.removeprefix(prefix) for line in lines if line.startswith(prefix)), None)


def _probe_with(stack: Stack, api_key: str) -> int:
    return httpx.get(
        f"{stack.url}/api/jitsi/diagnostics", headers=_bearer(api_key), timeout=30
    ).status_code


def _write_environment(emulator: Emulator, stack: Stack, api_key: str) -> None:
    variables = {
        "JITSI_TOKENS_URL": stack.url,
        "JITSI_TOKENS_API_KEY": api_key,
        "JITSI_TOKENS_STACK_NAME": stack.name,
        **emulator.environment(),
    }
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    for name in (stack.name, "stack"):
        path = LOCAL / f"{name}.env"
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text)
    say("wrote .local/stack.env: source it for curl, for jitsi-tokens and for your own scripts")


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


def _show(commands: Commands, person: str, issued: dict[str, Any]) -> None:
    print(commands.run("token", "inspect", "-", text=issued["token"]))
    print(f"The {person} joins at:\n{issued['meetingUrl']}\n", flush=True)


def _show_commands(stack: Stack) -> None:
    body = json.dumps(_PATIENT)
    print(
        f"""Do it again by hand ({stack.name}):

  . .local/stack.env
  curl -s "$JITSI_TOKENS_URL/api/jitsi/jwt"
  curl -s "$JITSI_TOKENS_URL/api/jitsi/jwt" \\
    -H "Authorization: Bearer $JITSI_TOKENS_API_KEY" -H "Content-Type: application/json" \\
    -d '{body}'
  curl -s "$JITSI_TOKENS_URL/api/jitsi/diagnostics" \\
    -H "Authorization: Bearer $JITSI_TOKENS_API_KEY"
  .local/venv/bin/jitsi-tokens --help

make stop ends the local stack; make run brings it back with its keys and clients.""",
        flush=True,
    )

"""What `make run` does with a deployed stack: a key, a client, a token, a visit."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

import httpx

from jitsi_tokens.core.clients import digest
from local_stack.commands import CommandFailure, Commands
from local_stack.emulator import LOCAL
from local_stack.rotation import rotate
from local_stack.steps import Failure, step

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
_TOKEN = {
    "userId": "user-123",
    "userName": "Dr. Jane Smith",
    "userEmail": "dr.smith@clinic.example",
    "roomName": "session-123",
    "isModerator": True,
    "expirationSeconds": 3600,
    "features": {"livestreaming": False, "recording": False, "moderation": True},
}
_VISIT = {
    "durationMinutes": 30,
    "contact": {"name": "Clinic Dr. Smith", "phone": "+1 202 555 0123"},
    "participants": [
        {"participantId": "doctor", "userName": "Dr. Jane Smith", "isModerator": True},
        {"participantId": "patient", "userName": "John Doe"},
    ],
}
_BIN = LOCAL / "venv" / "bin"
_END = """
A visit is open. Join it from both sides, {where}

1. Be the patient. Open this link in a browser, and wait there:
  {link}

2. Be the doctor. This opens the room, as a button in the health record does:
  . .local/stack.env     # URL, API key and jitsi-tokens for this shell
  jitsi-tokens visit join demo doctor --open

3. The patient's page now offers "Join now".

Next:
  jitsi-tokens visit show demo
  jitsi-tokens doctor
  jitsi-tokens token issue --room visit-12 --user-id 7 --user-name 'Dr. Roe'
  jitsi-tokens client list
{rotate}  make run, same options   deploys what changed, and opens the visit again
  make stop                stops the stack, and keeps keys, clients and visits

`make run VERBOSE=1` also prints a token's claims. docs/api.md has a request with curl."""

_ROTATE = "  make rotate              replaces the signing key\n"
# What to do before a real Jitsi accepts the tokens.
_NEEDS: dict[Trust, str] = {
    "console": "Upload the public key to 8x8 first: docs/keys.md.",
    "shared": "First set it up with `jitsi-tokens jitsi-config`.",
    "published": "First set it up with `jitsi-tokens jitsi-config`. It must reach this machine.",
}


def demonstrate(
    emulator: Emulator, stack: Stack, *, real_jitsi: str = "", verbose: bool = False
) -> None:
    """Give the stack a key and a client where it has none, issue a token, and put a visit.

    `real_jitsi`: the domain of the Jitsi that takes the tokens, where it is not the stand-in.
    """
    commands = Commands(emulator, stack)
    with step("signing key") as making:
        making.told = _ensure_key(emulator, stack, commands)
    with step(f"client {CLIENT}") as adding:
        api_key, adding.told = _ensure_client(commands, stack)
    _write_environment(emulator, stack, api_key)
    with step("a doctor's token") as issuing:
        issued = _ask(stack, api_key, "POST", "jitsi/jwt", _TOKEN)
        issuing.told = f"room {issued['roomName']}"
    if verbose:
        print(commands.run("token", "inspect", "-", text=issued["token"]))
    with step("visit demo") as putting:
        state = _put_visit(stack, api_key)["state"]
        closes = datetime.fromtimestamp(state["closesAt"], UTC).astimezone()
        putting.told = f"{state['status']}, until {closes:%H:%M}"
    [link] = [each["link"] for each in state["participants"] if "link" in each]
    where = f"at {real_jitsi}.\n{_NEEDS[stack.trust]}" if real_jitsi else "on this machine."
    rotate_line = _ROTATE if stack.trust == "published" else ""
    print(_END.format(where=where, link=link, rotate=rotate_line), flush=True)


def _ensure_key(emulator: Emulator, stack: Stack, commands: Commands) -> str:
    try:
        commands.run("key", "check")
    except CommandFailure:
        match stack.trust:
            case "console" | "shared":
                commands.run("key", "create", "--kid", "local")
            case "published":
                # The first key, or one that replaces a key that is not published.
                for _ in rotate(emulator, stack):
                    pass
            case _:
                assert_never(stack.trust)
        commands.run("key", "check")
        return "made, and checked"
    return "kept, and checked"


def _ensure_client(commands: Commands, stack: Stack) -> tuple[str, str]:
    """Return an API key of the client, and what was done for it."""
    api_key = _remembered(stack.name, "JITSI_TOKENS_API_KEY")
    # The authorizer remembers a revoked key for a while: the table is what counts.
    listed = json.loads(commands.run("client", "list", "--json"))
    present = next((entry for entry in listed if entry["client"] == CLIENT), None)
    if present and present["policy"] and not present["policy"]["visits"]:
        # Made before there were visits.
        commands.run("client", "set", CLIENT, *_POLICY)
        told = "given the policy of a new client, with visits"
    else:
        told = "kept" if present else "added"
    if api_key and any(
        key["digest"] == digest(api_key) for entry in listed for key in entry["keys"]
    ):
        return api_key, told
    added = commands.run("client", "add", CLIENT, *(() if present else _POLICY), "--json")
    return str(json.loads(added)["apiKey"]), told + (", with one more API key" if present else "")


def last_stack() -> str | None:
    """Return the name of the stack of the last `make run`; None where there was none."""
    return _remembered("stack", "JITSI_TOKENS_STACK_NAME")


def _remembered(name: str, variable: str) -> str | None:
    try:
        lines = (LOCAL / f"{name}.env").read_text().splitlines()
    except FileNotFoundError:
        return None
    prefix = f"export {variable}="
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


def _put_visit(stack: Stack, api_key: str) -> dict[str, Any]:
    """Put the visit that starts now; each time, as its close is soon."""
    place = Path("/etc/localtime").resolve().as_posix().partition("/zoneinfo/")[2]
    times = {
        "startsAt": datetime.now().astimezone().isoformat(timespec="seconds"),
        "timeZone": place or "Etc/UTC",
    }
    return _ask(stack, api_key, "PUT", "visits/demo", _VISIT | times)


def _ask(stack: Stack, api_key: str, method: str, path: str, body: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {api_key}"}
    answer = httpx.request(
        method, f"{stack.url}/api/{path}", json=body, headers=headers, timeout=30
    )
    if answer.is_error:
        raise Failure(f"HTTP {answer.status_code}: {answer.text}")
    answered: dict[str, Any] = answer.json()
    return answered

"""`jitsi-tokens status`: what a stack is, as far as the caller may see."""

import time
from typing import Any, NamedTuple

import typer

from jitsi_tokens.status import problems_of
from jitsi_tokens_cli.address import service_url
from jitsi_tokens_cli.app import examples
from jitsi_tokens_cli.client.keys import counted
from jitsi_tokens_cli.client.store import ClientStore
from jitsi_tokens_cli.doctor.stack import stored_status
from jitsi_tokens_cli.doctor.unknown import DAY_SECONDS, Unknown, attempt
from jitsi_tokens_cli.errors import Unreachable
from jitsi_tokens_cli.output import Json, echo_facts, echo_json, iso_time, time_text
from jitsi_tokens_cli.stack import Stack, find_stack

EPILOG = examples(
    "jitsi-tokens status --stack-name my-stack",
    "jitsi-tokens status --stack-name my-stack --json",
)
_POLICIES = ("KeyOperatorPolicy", "ClientOperatorPolicy", "AuditorPolicy", "OnCallPolicy")
_NEEDED = {
    "key": "KeyOperatorPolicy or AuditorPolicy",
    "clients": "ClientOperatorPolicy",
    "alarms": "OnCallPolicy",
}


class _Part(NamedTuple):
    text: str
    document: Any


def status(ctx: typer.Context, *, as_json: Json = False) -> None:
    """Show a stack's address, key, clients, alarms and policies.

    Where you lack a permission, it names the operator policy that has it.
    `jitsi-tokens doctor` checks whether everything works.
    """
    stack = find_stack(ctx.obj)
    settings, url = stack.settings, service_url(stack, None)
    parts = {"key": _key(stack), "clients": _clients(stack), "alarms": _alarms(stack)}
    policies = {name: stack.outputs[name] for name in _POLICIES if name in stack.outputs}
    denied = {
        name: _NEEDED[name]
        for name, part in parts.items()
        if isinstance(part, Unknown) and part.denied
    }
    if as_json:
        echo_json(
            {
                "stack": stack.name,
                "region": stack.region,
                "deployment": stack.status,
                "url": url,
                "provider": settings.provider,
                "domain": settings.domain,
                "algorithm": stack.algorithm,
                **{name: getattr(part, "document", None) for name, part in parts.items()},
                "policies": policies,
                "permissionMissing": denied,
            }
        )
    else:
        texts = {
            name: f"needs {denied[name]}"
            if name in denied
            else part.why
            if isinstance(part, Unknown)
            else part.text
            for name, part in parts.items()
        }
        echo_facts(
            [
                ("Stack", f"{stack.name} in {stack.region} ({stack.status})"),
                ("Address", url),
                ("Provider", f"{settings.provider}, {settings.domain}, {stack.algorithm}"),
                ("Signing key", texts["key"]),
                ("Clients", texts["clients"]),
                ("Alarms", texts["alarms"]),
                *policies.items(),
            ]
        )
    if any(isinstance(part, Unknown) and part.obstructed for part in parts.values()):
        raise typer.Exit(Unreachable.exit_code)


def _key(stack: Stack) -> _Part | Unknown:
    stored = stored_status(stack)
    if isinstance(stored, Unknown):
        return stored
    now, key = time.time(), stored.key
    problems = problems_of(stored, int(now))
    document: dict[str, Any] = {
        "kid": None,
        "createdAt": None,
        "ageDays": None,
        "configured": stored.configured,
        "checkedAt": time_text(stored.checked_at) if stored.checked_at else None,
        "problems": [problem.code for problem in problems],
    }
    texts = [f"{problem.what} ({problem.code})" for problem in problems]
    if key:
        days = max(0, int((now - key.created_at) // DAY_SECONDS))
        texts.insert(0, f"{key.kid}, {days} days old")
        document |= {"kid": key.kid, "createdAt": time_text(key.created_at), "ageDays": days}
    return _Part("; ".join(texts) or "none", document)


def _clients(stack: Stack) -> _Part | Unknown:
    keys = attempt(ClientStore(stack).all_keys)
    if isinstance(keys, Unknown):
        return keys
    clients = len({key.name for key in keys})
    return _Part(f"{clients}, with {counted(keys)}", {"count": clients, "apiKeys": len(keys)})


def _alarms(stack: Stack) -> _Part | Unknown:
    def read() -> list[dict[str, Any]]:
        pages = (
            stack.client("cloudwatch")
            .get_paginator("describe_alarms")
            .paginate(AlarmNamePrefix=f"{stack.name}-")
        )
        return [alarm for page in pages for alarm in page["MetricAlarms"]]

    found = attempt(read)
    if isinstance(found, Unknown):
        return found
    alarms = [
        {
            "name": name,
            "state": alarm["StateValue"],
            "since": iso_time(alarm["StateUpdatedTimestamp"]),
        }
        for alarm in found
        # The prefix is also that of a stack whose name begins with this one's.
        if alarm.get("AlarmDescription", "").endswith(
            f"#{(name := alarm['AlarmName'].removeprefix(f'{stack.name}-'))}"
        )
    ]
    ringing = [alarm["name"] for alarm in alarms if alarm["state"] == "ALARM"]
    text = f"{len(alarms)}, ringing: {', '.join(ringing) or 'none'}"
    return _Part(f"{text} (docs/operating.md)" if ringing else text, alarms)

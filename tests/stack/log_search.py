"""A search of every log for what must not be there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from local_stack import deployment
from tests.stack.service import (
    API_KEYS,
    EMAIL,
    FORGED,
    LINKS,
    NAME,
    ROOM,
    ROOMS,
    TOKENS,
    USER_ID,
)

if TYPE_CHECKING:
    from local_stack.emulator import Emulator
    from tests.stack.service import Service


def whole_log(emulator: Emulator) -> list[str]:
    """Return every line that any function of any stack has printed."""
    logs = deployment.client(emulator, "logs")
    return [
        event["message"]
        for groups in logs.get_paginator("describe_log_groups").paginate()
        for group in groups["logGroups"]
        for page in logs.get_paginator("filter_log_events").paginate(
            logGroupName=group["logGroupName"]
        )
        for event in page["events"]
    ]


def needles(*services: Service) -> dict[str, list[str]]:
    """Return what must not be found, by kind."""
    names = NAME.split()
    documents = [service.secret_document() for service in services]
    pem_lines = [
        line for document in documents for line in document.get("private_key", "").splitlines()
    ]
    return {
        "name": [NAME, *names, *(name.lower() for name in names)],
        "e-mail address": [EMAIL, EMAIL.upper(), quote(EMAIL)],
        "user id": [USER_ID],
        "header": [FORGED],
        "room": [ROOM, ROOM.upper(), "xylophone", *ROOMS],
        "token": [part for token in TOKENS for part in token.split(".")[1:]],
        "API key": [*API_KEYS, "jtk_"],
        "link": [*LINKS, "jtv_"],
        "private key": [*pem_lines, "PRIVATE KEY"],
        "shared secret": [document["secret"] for document in documents if "secret" in document],
    }


def found(lines: list[str], forbidden: dict[str, list[str]]) -> set[str]:
    """Return the kinds of which something is in the log; never what it was."""
    text = "\n".join(lines)
    return {kind for kind, values in forbidden.items() if any(value in text for value in values)}

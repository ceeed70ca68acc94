"""What schemathesis cannot read in docs/openapi.yaml. It loads this module, in its own environment.

Each finding that is dropped here is one that the document's descriptions tell of.
"""

from __future__ import annotations

import json
import os
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis.openapi.checks import RejectedPositiveData

if TYPE_CHECKING:
    from schemathesis import Case, HookContext, Response
    from schemathesis.core.failures import Failure

_TEXT = (
    "must hold a visible character|must not hold (control|U\\+|lone|an? ).*"
    "|must not hold characters that Unicode 15 does not know|must not be empty.*"
)
_WHOLE = "is not valid: expected whole number, got .*"
# Rules of a valid body that no JSON Schema can say, by field: what the service answers then.
BEYOND_THE_SCHEMA = {
    "/userId": "must hold a visible character",
    "/userName": "must hold a visible character",
    "/roomName": (
        "must hold a visible character|must not hold (control|U\\+|lone|an? ).*"
        "|must not hold characters that Unicode 15 does not know|must name one room: .*"
        "|must not be a (relative )?path.*|must fit 960 bytes once percent-encoded"
        "|must not end in .*|has no stable form: .*"
        "|cannot be changed once the visit exists"
    ),
    "/userEmail": "must be an e-mail address|must hold a visible character",
    "/userAvatar": "must be an https URL without user name or password",
    # The stack's limit; and 60.0, to JSON Schema an integer.
    "/expirationSeconds": "must be at most 14400|is not valid: expected whole number, got .*",
    "/notBefore": "is not valid: expected whole number or RFC 3339 time, got number .*",
    "/startsAt": "must lie at most 400 days ahead|is too long ago: the visit would be over",
    "/durationMinutes": f"makes the visit longer than 24 hours|with the delay .*|{_WHOLE}",
    "/opensBeforeMinutes": _WHOLE,
    "/overrunMinutes": _WHOLE,
    "/delayMinutes": f"makes the visit longer than 24 hours|{_WHOLE}",
    "/revision": _WHOLE,
    "/asked": _WHOLE,
    "/timeZone": "must name a place, such as Europe/Vienna",
    "/contact/name": _TEXT,
    "/contact/phone": _TEXT,
    "/contact/privacyUrl": f"must be an https URL|{_TEXT}",
    "/hostName": _TEXT,
    "/participants": "must name at most .*|is required to bring back a cancelled visit",
    "/participants/*/participantId": "must be unique within the visit",
    "/features/flip": "is not allowed in a visit",
}


# Of GET /api/visits, where the fields have no pointer.
OF_QUERIES = {
    "to must be later than from, by at most 31 days.",
    "next must come from an answer to the same query.",
    "A visit has at most 30 participants.",
}


def before_call(_context: HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Have a token begin soon, where a time was drawn: nearly all times are over or far ahead."""
    body = case.body
    if not isinstance(body, dict):
        return
    soon = int(time.time()) + 60
    if isinstance(body.get("startsAt"), str) and _is_time(body["startsAt"]):
        body["startsAt"] = datetime.fromtimestamp(soon, UTC).isoformat()
    # Nearly all that follow would be superseded.
    if type(body.get("revision")) is int and 0 <= body["revision"] < 2**53:
        body["revision"] = 1
    if isinstance(body.get("timeZone"), str) and body["timeZone"].isprintable():
        body["timeZone"] = "Europe/Vienna"
    if str(body.get("link", "")).startswith("jtv_"):
        body["link"] = os.environ["JITSI_TOKENS_LINK"]
    match body.get("notBefore"):
        case int(value) if not isinstance(value, bool):
            body["notBefore"] = soon
        case str(value) if _is_time(value):
            body["notBefore"] = datetime.fromtimestamp(soon, UTC).isoformat()


def filter_failure(
    _context: HookContext, failure: Failure, _case: Case, response: Response
) -> bool:
    """Tell whether a failure is one."""
    if isinstance(failure, RejectedPositiveData):
        return not _breaks_a_further_rule(response)
    return True


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _breaks_a_further_rule(response: Response) -> bool:
    if response.status_code != 400 or _type_of(response) != "invalid-request":
        return False
    document = json.loads(response.content)
    if document["detail"] in OF_QUERIES:
        return True
    # `(?!)` matches nothing: a field without such a rule.
    return all(
        re.fullmatch(rf"({_beyond(error['pointer'])})\.", error["detail"])
        for error in document.get("errors", [{"pointer": "", "detail": ""}])
    )


def _beyond(pointer: str) -> str:
    general = re.sub(r"/[0-9]+/", "/*/", pointer)
    of_person = general.removeprefix("/participants/*")
    return BEYOND_THE_SCHEMA.get(general) or BEYOND_THE_SCHEMA.get(of_person, "(?!)")


def _type_of(response: Response) -> str:
    return str(json.loads(response.content)["type"]).removeprefix("urn:jitsi-tokens:problem:")


schemathesis.hook(before_call)
schemathesis.hook(filter_failure)

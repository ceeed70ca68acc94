"""/api/visits: appointments, their participants' links, and what the day makes of them."""

from __future__ import annotations

import gc

gc.disable()  # Hardly anything that loads is garbage: docs/performance.md.

import os
import random
import secrets as randomness
import time
from typing import TYPE_CHECKING, NamedTuple

from jitsi_tokens import aws, handling, http, secrets, telemetry
from jitsi_tokens.core import keep_alive, links, visit_policy, visit_records, visit_requests
from jitsi_tokens.core.problems import NOT_FOUND, UNAVAILABLE, Problem
from jitsi_tokens.core.visit_answers import VisitList, visit_answer
from jitsi_tokens.core.visit_records import Change
from jitsi_tokens.core.visit_requests import DelayBody, EndBody, ParticipantBody, VisitBody
from jitsi_tokens.core.visits import Facts
from jitsi_tokens.visit_table import Raced, StoredVisit, VisitTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens.core.clients import Client
    from jitsi_tokens.core.visit_records import Member

SERVICE = os.environ["POWERTOOLS_SERVICE_NAME"]
STACK = os.environ["STACK_NAME"]
TABLE = VisitTable(aws.client("dynamodb", aws.FIRST_FETCH), os.environ)

TRIES = 6
_FIRST_PAUSE_SECONDS = 0.05
# Another try against a slow table could run into the function's own time limit.
_TRIED_SECONDS = 4
_ROOM_BYTES = 16

SECRETS = handling.ContainerSecrets(int(os.environ["MAXIMUM_STALE_SECONDS"]))
LINK_KEY = SECRETS.cached(os.environ["LINK_KEY_SECRET"], str.encode, trips_breaker=True)
DIGEST_KEY = SECRETS.cached(os.environ["DIGEST_KEY_SECRET"], str.encode, trips_breaker=False)

# What has loaded stays for good, and is not looked through again.
gc.freeze()
gc.enable()


class Call(NamedTuple):
    """A call of the health record; `now` in epoch seconds."""

    event: http.Event
    client: Client
    now: int

    @property
    def visit_id(self) -> str:
        """The visit that it is about."""
        return http.path_parameter(self.event, "visitId")

    @property
    def participant_id(self) -> str:
        """The participant whom it is about."""
        return http.path_parameter(self.event, "participantId")


def handler(event: http.Event, _context: object) -> http.Response:
    """Answer the request; a call that changes a visit leaves one line."""
    if keep_alive.is_keep_alive(event):
        return keep_alive.ANSWER
    now, started = time.time(), time.perf_counter()
    line = telemetry.RequestLine(SERVICE, http.request_id(event))
    action, work = ROUTES[event["httpMethod"], event["resource"]]
    response = handling.answered(
        line, lambda: _answer(event, int(now), line, work), visit_requests.known_field
    )
    if action:
        line.acts(action)
        line.write(now, time.perf_counter() - started, lambda: handling.digest_key(DIGEST_KEY, now))
    return response


def _answer(
    event: http.Event,
    now: int,
    line: telemetry.RequestLine,
    work: Callable[[Call], http.Response],
) -> http.Response:
    client = http.caller(event)
    line.called_by(client.name, http.key_digits(event))
    client.policy.check_visits()
    parameters = event.get("pathParameters") or {}
    call = Call(event, client, now)
    if "visitId" in parameters:
        visit_requests.check_visit_id(call.visit_id)
        line.concerns(call.visit_id)
    if "participantId" in parameters:
        visit_requests.check_participant_id(call.participant_id)
        line.concerns(call.visit_id, call.participant_id)
    response = work(call)
    line.done()
    return response


def _put(call: Call) -> http.Response:
    body = visit_requests.read(http.json_body(call.event), VisitBody)
    visit_requests.check_visit(body, call.now)

    def change(old: StoredVisit | None) -> Change:
        before, facts = (old.visit, old.facts) if old else (None, Facts())
        made = visit_records.put(before, body, facts, call.now, _draw)
        visit_policy.check_put(call.client.policy, made.visit, body.participants or [])
        return made

    return _written(call, change)


def _delay(call: Call) -> http.Response:
    body = visit_requests.read(http.json_body(call.event), DelayBody)
    return _changed(call, lambda old: visit_records.delayed(old.visit, body.delay_minutes))


def _cancel(call: Call) -> http.Response:
    revision = visit_requests.read_revision(http.query(call.event))
    return _changed(
        call, lambda old: visit_records.cancelled(old.visit, old.facts, call.now, revision)
    )


def _end(call: Call) -> http.Response:
    body = EndBody()
    if call.event.get("body"):
        body = visit_requests.read(http.json_body(call.event), EndBody)
    return _changed(
        call, lambda old: visit_records.ended(old.visit, old.facts, call.now, body.because)
    )


def _put_participant(call: Call) -> http.Response:
    body = visit_requests.read(http.json_body(call.event), ParticipantBody)
    visit_requests.check_participant("", body)
    visit_policy.check_participant(call.client.policy, body)
    return _changed(
        call,
        lambda old: visit_records.with_participant(old.visit, call.participant_id, body, _draw),
    )


def _remove_participant(call: Call) -> http.Response:
    return _changed(
        call, lambda old: visit_records.without_participant(old.visit, call.participant_id)
    )


def _new_link(call: Call) -> http.Response:
    def change(old: StoredVisit) -> visit_records.Visit:
        visit = visit_records.with_new_link(old.visit, call.participant_id)
        visit_policy.check_new_link(call.client.policy, visit.members[call.participant_id])
        return visit

    return _changed(call, change)


def _get(call: Call) -> http.Response:
    stored = TABLE.find(call.client.name, call.visit_id, call.now)
    if stored is None:
        raise _unknown()
    return _shown(call, stored, _link_key(call.now))


def _list(call: Call) -> http.Response:
    wanted = visit_requests.read_list_query(http.query(call.event))
    page = TABLE.page(call.client.name, wanted, call.now)
    moments = [stored.at(call.now) for stored in page.visits]
    return http.ok(
        VisitList(
            visits=[
                visit_answer(moment, lambda _id, _member: None)
                for moment in moments
                if not wanted.waiting or moment.has_waiting
            ],
            next=wanted.page_after(page.last),
        )
    )


def _changed(call: Call, change: Callable[[StoredVisit], visit_records.Visit]) -> http.Response:
    def change_known(old: StoredVisit | None) -> Change:
        if old is None:
            raise _unknown()
        return Change(change(old))

    return _written(call, change_known)


def _written(call: Call, change: Callable[[StoredVisit | None], Change]) -> http.Response:
    """Read, change and write a visit, again where somebody else wrote meanwhile."""
    key = _link_key(call.now)
    started = time.perf_counter()
    for attempt in range(TRIES):
        if attempt:
            if time.perf_counter() - started > _TRIED_SECONDS:
                break
            time.sleep(random.random() * _FIRST_PAUSE_SECONDS * 2**attempt)  # noqa: S311
        old = TABLE.find(call.client.name, call.visit_id, call.now)
        made = change(old)
        visit = _with_link_hashes(call, key, made.visit)
        # Dicts are equal in any order, but the first moderator is the host.
        if old and visit == old.visit and [*visit.active] == [*old.visit.active]:
            return _shown(call, old, key)
        try:
            stored = TABLE.write(
                call.client.name, call.visit_id, old, visit, forgets=made.forgets, now=call.now
            )
        except Raced:
            continue
        return _shown(call, stored, key, 200 if old else 201)
    raise Problem(
        UNAVAILABLE, "Other calls keep changing the visit. Try again.", retry_after_seconds=1
    )


def _with_link_hashes(call: Call, key: bytes, visit: visit_records.Visit) -> visit_records.Visit:
    return visit_records.with_link_hashes(
        visit, lambda id_, member: links.link_hash(_link(call, key, visit, id_, member))
    )


def _shown(call: Call, stored: StoredVisit, key: bytes, status: int = 200) -> http.Response:
    base = f"{_address(call.event)}/join/#"

    def link_of(id_: str, member: Member) -> str | None:
        if not visit_policy.has_link(call.client.policy, member):
            return None
        link = _link(call, key, stored.visit, id_, member)
        return f"{base}{link}" if links.link_hash(link) == member.link_hash else ""

    return http.ok(visit_answer(stored.at(call.now), link_of), status)


def _link(call: Call, key: bytes, visit: visit_records.Visit, id_: str, member: Member) -> str:
    holder = links.Holder(
        STACK, call.client.name, call.visit_id, visit.instance, id_, member.generation
    )
    return links.derive(key, holder)


def _address(event: http.Event) -> str:
    """Return the address of the stage: never from the Host header, which a caller sets."""
    if known := os.environ["JOIN_URL"]:
        return known
    context = event["requestContext"]
    stage: str = context["path"].rpartition("/api/visits")[0]
    return f"https://{context['domainName']}{stage}"


def _draw() -> str:
    return randomness.token_hex(_ROOM_BYTES)


def _unknown() -> Problem:
    return Problem(NOT_FOUND, "There is no such visit.")


def _link_key(now: int) -> bytes:
    try:
        return LINK_KEY.get(now)
    except secrets.SecretUnavailable:
        raise Problem(
            UNAVAILABLE,
            "The link key cannot be read. Try again later.",
            retry_after_seconds=secrets.RETRY_SECONDS,
        ) from None


_VISIT = "/api/visits/{visitId}"
_PARTICIPANT = f"{_VISIT}/participants/{{participantId}}"
# By method and path: what the line of the log calls it, and what answers. Reading leaves no line.
ROUTES: dict[tuple[str, str], tuple[str, Callable[[Call], http.Response]]] = {
    ("GET", "/api/visits"): ("", _list),
    ("GET", _VISIT): ("", _get),
    ("PUT", _VISIT): ("visit-put", _put),
    ("PATCH", _VISIT): ("visit-patched", _delay),
    ("DELETE", _VISIT): ("visit-cancelled", _cancel),
    ("POST", f"{_VISIT}/end"): ("visit-ended", _end),
    ("PUT", _PARTICIPANT): ("participant-put", _put_participant),
    ("DELETE", _PARTICIPANT): ("participant-revoked", _remove_participant),
    ("POST", f"{_PARTICIPANT}/new-link"): ("link-replaced", _new_link),
}

"""Entering a visit: /join for people with a link, POST …/join for the health record."""

from __future__ import annotations

import gc

gc.disable()  # Hardly anything that loads is garbage: docs/performance.md.

import os
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from jitsi_tokens import aws, handling, http, secrets, telemetry, visit_page
from jitsi_tokens.core import keep_alive, links, visit_policy, visit_requests, visits
from jitsi_tokens.core.claims import meeting_claims
from jitsi_tokens.core.issued import IssuedToken
from jitsi_tokens.core.keys import read_key
from jitsi_tokens.core.problems import (
    FORBIDDEN,
    LINK_INVALID,
    LINK_REPLACED,
    NOT_FOUND,
    TOO_MANY_REQUESTS,
    UNAVAILABLE,
    VISIT_INTERRUPTED,
    Problem,
)
from jitsi_tokens.core.requests import Validity
from jitsi_tokens.core.rooms import meeting_url
from jitsi_tokens.core.visit_answers import EnterAnswer, refusal, status_answer
from jitsi_tokens.core.visit_requests import EnterBody, StatusBody
from jitsi_tokens.settings import read_settings
from jitsi_tokens.visit_table import Invitee, Raced, VisitTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from jitsi_tokens.core.clients import Client
    from jitsi_tokens.core.keys import SigningKey
    from jitsi_tokens.core.visit_records import Member, Visit
    from jitsi_tokens.core.visit_requests import Participant
    from jitsi_tokens.core.visits import Entry, Refused
    from jitsi_tokens.visit_table import StoredVisit

SERVICE = os.environ["POWERTOOLS_SERVICE_NAME"]
SETTINGS = read_settings(os.environ)
PAGE = visit_page.read_page(Path(__file__).parent, SETTINGS.domain)
SSM = aws.client("ssm", aws.REFRESH)
TABLE = VisitTable(aws.client("dynamodb", aws.FIRST_FETCH), os.environ)

# Once more where the visit has changed since it was read.
TRIES = 2
PAGE_SECONDS = 60
# Of the 100 that POST /join/status takes a second: this container alone has that many.
BUSY_QUESTIONS = 80

SECRETS = handling.ContainerSecrets(SETTINGS.max_stale_seconds)
SIGNING_KEY = SECRETS.cached(
    os.environ["SIGNING_KEY_SECRET"],
    lambda text: read_key(text, algorithm=SETTINGS.algorithm, kid_prefix=SETTINGS.kid_prefix),
    trips_breaker=True,
)
DIGEST_KEY = SECRETS.cached(os.environ["DIGEST_KEY_SECRET"], str.encode, trips_breaker=False)
PAGE_SETTINGS = secrets.CachedSecret(
    lambda _refresh: visit_page.fetch_parameter(SSM, os.environ["PAGE_PARAMETER"]),
    visit_page.read_page_settings,
    breaker=secrets.CircuitBreaker(),
    trips_breaker=False,
    max_stale_seconds=SETTINGS.max_stale_seconds,
    warn=lambda failure: telemetry.logger().warning(
        "the settings of the page could not be fetched", cause=failure.code
    ),
)


class Door(NamedTuple):
    """A participant who wants to enter a visit, and the rule that decides."""

    stored: StoredVisit
    participant_id: str
    client: Client
    enter: Callable[[visits.Plan, visits.Facts, int], Entry | Refused]

    @property
    def visit(self) -> Visit:
        """The visit."""
        return self.stored.visit

    @property
    def member(self) -> Member:
        """The participant."""
        return self.visit.members[self.participant_id]

    def entry(self, now: int) -> Entry | Refused:
        """Let them in, or say why not."""
        return self.enter(self.visit.plan, self.stored.facts, now)


class Questions:
    """Counts the questions of pages in this second."""

    def __init__(self) -> None:
        self._second = 0
        self._count = 0

    def are_many(self, now: int) -> bool:
        """Count one more, and tell whether there are too many."""
        if now != self._second:
            self._second, self._count = now, 0
        self._count += 1
        return self._count > BUSY_QUESTIONS


QUESTIONS = Questions()

# What has loaded stays for good, and is not looked through again.
gc.freeze()
gc.enable()


def handler(event: http.Event, _context: object) -> http.Response:
    """Answer the request; who enters, or is refused, leaves one line."""
    if keep_alive.is_keep_alive(event):
        return keep_alive.ANSWER
    now, started = time.time(), time.perf_counter()
    line = telemetry.RequestLine(SERVICE, http.request_id(event))
    action, work = ROUTES[event["resource"]]
    response = handling.answered(
        line, lambda: work(event, int(now), line), visit_requests.known_field
    )
    if action:
        line.acts(action)
        line.write(now, time.perf_counter() - started, lambda: handling.digest_key(DIGEST_KEY, now))
    return http.for_method(event, response)


def _page(event: http.Event, now: int, _line: telemetry.RequestLine) -> http.Response:
    body = PAGE.with_contact(_page_settings(now).contact)
    response = http.cacheable(event, "text/html; charset=utf-8", body, PAGE_SECONDS)
    response["headers"].update(PAGE.headers)
    return response


def _status(event: http.Event, now: int, line: telemetry.RequestLine) -> http.Response:
    body = visit_requests.read(http.json_body(event), StatusBody)
    try:
        door = _door_of_link(body.link, now, line)
    except Raced:
        raise _contended() from None
    moment = door.stored.at(now).seen_by(door.participant_id)
    if body.asked and moment.status in ("open", "live"):
        TABLE.note_seen(door.stored, door.participant_id, now)
    return http.ok(
        status_answer(
            moment,
            door.participant_id,
            can_enter=isinstance(door.entry(now), visits.Entry),
            is_busy=QUESTIONS.are_many(now),
        )
    )


def _enter(event: http.Event, now: int, line: telemetry.RequestLine) -> http.Response:
    body = visit_requests.read(http.json_body(event), EnterBody)
    closes_at, issued = _admitted(
        lambda: _door_of_link(body.link, now, line), now, line, by_link=True
    )
    embed = _page_settings(now).embed
    return http.ok(EnterAnswer(meeting_url=issued.meeting_url, embed=embed, closes_at=closes_at))


def _join(event: http.Event, now: int, line: telemetry.RequestLine) -> http.Response:
    client = http.caller(event)
    line.called_by(client.name, http.key_digits(event))
    client.policy.check_visits()
    visit_id = http.path_parameter(event, "visitId")
    participant_id = http.path_parameter(event, "participantId")
    visit_requests.check_visit_id(visit_id)
    visit_requests.check_participant_id(participant_id)
    line.concerns(visit_id, participant_id)
    invitee = Invitee(client.name, visit_id, participant_id)
    _, issued = _admitted(lambda: _door_of_record(invitee, now), now, line, by_link=False)
    return http.ok(issued)


def _door_of_link(link: str, now: int, line: telemetry.RequestLine) -> Door:
    """Return the door that a link leads to, as it is now.

    Raises:
        Problem: 404, or 503 where the client may no longer have such visits.
    """
    link_hash = links.link_hash(link)
    invitee = TABLE.find_invitee(link_hash, now) if links.is_link(link) else None
    if invitee is None:
        raise _no_link()
    line.called_by(invitee.client)
    line.concerns(invitee.visit_id, invitee.participant_id)
    stored, client = TABLE.find_with_client(invitee.client, invitee.visit_id, now)
    if stored is None:
        raise _no_link()
    visit = stored.visit
    contact = {"contact": visit.contact}
    member = visit.active.get(invitee.participant_id)
    if member is None or member.link_hash != link_hash:
        raise Problem(LINK_REPLACED, "Use the newest link, or call the clinic.", members=contact)
    if (
        client is None
        or not visit_policy.has_link(client.policy, member)
        or not visit_policy.allows(client.policy, visit, member)
    ):
        raise Problem(VISIT_INTERRUPTED, "Call the clinic.", members=contact)
    enter = visits.moderator_enters if member.is_moderator else visits.guest_enters
    return Door(stored, invitee.participant_id, client, enter)


def _door_of_record(invitee: Invitee, now: int) -> Door:
    """Return the door to which the health record sends somebody.

    Raises:
        Problem: 403 or 404.
    """
    stored, client = TABLE.find_with_client(invitee.client, invitee.visit_id, now)
    if stored is None:
        raise Problem(NOT_FOUND, "There is no such visit.")
    member = stored.visit.active.get(invitee.participant_id)
    if member is None:
        raise Problem(NOT_FOUND, "The visit has no such participant.")
    if client is None or not visit_policy.allows(client.policy, stored.visit, member):
        raise Problem(FORBIDDEN, "This client may no longer issue this token.")
    enter = visits.moderator_joins if member.is_moderator else visits.guest_enters
    return Door(stored, invitee.participant_id, client, enter)


def _admitted(
    find: Callable[[], Door], now: int, line: telemetry.RequestLine, *, by_link: bool
) -> tuple[int, IssuedToken]:
    """Let somebody in: return when the visit closes, and the token.

    Raises:
        Problem: why not.
    """
    jti, noted = str(uuid.uuid4()), None
    for _ in range(TRIES):
        try:
            door = find()
            entry = door.entry(now)
            if isinstance(entry, visits.Refused):
                raise refusal(entry, door.stored.at(now))
            if by_link and not door.stored.has_mints_left(door.participant_id, now):
                raise _too_many(now)
            key = handling.signing_key(SIGNING_KEY, now, line)
            expires_at = min(entry.closes_at, now + _lifetime(door.client))
            # Before the token: rooms are to know each. A race seldom changes what is written.
            if noted != (note := (expires_at, door.member.generation)):
                TABLE.note_token(door.stored, door.participant_id, jti, expires_at)
                noted = note
            if not TABLE.admit(door.stored, door.participant_id, entry, now, by_link=by_link):
                raise _too_many(now)
        except Raced:
            continue
        return entry.closes_at, _issued(door, key, Validity(now, expires_at), jti, line)
    raise _contended()


def _issued(
    door: Door, key: SigningKey, validity: Validity, jti: str, line: telemetry.RequestLine
) -> IssuedToken:
    visit, member = door.visit, door.member
    # Only those of a cancelled visit have no names, and nobody enters one.
    participant = cast("Participant", member.participant)
    request = visit_policy.token_request(visit, member.user_id, participant)
    line.asked(request, visit.room)
    claims = meeting_claims(
        request,
        profile=SETTINGS.profile,
        room=visit.room,
        validity=validity,
        clock_skew_seconds=SETTINGS.clock_skew_seconds,
        now=validity.starts_at,
        jti=jti,
    )
    token = key.sign(claims)
    line.issued(claims, key.kid, stale=SIGNING_KEY.stale)
    return IssuedToken(
        token=token,
        expires_at=claims["exp"],
        not_before=claims["nbf"],
        meeting_url=meeting_url(
            SETTINGS.domain, SETTINGS.tenant, visit.room, token, SETTINGS.token_placement
        ),
        room_name=visit.room,
    )


def _contended() -> Problem:
    return Problem(
        UNAVAILABLE, "Other calls keep changing the visit. Try again.", retry_after_seconds=1
    )


def _lifetime(client: Client) -> int:
    longest = SETTINGS.limits.max_lifetime_seconds
    return min(client.policy.max_lifetime_seconds or longest, longest)


def _too_many(now: int) -> Problem:
    return Problem(
        TOO_MANY_REQUESTS,
        "This link has been used too often in this minute. Wait, then try again.",
        retry_after_seconds=60 - now % 60,
    )


def _no_link() -> Problem:
    return Problem(LINK_INVALID, "The link is incomplete, or too old.")


def _page_settings(now: int) -> visit_page.PageSettings:
    try:
        return PAGE_SETTINGS.get(now)
    except secrets.SecretUnavailable:
        return visit_page.PageSettings()


# By path: what the line of the log calls it, and what answers. The page and status leave no line.
ROUTES: dict[str, tuple[str, Callable[[http.Event, int, telemetry.RequestLine], http.Response]]] = {
    "/join": ("", _page),
    "/join/{proxy+}": ("", _page),
    "/join/status": ("", _status),
    "/join/enter": ("enter", _enter),
    "/api/visits/{visitId}/participants/{participantId}/join": ("join", _join),
}

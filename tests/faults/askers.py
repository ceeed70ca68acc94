"""What callers ask, and what they make of the answers."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt

from jitsi_tokens.core.clients import Client, digest, make_api_key, write_client
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.public_keys import name_of
from local_stack import deployment
from tests.faults.crowd import Group
from tests.faults.figures import GOOD, UNEXPECTED, UNVERIFIED
from tests.stack.service import NAME
from tests.stack.visits import DOCTOR, Visits, body, links_of, token_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.faults.world import WorkersClock
    from tests.stack.service import Service

CALLERS = "callers"
NEW_CALLERS = "new callers"
PROBES = "probe"
PUBLIC_KEYS = "public keys"
MALFORMED = "malformed API keys"
UNKNOWN = "unknown API keys"
RECORD = "health record"
LISTS = "health record's list"
ENTRIES = "join and enter"
STATUS = "patients' status"
PAGE = "patients' page"

NOT_CONFIGURED = "not configured"

# What the 503 of the contract means: try again, and when.
_RETRIED = {429, 503}
_ITEMS_A_BATCH = 25
_CLOCK_SLACK_SECONDS = 2
_UNCHECKED: Any = {f"verify_{claim}": False for claim in ("aud", "exp", "nbf", "iat")}


class Askers:
    """Makes groups of callers of one stack, with API keys that nobody has used before."""

    def __init__(self, service: Service, clock: WorkersClock) -> None:
        self._service = service
        self._clock = clock
        self._known: dict[str, str] = {}
        self.clinic = Visits(service, service.api_key, "everything")

    def callers(self) -> Group:
        """Two doctors and two patients, whom API Gateway remembers from their first request."""
        doctor, patient = self.add_keys(1, moderator=True) + self.add_keys(1, moderator=False)
        return Group(
            CALLERS,
            [lambda: self._token(doctor, moderator=True)] * 2
            + [lambda: self._token(patient, moderator=False)] * 2,
        )

    def new_callers(self, count: int = 200) -> Group:
        """Patients of whom each asks once, so that the authorizer has to look each up."""
        keys = iter(self.add_keys(count, moderator=False))
        return Group(NEW_CALLERS, [lambda: self._token(next(keys), moderator=False)])

    def probes(self) -> Group:
        """Who asks whether the service is configured; it was checked just now, and is."""
        # The emulator keeps the schedule: the last check may have met another scenario's outage.
        deployment.client(self._service.emulator, "lambda").invoke(
            FunctionName=self._service.stack.outputs["CheckKeyFunction"]
        )

        def ask() -> str:
            answer = self._service.http.get("/api/jitsi/jwt")
            if answer.is_success and not answer.json()["configured"]:
                return NOT_CONFIGURED
            return _kind(answer, good=answer.is_success)

        return Group(PROBES, [ask])

    def public_keys(self) -> Group:
        """Prosody, asking for the key that signs, and who asks for the JWKS."""
        kid = self._service.secret_document()["kid"]
        paths = itertools.cycle((f"/asap/{name_of(kid)}.pem", "/.well-known/jwks.json"))

        def ask() -> str:
            answer = self._service.http.get(next(paths))
            return _kind(answer, good=answer.is_success)

        return Group(PUBLIC_KEYS, [ask])

    def visits(self) -> list[Group]:
        """A health record and patients with an open visit each.

        The record's has its own: who enters writes into the same item.
        """
        service, clinic = self._service, self.clinic
        now = datetime.fromtimestamp(self._clock.now(), UTC)
        day = {
            "from": f"{now:%Y-%m-%d}T00:00:00Z",
            "to": f"{now + timedelta(2):%Y-%m-%d}T00:00:00Z",
        }
        # A day long: a scenario may put the clock forward by hours.
        open_ = {"startsAt": now.isoformat(timespec="seconds"), "durationMinutes": 1380}
        guests = [{"participantId": f"guest-{n}", "userName": NAME} for n in range(29)]
        entered, written = (f"faults-{now.timestamp():.0f}-{n}" for n in range(2))
        visit = clinic.put(entered, **open_, admission="on-time", participants=[DOCTOR, *guests])
        # Each gives ten tokens a minute.
        links = itertools.cycle(links_of(visit).values())
        [link, *_] = links_of(clinic.put(written, **open_)).values()
        hosts = (body(**open_, hostName=f"{NAME} {number}") for number in itertools.count())

        def put() -> str:
            answer = clinic.call("PUT", f"/{written}", json=next(hosts))
            return _kind(answer, good=answer.is_success and link in answer.text)

        def get() -> str:
            answer = clinic.call("GET", f"/{written}")
            return _kind(answer, good=answer.is_success and link in answer.text)

        def list_() -> str:
            answer = clinic.call("GET", "", params=day)
            return _kind(answer, good=answer.is_success and written in answer.text)

        def join() -> str:
            return self._judged(lambda: clinic.join(entered))

        def enter() -> str:
            return self._judged(lambda: clinic.enter(next(links)))

        def status() -> str:
            answer = clinic.status(link, 1)
            return _kind(answer, good=answer.is_success)

        def page() -> str:
            answer = service.http.get("/join/")
            return _kind(answer, good=answer.is_success)

        groups = {
            RECORD: [put, get],
            LISTS: [list_],
            ENTRIES: [join, enter],
            STATUS: [status],
            PAGE: [page],
        }
        return [Group(name, asks, 0.1, first_answers=3) for name, asks in groups.items()]

    def malformed(self) -> Group:
        """Who guesses, and does not even know the form: API Gateway refuses them."""
        junk = ("", "Bearer", "Bearer x", "Basic eDp4", f"Bearer jtk_{'0' * 48}")
        return Group(MALFORMED, [_refused(self._service, itertools.cycle(junk))] * 2, 0.02)

    def unknown(self) -> Group:
        """Who sends API keys of the right form that no table holds."""
        keys = (f"Bearer {make_api_key()}" for _ in itertools.count())
        return Group(UNKNOWN, [_refused(self._service, keys)], 0.2, first_answers=0)

    def add_keys(self, count: int, *, moderator: bool) -> list[str]:
        """Add so many API keys, written straight to the table, and return them."""
        table = self._service.stack.outputs["ClientsTable"]
        dynamodb = deployment.client(self._service.emulator, "dynamodb")
        client = Client(name="faults", policy=Policy(rooms=["*"], moderator=moderator))
        rest = {"client": {"S": client.name}, "record": {"S": write_client(client)}}
        keys = [make_api_key() for _ in range(count)]

        def write(batch: tuple[str, ...]) -> None:
            puts = [
                {"PutRequest": {"Item": {"key_digest": {"S": digest(k)}, **rest}}} for k in batch
            ]
            answer = dynamodb.batch_write_item(RequestItems={table: puts})
            assert not answer.get("UnprocessedItems")

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, itertools.batched(keys, _ITEMS_A_BATCH, strict=False)))
        return keys

    def _token(self, api_key: str, *, moderator: bool) -> str:
        return self._judged(lambda: self._service.post(api_key, isModerator=moderator))

    def _judged(self, ask: Callable[[], httpx.Response]) -> str:
        """Ask for a token, and verify it as Jitsi would."""
        before = self._clock.now()
        answer = ask()
        after = self._clock.now()
        kind = _kind(answer, good=answer.is_success)
        if kind != GOOD:
            return kind
        token = answer.json().get("token") or token_of(answer)
        made_at = jwt.decode(token, options={"verify_signature": False})["iat"]
        # The clock may have jumped while it was made.
        earliest, latest = min(before, after), max(before, after)
        on_time = earliest - _CLOCK_SLACK_SECONDS <= made_at <= latest + _CLOCK_SLACK_SECONDS
        return GOOD if on_time and self._verifies(token, made_at) else UNVERIFIED

    def _verifies(self, token: str, now: float) -> bool:
        kid = jwt.get_unverified_header(token)["kid"]
        # Prosody asks for a kid that it does not know, and keeps the answer until it restarts.
        pem = self._known.get(kid) or self._service.published_pem(kid)
        if pem is None:
            return False
        self._known[kid] = pem
        try:
            claims = jwt.decode(token, pem, algorithms=["RS256"], options=_UNCHECKED)
        except jwt.PyJWTError:
            return False
        return bool(claims["nbf"] <= now < claims["exp"])


def _refused(service: Service, headers: Iterator[str]) -> Callable[[], str]:
    def ask() -> str:
        answer = service.http.post(
            "/api/jitsi/jwt", json={}, headers={"Authorization": next(headers)}
        )
        told = answer.status_code == 401 and answer.headers.get("www-authenticate") == "Bearer"
        return _kind(answer, good=told and answer.json()["status"] == 401)

    return ask


def _kind(answer: httpx.Response, *, good: bool) -> str:
    """Return the kind of an answer, by what the contract says of refusals."""
    if good:
        return GOOD
    problem = answer.headers.get("content-type") == "application/problem+json"
    retry_after = answer.headers.get("retry-after", "")
    told_when = answer.status_code not in _RETRIED or (retry_after.isdigit() and retry_after != "0")
    if problem and told_when and answer.json()["status"] == answer.status_code:
        return str(answer.status_code)
    return f"{UNEXPECTED}: {answer.status_code} {answer.headers.get('content-type')}"

"""`jitsi-tokens visit`: the visits of a client, as its health record sees them."""

import os
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from msgspec import Struct

from jitsi_tokens.core.problems import Problem
from jitsi_tokens.core.visit_requests import check_participant_id, check_visit_id
from jitsi_tokens_cli.address import ServiceUrl, base_url
from jitsi_tokens_cli.app import App, examples
from jitsi_tokens_cli.errors import UsageError
from jitsi_tokens_cli.inputs import Yes, confirm, find_api_key
from jitsi_tokens_cli.output import (
    Json,
    Wide,
    echo,
    echo_facts,
    echo_json,
    echo_table,
    info,
    is_terminal,
    time_text,
)
from jitsi_tokens_cli.stack import find_stack
from jitsi_tokens_cli.token import service
from jitsi_tokens_cli.token.commands import OpenLink, check_output, show_meeting
from jitsi_tokens_cli.web import VISITS_PATH, Web

app = App("List, show, join and cancel visits: appointments with links.")

VisitId = Annotated[str, typer.Argument(metavar="ID", help="The visit's id.")]


class _Contact(Struct):
    name: str
    phone: str


class _Participant(Struct, rename="camel"):
    participant_id: str
    user_name: str = ""
    is_moderator: bool = False

    @property
    def role(self) -> str:
        return "moderator" if self.is_moderator else "guest"


class _Presence(_Participant, rename="camel", kw_only=True):
    status: str
    waiting_since: int | None = None
    joined_at: int | None = None
    left_at: int | None = None
    link: str = ""
    link_unknown: bool = False

    @property
    def since(self) -> int | None:
        times = {"waiting": self.waiting_since, "joined": self.joined_at, "left": self.left_at}
        return times.get(self.status)


class _State(Struct, rename="camel"):
    visit_id: str
    status: str
    opens_at: int
    closes_at: int
    delay_minutes: int
    participants: list[_Presence]
    because: str = ""

    @property
    def status_text(self) -> str:
        return f"{self.status} ({self.because})" if self.because else self.status


class _Visit(Struct, rename="camel"):
    """What is shown of an answer; later releases may say more."""

    starts_at: str
    duration_minutes: int
    time_zone: str
    contact: _Contact
    state: _State
    host_name: str = ""
    participants: list[_Participant] = []

    @property
    def host(self) -> str:
        moderators = (each.user_name for each in self.participants if each.is_moderator)
        return self.host_name or next(moderators, self.contact.name)


class _Page[T](Struct):
    visits: list[T]
    next: str = ""


@app.command(
    "list",
    epilog=examples(
        "jitsi-tokens visit list --stack-name my-stack",
        "jitsi-tokens visit list --stack-name my-stack --waiting",
        "jitsi-tokens visit list --stack-name my-stack --from 2030-01-31 --json",
    ),
)
def list_visits(
    ctx: typer.Context,
    *,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="TIME",
            help=(
                "Start of the period: an ISO 8601 date or time, in this machine's time zone"
                " unless it has an offset. Default: today."
            ),
        ),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="End of the period, at most 31 days after --from. Default: a day after --from.",
        ),
    ] = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only visits in which somebody is waiting.")
    ] = False,
    url: ServiceUrl = None,
    wide: Wide = False,
    as_json: Json = False,
) -> None:
    """List the client's visits, earliest first.

    Includes cancelled visits. Shows each start in the visit's own time zone.
    The API key comes from JITSI_TOKENS_API_KEY, from the file that
    JITSI_TOKENS_API_KEY_FILE names, or from a prompt.
    """
    start = _time(from_) if from_ else datetime.now().replace(hour=0, minute=0, second=0)  # noqa: DTZ005
    end = _time(to) if to else start + timedelta(days=1)
    query = {"from": _rfc3339(start), "to": _rfc3339(end)} | (
        {"waiting": "true"} if waiting else {}
    )
    web, api_key = _service(ctx, url)
    if as_json:
        echo_json({"visits": list(_listed(web, api_key, query, dict[str, Any]))})
        return
    visits = list(_listed(web, api_key, query, _Visit))
    if not visits:
        info("Nobody waits." if waiting else "There are no visits in this period.")
        return
    wide = wide or not is_terminal(sys.stdout)
    headings = ["Starts", "Visit", "Status", "Delay", "With", "Waiting"]
    echo_table(
        [*headings, "Closes"] if wide else headings,
        [_row(visit, wide=wide) for visit in visits],
        wide=wide,
    )


@app.command(
    epilog=examples(
        "jitsi-tokens visit show oe-default-4711 --stack-name my-stack",
        "jitsi-tokens visit show oe-default-4711 --stack-name my-stack --links",
    )
)
def show(
    ctx: typer.Context,
    visit_id: VisitId,
    *,
    links: Annotated[
        bool,
        typer.Option("--links", help="Print the links, too. Anyone who has one can join."),
    ] = False,
    url: ServiceUrl = None,
    as_json: Json = False,
) -> None:
    """Show a visit and its participants.

    "Joined" means that somebody got a token, not that they are in the room.
    """
    path = _path(visit_id)
    web, api_key = _service(ctx, url)
    reply = service.call(web, "GET", path, api_key)
    visit = service.read(reply, _Visit)
    if as_json:
        echo_json(_document(reply.document(), links=links))
        return
    state, delay = visit.state, visit.state.delay_minutes
    zone = _time(visit.starts_at).tzinfo
    echo_facts(
        [
            ("Visit", state.visit_id),
            ("Status", state.status_text),
            ("Starts", f"{visit.starts_at} ({visit.time_zone})"),
            ("Duration", f"{visit.duration_minutes} min"),
            *([("Delay", f"{delay} min")] if delay else []),
            ("Opens", time_text(state.opens_at, zone)),
            ("Closes", time_text(state.closes_at, zone)),
            ("With", visit.host),
            ("Contact", f"{visit.contact.name}, {visit.contact.phone}"),
        ]
    )
    if not state.participants:
        return
    echo("")
    headings = ["Participant", "Role", "Status", "Since", "Name"]
    named = {each.participant_id: each for each in visit.participants}
    rows = []
    for presence in state.participants:
        person = named.get(presence.participant_id, presence)
        # The service names nobody who was revoked.
        is_known = presence.status != "revoked" and bool(person.user_name)
        since = "-" if presence.since is None else time_text(presence.since, zone)
        cells = [presence.participant_id, person.role if is_known else "-", presence.status, since]
        link = presence.link or ("made with another LinkKey" if presence.link_unknown else "-")
        rows.append([*cells, person.user_name or "-", *([link] if links else [])])
    # A link that is cut opens nothing.
    echo_table([*headings, "Link"] if links else headings, rows, wide=links)


@app.command(
    epilog=examples("jitsi-tokens visit join oe-default-4711 doctor --stack-name my-stack --open")
)
def join(
    ctx: typer.Context,
    visit_id: VisitId,
    participant_id: Annotated[
        str, typer.Argument(metavar="PARTICIPANT", help="The participant's id in the visit.")
    ],
    *,
    url: ServiceUrl = None,
    open_link: OpenLink = False,
    as_json: Json = False,
) -> None:
    """Get a token for a participant, as the health record's button does.

    A moderator's token opens the visit: from then on, guests can enter.
    """
    check_output(open_link=open_link, as_json=as_json)
    path = f"{_path(visit_id, participant_id)}/join"
    web, api_key = _service(ctx, url)
    answer = service.issued(service.call(web, "POST", path, api_key))
    show_meeting(answer, open_link=open_link, as_json=as_json)


@app.command(
    epilog=examples(
        "jitsi-tokens visit cancel oe-default-4711 --stack-name my-stack",
        "jitsi-tokens visit cancel oe-default-4711 --stack-name my-stack --yes",
    )
)
def cancel(
    ctx: typer.Context,
    visit_id: VisitId,
    *,
    revision: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="The health record's revision. Rejected if the visit has a higher one.",
        ),
    ] = None,
    url: ServiceUrl = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Cancel a visit. Nobody can join it, and its names are erased at once.

    The links work again if the health record sends the visit again.
    """
    path = _path(visit_id) + ("" if revision is None else f"?revision={revision}")
    confirm(f"Cancel the visit {visit_id}? Its names are erased at once.", yes=yes)
    web, api_key = _service(ctx, url)
    reply = service.call(web, "DELETE", path, api_key)
    state = service.read(reply, _Visit).state
    if as_json:
        echo_json(_document(reply.document(), links=False))
        return
    echo_facts([("Visit", state.visit_id), ("Status", state.status_text)])


def _service(ctx: typer.Context, url: str | None) -> tuple[Web, str]:
    return Web(base_url(url or "") or find_stack(ctx.obj).api_url), find_api_key(os.environ)


def _path(visit_id: str, participant_id: str | None = None) -> str:
    """Return the path of a visit, or of a participant, after checking the ids."""
    try:
        check_visit_id(visit_id)
        if participant_id is None:
            return f"{VISITS_PATH}/{visit_id}"
        check_participant_id(participant_id)
    except Problem as problem:
        raise UsageError(problem.detail) from None
    return f"{VISITS_PATH}/{visit_id}/participants/{participant_id}"


def _listed[T](web: Web, api_key: str, query: dict[str, str], kind: type[T]) -> Iterator[T]:
    """Yield the visits of all pages."""
    page: _Page[T] = _Page([], "")
    while True:
        following = {"next": page.next} if page.next else {}
        path = f"{VISITS_PATH}?{urlencode(query | following)}"
        page = service.read(service.call(web, "GET", path, api_key), _Page[kind])  # type: ignore[valid-type]
        yield from page.visits
        if not page.next:
            return


def _row(visit: _Visit, *, wide: bool) -> list[str]:
    state = visit.state
    # Month, day and time: the year is that of --from.
    starts = visit.starts_at if wide else visit.starts_at[5:16].replace("T", " ")
    waiting = [each.participant_id for each in state.participants if each.status == "waiting"]
    cells = [
        starts,
        state.visit_id,
        state.status_text,
        f"{state.delay_minutes} min" if state.delay_minutes else "-",
        visit.host,
        ", ".join(waiting) or "-",
    ]
    return [*cells, time_text(state.closes_at)] if wide else cells


def _document(answer: dict[str, Any], *, links: bool) -> dict[str, Any]:
    """Return the service's document, without the links unless they were asked for."""
    if not links:
        for participant in answer["state"]["participants"]:
            participant.pop("link", None)
    return answer


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            "Give a date or time such as 2030-01-31 or 2030-01-31T09:00:00+01:00."
        ) from None


def _rfc3339(moment: datetime) -> str:
    """Return a time with its offset; one without a zone is this machine's."""
    return (moment if moment.tzinfo else moment.astimezone()).isoformat(timespec="seconds")

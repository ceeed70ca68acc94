"""The policy options that the client commands share."""

from typing import Annotated, NamedTuple

import typer

from jitsi_tokens.core.policy import Policy, make_policy
from jitsi_tokens.core.request_fields import MIN_LIFETIME_SECONDS, MOST_ADVANCE_SECONDS
from jitsi_tokens_cli.errors import UsageError


class PolicyOptions(NamedTuple):
    """What the operator gave of a policy."""

    room: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Rooms it may request, such as 'visit-*'; repeat for more. Only * is a wildcard.",
        ),
    ] = None
    any_room: Annotated[bool, typer.Option("--any-room", help="It may request every room.")] = False
    moderator: Annotated[bool, typer.Option("--moderator", help="It may make moderators.")] = False
    feature: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FEATURE",
            help=(
                "A feature it may switch on, such as recording; repeat for more. This does not"
                " limit the defaults of a self-hosted Jitsi, which a moderator's token without"
                " `features` gets."
            ),
        ),
    ] = None
    max_lifetime: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            min=MIN_LIFETIME_SECONDS,
            help="Longest lifetime of its tokens. Default: the stack's limit.",
        ),
    ] = None
    diagnostics: Annotated[
        bool, typer.Option("--diagnostics", help="It may read the diagnostics.")
    ] = False

    max_advance: Annotated[
        int | None,
        typer.Option(
            metavar="SECONDS",
            min=0,
            max=MOST_ADVANCE_SECONDS,
            help=(
                "How far in the future its tokens may start, for links mailed days before."
                " Default: a new client gets tokens for now only; `client set` keeps the limit."
            ),
        ),
    ] = None

    visits: Annotated[
        bool,
        typer.Option(
            "--visits", help="It may make visits: appointments with a link for each participant."
        ),
    ] = False
    moderator_links: Annotated[
        bool,
        typer.Option(
            "--moderator-links",
            help="Moderators of its visits get links, too. Anyone who has one is a moderator.",
        ),
    ] = False

    @property
    def given(self) -> bool:
        """Whether any was given."""
        return any(self) or self.max_advance is not None

    def policy(self, max_advance_seconds: int | None = 0) -> Policy:
        """Return the policy that the options make.

        Args:
            max_advance_seconds: what holds where --max-advance is not given.

        Raises:
            UsageError: they allow neither a room, the diagnostics nor visits, and so nothing.
            PolicyRefused: they break a rule.
        """
        if not (self.room or self.any_room or self.diagnostics or self.visits):
            raise UsageError(
                "Which rooms may this client request? Give --room with a pattern, such as --room"
                " 'visit-*', or --any-room for all rooms. If it only makes visits and chooses no"
                " rooms, give --visits alone; if it only reads the diagnostics, --diagnostics"
                " alone."
            )
        return make_policy(
            rooms=self.room or [],
            any_room=self.any_room,
            moderator=self.moderator,
            features=self.feature or [],
            max_lifetime_seconds=self.max_lifetime,
            diagnostics=self.diagnostics,
            max_advance_seconds=(
                max_advance_seconds if self.max_advance is None else self.max_advance
            ),
            visits=self.visits,
            moderator_links=self.moderator_links,
        )

"""The policy options of the client commands."""

from typing import Annotated, NamedTuple

import typer

from jitsi_tokens.policy import Policy, make_policy
from jitsi_tokens.requests import MIN_LIFETIME_SECONDS
from jitsi_tokens_cli.errors import CommandError

Room = Annotated[
    list[str] | None,
    typer.Option(
        "--room",
        metavar="PATTERN",
        help="Rooms it may ask for, such as 'visit-*'; repeat for more. Only * is special.",
    ),
]
AnyRoom = Annotated[bool, typer.Option("--any-room", help="It may ask for every room.")]
Moderator = Annotated[bool, typer.Option("--moderator", help="It may make moderators.")]
Feature = Annotated[
    list[str] | None,
    typer.Option(
        "--feature",
        metavar="FEATURE",
        help="A feature it may switch on, such as recording; repeat for more.",
    ),
]
MaxLifetime = Annotated[
    int | None,
    typer.Option(
        "--max-lifetime",
        metavar="SECONDS",
        min=MIN_LIFETIME_SECONDS,
        help="Its longest lifetime of a token. Left out: the stack's.",
    ),
]
Diagnostics = Annotated[bool, typer.Option("--diagnostics", help="It may read the diagnostics.")]


class PolicyOptions(NamedTuple):
    """What the operator gave of a policy."""

    rooms: list[str] | None
    any_room: bool
    moderator: bool
    features: list[str] | None
    max_lifetime: int | None
    diagnostics: bool

    @property
    def given(self) -> bool:
        """Whether any was given."""
        return any(self)

    def policy(self) -> Policy:
        """Return the policy that the options make.

        Raises:
            CommandError: they name no room, so that the client could ask for nothing.
            PolicyRefused: they break a rule.
        """
        if not self.rooms and not self.any_room:
            raise CommandError(
                "Which rooms may this client ask for? Give --room with a pattern, such as"
                " --room 'visit-*', or --any-room for all of them."
            )
        return make_policy(
            rooms=self.rooms or [],
            any_room=self.any_room,
            moderator=self.moderator,
            features=self.features or [],
            max_lifetime_seconds=self.max_lifetime,
            diagnostics=self.diagnostics,
        )

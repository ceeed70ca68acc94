"""What POST /api/jitsi/jwt answers."""

from typing import Annotated

from msgspec import Meta, Struct


class IssuedToken(Struct, rename="camel", frozen=True, kw_only=True):
    """A meeting token for one person, one room and one time."""

    token: Annotated[
        str,
        Meta(
            description="The signed token (JWT). Anyone who has it can join: keep it out of logs.",
            examples=["eyJhbGciOiJSUzI1NiIsImtpZCI6InZwYWFz…"],
        ),
    ]
    expires_at: Annotated[
        int,
        Meta(description="When the token expires, in epoch seconds.", examples=[1795319836]),
    ]
    not_before: Annotated[
        int,
        Meta(
            description=(
                "When the token starts to work, in epoch seconds: `clockSkewSeconds` before the"
                " requested time, because Jitsi compares times without leeway."
            ),
            examples=[1795316226],
        ),
    ]
    meeting_url: Annotated[
        str,
        Meta(
            description="The URL to open in a browser. It contains the token: keep it out of logs.",
            examples=["https://meet.example.org/session-123#jwt=%22eyJhbGciOiJSUzI1NiIs…%22"],
        ),
    ]
    room_name: Annotated[
        str,
        Meta(
            description="The room as Jitsi compares it: `My Room` becomes `my%20room`.",
            examples=["session-123"],
        ),
    ]

    def __repr__(self) -> str:
        return "IssuedToken()"

"""What POST /api/jitsi/jwt answers."""

from typing import Annotated

from msgspec import Meta, Struct


class IssuedToken(Struct, rename="camel", frozen=True, kw_only=True):
    """A meeting token, for one person, one room and one time."""

    token: Annotated[
        str,
        Meta(
            description="The signed token (JWT). Whoever has it can join: keep it out of logs.",
            examples=["eyJhbGciOiJSUzI1NiIsImtpZCI6InZwYWFz…"],
        ),
    ]
    expires_at: Annotated[
        int,
        Meta(description="Until when the token works, in epoch seconds.", examples=[1795319836]),
    ]
    not_before: Annotated[
        int,
        Meta(
            description=(
                "From when the token works, in epoch seconds: `clockSkewSeconds` before the time"
                " asked for, as Jitsi compares times with no leeway."
            ),
            examples=[1795316226],
        ),
    ]
    meeting_url: Annotated[
        str,
        Meta(
            description="The address to open in a browser. It holds the token.",
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

"""Every error the service answers, as RFC 9457 problem details."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from msgspec import UNSET, Meta, Struct, UnsetType

from jitsi_tokens.core.contact import EXAMPLE, Contact


class Kind(NamedTuple):
    """One kind of problem: the end of its `type`, its HTTP status and its title."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """The problem's `type` URI, the same for every problem of this kind."""
        return f"urn:jitsi-tokens:problem:{self.name}"


MALFORMED_REQUEST = Kind("malformed-request", 400, "The request cannot be read")
INVALID_REQUEST = Kind("invalid-request", 400, "The request asks for what cannot be given")
UNAUTHORIZED = Kind("unauthorized", 401, "The caller is not known")
FORBIDDEN = Kind("forbidden", 403, "The client's policy does not allow this")
NOT_FOUND = Kind("not-found", 404, "There is nothing at this path")
METHOD_NOT_ALLOWED = Kind("method-not-allowed", 405, "This path does not support the method")
LINK_INVALID = Kind("link-invalid", 404, "There is no such link")
LINK_REPLACED = Kind("link-replaced", 404, "The link was replaced or revoked")
TOO_EARLY = Kind("too-early", 409, "The visit is not open yet")
WAITING_FOR_MODERATOR = Kind("waiting-for-moderator", 409, "No moderator has joined yet")
VISIT_OVER = Kind("visit-over", 409, "The visit is over")
VISIT_CANCELLED = Kind("visit-cancelled", 409, "The visit is cancelled")
SUPERSEDED = Kind("superseded", 409, "The visit has a later revision")
CONTENT_TOO_LARGE = Kind("content-too-large", 413, "The request body is too large")
UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "The request body is not JSON")
TOO_MANY_REQUESTS = Kind("too-many-requests", 429, "Too many requests")
UNAVAILABLE = Kind("unavailable", 503, "The service cannot answer now")
VISIT_INTERRUPTED = Kind("visit-interrupted", 503, "The clinic's video is interrupted")


# How many fields one answer names at most.
MAX_ERRORS = 10


class FieldError(Struct, frozen=True):
    """What is wrong with one field."""

    pointer: Annotated[
        str,
        Meta(description="JSON pointer (RFC 6901) to the field.", examples=["/isModerator"]),
    ]
    detail: Annotated[
        str,
        Meta(
            description="What is wrong with the field, for people.",
            examples=["must be false: this client makes no moderators."],
        ),
    ]


class ProblemDetails(Struct, rename="camel", frozen=True, kw_only=True):
    """Why the request was refused or failed (RFC 9457)."""

    type: Annotated[
        str,
        Meta(
            description="The kind of problem, for programs. It never changes for a kind.",
            examples=["urn:jitsi-tokens:problem:forbidden"],
        ),
    ]
    title: Annotated[
        str,
        Meta(
            description="The kind of problem, for people.",
            examples=["The client's policy does not allow this"],
        ),
    ]
    status: Annotated[int, Meta(description="The HTTP status of the answer.", examples=[403])]
    detail: Annotated[
        str,
        Meta(
            description="What went wrong in this request, for people.",
            examples=["isModerator must be false: this client makes no moderators."],
        ),
    ]
    errors: (
        Annotated[
            list[FieldError],
            Meta(
                description="The invalid fields, at most ten. In a 400, in the order of the body.",
                examples=[
                    [
                        {
                            "pointer": "/isModerator",
                            "detail": "must be false: this client makes no moderators.",
                        }
                    ]
                ],
            ),
        ]
        | UnsetType
    ) = UNSET
    opens_at: (
        Annotated[
            int,
            Meta(description="When the visit opens, in epoch seconds.", examples=[1796112900]),
        ]
        | UnsetType
    ) = UNSET
    server_time: (
        Annotated[
            int,
            Meta(
                description="The time by the service's clock, in epoch seconds.",
                examples=[1796109300],
            ),
        ]
        | UnsetType
    ) = UNSET
    because: (
        Annotated[str, Meta(description="Why the visit was ended by hand.", examples=["by-phone"])]
        | UnsetType
    ) = UNSET
    contact: (
        Annotated[
            Contact, Meta(description="The clinic that the patient can call.", examples=[EXAMPLE])
        ]
        | UnsetType
    ) = UNSET


class Problem(Exception):
    """A refusal. Its text is the kind alone: details may quote what the caller sent."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after_seconds: int | None = None,
        allow: str | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.detail = detail
        self.errors = errors
        self.retry_after_seconds = retry_after_seconds
        self.allow = allow
        self.members = members or {}

    def details(self) -> ProblemDetails:
        """Return the body of the answer."""
        return ProblemDetails(
            type=self.kind.type,
            title=self.kind.title,
            status=self.kind.status,
            detail=self.detail,
            errors=list(self.errors) or UNSET,
            **self.members,
        )


def field_error(pointer: str, detail: str) -> FieldError:
    """Return what is wrong with one field; `detail` goes on from the field's name."""
    return FieldError(pointer, f"{detail}.")


def field_problem(kind: Kind, errors: Sequence[FieldError]) -> Problem:
    """Return the problem of one or more fields."""
    sentences = [f"{error.pointer.removeprefix('/')} {error.detail}" for error in errors]
    return Problem(kind, " ".join(sentences), errors=errors)


def invalid_field(pointer: str, detail: str) -> Problem:
    """Return the problem for one field that breaks a rule of the contract."""
    return field_problem(INVALID_REQUEST, [field_error(pointer, detail)])


def unexpected() -> Problem:
    """Return the problem for an unexpected error, whose cause is only in the log."""
    return Problem(UNAVAILABLE, "The service failed; try again.", retry_after_seconds=30)

"""Every error the service answers, as RFC 9457 problem details."""

from typing import Any, NamedTuple


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
NOT_FOUND = Kind("not-found", 404, "There is nothing at this path for this method")
CONTENT_TOO_LARGE = Kind("content-too-large", 413, "The request body is too large")
UNSUPPORTED_MEDIA_TYPE = Kind("unsupported-media-type", 415, "The request body is not JSON")
TOO_MANY_REQUESTS = Kind("too-many-requests", 429, "Too many requests")
UNAVAILABLE = Kind("unavailable", 503, "The service cannot answer now")


class FieldError(NamedTuple):
    """What is wrong with one field: a JSON pointer (RFC 6901) to it, and what to change."""

    pointer: str
    detail: str


class Problem(Exception):
    """A refusal. Its text is the kind alone: details may quote what the caller sent."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        field: FieldError | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(kind.name)
        self.kind = kind
        self.detail = detail
        self.field = field
        self.retry_after_seconds = retry_after_seconds

    def document(self) -> dict[str, Any]:
        """Return the problem details object."""
        document: dict[str, Any] = {
            "type": self.kind.type,
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
        }
        if self.field:
            document["errors"] = [self.field._asdict()]
        return document


def invalid_field(pointer: str, detail: str) -> Problem:
    """Return the problem for one field that breaks a rule of the contract."""
    return _field_problem(INVALID_REQUEST, pointer, detail)


def forbidden_field(pointer: str, detail: str) -> Problem:
    """Return the problem for one field that asks for more than the client's policy allows."""
    return _field_problem(FORBIDDEN, pointer, detail)


def unexpected() -> Problem:
    """Return the problem for an error that nobody expected, and that is told in the log alone."""
    return Problem(UNAVAILABLE, "The service failed; try again.", retry_after_seconds=30)


def _field_problem(kind: Kind, pointer: str, detail: str) -> Problem:
    name = pointer.removeprefix("/")
    return Problem(kind, f"{name} {detail}.", field=FieldError(pointer, f"{detail}."))

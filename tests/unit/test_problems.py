"""Every error the service answers, as RFC 9457 problem details."""

import re

import msgspec
import pytest

from jitsi_tokens.core import problems
from jitsi_tokens.core.problems import (
    FORBIDDEN,
    UNAVAILABLE,
    Kind,
    Problem,
    field_error,
    field_problem,
    invalid_field,
    unexpected,
)

KINDS = {name: kind for name, kind in vars(problems).items() if isinstance(kind, Kind)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_problem_says_its_kind(kind: Kind) -> None:
    """Type, title and status are the kind's, no two have the same type; the detail is its own."""
    assert msgspec.to_builtins(Problem(kind, "What happened.").details()) == {
        "type": f"urn:jitsi-tokens:problem:{kind.name}",
        "title": kind.title,
        "status": kind.status,
        "detail": "What happened.",
    }
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.name)
    assert [other for other in KINDS.values() if other.type == kind.type] == [kind]


def test_a_problem_points_at_each_field() -> None:
    """The fields are in the detail for people, and as JSON pointers for programs."""
    wrong = [field_error("/features/lobby", "is wrong"), field_error("/roomName", "is too")]

    document = msgspec.to_builtins(field_problem(FORBIDDEN, wrong).details())

    assert document["detail"] == "features/lobby is wrong. roomName is too."
    assert document["errors"] == [
        {"pointer": "/features/lobby", "detail": "is wrong."},
        {"pointer": "/roomName", "detail": "is too."},
    ]


def test_the_text_of_the_exception_is_its_kind_alone() -> None:
    """A detail may quote what the caller sent, and an exception may be logged."""
    problem = invalid_field("/secret-name", "is not a field of this request")

    assert str(problem) == "invalid-request"
    assert "secret-name" not in repr(problem)


def test_a_problem_carries_what_its_headers_say() -> None:
    """When to try again, in seconds, and the methods of the path; without a word nothing."""
    problem = Problem(UNAVAILABLE, "Later.", retry_after_seconds=5, allow="GET")

    assert (problem.retry_after_seconds, problem.allow) == (5, "GET")
    assert (unexpected().kind, unexpected().retry_after_seconds) == (UNAVAILABLE, 30)
    assert unexpected().allow is None

"""Every error the service answers, as RFC 9457 problem details."""

import re

import msgspec
import pytest

from jitsi_tokens.core import problems
from jitsi_tokens.core.problems import (
    FORBIDDEN,
    Kind,
    Problem,
    field_error,
    field_problem,
    invalid_field,
)

KINDS = {name: kind for name, kind in vars(problems).items() if isinstance(kind, Kind)}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_problem_says_its_kind(kind: Kind) -> None:
    """Type, title and status are the kind's; the detail is its own."""
    document = msgspec.to_builtins(Problem(kind, "What happened.").details())

    assert document == {
        "type": f"urn:jitsi-tokens:problem:{kind.name}",
        "title": kind.title,
        "status": kind.status,
        "detail": "What happened.",
    }
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.name)
    assert 400 <= kind.status < 600


def test_no_two_kinds_share_a_name() -> None:
    """A client may switch on the type."""
    assert len({kind.type for kind in KINDS.values()}) == len(KINDS) == 10


def test_a_problem_points_at_each_field() -> None:
    """The fields stand in the detail for people, and as JSON pointers for programs."""
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


def test_a_problem_may_say_when_to_try_again() -> None:
    """In seconds; without a word nothing is said."""
    assert Problem(problems.UNAVAILABLE, "Later.", retry_after_seconds=30).retry_after_seconds == 30
    assert Problem(problems.UNAVAILABLE, "Later.").retry_after_seconds is None

"""Every error the service answers, as RFC 9457 problem details."""

import re

import msgspec
import pytest

from jitsi_tokens import problems
from jitsi_tokens.problems import Kind, Problem, forbidden_field, invalid_field

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
    assert len({kind.type for kind in KINDS.values()}) == len(KINDS) == 9


@pytest.mark.parametrize(
    ("make", "kind"),
    [(invalid_field, problems.INVALID_REQUEST), (forbidden_field, problems.FORBIDDEN)],
    ids=["invalid", "forbidden"],
)
def test_a_problem_of_a_field_points_at_it(make: type[Problem], kind: Kind) -> None:
    """The field stands in the detail for people, and as a JSON pointer for programs."""
    problem = make("/features/lobby", "is wrong")  # type: ignore[arg-type]

    assert problem.kind is kind
    assert msgspec.to_builtins(problem.details())["detail"] == "features/lobby is wrong."
    assert msgspec.to_builtins(problem.details())["errors"] == [
        {"pointer": "/features/lobby", "detail": "is wrong."}
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

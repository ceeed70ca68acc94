"""What a client may be given, and the refusal of all else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitsi_tokens.core.features import FEATURES
from jitsi_tokens.core.policy import (
    CHECKS,
    MAX_ROOM_PATTERNS,
    NEEDS_NO_LEAVE,
    Policy,
    PolicyRefused,
    make_policy,
)
from jitsi_tokens.core.problems import FORBIDDEN, Problem
from jitsi_tokens.core.requests import Limits, TokenRequest
from jitsi_tokens.core.rooms import backend_safe, matches


def asking(room_name: str = "visit-1", **fields: Any) -> TokenRequest:
    """Return a request that asks for this."""
    return TokenRequest(user_id="u", user_name="n", room_name=room_name, **fields)


def refusal(policy: Policy, request: TokenRequest, advance: int = 0) -> Problem:
    """Return the problem that a request meets under a policy."""
    with pytest.raises(Problem) as refused:
        policy.check(request, backend_safe(request.room_name), advance)
    assert refused.value.kind is FORBIDDEN
    return refused.value


@pytest.mark.parametrize(
    ("policy", "request_"),
    [
        (Policy(rooms=["*"]), asking()),
        (Policy(rooms=["other", "visit-*"]), asking()),
        (Policy(rooms=["caf%c3%a9"]), asking("Café")),
        (Policy(rooms=["*"], moderator=True), asking(is_moderator=True)),
        (Policy(rooms=["*"], moderator=True), asking(is_moderator=False)),
        (Policy(rooms=["*"], max_lifetime_seconds=600), asking(expiration_seconds=600)),
        (Policy(rooms=["*"], max_lifetime_seconds=600), asking()),
        (Policy(rooms=["*"]), asking(expiration_seconds=86_400)),
        (Policy(rooms=["*"], features=["lobby"]), asking(features={"lobby": True})),
        (Policy(rooms=["*"]), asking(features={"lobby": False})),
        (Policy(rooms=["*"]), asking(features={})),
    ],
)
def test_what_the_policy_names_is_given(policy: Policy, request_: TokenRequest) -> None:
    """A request inside the policy passes; switching a feature off needs no leave."""
    policy.check(request_, backend_safe(request_.room_name), 0)


@pytest.mark.parametrize(
    ("policy", "request_", "detail"),
    [
        (
            Policy(rooms=["*"]),
            asking(is_moderator=True),
            "isModerator must be false: this client makes no moderators.",
        ),
        (
            Policy(rooms=["visit-*"]),
            asking("board"),
            "roomName is outside the rooms of this client.",
        ),
        (Policy(), asking(), "roomName is outside the rooms of this client."),
        (
            Policy(rooms=["*"], max_lifetime_seconds=600),
            asking(expiration_seconds=601),
            "expirationSeconds must be at most 600 for this client.",
        ),
        (
            Policy(rooms=["*"], features=["lobby"]),
            asking(features={"lobby": True, "recording": True}),
            "features/recording may not be switched on by this client.",
        ),
    ],
    ids=["moderator", "room", "no-rooms", "lifetime", "feature"],
)
def test_what_the_policy_does_not_name_is_refused(
    policy: Policy, request_: TokenRequest, detail: str
) -> None:
    """With 403, the field at fault and the reason."""
    problem = refusal(policy, request_)

    assert problem.detail == detail
    assert [error.pointer for error in problem.errors] == [f"/{detail.partition(' ')[0]}"]


def test_all_that_needs_leave_is_named_together() -> None:
    """A caller who may do little reads everything at once, ten faults at most."""
    asked = asking(is_moderator=True, features={"lobby": True}, expiration_seconds=601)

    problem = refusal(Policy(max_lifetime_seconds=600, max_advance_seconds=0), asked, 1)
    everything = refusal(Policy(), asking(features=dict.fromkeys(FEATURES, True)))

    assert [error.pointer for error in problem.errors] == [
        *("/roomName", "/isModerator", "/expirationSeconds", "/notBefore", "/features/lobby")
    ]
    assert len(everything.errors) == 10


@pytest.mark.parametrize(
    ("furthest", "advance", "detail"),
    [
        *((0, 0, None), (0, -600, None), (60, 60, None), (None, 604_800, None)),
        (0, 1, "must not lie in the future: this client gets no tokens in advance."),
        (60, 61, "must lie at most 60 seconds ahead for this client."),
    ],
)
def test_a_token_in_advance_needs_leave(
    furthest: int | None, advance: int, detail: str | None
) -> None:
    """What is collected ahead outlives the key that collected it."""
    policy = Policy(rooms=["*"], max_advance_seconds=furthest)

    if detail is None:
        policy.check(asking(), "visit-1", advance)
    else:
        assert refusal(policy, asking(), advance).detail == f"notBefore {detail}"


@pytest.mark.parametrize(
    ("own", "stack", "default"), [(None, 14_400, 3600), (1800, 14_400, 1800), (1800, 900, 900)]
)
def test_a_default_is_within_every_limit(own: int | None, stack: int, default: int) -> None:
    """A request that names no lifetime is not refused for one."""
    limits = Policy(max_lifetime_seconds=own).limits(Limits(stack, 0))

    assert limits == Limits(stack, 0, default)


def test_every_field_is_covered_by_the_policy() -> None:
    """A new field needs a check, or the word that it gives no privilege."""
    assert {*CHECKS, *NEEDS_NO_LEAVE} == set(TokenRequest.__struct_fields__)


def test_the_diagnostics_need_leave() -> None:
    """A client that may read them may, another may not."""
    Policy(diagnostics=True).check_diagnostics()

    with pytest.raises(Problem) as refused:
        Policy(diagnostics=False).check_diagnostics()

    assert refused.value.kind is FORBIDDEN


def test_a_policy_is_normalised_when_it_is_written() -> None:
    """Patterns fold as rooms do; duplicates are removed, and the rest is in order."""
    others: dict[str, Any] = {
        **dict.fromkeys(("moderator", "diagnostics", "visits", "moderator_links"), True),
        "max_lifetime_seconds": 60,
    }
    policy = make_policy(
        rooms=["Visit *", "Café", "visit%20*"],
        features=["recording", "lobby", "lobby"],
        max_advance_seconds=5,
        **others,
    )

    assert policy == Policy(
        rooms=["caf%c3%a9", "visit%20*"],
        features=["lobby", "recording"],
        max_advance_seconds=5,
        **others,
    )


def test_what_nobody_asked_for_is_not_given() -> None:
    """No room without a pattern, and every room by its own option alone."""
    assert make_policy(rooms=[], features=[]) == Policy()
    assert make_policy(rooms=[], any_room=True, features=[]) == Policy(rooms=["*"])


@pytest.mark.parametrize(
    ("reason", "patterns"),
    [
        ("A bare '\\*' opens every room", ["*", "***"]),
        ("must hold a visible character", ["", " "]),
        ("must not hold control characters", ["a\nb"]),
        ("must not hold lone surrogates", ["a\ud800"]),
        ("only wildcard is a plain '\\*'", ["%2a", "visit-%2A", "visit-\uff0a"]),
        ("no stable form", ["J\u030c*"]),
        ("must not hold an apostrophe", ["o'brien-*"]),
        ("must not hold an ampersand", ["*\uff06*"]),
        ("must not end in .js", ["visit-*.js"]),
        ("must not be a path", ["http-bind*", "static"]),
    ],
)
def test_a_pattern_that_opens_more_or_less_than_it_reads_is_refused(
    reason: str, patterns: list[str]
) -> None:
    """With the sentence that a person needs."""
    for pattern in patterns:
        with pytest.raises(PolicyRefused, match=reason):
            make_policy(rooms=[pattern], features=[])


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("not both", {"rooms": ["visit-*"], "any_room": True}),
        ("at most 50", {"rooms": ["a"] * (MAX_ROOM_PATTERNS + 1)}),
        (
            r"no feature 'admin'\. It knows: branding, calendar",
            {"features": ["lobby", "zoom", "admin"]},
        ),
        ("at least 60 seconds", {"max_lifetime_seconds": 59}),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(reason: str, changes: dict[str, Any]) -> None:
    """With what to change; at the limit it is fine."""
    with pytest.raises(PolicyRefused, match=reason):
        make_policy(**{"rooms": [], "features": []} | changes)

    patterns = [f"room-{number}" for number in range(MAX_ROOM_PATTERNS)]
    assert len(make_policy(rooms=patterns, features=sorted(FEATURES)).rooms) == MAX_ROOM_PATTERNS


@given(st.text(st.characters(), min_size=1), st.text(st.characters()))
def test_a_written_pattern_is_stable_and_covers_its_own_name(before: str, after: str) -> None:
    """Whatever is accepted reads the same when written again, and has as many stars as before."""
    pattern = f"{before}*{after}"
    try:
        [normal] = make_policy(rooms=[pattern], features=[]).rooms
    except PolicyRefused:
        return

    assert make_policy(rooms=[normal], features=[]).rooms == [normal]
    assert normal.count("*") == pattern.count("*")
    assert matches(normal, normal.replace("*", "x"))

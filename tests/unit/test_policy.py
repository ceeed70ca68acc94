"""What a client may be given, and the refusal of all else."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

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


def asking(
    *,
    room: str = "visit-1",
    moderator: bool = False,
    seconds: int = 3600,
    features: dict[str, bool] | None = None,
) -> TokenRequest:
    """Return a request that asks for this."""
    request = {"user_id": "u", "user_name": "n", "room_name": room, "is_moderator": moderator}
    if features is not None:
        request["features"] = features
    return TokenRequest(**request, expiration_seconds=seconds)  # type: ignore[arg-type]


def refusal(policy: Policy, request: TokenRequest, advance: int = 0) -> Problem:
    """Return the problem that a request meets under a policy."""
    with pytest.raises(Problem) as refused:
        policy.check(request, backend_safe(request.room_name), advance)
    return refused.value


@pytest.mark.parametrize(
    ("policy", "request_"),
    [
        (Policy(rooms=["*"]), asking()),
        (Policy(rooms=["other", "visit-*"]), asking()),
        (Policy(rooms=["caf%c3%a9"]), asking(room="Café")),
        (Policy(rooms=["*"], moderator=True), asking(moderator=True)),
        (Policy(rooms=["*"], moderator=True), asking(moderator=False)),
        (Policy(rooms=["*"], max_lifetime_seconds=600), asking(seconds=600)),
        (Policy(rooms=["*"], features=["lobby"]), asking(features={"lobby": True})),
        (Policy(rooms=["*"]), asking(features={"lobby": False})),
        (Policy(rooms=["*"]), asking(features={})),
    ],
    ids=[
        *("any-room", "second-pattern", "normalised", "moderator", "guest-of-a-moderator-client"),
        *("longest-lifetime", "feature-on", "feature-off-needs-no-leave", "no-features"),
    ],
)
def test_what_the_policy_names_is_given(policy: Policy, request_: TokenRequest) -> None:
    """A request inside the policy passes, and passes without one of its leaves no longer."""
    policy.check(request_, backend_safe(request_.room_name), 0)

    assert refusal(Policy(), request_).kind is FORBIDDEN


@pytest.mark.parametrize(
    ("policy", "request_", "pointer", "detail"),
    [
        (
            Policy(rooms=["*"]),
            asking(moderator=True),
            "/isModerator",
            "isModerator must be false: this client makes no moderators.",
        ),
        (
            Policy(rooms=["visit-*"]),
            asking(room="board"),
            "/roomName",
            "roomName is outside the rooms of this client.",
        ),
        (
            Policy(),
            asking(),
            "/roomName",
            "roomName is outside the rooms of this client.",
        ),
        (
            Policy(rooms=["*"], max_lifetime_seconds=600),
            asking(seconds=601),
            "/expirationSeconds",
            "expirationSeconds must be at most 600 for this client.",
        ),
        (
            Policy(rooms=["*"], features=["lobby"]),
            asking(features={"lobby": True, "recording": True}),
            "/features/recording",
            "features/recording may not be switched on by this client.",
        ),
    ],
    ids=["moderator", "room", "no-rooms", "lifetime", "feature"],
)
def test_what_the_policy_does_not_name_is_refused(
    policy: Policy, request_: TokenRequest, pointer: str, detail: str
) -> None:
    """With 403, the field at fault and the reason."""
    problem = refusal(policy, request_)

    assert problem.kind is FORBIDDEN
    assert [error.pointer for error in problem.errors] == [pointer]
    assert problem.detail == detail


def test_all_that_needs_leave_is_named_together() -> None:
    """A caller who may do little is told everything at once."""
    asked = asking(moderator=True, features={"lobby": True}, seconds=601)

    problem = refusal(Policy(max_lifetime_seconds=600, max_advance_seconds=0), asked, 1)

    assert [error.pointer for error in problem.errors] == [
        *("/roomName", "/isModerator", "/expirationSeconds", "/notBefore", "/features/lobby")
    ]


@pytest.mark.parametrize(
    ("furthest", "advance", "detail"),
    [
        (0, 0, None),
        (0, -600, None),
        (0, 1, "must not lie in the future: this client gets no tokens in advance."),
        (60, 60, None),
        (60, 61, "must lie at most 60 seconds ahead for this client."),
        (None, 604_800, None),
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


def fields_without_a_rule(request_type: type[Struct]) -> set[str]:
    """Return the fields that no policy is asked about, and that nobody called harmless."""
    return set(request_type.__struct_fields__) - CHECKS.keys() - NEEDS_NO_LEAVE


def test_every_field_is_covered_by_the_policy() -> None:
    """A new field needs a check, or the word that it gives no privilege."""
    extended = msgspec.defstruct(
        "Extended", [("admin", bool, False)], bases=(TokenRequest,), kw_only=True
    )

    assert not fields_without_a_rule(TokenRequest)
    assert fields_without_a_rule(extended) == {"admin"}


def test_the_diagnostics_need_leave() -> None:
    """A client that may read them may, another may not."""
    Policy(diagnostics=True).check_diagnostics()

    with pytest.raises(Problem) as refused:
        Policy(diagnostics=False).check_diagnostics()

    assert refused.value.kind is FORBIDDEN


def test_a_policy_is_normalised_when_it_is_written() -> None:
    """Patterns fold as rooms do; what stands twice stands once, and in order."""
    policy = make_policy(
        rooms=["Visit *", "Café", "visit%20*"],
        moderator=True,
        features=["recording", "lobby", "lobby"],
        max_lifetime_seconds=60,
        diagnostics=True,
    )

    assert policy == Policy(
        rooms=["caf%c3%a9", "visit%20*"],
        moderator=True,
        features=["lobby", "recording"],
        max_lifetime_seconds=60,
        diagnostics=True,
    )


def test_any_room_has_its_own_option() -> None:
    """A bare star is written by asking for it."""
    assert make_policy(rooms=[], any_room=True, features=[]) == Policy(rooms=["*"])


def test_a_policy_without_rooms_opens_none() -> None:
    """What nobody asked for is not given."""
    assert make_policy(rooms=[], features=sorted(FEATURES)).rooms == []


def test_the_most_patterns_are_accepted() -> None:
    """Fifty, and each counts once."""
    patterns = [f"room-{number}" for number in range(MAX_ROOM_PATTERNS)]

    assert len(make_policy(rooms=patterns, features=[]).rooms) == MAX_ROOM_PATTERNS


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("*", "A bare '\\*' opens every room"),
        ("***", "A bare '\\*' opens every room"),
        ("", "must hold a visible character"),
        (" ", "must hold a visible character"),
        ("a\nb", "must not hold control characters"),
        ("a\u202eb", r"must not hold U\+202E, right-to-left override"),
        ("a\ud800", "must not hold lone surrogates"),
        ("%2a", "only wildcard is a plain '\\*'"),
        ("visit-%2A", "only wildcard is a plain '\\*'"),
        ("visit-＊", "only wildcard is a plain '\\*'"),  # noqa: RUF001
        ("J\u030c*", "no stable form"),
        ("o'brien-*", "must not hold an apostrophe"),
        ("tenant/*", "must not hold a slash"),
        ("Visit 16:*", "must not hold a colon"),
        ("*\uff06*", "must not hold an ampersand"),
        ("visit-*.js", "must not end in .js"),
        ("http-bind*", "must not be a path"),
        ("static", "must not be a path"),
    ],
)
def test_a_pattern_that_opens_more_or_less_than_it_reads_is_refused(
    pattern: str, reason: str
) -> None:
    """With the sentence that a person needs."""
    with pytest.raises(PolicyRefused, match=reason):
        make_policy(rooms=[pattern], features=[])


def test_patterns_beside_any_room_are_refused() -> None:
    """They would narrow nothing, whatever the person thought."""
    with pytest.raises(PolicyRefused, match="not both"):
        make_policy(rooms=["visit-*"], any_room=True, features=[])


def test_too_many_patterns_are_refused() -> None:
    """Fifty-one."""
    with pytest.raises(PolicyRefused, match="at most 50"):
        make_policy(rooms=["a"] * (MAX_ROOM_PATTERNS + 1), features=[])


def test_an_unknown_feature_is_refused_with_those_there_are() -> None:
    """The first unknown one is named, and the known ones are listed."""
    with pytest.raises(PolicyRefused, match=r"no feature 'admin'\. It knows: branding, calendar"):
        make_policy(rooms=[], features=["lobby", "zoom", "admin"])


def test_a_lifetime_below_the_shortest_is_refused() -> None:
    """A minute is the least that a request may ask for."""
    with pytest.raises(PolicyRefused, match="at least 60 seconds"):
        make_policy(rooms=[], features=[], max_lifetime_seconds=59)


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

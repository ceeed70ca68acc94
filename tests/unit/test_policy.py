"""What a client may be given, and the refusal of all else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitsi_tokens.features import FEATURES
from jitsi_tokens.policy import MAX_ROOM_PATTERNS, Policy, PolicyRefused, make_policy
from jitsi_tokens.problems import FORBIDDEN, Problem
from jitsi_tokens.requests import TokenRequest
from jitsi_tokens.rooms import backend_safe, matches


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


def refusal(policy: Policy, request: TokenRequest) -> Problem:
    """Return the problem that a request meets under a policy."""
    with pytest.raises(Problem) as refused:
        policy.check(request, backend_safe(request.room_name))
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
    policy.check(request_, backend_safe(request_.room_name))

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
    assert problem.field is not None
    assert problem.field.pointer == pointer
    assert problem.detail == detail


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
        ("a\u202eb", "must not hold bidirectional overrides"),
        ("a\ud800", "must not hold lone surrogates"),
        ("%2a", "only wildcard is a plain '\\*'"),
        ("visit-%2A", "only wildcard is a plain '\\*'"),
        ("visit-＊", "only wildcard is a plain '\\*'"),  # noqa: RUF001
        ("J\u030c*", "no stable form"),
        ("o'brien-*", "slash or an apostrophe"),
        ("tenant/*", "slash or an apostrophe"),
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

"""The four steps of a rotation: each safe to repeat, whatever became of it before."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import jwt
import msgspec
import pytest
from botocore.exceptions import ClientError

from jitsi_tokens import rotation
from jitsi_tokens.core.clock import Clock
from jitsi_tokens.core.keys import KeyDocument, SigningKey, read_key
from jitsi_tokens.core.public_keys import PublicKey, name_of
from jitsi_tokens.core.rsa_keys import private_pem, public_pem, thumbprint
from jitsi_tokens.publication import Publication
from jitsi_tokens.rotation import Rotation, RotationRefused
from jitsi_tokens.secrets_manager import SigningSecret
from jitsi_tokens.settings import read_settings
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


NOW = 1_800_000_000
PATH = "/jitsi-tokens/test/public-keys"
LEAD = 90
SECONDS_LEFT = 400
RETENTION = 1000
STEPS = ("create", "publish", "test", "finish")
FIRST, SECOND, THIRD, FOURTH = (str(number) * 32 for number in (1, 2, 3, 4))
OVER = PublicKey(
    kid="over",
    pem="-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n",
    n="AA",
    e="AQAB",
    published_at=NOW - 10_000,
    expires_at=NOW - 5_000,
)


class Killed(BaseException):
    """The function was ended where it stood."""


class Calls:
    """What a rotation does to the world, call by call; something may happen at one of them."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self._at: tuple[int, str, Callable[[], None]] | None = None

    def watch(self, client: Any) -> None:
        """Note the calls of an AWS client."""
        client.meta.events.register("before-call.*.*", self._before)
        client.meta.events.register("after-call.*.*", self._after)

    def arrange(self, number: int, when: str, happens: Callable[[], None]) -> None:
        """Let something happen `before` or `after` one of the calls from now on."""
        self.made.clear()
        self._at = (number, when, happens)

    def forget(self) -> None:
        """Let nothing happen that has not happened yet."""
        self._at = None

    def around[T](self, name: str, call: Callable[[], T]) -> T:
        """Note a call of another kind."""
        self._before(SimpleNamespace(name=name))
        answer = call()
        self._after()
        return answer

    def _before(self, model: Any, **_arguments: object) -> None:
        self.made.append(model.name)
        self._happen("before")

    def _after(self, **_arguments: object) -> None:
        self._happen("after")

    def _happen(self, when: str) -> None:
        if self._at and self._at[:2] == (len(self.made) - 1, when):
            happens = self._at[2]
            self._at = None
            happens()


class Stack:
    """A stack whose key rotates: its secret, its public keys, its public address, its clock.

    Secrets Manager documents both for the call that moves AWSCURRENT: that AWSPENDING goes with it
    (the guide), and that it may stay on the new current version (RotateSecret).
    """

    def __init__(self, name: str = "test", *, drops_pending: bool = False) -> None:
        self.secret = f"signing-key-{name}"
        self.now = float(NOW)
        self.calls = Calls()
        self.slept: list[float] = []
        self.fetched_at: list[float] = []
        self.secrets = boto3.client("secretsmanager")
        self.secrets.create_secret(Name=self.secret)
        self.path = f"/jitsi-tokens/{name}/public-keys"
        self.publication = Publication(boto3.client("ssm"), self.path)
        self.answer: Callable[[str], str | None] = self._served
        self._clients = (boto3.client("secretsmanager"), boto3.client("ssm"))
        if drops_pending:
            # First: what happens after a call happens after all that the call does.
            self._clients[0].meta.events.register(
                "after-call.secrets-manager.UpdateSecretVersionStage", self._drop_pending
            )
        for client in self._clients:
            self.calls.watch(client)
        # Last: what happens at a call happens before it arrives.
        self._clients[0].meta.events.register(
            "before-call.secrets-manager.PutSecretValue", self._keep_versions
        )

    def rotation(self) -> Rotation:
        """Return the rotation as one run of the function makes it."""
        return Rotation(
            SigningSecret(self._clients[0], self.secret),
            Publication(self._clients[1], self.path),
            fetch=self._fetch,
            deadline=self.now + SECONDS_LEFT,
            lead_seconds=LEAD,
            retention_seconds=RETENTION,
            clock=Clock(lambda: self.now, self._sleep),
        )

    def step(self, step: str, token: str) -> None:
        """Do one step."""
        getattr(self.rotation(), step)(token)

    def steps(self, token: str, *steps: str) -> None:
        """Do some steps."""
        for step in steps:
            self.step(step, token)

    def rotate(self, token: str) -> None:
        """Do all steps, as Secrets Manager begins them."""
        assert self.ended() is not None
        self.steps(token, *STEPS)

    def labels(self) -> dict[str, set[str]]:
        """Return the labels of each version that has any."""
        described = self.secrets.describe_secret(SecretId=self.secret)
        versions = described.get("VersionIdsToStages", {})
        return {version: set(labels) for version, labels in versions.items() if labels}

    def ended(self) -> dict[str, set[str]] | None:
        """Return the labels where no rotation is under way; None where another is refused."""
        found = self.labels()
        for labels in found.values():
            if "AWSPENDING" in labels and "AWSCURRENT" not in labels:
                return None
            labels.discard("AWSPENDING")
        return found

    def key(self, token: str | None = None) -> SigningKey:
        """Return a version's key, by default the current one."""
        return read_key(self.document(token), algorithm="RS256", kid_prefix="")

    def document(self, token: str | None = None) -> str:
        """Return a version's content, by default the current one's."""
        names = {"VersionId": token} if token else {"VersionStage": "AWSCURRENT"}
        return str(self.secrets.get_secret_value(SecretId=self.secret, **names)["SecretString"])

    def published(self, key: SigningKey) -> PublicKey | None:
        """Return a key's public part as it is published."""
        return self.publication.keys().get(name_of(key.kid))

    def everything(self) -> tuple[Any, ...]:
        """Return the state that a step may change."""
        versions = sorted(self.labels().items())
        contents = [self.document(version) for version, _ in versions]
        return versions, contents, self.publication.keys()

    def _drop_pending(self, **_arguments: object) -> None:
        for version, labels in self.labels().items():
            if {"AWSCURRENT", "AWSPENDING"} <= labels:
                self.secrets.update_secret_version_stage(
                    SecretId=self.secret, VersionStage="AWSPENDING", RemoveFromVersionId=version
                )

    def _keep_versions(self, params: dict[str, Any], **_arguments: object) -> None:
        # As AWS does; moto writes a version over while it is labelled AWSPENDING.
        asked = json.loads(params["body"])
        labels = self.labels().get(asked["ClientRequestToken"])
        if labels and self.document(asked["ClientRequestToken"]) != asked["SecretString"]:
            raise ClientError({"Error": {"Code": "ResourceExistsException"}}, "PutSecretValue")

    def _served(self, name: str) -> str | None:
        key = self.publication.keys().get(name)
        return key.pem if key and key.is_served(self.now) else None

    def _fetch(self, name: str) -> str | None:
        self.fetched_at.append(self.now)
        return self.calls.around("fetch", lambda: self.answer(name))

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.calls.around("sleep", lambda: None)
        self.now += seconds


@pytest.fixture(autouse=True)
def _keys_at_hand(rsa_pool: list[RSAPrivateKey], monkeypatch: pytest.MonkeyPatch) -> None:
    # A key of 4,096 bits takes seconds.
    keys = itertools.cycle(rsa_pool)
    monkeypatch.setattr(rotation, "make_rsa_key", lambda: next(keys))


@pytest.fixture
def stack(aws: None) -> Stack:  # noqa: ARG001
    """Return a stack that has no key yet."""
    return Stack()


@pytest.fixture
def keyed(stack: Stack) -> Stack:
    """Return a stack with a key, which was made some days ago."""
    stack.rotate(FIRST)
    stack.now += 3 * 86_400
    stack.slept.clear()
    stack.fetched_at.clear()
    return stack


def killed() -> None:
    """End the function."""
    raise Killed


def verifies(key: SigningKey, pem: str | None) -> bool:
    """Tell whether a token of a key verifies with what Jitsi is given."""
    assert pem
    return jwt.decode(key.sign({"room": "a"}), pem, algorithms=["RS256"]) == {"room": "a"}


# All goes well


def test_the_first_key_of_a_stack(stack: Stack) -> None:
    """Made, published, verified and current; nobody keeps an earlier set, so it does not wait."""
    stack.rotate(FIRST)

    key = stack.key()
    assert stack.ended() == {FIRST: {"AWSCURRENT"}}
    assert (key.algorithm, key.public_key is not None) == ("RS256", True)
    assert verifies(key, stack.answer(name_of(key.kid)))
    assert stack.slept == []
    assert len(stack.fetched_at) == 1


def test_the_next_key_takes_over(keyed: Stack) -> None:
    """Both are published: the new one without an end, the one before until its tokens are over."""
    before = keyed.key()

    keyed.rotate(SECOND)

    after = keyed.key()
    assert after.kid != before.kid
    assert keyed.ended() == {SECOND: {"AWSCURRENT"}, FIRST: {"AWSPREVIOUS"}}
    assert len(keyed.publication.keys()) == 2
    assert verifies(after, keyed.answer(name_of(after.kid)))
    assert verifies(before, keyed.answer(name_of(before.kid)))
    published = [keyed.published(key) for key in (before, after)]
    assert [key and key.expires_at for key in published] == [int(keyed.now) + RETENTION, None]


@pytest.mark.parametrize("drops_pending", [False, True], ids=["pending-stays", "pending-goes"])
@pytest.mark.usefixtures("aws")
def test_a_rotation_leaves_the_next_one_free_to_begin(*, drops_pending: bool) -> None:
    """With AWSPENDING and without: each moves AWSCURRENT alone, and a repeated end changes nothing.

    A rotation that stopped half way is in the way of the next one: see `Stack.ended`.
    """
    stack = Stack(drops_pending=drops_pending)
    stack.rotate(FIRST)
    stack.calls.made.clear()

    stack.rotate(SECOND)

    assert stack.calls.made.count("UpdateSecretVersionStage") == 1
    assert ("AWSPENDING" in stack.labels()[SECOND]) != drops_pending
    after = stack.everything()
    stack.step("finish", SECOND)
    assert stack.everything() == after
    stack.rotate(THIRD)
    assert stack.ended() == {THIRD: {"AWSCURRENT"}, SECOND: {"AWSPREVIOUS"}}
    stack.step("create", FOURTH)
    assert stack.ended() is None


def test_what_create_makes_is_a_document_that_signs(stack: Stack, rsa_pool: Any) -> None:
    """The key under its own thumbprint: no other key can have that `kid`."""
    stack.step("create", FIRST)

    document = msgspec.json.decode(stack.document(FIRST), type=KeyDocument)
    key = stack.key(FIRST)
    assert document.private_key in [private_pem(made) for made in rsa_pool]
    assert key.public_key
    assert key.kid == thumbprint(key.public_key)


def test_a_first_version_that_is_not_current_at_once_becomes_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether AWS labels a secret's first version or not: one call moves AWSCURRENT, no other."""
    moved: list[dict[str, str]] = []
    get = stack._clients[0].get_secret_value

    def get_as_labelled(**asked: str) -> Any:
        if asked["VersionStage"] == "AWSCURRENT" and not moved:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return get(**asked)

    def move(**asked: str) -> None:
        moved.append(asked)

    monkeypatch.setattr(stack._clients[0], "get_secret_value", get_as_labelled)
    monkeypatch.setattr(stack._clients[0], "update_secret_version_stage", move)

    stack.rotate(FIRST)

    [move_of_current] = moved
    assert move_of_current == {
        "SecretId": stack.secret,
        "VersionStage": "AWSCURRENT",
        "MoveToVersionId": FIRST,
    }
    assert stack.slept == []


def test_a_version_counts_by_its_labels(keyed: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a version is given out by its id, whatever label was asked for with it."""
    client = keyed._clients[0]
    get = client.get_secret_value

    def get_by_id(**asked: str) -> Any:
        if "VersionId" in asked:
            del asked["VersionStage"]
        return get(**asked)

    keyed.rotate(SECOND)
    monkeypatch.setattr(client, "get_secret_value", get_by_id)

    with pytest.raises(RotationRefused):
        keyed.step("finish", FIRST)

    keyed.step("finish", SECOND)
    assert keyed.ended() == {SECOND: {"AWSCURRENT"}, FIRST: {"AWSPREVIOUS"}}


@pytest.mark.parametrize("refused", ["-abc", "_abc", "--", "-"])
def test_a_kid_begins_with_a_letter_or_a_digit(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """A command line takes a leading hyphen for an option: another key is made."""
    kids = itertools.chain([refused] * 3, ["9-_"], itertools.repeat("other"))
    monkeypatch.setattr(rotation, "thumbprint", lambda _key: next(kids))

    stack.step("create", FIRST)

    assert stack.key(FIRST).kid == "9-_"


def test_a_key_is_made_as_8x8_asks(
    stack: Stack, rsa_key: RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 4,096 bits, which is what is made where no length is asked for."""
    asked: list[tuple[object, ...]] = []

    def make(*bits: object) -> RSAPrivateKey:
        asked.append(bits)
        return rsa_key

    monkeypatch.setattr(rotation, "make_rsa_key", make)
    monkeypatch.setattr(rotation, "thumbprint", lambda _key: "kid")

    stack.step("create", FIRST)

    assert asked == [()]


def test_the_current_key_signs_until_the_end(keyed: Stack) -> None:
    """No step but the last one changes which key that is, nor takes a public key away."""
    before = keyed.key()

    kids = []
    for step in STEPS[:-1]:
        keyed.step(step, SECOND)
        kids.append(keyed.key().kid)
        published = keyed.published(before)
        assert published
        assert published.expires_at is None

    assert kids == [before.kid] * 3


def test_the_new_key_is_published_before_it_signs(keyed: Stack) -> None:
    """It stands published for the lead, for whoever keeps an earlier set; then it is fetched."""
    keyed.steps(SECOND, "create", "publish")
    published_at = keyed.now
    keyed.now += 30.5

    keyed.step("test", SECOND)

    assert keyed.slept == [LEAD - 30.5]
    assert keyed.fetched_at == [published_at + LEAD]


def test_a_key_that_was_published_long_ago_is_not_waited_for(keyed: Stack) -> None:
    """A step that is repeated does not wait again."""
    keyed.steps(SECOND, "create", "publish")
    keyed.now += LEAD

    keyed.step("test", SECOND)

    assert keyed.slept == []


def test_the_lead_is_waited_out_although_sleep_wakes_early(
    keyed: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is the clock."""

    def doze(seconds: float) -> None:
        keyed.slept.append(seconds)
        keyed.now += max(seconds / 2, 1)

    monkeypatch.setattr(keyed, "_sleep", doze)
    keyed.steps(SECOND, "create", "publish")
    published_at = keyed.now

    keyed.step("test", SECOND)

    assert len(keyed.slept) > 1
    assert keyed.fetched_at[0] >= published_at + LEAD


# Steps again, and steps that were ended


@pytest.mark.parametrize("done", range(1, 5), ids=STEPS)
@pytest.mark.parametrize("first", [True, False], ids=["first", "next"])
def test_a_step_that_is_repeated_changes_nothing(stack: Stack, done: int, *, first: bool) -> None:
    """Nor does any that came before it: Secrets Manager repeats what it likes."""
    if not first:
        stack.rotate(THIRD)
        stack.now += 86_400
    stack.steps(FIRST, *STEPS[:done])
    before = stack.everything()

    for step in (*STEPS[:done], *reversed(STEPS[:done])):
        stack.now += 1
        stack.step(step, FIRST)

    assert stack.everything() == before


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("first", [True, False], ids=["first", "next"])
@pytest.mark.usefixtures("aws")
def test_a_step_that_was_ended_anywhere_is_run_again(step: str, when: str, *, first: bool) -> None:
    """At each of its calls, before it took effect or after: the end is the same."""
    at = STEPS.index(step)
    for number in itertools.count():
        stack = Stack(f"{number}")
        if not first:
            stack.rotate(THIRD)
            stack.now += 86_400
        replaced = None if first else stack.key()
        # Something to take away, too.
        stack.publication.publish(OVER)
        stack.steps(FIRST, *STEPS[:at])
        stack.calls.arrange(number, when, killed)

        try:
            stack.step(step, FIRST)
        except Killed:
            ended = True
        else:
            ended = False
        stack.calls.forget()
        stack.now += 30
        stack.steps(FIRST, *STEPS[at:])

        _check_end(stack, replaced)
        if not ended:
            assert number >= {"create": 3, "publish": 2, "test": 4, "finish": 5}[step]
            return


def _check_end(stack: Stack, replaced: SigningKey | None) -> None:
    current = stack.key()
    labels = {FIRST: {"AWSCURRENT"}}
    ends: dict[str, int | None] = {name_of(current.kid): None}
    if replaced:
        labels[THIRD] = {"AWSPREVIOUS"}
        published = stack.published(replaced)
        assert published
        assert published.expires_at
        assert stack.now - 60 <= published.expires_at - RETENTION <= stack.now
        ends[name_of(replaced.kid)] = published.expires_at
    assert stack.ended() == labels
    assert {name: key.expires_at for name, key in stack.publication.keys().items()} == ends
    assert verifies(current, stack.answer(name_of(current.kid)))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "next"])
@pytest.mark.usefixtures("aws")
def test_two_runs_that_race_make_one_key(when: str, *, first: bool) -> None:
    """Whichever of its calls the one is at when the other comes and goes."""
    for number in itertools.count():
        stack = Stack(f"{number}")
        if not first:
            stack.rotate(THIRD)
        other: list[str] = []

        def race(stack: Stack = stack, other: list[str] = other) -> None:
            stack.step("create", FIRST)
            other.append(stack.document(FIRST))

        stack.calls.arrange(number, when, race)
        stack.step("create", FIRST)
        stack.calls.forget()

        assert "AWSPENDING" in stack.labels()[FIRST]
        if not other:
            assert number >= 3
            return
        assert stack.document(FIRST) == other[0]
        stack.steps(FIRST, *STEPS)
        assert stack.key().kid == stack.key(FIRST).kid


def test_a_rotation_that_was_given_up_is_taken_over(keyed: Stack) -> None:
    """The label leaves its version; its public key, if there was one, ends in its time."""
    keyed.steps(SECOND, "create", "publish")
    given_up = keyed.key(SECOND)
    assert keyed.ended() is None

    keyed.steps(THIRD, *STEPS)

    assert keyed.ended() == {THIRD: {"AWSCURRENT"}, FIRST: {"AWSPREVIOUS"}}
    published = keyed.published(given_up)
    assert published
    assert published.expires_at == int(keyed.now) + RETENTION


@pytest.mark.parametrize("step", STEPS)
def test_a_rotation_that_was_taken_over_is_refused(keyed: Stack, step: str) -> None:
    """Its late steps leave the newer one alone, and that one comes to its end."""
    keyed.steps(SECOND, "create", "publish")
    keyed.steps(THIRD, "create", "publish")
    before = keyed.everything()

    with pytest.raises(RotationRefused, match="no new key under this token"):
        keyed.step(step, SECOND)

    assert keyed.everything() == before
    keyed.steps(THIRD, *STEPS)
    assert keyed.ended() == {THIRD: {"AWSCURRENT"}, FIRST: {"AWSPREVIOUS"}}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("replaced", [SECOND, FIRST], ids=["previous", "before-that"])
def test_a_late_step_does_not_bring_an_old_key_back(keyed: Stack, step: str, replaced: str) -> None:
    """It was current once, and is not any more."""
    keyed.rotate(SECOND)
    keyed.rotate(THIRD)
    before = keyed.everything()

    with pytest.raises(RotationRefused):
        keyed.step(step, replaced)

    assert keyed.everything() == before


def test_the_last_rotations_end_repeated_late_does_not_end_the_next_key(keyed: Stack) -> None:
    """What is published to come is taken for old then: it is told otherwise once it is current."""
    keyed.steps(SECOND, "create", "publish")
    keyed.step("finish", FIRST)

    keyed.steps(SECOND, "test", "finish")

    published = keyed.published(keyed.key())
    assert published
    assert published.expires_at is None


# What a step refuses


@pytest.mark.parametrize("step", STEPS[1:])
def test_a_step_without_a_new_key_is_refused(keyed: Stack, step: str) -> None:
    """The first one comes first."""
    before = keyed.everything()

    with pytest.raises(RotationRefused, match="run createSecret first"):
        keyed.step(step, SECOND)

    assert keyed.everything() == before


@pytest.mark.parametrize("step", ["test", "finish"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "next"])
def test_a_key_that_was_never_published_is_refused(stack: Stack, step: str, *, first: bool) -> None:
    """Nobody could verify its tokens."""
    if not first:
        stack.rotate(THIRD)
    stack.step("create", FIRST)
    before = stack.everything()

    with pytest.raises(RotationRefused, match="not published: run setSecret first"):
        stack.step(step, FIRST)

    assert stack.everything() == before
    assert len(stack.fetched_at) == int(not first)


@pytest.mark.parametrize("step", ["publish", "finish"])
def test_a_kid_under_which_another_key_is_published_is_refused(
    keyed: Stack, step: str, rsa_key: RSAPrivateKey
) -> None:
    """Prosody keeps the first one until it restarts."""
    keyed.step("create", SECOND)
    keyed.publication.publish(public_key_of(rsa_key, keyed.key(SECOND).kid))
    before = keyed.everything()

    with pytest.raises(RotationRefused):
        keyed.step(step, SECOND)

    assert keyed.everything() == before


def test_an_address_that_gives_nothing_out_is_refused_when_the_time_is_over(keyed: Stack) -> None:
    """The function's own, less the lead: a new name takes a while, and a wrong one is no name."""
    keyed.steps(SECOND, "create", "publish")
    keyed.answer = lambda _name: None
    before = keyed.everything()

    with pytest.raises(RotationRefused, match="does not give the new key out"):
        keyed.step("test", SECOND)

    waited = keyed.fetched_at[-1] - keyed.fetched_at[0]
    assert SECONDS_LEFT - LEAD <= waited <= SECONDS_LEFT - LEAD + 5
    assert keyed.everything() == before


def test_an_address_that_gives_the_key_out_in_the_end_is_waited_for(keyed: Stack) -> None:
    """It is asked again and again."""
    keyed.steps(SECOND, "create", "publish")
    served, there_at = keyed.answer, keyed.now + SECONDS_LEFT - 10
    keyed.answer = lambda name: served(name) if keyed.now >= there_at else None

    keyed.step("test", SECOND)

    assert there_at <= keyed.fetched_at[-1] < there_at + 5


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda other, _: other, id="another-key"),
        pytest.param(lambda _, __: "", id="nothing"),
        pytest.param(lambda _, __: "<html>Not found</html>", id="a-page"),
        pytest.param(lambda _, right: right.replace("\n", "\r\n"), id="other-line-ends"),
        pytest.param(lambda _, right: right.strip(), id="no-last-line-end"),
        pytest.param(lambda _, right: right + " ", id="more"),
        pytest.param(lambda other, right: right + other, id="two-keys"),
        pytest.param(lambda _, right: right[:-60], id="a-part"),
    ],
)
def test_an_address_that_gives_out_anything_else_is_refused(
    keyed: Stack, rsa_key: RSAPrivateKey, wrong: Callable[[str, str], str]
) -> None:
    """At once, and the current key stays: Prosody would keep what it got until it restarts."""
    keyed.steps(SECOND, "create", "publish")
    key = keyed.key(SECOND)
    assert key.public_key
    answer = wrong(public_pem(rsa_key.public_key()), public_pem(key.public_key))
    keyed.answer = lambda _name: answer
    before = keyed.everything()

    with pytest.raises(RotationRefused, match="another key under the new key's kid"):
        keyed.step("test", SECOND)

    assert len(keyed.fetched_at) == 1
    assert keyed.everything() == before


def test_a_token_that_does_not_verify_is_refused(
    keyed: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same check that Jitsi makes, with what Jitsi is given."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise jwt.InvalidSignatureError

    keyed.steps(SECOND, "create", "publish")
    key_is_read = keyed.key(SECOND)
    monkeypatch.setattr(rotation, "read_key", lambda *_, **__: key_is_read)
    monkeypatch.setattr("jitsi_tokens.rotation.jwt.decode", fail)

    with pytest.raises(RotationRefused, match="does not verify"):
        keyed.step("test", SECOND)


def test_a_version_that_somebody_else_wrote_is_refused(keyed: Stack) -> None:
    """A version is never written over, nor is what is none taken for a key."""
    keyed.secrets.put_secret_value(
        SecretId=keyed.secret,
        ClientRequestToken=SECOND,
        SecretString="{}",
        VersionStages=["MINE"],
    )
    before = keyed.everything()

    with pytest.raises(RotationRefused):
        keyed.step("create", SECOND)

    assert keyed.everything() == before


@pytest.mark.parametrize(
    ("step", "operation"),
    [
        ("create", "GetSecretValue"),
        ("create", "PutSecretValue"),
        ("publish", "PutParameter"),
        ("test", "GetParametersByPath"),
        ("finish", "UpdateSecretVersionStage"),
    ],
)
def test_what_aws_refuses_is_not_taken_for_an_answer(
    keyed: Stack, step: str, operation: str
) -> None:
    """A key that may not be read is not one that is missing."""

    def refuse(**_arguments: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, operation)

    keyed.steps(SECOND, *STEPS[: STEPS.index(step)])
    for client in keyed._clients:
        client.meta.events.register(f"before-call.*.{operation}", refuse)

    with pytest.raises(ClientError, match="AccessDenied"):
        keyed.step(step, SECOND)


# How long a public key stays


def test_the_end_of_a_key_is_set_once(keyed: Stack) -> None:
    """A step that is repeated, or a rotation that follows, does not push it further."""
    before = keyed.key()
    keyed.rotate(SECOND)
    published = keyed.published(before)

    keyed.now += 500
    keyed.step("finish", SECOND)
    keyed.rotate(THIRD)

    assert published
    assert published.expires_at
    assert keyed.published(before) == published


def test_a_key_that_is_over_is_taken_away_by_the_next_rotation(keyed: Stack) -> None:
    """Not before its end, and not the one that signs, however old it is."""
    first = keyed.key()
    keyed.rotate(SECOND)
    second = keyed.key()
    end = int(keyed.now) + RETENTION

    keyed.now = end - 1
    keyed.step("finish", SECOND)
    there = keyed.published(first) is not None
    keyed.now = end
    keyed.step("finish", SECOND)

    assert there
    assert keyed.published(first) is None
    assert keyed.published(second) is not None


def test_a_key_that_signed_again_gets_its_end_anew(keyed: Stack) -> None:
    """It was put back by hand after a rotation: the tokens since then need it as long as any."""
    first = keyed.key()
    keyed.rotate(SECOND)
    keyed.now += 500
    keyed.secrets.update_secret_version_stage(
        SecretId=keyed.secret,
        VersionStage="AWSCURRENT",
        MoveToVersionId=FIRST,
        RemoveFromVersionId=SECOND,
    )

    keyed.steps(THIRD, *STEPS)

    published = keyed.published(first)
    assert published
    assert published.expires_at == int(keyed.now) + RETENTION


def test_limits_that_were_lowered_end_no_key_too_early(
    keyed: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens that were issued before may live as long as the limits of then allowed."""
    first = keyed.key()
    monkeypatch.setattr("tests.integration.test_rotation.RETENTION", 10)

    keyed.rotate(SECOND)

    published = keyed.published(first)
    assert published
    assert published.expires_at == int(keyed.now) + published.retention_seconds
    assert published.retention_seconds > 10


def test_a_public_key_outlives_every_token(published_environ: dict[str, str]) -> None:
    """Each bound that a token's last moment depends on is in it."""
    environ = published_environ | {
        "MAXIMUM_STALE_SECONDS": "1000",
        "MAXIMUM_ADVANCE_SECONDS": "20000",
        "MAXIMUM_LIFETIME_SECONDS": "300000",
    }

    assert read_settings(environ).key_retention_seconds == 300 + 1000 + 20_000 + 300_000

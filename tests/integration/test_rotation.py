"""The rotation of the signing key: each step safe to repeat, whatever became of it before."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import json
import socket
import threading
import traceback
from http.server import ThreadingHTTPServer
from socketserver import StreamRequestHandler
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import boto3
import jwt
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from jitsi_tokens import rotation
from jitsi_tokens.core.clients import Client, write_client
from jitsi_tokens.core.keys import SigningKey, read_key
from jitsi_tokens.core.policy import Policy
from jitsi_tokens.core.public_keys import PublicKey, name_of
from jitsi_tokens.core.rsa_keys import public_pem, thumbprint
from jitsi_tokens.publication import Publication
from jitsi_tokens.rotation import RotationRefused
from jitsi_tokens.settings import KEY_FRESH_SECONDS
from tests.integration.moto_labels import follow_labels
from tests.public_key_of import public_key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

    from tests.conftest import LoadApp

NOW = 1_800_000_000
LEAD = 90
# Secrets Manager's limit for a step, less what the function keeps for itself.
SECONDS_LEFT = 430
ASKING_SECONDS = 400
STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
FIRST, SECOND, THIRD, FOURTH = (str(number) * 32 for number in (1, 2, 3, 4))
CONTENT = "never-in-an-answer-or-a-log-0123456789"


class Killed(BaseException):
    """The function was ended in the middle."""


class Calls:
    """What a rotation does to the world, call by call.

    Attributes:
        at: a call's number, `before` or `after`, and what happens then.
    """

    def __init__(self) -> None:
        self.made: list[str] = []
        self.at: tuple[int, str, Callable[[], None]] | None = None

    def watch(self, client: Any) -> None:
        """Note the calls of an AWS client."""
        client.meta.events.register("before-call.*.*", self._before)
        client.meta.events.register("after-call.*.*", self._after)

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
        if self.at and self.at[:2] == (len(self.made) - 1, when):
            happens = self.at[2]
            self.at = None
            happens()


class Stack:
    """A stack whose key rotates: its function, secret, public keys, public address and clock.

    Secrets Manager documents both for the call that moves AWSCURRENT: that AWSPENDING goes with it
    (the guide), and that it may stay on the new current version (RotateSecret).
    """

    def __init__(
        self,
        load_app: LoadApp,
        environ: dict[str, str],
        name: str,
        clients: tuple[SecretsManagerClient, SSMClient],
        *,
        drops_pending: bool = False,
    ) -> None:
        self.now = float(NOW)
        self.calls = Calls()
        self.slept: list[float] = []
        self.fetched_at: list[float] = []
        self.secrets, ssm = clients
        self.secret = self.secrets.create_secret(Name=f"signing-key-{name}")["ARN"]
        path = f"/jitsi-tokens/{name}/public-keys"
        self.names = environ | {"SIGNING_KEY_SECRET": self.secret, "PUBLIC_KEYS_PATH": path}
        self.publication = Publication(ssm, path)
        self.answer: Callable[[str], str | None] = self._served
        lead = {"PUBLICATION_LEAD_SECONDS": str(LEAD)}
        self.app = load_app("rotate_signing_key", self.names | lead)
        self.clock = SimpleNamespace(
            time=lambda: self.now, perf_counter=lambda: self.now, sleep=self._sleep
        )
        self.app.time = self.clock
        self.fetch = self.app._fetch
        self.app._fetch = self._fetch
        self.manager: Any = self.app.SECRETS_MANAGER
        if drops_pending:
            # First: what happens after a call happens after all that the call does.
            self.manager.meta.events.register(
                "after-call.secrets-manager.UpdateSecretVersionStage", self._drop_pending
            )
        for client in (self.manager, self.app.SSM):
            self.calls.watch(client)
        # Last: what happens at a call happens before it arrives.
        self.manager.meta.events.register(
            "before-call.secrets-manager.PutSecretValue", self._keep_versions
        )

    @property
    def retention(self) -> int:
        """How long a public key stays after its key signed last."""
        return cast("int", self.app.SETTINGS.key_retention_seconds)

    def rotate(self, token: str) -> None:
        """Let Secrets Manager ask for all steps, as it begins them."""
        assert self.ended() is not None
        self.steps(token, *STEPS)

    def steps(self, token: str, *steps: str) -> None:
        """Let Secrets Manager ask for some steps."""
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: SECONDS_LEFT * 1000)
        for step in steps:
            event = {"Step": step, "SecretId": self.secret, "ClientRequestToken": token}
            assert self.app.handler(event, context) is None

    def refuses(self, token: str, step: str, words: str) -> None:
        """Check that a step is refused with these words, and changes nothing."""
        before = self.everything()
        with pytest.raises(RotationRefused, match=words):
            self.steps(token, step)
        assert self.everything() == before

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

    def put(self, token: str, text: str, label: str) -> None:
        """Store a version that is none of the rotation's."""
        self.secrets.put_secret_value(
            SecretId=self.secret, ClientRequestToken=token, SecretString=text, VersionStages=[label]
        )

    def published(self, key: SigningKey) -> PublicKey | None:
        """Return a key's public part as it is published."""
        return self.publication.keys().get(name_of(key.kid))

    def end(self, key: SigningKey) -> int | None:
        """Return when a published key ends."""
        published = self.published(key)
        assert published
        return published.expires_at

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


type MakeStack = Callable[..., Stack]


@pytest.fixture(autouse=True)
def _keys_at_hand(rsa_pool: list[RSAPrivateKey], monkeypatch: pytest.MonkeyPatch) -> None:
    # A key of 4,096 bits takes seconds.
    keys = itertools.cycle(rsa_pool)
    monkeypatch.setattr(rotation, "make_rsa_key", lambda: next(keys))


@pytest.fixture
def make_stack(
    load_app: LoadApp, published_environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> MakeStack:
    """Return what makes a stack that has no key yet; the one made last is at work."""
    follow_labels(monkeypatch)
    names = itertools.count()
    clients = boto3.client("secretsmanager"), boto3.client("ssm")

    def make(*, first: bool = True, **options: Any) -> Stack:
        stack = Stack(load_app, published_environ, f"test-{next(names)}", clients, **options)
        if not first:
            stack.rotate(THIRD)
            stack.now += 86_400
        return stack

    return make


@pytest.fixture
def stack(make_stack: MakeStack) -> Stack:
    """Return a stack that has no key yet."""
    return make_stack()


@pytest.fixture
def keyed(stack: Stack) -> Stack:
    """Return a stack with a key, which was made some days ago."""
    stack.rotate(FIRST)
    stack.now += 3 * 86_400
    stack.slept.clear()
    stack.fetched_at.clear()
    return stack


@pytest.fixture
def begun(keyed: Stack) -> Stack:
    """Return a stack whose next key is made and published."""
    keyed.steps(SECOND, "createSecret", "setSecret")
    return keyed


def killed() -> None:
    """End the function."""
    raise Killed


def verifies(key: SigningKey, pem: str | None) -> bool:
    """Tell whether a token of a key verifies with what Jitsi is given."""
    assert pem
    return jwt.decode(key.sign({"room": "a"}), pem, algorithms=["RS256"]) == {"room": "a"}


# All goes well


def test_the_first_key_of_a_stack(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Under its own thumbprint, and current; nobody keeps an earlier set, so it does not wait."""
    stack.rotate(FIRST)

    key = stack.key()
    assert key.public_key
    assert (key.algorithm, key.kid) == ("RS256", thumbprint(key.public_key))
    assert stack.ended() == {FIRST: {"AWSCURRENT"}}
    assert verifies(key, stack.answer(name_of(key.kid)))
    assert (stack.slept, len(stack.fetched_at)) == ([], 1)
    assert capsys.readouterr() == ("", "")


def test_the_next_key_takes_over(keyed: Stack) -> None:
    """Last; both are published, the one before until its tokens are over."""
    before = keyed.key()

    for step in STEPS[:-1]:
        keyed.steps(SECOND, step)
        assert (keyed.key().kid, keyed.end(before)) == (before.kid, None)
    keyed.steps(SECOND, STEPS[-1])

    after = keyed.key()
    assert after.kid != before.kid
    assert keyed.ended() == {SECOND: {"AWSCURRENT"}, FIRST: {"AWSPREVIOUS"}}
    assert len(keyed.publication.keys()) == 2
    assert verifies(after, keyed.answer(name_of(after.kid)))
    assert verifies(before, keyed.answer(name_of(before.kid)))
    assert (keyed.end(before), keyed.end(after)) == (int(keyed.now) + keyed.retention, None)


@pytest.mark.parametrize("drops_pending", [False, True], ids=["pending-stays", "pending-goes"])
def test_a_rotation_leaves_the_next_one_free_to_begin(
    make_stack: MakeStack, *, drops_pending: bool
) -> None:
    """With AWSPENDING and without: each moves AWSCURRENT alone, and repeated it changes nothing.

    A rotation that stopped half way is in the way of the next one: see `Stack.ended`.
    """
    stack = make_stack(drops_pending=drops_pending)
    stack.rotate(FIRST)
    stack.calls.made.clear()

    stack.rotate(SECOND)

    assert stack.calls.made.count("UpdateSecretVersionStage") == 1
    assert ("AWSPENDING" in stack.labels()[SECOND]) != drops_pending
    after = stack.everything()
    stack.steps(SECOND, *STEPS)
    assert stack.everything() == after
    stack.rotate(THIRD)
    assert stack.ended() == {THIRD: {"AWSCURRENT"}, SECOND: {"AWSPREVIOUS"}}
    stack.steps(FOURTH, "createSecret")
    assert stack.ended() is None


def test_a_first_version_that_is_not_current_at_once_becomes_it(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether AWS labels a secret's first version or not: one call moves AWSCURRENT, no other."""
    moved: list[dict[str, str]] = []
    get = stack.manager.get_secret_value

    def get_as_labelled(**asked: str) -> Any:
        if asked["VersionStage"] == "AWSCURRENT" and not moved:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return get(**asked)

    monkeypatch.setattr(stack.manager, "get_secret_value", get_as_labelled)
    monkeypatch.setattr(
        stack.manager, "update_secret_version_stage", lambda **asked: moved.append(asked)
    )

    stack.rotate(FIRST)

    expected = {"SecretId": stack.secret, "VersionStage": "AWSCURRENT", "MoveToVersionId": FIRST}
    assert moved == [expected]
    assert stack.slept == []


def test_a_version_counts_by_its_labels(keyed: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a version is given out by its id, whatever label was asked for with it."""
    get = keyed.manager.get_secret_value

    def get_by_id(**asked: str) -> Any:
        if "VersionId" in asked:
            del asked["VersionStage"]
        return get(**asked)

    keyed.rotate(SECOND)
    monkeypatch.setattr(keyed.manager, "get_secret_value", get_by_id)

    with pytest.raises(RotationRefused, match="no new key"):
        keyed.steps(FIRST, "finishSecret")

    keyed.steps(SECOND, "finishSecret")
    assert keyed.ended() == {SECOND: {"AWSCURRENT"}, FIRST: {"AWSPREVIOUS"}}


def test_a_key_is_made_as_8x8_and_a_command_line_ask(
    stack: Stack, rsa_key: RSAPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 4,096 bits, which is the default; a leading hyphen would be taken for an option."""
    bits: list[tuple[object, ...]] = []
    kids = iter(["-abc", "_abc", "--", "9-_"])

    def make(*asked: object) -> RSAPrivateKey:
        bits.append(asked)
        return rsa_key

    monkeypatch.setattr(rotation, "make_rsa_key", make)
    monkeypatch.setattr(rotation, "thumbprint", lambda _key: next(kids))

    stack.steps(FIRST, "createSecret")

    assert (stack.key(FIRST).kid, bits) == ("9-_", [()] * 4)


@pytest.mark.parametrize(("age", "slept"), [(30.5, [LEAD - 30.5]), (LEAD, [])])
def test_the_new_key_is_published_before_it_signs(
    begun: Stack, age: float, slept: list[float]
) -> None:
    """It is published for the lead, for those who keep an earlier set; then it is fetched."""
    published_at = begun.now
    begun.now += age

    begun.steps(SECOND, "testSecret")

    assert (begun.slept, begun.fetched_at) == (slept, [published_at + LEAD])


def test_the_lead_is_waited_out_although_sleep_wakes_early(begun: Stack) -> None:
    """What counts is the clock."""

    def doze(seconds: float) -> None:
        begun.slept.append(seconds)
        begun.now += max(seconds / 2, 1)

    begun.clock.sleep = doze
    published_at = begun.now

    begun.steps(SECOND, "testSecret")

    assert len(begun.slept) > 1
    assert begun.fetched_at[0] >= published_at + LEAD


# Steps again, and steps that were ended


@pytest.mark.parametrize("done", range(1, 5), ids=STEPS)
@pytest.mark.parametrize("first", [True, False], ids=["first", "next"])
def test_a_step_that_is_repeated_changes_nothing(
    make_stack: MakeStack, done: int, *, first: bool
) -> None:
    """Nor does any that came before it: Secrets Manager repeats what it likes."""
    stack = make_stack(first=first)
    stack.steps(FIRST, *STEPS[:done])
    before = stack.everything()

    for step in (*STEPS[:done], *reversed(STEPS[:done])):
        stack.now += 1
        stack.steps(FIRST, step)

    assert stack.everything() == before


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("at", "calls"), [(0, 3), (1, 2), (2, 4), (3, 5)], ids=STEPS)
@pytest.mark.parametrize("first", [True, False], ids=["first", "next"])
def test_a_step_that_was_ended_anywhere_is_run_again(
    make_stack: MakeStack, rsa_key: RSAPrivateKey, at: int, calls: int, *, when: str, first: bool
) -> None:
    """At each of its calls, before it took effect or after: the end is the same."""
    for number in itertools.count():
        stack = make_stack(first=first)
        replaced = None if first else stack.key()
        # Something to take away, too.
        stack.publication.publish(public_key_of(rsa_key, "over", expires_at=NOW - 5000))
        stack.steps(FIRST, *STEPS[:at])
        stack.calls.made.clear()
        stack.calls.at = (number, when, killed)

        try:
            stack.steps(FIRST, STEPS[at])
        except Killed:
            ended = True
        else:
            ended = False
        stack.calls.at = None
        stack.now += 30
        stack.steps(FIRST, *STEPS[at:])

        _check_end(stack, replaced)
        if not ended:
            assert number >= calls
            return


def _check_end(stack: Stack, replaced: SigningKey | None) -> None:
    current = stack.key()
    labels = {FIRST: {"AWSCURRENT"}}
    ends: dict[str, int | None] = {name_of(current.kid): None}
    if replaced:
        labels[THIRD] = {"AWSPREVIOUS"}
        end = stack.end(replaced)
        assert end
        assert stack.now - 60 <= end - stack.retention <= stack.now
        ends[name_of(replaced.kid)] = end
    assert stack.ended() == labels
    assert {name: key.expires_at for name, key in stack.publication.keys().items()} == ends
    assert verifies(current, stack.answer(name_of(current.kid)))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "next"])
def test_two_runs_that_race_make_one_key(make_stack: MakeStack, when: str, *, first: bool) -> None:
    """Whichever of its calls the one is at when the other comes and goes."""
    for number in itertools.count():
        stack = make_stack(first=first)
        other: list[str] = []

        def race(stack: Stack = stack, other: list[str] = other) -> None:
            stack.steps(FIRST, "createSecret")
            other.append(stack.document(FIRST))

        stack.calls.made.clear()
        stack.calls.at = (number, when, race)
        stack.steps(FIRST, "createSecret")
        stack.calls.at = None

        assert "AWSPENDING" in stack.labels()[FIRST]
        if not other:
            assert number >= 3
            return
        assert stack.document(FIRST) == other[0]
        stack.steps(FIRST, *STEPS)
        assert stack.key().kid == stack.key(FIRST).kid


def test_a_rotation_that_was_given_up_is_taken_over(begun: Stack) -> None:
    """The label leaves its version; its public key, if there was one, ends in its time."""
    given_up = begun.key(SECOND)
    assert begun.ended() is None

    begun.steps(THIRD, *STEPS)

    assert begun.ended() == {THIRD: {"AWSCURRENT"}, FIRST: {"AWSPREVIOUS"}}
    assert begun.end(given_up) == int(begun.now) + begun.retention


def taken_over(stack: Stack) -> None:
    """Begin another rotation after the one that began."""
    stack.steps(SECOND, "createSecret", "setSecret")
    stack.steps(THIRD, "createSecret", "setSecret")


def two_later(stack: Stack) -> None:
    """Rotate twice."""
    stack.rotate(SECOND)
    stack.rotate(THIRD)


@pytest.mark.parametrize(
    ("arrange", "token", "step"),
    [
        pytest.param(arrange, token, step, id=f"{name}-{step}")
        for name, arrange, token, steps in (
            ("taken-over", taken_over, SECOND, STEPS),
            ("current-before", two_later, SECOND, STEPS),
            ("current-once", two_later, FIRST, STEPS),
            ("never-begun", lambda _stack: None, SECOND, STEPS[1:]),
        )
        for step in steps
    ],
)
def test_a_step_of_another_time_is_refused(
    keyed: Stack, arrange: Callable[[Stack], None], token: str, step: str
) -> None:
    """It brings no old key back, and leaves a newer rotation alone, which comes to its end."""
    arrange(keyed)
    keyed.refuses(token, step, "run createSecret first")
    if arrange is taken_over:
        keyed.steps(THIRD, *STEPS)
        assert keyed.ended() == {THIRD: {"AWSCURRENT"}, FIRST: {"AWSPREVIOUS"}}


def test_the_last_rotations_end_repeated_late_does_not_end_the_next_key(begun: Stack) -> None:
    """What is published to come is taken for old then: that is undone once it is current."""
    begun.steps(FIRST, "finishSecret")

    begun.steps(SECOND, "testSecret", "finishSecret")

    assert begun.end(begun.key()) is None


# What a step refuses


@pytest.mark.parametrize("step", ["testSecret", "finishSecret"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "next"])
def test_a_key_that_was_never_published_is_refused(
    make_stack: MakeStack, step: str, *, first: bool
) -> None:
    """Nobody could verify its tokens."""
    stack = make_stack(first=first)
    stack.steps(FIRST, "createSecret")
    stack.fetched_at.clear()
    stack.refuses(FIRST, step, "not published: run setSecret first")

    assert stack.fetched_at == []


@pytest.mark.parametrize(
    ("step", "words"), [("setSecret", "Another key is"), ("finishSecret", "is not published")]
)
def test_a_kid_under_which_another_key_is_published_is_refused(
    keyed: Stack, step: str, words: str, rsa_key: RSAPrivateKey
) -> None:
    """Prosody keeps the first one until it restarts."""
    keyed.steps(SECOND, "createSecret")
    keyed.publication.publish(public_key_of(rsa_key, keyed.key(SECOND).kid))
    keyed.refuses(SECOND, step, words)


def test_an_address_that_gives_nothing_out_is_asked_until_the_time_is_over(begun: Stack) -> None:
    """The function's own, less the lead: a new name takes a while, and a wrong one is no name."""
    began_at, served = begun.now, begun.answer
    begun.answer = lambda _name: None

    begun.refuses(SECOND, "testSecret", "does not give the new key out")

    assert ASKING_SECONDS <= begun.fetched_at[-1] - began_at <= ASKING_SECONDS + 5
    there_at = begun.now + ASKING_SECONDS - 10
    begun.answer = lambda name: served(name) if begun.now >= there_at else None
    begun.steps(SECOND, "testSecret")
    assert there_at <= begun.fetched_at[-1] < there_at + 5


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(lambda other, _: other, id="another-key"),
        pytest.param(lambda _, __: "", id="nothing"),
        pytest.param(lambda _, right: right.replace("\n", "\r\n"), id="other-line-ends"),
        pytest.param(lambda other, right: right + other, id="two-keys"),
    ],
)
def test_an_address_that_gives_out_anything_else_is_refused(
    begun: Stack, rsa_key: RSAPrivateKey, wrong: Callable[[str, str], str]
) -> None:
    """At once, and the current key stays: Prosody would keep what it got until it restarts."""
    key = begun.key(SECOND)
    assert key.public_key
    answer = wrong(public_pem(rsa_key.public_key()), public_pem(key.public_key))
    begun.answer = lambda _name: answer
    begun.refuses(SECOND, "testSecret", "another key under the new key's kid")

    assert len(begun.fetched_at) == 1


def test_a_token_that_does_not_verify_is_refused(
    begun: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same check that Jitsi makes, with what Jitsi is given."""
    key = begun.key(SECOND)
    monkeypatch.setattr(rotation, "read_key", lambda *_, **__: key)
    monkeypatch.setattr(SigningKey, "sign", lambda *_: jwt.encode({}, "x" * 32, "HS256"))

    with pytest.raises(RotationRefused, match="does not verify"):
        begun.steps(SECOND, "testSecret")


def test_a_version_that_somebody_else_wrote_is_refused(keyed: Stack) -> None:
    """A version is never written over, nor is what is none taken for a key."""
    keyed.put(SECOND, "{}", "MINE")
    keyed.refuses(SECOND, "createSecret", "run createSecret first")


def test_a_current_version_that_is_no_key_is_replaced(keyed: Stack) -> None:
    """It blocks no rotation; the key before it ends in its time."""
    before = keyed.key()
    keyed.put(SECOND, "rubbish", "AWSCURRENT")

    keyed.rotate(THIRD)

    assert keyed.ended() == {THIRD: {"AWSCURRENT"}, SECOND: {"AWSPREVIOUS"}}
    assert keyed.end(before) == int(keyed.now) + keyed.retention


# How long a public key stays


def test_the_end_of_a_key_is_set_once(keyed: Stack) -> None:
    """A step that is repeated, or a rotation that follows, does not push it further."""
    before = keyed.key()
    keyed.rotate(SECOND)
    end = keyed.end(before)

    keyed.now += 500
    keyed.steps(SECOND, "finishSecret")
    keyed.rotate(THIRD)

    assert end
    assert keyed.end(before) == end


def test_a_key_that_is_over_is_taken_away_by_the_next_rotation(keyed: Stack) -> None:
    """Not before its end, and not the one that signs, however old it is."""
    first = keyed.key()
    keyed.rotate(SECOND)
    end = int(keyed.now) + keyed.retention

    found = []
    for keyed.now in (end - 1, end):
        keyed.steps(SECOND, "finishSecret")
        found.append(keyed.published(first) is not None)

    assert found == [True, False]
    assert keyed.published(keyed.key())


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

    assert keyed.end(first) == int(keyed.now) + keyed.retention


def test_limits_that_were_lowered_end_no_key_too_early(keyed: Stack) -> None:
    """Tokens that were issued before may live as long as the limits of then allowed."""
    first, before = keyed.key(), keyed.retention
    limits = keyed.app.SETTINGS.limits
    keyed.app.SETTINGS = keyed.app.SETTINGS._replace(limits=limits._replace(max_advance_seconds=0))
    assert keyed.retention < before

    keyed.rotate(SECOND)

    assert keyed.end(first) == int(keyed.now) + before


# What the function refuses, and what it tells


@pytest.mark.parametrize("environ", ["jaas_environ", "self_hosted_environ"])
def test_a_key_that_the_other_side_must_know_first_does_not_rotate(
    load_app: LoadApp,
    request: pytest.FixtureRequest,
    environ: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The refusal names the command to run; AWS is not asked for anything."""
    names = {"SIGNING_KEY_SECRET": "signing-key"}
    app = load_app("rotate_signing_key", request.getfixturevalue(environ) | names)
    monkeypatch.setattr(BaseClient, "_make_api_call", lambda *_: pytest.fail("asked AWS"))
    event = {"Step": "createSecret", "SecretId": "signing-key", "ClientRequestToken": FIRST}

    with pytest.raises(RotationRefused, match=r"`jitsi-tokens key stage`.*Nothing was changed"):
        app.handler(event, None)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SecretId": "another"}, "only its own stack's signing key"),
        ({"SecretId": None}, "only its own stack's signing key"),
        ({"ClientRequestToken": ""}, "ClientRequestToken is missing"),
        ({"ClientRequestToken": 7}, "ClientRequestToken is missing"),
        ({"Step": "rotate"}, "createSecret, setSecret, testSecret, finishSecret"),
        ({"Step": None}, "createSecret, setSecret, testSecret, finishSecret"),
    ],
)
def test_an_event_that_is_no_rotations_is_refused(
    stack: Stack, change: dict[str, Any], sentence: str
) -> None:
    """With a wrong value and without any: nobody turns the function against another secret."""
    event = {"Step": "createSecret", "SecretId": stack.secret, "ClientRequestToken": FIRST}

    for wrong in (event | change, {n: v for n, v in event.items() if n not in change}):
        with pytest.raises(RotationRefused, match=sentence):
            stack.app.handler(wrong, None)

    assert stack.labels() == {}


def told_by(
    refused: pytest.ExceptionInfo[RotationRefused], capsys: pytest.CaptureFixture[str]
) -> str:
    """Return all that a refusal shows: its traceback, and what was printed."""
    printed = "".join(capsys.readouterr())
    return "".join(traceback.format_exception(refused.value)) + printed


def test_a_version_that_is_no_key_is_refused_without_its_content(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """Secrets Manager shows the refusal to those who may look."""
    document = {"algorithm": "RS256", "kid": CONTENT, "private_key": CONTENT}
    stack.put(FIRST, json.dumps(document), "AWSPENDING")

    with pytest.raises(RotationRefused, match="The new key cannot sign: ") as refused:
        stack.steps(FIRST, "setSecret")

    told = told_by(refused, capsys)
    assert CONTENT not in told
    assert told.endswith(f"{refused.value}\n")


@pytest.mark.parametrize(
    ("step", "operation"),
    [
        ("createSecret", "GetSecretValue"),
        ("createSecret", "PutSecretValue"),
        ("setSecret", "PutParameter"),
        ("testSecret", "GetParametersByPath"),
        ("finishSecret", "UpdateSecretVersionStage"),
    ],
)
def test_a_refusal_of_aws_is_told_without_its_text(
    keyed: Stack, step: str, operation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What may not be read is not missing; and the text may quote what was sent, the private key.

    The log has the error's type, its code and its place.
    """

    def refuse(params: dict[str, Any], **_arguments: object) -> None:
        message = f"{CONTENT} {params['body'].decode()}"
        raise ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": message}}, operation
        )

    keyed.steps(SECOND, *STEPS[: STEPS.index(step)])
    for client in (keyed.manager, keyed.app.SSM):
        client.meta.events.register(f"before-call.*.{operation}", refuse)

    with pytest.raises(RotationRefused, match="can be repeated: see the log") as refused:
        keyed.steps(SECOND, step)

    told = told_by(refused, capsys)
    logged = json.loads(told.splitlines()[-1])
    assert (logged["level"], logged["error"]) == ("ERROR", "ClientError")
    assert logged["code"] == "AccessDeniedException"
    assert logged["place"].startswith("test_rotation.py:")
    assert CONTENT not in told
    assert "PRIVATE KEY" not in told


# What the public address answers


class Address:
    """A public address on loopback: what it was asked for, and the bytes that it answers."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self.asked: list[str] = []
        self.answer: Callable[[str], bytes] = lambda _path: b""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """Return the stack's public address, which hangs up."""

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            path = self.rfile.readline().split()[1].decode()
            while self.rfile.readline().strip():
                pass
            here.asked.append(path)
            with contextlib.suppress(OSError):
                self.wfile.write(here.answer(path))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Address(server.server_port)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("PUBLIC_URL", here.url)
    yield here
    server.shutdown()
    server.server_close()


def response(status: int, body: bytes, header: str = "X: x") -> bytes:
    """Return an answer in HTTP."""
    return f"HTTP/1.1 {status} x\r\nContent-Length: {len(body)}\r\n{header}\r\n\r\n".encode() + body


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_KEYS = {
    "created": response(201, b"PEM"),
    "a part": response(206, b"PEM"),
    # Prosody does not follow one either.
    "a redirect": response(302, b"PEM", "Location: /elsewhere"),
    "a permanent redirect": response(308, b"PEM", "Location: /elsewhere"),
    "not found": response(404, b"PEM"),
    "unavailable": response(503, b"PEM"),
    "not utf-8": response(200, b"\xff\xfe"),
    "no gzip": response(200, b"no gzip", "Content-Encoding: gzip"),
    "nothing": b"",
    "no http": b"rubbish\r\n\r\n",
    "half a body": response(200, b"PEM")[:-1],
    "no chunk": CHUNKED + b"zz\r\n",
    "half a chunk": CHUNKED + b"9\r\nMIIB",
    "a header without end": response(200, b"PEM", "X: " + "x" * 99_999),
}


@pytest.mark.parametrize("answer", NO_KEYS.values(), ids=NO_KEYS.keys())
def test_an_answer_that_is_no_200_or_breaks_off_is_no_key(
    stack: Stack, address: Address, answer: bytes
) -> None:
    """Nor an error: the step asks again, in its own time."""
    address.answer = lambda path: response(200, b"PEM") if path == "/elsewhere" else answer

    assert stack.fetch("a") is None
    assert address.asked == ["/v1/asap/a.pem"]


def test_an_address_that_nobody_answers_at_is_no_key(
    stack: Stack, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where nobody listens, as yet, nor where somebody does and says nothing."""
    over = threading.Event()
    address.answer = lambda _path: bytes(over.wait(5))
    monkeypatch.setattr(stack.app, "_TIMEOUT_SECONDS", 0.1)

    silent = stack.fetch("a")
    over.set()
    # Bound and not listening: nobody else gets the port meanwhile.
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PUBLIC_URL", f"http://127.0.0.1:{closed.getsockname()[1]}/v1")

        assert (silent, stack.fetch("a")) == (None, None)


@pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])
def test_an_answer_without_end_is_never_taken_for_a_key(
    stack: Stack, address: Address, *, packed: bool
) -> None:
    """No more of it is read than any key is long."""
    body = b"PEM" + b"\n" * 10_000_000
    packed_answer = response(200, gzip.compress(body), "Content-Encoding: gzip")
    address.answer = lambda _path: packed_answer if packed else response(200, body)

    text = stack.fetch("a")

    assert text is None or len(text) <= 16_384


# Beside the functions that use the key


class World:
    """The functions of one stack that publishes its keys, and the clock that all look at."""

    def __init__(self, load_app: LoadApp, stack: Stack, address: Address) -> None:
        self.stack = stack
        stack.secrets.create_secret(Name="digest-key", SecretString="0123456789")
        stack.app._fetch = stack.fetch
        names = stack.names | {"DIGEST_KEY_SECRET": "digest-key"}
        self.issuing = load_app("issue_token", names)
        self.serving = load_app("serve_public_key", names)
        self.issuing.time = self.serving.time = stack.clock
        address.answer = self._answer

    def issue(self, **fields: object) -> str:
        """Return a token."""
        request = {"userId": "user-1", "userName": "Jo", "roomName": "visit-1", **fields}
        client = write_client(Client(name="a", policy=Policy(rooms=["visit-*"])))
        event = {
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps(request),
            "requestContext": {"authorizer": {"client": client}},
        }
        answer = self.issuing.handler(event, None)
        assert answer["statusCode"] == 200, answer["body"]
        return str(json.loads(answer["body"])["token"])

    def get(self, file: str) -> dict[str, Any]:
        """Return what Jitsi is answered."""
        event = {"resource": "/asap/{file}", "pathParameters": {"file": file}}
        answer: dict[str, Any] = self.serving.handler(event, None)
        return answer

    def verify(self, token: str) -> dict[str, Any]:
        """Return a token's claims, its signature verified by what Jitsi is given."""
        times: Any = {f"verify_{time}": False for time in ("exp", "nbf", "iat", "aud")}
        pem = self.get(f"{name_in(token)}.pem")["body"]
        claims: dict[str, Any] = jwt.decode(token, pem, algorithms=["RS256"], options=times)
        return claims

    def _answer(self, path: str) -> bytes:
        answer = self.get(path.rpartition("/")[2])
        return response(answer["statusCode"], answer["body"].encode())


@pytest.fixture
def world(load_app: LoadApp, stack: Stack, address: Address) -> World:
    """Return a stack with a key, which was fetched as Jitsi fetches it."""
    world = World(load_app, stack, address)
    stack.rotate(FIRST)
    return world


def name_in(token: str) -> str:
    """Return where Jitsi asks for a token's key."""
    return name_of(jwt.get_unverified_header(token)["kid"])


def test_tokens_verify_before_and_after_a_rotation(world: World, address: Address) -> None:
    """Those of the key that was replaced, too; the address was asked as Jitsi asks it."""
    earlier = world.issue()

    world.stack.rotate(SECOND)
    world.stack.now += KEY_FRESH_SECONDS
    later = world.issue()

    assert name_in(earlier) != name_in(later)
    assert [world.verify(token)["room"] for token in (earlier, later)] == ["visit-1"] * 2
    assert address.asked == [f"/v1/asap/{name_in(token)}.pem" for token in (earlier, later)]


def test_the_last_token_of_a_replaced_key_verifies_until_it_is_over(world: World) -> None:
    """Signed by a container that never learned, the longest ahead, for the longest time."""
    stack, settings = world.stack, world.stack.app.SETTINGS
    stack.steps(SECOND, *STEPS[:-1])
    # The container fetched the key in the last moment before it was replaced.
    name = name_in(world.issue())
    stack.steps(SECOND, STEPS[-1])
    demoted_at = stack.now

    def fail(**_arguments: object) -> None:
        raise TimeoutError

    for client in (world.issuing.SECRETS.first_fetch, world.issuing.SECRETS.refresh):
        client.get_secret_value = fail
    stack.now = demoted_at + KEY_FRESH_SECONDS + settings.max_stale_seconds - 0.5
    latest = int(stack.now) + settings.limits.max_advance_seconds
    token = world.issue(notBefore=latest, expirationSeconds=settings.limits.max_lifetime_seconds)

    assert name_in(token) == name
    end = jwt.decode(token, options={"verify_signature": False})["exp"]
    assert end == latest + settings.limits.max_lifetime_seconds
    stack.now = end - 1
    assert world.verify(token)["exp"] == end
    stack.now = demoted_at + settings.key_retention_seconds
    assert world.get(f"{name}.pem")["statusCode"] == 404

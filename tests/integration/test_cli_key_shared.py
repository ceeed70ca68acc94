"""`jitsi-tokens key stage`, `promote` and `rollback` where Jitsi holds one shared secret."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.cli_world import Answer, World, running_world
from tests.integration.issue_function import IssueFunction
from tests.integration.test_cli_key_change import labelled, labels, leave_pending

if TYPE_CHECKING:
    from collections.abc import Iterator

NEXT_SECRET = "n" * 64
OURS = "jitsi-tokens key promote"


class SharedWorld:
    """A self-hosted stack with a secret, and the function that signs with it."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.function = IssueFunction()
        self.slept: list[float] = []
        self.now = 0.0
        world.functions = self.function
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self._sleep)
        monkeypatch.setattr("jitsi_tokens_cli.key.containers.time", clock)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def key(self, *arguments: str, typed: str | None = None) -> Any:
        """Run a key command."""
        return self.world.run("key", *arguments, typed=typed)

    def stage(self, kid: str = "spring") -> Any:
        """Stage a secret."""
        return self.key("stage", "--from", "-", "--kid", kid, typed=NEXT_SECRET)

    @property
    def signs(self) -> tuple[str, str | None]:
        """The kid of the current secret, and which version the answering containers are for."""
        return self.world.stored()["kid"], self.function.key_version()


@pytest.fixture
def shared(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
) -> Iterator[SharedWorld]:
    """Return a self-hosted stack with the secret that CloudFormation generated."""
    with running_world(monkeypatch, provider="self-hosted") as world:
        world.store({"algorithm": "HS256", "kid": "initial", "secret": "i" * 64})
        yield SharedWorld(world, monkeypatch)


@pytest.fixture
def staged(shared: SharedWorld) -> SharedWorld:
    """Return it with the next secret staged."""
    assert shared.stage().exit_code == 0
    return shared


def test_stage_makes_a_secret_that_does_not_sign(shared: SharedWorld) -> None:
    """Unseen; the operator is told how to read it, and not to restart Jitsi yet."""
    result = shared.key("stage")

    document = labelled(shared.world, "NEXT")
    assert result.exit_code == 0
    assert re.fullmatch("[0-9a-f]{8}", document["kid"])
    assert re.fullmatch("[A-Za-z0-9]{64}", document["secret"])
    assert document["secret"] not in result.output
    assert result.stdout == ""
    assert (
        f"--secret-id '{shared.world.secret}' --query SecretString --output text"
        " --version-stage NEXT | jq -r .secret" in result.stderr
    )
    assert "do not restart Jitsi yet" in result.stderr
    assert shared.signs == ("initial", None)


def test_stage_takes_secret_and_kid(staged: SharedWorld) -> None:
    """From a file, under an id of the operator's choice."""
    assert labelled(staged.world, "NEXT") == {
        "algorithm": "HS256",
        "kid": "spring",
        "secret": NEXT_SECRET,
    }


def test_stage_refuses_the_kid_of_another_key(shared: SharedWorld) -> None:
    """No two secrets go by one id."""
    result = shared.stage("initial")

    assert result.exit_code == 1
    assert "initial is the id of another key" in result.stderr


def test_promote_replaces_the_containers_with_the_key(staged: SharedWorld) -> None:
    """A version that names the key's answers right after; its environment keeps the rest."""
    result = staged.key("promote", "--yes")

    function = staged.function
    assert result.exit_code == 0
    assert staged.signs == ("spring", labels(staged.world)["AWSCURRENT"])
    assert function.versions[function.live]["Description"] == OURS
    assert function.versions[function.live]["Environment"]["Variables"] == {
        "PROVIDER": "self-hosted",
        "SIGNING_KEY_VERSION": labels(staged.world)["AWSCURRENT"],
    }
    assert "Restart Jitsi's Prosody NOW" in result.stderr
    assert "those that were issued before" in result.stderr


def test_the_key_changes_while_new_containers_stand_ready(staged: SharedWorld) -> None:
    """Nothing but the alias comes after the key."""
    seen: list[str] = []
    world = staged.world

    def functions(request: Any) -> Answer:
        seen.append(f"{world.stored()['kid']}: {request.method} {request.path[-12:]}")
        return staged.function(request)

    world.functions = functions
    staged.key("promote", "--yes")

    after = [entry for entry in seen if entry.startswith("spring")]
    assert after[0] == "spring: PUT aliases/live"


def test_promote_says_what_jitsi_needs_and_asks(staged: SharedWorld) -> None:
    """First the configuration, then the question, and nothing if the answer is no."""
    staged.world.at_a_terminal()

    result = staged.key("promote", typed="n\n")

    assert result.exit_code == 1
    assert "First put the secret that is to sign into Jitsi's configuration" in result.stderr
    assert "initial signs now, and spring will." in result.stderr
    assert staged.signs == ("initial", None)
    assert staged.function.operations == []


def test_promote_has_json_for_scripts(staged: SharedWorld) -> None:
    """--json holds nothing of the secret."""
    answer = json.loads(staged.key("promote", "--yes", "--json").stdout)

    assert answer == {
        "kid": "spring",
        "algorithm": "HS256",
        "fingerprint": None,
        "publicKey": None,
        "versionId": labels(staged.world)["AWSCURRENT"],
        "changed": True,
        "replacedKid": "initial",
    }


def test_a_promotion_that_is_repeated_replaces_nothing(staged: SharedWorld) -> None:
    """The containers are those of the current key already."""
    staged.key("promote", "--yes")
    live = staged.function.live

    result = staged.key("promote")

    assert result.exit_code == 0
    assert "spring is current already" in result.stderr
    assert staged.function.live == live


def test_promote_knows_the_staged_kid(staged: SharedWorld) -> None:
    """Another one is a mistake."""
    wrong = staged.key("promote", "--kid", "summer", "--yes")
    right = staged.key("promote", "--kid", "spring", "--yes")

    assert wrong.exit_code == 1
    assert "has the id spring" in wrong.stderr
    assert right.exit_code == 0


def test_promote_without_a_staged_secret(shared: SharedWorld) -> None:
    """It says what to run."""
    assert "Run `key stage` first" in shared.key("promote", "--yes").stderr


def test_a_rotation_that_was_asked_for_changes_nothing(staged: SharedWorld) -> None:
    """Its empty version is in nobody's way."""
    leave_pending(staged.world)

    assert staged.key("promote", "--yes").exit_code == 0
    assert staged.signs[0] == "spring"


def test_rollback_replaces_the_containers_too(staged: SharedWorld) -> None:
    """And says how the earlier secret is read for Jitsi."""
    staged.key("promote", "--yes")

    result = staged.key("rollback", "--yes")

    assert result.exit_code == 0
    assert "--version-stage AWSPREVIOUS | jq -r .secret" in result.stderr
    assert staged.signs == ("initial", labels(staged.world)["AWSCURRENT"])
    assert staged.key("rollback", "--yes").exit_code == 0
    assert staged.signs == ("spring", labels(staged.world)["AWSCURRENT"])


def test_a_rollback_that_was_broken_off_is_finished_first(staged: SharedWorld) -> None:
    """Run again it would else return to the key that it left."""
    staged.key("promote", "--yes")
    staged.function.refuses = {"PUT aliases/live"}
    broken = staged.key("rollback", "--yes")
    staged.function.refuses = set()

    question = staged.key("rollback")
    result = staged.key("rollback", "--yes")

    assert broken.exit_code == 3
    assert "Run the same command again now" in broken.stderr
    assert "The change to initial was broken off" in question.stderr
    assert result.exit_code == 0
    assert staged.signs == ("initial", labels(staged.world)["AWSCURRENT"])


def test_versions_of_earlier_changes_are_deleted(staged: SharedWorld) -> None:
    """SnapStart is paid for each; what CloudFormation published is left to it."""
    staged.key("promote", "--yes")
    first = staged.function.live
    staged.function.deploy()
    deployed = staged.function.live

    staged.key("rollback", "--yes")

    assert first not in staged.function.versions
    assert set(staged.function.versions) == {"1", deployed, staged.function.live}


@pytest.mark.parametrize("operation", ["GET versions", "DELETE"])
def test_a_version_that_cannot_be_deleted_is_a_warning(staged: SharedWorld, operation: str) -> None:
    """The key is changed all the same."""
    staged.key("promote", "--yes")
    staged.function.refuses = {operation}

    result = staged.key("rollback", "--yes")

    assert result.exit_code == 0
    assert "Warning: versions of the function" in result.stderr


@pytest.mark.parametrize(
    "operation",
    [
        "GET aliases/live",
        "GET configuration",
        "PUT configuration",
        "POST versions",
    ],
)
def test_without_containers_the_key_stays(staged: SharedWorld, operation: str) -> None:
    """What Lambda refuses is found out before the key changes."""
    staged.function.refuses = {operation}

    result = staged.key("promote", "--yes")

    assert result.exit_code == 3
    assert staged.signs == ("initial", None)


def test_the_wait_for_lambda_is_told(staged: SharedWorld) -> None:
    """SnapStart takes minutes; an operator sees that it goes on."""
    staged.function.polls = 20

    result = staged.key("promote", "--yes")

    assert result.exit_code == 0
    assert "... still waiting for Lambda, 30 seconds so far" in result.stderr
    assert "60 seconds so far" in result.stderr


def test_the_wait_for_lambda_ends(staged: SharedWorld) -> None:
    """A version that never gets ready leaves the key as it is."""
    staged.function.polls = 10_000

    result = staged.key("promote", "--yes")

    assert result.exit_code == 3
    assert "has not got the function ready" in result.stderr
    assert staged.signs == ("initial", None)


def test_a_version_that_fails_leaves_the_key(staged: SharedWorld) -> None:
    """And the next try is told the same."""
    staged.function.publishes = "Failed"

    for _ in range(2):
        result = staged.key("promote", "--yes")

        assert result.exit_code == 3
        assert "could not get the function ready" in result.stderr
        assert staged.signs == ("initial", None)


def test_a_deployment_under_way_is_waited_for(staged: SharedWorld) -> None:
    """Two changes of the alias at once would undo one another."""
    staged.function.weights = {"2": 0.1}

    result = staged.key("promote", "--yes")

    assert result.exit_code == 1
    assert "A deployment is under way" in result.stderr
    assert staged.signs == ("initial", None)


def test_a_deployment_meanwhile_is_not_undone(staged: SharedWorld) -> None:
    """The containers that were got ready are of the code before it."""
    function = staged.function

    def deploying(request: Any) -> Answer:
        answer = function(request)
        if request.method == "POST":
            function.deploy()
        return answer

    staged.world.functions = deploying

    result = staged.key("promote", "--yes")

    assert result.exit_code == 1
    assert "deployed meanwhile" in result.stderr
    assert staged.signs == ("initial", None)


def test_code_that_does_not_answer_is_not_published(staged: SharedWorld) -> None:
    """A change of the key is no deployment."""
    staged.function.latest["CodeSha256"] = "other"

    result = staged.key("promote", "--yes")

    assert result.exit_code == 1
    assert "The function's code is not the one that answers" in result.stderr
    assert staged.signs == ("initial", None)


def test_an_environment_that_cannot_be_read_is_not_replaced(staged: SharedWorld) -> None:
    """Lambda hides it from who may not decrypt it."""
    staged.function.latest["Environment"] = {"Error": {"ErrorCode": "AccessDeniedException"}}

    result = staged.key("promote", "--yes")

    assert result.exit_code == 3
    assert "environment cannot be read" in result.stderr


def test_nothing_secret_is_ever_printed(shared: SharedWorld) -> None:
    """Neither secret, on neither stream."""
    printed = shared.stage().output
    for command in (
        ["promote", "--yes"],
        ["rollback", "--yes", "--json"],
        ["list"],
        ["list", "--json"],
        ["show"],
    ):
        result = shared.key(*command)
        assert result.exit_code == 0
        printed += result.output

    assert NEXT_SECRET not in printed
    assert "i" * 64 not in printed


def test_a_key_that_signed_before_gets_new_containers_all_the_same(staged: SharedWorld) -> None:
    """Those that were made for it have taken up the key that was put in its place since."""
    staged.key("promote", "--yes")
    made_for_it = staged.function.live
    staged.key("create", "--replace", "--yes", "--kid", "by-hand")

    result = staged.key("rollback", "--yes")

    assert result.exit_code == 0
    assert staged.world.stored()["kid"] == "spring"
    assert staged.function.live != made_for_it


def test_an_alias_that_a_deployment_moves_is_left_alone(staged: SharedWorld) -> None:
    """Lambda is told which state of the alias was seen, and refuses another one."""
    staged.key("promote", "--yes")

    assert staged.function.revisions == ["seen"]

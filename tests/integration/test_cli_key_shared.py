"""`jitsi-tokens key stage`, `promote` and `rollback` where Jitsi holds one shared secret."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from jitsi_tokens.core.clock import Clock
from tests.integration.cli_world import World, checked, running_world
from tests.integration.test_cli_key_change import labelled, labels, leave_pending

if TYPE_CHECKING:
    from collections.abc import Iterator

NEXT_SECRET = "n" * 64
NOW = 1_800_000_000


class SharedWorld:
    """A self-hosted stack with a secret, and the clock that a command looks at."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.slept: list[float] = []
        clock = Clock(lambda: NOW + sum(self.slept), self.slept.append)
        monkeypatch.setattr("jitsi_tokens_cli.key.change_commands.CLOCK", clock)

    def key(self, *arguments: str, typed: str | None = None) -> Any:
        """Run a key command."""
        return self.world.run("key", *arguments, typed=typed)

    def stage(self, kid: str = "spring") -> Any:
        """Stage a secret."""
        return self.key("stage", "--from", "-", "--kid", kid, typed=NEXT_SECRET)

    @property
    def signs(self) -> str:
        """The kid of the current secret."""
        return self.world.stored()["kid"]


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
    assert shared.signs == "initial"


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


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_a_change_waits_until_no_function_has_the_earlier_secret(
    staged: SharedWorld, command: str
) -> None:
    """Five minutes, counted down; when to restart Jitsi is said before, and at its end."""
    if command == "rollback":
        staged.key("promote", "--yes", "--no-wait")

    result = staged.key(command, "--yes")

    assert result.exit_code == 0
    assert staged.signs == ("spring" if command == "promote" else "initial")
    assert sum(staged.slept) == 300
    assert "restart Jitsi's Prosody at 2027-01-15T08:05:00Z" in result.stderr
    before, _, after = result.stderr.partition("... 5 min 00 s until every function signs with it")
    assert "... 0 min 30 s until" in after
    assert "NOW" not in before
    assert "Restart Jitsi's Prosody NOW" in after


def test_a_change_need_not_be_waited_for(staged: SharedWorld) -> None:
    """After a leak Jitsi is restarted at once; when it would be time is said all the same."""
    result = staged.key("promote", "--yes", "--no-wait")

    assert result.exit_code == 0
    assert staged.slept == []
    assert "restart Jitsi's Prosody at 2027-01-15T08:05:00Z" in result.stderr
    assert "NOW" not in result.stderr


def test_a_secret_that_does_not_sign_is_not_waited_for(staged: SharedWorld) -> None:
    """The operator goes back at once."""
    problem = {"code": "access-denied", "what": "The secret cannot be read.", "remedy": "Look."}
    staged.world.check = lambda: checked(configured=False, problems=[problem])

    result = staged.key("promote", "--yes")

    assert result.exit_code == 1
    assert staged.slept == []


def test_a_promotion_that_is_repeated_changes_nothing(staged: SharedWorld) -> None:
    """How long ago it was made is not known, so it is waited for again."""
    staged.key("promote", "--yes")
    before = labels(staged.world)

    result = staged.key("promote")

    assert result.exit_code == 0
    assert "spring is current already" in result.stderr
    assert labels(staged.world) == before
    assert sum(staged.slept) == 600


def test_rollback_goes_back_and_forth(staged: SharedWorld) -> None:
    """And says how the earlier secret is read for Jitsi."""
    staged.key("promote", "--yes")

    result = staged.key("rollback", "--yes")

    assert result.exit_code == 0
    assert "--version-stage AWSPREVIOUS | jq -r .secret" in result.stderr
    assert staged.signs == "initial"
    assert staged.key("rollback", "--yes").exit_code == 0
    assert staged.signs == "spring"


def test_promote_says_what_jitsi_needs_and_asks(staged: SharedWorld) -> None:
    """First the configuration, then the question, and nothing if the answer is no."""
    staged.world.at_a_terminal()

    result = staged.key("promote", typed="n\n")

    assert result.exit_code == 1
    assert "First put the secret that is to sign into Jitsi's configuration" in result.stderr
    assert "initial signs now, and spring will." in result.stderr
    assert staged.signs == "initial"
    assert staged.slept == []


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
        "restartJitsiAt": "2027-01-15T08:05:00Z",
    }


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
    assert staged.signs == "spring"


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

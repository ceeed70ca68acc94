"""What is advised where something is wrong with the key: no command of it is one that refuses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from jitsi_tokens.core import findings
from jitsi_tokens.core.findings import finding
from tests.integration.cli_world import World, checked, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jitsi_tokens.core.keys import Trust


class Kind(NamedTuple):
    """A kind of stack."""

    trust: Trust
    provider: str
    algorithm: str


JAAS = Kind("console", "jaas", "RS256")
SHARED = Kind("shared", "self-hosted", "HS256")
PUBLISHED = Kind("published", "self-hosted", "RS256")

OF_PUBLICATION = {
    *("not-published", "published-key-differs", "published-key-ends"),
    *("unknown-key-published", "publication-unreadable"),
}
OF_A_KEY = {
    *("not-a-key-document", "wrong-algorithm", "wrong-kid", "unreadable-key"),
    *("not-rsa", "key-too-short", "self-check-failed"),
}
CODES = {*findings._REMEDIES, "no-key", "never-checked", "check-overdue"} | OF_A_KEY
POSSIBLE = [
    (kind, code)
    for kind in (JAAS, SHARED, PUBLISHED)
    for code in sorted(CODES)
    if kind.trust == "published" or code not in OF_PUBLICATION
]


def ways(kind: Kind, code: str) -> list[list[str]]:
    """Return the commands that a remedy names, those of each of its alternatives."""
    remedy = finding(code, trust=kind.trust).remedy
    alternatives = (re.findall("`jitsi-tokens ([^`]+)`", part) for part in remedy.split(" or "))
    return [commands for commands in alternatives if commands]


@pytest.fixture
def world(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
) -> Iterator[World]:
    """Return a stack of the kind that a test is about, without a key."""
    kind: Kind = request.param
    with running_world(monkeypatch, provider=kind.provider, algorithm=kind.algorithm) as world:
        yield world


@pytest.mark.parametrize(
    ("world", "code", "commands"),
    [
        pytest.param(kind, code, commands, id=f"{kind.trust}-{code}-{commands[0]}")
        for kind, code in POSSIBLE
        for commands in ways(kind, code)
    ],
    indirect=["world"],
)
def test_no_command_of_a_remedy_refuses(
    world: World, code: str, commands: list[str], rsa_pem: str, tmp_path: Path
) -> None:
    """Where nothing is there, and where something is that is no key."""
    key = tmp_path / "key"
    key.write_text(rsa_pem if world.parameters["SigningAlgorithm"] == "RS256" else "s" * 64)
    kid = ["--kid", "next"]
    arguments = {
        "key create": kid,
        "key import": [str(key), *kid],
        "key stage": ["--from", str(key)],
        "key promote": [
            *(["--no-wait"] if world.parameters["SigningAlgorithm"] == "HS256" else kid),
            "--yes",
        ],
        "key list": [],
        "key withdraw": ["stranger", "--yes"],
    }
    if code != "no-key":
        world.secrets.put_secret_value(SecretId=world.secret, SecretString="{}")

    for command in commands:
        result = world.run(*command.split(), *arguments[command])
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize(("kind", "code"), POSSIBLE, ids=str)
def test_a_key_comes_to_sign_as_its_stack_has_it(kind: Kind, code: str) -> None:
    """By a rotation where the stack publishes keys, and by a person elsewhere."""
    remedy = finding(code, trust=kind.trust).remedy

    assert remedy
    if kind.trust == "published":
        assert not re.search("key (create|import|stage|promote)", remedy)
    else:
        assert "rotat" not in remedy.lower()
    if code in OF_A_KEY:
        assert ("rotate-secret" if kind.trust == "published" else "key promote") in remedy


@pytest.mark.parametrize("code", ["never-checked", "check-overdue", *sorted(OF_PUBLICATION)])
def test_a_finding_has_a_text_of_its_own(code: str) -> None:
    """The same from the stack's own check as from the command line's."""
    given = "" if code != "publication-unreadable" else "It cannot be read."

    assert finding(code, given, trust="published").what.endswith(".")


@pytest.mark.parametrize("world", [PUBLISHED], indirect=True)
def test_a_rotation_is_advised_in_the_stacks_own_region(world: World) -> None:
    """Whatever the stack's own check wrote, which knows no region."""
    problem = finding("not-published", trust="published")
    world.check = lambda: checked(
        configured=False, problems=[{"code": problem.code, "what": "x", "remedy": problem.remedy}]
    )

    advised = world.run("key", "check").stderr

    rotate = f"aws secretsmanager rotate-secret --region eu-central-1 --secret-id '{world.secret}'"
    assert f"Rotate the key: `{rotate}`." in advised


@pytest.mark.parametrize("world", [PUBLISHED], indirect=True)
@pytest.mark.parametrize("command", [["show"], ["create"], ["check"]], ids="".join)
def test_a_stack_without_a_schedule_is_told_how_one_is_made(
    world: World, command: list[str]
) -> None:
    """A bare rotate-secret fails there: Secrets Manager has not been told the function."""
    world.parameters["RotationDays"] = "0"
    world.check = lambda: checked(
        configured=False, problems=[{"code": "no-key", "what": "None.", "remedy": "x"}]
    )

    result = world.run("key", *command)

    assert result.exit_code == 1
    function = world.outputs["RotateSigningKeyFunction"]
    assert (
        f"--rotation-lambda-arn '{function}' --rotation-rules AutomaticallyAfterDays=1000"
        in result.stderr
    )

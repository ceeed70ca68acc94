"""How the command line finds its stack, and how it fails."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from jitsi_tokens_cli.main import app
from tests.integration.cli_world import APP_ID, aws_error, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.cli_world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, aws: None) -> Iterator[World]:  # noqa: ARG001
    """Return a JaaS stack without a key."""
    with running_world(monkeypatch) as world:
        yield world


def test_version_is_the_distributions() -> None:
    """--version prints the installed version and needs no stack."""
    result = CliRunner().invoke(app, ["--version"])

    assert result.exit_code == 0
    assert result.stdout == "jitsi-tokens 0.1.0\n"


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["key"],
        ["key", "create"],
        ["key", "import"],
        ["key", "show"],
        ["key", "check"],
        ["client"],
        ["client", "add"],
        ["client", "set"],
        ["client", "list"],
        ["client", "revoke"],
        ["client", "rotate"],
        ["token"],
        ["token", "issue"],
        ["token", "inspect"],
        ["token", "explain"],
        ["jitsi-config"],
        ["doctor"],
        ["audit"],
    ],
)
def test_help_is_there_for_every_command(command: list[str]) -> None:
    """--help explains each command without a stack, the commands with an example."""
    result = CliRunner().invoke(app, [*command, "--help"])

    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert ("Example" in result.stdout) == (command not in (["key"], ["client"], ["token"]))


def test_help_tells_the_exit_codes() -> None:
    """A script's author learns what each of them means."""
    result = CliRunner().invoke(app, ["--help"])

    text = " ".join(result.stdout.split())
    for meaning in ("0 done", "1 refused", "2 wrong usage", "3 AWS or the service"):
        assert meaning in text


def test_a_stack_must_be_named(world: World) -> None:
    """A command of a stack says how to name one."""
    result = world.run("key", "show", stack=False)

    assert result.exit_code == 2
    assert "Give --stack-name before the command" in result.stderr


def test_the_environment_names_stack_and_region(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JITSI_TOKENS_STACK_NAME and AWS_REGION stand for the options."""
    monkeypatch.setenv("JITSI_TOKENS_STACK_NAME", "elsewhere")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    result = world.run("key", "show", stack=False)

    assert "There is no stack elsewhere in eu-west-1." in result.stderr


def test_the_region_option_wins(world: World) -> None:
    """--region names the region in which the stack is looked for."""
    result = world.run("--region", "us-east-2", "--stack-name", "other", "key", "show", stack=False)

    assert result.exit_code == 1
    assert "There is no stack other in us-east-2." in result.stderr


def test_a_stack_of_something_else_is_told_apart(world: World) -> None:
    """A stack without the outputs of jitsi-tokens is named as such."""
    del world.outputs["ClientsTable"]

    result = world.run("client", "list")

    assert result.exit_code == 1
    assert "has no output ClientsTable" in result.stderr


def test_a_stack_that_is_being_made_may_be_asked_for_again(world: World) -> None:
    """Its outputs come last."""
    world.outputs.clear()
    world.status = "CREATE_IN_PROGRESS"

    result = world.run("client", "list")

    assert result.exit_code == 3
    assert "is being deployed: try again" in result.stderr


def test_the_app_id_may_lack_its_prefix(world: World) -> None:
    """A stack deployed with the bare App ID has the same key ids."""
    world.parameters["JaasAppId"] = APP_ID.removeprefix("vpaas-magic-cookie-")

    world.run("key", "create", "--kid", "abc", "--bits", "2048")

    assert world.stored()["kid"] == f"{APP_ID}/abc"


def test_a_denial_of_aws_is_one_sentence(world: World) -> None:
    """What AWS denies is told with AWS's reason, without a traceback."""
    world.cloudformation = lambda _: aws_error(
        "AccessDenied", "User: me is not authorized to perform: cloudformation:DescribeStacks", 403
    )

    result = world.run("key", "show")

    assert result.exit_code == 3
    assert result.stderr == (
        "Error: AWS refused DescribeStacks (AccessDenied: User: me is not authorized to perform:"
        " cloudformation:DescribeStacks).\n"
    )


def test_an_unknown_error_of_aws_shows_its_code_alone(world: World) -> None:
    """Other messages of AWS may repeat what was sent, so they stay out."""
    world.cloudformation = lambda _: aws_error("OddError", "SecretString was hunter2", 400)

    result = world.run("key", "show")

    assert result.stderr == "Error: AWS refused DescribeStacks (OddError).\n"


def test_missing_credentials_are_one_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials the command says so."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nonexistent")

    result = world.run("key", "show")

    assert result.exit_code == 3
    assert result.stderr == "Error: AWS cannot be used: Unable to locate credentials.\n"


def test_a_parameter_that_botocore_refuses_is_not_repeated(world: World) -> None:
    """Botocore quotes values in its complaint, so the complaint stays out."""
    world.outputs["ClientsTable"] = ""

    result = world.run("client", "list")

    assert result.exit_code == 3
    assert result.stderr == "Error: AWS's client refused the form of a parameter.\n"


def test_a_fault_shows_no_text_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is told by type and place: its text may quote a secret."""

    def broken(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("jitsi_tokens_cli.key.commands.current_version", broken)

    result = world.run("key", "show")

    assert result.exit_code == 1
    assert re.search(
        r"a fault: RuntimeError in broken, test_cli_stack\.py:\d+\. Please", result.stderr
    )
    assert "hunter2" not in result.output


def test_a_usage_error_exits_with_2(world: World) -> None:
    """Typer's own usage errors keep their exit code."""
    assert world.run("key", "create", "--bits", "1024").exit_code == 2

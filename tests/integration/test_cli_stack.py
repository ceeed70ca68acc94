"""How the command line finds its stack, and how it fails."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING, Any

import pytest
from botocore.config import Config
from typer.testing import CliRunner

from jitsi_tokens_cli import stack
from jitsi_tokens_cli.main import app
from tests.integration.cli_world import APP_ID, STACK, aws_error, running_world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.cli_world import World


@pytest.fixture
def world(
    monkeypatch: pytest.MonkeyPatch,
    aws: None,  # noqa: ARG001
    tmp_path: Path,
) -> Iterator[World]:
    """Return a JaaS stack without a key, and an AWS configuration with one profile."""
    (tmp_path / "config").write_text(
        "[profile work]\nregion = ap-south-1\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    with running_world(monkeypatch) as world:
        yield world


def test_version_and_exit_codes_need_no_stack() -> None:
    """A script's author asks for them."""
    assert CliRunner().invoke(app, ["--version"]).stdout == "jitsi-tokens 0.1.0\n"
    assert "  3    AWS or the service was" in CliRunner().invoke(app, ["-h"]).stdout


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "words"),
    [
        ("", {}, 2, "Give --stack-name, or set JITSI_TOKENS_STACK_NAME."),
        (
            "",
            {"JITSI_TOKENS_STACK_NAME": "elsewhere", "AWS_REGION": "eu-west-1"},
            1,
            "There is no stack elsewhere in eu-west-1.",
        ),
        ("--stack-name after --region eu-west-1", {}, 1, "no stack after in eu-west-1."),
        (
            "--stack-name after --profile work",
            {"AWS_DEFAULT_REGION": None},
            1,
            "no stack after in ap-south-1.",
        ),
        ("--stack-name x --profile play", {}, 3, "The config profile (play) could not be found."),
        (
            f"--stack-name {STACK}",
            {"AWS_DEFAULT_REGION": ""},
            3,
            "You must specify a region: --region, AWS_REGION, or `aws configure set region ...`.",
        ),
    ],
)
def test_how_a_stack_is_named(
    world: World, arguments: str, environment: dict[str, str | None], code: int, words: str
) -> None:
    """By options after the command, or by the environment."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        for name, value in environment.items():
            monkeypatch.delenv(name, raising=False)
            if value is not None:
                monkeypatch.setenv(name, value)
        result = world.run("client", "list", *arguments.split(), stack=False)

    assert words in result.stderr
    assert result.exit_code == code


def test_the_option_that_is_nearest_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the command, then before it, then the environment's."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    before = ("--region", "us-east-2", "--stack-name", "before", "client", "list")

    first = world.run(*before, stack=False)
    second = world.run(*before, "--stack-name", "after", stack=False)

    assert "There is no stack before in us-east-2." in first.stderr
    assert "There is no stack after in us-east-2." in second.stderr


def test_a_stack_of_something_else_is_told_apart(world: World) -> None:
    """It lacks outputs."""
    del world.outputs["ClientsTable"]

    result = world.run("client", "list")

    assert result.exit_code == 1
    assert "is not a jitsi-tokens stack" in result.stderr
    assert "ClientsTable is missing." in result.stderr


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


@pytest.mark.parametrize(
    ("code", "message", "told"),
    [
        ("AccessDenied", "User: me is not authorized", "AccessDenied: User: me is not authorized"),
        # Other messages of AWS may repeat what was sent.
        ("OddError", "SecretString was hunter2", "OddError"),
    ],
)
def test_what_aws_refuses_is_one_sentence(world: World, code: str, message: str, told: str) -> None:
    """Without a traceback."""
    world.cloudformation = lambda _: aws_error(code, message, 403)

    result = world.run("key", "show")

    assert result.exit_code == 3
    assert result.stderr == f"Error: AWS refused DescribeStacks ({told}).\n"


def test_an_aws_that_hangs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says what it waits for, and ends within twenty seconds."""
    whole: Any = stack._CONFIG
    # Standard retries pause for a second at most before the second attempt.
    assert whole.retries["total_max_attempts"] == 2
    assert 2 * max(whole.connect_timeout, whole.read_timeout) + whole.connect_timeout + 1 <= 20
    hurried = Config(read_timeout=0.2, retries=whole.retries)
    monkeypatch.setattr("jitsi_tokens_cli.stack._CONFIG", hurried)
    monkeypatch.setattr("jitsi_tokens_cli.output._SLOW_SECONDS", 0.1)

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", address)
        result = world.run("key", "list")

    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        "cloudformation: DescribeStacks ...",
        "Error: AWS does not answer (ReadTimeoutError).",
    ]


def test_missing_credentials_are_one_sentence(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the AWS CLI's words, with what to do."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nonexistent")

    result = world.run("key", "show")

    assert result.exit_code == 3
    assert result.stderr.startswith("Error: No AWS credentials: run `aws configure sso`")


def test_a_parameter_that_botocore_refuses_is_not_repeated(world: World) -> None:
    """Botocore quotes values in its complaint, so the complaint stays out."""
    world.outputs["ClientsTable"] = ""

    result = world.run("client", "list")

    assert result.exit_code == 3
    assert result.stderr == "Error: AWS does not accept a parameter in this form.\n"


def test_a_fault_shows_no_text_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is shown by type and place: its text may quote a secret."""

    def broken(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr("jitsi_tokens_cli.stack._describe", broken)

    result = world.run("key", "show")

    assert result.exit_code == 1
    assert re.search(
        r"Internal error in jitsi-tokens: RuntimeError in broken, test_cli_stack\.py:\d+\. Please",
        result.stderr,
    )
    assert "hunter2" not in result.output


def test_a_usage_error_exits_with_2(world: World) -> None:
    """Typer's own usage errors keep their exit code."""
    assert world.run("key", "create", "--bits", "1024").exit_code == 2

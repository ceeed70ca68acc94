"""The smoke test of a stack: what it accepts, what it rejects, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from deployment.__main__ import app
from tests.integration.cli_world import HANGS_UP, STACK, TABLE, Answer, running_world
from tests.integration.deployed import PROBLEM, Deployed, jaas_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typer.testing import Result

    from tests.conftest import LoadApp

OK = Answer(200, "{}")
FORBIDDEN = Answer(403, "{}", PROBLEM)


@pytest.fixture
def deployed(
    monkeypatch: pytest.MonkeyPatch,
    load_app: LoadApp,
    jaas_environ: dict[str, str],
    rsa_pem: str,
) -> Iterator[Deployed]:
    """Return a healthy stack."""
    # The runner of these tests may be GitHub's.
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    with running_world(monkeypatch) as world:
        stack = Deployed(world, load_app, jaas_environ, monkeypatch)
        world.store(jaas_document(rsa_pem))
        stack.check()
        yield stack


def smoke() -> Result:
    """Run the smoke test."""
    return CliRunner().invoke(app, ["--stack-name", STACK, "smoke"])


def clients(deployed: Deployed) -> list[str]:
    """Return the names of the clients that there are."""
    items = deployed.world.dynamodb.scan(TableName=TABLE)["Items"]
    return [item["client"]["S"] for item in items]


def with_token(answer: Answer, token: str) -> Answer:
    """Return an answer with another token."""
    return answer._replace(body=json.dumps(json.loads(answer.body) | {"token": token}))


def test_a_healthy_stack_passes(deployed: Deployed) -> None:
    """The client that it was asked as is gone, and neither its API key nor a token was shown."""
    result = smoke()

    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "jtk_" not in result.output
    assert "eyJ" not in result.output
    assert len([each for each in deployed.world.received if each.method == "POST"]) >= 3
    assert clients(deployed) == []


def test_github_is_told_what_to_cut_out(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In lines that its runner takes for itself: nothing else shows the API key or the token."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    result = smoke()

    assert result.exit_code == 0, result.output
    api_key, token = result.stdout.splitlines()
    assert api_key.startswith("::add-mask::jtk_")
    assert token.startswith("::add-mask::eyJ")
    assert "jtk_" not in result.stderr
    assert "eyJ" not in result.stderr
    assert clients(deployed) == []


def test_a_stack_that_cannot_sign_fails(deployed: Deployed) -> None:
    """Before a client is made."""
    deployed.world.store_bytes(b"broken")
    deployed.offset += 3600
    deployed.check()

    result = smoke()

    assert result.exit_code == 1
    assert "does not say" in result.stderr
    assert clients(deployed) == []


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (200, FORBIDDEN, "Expected HTTP 200 for the client's room; it was 403."),
        (200, OK, "does not come from jitsi-tokens"),
        (200, HANGS_UP, "does not answer"),
        (200, "hunter2", "contains no valid token"),
        (403, OK, "Expected HTTP 403 for another room; it was 200."),
        (403, FORBIDDEN, "Something in front of the service"),
        (401, OK, "Expected HTTP 401 for no API key; it was 200."),
    ],
)
def test_a_service_that_answers_otherwise_fails(
    deployed: Deployed, status: int, answer: Answer | str, words: str
) -> None:
    """The client is revoked all the same, and no token repeated."""
    # 200 is what the own room is answered, 403 another's, 401 a stranger.
    deployed.change_answers(
        status,
        lambda given: with_token(given, answer) if isinstance(answer, str) else answer,
    )

    result = smoke()

    assert result.exit_code == (3 if answer is HANGS_UP else 1)
    assert words in result.stderr
    assert "hunter2" not in result.output
    assert clients(deployed) == []


@pytest.mark.parametrize(
    ("claims", "words"), [({"room": "*"}, "another room"), ({"exp": 1}, "another time")]
)
def test_a_token_that_says_something_else_fails(
    deployed: Deployed, claims: dict[str, Any], words: str
) -> None:
    """As one for every room would."""
    deployed.change_claims(claims)

    result = smoke()

    assert result.exit_code == 1
    assert words in result.stderr
    assert clients(deployed) == []


def test_what_a_lost_run_left_is_revoked(deployed: Deployed) -> None:
    """Of its own clients alone."""
    deployed.add_client(name="smoke-test", rooms=["left-behind"])
    deployed.add_client(name="openemr", rooms=["visit-*"])

    result = smoke()

    assert result.exit_code == 0, result.output
    assert "Revoked the client that an earlier run left behind." in result.stderr
    assert clients(deployed) == ["openemr"]


def test_a_run_that_is_ended_revokes_its_client(deployed: Deployed) -> None:
    """As GitHub ends a job that is cancelled."""
    before = signal.getsignal(signal.SIGTERM)

    def end(answer: Answer) -> Answer:
        os.kill(os.getpid(), signal.SIGTERM)
        return answer

    deployed.change_answers(200, end)

    try:
        result = smoke()
    finally:
        signal.signal(signal.SIGTERM, before)

    assert result.exit_code == 128 + signal.SIGTERM
    assert clients(deployed) == []

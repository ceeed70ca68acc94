"""The smoke test of a deployed stack: what it takes for well, what not, and what it leaves."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from typer.testing import CliRunner

from deployment.__main__ import app
from tests.integration.cli_world import HANGS_UP, STACK, TABLE, Answer, running_world
from tests.integration.deployed import PROBLEM, Deployed, jaas_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer.testing import Result

    from tests.conftest import LoadApp
    from tests.integration.cli_world import Received

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


def asks_for(room: str) -> Callable[[Received], bool]:
    """Return the test for a request of somebody known, for a room of this kind."""

    def is_so(request: Received) -> bool:
        is_other = json.loads(request.body)["roomName"].endswith("-other")
        return "Authorization" in request.headers and is_other == (room == "other")

    return is_so


def answer_instead(
    deployed: Deployed, replaced: Callable[[Received], bool], answer: Callable[[Answer], Answer]
) -> None:
    """Have the service answer some requests otherwise."""
    api = deployed.world.api
    deployed.world.api = lambda request: answer(api(request)) if replaced(request) else api(request)


def with_claims(deployed: Deployed, **claims: Any) -> Callable[[Answer], Answer]:
    """Return what puts other claims into the token of an answer."""

    def changed(answer: Answer) -> Answer:
        document = json.loads(answer.body)
        genuine = jwt.decode(document["token"], options={"verify_signature": False})
        document["token"] = deployed.sign(genuine | claims)
        return answer._replace(body=json.dumps(document))

    return changed


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
    assert "does not say configured" in result.stderr
    assert clients(deployed) == []


@pytest.mark.parametrize(
    ("room", "answer", "words"),
    [
        ("own", FORBIDDEN, "Expected HTTP 200 for the client's room; it was 403."),
        ("own", OK, "not that of jitsi-tokens"),
        ("own", HANGS_UP, "does not answer"),
        ("other", OK, "Expected HTTP 403 for another room; it was 200."),
        ("other", FORBIDDEN, "something before it did"),
    ],
)
def test_a_service_that_answers_otherwise_fails(
    deployed: Deployed, room: str, answer: Answer, words: str
) -> None:
    """The client is revoked all the same."""
    answer_instead(deployed, asks_for(room), lambda _: answer)

    result = smoke()

    assert result.exit_code == (3 if answer is HANGS_UP else 1)
    assert words in result.stderr
    assert clients(deployed) == []


@pytest.mark.parametrize(
    ("claims", "words"), [({"room": "*"}, "another room"), ({"exp": 1}, "another time")]
)
def test_a_token_that_says_something_else_fails(
    deployed: Deployed, claims: dict[str, Any], words: str
) -> None:
    """As one for every room would."""
    answer_instead(deployed, asks_for("own"), with_claims(deployed, **claims))

    result = smoke()

    assert result.exit_code == 1
    assert words in result.stderr
    assert clients(deployed) == []


def test_what_is_no_token_fails(deployed: Deployed) -> None:
    """And is not repeated."""
    answer_instead(
        deployed,
        asks_for("own"),
        lambda answer: answer._replace(
            body=json.dumps(json.loads(answer.body) | {"token": "hunter2"})
        ),
    )

    result = smoke()

    assert result.exit_code == 1
    assert "hunter2" not in result.output
    assert clients(deployed) == []


def test_a_service_that_lets_everybody_in_fails(deployed: Deployed) -> None:
    """Nobody without an API key gets a token."""
    answer_instead(deployed, lambda request: "Authorization" not in request.headers, lambda _: OK)

    result = smoke()

    assert result.exit_code == 1
    assert "Expected HTTP 401 for no API key; it was 200." in result.stderr


def test_what_a_lost_run_left_is_revoked(deployed: Deployed) -> None:
    """Of its own clients alone."""
    deployed.add_client(name="smoke-test", rooms=["left-behind"])
    deployed.add_client(name="openemr", rooms=["visit-*"])

    result = smoke()

    assert result.exit_code == 0, result.output
    assert "Revoked what an earlier run left behind." in result.stderr
    assert clients(deployed) == ["openemr"]


def test_a_run_that_is_ended_revokes_its_client(deployed: Deployed) -> None:
    """As GitHub ends a job that is cancelled."""
    before = signal.getsignal(signal.SIGTERM)

    def end(answer: Answer) -> Answer:
        os.kill(os.getpid(), signal.SIGTERM)
        return answer

    answer_instead(deployed, asks_for("own"), end)

    try:
        result = smoke()
    finally:
        signal.signal(signal.SIGTERM, before)

    assert result.exit_code == 128 + signal.SIGTERM
    assert clients(deployed) == []

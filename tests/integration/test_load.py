"""`make load`'s callers, on a whole stack in this process: so that they go on to work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.load.__main__ import ask
from tests.integration.cli_world import Answer, running_world
from tests.integration.deployed import PROBLEM, Deployed, published_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from benchmarks.load.__main__ import Step
    from tests.conftest import LoadApp


@pytest.fixture
def deployed(
    monkeypatch: pytest.MonkeyPatch,
    load_app: LoadApp,
    published_environ: dict[str, str],
    rsa_key: RSAPrivateKey,
    rsa_pem: str,
) -> Iterator[Deployed]:
    """Return a healthy stack that publishes its keys."""
    with running_world(monkeypatch, provider="self-hosted", algorithm="RS256") as world:
        stack = Deployed(world, load_app, published_environ, monkeypatch)
        world.store(published_document(rsa_key, rsa_pem))
        stack.publish(rsa_key, stack.kid())
        stack.check()
        yield stack


def asked(deployed: Deployed, results: Path) -> Step:
    """Ask a stack, until it has answered so many calls that all usual kinds are among them."""
    rooms: dict[str, Any] = {"rooms": ["visit-*"]}
    environment = {
        "DOCTORS_API_KEY": deployed.add_client(**rooms, moderator=True),
        "PATIENTS_API_KEY": deployed.add_client(**rooms),
        "LOAD_CALLS": "60",
    }
    return ask(deployed.world.outputs["ApiUrl"], environment, results, callers=1, seconds=60)


def test_a_healthy_stack_answers_each_call_as_it_should(deployed: Deployed, tmp_path: Path) -> None:
    """Expected refusals are no errors."""
    step = asked(deployed, tmp_path)

    assert step.errors == 0, (tmp_path / "1-callers.txt").read_text()
    assert step.callers == 1
    assert step.requests_per_second > step.tokens_per_second > 0
    assert 0 < step.p50 <= step.p95 <= step.p99


@pytest.mark.parametrize(
    ("breaks", "error"),
    [
        (lambda stack: stack.change_claims({"room": "another"}), "another room"),
        (lambda stack: stack.answer_known(Answer(503, "{}", PROBLEM)), "503 instead of 200"),
    ],
    ids=["a token for another room", "no token"],
)
def test_a_wrong_answer_is_an_error(
    deployed: Deployed, tmp_path: Path, breaks: Callable[[Deployed], None], error: str
) -> None:
    """It is counted by its kind."""
    breaks(deployed)

    step = asked(deployed, tmp_path)

    assert step.errors > 1
    assert error in (tmp_path / "1-callers.txt").read_text()

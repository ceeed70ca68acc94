"""`make load`'s callers, on a whole stack in this process: so that they go on to work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.load.run import Run, ask
from tests.integration.cli_world import Answer, running_world
from tests.integration.deployed import PROBLEM, Deployed, published_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from benchmarks.measured import Step
    from tests.conftest import LoadApp

pytestmark = pytest.mark.slow

# A second goes by until locust asks for the first time, and more on a busy machine.
ASKED = Run(callers=1, seconds=6)


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
    """Ask a stack for some seconds."""
    rooms: dict[str, Any] = {"rooms": ["visit-*"]}
    api_keys = {
        "DOCTORS_API_KEY": deployed.add_client(**rooms, moderator=True),
        "PATIENTS_API_KEY": deployed.add_client(**rooms),
    }
    return ask(deployed.world.outputs["ApiUrl"], api_keys, ASKED, results)


def test_a_healthy_stack_answers_each_call_as_it_should(deployed: Deployed, tmp_path: Path) -> None:
    """Refusals of what has to be refused are no errors."""
    step = asked(deployed, tmp_path)

    assert step.errors == 0, (tmp_path / "1-callers_failures.csv").read_text()
    assert step.callers == 1
    assert step.requests_per_second > step.tokens_per_second > 1
    assert 0 < step.p50 <= step.p95 <= step.p99
    assert step.answer_bytes > 500


@pytest.mark.parametrize(
    ("breaks", "error"),
    [
        (lambda stack: stack.change_claims({"room": "another"}), "another room"),
        (
            lambda stack: stack.answer_known(Answer(503, "{}", PROBLEM)),
            "503 in place of 200",
        ),
    ],
    ids=["a token for another room", "no token"],
)
def test_a_wrong_answer_is_an_error(
    deployed: Deployed, tmp_path: Path, breaks: Callable[[Deployed], None], error: str
) -> None:
    """It is counted, and told by its kind."""
    breaks(deployed)

    step = asked(deployed, tmp_path)

    assert step.errors > 1
    assert error in (tmp_path / "1-callers_failures.csv").read_text()

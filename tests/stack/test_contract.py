"""docs/openapi.yaml against a deployed stack: schemathesis draws the requests."""

from __future__ import annotations

import collections
import json
import os
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from jitsi_tokens.core.public_keys import name_of
from local_stack.emulator import LOCAL, ROOT
from tests.stack.visits import Visits, links_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.stack.service import Service

pytestmark = pytest.mark.stack

HERE = ROOT / "tests" / "stack"
TOKENS = "POST /api/jitsi/jwt"
DIAGNOSTICS = "GET /api/jitsi/diagnostics"
PUT = "PUT /api/visits/{visitId}"
PUBLIC_KEY = "GET /asap/{file}"
PUBLIC_KEYS = "GET /.well-known/jwks.json"

type Answers = collections.Counter[tuple[str, str, int]]


class Run(NamedTuple):
    """What schemathesis was asked for, and which answers have to be among its answers.

    The fewest of each: by operation, by whether the request was positive (fits the document) or
    negative (breaks it), by status.
    """

    options: list[str]
    cases: int
    fewest: dict[tuple[str, str, int], int]


RUNS = {
    "examples": Run(
        ["--phases=examples,coverage"],
        100,
        {
            (TOKENS, "positive", 200): 1,
            (TOKENS, "negative", 400): 1,
            (PUT, "positive", 200): 1,
            (PUT, "negative", 400): 1,
            ("POST /join/status", "positive", 200): 1,
            ("POST /join/enter", "positive", 200): 1,
        },
    ),
    "everything": Run(
        [],
        300,
        {
            (TOKENS, "positive", 200): 60,
            (TOKENS, "positive", 403): 2,
            (TOKENS, "positive", 401): 1,
            (TOKENS, "negative", 400): 50,
            (TOKENS, "negative", 405): 4,
            (TOKENS, "negative", 415): 1,
            ("GET /api/jitsi/jwt", "positive", 200): 1,
            (DIAGNOSTICS, "positive", 200): 2,
            (DIAGNOSTICS, "negative", 401): 1,
            (PUBLIC_KEY, "positive", 200): 5,
            (PUBLIC_KEY, "positive", 404): 1,
            (PUBLIC_KEY, "negative", 404): 5,
            (PUBLIC_KEYS, "positive", 200): 5,
            (PUBLIC_KEYS, "positive", 304): 1,
            (PUBLIC_KEYS, "negative", 405): 4,
            (PUT, "positive", 200): 5,
            (PUT, "positive", 201): 1,
            (PUT, "negative", 400): 5,
            ("GET /api/visits", "positive", 200): 5,
            ("POST /join/status", "positive", 200): 5,
            ("POST /join/enter", "positive", 200): 1,
            ("HEAD /.well-known/jwks.json", "positive", 200): 5,
        },
    ),
}


def answers_in(report: Path) -> Answers:
    """Count the answers in a report by operation, mode of the request, and status."""
    found: Answers = collections.Counter()
    for line in report.read_text().splitlines():
        recorder: dict[str, Any] = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for name, interaction in recorder.get("interactions", {}).items():
            assert interaction["response"], "a request was left without an answer"
            meta = recorder["cases"][name]["value"]["meta"]
            status = interaction["response"]["status_code"]
            found[recorder["label"], meta["generation"]["mode"], status] += 1
    return found


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(run, id=name, marks=[] if name == "examples" else pytest.mark.slow)
        for name, run in RUNS.items()
    ],
)
def test_the_service_answers_as_the_document_says(
    published: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str], run: Run
) -> None:
    """No server error, no answer outside the document, no wrong request taken for a right one."""
    file = f"{name_of(published.secret_document()['kid'])}.pem"
    settings = (HERE / "schemathesis.toml").read_text().replace("PUBLIC_KEY.pem", file)
    (tmp_path / "schemathesis.toml").write_text(settings)
    report = tmp_path / "report.ndjson"
    visits = Visits(published, published.api_key, "everything")
    link = links_of(visits.put("contract-link"))["patient"]
    visits.join("contract-link")
    visits.put("contract")

    finished = subprocess.run(  # noqa: S603 - of .local
        [
            LOCAL / "schemathesis" / "bin" / "schemathesis",
            *("--config-file", tmp_path / "schemathesis.toml"),
            *("run", ROOT / "docs" / "openapi.yaml", "--no-color"),
            *("--report=ndjson", "--report-ndjson-path", report),
            *run.options,
        ],
        cwd=tmp_path,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(HERE),
            "JITSI_TOKENS_URL": published.stack.url,
            "JITSI_TOKENS_API_KEY": published.api_key,
            "JITSI_TOKENS_LINK": link,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout
    answers = answers_in(report)
    with capsys.disabled():
        print("\n" + finished.stdout[finished.stdout.index("Test cases:") :].partition("\n\n")[0])
        print(finished.stdout.rstrip().rpartition("\n")[2].strip("= "))
        for (operation, mode, status), count in sorted(answers.items()):
            print(f"  {operation}: {count} {mode} -> {status}")
    assert answers.total() >= run.cases
    assert not [status for _, _, status in answers if status >= 500]
    assert {key: answers[key] for key in run.fewest if answers[key] < run.fewest[key]} == {}
    assert published.api_key not in finished.stdout + report.read_text()

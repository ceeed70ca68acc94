"""The examples in the documents, run as a reader would run them."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
import typer
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser
from typer.core import TyperGroup

from jitsi_tokens_cli.main import app
from local_stack.emulator import ROOT
from tests.clients.drop_ins import PYTHON_CLIENT, python
from tests.clients.php_caller import CLIENT, GUZZLE, php, require_guzzle
from tests.stack.service import EVERYTHING

if TYPE_CHECKING:
    from pathlib import Path

    from sybil.example import Example

    from tests.stack.service import Service

pytestmark = pytest.mark.stack

LANGUAGES = ("sh", "json", "php", "python")
# What a block begins with that is not run, and why; `bash -n` reads it all the same.
NOT_RUN = {
    "make run": "it is what was run to get here, and what runs this",
    ". .local/stack.env    # sets the path": "joins the visit of `make run`, in a browser",
    "local_stack/bootstrap": "it is what was run to get here",
    "sam build": "deploys to AWS; tests/stack/test_deployment.py builds and deploys",
    "jitsi-tokens key create": "the stack has a key",
    "jitsi-tokens key stage": "changes the key of the tests that follow",
    "jitsi-tokens key import": "the stack has a key, and the reader's file is not here",
    "jitsi-tokens key rotate": "the emulator rotates nothing; tests/stack/test_rotation.py does",
    "jitsi-tokens client add kiosk": "names an API key that another stack made",
    ".local/venv/bin/python -m local_stack metrics": "tests/stack/test_alarms.py does it",
    "pip install": "changes the Python that runs this",
    "npm install": "changes the reader's application",
    "composer config": "needs Composer, and a project of the reader's",
    "aws cloudtrail": "the emulator has no CloudTrail",
    "aws sts": "needs the AWS CLI, and a sign-in",
    "export AWS_PAGER=": "takes a stack away, with the AWS CLI",
    "of() {": "takes away what a stack leaves, with the AWS CLI",
    "pipx install": "changes the reader's machine",
    "sudo apt-get": "changes the reader's machine",
    "xcode-select": "changes the reader's machine, a Mac",
    "make openemr-module": "tests/clients/test_openemr.py makes it",
}


def examples() -> list[Example]:
    """Return every block of every document that is in one of the languages."""
    sybil = Sybil([CodeBlockParser(name, evaluator=lambda _: None) for name in LANGUAGES])
    documents = [
        *(ROOT / name for name in ("README.md", "SECURITY.md")),
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted((ROOT / "clients").glob("*/README.md")),
    ]
    return [example for document in documents for example in sybil.parse(document).examples()]


def name_of(example: Example) -> str:
    """Return where a block is."""
    return f"{os.path.relpath(example.path, ROOT)}:{example.line}"


def not_run(example: Example) -> str | None:
    """Return why a block is not run; None for one that is."""
    text = str(example.parsed)
    if "<" in text and re.search(r"<[A-Za-z][A-Za-z ]*>", text):
        return "the reader has to put something in"
    return next((why for begin, why in NOT_RUN.items() if text.startswith(begin)), None)


@pytest.fixture(scope="session")
def reader(self_hosted: Service, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Somebody who has run `make run`, and reads on."""
    return Reader(self_hosted, tmp_path_factory.mktemp("reader"))


class Reader:
    """Runs a block in a folder that has what `make run` leaves, and nothing else."""

    def __init__(self, service: Service, folder: Path) -> None:
        api_key = service.add_client("reader", *EVERYTHING, "--feature", "recording")
        self.variables = {
            "JITSI_TOKENS_URL": service.stack.url,
            "JITSI_TOKENS_API_KEY": api_key,
            "JITSI_TOKENS_STACK_NAME": service.stack.name,
        }
        self._environment = {
            **os.environ,
            **service.emulator.environment(),
            **self.variables,
            "PYTHONPATH": str(PYTHON_CLIENT),
        }
        self._commands = service.commands
        self._folder = folder
        lines = [f"export {name}={value}\n" for name, value in self.variables.items()]
        for name in ("autoload.php", "generate-jwt-token.php"):
            (folder / name).symlink_to(CLIENT / name)
        # As Composer would: the client, and where it is there Guzzle.
        (folder / "vendor").mkdir()
        (folder / "vendor" / "autoload.php").write_text(
            f"<?php require '{CLIENT}/autoload.php'; (@include '{GUZZLE}');"
        )
        (folder / ".local").mkdir()
        (folder / ".local" / "stack.env").write_text("".join(lines))

    def shell(self, text: str) -> None:
        """Run a block of shell."""
        path = f"{ROOT / '.local' / 'venv' / 'bin'}:{os.environ['PATH']}"
        finished = subprocess.run(  # noqa: S603 - what our own documents say
            ["bash", "-euo", "pipefail", "-c", text.replace("curl -s ", "curl -fsS ")],  # noqa: S607
            cwd=self._folder,
            env=self._environment | {"PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        for name in re.findall(r"client add ([a-z-]+)", text):
            self._commands.run("client", "revoke", name, "--yes")

    def php_file(self, text: str) -> str:
        """Write a block of PHP where the reader would, and return its name."""
        file = self._folder / "example.php"
        file.write_text(text)
        return str(file)


def check_shell(text: str) -> None:
    """Assert that a block is shell, once the reader has put in what is theirs."""
    filled = re.sub(r"<[A-Za-z][A-Za-z ]*>", "filled", text)
    checked = subprocess.run(["bash", "-n", "-c", filled], capture_output=True, check=False)  # noqa: S603, S607
    assert checked.returncode == 0, checked.stderr
    for command in re.findall(r"^ *(jitsi-tokens [^|\n]*)", filled, re.MULTILINE):
        check_command(shlex.split(command, comments=True))


def check_command(words: list[str]) -> None:
    """Assert that one of our commands exists, and that its options are."""
    names = list(itertools.takewhile(lambda word: re.fullmatch("[a-z-]+", word), words[1:]))[:2]
    group = typer.main.get_command(app)
    for name in names:
        found = group.commands.get(name) if isinstance(group, TyperGroup) else None
        if found is None:
            break
        group = found
    assert not isinstance(group, TyperGroup), words
    options = {option for parameter in group.params for option in parameter.opts}
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    assert asked <= options | {"--help"}, asked - options


@pytest.mark.parametrize("example", examples(), ids=name_of)
def test_an_example_does_what_it_says(example: Example, reader: Reader) -> None:
    """It runs; what cannot be run here is at least of its language."""
    text = str(example.parsed)
    match example.region.lexemes["arguments"]:
        case "json":
            json.loads(text)
        case "sh":
            check_shell(text)
            if not_run(example) is None:
                reader.shell(text)
        case "python":
            compile(text, name_of(example), "exec")
            if not_run(example):
                return
            finished = python("-W", "error", "-c", text, **reader.variables)
            assert finished.returncode == 0, finished.stderr
        case "php" if not_run(example) is None:
            if "GuzzleHttp" in text:
                require_guzzle()
            finished = php(reader.php_file(text), **reader.variables)
            assert finished.returncode == 0, finished.stdout + finished.stderr
            assert not finished.stderr

"""docs/keys.md, held against the code that it tells of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.core import findings
from jitsi_tokens.settings import read_settings
from local_stack.template import read_template

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "keys.md").read_text()
CLI = ROOT / "cli" / "jitsi_tokens_cli"
LAYER = ROOT / "layers" / "jitsi_tokens" / "jitsi_tokens"


def seen() -> list[str]:
    """Return the first column of the table of what an operator sees."""
    table = TEXT.partition("| you see |")[2]
    return re.findall(r"^\| (.*?) \|", table, flags=re.MULTILINE)


def codes_behind(name: str) -> list[str]:
    """Return the codes that a command is said to name."""
    cells = [cell for cell in seen() if cell.startswith(f"`{name}`: `")]
    return [re.findall("`([^`]+)`", cell)[1] for cell in cells]


def sources(files: Iterable[Path]) -> str:
    """Return the code of several modules."""
    return "".join(file.read_text() for file in files)


def test_the_last_token_of_a_key_is_over_when_the_page_says() -> None:
    """By the template's defaults."""
    defaults = {
        re.sub("(?<=[a-z])(?=[A-Z])", "_", name).upper(): str(parameter.get("Default", ""))
        for name, parameter in read_template()["Parameters"].items()
    }
    seconds = read_settings(defaults | {"JAAS_APP_ID": "0" * 32}).key_retention_seconds

    days, rest = divmod(seconds, 24 * 3600)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    assert rest == 0
    told = f"{days} days, {hours} hours and {minutes} minutes"
    assert told in " ".join(TEXT.split())


def test_each_code_of_the_public_keys_has_a_row() -> None:
    """And no row is about a code that there is no more."""
    assert {cell.strip("`") for cell in seen() if re.fullmatch("`[a-z-]+`", cell)} == set(
        findings._TEXTS
    )


@pytest.mark.parametrize(("command", "folder"), [("doctor", "doctor"), ("explain", "token")])
def test_each_check_with_a_row_exists(command: str, folder: str) -> None:
    """Under the name that the command gives it."""
    code = sources((CLI / folder).rglob("*.py"))

    codes = codes_behind(command)
    assert codes
    for name in codes:
        assert f'"{name}"' in code


def test_a_quoted_refusal_is_the_rotations() -> None:
    """Word for word."""
    quoted = [cell.strip('"') for cell in seen() if cell.startswith('"')]

    assert quoted
    for sentence in quoted:
        assert f'"{sentence}"' in (LAYER / "rotation.py").read_text()

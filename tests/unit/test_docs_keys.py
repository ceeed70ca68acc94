"""docs/keys.md, held against the code that it tells of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from jitsi_tokens.core import findings
from jitsi_tokens.settings import read_settings
from local_stack.emulator import ROOT
from local_stack.template import read_template

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "docs" / "keys.md").read_text()
CLI = ROOT / "cli" / "jitsi_tokens_cli"
# The first column of the table of what an operator sees.
SEEN = re.findall(r"^\| (.*?) \|", TEXT.partition("| you see |")[2], flags=re.MULTILINE)


def test_the_last_token_of_a_key_is_over_when_the_page_says() -> None:
    """By the template's defaults."""
    defaults = {
        re.sub("(?<=[a-z])(?=[A-Z])", "_", name).upper(): str(parameter.get("Default", ""))
        for name, parameter in read_template()["Parameters"].items()
    }
    seconds = read_settings(defaults | {"JAAS_APP_ID": "0" * 32}).key_retention_seconds

    minutes, rest = divmod(seconds, 60)
    assert rest == 0
    told = f"{minutes // 1440} days, {minutes // 60 % 24} hours and {minutes % 60} minutes"
    assert told in " ".join(TEXT.split())


def test_each_code_of_the_public_keys_has_a_row() -> None:
    """And no row is about a code that there is no more."""
    codes = {cell.strip("`") for cell in SEEN if re.fullmatch("`[a-z-]+`", cell)}

    assert codes == set(findings._TEXTS)


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("`doctor`: `([^`]+)`", CLI / "doctor"),
        ("`explain`: `([^`]+)`", CLI / "token"),
        ('"(.*)"', ROOT / "layers" / "jitsi_tokens" / "jitsi_tokens"),
    ],
    ids=["doctor", "explain", "rotation"],
)
def test_what_an_operator_is_said_to_see_is_in_the_code(pattern: str, folder: Path) -> None:
    """A check's name, or the sentence with which a rotation fails, word for word."""
    code = "".join(path.read_text() for path in folder.rglob("*.py"))
    told = [found[1] for cell in SEEN if (found := re.match(pattern, cell))]

    assert told
    assert [each for each in told if f'"{each}"' not in code] == []

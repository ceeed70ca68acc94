"""Pages of docs that hold figures: they say what was measured, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks import page

if TYPE_CHECKING:
    from pathlib import Path

PAGES = [page.SCALING, page.PERFORMANCE]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_says_what_was_measured_and_worked_out(path: Path) -> None:
    """Each section stands there, as it would be made now."""
    text = path.read_text()
    made = page.sections()[path]

    assert page.rewritten(text, made) == text
    for name in made:
        assert text.count(f"<!-- begin {name} -->") == 1


def test_a_section_is_made_anew_and_nothing_else() -> None:
    """What stands around it stays."""
    text = "before\n<!-- begin cost -->\nold\n<!-- end cost -->\nafter\n"

    assert page.rewritten(text, {"cost": "new"}) == (
        "before\n<!-- begin cost -->\n\nnew\n\n<!-- end cost -->\nafter\n"
    )

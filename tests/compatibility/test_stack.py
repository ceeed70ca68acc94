"""What a stack's owner and its callers rely on is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from openapi.changes import breaking_changes
from openapi.document import document
from tests.compatibility import written
from tests.compatibility.recordings import RECORDED, Recording, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from tests.compatibility.scene import Scene


def tightened(before: dict[str, Any], now: dict[str, Any]) -> set[str]:
    """Return which rules of a parameter no longer take all that they took, or mean another."""
    changed = {rule for rule in ("Type", "Default") if before.get(rule) != now.get(rule)}
    for rule in ("AllowedPattern", "NoEcho"):
        if rule in now and before.get(rule) != now[rule]:
            changed.add(rule)
    for rule, sign in (("MaxValue", 1), ("MaxLength", 1), ("MinValue", -1), ("MinLength", -1)):
        if rule in now and not (rule in before and sign * now[rule] >= sign * before[rule]):
            changed.add(rule)
    if "AllowedValues" in now:
        taken = before.get("AllowedValues")
        if taken is None or not set(taken) <= set(now["AllowedValues"]):
            changed.add("AllowedValues")
    return changed


@recorded("stack")
def test_every_output_is_there(scene: Scene, recording: Recording) -> None:
    """Other stacks, scripts and the command line read them by name."""
    today = written.stack(scene, recording.given)

    assert set(recording.then["outputs"]) <= set(today["outputs"])


@recorded("stack")
def test_every_parameter_takes_what_it_took(scene: Scene, recording: Recording) -> None:
    """And means the same where nobody gives it; a new one has a default, so that an update works.

    A default that makes an earlier stack another one is a breaking change.
    """
    before = recording.then["parameters"]
    today = written.stack(scene, recording.given)["parameters"]

    assert before.keys() <= today.keys()
    assert {name: found for name in before if (found := tightened(before[name], today[name]))} == {}
    assert {name for name in today.keys() - before.keys() if "Default" not in today[name]} == set()


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"Default": "a"}, {"Default": "b"}),
        ({"Type": "Number"}, {"Type": "String"}),
        ({"MaxValue": 10}, {"MaxValue": 9}),
        ({"MinValue": 1}, {"MinValue": 2}),
        ({}, {"MaxLength": 10}),
        ({"AllowedPattern": "^x"}, {"AllowedPattern": "^y"}),
        ({"AllowedValues": ["a", "b"]}, {"AllowedValues": ["a"]}),
        ({}, {"AllowedValues": ["a"]}),
    ],
)
def test_a_tightened_parameter_is_found(before: dict[str, Any], now: dict[str, Any]) -> None:
    """Each rule, stricter than it was; what is looser is not found."""
    assert tightened(before, now) == now.keys()
    if now.keys() - {"Default", "Type", "AllowedPattern"}:
        assert tightened(now, before) == set()


@pytest.mark.parametrize(
    "path", sorted(RECORDED.glob("*/openapi.yaml")), ids=lambda path: path.parent.name
)
def test_the_contract_breaks_nobody(path: Path) -> None:
    """Of those who wrote a client from an earlier docs/openapi.yaml."""
    assert breaking_changes(yaml.safe_load(path.read_text()), document()) == []

"""A template of CloudFormation, as data."""

from __future__ import annotations

from typing import Any

import yaml

from local_stack.emulator import ROOT


class _TemplateLoader(yaml.SafeLoader):
    """Reads CloudFormation's YAML."""


def _untagged(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode():
            return loader.construct_mapping(node, deep=True)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
        case yaml.ScalarNode():
            return loader.construct_scalar(node)


_TemplateLoader.add_multi_constructor("!", _untagged)


def read_template(name: str = "template.yaml") -> dict[str, Any]:
    """Return a template with CloudFormation's tags dropped."""
    text = (ROOT / name).read_text()
    loaded: dict[str, Any] = yaml.load(text, _TemplateLoader)  # noqa: S506 - a SafeLoader
    return loaded

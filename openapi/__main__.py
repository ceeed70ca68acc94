"""python -m openapi [--check | --compare OLD]: write docs/openapi.yaml, or say what is wrong."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import yaml

from openapi.changes import breaking_changes
from openapi.document import ROOT, document, text

PATH = ROOT / "docs" / "openapi.yaml"


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code: 1 where the document is stale, or breaks what an earlier one said."""
    parser = argparse.ArgumentParser(prog="python -m openapi", description="docs/openapi.yaml")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true", help="only say whether it is stale")
    choice.add_argument(
        "--compare", metavar="OLD", type=Path, help="only say what breaks callers of an earlier one"
    )
    chosen = parser.parse_args(arguments)
    if chosen.compare:
        broken = breaking_changes(yaml.safe_load(chosen.compare.read_text()), document())
        sys.stderr.writelines(f"{sentence}\n" for sentence in broken)
        return int(bool(broken))
    generated = text()
    if not chosen.check:
        PATH.write_text(generated)
        return 0
    if PATH.exists() and PATH.read_text() == generated:
        return 0
    sys.stderr.write("docs/openapi.yaml is stale: run `make openapi`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())

"""python -m openapi [--check]: write docs/openapi.yaml, or say that it is stale."""

from __future__ import annotations

import argparse
import sys

from openapi.document import ROOT, text

PATH = ROOT / "docs" / "openapi.yaml"


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code: 1 where the document is stale."""
    parser = argparse.ArgumentParser(prog="python -m openapi", description="docs/openapi.yaml")
    parser.add_argument("--check", action="store_true", help="only say whether it is stale")
    chosen = parser.parse_args(arguments)
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

"""python -m openapi: write docs/openapi.yaml."""

from openapi.document import ROOT, text

if __name__ == "__main__":
    (ROOT / "docs" / "openapi.yaml").write_text(text())

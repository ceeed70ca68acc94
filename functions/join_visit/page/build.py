"""Makes the page one file: `build.py <file>`, run by the Makefile."""

import json
import sys
from pathlib import Path


def main() -> None:
    """Write the page."""
    Path(sys.argv[1]).write_text(page(Path(__file__).parent), encoding="utf-8")


def page(folder: Path) -> str:
    """Return index.html with the style, the script, and a catalogue a language in it."""
    catalogues = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "languages").glob("*.json"))
    }
    text = json.dumps(catalogues, ensure_ascii=False, separators=(",", ":"))
    style = (folder / "page.css").read_text(encoding="utf-8")
    script = (folder / "page.js").read_text(encoding="utf-8")
    languages = '<script type="application/json" id="languages">'
    parts = {
        '<link rel="stylesheet" href="page.css">': f"<style>{style}</style>",
        '<script src="page.js"></script>': f"<script>{script}</script>",
        f"{languages}</script>": f"{languages}{text.replace('<', '\\u003c')}</script>",
    }
    html = (folder / "index.html").read_text(encoding="utf-8")
    for tag, whole in parts.items():
        if html.count(tag) != 1:
            sys.exit(f"index.html must have this once: {tag}")
        html = html.replace(tag, whole)
    return html


if __name__ == "__main__":
    main()

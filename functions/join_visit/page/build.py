"""Makes the page one file: `build.py <file>`, run by the Makefile."""

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> None:
    """Write index.html with the style, the script, and a catalogue a language in it."""
    catalogues = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((FOLDER / "languages").glob("*.json"))
    }
    text = json.dumps(catalogues, ensure_ascii=False, separators=(",", ":"))
    languages = '<script type="application/json" id="languages">'
    parts = {
        '<link rel="stylesheet" href="page.css">': f"<style>{read('page.css')}</style>",
        '<script src="page.js"></script>': f"<script>{read('page.js')}</script>",
        f"{languages}</script>": f"{languages}{text.replace('<', '\\u003c')}</script>",
    }
    html = read("index.html")
    for tag, whole in parts.items():
        if html.count(tag) != 1:
            sys.exit(f"index.html must have this once: {tag}")
        html = html.replace(tag, whole)
    Path(sys.argv[1]).write_text(html, encoding="utf-8")


def read(name: str) -> str:
    """Return one of the page's files."""
    return (FOLDER / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    main()

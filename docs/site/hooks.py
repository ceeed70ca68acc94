"""MkDocs, for pages that GitHub shows too: their files, their links, and the API reference."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import yaml
from mkdocs.structure.files import File
from mkdocs.utils import get_relative_url
from pymdownx.superfences import fence_code_format

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_ROOT = Path(__file__).parents[2]
_FILES = ("*.md", "docs/*.*", "docs/pictures/*", "docs/site/site.*", "clients/*/README.md")
_MERMAID = _ROOT / ".local/npm/node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
_LINK = re.compile(r"\[((?:!\[[^\]]*\]\([^)]*\)|[^\[\]])*)\]\(([^()#:\s]+)\)")
_ITEM = re.compile(r"(?:[-*+]|\d+\.) +")
_BADGE_OF_THE_HOST = re.compile(r"^\[!\[.*\]\(\.\./\.\./actions/.*\n", re.MULTILINE)


def on_config(config: MkDocsConfig) -> None:
    """Draw diagrams; without npm they are shown as text."""
    if _MERMAID.is_file():
        fence = {"name": "mermaid", "class": "mermaid", "format": fence_code_format}
        config.mdx_configs["pymdownx.superfences"] = {"custom_fences": [fence]}


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Take pages from the whole repository: a page's path is the one GitHub shows."""
    for file in [each for each in files if each.src_dir == config.docs_dir]:
        files.remove(file)
    paths = [(path, _ROOT) for pattern in _FILES for path in _ROOT.glob(pattern)]
    if _MERMAID.is_file():
        paths.append((_MERMAID, _MERMAID.parent))
    for path, root in paths:
        name = path.relative_to(root).as_posix()
        files.append(File(name, str(root), config.site_dir, use_directory_urls=False))
    files.append(File.generated(config, "docs/openapi.md", content=_api_reference()))


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links to files outside the site to the repository; without its URL, remove them."""
    folder = posixpath.dirname(page.file.src_uri)

    def link(match: re.Match[str]) -> str:
        text, target = match.groups()
        path = posixpath.normpath(posixpath.join(folder, target))
        if path == "docs/openapi.yaml" and page.file.src_uri != "docs/openapi.md":
            return f"[{text}]({target.removesuffix('yaml')}md)"
        if files.get_file_from_path(path) or not (_ROOT / path).exists():
            return match[0]
        return f"[{text}]({config.repo_url}/blob/main/{path})" if config.repo_url else text

    return _LINK.sub(link, _BADGE_OF_THE_HOST.sub("", _with_wide_lists(markdown)))


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Load Mermaid on pages with diagrams, and from this site."""
    if 'class="mermaid"' not in html:
        return html
    return f'{html}<script src="{get_relative_url(_MERMAID.name, page.url)}"></script>'


def on_post_page(output: str, **_: Any) -> str:
    """Stop Material from asking GitHub for the repository's stars."""
    return output.replace(' data-md-component="source"', "")


def _with_wide_lists(markdown: str) -> str:
    """Indent what belongs to a list item by four columns, as MkDocs needs; GitHub needs fewer."""
    lines: list[str] = []
    columns: list[int] = []
    in_code = after_blank = False
    for line in markdown.split("\n"):
        text = line.lstrip(" ")
        column = len(line) - len(text)
        while text and not in_code and columns and column < columns[-1]:
            columns.pop()
        item = None if in_code else _ITEM.match(text)
        if item and after_blank:
            lines.append("")
        inner = column - columns[-1] if columns else column
        lines.append(" " * (4 * len(columns) + inner) + text if text else "")
        if item:
            columns.append(column + item.end())
        after_blank = bool(columns) and not item and (after_blank or not text)
        in_code ^= text.startswith("```")
    return "\n".join(lines)


def _api_reference() -> str:
    api = yaml.safe_load((_ROOT / "docs/openapi.yaml").read_text())

    def resolved(node: Any) -> Any:
        if isinstance(node, list):
            return [resolved(each) for each in node]
        if not isinstance(node, dict):
            return node
        kind, name = node.get("$ref", "schemas/").split("/")[-2:]
        if kind != "schemas":
            return resolved(api["components"][kind][name])
        return {key: resolved(value) for key, value in node.items()}

    templates = jinja2.Environment(  # noqa: S701 - it makes Markdown
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.ChainableUndefined
    )
    templates.filters["pretty"] = lambda value: json.dumps(value, indent=2, ensure_ascii=False)
    template = (_ROOT / "docs/site/openapi.md.jinja").read_text()
    return str(templates.from_string(template).render(api=resolved(api)))

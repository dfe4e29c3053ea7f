"""Pages of the standard library as text, JSON, Markdown and HTML.

Guarantees: every format tells the same; whatever a source says is escaped in HTML.
"""

from __future__ import annotations

import html
import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import asdict

from ztosc.library.page import Entry, Page

FORMATS = ("text", "json", "markdown", "html")
COLUMNS = 100


def listing(found: Sequence[Page], form: str) -> str:
    """All modules, with what each is about."""
    if form == "json":
        return json.dumps({"schema": 1, "modules": [_json(page, page.entries) for page in found]}, indent=2, ensure_ascii=False)
    if form == "text":
        width = max(len(page.name) for page in found)
        return "\n".join(f"{page.name:<{width}}  {_first(page)}" for page in found)
    return render([(page, page.entries) for page in found], form)


def render(found: Sequence[tuple[Page, Sequence[Entry]]], form: str) -> str:
    """Modules with the entries that are asked for."""
    match form:
        case "json":
            return json.dumps({"schema": 1, "modules": [_json(page, entries) for page, entries in found]}, indent=2, ensure_ascii=False)
        case "markdown":
            return "\n".join(_markdown(page, entries) for page, entries in found).rstrip()
        case "html":
            return _html(found)
        case _:
            return "\n\n".join(_text(page, entries) for page, entries in found)


def _first(page: Page) -> str:
    """The first sentence about a module."""
    return page.doc.split(". ")[0].removesuffix(".") + "."


def _json(page: Page, entries: Sequence[Entry]) -> dict[str, object]:
    return {"name": page.name, "doc": page.doc, "imports": page.imports, "entries": [asdict(entry) for entry in entries]}


def _text(page: Page, entries: Sequence[Entry]) -> str:
    whole = len(entries) == len(page.entries)
    parts = [f"{page.name}\n\n{textwrap.fill(page.doc, COLUMNS)}"] if whole else []
    return "\n\n".join([*parts, *(_entry(entry) for entry in entries)])


def _entry(entry: Entry) -> str:
    lines = [entry.signature]
    lines += [textwrap.indent(textwrap.fill(part, COLUMNS - 4), "    ") for part in entry.doc.split("\n\n") if part]
    if entry.gives:
        lines += ["    gives", *(f"      {each}" for each in entry.gives)]
    return "\n".join(lines)


def _markdown(page: Page, entries: Sequence[Entry]) -> str:
    parts = [f"# {page.name}", page.doc, *([f"Imports {', '.join(f'`{each}`' for each in page.imports)}."] if page.imports else [])]
    for entry in entries:
        parts += [f"## {entry.kind} `{entry.name}`", entry.doc, f"```ztos\n{entry.signature}\n```"]
        parts += ["A use gives:\n\n" + "\n".join(f"- `{each}`" for each in entry.gives)] if entry.gives else []
    return "\n\n".join(part for part in parts if part) + "\n"


def _html(found: Sequence[tuple[Page, Sequence[Entry]]]) -> str:
    title = found[0][0].name if len(found) == 1 else "The standard library"
    body = "\n".join(_section(page, entries) for page, entries in found)
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{body}\n</body></html>'


STYLE = "body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto}pre,code{background:#f3f3f3}pre{padding:.5em;overflow:auto}"


def _section(page: Page, entries: Sequence[Entry]) -> str:
    parts = [f'<h1 id="{html.escape(page.name)}">{html.escape(page.name)}</h1>', f"<p>{_inline(page.doc)}</p>"]
    for entry in entries:
        anchor = html.escape(f"{page.name}.{entry.name}")
        parts.append(f'<h2 id="{anchor}">{entry.kind} <code>{html.escape(entry.name)}</code></h2>')
        parts += [f"<p>{_inline(part)}</p>" for part in entry.doc.split("\n\n") if part]
        parts.append(f"<pre>{html.escape(entry.signature)}</pre>")
        if entry.gives:
            parts.append("<ul>" + "".join(f"<li><code>{html.escape(each)}</code></li>" for each in entry.gives) + "</ul>")
    return "\n".join(parts)


def _inline(text: str) -> str:
    """Escaped, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))

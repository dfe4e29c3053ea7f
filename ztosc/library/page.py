"""Modules of the standard library to pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ztosc.diagnostics import Report
from ztosc.resources import stdlib_file, stdlib_files
from ztosc.source import Source
from ztosc.syntax import ast, parse

WIDTH = 100
"""A signature that is longer has a line for each parameter."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a module declares."""

    kind: str
    name: str
    signature: str
    doc: str
    gives: tuple[str, ...] = ()
    """What a use of a template declares, each as `kind name`."""


@dataclass(frozen=True, slots=True)
class Page:
    """One module: the comment at its top, the modules it imports, what it declares."""

    name: str
    doc: str
    imports: tuple[str, ...]
    entries: tuple[Entry, ...]


def pages() -> tuple[Page, ...]:
    """Every module, by name."""
    return tuple(page(path.stem) for path in stdlib_files())


def page(module: str) -> Page:
    """One module, by its name without `std.`. Raises `ResourceNotFoundError` where there is none."""
    text = stdlib_file(module).read_text(encoding="utf-8")
    parsed = parse(Source(f"std/{module}.ztos", text), Report())
    imports = tuple(each.target.text for each in parsed.statements if isinstance(each, ast.Import))
    return Page(f"std.{module}", _head(text), imports, tuple(_entries(parsed)))


def find(wanted: str) -> tuple[Page, Entry | None] | None:
    """The page of `std.MODULE`, `MODULE`, and the entry of `MODULE.NAME`; a name alone where one module has it."""
    plain = wanted.removeprefix("std.")
    known = pages()
    for each in known:
        module = each.name.removeprefix("std.")
        if plain == module:
            return each, None
        inside = [entry for entry in each.entries if plain == f"{module}.{entry.name}"]
        if inside:
            return each, inside[0]
    named = [(each, entry) for each in known for entry in each.entries if entry.name == plain]
    return named[0] if len(named) == 1 else None


def _head(text: str) -> str:
    """The comment at the top of a file, as one paragraph."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#") or line.startswith("##"):
            break
        lines.append(line.lstrip("# ").strip())
    return " ".join(lines)


def _entries(module: ast.Module) -> Iterator[Entry]:
    for statement in module.statements:
        match statement:
            case ast.Template():
                gives = tuple(dict.fromkeys(_given(statement.body)))
                yield Entry("template", statement.name.text, _template(statement), _joined(statement.doc), gives)
            case ast.Declaration() | ast.Group() | ast.Profile():
                kind = statement.kind if isinstance(statement, ast.Declaration) else type(statement).__name__.lower()
                yield Entry(kind, statement.name.text, _written(module.source, statement), _joined(statement.doc))
            case _:
                pass


def _template(template: ast.Template) -> str:
    parameters = [_parameter(each) for each in template.parameters]
    short = f"template {template.name.text}({', '.join(parameters)})"
    return short if len(short) <= WIDTH else f"template {template.name.text}(\n  " + ",\n  ".join(parameters) + "\n)"


def _parameter(parameter: ast.Parameter) -> str:
    typed = f": {parameter.type.text}" if parameter.type else ""
    return f"{parameter.name.text}{typed}" + (f" = {parameter.default.text}" if parameter.default else "")


def _given(body: tuple[ast.Statement, ...]) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.Declaration(kind="link"):
                yield "link " + " -- ".join(word.text for word in statement.head)
            case ast.Declaration():
                yield f"{statement.kind} {statement.name.text}"
                yield from _given(tuple(item for item in statement.items if isinstance(item, ast.Declaration)))
            case ast.New():
                yield f"new {statement.template.text}"
            case ast.PolicyRule():
                yield f"{statement.effect} {_listed(statement.subjects)} to {_listed(statement.targets)}"
            case ast.Assertion():
                yield f"assert {statement.text}"
            case _:
                pass


def _listed(words: tuple[ast.Word, ...]) -> str:
    return ", ".join(word.text for word in words)


def _written(source: Source, statement: ast.Declaration | ast.Group | ast.Profile) -> str:
    span = statement.span
    text = source.text[source.offset(span.line, span.column) : source.offset(span.end_line, span.end_column)]
    return text if "\n" not in text or statement.span.end_line - span.line > 1 else re.sub(r"\s+", " ", text)


def _joined(doc: str) -> str:
    """Documentation as paragraphs: an empty line stays, a line end does not."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n[ \t]*\n", doc) if part.strip())

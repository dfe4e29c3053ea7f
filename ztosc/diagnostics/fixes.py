"""Fixes: a repair as edits of the sources, which an editor or a program can apply.

Guarantees: a fix is a value and changes nothing by itself; `apply` is pure and never lets two edits touch the same text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ztosc.source import Source, Span

BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` in the place of a span; an empty span inserts, an empty text deletes."""

    span: Span
    text: str

    def to_json(self) -> dict[str, Any]:
        """The form that `--format json` promises (docs/cli.md)."""
        return {**place(self.span), "text": self.text}


@dataclass(frozen=True, slots=True)
class Fix:
    """One repair: what it does, in a few words, and its edits."""

    title: str
    edits: tuple[Edit, ...]

    def to_json(self) -> dict[str, Any]:
        """The form that `--format json` promises (docs/cli.md)."""
        return {"title": self.title, "edits": [edit.to_json() for edit in self.edits]}


def place(span: Span | None) -> dict[str, Any]:
    """A span as JSON shows it, flat; nulls where there is none."""
    if span is None:
        return {"file": None, "line": None, "column": None, "end_line": None, "end_column": None}
    return {"file": span.file, "line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def replace(span: Span, text: str | None) -> tuple[Fix, ...]:
    """The fix that puts a text in the place of a span; none where there is no text to put there."""
    return (Fix(f"replace by `{text}`", (Edit(span, text),)),) if text else ()


def delete(span: Span, what: str) -> tuple[Fix, ...]:
    """The fix that takes a span out."""
    return (Fix(f"delete {what}", (Edit(span, ""),)),)


def insert(span: Span, text: str, title: str) -> tuple[Fix, ...]:
    """The fix that puts a text in front of a span."""
    return (Fix(title, (Edit(Span(span.file, span.line, span.column, span.line, span.column), text),)),)


def import_line(file: str, module: str) -> tuple[Fix, ...]:
    """The fix that imports a module at the top of a file."""
    return insert(Span(file, 1, 1, 1, 1), f"import {module}\n", f"add `import {module}`")


def apply(edits: Sequence[Edit], text: str) -> str:
    """The text of one file with edits made; insertions at one place in the order given. Raises `ValueError` where edits overlap.

    A byte order mark stays in front of everything.
    """
    source = Source("", text)
    ranges = [(source.offset(each.span.line, each.span.column), source.offset(each.span.end_line, each.span.end_column)) for each in edits]
    first = 1 if text.startswith(BOM) else 0
    done, position = [], 0
    for (start, end), edit in sorted(zip(ranges, edits, strict=True), key=lambda each: each[0]):
        if start < position or end < start:
            raise ValueError("the edits of a fix overlap")
        start = max(start, first)
        done += [text[position:start], edit.text]
        position = max(end, start)
    return "".join([*done, text[position:]])

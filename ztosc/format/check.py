"""The net below the formatter: what it made must mean the same and say the same.

Guarantees: shares no code with what lays out; a text passes only if it parses to the same tree without a mistake, and its characters
outside of texts and comments, blanks and `;` left out, and its comments between them, are the same in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from ztosc.diagnostics import Report
from ztosc.source import Span
from ztosc.syntax import ast, parse
from ztosc.syntax.decode import decode

WORDS = re.compile(r'"(?:\\.|[^"\\\n])*"|#[^\n]*|[^\s;]')


class NotTheSame(Exception):
    """A text that would not mean the same when formatted: a bug of ours. The text says what differs."""


def check_same(module: ast.Module, after: str) -> None:
    """Compare a parsed text with what it was formatted to. Raises `NotTheSame`."""
    name, before = module.source.name, module.source.text
    report = Report()
    source = decode(name, after.encode(), report)
    formatted = parse(source, report) if source is not None else None
    if formatted is None or report.failed:
        raise NotTheSame("its canonical form would have a mistake: " + "; ".join(item.message for item in report.items[:3]))
    if list(_essence(before)) != list(_essence(after)):
        raise NotTheSame("its canonical form would lose or move a word or a comment")
    if not _alike(module.statements, formatted.statements):
        raise NotTheSame("its canonical form would mean something else")


def _essence(text: str) -> Iterator[str]:
    for found in WORDS.finditer(text):
        yield found.group().rstrip()


def _alike(one: Any, other: Any) -> bool:
    """Whether two trees are equal but for places, and for the blanks in a claim that is quoted as it was written."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Span):
        return True
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, ast.Assertion):
        quoted = "".join(one.text.split()) == "".join(other.text.split())
        return quoted and _fields_alike(one, other, skip="text")
    return _fields_alike(one, other) if is_dataclass(one) else bool(one == other)


def _fields_alike(one: Any, other: Any, skip: str = "") -> bool:
    return all(_alike(getattr(one, field.name), getattr(other, field.name)) for field in fields(one) if field.name != skip)

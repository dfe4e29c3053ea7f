"""Diagnostics for a terminal: the sentence, the line it is about, the other half, the way out.

Guarantees: no byte of a source or a file name reaches the terminal as a control sequence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from ztosc.diagnostics.model import Diagnostic, Severity
from ztosc.source import Source, Span

Paint = Callable[[str, str], str]
"""Gives a text a colour by name; the identity where there is none."""

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""What a terminal obeys, what changes the order of reading or cannot be seen, and what UTF-8 cannot say."""
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}
WIDTH = 160


def plain(text: str, colour: str) -> str:
    """No colour."""
    return text


def safe(text: str) -> str:
    """Text without anything that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text  # as nearly all of it is
    return CONTROL.sub(lambda found: f"\\x{ord(found.group()):02x}", text)


def one_line(text: str) -> str:
    """`safe`, on one line."""
    return safe(text).replace("\n", "\\x0a").replace("\t", "\\x09")


def render(items: Iterable[Diagnostic], sources: Mapping[str, Source], paint: Paint = plain) -> str:
    """All diagnostics, an empty line between them."""
    return "\n\n".join(_diagnostic(item, sources, paint) for item in items)


def _diagnostic(item: Diagnostic, sources: Mapping[str, Source], paint: Paint) -> str:
    colour = COLOURS[item.severity]
    lines = [f"{paint(f'{item.severity}[{item.code}]', colour)}: {safe(item.message)}"]
    gutter = max([len(str(span.line)) for span in [item.span, *(label.span for label in item.related)] if span], default=1)
    if item.span is not None:
        lines += _snippet(item.span, item.label, sources, gutter, lambda text: paint(text, colour), "^")
    for label in item.related:
        lines += _snippet(label.span, label.message, sources, gutter, lambda text: paint(text, "blue"), "-")
    if item.help:
        lines.append(f"{' ' * gutter} = {paint('help', 'cyan')}: {safe(item.help)}")
    return "\n".join(lines)


def _snippet(span: Span, label: str, sources: Mapping[str, Source], gutter: int, colour: Callable[[str], str], mark: str) -> list[str]:
    lines = [f"{' ' * gutter} ┌─ {one_line(span.file)}:{span.line}:{span.column}"]
    source = sources.get(span.file)
    if source is None:
        return [*lines, f"{' ' * gutter} │ {safe(label)}"] if label else lines
    text, start = _cut(source.line(span.line), span.column - 1)
    end = span.end_column - 1 if span.end_line == span.line else len(source.line(span.line))
    length = max(min(end - (span.column - 1), WIDTH - start, len(text) - start), 1)
    lines.append(f"{span.line:>{gutter}} │ {safe(text).replace(chr(9), ' ')}")
    lines.append(f"{' ' * gutter} │ {' ' * start}{colour(mark * length)}{' ' + safe(label) if label else ''}")
    return lines


def _cut(line: str, column: int) -> tuple[str, int]:
    """A part of a long line that shows the column, and the column within it."""
    if len(line) <= WIDTH:
        return line, column
    start = max(column - 40, 0)
    return "…" + line[start : start + WIDTH - 1], column - start + 1

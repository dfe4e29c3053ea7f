"""Bytes to text that the rest can rely on: UTF-8, no control or bidirectional characters, no endless lines.

Guarantees: never fails; what is wrong is reported and blanked, position for position, so that every later span is true.
"""

from __future__ import annotations

import re

from ztosc.diagnostics import Report
from ztosc.diagnostics.fixes import delete
from ztosc.source import Source

MAX_LINE = 4096
"""The longest line that is read, in code points."""

BOM = "\ufeff"
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
LONG = re.compile(rf"[^\n]{{{MAX_LINE + 1},}}")


def decode(name: str, data: bytes, report: Report) -> Source | None:
    """The text of a file, or nothing where it is no text at all."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _not_text(name, data, error.start, report)
        return None
    if "\0" in text:
        _not_text(name, data, data.index(0), report)
        return None
    text = " " + text[1:] if text.startswith(BOM) else text
    return _without_hidden(_without_long_lines(Source(name, text), report), report)


def _not_text(name: str, data: bytes, position: int, report: Report) -> None:
    before = Source(name, data[:position].decode("utf-8", errors="replace"))
    span = before.span(len(before.text), len(before.text))
    report.error(
        "ZT101",
        f"`{name}` is not UTF-8 text",
        span,
        label=f"byte {position} (0x{data[position]:02x}) does not belong to any text",
        help="save the file as UTF-8, or take it out of the project",
    )


def _without_long_lines(source: Source, report: Report) -> Source:
    text = source.text
    if len(max(text.split("\n"), key=len)) <= MAX_LINE:
        return source
    for found in LONG.finditer(source.text):
        report.error(
            "ZT108",
            f"this line of `{source.name}` has {found.end() - found.start()} characters",
            source.span(found.start(), found.start() + 1),
            label=f"lines end after at most {MAX_LINE}",
            help="break it into one statement a line",
        )
        text = text[: found.start()] + " " * (found.end() - found.start()) + text[found.end() :]
    return Source(source.name, text)


def _without_hidden(source: Source, report: Report) -> Source:
    for found in HIDDEN.finditer(source.text):
        report.error(
            "ZT102",
            f"the character U+{ord(found.group()):04X} is invisible or changes the order of reading",
            source.span(found.start(), found.end()),
            help="delete it: what a reader cannot see must not decide a policy",
            fixes=delete(source.span(found.start(), found.end()), "the character"),
        )
    return Source(source.name, HIDDEN.sub(" ", source.text))

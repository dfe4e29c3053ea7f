"""A text to its canonical form."""

from __future__ import annotations

from ztosc.diagnostics import Report
from ztosc.format.check import check_same
from ztosc.format.columns import Drawn, align_blocks, align_remarks
from ztosc.format.lines import WIDTH, Line, draw
from ztosc.format.tokens import tokens_of
from ztosc.format.tree import Block, Piece, Remark, Statement, read
from ztosc.source import Source
from ztosc.syntax import parse
from ztosc.syntax.decode import MAX_LINE

__all__ = ["WIDTH", "format_text", "laid_out"]


def format_text(source: Source, report: Report) -> str | None:
    """The canonical form of a text, or nothing where the report has an error. Raises `NotTheSame`, which is our bug."""
    found = Report()
    module = parse(source, found)
    if not found.failed:
        text = laid_out(source.text)
        _check_lines(source, text, found)
        if not found.failed and text != source.text:
            check_same(module, text)
    report.items += found.items
    return None if found.failed else text


def laid_out(text: str) -> str:
    """The layout alone, of a text whose brackets and quotes have their partners."""
    return "".join(f"{line}\n" for line in align_remarks(_entries(read(tokens_of(text)), 0)))


def _check_lines(source: Source, text: str, report: Report) -> None:
    longest = max(map(len, text.split("\n")), default=0)
    if longest > MAX_LINE:
        message = f"a line of `{source.name}` would have {longest} characters in canonical form"
        report.error(
            "ZT108",
            message,
            source.span(0, 0),
            label=f"lines end after at most {MAX_LINE}",
            help="put long lists in `[ ]`, and shorten texts",
        )


def _entries(entries: list[Statement | Remark], indent: int) -> list[Line]:
    """The lines of the statements and comments of a file or block."""
    drawn: list[tuple[Statement | Remark, list[Line]]] = []
    runs: list[Drawn | None] = []
    for entry in entries:
        lines = draw(entry, indent, _block) if isinstance(entry, Statement) else [Line(indent, "", entry.text)]
        runs += [None] if entry.blank or isinstance(entry, Remark) else []
        runs += [(entry, lines)] if isinstance(entry, Statement) else []
        drawn.append((entry, lines))
    align_blocks(runs)
    _part_clauses(drawn)
    found: list[Line] = []
    for place, (entry, lines) in enumerate(drawn):
        found += [*([Line(0, "")] if entry.blank and place else []), *lines]
    return found


def _block(block: Block, indent: int) -> list[Line]:
    return _entries(block.entries, indent)


def _part_clauses(drawn: list[tuple[Statement | Remark, list[Line]]]) -> None:
    """A statement that starts with a clause word would continue the one before, so that one keeps its `;`."""
    last: list[Line] | None = None
    for entry, lines in drawn:
        if isinstance(entry, Statement):
            first = entry.elements[0]
            if last is not None and isinstance(first, Piece) and first.clause:
                last[-1].code += ";"
            last = lines

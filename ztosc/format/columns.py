"""Columns: declarations below each other, and the comments behind lines.

Guarantees: what is aligned with what follows from the statements and their comments alone, never from the blanks between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ztosc.format.lines import WIDTH, Line, inline, is_major
from ztosc.format.tree import Block, Element, Piece, Statement

Drawn = tuple[Statement, list[Line]]


def align_blocks(drawn: Sequence[Drawn | None]) -> None:
    """Align neighbours that are one line each, open with the same words and end in a block; `None` parts what stands around it."""
    run: list[Drawn] = []
    for each in drawn:
        key = _key(each)
        if run and (key is None or key != _key(run[-1])):
            _align(run)
            run = []
        if each is not None and key is not None:
            run.append(each)
    _align(run)


def _key(drawn: Drawn | None) -> tuple[str, ...] | None:
    """The first word and the clause words of a statement that can be part of a run."""
    if drawn is None or len(drawn[1]) != 1:
        return None
    elements = drawn[0].elements
    if not isinstance(elements[-1], Block) or any(isinstance(each, Block) for each in elements[:-1]):
        return None
    return tuple(each.text for start in _cuts(elements) if isinstance(each := elements[start], Piece))


def _cuts(elements: Sequence[Element]) -> list[int]:
    return [0, *(index for index in range(1, len(elements) - 1) if is_major(elements, index))]


def _align(run: Sequence[Drawn]) -> None:
    if len(run) < 2:
        return
    table = [_cells(statement) for statement, _ in run]
    widths = [max(map(len, column)) for column in list(zip(*table, strict=True))[:-1]]
    codes = ["".join(f"{cell:<{width}} " for cell, width in zip(row, widths, strict=False)) + row[-1] for row in table]
    if all(lines[0].indent + len(code) <= WIDTH for code, (_, lines) in zip(codes, run, strict=True)):
        for code, (_, lines) in zip(codes, run, strict=True):
            lines[0].code = code


def _cells(statement: Statement) -> list[str]:
    """The clauses of a header, and the block."""
    elements = statement.elements
    cuts = [*_cuts(elements), len(elements) - 1, len(elements)]
    return [inline(elements[start:end]) for start, end in pairwise(cuts)]


def align_remarks(lines: Sequence[Line]) -> list[str]:
    """The text of lines; comments behind neighbours of one indentation stand below each other, two blanks behind the longest."""
    texts: list[str] = []
    place = 0
    while place < len(lines):
        end = place + 1
        if _aligns(lines[place]):
            while end < len(lines) and _aligns(lines[end]) and lines[end].indent == lines[place].indent:
                end += 1
        texts += _texts(lines[place:end])
        place = end
    return texts


def _has_remark(line: Line) -> bool:
    return bool(line.code and line.remark)


def _aligns(line: Line) -> bool:
    """Whether a comment may stand below its neighbours': what opens or closes a block or bracket keeps it to itself."""
    return _has_remark(line) and line.code[0] not in "})]" and line.code[-1] not in "{(["


def _texts(run: Sequence[Line]) -> list[str]:
    widest = max(len(line.code) for line in run)
    column = widest if run[0].indent + widest <= WIDTH else 0
    return [" " * line.indent + (f"{line.code:<{column}}  {line.remark}" if _has_remark(line) else line.code + line.remark) for line in run]

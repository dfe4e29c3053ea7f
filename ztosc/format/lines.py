"""One statement to lines.

Guarantees: what an author wrote on several lines stays so, what does not fit is broken where a line end means nothing, and laying
out the result again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ztosc.format.tokens import LINKS
from ztosc.format.tree import Block, Bracket, Element, Piece, Remark, Statement
from ztosc.syntax.layout import CLAUSE_WORDS

WIDTH = 140
"""The columns that code may fill. Comments may be longer, and so may what cannot be broken."""

STEP = 2
MINOR = frozenset(["and", "or", "except"])
"""Clause words that stay on the line of their clause where it fits."""


@dataclass(slots=True)
class Line:
    """A line of the result. `part` says which part of its statement it belongs to; the lines of a block belong to none."""

    indent: int
    code: str
    remark: str = ""
    part: int | None = None

    @property
    def width(self) -> int:
        """The columns of its code."""
        return self.indent + len(self.code)


Body = Callable[[Block, int], list[Line]]
"""Draws the statements of a block at an indentation."""


def inline(elements: Sequence[Element]) -> str:
    """Elements on one line."""
    text, before = "", None
    for element in elements:
        text += gap(before, element, inside=False) + _flat(element)
        before = element
    return text


def gap(before: Element | None, element: Element, inside: bool) -> str:
    """What stands between two neighbours on a line."""
    if before is None or (isinstance(element, Bracket) and element.hugs):
        return ""
    if isinstance(element, Piece):
        if element.kind == "comma" or (inside and element.kind == "colon"):
            return ""
        odd = element.kind == "other" or (isinstance(before, Piece) and before.kind == "other")
        return "" if odd and element.glued else " "
    odd = isinstance(before, Piece) and before.kind == "other"
    return "" if odd and isinstance(element, Bracket) and element.glued else " "


def _flat(element: Element) -> str:
    match element:
        case Bracket():
            text, before = "", None
            for each in element.inside:
                text += gap(before, each, inside=True) + _flat(each)
                before = each
            pad = " " if element.opener == "{" and text else ""
            return f"{element.opener}{pad}{text}{pad}{element.closer}"
        case Block():
            inner = "; ".join(inline(entry.elements) for entry in element.entries if isinstance(entry, Statement))
            return f"{{ {inner} }}" if inner else "{ }"
        case _:
            return element.text


def is_major(elements: Sequence[Element], index: int) -> bool:
    """Whether a clause of its own starts here."""
    return _is_clause(elements, index) and _word(elements[index]) not in MINOR


def _is_minor(elements: Sequence[Element], index: int) -> bool:
    return _is_clause(elements, index) and _word(elements[index]) in MINOR and not _is_pair(elements, index)


def _is_clause(elements: Sequence[Element], index: int) -> bool:
    """A clause word where it is hardly a name: neither the second word, nor behind what wants a value."""
    element = elements[index]
    if index < 2 or not isinstance(element, Piece) or not element.clause:
        return False
    before = elements[index - 1]
    return not isinstance(before, Piece) or (before.kind not in ("operator", "comma", "colon", "other") and before.text not in LINKS)


def _is_pair(elements: Sequence[Element], index: int) -> bool:
    """The `and` of `between 06:00 and 20:00`."""
    return index >= 2 and _word(elements[index - 2]) == "between"


def _word(element: Element) -> str:
    return element.text if isinstance(element, Piece) and element.kind == "word" else ""


def draw(statement: Statement, indent: int, body: Body) -> list[Line]:
    """The lines of a statement: as its author broke it and, where that does not fit, broken further until it does."""
    forced: set[int] = set()
    while True:
        starts = _starts(statement.elements, forced)
        lines = _drawn(statement.elements, starts, indent, body)
        long = {line.part for line in lines if line.part is not None and line.width > WIDTH}
        widened = [_widen(statement.elements, starts, part, forced) for part in sorted(long)]
        if not any(widened):
            break
    lines[-1].remark = statement.remark or lines[-1].remark
    return lines


def _starts(elements: Sequence[Element], forced: set[int]) -> list[int]:
    """Where the parts of a statement begin, each on a line of its own."""
    starts = [0]
    for index in range(1, len(elements)):
        element = elements[index]
        must = isinstance(elements[index - 1], Remark) or (isinstance(element, Remark) and element.own)
        wanted = isinstance(element, Piece) and element.broken and not _is_pair(elements, index)
        if must or wanted or index in forced or (len(starts) > 1 and is_major(elements, index)):
            starts.append(index)
    return starts


def _widen(elements: Sequence[Element], starts: list[int], part: int, forced: set[int]) -> bool:
    """Break what does not fit once more: its block, its clauses, its guard, its longest list."""
    first, end = starts[part], starts[part + 1] if part + 1 < len(starts) else len(elements)
    blocks = [each for each in elements[first:end] if isinstance(each, Block) and not each.open and each.entries]
    for block in blocks:
        block.open = True
    if blocks:
        return True
    for wanted in (is_major, _is_minor):
        found = {index for index in range(first + 1, end) if wanted(elements, index)}
        if found:
            forced |= found
            return True
    return _open_longest(elements[first:end])


def _open_longest(elements: Sequence[Element]) -> bool:
    closed = [each for each in elements if isinstance(each, Bracket) and not each.open and each.inside]
    if not closed:
        return False
    longest = max(closed, key=lambda each: len(_flat(each)))
    longest.open = True
    for element in longest.inside:
        element.broken = False
    return True


def _drawn(elements: Sequence[Element], starts: list[int], indent: int, body: Body) -> list[Line]:
    lines: list[Line] = []
    depths = _depths(elements, starts)
    for part, (start, end) in enumerate(zip(starts, [*starts[1:], len(elements)], strict=True)):
        rows = _row(elements[start:end], indent + depths[part], body, inside=False)
        for row in rows:
            row.part = None if row.part == NESTED else part
        lines += rows
    return lines


NESTED = -1
"""The mark of a line that belongs to a block inside."""


def _depths(elements: Sequence[Element], starts: list[int]) -> list[int]:
    """How far each part is indented: clauses one step, what continues a clause one more; comments as what they precede."""
    depths: list[int] = []
    clause = 0
    for start in starts:
        if start and isinstance(elements[start], Piece):
            minor = _word(elements[start]) in MINOR
            clause = clause if minor else STEP
            depths.append(clause + STEP if minor else clause)
        else:
            depths.append(0 if start == 0 else -1)
    for index in range(len(depths) - 2, -1, -1):
        depths[index] = depths[index + 1] if depths[index] < 0 else depths[index]
    return depths


def _row(elements: Sequence[Element], indent: int, body: Body, inside: bool) -> list[Line]:
    """Elements on one line, but for the blocks and brackets in it that go over several."""
    lines = [Line(indent, "")]
    before: Element | None = None
    for element in elements:
        line = lines[-1]
        if isinstance(element, Remark):
            line.remark = element.text
        elif isinstance(element, Block) and element.open:
            line.code += gap(before, element, inside) + "{"
            line.remark = element.remark
            inner = body(element, indent + STEP)
            for each in inner:
                each.part = NESTED
            lines += [*inner, Line(indent, "}")]
        elif isinstance(element, Bracket) and element.open:
            line.code += gap(before, element, inside) + element.opener
            lines += [*_inside(element, lines, indent + STEP, body), Line(indent, element.closer)]
        else:
            line.code += gap(before, element, inside) + _flat(element)
        before = element
    return lines


def _inside(bracket: Bracket, lines: list[Line], indent: int, body: Body) -> list[Line]:
    """The lines within a bracket. A comment right behind the opener stays there."""
    elements: list[Element] = list(bracket.inside)
    if isinstance(elements[0], Remark) and not elements[0].own:
        lines[-1].remark = elements.pop(0).text  # type: ignore[union-attr]
    found: list[Line] = []
    for row in _rows(elements):
        for fitting in _fitted(row, indent, body):
            found += _row(fitting, indent, body, inside=True)
    return found


def _rows(elements: Sequence[Element]) -> list[list[Element]]:
    """The lines that the author wrote inside a bracket; none begins with a comma."""
    rows: list[list[Element]] = []
    for index, element in enumerate(elements):
        after_remark = index > 0 and isinstance(elements[index - 1], Remark)
        hangs = isinstance(element, Piece) and element.kind in ("comma", "colon")
        own = element.own if isinstance(element, Remark) else element.broken and not hangs
        if not rows or after_remark or own:
            rows.append([])
        rows[-1].append(element)
    return rows


def _fitted(row: list[Element], indent: int, body: Body) -> list[list[Element]]:
    """A row, cut behind commas and before clause words where it is too long; a bracket in it that is too long alone is opened."""
    if all(line.width <= WIDTH for line in _row(row, indent, body, inside=True)):
        return [row]
    fitted: list[list[Element]] = []
    for unit in _units(row):
        if fitted and indent + len(_flat_row([*fitted[-1], *unit])) <= WIDTH:
            fitted[-1] += unit
        else:
            fitted.append(unit)
    for each in fitted:
        while any(line.width > WIDTH for line in _row(each, indent, body, inside=True)) and _open_longest(each):
            pass
    return fitted


def _flat_row(elements: Sequence[Element]) -> str:
    text, before = "", None
    for element in elements:
        text += gap(before, element, inside=True) + ("" if isinstance(element, Remark) else _flat(element))
        before = element
    return text


def _units(row: list[Element]) -> list[list[Element]]:
    units: list[list[Element]] = []
    for element in row:
        last = units[-1][-1] if units else None
        comma = isinstance(last, Piece) and last.kind == "comma"
        clause = isinstance(element, Piece) and element.text in CLAUSE_WORDS and not _wants(last)
        if last is None or ((comma or clause) and not isinstance(element, Remark)):
            units.append([])
        units[-1].append(element)
    return units


def _wants(element: Element | None) -> bool:
    """Whether a value belongs behind this."""
    return isinstance(element, Piece) and (element.kind in ("operator", "colon", "other") or element.text in LINKS)

"""One file held in memory, statement by statement, and what an edit of it touches.

Guarantees: after `File.edit` the statements, their places and the mistakes of layout and syntax are those of reading the whole text
anew; the statements that an edit does not touch are the same objects as before.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ztosc.diagnostics import Diagnostic, Report
from ztosc.semantics.moving import Shifts, moved
from ztosc.source import Source, Span
from ztosc.syntax import ast
from ztosc.syntax.cut import WORD_ENDS, cut, lay_out
from ztosc.syntax.layout import STATEMENT_WORDS, Chunk, opens_more, repair
from ztosc.syntax.letters import foreign
from ztosc.syntax.parse import parse_pieces

STATEMENT = re.compile(rf"(?:{'|'.join(sorted(STATEMENT_WORDS))}){WORD_ENDS}")
NESTED = re.compile(rf"\n{STATEMENT.pattern}")


@dataclass(slots=True, eq=False)
class Item:
    """A statement with all that is known of it: its text, its mistakes, what binding it gave, and the names that this asked for."""

    text: str
    raw: str
    """The text as written, where that is another."""
    docs: tuple[tuple[int, str], ...]
    whole: bool
    """Whether no mistake of layout lies in it."""
    statement: ast.Statement | None
    found: tuple[Diagnostic, ...]
    age: int
    """How many shifts the places of all this know of."""
    nested: bool = False
    """Whether a line within it looks like the start of a statement."""
    bucket: str = ""
    values: tuple[Any, ...] = ()
    told: tuple[Diagnostic, ...] = ()
    uses: frozenset[str] = frozenset()


@dataclass(slots=True)
class Change:
    """What an edit replaced: the statements that are gone, those that came, and which lines moved by how many."""

    gone: list[Item]
    came: list[Item]
    first: int
    by: int


@dataclass(slots=True, eq=False)
class File:
    """One file: its text, its statements in order and where each starts."""

    source: Source
    shifts: Shifts
    decoded: tuple[Diagnostic, ...] = ()
    """What was wrong with its bytes."""
    layout: tuple[Diagnostic, ...] = ()
    items: list[Item] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def read(self) -> None:
        """Read all of it."""
        chunks = self._lay_out(self.source)
        self.items = _items(self.source, chunks, self.shifts.now)
        self.starts = [chunk.start for chunk in chunks]

    def _lay_out(self, source: Source) -> Sequence[Chunk]:
        report = Report()
        chunks = lay_out(source, report)
        self.layout = tuple(report.items)
        return chunks

    def edit(self, edit: Edit, source: Source) -> Change:
        """Go over to another text. The shift of lines is for the caller to tell `shifts`."""
        around = self._around(edit, source)
        if around is None:
            around = 0, len(self.items), self._lay_out(source)
        first, last, chunks = around
        first, last, chunks = self._trim(edit, source, first, last, chunks)
        came = _items(source, chunks, self.shifts.now)
        gone = self.items[first:last]
        self.items[first:last] = came
        self.starts = [*self.starts[:first], *[chunk.start for chunk in chunks], *[start + edit.by for start in self.starts[last:]]]
        lines = source.text.count("\n", edit.start, edit.end + edit.by) - self.source.text.count("\n", edit.start, edit.end)
        line = self.source.position(edit.end)[0] + 1
        self.source = source
        return Change(gone, came, line, lines)

    def _around(self, edit: Edit, source: Source) -> tuple[int, int, Sequence[Chunk]] | None:
        """Cut what stands around an edit, from a whole statement before it to one that begins on a line after it."""
        first = max(bisect.bisect_right(self.starts, edit.start) - 2, 0)
        start = self.starts[first] if self.starts and self.starts[first] <= edit.start and first else 0
        first = first if start else 0
        line = self.source.text.find("\n", edit.end)
        last = bisect.bisect_right(self.starts, line) if line >= 0 else len(self.items)
        end = len(source.text)
        if last < len(self.items):
            end = self.starts[last] + len(self.items[last].text) + edit.by
        after = last < len(self.items)
        if not all(start <= self.source.offset(*place) < end - edit.by for place in self._mistakes()):
            return None
        chunks, found = self._cut(source, start, end)
        if chunks is None:
            return None
        if any("never closed" in item.message for item in found) and not self._ends_all(first, last, source.text[start:end]):
            return None
        if after and not (chunks and start + chunks[-1].start == self.starts[last] + edit.by and chunks[-1].text == self.items[last].text):
            return None
        if after and chunks[-1].broken:
            return None
        self.layout = found
        placed = [_at(chunk, start) for chunk in chunks]
        if start and placed and placed[0].start == start:  # its documentation stands before what was cut
            above = tuple(each for each in self.items[first].docs if each[0] == 0)
            placed[0] = replace(placed[0], docs=(*above, *placed[0].docs))
        return first, last + after, placed

    def _mistakes(self) -> Iterator[tuple[int, int]]:
        """Where the layout is mistaken."""
        for item in self.layout:
            if item.span is not None:
                yield item.span.line, item.span.column

    def _ends_all(self, first: int, last: int, piece: str) -> bool:
        """Whether the statement after a piece ends what is open in it, and no other line elsewhere is mistaken for such a statement."""
        if any(item.nested for items in (self.items[:first], self.items[last:]) for item in items):
            return False
        if last == len(self.items):
            return True
        opens = opens_more(Source("", piece)) and STATEMENT.match(self.items[last].text) is not None
        return opens and self.source.text[self.starts[last] - 1] == "\n"

    def _cut(self, source: Source, start: int, end: int) -> tuple[Sequence[Chunk] | None, tuple[Diagnostic, ...]]:
        """Cut a piece that begins and ends with a whole statement, by itself; nothing where it has to be read with all the rest."""
        piece = source.text[start:end]
        if foreign(piece):
            return None, ()
        chunks = cut(piece)
        if chunks is not None:
            return chunks, ()
        report = Report()
        mended = repair(Source(source.name, piece), report)
        if any(item.code == "ZT109" for item in report.items):
            return None, ()
        line, column = source.position(start)

        def move(span: Span) -> Span:
            begin = span.column + (column - 1 if span.line == 1 else 0)
            end = span.end_column + (column - 1 if span.end_line == 1 else 0)
            return Span(span.file, span.line + line - 1, begin, span.end_line + line - 1, end)

        return mended, moved(tuple(report.items), move)

    def _trim(self, edit: Edit, source: Source, first: int, last: int, chunks: Sequence[Chunk]) -> tuple[int, int, Sequence[Chunk]]:
        """Leave out the statements at both ends that are as they were."""
        low, high = 0, len(chunks)
        while low < high and first < last and self._same(first, source, chunks[low], 0) and chunks[low].end <= edit.start:
            low, first = low + 1, first + 1
        line = self.source.text.find("\n", edit.end)
        while low < high and first < last and 0 <= line < self.starts[last - 1] and self._same(last - 1, source, chunks[high - 1], edit.by):
            high, last = high - 1, last - 1
        return first, last, chunks[low:high]

    def _same(self, index: int, source: Source, chunk: Chunk, by: int) -> bool:
        item = self.items[index]
        same = item.whole and not chunk.broken and item.text == chunk.text and item.docs == chunk.docs
        return same and chunk.start == self.starts[index] + by and item.raw == _raw(source, chunk)

    def like(self, before: File) -> None:
        """Read all of it, with what an older reading of the file knows of the same statements."""
        known = {
            (item.text, item.raw, item.docs): (item, start) for item, start in zip(before.items, before.starts, strict=True) if item.whole
        }
        chunks = self._lay_out(self.source)
        missing: list[Chunk] = []
        items: list[Item | None] = []
        for chunk in chunks:
            item, start = known.get((chunk.text, _raw(self.source, chunk), chunk.docs), (None, 0))
            again = (
                None if item is None or chunk.broken else _again(item, before, start, self.source.position(chunk.start), self.shifts.now)
            )
            items.append(again)
            missing.extend([] if again else [chunk])
        fresh = iter(_items(self.source, missing, self.shifts.now))
        self.items = [item or next(fresh) for item in items]
        self.starts = [chunk.start for chunk in chunks]


def _again(item: Item, before: File, start: int, place: tuple[int, int], age: int) -> Item | None:
    """A statement that stands elsewhere now; nothing where it begins in another column."""
    line, column = before.source.position(start)
    if column != place[1]:
        return None
    by = place[0] - line
    if not by and item.age == before.shifts.now:
        return Item(item.text, item.raw, item.docs, True, item.statement, item.found, age, item.nested)

    def move(span: Span) -> Span:
        now = before.shifts.span(span, item.age)
        return Span(now.file, now.line + by, now.column, now.end_line + by, now.end_column)

    statement, found = moved(item.statement, move), moved(item.found, move)
    return Item(item.text, item.raw, item.docs, True, statement, found, age, item.nested)


def _at(chunk: Chunk, start: int) -> Chunk:
    """A statement of a piece as one of the text that the piece starts in."""
    return replace(chunk, start=start + chunk.start, broken_at=frozenset(place + start for place in chunk.broken_at))


def _raw(source: Source, chunk: Chunk) -> str:
    raw = source.text[chunk.start : chunk.end]
    return "" if raw == chunk.text else raw


def _items(source: Source, chunks: Sequence[Chunk], age: int) -> list[Item]:
    items: list[Item] = []
    for piece in parse_pieces(source, chunks):
        chunk = piece.chunk
        raw = _raw(source, chunk)
        nested = NESTED.search(raw or chunk.text) is not None
        items.append(Item(chunk.text, raw, chunk.docs, not chunk.broken, piece.statement, piece.found, age, nested))
    return items


@dataclass(frozen=True, slots=True)
class Edit:
    """The piece of the old text that another one took the place of, and by how much that is longer."""

    start: int
    end: int
    by: int

    @staticmethod
    def between(old: str, new: str) -> Edit:
        """The smallest piece that tells two texts apart."""
        room = min(len(old), len(new))
        start = _agree(old, new, room)
        rest = room - start
        tail = _agree_backwards(old, new, rest)
        return Edit(start, len(old) - tail, len(new) - len(old))

    def lines(self, new: str) -> str:
        """The lines of the new text that the edit touched."""
        end = new.find("\n", self.end + self.by)
        return new[new.rfind("\n", 0, self.start) + 1 : end if end >= 0 else len(new)]


def _agree(left: str, right: str, room: int) -> int:
    """How many characters two texts begin with in common; compares halves, which costs what comparing strings costs."""
    low, high = 0, room
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left[low:middle] == right[low:middle] else (low, middle - 1)
    return low


def _agree_backwards(left: str, right: str, room: int) -> int:
    low, high = 0, room
    while low < high:
        middle = (low + high + 1) // 2
        same = left[len(left) - middle : len(left) - low] == right[len(right) - middle : len(right) - low]
        low, high = (middle, high) if same else (low, middle - 1)
    return low

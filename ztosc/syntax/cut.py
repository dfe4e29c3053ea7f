"""Where statements begin and end, before the grammar sees them.

Guarantees: those of `layout`, and the same statements as it finds; a text that may have a mistake of layout in it is left to it. A
statement depends on its own text and on the line after it alone, so what stands around an edit can be cut by itself (`recut`).
"""

from __future__ import annotations

import re

from ztosc.diagnostics import Report
from ztosc.source import Source
from ztosc.syntax.layout import CLAUSE_WORDS, CLOSER, DANGLING, MAX_DEPTH, NONE, Chunk, repair
from ztosc.syntax.letters import plain

MARKS = re.compile(
    r'"(?:\\.|[^"\\\n])*"|\$\{[a-z][a-z0-9-]*\}|\n(?:[ \t\r\f\n]+|\#[^\n]*)*+|\#[^\n]*(?:\n(?:[ \t\r\f\n]+|\#[^\n]*)*+)?|["{}()\[\];]'
)
"""Whatever decides where a statement ends: brackets, texts and holes that may hold some, and the gaps between lines, comments and all."""
COMMENT = re.compile(r"\#[^\n]*")
BREAK = re.compile(r"\n|\#[^\n]*")
WORD_ENDS = r"(?![A-Za-z0-9_.:/-]|\$\{[a-z][a-z0-9-]*\})"
CONTINUES = re.compile(rf"(?:{'|'.join(sorted(CLAUSE_WORDS))}){WORD_ENDS}|from{WORD_ENDS}[ \t\r\f]*[0-9]{{4}}-")
BLANKS = " \t\r\f"
LOOSE = tuple(sorted(DANGLING))
WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:/-")


def lay_out(source: Source, report: Report) -> tuple[Chunk, ...]:
    """Cut a file into statements."""
    text = plain(source, report)
    clean = cut(text)
    return clean if clean is not None else repair(Source(source.name, text), report)


def cut(text: str) -> tuple[Chunk, ...] | None:
    """The statements of a text; nothing where its layout may be mistaken."""
    cutting = _Cutting(text)
    return tuple(cutting.chunks) if cutting.run() else None


class _Cutting:
    def __init__(self, text: str) -> None:
        self._text = text
        self.chunks: list[Chunk] = []
        self._begin = 0
        """Where the statement that is being read may begin."""
        self._changes: list[tuple[int, int, str]] = []
        """What is blanked within it."""
        self._docs: list[tuple[int, str]] = []
        self._brace = -1
        """Where the last `}` stands that closed a block."""

    def run(self) -> bool:
        """Cut all of it; false where something is odd."""
        text = self._text
        stack: list[str] = []
        for found in MARKS.finditer(text):
            at = found.start()
            mark = text[at]
            if mark == "\n" or mark == "#":
                if not self._gap(at, found.end(), stack):
                    return False
            elif mark == ";":
                if stack and stack[-1] != "}":
                    return False
                if not stack:
                    self._end(at, at + 1)
            elif mark == '"':
                if found.end() == at + 1:
                    return False
            elif mark in CLOSER:
                stack.append(CLOSER[mark])
                if len(stack) > MAX_DEPTH:
                    return False
            elif mark != "$":
                if not stack or stack.pop() != mark:
                    return False
                self._brace = at if mark == "}" else self._brace
        self._end(len(text), len(text))
        return not stack

    def _gap(self, start: int, end: int, stack: list[str]) -> bool:
        """A comment, or what stands between a line and the next one that says something."""
        text = self._text
        gap = text[start:end]
        if "##" in gap:
            self._document(gap, start, end)
        joined = ")" in stack or "]" in stack or CONTINUES.match(text, end) is not None
        if joined or "\n" not in gap:
            self._changes.append((start, end, BREAK.sub(lambda found: " " * len(found.group()), gap)))
        elif end < len(text) and self._may_dangle(start):
            return False
        elif not stack:
            self._end(start, end)
        elif "#" in gap:
            self._changes.append((start, end, COMMENT.sub(lambda found: " " * len(found.group()), gap)))
        return True

    def _may_dangle(self, end: int) -> bool:
        text = self._text
        while end and text[end - 1] in BLANKS:
            end -= 1
        for word in LOOSE:
            if text.endswith(word, 0, end):
                before = end - len(word)
                return word == "," or before == 0 or text[before - 1] not in WORD
        return False

    def _document(self, gap: str, start: int, end: int) -> None:
        before = start
        while before and self._text[before - 1] in BLANKS:
            before -= 1
        last = self._text[before - 1] if before else "\n"
        opens = last in "\n{;" or before - 1 == self._brace
        lines = [
            comment.group()[2:].strip()
            for comment in COMMENT.finditer(gap)
            if comment.group().startswith("##") and (comment.start() > 0 or opens)
        ]
        if lines:
            self._docs.append((end, "\n".join(lines).strip()))

    def _end(self, at: int, after: int) -> None:
        """Close the statement that ends before an offset; the next one begins after another."""
        begin, text = self._begin, self._text[self._begin : at]
        for start, end, blank in reversed(self._changes):
            text = text[: start - begin] + blank + text[end - begin :]
        solid = text.lstrip(" \t\r\f\n")
        start = begin + len(text) - len(solid)
        if solid:
            docs = tuple((offset - start, said) for offset, said in self._docs if start <= offset < at)
            self.chunks.append(Chunk(start, solid.rstrip(" \t\r\f\n"), NONE, docs))
        self._begin, self._changes = after, []
        self._docs = [each for each in self._docs if each[0] >= at]

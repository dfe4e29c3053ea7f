"""Text to `ast.Module`, whatever the text.

Guarantees: never raises for any input; a mistake costs its own line: the rest of its block and of the file is read as usual, and
a declaration whose header is broken still declares its name.
"""

from __future__ import annotations

import re

from lark.exceptions import UnexpectedInput

from ztosc.diagnostics import Report
from ztosc.source import Source
from ztosc.syntax import ast
from ztosc.syntax.build import Builder
from ztosc.syntax.errors import report_unexpected
from ztosc.syntax.grammar import parser
from ztosc.syntax.layout import Chunk, lay_out, split_block
from ztosc.syntax.words import ITEMS

FIRST_WORDS = re.compile(r"(?:break-glass\s+)?([a-z][a-z0-9-]*)\s+([a-z][a-z0-9.-]*)")
DECLARING = (frozenset(ITEMS) - {"allow", "deny", "test"}) | {"group", "template", "partner"}
"""Words that a declared name follows."""


def parse(source: Source, report: Report) -> ast.Module:
    """Parse one file; what could not be read is in the report."""
    layout = lay_out(source, report)
    reader = _Reader(source, layout.docs, report)
    statements = [item for chunk in layout.chunks for item in reader.read(chunk, "statement")]
    return ast.Module(source, tuple(item for item in statements if isinstance(item, ast.Statement)))


class _Reader:
    def __init__(self, source: Source, docs: dict[int, str], report: Report) -> None:
        self._source, self._docs, self._report = source, docs, report

    def read(self, chunk: Chunk, start: str) -> list[ast.Item]:
        """The item a chunk holds; from a broken one, whatever can be saved."""
        try:
            tree = parser().parse(chunk.text, start=start)
        except UnexpectedInput as error:
            return self._recover(chunk, start, error)
        built = Builder(self._source, chunk.start, self._docs).transform(tree)
        return [built]

    def _recover(self, chunk: Chunk, start: str, error: UnexpectedInput) -> list[ast.Item]:
        split = split_block(chunk)
        keyword = re.match(r"[a-z-]*", chunk.text)
        kind = keyword.group() if keyword else ""
        if split is None or kind not in ITEMS:
            self._tell(chunk, start, error)
            return self._named(chunk, ())
        return self._recover_block(chunk, *split, kind, start)

    def _recover_block(self, chunk: Chunk, header: Chunk, inner: list[Chunk], kind: str, start: str) -> list[ast.Item]:
        items = [item for each in inner for item in self.read(each, ITEMS[kind])]
        try:
            built = Builder(self._source, header.start, self._docs).transform(parser().parse(header.text, start=start))
        except UnexpectedInput as error:
            self._tell(header, start, error)
            return self._named(chunk, tuple(items))
        return [self._with_items(built, tuple(items), chunk)]

    def _with_items(self, built: ast.Item, items: tuple[ast.Item, ...], chunk: Chunk) -> ast.Item:
        span = self._source.span(chunk.start, chunk.end)
        match built:
            case ast.Declaration():
                inside = tuple(item for item in items if isinstance(item, ast.Clause | ast.Attach | ast.Declaration))
                return ast.Declaration(built.kind, built.name, built.head, inside, span, built.type, built.doc, broken=True)
            case ast.PolicyRule():
                clauses = (*built.clauses, *(item for item in items if isinstance(item, ast.Clause)))
                return ast.PolicyRule(built.effect, built.subjects, built.targets, clauses, span, built.doc)
            case ast.Test():
                given = tuple(item for item in items if isinstance(item, ast.Given))
                return ast.Test(built.name, given, tuple(item for item in items if isinstance(item, ast.Expect)), span)
            case _:
                return built

    def _named(self, chunk: Chunk, items: tuple[ast.Item, ...]) -> list[ast.Item]:
        """A declaration of the name that stands after a declaring keyword, so that its uses are not mistakes too."""
        found = FIRST_WORDS.match(chunk.text)
        if found is None or found.group(1) not in DECLARING:
            return []
        start = chunk.start + found.start(2)
        name = ast.Word("NAME", found.group(2), self._source.span(start, start + len(found.group(2))))
        span = self._source.span(chunk.start, chunk.end)
        inside = tuple(item for item in items if isinstance(item, ast.Clause | ast.Attach | ast.Declaration))
        return [ast.Declaration(found.group(1), name, (), inside, span, broken=True)]

    def _tell(self, chunk: Chunk, start: str, error: UnexpectedInput) -> None:
        if not chunk.broken:
            where = "statement" if start == "statement" else f"`{start.removesuffix('_item')}`"
            report_unexpected(error, self._source, chunk, where, self._report)

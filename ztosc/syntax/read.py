"""One statement's text to its tree, whatever the text.

Guarantees: never raises for any input; a mistake costs its own line: the rest of its block is read as usual, and a declaration whose
header is broken still declares its name. One statement is read at a time, also by several threads.
"""

from __future__ import annotations

import re
from dataclasses import replace
from threading import Lock
from typing import cast

from lark.exceptions import UnexpectedInput

from ztosc.diagnostics import Report, near
from ztosc.source import Source
from ztosc.syntax import ast
from ztosc.syntax.errors import report_unexpected
from ztosc.syntax.grammar import WORDS, builder, parser
from ztosc.syntax.layout import STATEMENT_WORDS, TOKENS, Chunk, split_block
from ztosc.syntax.words import ITEMS

ONE_AT_A_TIME = Lock()
FIRST_WORDS = re.compile(r"(?:break-glass\s+)?([a-z][a-z0-9-]*)\s+([a-z][a-z0-9.-]*)")
DECLARING = (frozenset(ITEMS) - {"allow", "deny", "test", "quarantine", "comply", "waive", "accept", "control"}) | {"group", "bloc"}
"""Words that a declared name follows."""


def _meant(word: str) -> str:
    """The word that opens a statement, where one is misspelt: then what it declares is still known."""
    return word if word in STATEMENT_WORDS else near(word, DECLARING) or word


class Reader:
    """Reads the statements of one source; what could not be read is in the report."""

    def __init__(self, source: Source, report: Report) -> None:
        self._source, self._report = source, report
        self._inside = 0
        """How many templates deep the reading of a broken one is."""
        self.words: list[tuple[int, int]] = []
        """Where the tokens of what was parsed last begin and end."""

    def statement(self, chunk: Chunk) -> ast.Statement | None:
        """The statement of a chunk; nothing where no part of it could be read."""
        return next((item for item in self.read(chunk, "statement") if isinstance(item, ast.Statement)), None)

    def read(self, chunk: Chunk, start: str) -> list[ast.Item]:
        """The item a chunk holds; from a broken one, whatever can be saved."""
        if "${" in chunk.text and start == "statement" and not self._inside:
            self._holes(chunk)
        try:
            return [self._parse(chunk, start)]
        except UnexpectedInput as error:
            return self._recover(chunk, start, error)

    def _parse(self, chunk: Chunk, start: str) -> ast.Item:
        with ONE_AT_A_TIME:
            builder().begin(self._source, chunk.start, len(chunk.text), dict(chunk.docs))
            WORDS.clear()
            built = cast("ast.Item", parser().parse(chunk.text, start=start))
            self.words = list(WORDS)
            return built

    def _holes(self, chunk: Chunk) -> None:
        """Refuse `${…}` outside of a template: nothing would ever stand in its place."""
        if chunk.text.startswith("template"):
            return
        for word in TOKENS.finditer(chunk.text):
            if word.lastgroup == "word" and "${" in word.group():
                span = self._source.span(chunk.start + word.start(), chunk.start + word.end())
                help_ = "write the name itself, or move the statement into a `template`"
                self._report.error("ZT216", f"`{word.group()}` stands outside of a template", span, help=help_)

    def _recover(self, chunk: Chunk, start: str, error: UnexpectedInput) -> list[ast.Item]:
        split = split_block(chunk)
        keyword = re.match(r"[a-z-]*", chunk.text)
        kind = _meant(keyword.group() if keyword else "")
        if split is None or kind not in ITEMS:
            self._tell(chunk, start, error)
            return self._named(chunk, ())
        return self._recover_block(chunk, *split, kind, start)

    def _recover_block(self, chunk: Chunk, header: Chunk, inner: list[Chunk], kind: str, start: str) -> list[ast.Item]:
        self._inside += kind == "template"
        items = [item for each in inner for item in self.read(each, ITEMS[kind])]
        self._inside -= kind == "template"
        try:
            built = self._parse(header, start)
        except UnexpectedInput as error:
            self._tell(header, start, error)
            return self._named(chunk, tuple(items))
        return [self._with_items(built, tuple(items), chunk)]

    def _with_items(self, built: ast.Item, items: tuple[ast.Item, ...], chunk: Chunk) -> ast.Item:
        span = self._source.span(chunk.start, chunk.end)
        clauses = tuple(item for item in items if isinstance(item, ast.Clause))
        match built:
            case ast.Declaration():
                inside = (*built.items, *(item for item in items if isinstance(item, ast.Clause | ast.Attach | ast.Declaration)))
                return replace(built, items=inside, span=span, broken=True)
            case ast.PolicyRule() | ast.Quarantine() | ast.Comply() | ast.Waive() | ast.Accept():
                return replace(built, clauses=(*built.clauses, *clauses), span=span)
            case ast.Test():
                given = tuple(item for item in items if isinstance(item, ast.Given))
                expects = tuple(item for item in items if isinstance(item, ast.Expect))
                return replace(built, given=given, expects=expects, span=span, broken=True)
            case ast.Template():
                return replace(built, body=tuple(item for item in items if isinstance(item, ast.Statement)), span=span, broken=True)
            case ast.Profile():
                controls = tuple(item for item in items if isinstance(item, ast.Control))
                return replace(built, controls=controls, clauses=clauses, span=span, broken=True)
            case ast.Control():
                each = tuple(item for item in items if isinstance(item, ast.Each))
                return replace(built, each=each, clauses=clauses, span=span)
            case _:
                return built

    def _named(self, chunk: Chunk, items: tuple[ast.Item, ...]) -> list[ast.Item]:
        """A declaration of the name that stands after a declaring keyword, so that its uses are not mistakes too."""
        found = FIRST_WORDS.match(chunk.text)
        kind = _meant(found.group(1)) if found else ""
        if found is None or kind not in DECLARING:
            return []
        start = chunk.start + found.start(2)
        name = ast.Word("NAME", found.group(2), self._source.span(start, start + len(found.group(2))))
        span = self._source.span(chunk.start, chunk.end)
        if kind == "template":
            return [ast.Template(name, (), (), span, broken=True)]
        if kind == "profile":
            return [ast.Profile(name, (), tuple(item for item in items if isinstance(item, ast.Control)), (), span, broken=True)]
        if kind == "group":
            return [ast.Group(name, (), (), span, broken=True)]
        inside = tuple(item for item in items if isinstance(item, ast.Clause | ast.Attach | ast.Declaration))
        return [ast.Declaration(kind, name, (), inside, span, broken=True)]

    def _tell(self, chunk: Chunk, start: str, error: UnexpectedInput) -> None:
        if not chunk.broken:
            where = "statement" if start == "statement" else f"`{start.removesuffix('_item')}`"
            report_unexpected(error, self._source, chunk, where, self._report)

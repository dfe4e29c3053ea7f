"""Text to `ast.Module`, whatever the text.

Guarantees: never raises for any input; a mistake costs its own line. Where every statement is found in a cache, the grammar is not loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ztosc.collector import uncollected
from ztosc.diagnostics import Diagnostic, Report
from ztosc.source import Source
from ztosc.syntax import ast
from ztosc.syntax.cut import lay_out
from ztosc.syntax.layout import Chunk
from ztosc.syntax.stored import Cache, Stored


@dataclass(slots=True)
class Piece:
    """A statement's text, the statement (nothing where it could not be read at all), and what was wrong with it."""

    chunk: Chunk
    statement: ast.Statement | None
    found: tuple[Diagnostic, ...] = ()


def parse(source: Source, report: Report, cache: Cache | None = None) -> ast.Module:
    """Parse one file; what could not be read is in the report."""
    pieces = parse_pieces(source, lay_out(source, report), cache)
    report.items.extend(item for piece in pieces for item in piece.found)
    return ast.Module(source, tuple(piece.statement for piece in pieces if piece.statement is not None))


def parse_pieces(source: Source, chunks: Iterable[Chunk], cache: Cache | None = None) -> list[Piece]:
    """Parse the statements of a file, each by itself."""
    stored = Stored(source, cache)
    with uncollected():
        pieces = [_piece(source, chunk, stored) for chunk in chunks]
    stored.close()
    return pieces


def _piece(source: Source, chunk: Chunk, stored: Stored) -> Piece:
    known = stored.statement(chunk)
    if known is not None:
        return Piece(chunk, known)
    from ztosc.syntax.read import Reader  # loads lark, which a run that finds every shape in a cache does without

    report = Report()
    reader = Reader(source, report)
    statement = reader.statement(chunk)
    if statement is not None and not report.items and not chunk.broken:
        stored.keep(chunk, statement, reader.words)
    return Piece(chunk, statement, tuple(report.items))

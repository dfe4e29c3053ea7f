"""Text to `ast.Module`, whatever the text.

Guarantees: never raises for any input; a mistake costs its own line. Where every statement is found in a cache, the grammar is not loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ztosc.diagnostics import Diagnostic, Report
from ztosc.source import Source
from ztosc.syntax import ast
from ztosc.syntax.cut import lay_out
from ztosc.syntax.layout import Chunk
from ztosc.syntax.stored import Cache, Stored, uncollected


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
    if cache is None:
        return _parsed(source, chunks)
    stored = Stored(source, tuple(chunks), cache)
    with uncollected():
        pieces = [Piece(chunk, stored.statement(chunk)) for chunk in stored.chunks]
    missing = [index for index, piece in enumerate(pieces) if piece.statement is None]
    for index, piece in zip(missing, _parsed(source, [stored.chunks[index] for index in missing]), strict=True):
        pieces[index] = piece
    with uncollected():
        stored.keep((piece.chunk, piece.statement) for piece in (pieces[index] for index in missing) if piece.statement and not piece.found)
    return pieces


def _parsed(source: Source, chunks: Iterable[Chunk]) -> list[Piece]:
    pieces: list[Piece] = []
    for chunk in chunks:
        from ztosc.syntax.read import Reader  # loads lark, which a run that finds everything in a cache does without

        report = Report()
        statement = Reader(source, report).statement(chunk)
        pieces.append(Piece(chunk, statement, tuple(report.items)))
    return pieces

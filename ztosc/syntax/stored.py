"""Statements of a shape that was parsed before, in this run or an earlier one.

Guarantees: an entry is bytes of JSON that can say only which node of the AST covers which words of a statement; whatever does not fit the
table of nodes to the last field is no entry, and the statement is parsed. Only what was parsed without a mistake, and into the words of its
shape, is kept. What an entry gives is the same tree that parsing gives, for each statement of the shape, wherever it stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Protocol, cast

from ztosc import __version__
from ztosc.resources import grammar_file
from ztosc.source import Source
from ztosc.syntax import ast
from ztosc.syntax.coding import Maker, Misfit, Reading, decode_statement, encode_statement
from ztosc.syntax.layout import Chunk
from ztosc.syntax.shape import Shape, Shapes

DIGEST = 32


class Cache(Protocol):
    """Where entries are kept. It may forget anything at any time, and never fails."""

    def get(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:
        """The entries that are there, of those asked for."""
        ...

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep entries."""
        ...


@cache
def _maker() -> bytes:
    """What made an entry: the version of ztosc, the grammar, and the code of this room."""
    digest = hashlib.sha256(__version__.encode())
    code = sorted(Path(__file__).parent.glob("*.py"))
    for file in (grammar_file("ztos.lark"), grammar_file("terminals.lark"), *code):
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()


def _key(shape: Shape) -> bytes:
    """The name of a shape's entry."""
    return hashlib.sha256(_maker() + shape.name.encode("utf-8", "surrogatepass")).digest()


class Kept(dict[bytes, bytes]):
    """The cache of a process that has no other."""

    MOST = 10_000

    def get(self, keys: Iterable[bytes]) -> Mapping[bytes, bytes]:  # type: ignore[override]
        """The entries that are there, of those asked for."""
        return {key: self[key] for key in keys if key in self}

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep entries; where there are many, those alone."""
        if len(self) > self.MOST:
            self.clear()
        self.update(entries)


KEPT = Kept()


class Stored:
    """The shapes of one file's statements."""

    def __init__(self, source: Source, cache: Cache | None) -> None:
        self._source, self._cache = source, KEPT if cache is None else cache
        self._shapes = Shapes()
        self._makers: dict[str, Maker | None] = {}
        self._new: dict[bytes, bytes] = {}

    def statement(self, chunk: Chunk) -> ast.Statement | None:
        """The statement by what is known of its shape; nothing where that is nothing, or of no use."""
        if chunk.broken:
            return None
        shape = self._shapes.of(chunk.text)
        if shape.name not in self._makers:
            self._makers[shape.name] = self._found(shape)
        maker = self._makers[shape.name]
        if maker is None:
            return None
        try:
            ruler = self._source.ruler(chunk.start, chunk.end)
            return cast("ast.Statement", maker(Reading(chunk.text, shape, ruler, dict(chunk.docs))))
        except RecursionError:
            return None

    def _found(self, shape: Shape) -> Maker | None:
        """What an entry makes of a shape's statements; nothing where there is none, or it is of no use."""
        key = _key(shape)
        entry = self._cache.get([key]).get(key)
        if entry is None or entry[:DIGEST] != _seal(key, entry[DIGEST:]):
            return None
        try:
            return decode_statement(json.loads(entry[DIGEST:]), len(shape.starts))
        except (Misfit, ValueError, RecursionError):
            return None

    def keep(self, chunk: Chunk, statement: ast.Statement, words: Sequence[tuple[int, int]]) -> None:
        """Keep how a statement was parsed, from these words, for all others of its shape."""
        shape = self._shapes.of(chunk.text)
        if shape.whole and words != list(zip(shape.starts, shape.ends, strict=True)):
            return
        with suppress(Misfit, RecursionError):
            form = encode_statement(statement, shape, self._source.ruler(chunk.start, chunk.end))
            self._makers[shape.name] = decode_statement(form, len(shape.starts))
            body = json.dumps(form, separators=(",", ":")).encode()
            key = _key(shape)
            self._new[key] = _seal(key, body) + body

    def close(self) -> None:
        """Hand what is new to the cache."""
        if self._new:
            self._cache.put(self._new)


def _seal(key: bytes, body: bytes) -> bytes:
    """Ties an entry to its statement: a torn or exchanged one does not fit."""
    return hashlib.sha256(key + body).digest()

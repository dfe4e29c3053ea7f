"""Statements that were parsed before, by the digest of their text.

Guarantees: an entry is bytes of JSON that can say only which node of the AST covers which piece of the statement's own text; whatever does
not fit the table of nodes to the last field is no entry, and the statement is parsed. Only statements without a mistake are kept. What an
entry gives is the same tree that parsing gives, wherever the statement stands now.
"""

from __future__ import annotations

import gc
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Protocol

from ztosc import __version__
from ztosc.resources import grammar_file
from ztosc.source import Source
from ztosc.syntax import ast
from ztosc.syntax.coding import Misfit, decode_statement, encode_statement
from ztosc.syntax.layout import Chunk

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


def _key(chunk: Chunk, raw: str) -> bytes:
    """The name of a statement's entry: of all that its tree is made from, but for where it stands."""
    parts = [chunk.text, "" if raw == chunk.text else raw, *(f"{offset} {text}" for offset, text in chunk.docs)]
    said = "\0".join([" ".join(str(len(part)) for part in parts), *parts])
    return hashlib.sha256(_maker() + said.encode("utf-8", "surrogatepass")).digest()


class Stored:
    """The entries of one file's statements."""

    def __init__(self, source: Source, chunks: tuple[Chunk, ...], cache: Cache) -> None:
        self.chunks = chunks
        self._source, self._cache = source, cache
        self._keys = {chunk.start: _key(chunk, source.text[chunk.start : chunk.end]) for chunk in chunks if not chunk.broken}
        self._found = cache.get(self._keys.values())

    def statement(self, chunk: Chunk) -> ast.Statement | None:
        """The statement as it was parsed before; nothing where it was not, or where its entry is of no use."""
        key = self._keys.get(chunk.start, b"")
        entry = self._found.get(key)
        if entry is None or entry[:DIGEST] != _seal(key, entry[DIGEST:]):
            return None
        try:
            ruler = self._source.ruler(chunk.start, chunk.end)
            return decode_statement(json.loads(entry[DIGEST:]), chunk.text, ruler, dict(chunk.docs))
        except (Misfit, ValueError, RecursionError):
            return None

    def keep(self, statements: Iterable[tuple[Chunk, ast.Statement]]) -> None:
        """Keep statements for the next time."""
        entries: dict[bytes, bytes] = {}
        for chunk, statement in statements:
            key = self._keys.get(chunk.start)
            if key is not None:
                with suppress(Misfit):
                    form = encode_statement(statement, self._source.ruler(chunk.start, chunk.end))
                    body = json.dumps(form, separators=(",", ":")).encode()
                    entries[key] = _seal(key, body) + body
        if entries:
            self._cache.put(entries)


@contextmanager
def uncollected() -> Iterator[None]:
    """Hold the garbage collector back where many nodes are made and none of them in a circle: it would walk all of them again and again."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _seal(key: bytes, body: bytes) -> bytes:
    """Ties an entry to its statement: a torn or exchanged one does not fit."""
    return hashlib.sha256(key + body).digest()

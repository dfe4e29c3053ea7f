"""Statements of one shape are read as the grammar reads each of them by itself."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st
from lark.lexer import PatternStr

from tests.bench.generate import Plan
from tests.syntax.corpus import mutations, texts
from ztosc.diagnostics import Report
from ztosc.source import Source
from ztosc.syntax.cut import lay_out
from ztosc.syntax.grammar import parser
from ztosc.syntax.layout import Chunk
from ztosc.syntax.parse import Piece, parse_pieces
from ztosc.syntax.read import Reader
from ztosc.syntax.shape import WORDS, Shapes, keywords, terminals
from ztosc.syntax.stored import Kept

ALPHABET = 'aftuAGT019.:/-_+${"}[],;=<>!| \t\n'


def by_itself(source: Source, chunk: Chunk) -> tuple[Piece, list[tuple[int, int]]]:
    """A statement as lark reads it, and where its tokens stand."""
    report = Report()
    reader = Reader(source, report)
    return Piece(chunk, reader.statement(chunk), tuple(report.items)), reader.words


def agree(text: str, cache: Kept) -> int:
    """Compares each statement with lark's; how many of them were made by their shape."""
    source = Source("x.ztos", text)
    chunks = lay_out(source, Report())
    made = 0
    for piece, chunk in zip(parse_pieces(source, chunks, cache), chunks, strict=True):
        wanted, tokens = by_itself(source, chunk)
        assert piece == wanted
        shape = Shapes().of(chunk.text)
        if wanted.statement is not None and not wanted.found and shape.whole:
            made += tokens == list(zip(shape.starts, shape.ends, strict=True))
    return made


def exchanged(seed: int, number: int) -> Iterator[str]:
    """Statements of the examples with some words exchanged for others, most of them for such as they are taken for."""
    dice = random.Random(seed)
    chunks = [chunk for text in texts() for chunk in lay_out(Source("x", text), Report())]
    shapes = Shapes()
    words = sorted({word for chunk in chunks for word in WORDS.findall(chunk.text)} | {"aa.b", "1.2.3.4/8", "12h", "7G", "a-", "::1", "EU"})
    alike: dict[str, list[str]] = {}
    for word in words:
        alike.setdefault(shapes.of(word).name, []).append(word)
    for _ in range(number):
        text = dice.choice(chunks).text
        parts = WORDS.split(text), WORDS.findall(text)
        for place in dice.choices(range(len(parts[1])), k=dice.randint(1, 3)):
            word = parts[1][place]
            parts[1][place] = dice.choice(alike[shapes.of(word).name] if dice.random() < 0.7 else words)
        yield "".join(gap + word for gap, word in zip(parts[0], [*parts[1], ""], strict=True))


def test_statements_of_known_shapes_are_what_lark_reads() -> None:
    cache = Kept()
    whole = [*texts(), Plan(30, 200, 20).text()]
    assert sum(agree(text, cache) for text in whole) > 500
    assert sum(agree(text, cache) for text in exchanged(1, 1500)) > 500
    for text in mutations(5, 400, 400):
        agree(text, cache)


def test_the_terminals_are_those_of_the_grammar() -> None:
    written = {each.name: each.pattern for each in parser().terminals}
    assert {name for name, pattern in written.items() if not isinstance(pattern, PatternStr)} <= terminals().keys() <= written.keys()
    for name, pattern in written.items():
        if isinstance(pattern, PatternStr) and name not in terminals():
            assert pattern.value in keywords()


@settings(max_examples=300, deadline=None)
@given(st.text(ALPHABET, max_size=20))
def test_words_end_where_every_terminal_ends(text: str) -> None:
    """No terminal matches over the end of a word, whatever stands behind it; and each matches what the grammar says it does."""
    shape = Shapes().of(text)
    patterns = {each.name: each.pattern for each in parser().terminals}
    for start, end in zip(shape.starts, shape.ends, strict=True) if shape.whole else ():
        for name, pattern in patterns.items():
            alone, there = re.compile(pattern.to_regexp()).match(text[start:end]), re.compile(pattern.to_regexp()).match(text, start)
            assert (alone.end() if alone else 0) == (there.end() - start if there else 0)
            if name in terminals():
                mine = terminals()[name].match(text, start)
                assert (mine.end() if mine else 0) == (there.end() if there else 0)

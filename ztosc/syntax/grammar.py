"""The one parser, made from `grammar/ztos.lark` at first use.

Guarantees: keywords match whole words only, and only where the grammar allows them: everywhere else they are names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from lark import Lark, Token

from ztosc.resources import grammar_file
from ztosc.syntax.build import Builder
from ztosc.syntax.words import ITEMS

WORDS: list[tuple[int, int]] = []
"""Where the tokens of the statement that is being read begin and end; whoever reads empties it before."""


class WholeWords:
    """Keeps `NAME` in every lexer state, so that `atx` is one name and never `at` and a rest; writes down where tokens stand."""

    always_accept = ("NAME",)

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Pass the tokens on as they are."""
        for token in stream:
            WORDS.append((token.start_pos or 0, token.end_pos or 0))
            yield token


def lark(**options: Any) -> Lark:
    """The LALR parser with one start for statements and one for each kind of block item."""
    file = grammar_file("ztos.lark")
    return Lark(
        file.read_text(encoding="utf-8"),
        import_paths=[str(file.parent)],
        parser="lalr",
        lexer="contextual",
        start=["statement", *sorted(set(ITEMS.values()))],
        postlex=WholeWords(),
        **options,
    )


@cache
def builder() -> Builder:
    """What builds the nodes while `parser` reads."""
    return Builder()


@cache
def parser() -> Lark:
    """The parser that gives nodes of the AST; every token reaches the builder, which finds the places in them."""
    return lark(transformer=builder(), keep_all_tokens=True, maybe_placeholders=False)

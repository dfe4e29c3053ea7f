"""What a builder holds between two rules of the grammar: pieces of nodes that know where they stand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lark import Token

from ztosc.source import Span
from ztosc.syntax import ast
from ztosc.syntax.ast import Word

Children = list[Any]


class Words:
    """A list of words, brackets and commas taken off; `span` has them."""

    __slots__ = ("span", "words")

    def __init__(self, words: tuple[Word, ...], span: Span) -> None:
        self.words, self.span = words, span


class Enclosed:
    """An expression in parentheses: it stands where it stands, and what it is the start or end of stands at the parentheses."""

    __slots__ = ("node", "span")

    def __init__(self, node: ast.Expression, span: Span) -> None:
        self.node, self.span = node, span


class Despite:
    """`despite 2 link failures`."""

    __slots__ = ("failing", "failures", "span")

    def __init__(self, failures: Word, failing: str, span: Span) -> None:
        self.failures, self.failing, self.span = failures, failing, span


class Kept:
    """What a rule keeps to, or lets go: `releases a, b`, `stale`."""

    __slots__ = ("relation", "span", "words")

    def __init__(self, relation: str, words: tuple[Word, ...], span: Span) -> None:
        self.relation, self.words, self.span = relation, words, span


def words_of(children: Iterable[Any]) -> tuple[Word, ...]:
    """The words among a rule's children, lists flattened."""
    found: list[Word] = []
    for child in children:
        if type(child) is Word:
            found.append(child)
        elif type(child) is Words:
            found.extend(child.words)
    return tuple(found)


def lists_of(children: Children) -> list[tuple[Word, ...]]:
    """The lists among a rule's children."""
    return [child.words for child in children if type(child) is Words]


def after(children: Children, *keyword: str) -> Any:
    """What follows a keyword among the children; nothing where it does not stand there."""
    for index, child in enumerate(children):
        if type(child) is Token and child.value == keyword[0]:
            return children[index + len(keyword)]
    return None


def every(children: Children, kind: type[Any]) -> tuple[Any, ...]:
    """The children that are of a class."""
    return tuple([child for child in children if type(child) is kind])


def bare(child: Any) -> Any:
    """An expression without its parentheses."""
    return child.node if type(child) is Enclosed else child


class Settings:
    """The attributes that a test gives."""

    __slots__ = ("settings", "span")

    def __init__(self, settings: tuple[ast.Setting, ...], span: Span) -> None:
        self.settings, self.span = settings, span

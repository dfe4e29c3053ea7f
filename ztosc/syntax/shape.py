"""The shape of a statement: its words by what the grammar could read each as, so that statements of one shape have one derivation.

Guarantees: two words of one class are read alike wherever they stand: each terminal of the grammar matches both whole, both in part, or
neither; keywords and marks are classes of their own. So where the parser's tokens of one statement were its words, they are those of
every statement of its shape, terminal by terminal. What cannot be cut into such words is a shape by itself, letter by letter.
"""

from __future__ import annotations

import re
from functools import cache

from ztosc.resources import grammar_file

WORDS = re.compile(
    r'"(?:\\.|[^"\\\n])*"|[a-z][a-z0-9.-]*(?=:[ \t\r\f])|[A-Za-z0-9_.:/+-]+|[\n;][ \t\r\n;]*|[=!<>]=|[{}()\[\],=<>]|[^ \t\r\f]'
)
"""No terminal matches over the end of such a word: those that could go on have no character of what stands behind it."""
MARKS = "{}()[],=<>!"
DEFINITION = re.compile(r"^([A-Z_]+)(?:\.[0-9]+)?: (.*)$", re.MULTILINE)
PATTERN = re.compile(r'/((?:\\.|[^/\\])+)/|"([^"]+)"')
LITERAL = re.compile(r'"([^"\s]+)"')
ODD = "$"
"""The class of what no terminal matches, and of `$`, with which a word goes on that the pattern above ends before."""


@cache
def terminals() -> dict[str, re.Pattern[str]]:
    """The terminals of the grammar that are patterns, as `grammar/terminals.lark` defines them."""
    said = DEFINITION.findall(grammar_file("terminals.lark").read_text(encoding="utf-8"))
    return {
        name: re.compile("|".join(f"(?:{pattern or re.escape(text)})" for pattern, text in PATTERN.findall(body))) for name, body in said
    }


@cache
def keywords() -> frozenset[str]:
    """The words and marks that the grammar writes out."""
    return frozenset(LITERAL.findall(grammar_file("ztos.lark").read_text(encoding="utf-8")))


class _Classes(dict[str, str]):
    """The class of each word that was met."""

    def __init__(self) -> None:
        super().__init__()
        self._keywords = keywords()
        self._patterns = [(name, pattern.match) for name, pattern in terminals().items()]

    def __missing__(self, word: str) -> str:
        self[word] = found = self._class(word)
        return found

    def _class(self, word: str) -> str:
        if word[0] in "\n;":
            return ";"
        if word in self._keywords or word[0] in MARKS:
            return word
        found = [(name, match(word)) for name, match in self._patterns]
        return " ".join([name if match.end() == len(word) else f"{name}-" for name, match in found if match]) or ODD


class Shape:
    """Where the words of a text begin and end, and the name of the shape that it shares with others."""

    __slots__ = ("ends", "name", "starts", "whole")

    def __init__(self, text: str, classes: _Classes) -> None:
        words = list(WORDS.finditer(text))
        found = list(map(classes.__getitem__, map(re.Match.group, words)))
        self.whole = ODD not in found
        """Whether it has words, and not just letters."""
        if self.whole:
            self.name = "\0".join(found)
            self.starts, self.ends = list(map(re.Match.start, words)), list(map(re.Match.end, words))
        else:
            self.name = f"\0{text}"
            self.starts, self.ends = list(range(len(text))), list(range(1, len(text) + 1))


class Shapes:
    """Finds the shapes of texts; knows the words that it met."""

    def __init__(self) -> None:
        self._classes = _Classes()

    def of(self, text: str) -> Shape:
        """The shape of a statement's text."""
        return Shape(text, self._classes)

"""Text to tokens that know how they stood: against the token before, on a new line, behind an empty one.

Guarantees: every character but blanks and line ends is in exactly one token, in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ztosc.syntax.layout import CLAUSE_WORDS, DANGLING, DATE

TOKENS = re.compile(
    r'(?P<string>"(?:\\.|[^"\\\n])*")|(?P<comment>\#[^\n]*)|(?P<newline>\n)|(?P<open>[{(\[])|(?P<close>[})\]])'
    r"|(?P<semicolon>;)|(?P<comma>,)|(?P<word>(?:\$\{[^{}\n]*\}|[A-Za-z0-9_.:/-])+)|(?P<operator>[=!<>]+)"
    r"|(?P<blank>[ \t\r\f]+)|(?P<other>.)"
)
DASHES = re.compile(r"(?<!-)(--)(?!-)")
NAMED = re.compile(r"([a-z][a-z0-9.-]*|[^:]*\$\{[^:]*\})?:([^:$]*)")
"""A name, perhaps, and a colon: one colon alone is in no literal that starts with a letter."""
ENDS = " \t\r\f"


@dataclass(slots=True)
class Token:
    """A piece of text. `glued`: nothing stood between it and the token before; `lines`: how many lines began in between."""

    kind: str
    text: str
    glued: bool
    lines: int


def tokens_of(text: str) -> list[Token]:
    """The tokens of a text, without blanks and line ends."""
    found: list[Token] = []
    glued, lines = False, 0
    for match in TOKENS.finditer(text):
        kind = match.lastgroup or ""
        if kind in ("blank", "newline"):
            glued, lines = False, lines + (kind == "newline")
            continue
        for part, (piece_kind, piece) in enumerate(_pieces(kind, match.group())):
            found.append(Token(piece_kind, piece, glued or part > 0, lines if part == 0 else 0))
        glued, lines = True, 0
    return found


def _pieces(kind: str, text: str) -> Iterator[tuple[str, str]]:
    """A word may hold an operator that nobody set apart: `a--b`, `name:`."""
    if kind == "comment":
        yield kind, text.rstrip(ENDS)
    elif kind == "word" and "--" in text:
        for piece in DASHES.split(text):
            if piece:
                yield ("operator", piece) if piece == "--" else (kind, piece)
    elif kind == "word" and (named := NAMED.fullmatch(text)):
        before, after = named.group(1), named.group(2)
        yield from ((kind, before),) if before else ()
        yield "colon", ":"
        yield from ((kind, after),) if after else ()
    else:
        yield kind, text


def continues(tokens: list[Token], index: int) -> bool:
    """Whether a line that starts with this token continues the statement above."""
    token = tokens[index] if index < len(tokens) else None
    if token is None or token.kind != "word":
        return False
    if token.text == "from":
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        return after is not None and after.lines == 0 and DATE.match(after.text) is not None
    return token.text in CLAUSE_WORDS


LINKS = frozenset(CLAUSE_WORDS | DANGLING)
"""Words that want something behind them."""

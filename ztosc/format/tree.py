"""Tokens to blocks, statements and what they are made of, with the author's line breaks.

Guarantees: for a text without syntax errors, statements begin and end where `ztosc.syntax.layout` says, and no token is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ztosc.format.tokens import LINKS, Token, continues

CLOSER = {"{": "}", "(": ")", "[": "]"}


@dataclass(slots=True)
class Piece:
    """A token of a statement. `broken`: it began a line; `clause`: a line that begins with it continues the statement."""

    kind: str
    text: str
    glued: bool
    broken: bool
    clause: bool


@dataclass(slots=True)
class Remark:
    """A comment, on a line of its own (`own`) or behind something."""

    text: str
    own: bool
    blank: bool = False
    broken: bool = True


@dataclass(slots=True)
class Bracket:
    """`( )` or `[ ]` and what is inside. `open`: it goes over several lines; `hugs`: it is the list of a name, as in `new x(a: b)`."""

    opener: str
    inside: list[Piece | Remark | Bracket]
    glued: bool
    broken: bool
    open: bool
    hugs: bool = False

    @property
    def closer(self) -> str:
        """What ends it."""
        return CLOSER[self.opener]


@dataclass(slots=True)
class Block:
    """`{ }` and its statements. `open`: it goes over several lines; `remark` is the comment behind its `{`."""

    entries: list[Statement | Remark]
    open: bool
    remark: str
    broken: bool


Element = Piece | Remark | Bracket | Block


@dataclass(slots=True)
class Statement:
    """One statement, and the comment behind it; `blank`: an empty line stands before it."""

    elements: list[Element] = field(default_factory=list)
    remark: str = ""
    blank: bool = False


def read(tokens: list[Token]) -> list[Statement | Remark]:
    """The statements and comments of a file."""
    return _Reader(tokens).entries()


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens, self._next = tokens, 0

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self) -> Token:
        self._next += 1
        return self._tokens[self._next - 1]

    def entries(self) -> list[Statement | Remark]:
        """What stands up to the `}` or the end of the file."""
        found: list[Statement | Remark] = []
        semicolon = False
        while (token := self._peek()) is not None and token.text != "}":
            if token.kind == "semicolon":
                self._take()
                semicolon = True
            elif token.kind == "comment":
                self._comment(found, semicolon)
            else:
                found.append(self._statement())
                semicolon = False
        return found

    def _comment(self, found: list[Statement | Remark], semicolon: bool) -> None:
        """A comment between statements; `##` behind a `;` documents what follows, so it gets a line of its own."""
        token = self._take()
        last = found[-1] if found else None
        if isinstance(last, Statement) and token.lines == 0 and not last.remark and not (semicolon and token.text.startswith("##")):
            last.remark = token.text
        else:
            found.append(Remark(token.text, True, token.lines > 1))

    def _statement(self) -> Statement:
        first = self._peek()
        statement = Statement(blank=first is not None and first.lines > 1)
        while (token := self._peek()) is not None and token.kind != "semicolon" and token.text != "}":
            behind_remark = bool(statement.elements) and isinstance(statement.elements[-1], Remark)
            if statement.elements and not behind_remark and self._ends():
                break
            element = self._element(token)
            _hug(statement.elements, element, second=len(statement.elements) == 2)
            statement.elements.append(element)
        return statement

    def _ends(self) -> bool:
        """Whether the statement is over: the next thing that is no comment is on another line and does not continue it."""
        index, lines = self._next, 0
        while index < len(self._tokens):
            lines += self._tokens[index].lines
            if self._tokens[index].kind != "comment":
                break
            index += 1
        comment = self._tokens[self._next].kind == "comment"
        return (lines > 0 or comment) and not continues(self._tokens, index)

    def _element(self, token: Token) -> Element:
        if token.text == "{" and token.kind == "open":
            return self._block()
        return self._simple(token)

    def _simple(self, token: Token) -> Piece | Remark | Bracket:
        if token.kind == "open":
            return self._bracket()
        clause = continues(self._tokens, self._next)
        self._take()
        if token.kind == "comment":
            return Remark(token.text, token.lines > 0)
        return Piece(token.kind, token.text, token.glued, token.lines > 0, clause)

    def _bracket(self) -> Bracket:
        opener = self._take()
        following = self._peek()
        found = Bracket(opener.text, [], opener.glued, opener.lines > 0, following is not None and following.lines > 0)
        while (token := self._peek()) is not None and not (token.kind == "close" and token.text == CLOSER[opener.text]):
            element = self._simple(token)
            _hug(found.inside, element, second=False)
            found.inside.append(element)
        self._take()
        remarks = any(isinstance(each, Remark) or (isinstance(each, Bracket) and each.open) for each in found.inside)
        found.open = bool(found.inside) and (found.open or remarks)
        return found

    def _block(self) -> Block:
        opener = self._take()
        start = self._next
        remark = ""
        first = self._peek()
        if first is not None and first.kind == "comment" and first.lines == 0 and not first.text.startswith("##"):
            remark = self._take().text
        entries = self.entries()
        self._take()
        several = any(token.lines for token in self._tokens[start : self._next])
        return Block(entries, several and bool(entries or remark), remark, opener.lines > 0)


def _hug(before: Sequence[Element], element: Element, second: bool) -> None:
    """The `(` behind the name that a statement gives (`template x(…)`) hugs it; behind other names the author decides."""
    last = before[-1] if before else None
    if isinstance(element, Bracket) and element.opener == "(" and isinstance(last, Piece):
        element.hugs = last.kind == "word" and last.text not in LINKS and (second or (element.glued and len(before) > 1))

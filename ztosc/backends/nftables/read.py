"""The ruleset parsed back from its text, knowing nothing of the template.

Guarantees: what it does not know is a `ReadFault` with a line, never left out; the file must replace our table and no other's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ztosc.backends.base import ReadFault
from ztosc.backends.nftables.model import TABLE, Chain, Collection, Element, Hook, Ruleset, Table

_TOKEN = re.compile(r'(?P<blank>[ \t]+|\#[^\n]*)|(?P<end>[\n;])|(?P<text>"[^"\n]*")|(?P<mark>[{},]|:(?=\s))|(?P<word>[^\s"{};,]+)')
_HOOK = re.compile(r"type filter hook (prerouting|input|forward|output) priority (-?\d+)")


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    line: int


def _tokens(path: str, text: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ReadFault(path, line, f"{text[position : position + 1]!r} is no part of a ruleset")
        if match.lastgroup == "end":
            yield _Token("\n", line)
        elif match.lastgroup != "blank":
            yield _Token(match.group(), line)
        line += match.group().count("\n")
        position = match.end()


class Reader:
    """A file's statements, one after the other."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.tokens = list(_tokens(path, text))
        self.at = 0

    def ruleset(self) -> Ruleset:
        """The whole file. Raises `ReadFault`."""
        first = self._table()
        self._skip_ends()
        second = self._table() if self.at < len(self.tokens) else None
        self._skip_ends()
        if self.at < len(self.tokens):
            raise self._fault("something stands behind the tables")
        if second is not None and (second.family, second.table) != ("bridge", TABLE):
            raise self._fault(f"the second table is `{second.family} {second.table}`, and not `bridge {TABLE}`")
        return Ruleset(
            family=first.family,
            table=first.table,
            comment=first.comment,
            collections=first.collections,
            chains=first.chains,
            gathering=second,
        )

    def _table(self) -> Table:
        family, table = self._preamble()
        comment, collections, chains = "", [], []
        while (word := self._next_word()) != "}":
            match word:
                case "comment":
                    comment = self._text(self._statement()[0])
                case "set" | "map":
                    collections.append(self._collection(verdicts=word == "map"))
                case "chain":
                    chains.append(self._chain())
                case _:
                    raise self._fault(f"`{word}` is not known in a table")
        return Table(family=family, table=table, comment=comment, collections=tuple(collections), chains=tuple(chains))

    def _preamble(self) -> tuple[str, str]:
        """Make the table, so that deleting it never fails; delete it; open it again."""
        made = self._words(self._next_statement())
        deleted = self._words(self._next_statement())
        opened = (self._next_word(), self._take().text, self._take().text, self._take().text)
        if len(made) != 3 or made[0] != "table" or deleted != ("delete", *made) or opened != (*made, "{"):
            raise self._fault("the file must replace one table as a whole")
        return made[1], made[2]

    # Sets and maps

    def _collection(self, *, verdicts: bool) -> Collection:
        name = self._open()
        found: dict[str, object] = {}
        while (word := self._next_word()) != "}":
            match word:
                case "type":
                    found["types"] = self._types(self._words(self._statement()), verdicts=verdicts)
                case "flags":
                    found["flags"] = tuple(each for each in self._words(self._statement()) if each != ",")
                case "comment":
                    found["comment"] = self._text(self._statement()[0])
                case "elements":
                    found["elements"] = tuple(self._elements(verdicts=verdicts))
                case _:
                    raise self._fault(f"`{word}` is not known in a set")
        return Collection.model_validate({"name": name, "verdicts": verdicts, **found})

    def _types(self, words: tuple[str, ...], *, verdicts: bool) -> tuple[str, ...]:
        keys = words[:-2] if verdicts else words
        if verdicts and words[-2:] != (":", "verdict"):
            raise self._fault("a map leads to verdicts")
        if any(mark != "." for mark in keys[1::2]) or len(keys) % 2 == 0:
            raise self._fault("types are joined by dots")
        return keys[::2]

    def _elements(self, *, verdicts: bool) -> Iterator[Element]:
        self._expect("=")
        self._expect("{")
        while True:
            words = self._until((",", "}"))
            if words:
                yield self._element(words, verdicts=verdicts)
            if self._take().text == "}":
                return

    def _element(self, words: tuple[str, ...], *, verdicts: bool) -> Element:
        cut = words.index(":") if ":" in words else len(words)
        key, verdict = words[:cut], " ".join(words[cut + 1 :])
        comment = ""
        if "comment" in key:
            mark = key.index("comment")
            if len(key) != mark + 2:
                raise self._fault("a comment is one text at the end of an element")
            key, comment = key[:mark], self._unquoted(key[mark + 1])
        if bool(verdict) is not verdicts or len(key) % 2 == 0 or any(mark != "." for mark in key[1::2]):
            raise self._fault(f"`{' '.join(words)}` is no element of this")
        return Element(key=key[::2], verdict=verdict or None, comment=comment)

    # Chains

    def _chain(self) -> Chain:
        name = self._open()
        statements = []
        self._skip_ends()
        while self._peek() != "}":
            statements.append(self._rule())
            self._skip_ends()
        self._take()
        hook = None
        if statements and statements[0].startswith("type "):
            match = _HOOK.fullmatch(statements[0])
            if match is None or len(statements) < 2 or statements[1] not in ("policy accept", "policy drop"):
                raise self._fault(f"chain `{name}` has a hook that is not known")
            hook = Hook.model_validate({"hook": match[1], "priority": int(match[2]), "policy": statements[1].removeprefix("policy ")})
            statements = statements[2:]
        return Chain(name=name, hook=hook, rules=tuple(statements))

    def _rule(self) -> str:
        """One statement, braces balanced, in canonical text."""
        words: list[str] = []
        while self._peek() != "\n" or words.count("{") > words.count("}"):
            words.append(self._take().text)
        return " ".join(words).replace(" ,", ",")

    # Tokens

    def _open(self) -> str:
        name = self._take().text
        self._expect("{")
        return name

    def _take(self) -> _Token:
        if self.at >= len(self.tokens):
            raise ReadFault(self.path, self.tokens[-1].line if self.tokens else 1, "the file ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def _peek(self) -> str:
        token = self._take()
        self.at -= 1
        return token.text

    def _skip_ends(self) -> None:
        while self.at < len(self.tokens) and self.tokens[self.at].text == "\n":
            self.at += 1

    def _next_word(self) -> str:
        self._skip_ends()
        return self._take().text

    def _expect(self, text: str) -> None:
        if self._take().text != text:
            raise self._fault(f"`{text}` is missing")

    def _statement(self) -> list[_Token]:
        found = []
        while self._peek() != "\n":
            found.append(self._take())
        if not found:
            raise self._fault("a statement is empty")
        return found

    def _next_statement(self) -> list[_Token]:
        self._skip_ends()
        return self._statement()

    def _until(self, ends: tuple[str, ...]) -> tuple[str, ...]:
        found = []
        while self._peek() not in ends:
            word = self._take().text
            if word != "\n":
                found.append(word)
        return tuple(found)

    @staticmethod
    def _words(tokens: list[_Token]) -> tuple[str, ...]:
        return tuple(token.text for token in tokens)

    def _text(self, token: _Token) -> str:
        return self._unquoted(token.text)

    def _unquoted(self, text: str) -> str:
        if len(text) < 2 or text[0] != '"' or text[-1] != '"':
            raise self._fault("a text stands in quotes")
        return text[1:-1]

    def _fault(self, reason: str) -> ReadFault:
        return ReadFault(self.path, self.tokens[min(self.at, len(self.tokens)) - 1].line if self.tokens else 1, reason)

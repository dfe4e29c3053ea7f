"""The AST of the statements of one shape as JSON and back, by a table made from the classes of the AST.

Guarantees: places are counted in words of the statement, texts are pieces of its own and documentation is what stands above it, so a
form has no text of its own: it names nodes and kinds. Decoding takes nothing on trust: each field is of the type that its class
declares, and every place lies within the statement; else it is a `Misfit`. What is decoded from an encoded statement is that statement,
and of another one of its shape what parsing gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

from ztosc.source import Ruler, Span
from ztosc.syntax import ast
from ztosc.syntax.shape import Shape
from ztosc.syntax.words import ACCEPTED, CLAUSES, DECLARATIONS, RELATIONS

KINDS: tuple[type[Any], ...] = (
    *(ast.Ports, ast.Holds, ast.Comparison, ast.Relation, ast.Logic, ast.Clause, ast.Attach, ast.AttributeType, ast.Declaration),
    *(ast.Import, ast.Separate, ast.Group, ast.PolicyRule, ast.Assertion, ast.Setting, ast.Given, ast.Expect, ast.Test),
    *(ast.Quarantine, ast.Parameter, ast.Template, ast.Argument, ast.New, ast.Each, ast.Control, ast.Profile, ast.Comply, ast.Waive),
    ast.Accept,
)
"""The nodes of the AST; a form names one by its place here."""
NUMBERS = {kind: number for number, kind in enumerate(KINDS)}
NAMES = (
    *("NAME", "HOLE", "PLACE", "ZONE", "STRING", "INT", "RANGE", "DURATION", "RATE", "INSTANT", "CLOCK", "ADDRESS", "PORTS", "ICMP"),
    *("COMPARE", "BOOL", "COUNTRY", "ONE", "OF", "ORDERED", "__ANON_0", "__ANON_1"),
)
"""The kinds of words."""
TERMINALS = {name: number for number, name in enumerate(NAMES)}
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">", "in")
CLAIMS = ("never-reaches", "isolated", "only-reach", "reaches", "stays-within", "never-flows-down")
CHOICES: dict[tuple[type[Any], str], frozenset[str]] = {
    (ast.Comparison, "operator"): frozenset(COMPARISONS),
    (ast.Relation, "relation"): frozenset(["is", "has", "carries", "may carry", "within"]),
    (ast.Logic, "operator"): frozenset(["and", "or", "not", "implies"]),
    (ast.Clause, "key"): frozenset(["members", "break_glass", *(name.rstrip("_") for name in CLAUSES)]),
    (ast.Declaration, "kind"): frozenset(["site", "link", "service", "bloc", *DECLARATIONS]),
    (ast.PolicyRule, "effect"): frozenset(["allow", "deny"]),
    (ast.Expect, "effect"): frozenset(["allow", "deny"]),
    (ast.Assertion, "claim"): frozenset(CLAIMS),
    (ast.Assertion, "failing"): frozenset(["any", "links", "nodes"]),
    (ast.Accept, "what"): frozenset(ACCEPTED),
    (ast.Accept, "relation"): frozenset(["", *RELATIONS]),
    (ast.Control, "severity"): frozenset(["error", "warning", "info"]),
}
"""The texts that a field may be."""
DERIVED = frozenset(["doc", "broken", "text"])
"""Fields that no form has: they follow from the text, and what is broken has no form."""


class Misfit(ValueError):
    """A form that no statement has."""


class Reading:
    """A statement that a form is read against: its text, where its words begin and end, where it stands, and its documentation."""

    __slots__ = ("base", "docs", "ends", "file", "line", "ruler", "starts", "text")

    def __init__(self, text: str, shape: Shape, ruler: Ruler, docs: Mapping[int, str]) -> None:
        self.text, self.starts, self.ends, self.ruler, self.docs = text, shape.starts, shape.ends, ruler, docs
        self.file, self.line = ruler.file, ruler.line
        self.base = ruler.column if ruler.single else 0
        """The column that offsets count from; 0 where the statement has several lines."""

    def span(self, start: int, end: int) -> Span:
        """The span between two offsets."""
        if self.base:
            return Span(self.file, self.line, self.base + start, self.line, self.base + end)
        return self.ruler.span(start, end)


Maker = Callable[[Reading], Any]
"""Makes a value of the AST for a statement of the shape."""
Decoder = Callable[[Any, int], Maker]
"""What reads a form, for statements of so many words. Raises `Misfit`."""


# A form: a word is [kind, first, last], a span [first, last] in words, a node [number, field, …], several values a list of their forms.


def encode_statement(statement: ast.Statement, shape: Shape, ruler: Ruler) -> Any:
    """The form of a statement. Raises `Misfit` for one that has none."""
    return _Encoder(shape, ruler).form(statement)


class _Encoder:
    def __init__(self, shape: Shape, ruler: Ruler) -> None:
        self._ruler = ruler
        self._first = {start: number for number, start in enumerate(shape.starts)}
        self._last = {end: number for number, end in enumerate(shape.ends)}

    def form(self, value: Any) -> Any:
        kind = type(value)
        if kind is ast.Word:
            if value.kind not in TERMINALS:
                raise Misfit
            return [TERMINALS[value.kind], *self._words(value.span)]
        if kind is Span:
            return self._words(value)
        if kind is tuple:
            return [self.form(each) for each in value]
        if kind not in NUMBERS:
            return value
        if getattr(value, "broken", False):
            raise Misfit
        return [NUMBERS[kind], *[self.form(getattr(value, name)) for name in _TABLE[kind][0]]]

    def _words(self, span: Span) -> list[int]:
        start, end = self._ruler.offsets(span)
        if start not in self._first or end not in self._last:
            raise Misfit
        return [self._first[start], self._last[end]]


def decode_statement(form: Any, words: int) -> Callable[[Reading], ast.Statement]:
    """What makes the statements that a form says, of so many words. Raises `Misfit`."""
    maker = _STATEMENT(form, words)
    if form[1 + _TABLE[KINDS[form[0]]][0].index("span")] != [0, words - 1]:
        raise Misfit
    return maker


def _names(kind: type[Any]) -> list[str]:
    return [each.name for each in fields(kind) if each.name not in DERIVED]


def _word(form: Any, words: int) -> Maker:
    if type(form) is not list or len(form) != 3 or type(form[0]) is not int or not 0 <= form[0] < len(NAMES):
        raise Misfit
    kind, (first, last) = NAMES[form[0]], _places(form[1:], words)

    def make(reading: Reading) -> ast.Word:
        start, end = reading.starts[first], reading.ends[last]
        return ast.Word(kind, reading.text[start:end], reading.span(start, end))

    return make


def _span(form: Any, words: int) -> Maker:
    first, last = _places(form, words)
    return lambda reading: reading.span(reading.starts[first], reading.ends[last])


def _places(form: Any, words: int) -> tuple[int, int]:
    if type(form) is not list or len(form) != 2 or type(form[0]) is not int or type(form[1]) is not int:
        raise Misfit
    if not 0 <= form[0] <= form[1] < words:
        raise Misfit
    return form[0], form[1]


def _always(value: Any) -> Maker:
    return lambda reading: value


def _true(form: Any, words: int) -> Maker:
    if type(form) is not bool:
        raise Misfit
    return _always(form)


def _choice(allowed: frozenset[str]) -> Decoder:
    def decode(form: Any, words: int) -> Maker:
        if type(form) is not str or form not in allowed:
            raise Misfit
        return _always(form)

    return decode


def _several(decoder: Decoder) -> Decoder:
    def decode(form: Any, words: int) -> Maker:
        if type(form) is not list:
            raise Misfit
        makers = [decoder(each, words) for each in form]
        return (lambda reading: tuple([make(reading) for make in makers])) if makers else _always(())

    return decode


def _optional(decoder: Decoder) -> Decoder:
    return lambda form, words: _always(None) if form is None else decoder(form, words)


def _one_of(kinds: tuple[type[Any], ...]) -> Decoder:
    allowed = {NUMBERS[kind] for kind in kinds}

    def decode(form: Any, words: int) -> Maker:
        if type(form) is not list or not form or type(form[0]) is not int or form[0] not in allowed:
            raise Misfit
        return _node(form, words)

    return decode


def _node(form: list[Any], words: int) -> Maker:
    kind = KINDS[form[0]]
    names, decoders = _TABLE[kind]
    if len(form) != len(names) + 1:
        raise Misfit
    makers = [decoder(each, words) for decoder, each in zip(decoders, form[1:], strict=True)]
    if kind is ast.Assertion:
        makers.insert(-1, _claim(makers[-1]))
    if kind in _DOCUMENTED:
        first, _ = form[1 + names.index("span")]
        return lambda reading: kind(
            *[make(reading) for make in makers], doc=reading.docs.get(reading.starts[first], "") if reading.docs else ""
        )
    return lambda reading: kind(*[make(reading) for make in makers])


def _claim(whole: Maker) -> Maker:
    """What is asserted, in its own words: the assertion may be the whole statement, or one of a template."""

    def make(reading: Reading) -> str:
        first, end = reading.ruler.offsets(whole(reading))
        start = end - len(reading.text[first:end].removeprefix("assert").lstrip())
        return " ".join(reading.ruler.text(reading.ruler.span(start, end)).split())

    return make


def _decoder(kind: type[Any], name: str, hint: Any) -> Decoder:
    """What reads a field, by its class's annotation."""
    if hint is str:
        return _choice(CHOICES[kind, name])
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if get_origin(hint) is tuple:
        return _several(_decoder(kind, name, get_args(hint)[0]))
    among = get_args(hint) or (hint,)
    rest = tuple(each for each in among if each is not NoneType)
    decoder = _SIMPLE[rest[0]] if rest == (ast.Word,) else _one_of(rest)
    return _optional(decoder) if NoneType in among else decoder


_SIMPLE: dict[Any, Decoder] = {ast.Word: _word, Span: _span, bool: _true}
_TABLE = {
    kind: (_names(kind), [_decoder(kind, name, hint) for name, hint in get_type_hints(kind).items() if name in _names(kind)])
    for kind in KINDS
}
_DOCUMENTED = frozenset(kind for kind in KINDS if "doc" in {each.name for each in fields(kind)})
_STATEMENT = _one_of(get_args(ast.Statement))

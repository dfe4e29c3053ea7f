"""The AST of one statement as JSON and back, by a table made from the classes of the AST.

Guarantees: places are offsets from the statement's start, words are pieces of its text and documentation is what stands above it, so a
form has no text of its own: it names nodes and kinds. Decoding takes nothing on trust: each field is of the type that its class
declares, and every offset lies within the statement; else it is a `Misfit`. What is decoded from an encoded statement is that statement.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from types import NoneType
from typing import Any, cast, get_args, get_origin, get_type_hints

from ztosc.source import Ruler, Span
from ztosc.syntax import ast
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
    """What a form is read against."""

    __slots__ = ("docs", "ruler", "text")

    def __init__(self, text: str, ruler: Ruler, docs: Mapping[int, str]) -> None:
        self.text, self.ruler, self.docs = text, ruler, docs


Decoder = Callable[[Any, Reading], Any]


# A form: a word is [kind, start, length], a span [start, end], a node [number, field, …], several values a list of their forms.


def encode_statement(statement: ast.Statement, ruler: Ruler) -> Any:
    """The form of a statement. Raises `Misfit` for one that has none."""
    return _encode(statement, ruler)


def _encode(value: Any, ruler: Ruler) -> Any:
    kind = type(value)
    if kind is ast.Word:
        start, end = _offsets(value.span, ruler)
        if value.kind not in TERMINALS:
            raise Misfit
        return [TERMINALS[value.kind], start, end - start]
    if kind is Span:
        return list(_offsets(value, ruler))
    if kind is tuple:
        return [_encode(each, ruler) for each in value]
    if kind not in NUMBERS:
        return value
    if getattr(value, "broken", False):
        raise Misfit
    return [NUMBERS[kind], *[_encode(getattr(value, name), ruler) for name in _TABLE[kind][0]]]


def _offsets(span: Span, ruler: Ruler) -> tuple[int, int]:
    if ruler.single:
        return span.column - ruler.column, span.end_column - ruler.column
    return ruler.offsets(span)


def decode_statement(form: Any, text: str, ruler: Ruler, docs: Mapping[int, str]) -> ast.Statement:
    """The statement that a form says of a text. Raises `Misfit`."""
    statement = cast("ast.Statement", _STATEMENT(form, Reading(text, ruler, docs)))
    if ruler.offsets(statement.span) != (0, len(text)):
        raise Misfit
    return statement


def _names(kind: type[Any]) -> list[str]:
    return [each.name for each in fields(kind) if each.name not in DERIVED]


def _word(form: Any, reading: Reading) -> ast.Word:
    if type(form) is not list or len(form) != 3:
        raise Misfit
    kind, start, length = form
    if type(kind) is not int or type(start) is not int or type(length) is not int or not 0 <= kind < len(NAMES):
        raise Misfit
    if not 0 <= start < start + length <= len(reading.text):
        raise Misfit
    ruler = reading.ruler
    if ruler.single:
        column = ruler.column + start
        span = Span(ruler.file, ruler.line, column, ruler.line, column + length)
    else:
        span = ruler.span(start, start + length)
    return ast.Word(NAMES[kind], reading.text[start : start + length], span)


def _span(form: Any, reading: Reading) -> Span:
    if type(form) is not list or len(form) != 2 or type(form[0]) is not int or type(form[1]) is not int:
        raise Misfit
    if not 0 <= form[0] <= form[1] <= len(reading.text):
        raise Misfit
    return reading.ruler.span(form[0], form[1])


def _true(form: Any, reading: Reading) -> bool:
    if type(form) is not bool:
        raise Misfit
    return form


def _choice(allowed: frozenset[str]) -> Decoder:
    def decode(form: Any, reading: Reading) -> str:
        if type(form) is not str or form not in allowed:
            raise Misfit
        return form

    return decode


def _several(decoder: Decoder) -> Decoder:
    def decode(form: Any, reading: Reading) -> tuple[Any, ...]:
        if type(form) is not list:
            raise Misfit
        return tuple([decoder(each, reading) for each in form])

    return decode


def _optional(decoder: Decoder) -> Decoder:
    return lambda form, reading: None if form is None else decoder(form, reading)


def _one_of(kinds: tuple[type[Any], ...]) -> Decoder:
    allowed = {NUMBERS[kind] for kind in kinds}

    def decode(form: Any, reading: Reading) -> Any:
        if type(form) is not list or not form or type(form[0]) is not int or form[0] not in allowed:
            raise Misfit
        return _node(form, reading)

    return decode


def _node(form: list[Any], reading: Reading) -> Any:
    kind = KINDS[form[0]]
    names, decoders = _TABLE[kind]
    if len(form) != len(names) + 1:
        raise Misfit
    values = [decoder(each, reading) for decoder, each in zip(decoders, form[1:], strict=True)]
    if kind is ast.Assertion:
        values.insert(-1, _claim(reading, values[-1]))
    elif reading.docs and kind in _DOCUMENTED:
        start, _ = reading.ruler.offsets(values[names.index("span")])
        return kind(*values, doc=reading.docs.get(start, ""))
    return kind(*values)


def _claim(reading: Reading, span: Span) -> str:
    """What is asserted, in its own words: the assertion may be the whole statement, or one of a template."""
    first, end = reading.ruler.offsets(span)
    start = end - len(reading.text[first:end].removeprefix("assert").lstrip())
    return " ".join(reading.ruler.text(reading.ruler.span(start, end)).split())


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

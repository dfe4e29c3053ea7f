"""Expressions to typed guards.

Guarantees: every attribute in a guard is declared, every comparison has a meaning for its type; `implies` is gone.
"""

from __future__ import annotations

from ztosc.diagnostics import Fix, Report, near, suggestion
from ztosc.diagnostics.fixes import replace
from ztosc.ir.values import (
    TRUE,
    AnyOf,
    AttributeType,
    Compare,
    Constant,
    CountryType,
    EnumType,
    Guard,
    InstantType,
    Negation,
    Now,
    Operand,
    OtherAttribute,
    Value,
    all_of,
)
from ztosc.semantics import literals, types
from ztosc.semantics.countries import Countries
from ztosc.semantics.scope import Names
from ztosc.syntax import ast

FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class GuardChecker:
    """Types the guards of a program. A guard that is wrong becomes `None`, and its rule falls away."""

    def __init__(self, names: Names, attributes: dict[str, AttributeType], countries: Countries, zone: str, report: Report) -> None:
        self._names, self._types, self._countries, self._zone, self._report = names, attributes, countries, zone, report
        self._atoms: dict[tuple[str, str, Operand], Compare] = {}
        """The comparisons that were made: equal ones are one object."""

    def type_of(self, attribute: str) -> AttributeType | None:
        """The type of a declared attribute."""
        return self._types.get(attribute)

    def check(self, expression: ast.Expression, module: str) -> Guard | None:
        """The typed guard of an expression."""
        match expression:
            case ast.Holds():
                return self._holds(expression, module)
            case ast.Comparison():
                return self._comparison(expression, module)
            case ast.Relation():
                message = f"`{expression.relation}` asks about the network, not about user, device or session"
                self._report.error("ZT209", message, expression.span, help="guards compare attributes; such questions stand in a `control`")
                return None
            case ast.Logic(operator=operator, parts=parts):
                checked = [self.check(part, module) for part in parts]
                known = [part for part in checked if part is not None]
                return _combine(operator, known) if len(known) == len(checked) else None

    def _attribute(self, word: ast.Word, module: str) -> str | None:
        symbol = self._names.resolve(word, module, ("attribute",), also=("now",))
        return symbol.name if symbol is not None and symbol.name in self._types else None

    def _holds(self, expression: ast.Holds, module: str) -> Guard | None:
        name = self._attribute(expression.attribute, module)
        if name is None:
            return None
        if self._types[name].kind != "bool":
            self._mismatch(
                expression.attribute, f"`{name}` is {types.text(self._types[name])}, not true or false", f"compare it: `{name} == …`"
            )
            return None
        return self._compare(name, "==", Constant(values=(True,)))

    def _comparison(self, expression: ast.Comparison, module: str) -> Guard | None:
        if expression.attribute.text == "now":
            return self._now(expression, module)
        name = self._attribute(expression.attribute, module)
        if name is None:
            return None
        kind = self._types[name]
        if expression.operator in ("<", "<=", ">", ">=") and not types.is_ordered(kind):
            self._mismatch(
                expression.attribute, f"`{name}` is {types.text(kind)}, which has no order", "compare it with `==`, `!=` or `in`"
            )
            return None
        operand = self._operand(expression, kind, module)
        return None if operand is None else self._compare(name, expression.operator, operand)

    def _compare(self, name: str, operator: str, operand: Operand) -> Compare:
        """A comparison. That `True` is `1` confuses no two: an attribute has one type."""
        asked = name, operator, operand
        if asked not in self._atoms:
            self._atoms[asked] = Compare(attribute=name, operator=types.operator(operator), operand=operand)
        return self._atoms[asked]

    def _now(self, expression: ast.Comparison, module: str) -> Guard | None:
        value = expression.values[0]
        name = self._attribute(value, module) if expression.operator in FLIPPED and value.kind == "NAME" else None
        if name is None or not isinstance(self._types[name], InstantType):
            self._mismatch(expression.attribute, "`now` is compared with an attribute that is an instant", "`now < session.valid-until`")
            return None
        return self._compare(name, FLIPPED[expression.operator], Now())

    def _operand(self, expression: ast.Comparison, kind: AttributeType, module: str) -> Operand | None:
        word = expression.values[0]
        if word.kind == "NAME" and len(expression.values) == 1 and not types.is_word_of(kind, word.text):
            if word.text == "now" and isinstance(kind, InstantType):
                return Now()
            if "." in word.text:
                return self._other(word, kind, module)
        values: list[Value] = []
        for each in expression.values:
            found = self.values(each, kind)
            if found is None:
                return None
            values.extend(found)
        return Constant(values=tuple(values))

    def _other(self, word: ast.Word, kind: AttributeType, module: str) -> Operand | None:
        name = self._attribute(word, module)
        if name is None:
            return None
        if self._types[name] != kind:
            self._mismatch(
                word, f"`{name}` is {types.text(self._types[name])}, the other side {types.text(kind)}", "compare attributes of one type"
            )
            return None
        return OtherAttribute(attribute=name)

    def values(self, word: ast.Word, kind: AttributeType) -> tuple[Value, ...] | None:
        """The values that a word stands for: one, or for a bloc its countries. Reports a word that is none."""
        if isinstance(kind, CountryType):
            return self._countries.resolve(word)
        try:
            return (types.value(kind, word, self._zone),)
        except types.NotAValue as error:
            choices = kind.values if isinstance(kind, EnumType) else ("true", "false") if kind.kind == "bool" else ()
            fixes = replace(word.span, near(word.text, choices))
            self._mismatch(word, f"`{word.text}` is no value of {types.text(kind)}", suggestion(word.text, choices, str(error)), fixes)
        except literals.BadLiteral as error:
            self._report.error("ZT213", f"`{word.text}` cannot be used: {error}", word.span)
        return None

    def _mismatch(self, word: ast.Word, message: str, help_: str, fixes: tuple[Fix, ...] = ()) -> None:
        self._report.error("ZT209", message, word.span, help=help_, fixes=fixes)


def _combine(operator: str, parts: list[Guard]) -> Guard:
    match operator:
        case "and":
            return all_of(*parts)
        case "or":
            return AnyOf(parts=tuple(parts))
        case "not":
            return Negation(part=parts[0])
        case _:
            return AnyOf(parts=(Negation(part=parts[0]), parts[1]))


def conjunction(parts: list[Guard]) -> Guard:
    """All of the guards; true where there are none."""
    return all_of(*parts) if parts else TRUE

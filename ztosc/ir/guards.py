"""Three-valued guards (Kleene): an atom over an attribute that is absent is unknown, which is `None` here."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping

from ztosc.ir.values import (
    AllOf,
    AnyOf,
    AttributeType,
    Compare,
    Constant,
    CountryType,
    EnumType,
    Guard,
    Negation,
    Now,
    OtherAttribute,
    Value,
)

Attributes = Mapping[str, Value]
Types = Mapping[str, AttributeType]
COMPARE: dict[str, Callable[[int, int], bool]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def evaluate(guard: Guard, attributes: Attributes, types: Types, instant: int) -> bool | None:
    """True, false, or `None` for unknown."""
    match guard:
        case Compare():
            return _compare(guard, attributes, types, instant)
        case Negation(part=part):
            value = evaluate(part, attributes, types, instant)
            return None if value is None else not value
        case AllOf(parts=parts):
            values = [evaluate(part, attributes, types, instant) for part in parts]
            return False if False in values else None if None in values else True
        case AnyOf(parts=parts):
            values = [evaluate(part, attributes, types, instant) for part in parts]
            return True if True in values else None if None in values else False


def _compare(atom: Compare, attributes: Attributes, types: Types, instant: int) -> bool | None:
    left = attributes.get(atom.attribute)
    right = _operand(atom, attributes, instant)
    if left is None or right is None:
        return None
    kind = types[atom.attribute]
    if atom.operator in ("==", "in"):
        return any(same(kind, left, value) for value in right)
    if atom.operator == "!=":
        return not any(same(kind, left, value) for value in right)
    return COMPARE[atom.operator](rank(kind, left), rank(kind, right[0]))


def _operand(atom: Compare, attributes: Attributes, instant: int) -> tuple[Value, ...] | None:
    match atom.operand:
        case Constant(values=values):
            return values
        case Now():
            return (instant,)
        case OtherAttribute(attribute=name):
            return (attributes[name],) if name in attributes else None


def same(kind: AttributeType, value: Value, wanted: Value) -> bool:
    """Equality; for countries a subdivision is in its country (`US-CA` equals `US`, not the reverse)."""
    if isinstance(kind, CountryType):
        return value == wanted or str(value).split("-", 1)[0] == wanted
    return value == wanted


def rank(kind: AttributeType, value: Value) -> int:
    """The number by which values of an ordered type compare."""
    if isinstance(kind, EnumType):
        return kind.values.index(str(value))
    return int(value)


def atoms(guard: Guard) -> Iterator[Compare]:
    """Every comparison in a guard."""
    match guard:
        case Compare():
            yield guard
        case Negation(part=part):
            yield from atoms(part)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for part in parts:
                yield from atoms(part)


def attributes_of(guard: Guard) -> frozenset[str]:
    """Every attribute that a guard asks for."""
    named = {atom.attribute for atom in atoms(guard)}
    others = {atom.operand.attribute for atom in atoms(guard) if isinstance(atom.operand, OtherAttribute)}
    return frozenset(named | others)


def text(guard: Guard) -> str:
    """The guard as the language writes it."""
    match guard:
        case Compare():
            return f"{guard.attribute} {guard.operator} {_operand_text(guard)}"
        case Negation(part=part):
            return f"not ({text(part)})"
        case AllOf(parts=parts):
            return " and ".join(_nested(part) for part in parts) or "always"
        case AnyOf(parts=parts):
            return " or ".join(_nested(part) for part in parts) or "never"


def _nested(guard: Guard) -> str:
    return f"({text(guard)})" if isinstance(guard, AnyOf | AllOf) and len(guard.parts) > 1 else text(guard)


def _operand_text(atom: Compare) -> str:
    match atom.operand:
        case Constant(values=values):
            return ", ".join(value_text(value) for value in values)
        case Now():
            return "now"
        case OtherAttribute(attribute=name):
            return name


def value_text(value: Value) -> str:
    """A value as the language writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)

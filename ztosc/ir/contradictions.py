"""Whether anybody can satisfy a guard, decided without a solver.

Guarantees: `contradicts` is true only for a guard that no values of its attributes make true; where attributes are compared with each
other or with the clock, or where a guard is too large, it says nothing. What it misses the verifier finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from ztosc.ir.guards import Types
from ztosc.ir.values import (
    AllOf,
    AnyOf,
    AttributeType,
    BoolType,
    Compare,
    Constant,
    CountryType,
    EnumType,
    Guard,
    Negation,
    RangeType,
    Value,
)

MAX_CASES = 1024
"""Combinations of alternatives that are looked at; a guard with more is taken to be satisfiable."""

Literal = tuple[Compare, bool]
"""A comparison, and whether it must hold or must not."""


def contradicts(guard: Guard, types: Types) -> bool:
    """Whether no values make a guard true."""
    try:
        return all(_impossible(case, types) for case in _cases(guard, True))
    except _TooMany:
        return False


class _TooMany(Exception):
    """More alternatives than are worth looking at."""


def _cases(guard: Guard, wanted: bool) -> list[tuple[Literal, ...]]:
    """The ways in which a guard comes out as wanted: of each, what must hold and what must not. Raises `_TooMany`."""
    match guard:
        case Compare():
            return [((guard, wanted),)]
        case Negation(part=part):
            return _cases(part, not wanted)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            found = [_cases(part, wanted) for part in parts]
            return _together(found) if isinstance(guard, AllOf) == wanted else _bounded([case for each in found for case in each])


def _together(found: list[list[tuple[Literal, ...]]]) -> list[tuple[Literal, ...]]:
    size = 1
    for each in found:
        size *= len(each)
        if size > MAX_CASES:
            raise _TooMany
    return [tuple(literal for case in combination for literal in case) for combination in product(*found)]


def _bounded(found: list[tuple[Literal, ...]]) -> list[tuple[Literal, ...]]:
    if len(found) > MAX_CASES:
        raise _TooMany
    return found


def _impossible(case: Iterable[Literal], types: Types) -> bool:
    """Whether some attribute has no value left."""
    asked: dict[str, list[Literal]] = {}
    for atom, wanted in case:
        if isinstance(atom.operand, Constant):
            asked.setdefault(atom.attribute, []).append((atom, wanted))
    return any(not _has_value(types[name], literals) for name, literals in asked.items() if name in types)


def _has_value(kind: AttributeType, literals: list[Literal]) -> bool:
    if isinstance(kind, CountryType):
        return _has_country(literals)
    return any(all(_holds(kind, value, atom) == wanted for atom, wanted in literals) for value in _candidates(kind, literals))


def _candidates(kind: AttributeType, literals: list[Literal]) -> Iterator[Value]:
    """Enough values of a type that if any satisfies the comparisons, one of these does."""
    match kind:
        case BoolType():
            yield from (True, False)
        case EnumType(values=values):
            yield from values
        case _:
            low, high = (kind.low, kind.high) if isinstance(kind, RangeType) else (0, 1 << 62)
            yield from (low, high)
            numbers = (int(value) for atom, _ in literals for value in _constants(atom))
            yield from (near for number in numbers for near in (number - 1, number, number + 1) if low <= near <= high)


def _constants(atom: Compare) -> tuple[Value, ...]:
    return atom.operand.values if isinstance(atom.operand, Constant) else ()


def _holds(kind: AttributeType, value: Value, atom: Compare) -> bool:
    constants = _constants(atom)
    match atom.operator:
        case "==" | "in":
            return value in constants
        case "!=":
            return value not in constants
        case _:
            ranks = [kind.values.index(str(each)) if isinstance(kind, EnumType) else int(each) for each in (value, constants[0])]
            return {"<": ranks[0] < ranks[1], "<=": ranks[0] <= ranks[1], ">": ranks[0] > ranks[1], ">=": ranks[0] >= ranks[1]}[
                atom.operator
            ]


def _has_country(literals: list[Literal]) -> bool:
    """A subdivision lies in its country: `US-CA` is `US` too, and what is not `US` is not `US-CA`."""
    inside = [set(map(str, _constants(atom))) for atom, wanted in literals if (atom.operator == "!=") != wanted]
    outside = {str(code) for atom, wanted in literals if (atom.operator == "!=") == wanted for code in _constants(atom)}
    if not inside:
        return True
    return any(all(_within(code, allowed) for allowed in inside) and not _within(code, outside) for code in set().union(*inside))


def _within(code: str, places: set[str]) -> bool:
    return code in places or code.split("-", 1)[0] in places

"""Guards as decision diagrams: for each, when it is true and when it is false; where neither, some attribute is absent.

Guarantees: an atom is read by `ir.guards.evaluate` itself, value by value, so nothing is interpreted twice; a value that the attribute's
type does not have counts as absent. Raises `TooLarge` where an attribute has more values than `WIDTH`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ztosc.ir.guards import Types, evaluate
from ztosc.ir.values import (
    AllOf,
    AnyOf,
    AttributeType,
    BoolType,
    Compare,
    CountryType,
    EnumType,
    Guard,
    Negation,
    OtherAttribute,
    RangeType,
    Value,
)
from ztosc.logic.diagrams import FALSE, Diagrams, TooLarge

WIDTH = 2_000
"""Values of one attribute."""

Truth = tuple[int, int]
"""(is true, is false) as diagrams."""


class Formulas:
    """Guards over attributes that each have a variable: 0 for absent, then `values` in their order."""

    def __init__(self, diagrams: Diagrams, types: Types, variables: Mapping[str, int], values: Mapping[str, tuple[Value, ...]]) -> None:
        self.diagrams, self.types, self.variables, self.values = diagrams, types, variables, values

    def truth(self, guard: Guard, instant: int) -> Truth:
        """When a guard is true at an instant, and when false."""
        diagrams = self.diagrams
        match guard:
            case Compare():
                return self._atom(guard, instant)
            case Negation(part=part):
                true, false = self.truth(part, instant)
                return false, true
            case AllOf(parts=parts):
                truths = [self.truth(part, instant) for part in parts]
                return diagrams.all(true for true, _ in truths), diagrams.any(false for _, false in truths)
            case AnyOf(parts=parts):
                truths = [self.truth(part, instant) for part in parts]
                return diagrams.any(true for true, _ in truths), diagrams.all(false for _, false in truths)

    def _atom(self, atom: Compare, instant: int) -> Truth:
        name = atom.attribute
        other = atom.operand.attribute if isinstance(atom.operand, OtherAttribute) else name
        if max(len(self.values[name]), len(self.values[other])) > WIDTH:
            raise TooLarge(f"`{name}` has more than {WIDTH} values that guards tell apart")
        if other == name:
            truths = [outcome(atom, {name: value}, self.types, instant) for value in self.values[name]]
            return self._where(name, truths, True), self._where(name, truths, False)
        true = false = FALSE
        for index, value in enumerate(self.values[name], 1):
            truths = [outcome(atom, {name: value, other: each}, self.types, instant) for each in self.values[other]]
            here = self.diagrams.where(self.variables[name], (index,))
            true = self.diagrams.either(true, self.diagrams.both(here, self._where(other, truths, True)))
            false = self.diagrams.either(false, self.diagrams.both(here, self._where(other, truths, False)))
        return true, false

    def _where(self, name: str, truths: Sequence[bool | None], wanted: bool) -> int:
        return self.diagrams.where(self.variables[name], {index for index, truth in enumerate(truths, 1) if truth is wanted})


def outcome(atom: Compare, attributes: Mapping[str, Value], types: Types, instant: int) -> bool | None:
    """The outcome of an atom; unknown where a value is none that its attribute's type has."""
    known = {name: value for name, value in attributes.items() if name in types and has(types[name], value)}
    return evaluate(atom, known, types, instant)


def has(kind: AttributeType, value: Value) -> bool:
    """Whether a type has a value."""
    match kind:
        case BoolType():
            return isinstance(value, bool)
        case EnumType(values=values):
            return value in values
        case CountryType():
            return isinstance(value, str)
        case RangeType(low=low, high=high):
            return not isinstance(value, bool | str) and low <= value <= high
        case _:
            return not isinstance(value, bool | str) and value >= 0

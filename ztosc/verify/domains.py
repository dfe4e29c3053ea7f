"""The values that an attribute may take, cut down to those that guards can tell apart, in ascending order.

Guarantees: if any values of the attributes satisfy a boolean combination of the given guards' atoms, values from here do, and for
each attribute the least such value is in here. *Absent* is a value too, but lives beside these.
"""

from __future__ import annotations

import string
from collections.abc import Iterable

from ztosc.ir.guards import Types, atoms, attributes_of, same
from ztosc.ir.values import BoolType, Compare, Constant, CountryType, EnumType, Guard, OtherAttribute, RangeType, Value

FRESH = tuple("X" + letter for letter in string.ascii_uppercase)
"""User-assigned codes (ISO 3166-1 §8.1.3): a country that no guard mentions."""


class Domains:
    """The attributes of some guards at one instant, as integers.

    Booleans are 0 and 1, words and countries their position, everything else itself. Attributes that are compared with each other
    may need values apart from each other: as many fresh countries, and as many steps around each constant, as there are attributes.
    """

    def __init__(self, guards: Iterable[Guard], types: Types, instant: int) -> None:
        guards = tuple(guards)
        self.types = types
        self.names = tuple(sorted({name for guard in guards for name in attributes_of(guard)}))
        self._atoms = tuple(atom for guard in guards for atom in atoms(guard))
        self.countries = self._countries()
        self._numbers = self._cut(instant)

    def values(self, name: str) -> tuple[Value, ...]:
        """The candidates of an attribute, least first."""
        match self.types[name]:
            case BoolType():
                return (False, True)
            case EnumType(values=values):
                return values
            case CountryType():
                return self.countries
            case _:
                low, high = self.bounds(name)
                return tuple(number for number in self._numbers if low <= number and (high is None or number <= high))

    def code(self, name: str, value: Value) -> int:
        """A value as an integer. Raises `ValueError` for a word that the type does not have."""
        match self.types[name]:
            case EnumType(values=values):
                return values.index(str(value))
            case CountryType():
                return self.countries.index(str(value))
            case _:
                return int(value)

    def equal(self, name: str, wanted: Value) -> tuple[int, ...]:
        """The codes of the values that `same` takes for `wanted`; only for types whose values are few."""
        return tuple(self.code(name, value) for value in self.values(name) if same(self.types[name], value, wanted))

    def bounds(self, name: str) -> tuple[int, int | None]:
        """The least and the greatest code; instants count from 1970 and durations are never negative, neither has a greatest."""
        match self.types[name]:
            case BoolType():
                return 0, 1
            case EnumType(values=values):
                return 0, len(values) - 1
            case CountryType():
                return 0, len(self.countries) - 1
            case RangeType(low=low, high=high):
                return low, high
            case _:
                return 0, None

    def few(self, name: str) -> bool:
        """Whether `values` is the whole of the type as far as guards can tell, and not a choice of numbers."""
        return isinstance(self.types[name], BoolType | EnumType | CountryType)

    def _countries(self) -> tuple[str, ...]:
        named = [name for name in self.names if isinstance(self.types[name], CountryType)]
        written = {str(value) for atom in self._atoms if atom.attribute in named for value in _constants(atom)}
        known = sorted(written | {code.split("-", 1)[0] for code in written})
        fresh = [code for code in FRESH if code not in known][: len(named)]
        if not any(isinstance(atom.operand, OtherAttribute) for atom in self._atoms if atom.attribute in named):
            return (*known, *fresh)
        # Two attributes can lie in one country, and yet neither equal the other.
        parts = [f"{code}-{part}" for code in (*known, *fresh) if "-" not in code for part in FRESH[: len(named)]]
        return (*known, *fresh, *sorted(set(parts) - set(known)))

    def _cut(self, instant: int) -> tuple[int, ...]:
        """Numbers within reach of a constant, of `now` or of a type's end, through a chain of strict comparisons."""
        named = [name for name in self.names if not self.few(name)]
        written = {int(value) for atom in self._atoms if atom.attribute in named for value in _constants(atom)}
        ends = {end for name in named for end in self.bounds(name) if end is not None}
        reach = len(named) + 1
        return tuple(sorted({number + step for number in written | ends | {instant} for step in range(-reach, reach + 1)}))


def _constants(atom: Compare) -> tuple[Value, ...]:
    return atom.operand.values if isinstance(atom.operand, Constant) else ()

"""Who an initiator may be, as decision diagrams: roles held and attributes present, over one network or several at once.

    encoding = Encoding(network)                    # or Encoding(old, new): one set of variables, one reading for each
    reading = encoding.readings[0]
    true, false = reading.truth(guard, instant)     # neither: unknown, because an attribute is absent
    reading.held(segment, role)                     # acts as the role in a segment, by itself or by another that includes it
    reading.apart(segment)                          # acts in no two roles that `separate` forbids together
    encoding.decoded(encoding.diagrams.least(node)) # (roles, attributes) as a principal has them

The variables are every role, in alphabetical order, as held (1) or not (0); then every attribute that a guard asks for, in alphabetical
order, with 0 for *absent* and `encoding.values[name][value - 1]` beyond. Numbers and countries are cut down to those that guards can tell
apart (of all the networks), each class standing there by its least member; `encoding.shown` gives the class.

Guarantees: a diagram is satisfiable if and only if some principal satisfies what it was made of, at the instant it was made for; guards that
speak of `now` are taken at an instant of the same phase as the one asked for (`moments`), which changes their meaning but not which
sets of them can be satisfied. In a joint encoding a value that an attribute's type does not have in one of the networks is there as good
as absent. Raises `TooLarge` where the values of an attribute, or a diagram, outgrow their budget.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from ztosc.ir.evaluate import Policy
from ztosc.ir.guards import evaluate
from ztosc.ir.network import Network
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
    Now,
    OtherAttribute,
    RangeType,
    Value,
)
from ztosc.logic.diagrams import BUDGET, FALSE, TRUE, Diagrams, TooLarge
from ztosc.verify import moments
from ztosc.verify.domains import Domains

WIDTH = 2_000
"""Values of one attribute."""

Truth = tuple[int, int]
"""(is true, is false) as diagrams."""


class Encoding:
    """The variables that some networks share."""

    def __init__(self, *networks: Network, budget: int = BUDGET) -> None:
        self.diagrams = Diagrams(budget)
        self.readings = tuple(Reading(self, network) for network in networks)
        if len(networks) > 1 and any(reading.thresholds for reading in self.readings):
            # What one network compares with a date, another may compare with `now`: both see the phases of both.
            joint = moments.thresholds(*networks)
            for reading in self.readings:
                reading.thresholds = joint if reading.thresholds else ()
        self.roles = tuple(sorted({role.name for network in networks for role in network.intent.roles}))
        self.role = {name: self.diagrams.variable(2) for name in self.roles}
        self.values: dict[str, tuple[Value, ...]] = dict(sorted(self._values().items()))
        self.attribute = {name: self.diagrams.variable(len(values) + 1) for name, values in self.values.items()}
        self.names = (*self.roles, *self.values)
        """The name of each variable."""

    def decoded(self, assignment: Mapping[int, int]) -> tuple[tuple[str, ...], tuple[tuple[str, Value], ...]]:
        """Roles that are held and attributes that are present, each in alphabetical order."""
        roles = tuple(name for name, variable in self.role.items() if assignment.get(variable))
        found = ((name, assignment.get(variable, 0)) for name, variable in self.attribute.items())
        return roles, tuple((name, self.values[name][value - 1]) for name, value in found if value)

    def shown(self, name: str, value: int) -> tuple[Value, Value | None] | None:
        """What a value of an attribute's variable stands for: `None` for absent; otherwise the least and the greatest (absent: none).

        Where attributes are compared with each other a number stands for itself alone.
        """
        if value == 0:
            return None
        values = self.values[name]
        least = values[value - 1]
        if isinstance(least, bool | str) or name in self._tied:
            return least, least
        return least, int(values[value]) - 1 if value < len(values) else self._greatest(name)

    def _greatest(self, name: str) -> int | None:
        types = [reading.policy.types[name] for reading in self.readings if name in reading.policy.types]
        ends = [kind.high if isinstance(kind, RangeType) else None for kind in types]
        return None if None in ends else max(end for end in ends if end is not None)

    # Values

    def _values(self) -> dict[str, tuple[Value, ...]]:
        """The values of each attribute, over groups of attributes that are compared with each other."""
        groups: dict[str, frozenset[str]] = {}
        for reading in self.readings:
            for atom in reading.atoms:
                names = [atom.attribute, *([atom.operand.attribute] if isinstance(atom.operand, OtherAttribute) else [])]
                merged = frozenset().union(*(groups.get(name, {name}) for name in names))
                groups.update(dict.fromkeys(merged, merged))
        self._tied = {name for name, group in groups.items() if len(group) > 1}
        found: dict[str, tuple[Value, ...]] = {}
        for group in set(groups.values()):
            found |= self._group(group)
        return found

    def _group(self, group: frozenset[str]) -> dict[str, tuple[Value, ...]]:
        found: dict[str, dict[tuple[type, Value], Value]] = {name: {} for name in group}  # True is 1 for Python, not here
        for reading in self.readings:
            types = reading.policy.types
            atoms = [atom for each in self.readings for atom in each.about(group) if each.fits(types, group)]
            for domains in (Domains(atoms, types, instant) for instant in self._instants(atoms)):
                for name in domains.names:
                    found[name] |= {(type(value), value): value for value in domains.values(name)}
        ordered = {name: _ordered(values.values()) for name, values in found.items()}
        return {name: values if len(group) > 1 else self._merged(name, values) for name, values in ordered.items()}

    def _instants(self, atoms: list[Compare]) -> list[int]:
        asked = any(isinstance(atom.operand, Now) for atom in atoms)
        instants = sorted({instant for reading in self.readings for instant in (reading.instants() if asked else (reading.at,))})
        return instants if asked else instants[:1]

    def _merged(self, name: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """Of neighbouring numbers that every atom treats alike, and of countries, the first."""
        if len(values) > WIDTH or isinstance(values[0], bool) or all(self._closed(reading, name) for reading in self.readings):
            return values
        signed = [(tuple(truth for reading in self.readings for truth in reading.signature(name, value)), value) for value in values]
        if isinstance(values[0], str):
            first: dict[object, Value] = {}
            for signature, value in signed:
                first.setdefault(signature, value)
            return tuple(first.values())
        return tuple(value for index, (signature, value) in enumerate(signed) if not index or signature != signed[index - 1][0])

    def _closed(self, reading: Reading, name: str) -> bool:
        return isinstance(reading.policy.types.get(name), BoolType | EnumType)


def _ordered(values: Iterable[Value]) -> tuple[Value, ...]:
    values = tuple(values)
    numbers = sorted(int(value) for value in values if not isinstance(value, bool | str))
    return (*(value for value in values if isinstance(value, bool | str)), *numbers)


class Reading:
    """One network's guards, roles and separations, over the variables of an encoding."""

    def __init__(self, encoding: Encoding, network: Network) -> None:
        self.encoding, self.diagrams = encoding, encoding.diagrams
        self.network, self.at = network, network.at
        self.policy = Policy(network.intent)
        self._keys: dict[int, int] = {}
        self._guards: list[Guard] = []
        self._known: dict[object, int] = {}
        self._truths: dict[tuple[int, int], Truth] = {}
        self._held: dict[tuple[tuple[str, ...], str], int] = {}
        self._apart: dict[tuple[str, ...], int] = {}
        for rule in network.intent.rules:
            self.key(rule.guard)
        for role in network.intent.roles:
            self.key(role.requires)
        self.thresholds = moments.thresholds(network) if any(self._now) else ()

    # Guards, by number

    def key(self, guard: Guard) -> int:
        """The number of a guard of this network: equal guards have the same."""
        found = self._keys.get(id(guard))
        if found is None:
            shape = _shape(guard)
            found = self._known.get(shape)
            if found is None:
                found = self._known[shape] = len(self._guards)
                self._guards.append(guard)
            self._keys[id(guard)] = found
        return found

    @cached_property
    def atoms(self) -> tuple[Compare, ...]:
        """Every distinct comparison in a guard of this network."""
        found: dict[object, Compare] = {}
        for guard in self._guards:
            for atom in _atoms(guard):
                found.setdefault(_shape(atom), atom)
        return tuple(found.values())

    @cached_property
    def _by_name(self) -> dict[str, list[Compare]]:
        found: dict[str, list[Compare]] = {}
        for atom in self.atoms:
            for name in {atom.attribute, *([atom.operand.attribute] if isinstance(atom.operand, OtherAttribute) else [])}:
                found.setdefault(name, []).append(atom)
        return found

    def about(self, names: frozenset[str]) -> list[Compare]:
        """The comparisons that ask for one of these attributes."""
        found = {id(atom): atom for name in sorted(names) for atom in self._by_name.get(name, ())}
        return list(found.values())

    def fits(self, types: Mapping[str, AttributeType], names: frozenset[str]) -> bool:
        """Whether the attributes are of the same family here as in `types`."""
        own = self.policy.types
        return all(name in types and _family(types[name]) == _family(own[name]) for name in names if name in own)

    def instants(self) -> tuple[int, ...]:
        """One instant for each phase that guards with `now` tell apart, from `at` on."""
        return (self.at, *(each for each in self.thresholds if each > self.at))

    def speaks_of_now(self, guard: Guard) -> bool:
        """Whether the truth of a guard depends on the instant."""
        return self._now[self.key(guard)]

    @cached_property
    def _now(self) -> list[bool]:
        return [any(isinstance(atom.operand, Now) for atom in _atoms(guard)) for guard in self._guards]

    def signature(self, name: str, value: Value) -> Iterator[bool | None]:
        """How every comparison with that attribute comes out, at every phase."""
        for atom in self._by_name.get(name, ()):
            for instant in self.instants() if isinstance(atom.operand, Now) else (self.at,):
                yield self._value(atom, {name: value}, instant)

    def truth(self, guard: Guard, instant: int) -> Truth:
        """When a guard is true, and when false. Raises `TooLarge`."""
        key = self.key(guard)
        phase = bisect.bisect_right(self.thresholds, instant) if self.thresholds and self._now[key] else -1
        found = self._truths.get((key, phase))
        if found is None:
            fixed = instant if phase < 0 else self.at if instant == self.at or phase == 0 else max(self.at, self.thresholds[phase - 1])
            found = self._truths[key, phase] = self._truth(self._guards[key], fixed)
        return found

    def _truth(self, guard: Guard, instant: int) -> Truth:
        diagrams = self.diagrams
        match guard:
            case Compare():
                return self._atom(guard, instant)
            case Negation(part=part):
                true, false = self._truth(part, instant)
                return false, true
            case AllOf(parts=parts):
                truths = [self._truth(part, instant) for part in parts]
                return diagrams.all(true for true, _ in truths), diagrams.any(false for _, false in truths)
            case AnyOf(parts=parts):
                truths = [self._truth(part, instant) for part in parts]
                return diagrams.any(true for true, _ in truths), diagrams.all(false for _, false in truths)

    def _atom(self, atom: Compare, instant: int) -> Truth:
        name = atom.attribute
        other = atom.operand.attribute if isinstance(atom.operand, OtherAttribute) else None
        variable, values = self.encoding.attribute[name], self.encoding.values[name]
        if max(len(self.encoding.values[each]) for each in (name, other or name)) > WIDTH:
            raise TooLarge(f"`{name}` has more than {WIDTH} values that guards tell apart")
        if other is None or other == name:
            truths = [self._value(atom, {name: value}, instant) for value in values]
            return self._where(variable, truths, True), self._where(variable, truths, False)
        true = false = FALSE
        for index, value in enumerate(values, 1):
            truths = [self._value(atom, {name: value, other: each}, instant) for each in self.encoding.values[other]]
            here, there = self.diagrams.where(variable, (index,)), self.encoding.attribute[other]
            true = self.diagrams.either(true, self.diagrams.both(here, self._where(there, truths, True)))
            false = self.diagrams.either(false, self.diagrams.both(here, self._where(there, truths, False)))
        return true, false

    def _where(self, variable: int, truths: Sequence[bool | None], wanted: bool) -> int:
        return self.diagrams.where(variable, {index for index, truth in enumerate(truths, 1) if truth is wanted})

    def _value(self, atom: Compare, attributes: Mapping[str, Value], instant: int) -> bool | None:
        """The outcome of an atom; unknown where a value is none that this network's type has."""
        types = self.policy.types
        known = {name: value for name, value in attributes.items() if name in types and _has(types[name], value)}
        return evaluate(atom, known, types, instant)

    # Roles

    def roles_from(self, segment: str) -> tuple[str, ...]:
        """The roles that people in a segment may act in, sorted; no other role they hold changes what a flow from there may do."""
        return self._roles_from.get(segment, ())

    @cached_property
    def _roles_from(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for name in sorted(self.policy.roles):
            for segment in dict.fromkeys(self.policy.roles[name].sources):
                found.setdefault(segment, []).append(name)
        known: dict[tuple[str, ...], tuple[str, ...]] = {}
        return {segment: known.setdefault(tuple(names), tuple(names)) for segment, names in found.items()}

    @cached_property
    def _holders(self) -> dict[str, tuple[str, ...]]:
        """By role, those that include it, itself too."""
        found: dict[str, set[str]] = {name: {name} for name in self.policy.roles}
        for role in self.network.intent.roles:
            for name in role.includes:
                found[name].add(role.name)
        return {name: tuple(sorted(each)) for name, each in found.items()}

    def held(self, segment: str, role: str) -> int:
        """Who acts as a role in a segment: nobody where it does not come from there."""
        return self._acting(self.roles_from(segment), role) if segment in self.policy.roles[role].sources else FALSE

    def _acting(self, chosen: tuple[str, ...], role: str) -> int:
        """Who holds a role, of the roles that can be chosen there."""
        key = (chosen, role)
        if key not in self._held:
            names = [name for name in self._holders[role] if name in chosen]
            self._held[key] = self.diagrams.any(self.diagrams.where(self.encoding.role[name], (1,)) for name in reversed(names))
        return self._held[key]

    def apart(self, segment: str, among: frozenset[int] | None = None) -> int:
        """Who acts in no two separated roles there; of roles outside `among` (variables), if given, none is held. Raises `TooLarge`."""
        chosen = self.roles_from(segment)
        if among is not None:
            chosen = tuple(name for name in chosen if self.encoding.role[name] in among)
        if chosen not in self._apart:
            found = TRUE
            for separation in self.network.intent.separations:
                found = self.diagrams.both(found, self._at_most_one([self._acting(chosen, name) for name in separation.roles]))
            self._apart[chosen] = found
        return self._apart[chosen]

    def _at_most_one(self, sets: list[int]) -> int:
        none, one = TRUE, FALSE
        for each in sets:
            if each != FALSE:
                one = self.diagrams.either(self.diagrams.without(one, each), self.diagrams.both(none, each))
                none = self.diagrams.without(none, each)
        return self.diagrams.either(none, one)


def _family(kind: AttributeType) -> str:
    return kind.kind if isinstance(kind, BoolType | EnumType | CountryType) else "number"


def _has(kind: AttributeType, value: Value) -> bool:
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


def _shape(guard: Guard) -> object:
    """A guard as nested tuples: cheaper to hash and to compare than the model."""
    match guard:
        case Compare(attribute=name, operator=operator, operand=operand):
            match operand:
                case Constant(values=values):
                    return name, operator, values, tuple(map(type, values))
                case OtherAttribute(attribute=other):
                    return name, operator, other
                case Now():
                    return name, operator
        case Negation(part=part):
            return "not", _shape(part)
        case AllOf(parts=parts):
            return "all", *map(_shape, parts)
        case AnyOf(parts=parts):
            return "any", *map(_shape, parts)


def _atoms(guard: Guard) -> Iterator[Compare]:
    if isinstance(guard, Compare):
        yield guard
    elif isinstance(guard, Negation):
        yield from _atoms(guard.part)
    else:
        for part in guard.parts:
            yield from _atoms(part)

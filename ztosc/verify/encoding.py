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

Guarantees: a diagram is satisfiable exactly where some principal satisfies what it was made of, at the instant it was made for; guards that
speak of `now` are taken at an instant of the same phase as the one asked for (`moments`), which changes their meaning but not which
sets of them can be satisfied. In a joint encoding a value that an attribute's type does not have in one of the networks is there as good
as absent. Raises `TooLarge` where the values of an attribute, or a diagram, outgrow their budget.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from ztosc.ir.evaluate import Policy
from ztosc.ir.guards import attributes_of
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
from ztosc.logic.diagrams import BUDGET, FALSE, TRUE, Diagrams
from ztosc.verify import moments
from ztosc.verify.domains import Domains
from ztosc.verify.formulas import WIDTH, Formulas, Truth, outcome


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
        self._keys: dict[int, tuple[int, Guard]] = {}  # with the guard, so that its id stays its own
        self._guards: list[Guard] = []
        self._now: list[bool] = []
        self._known: dict[object, int] = {}
        self._truths: dict[tuple[int, int], Truth] = {}
        self._held: dict[tuple[tuple[str, ...], str], int] = {}
        self._asked: dict[int, frozenset[str]] = {}
        self._apart: dict[tuple[str, ...], int] = {}
        for rule in network.intent.rules:
            self.key(rule.guard)
        for role in network.intent.roles:
            self.key(role.requires)
        self.thresholds = moments.thresholds(network) if any(self._now) else ()

    # Guards, by number

    def key(self, guard: Guard) -> int:
        """The number of a guard of this network: equal guards have the same."""
        known = self._keys.get(id(guard))
        if known is not None:
            return known[0]
        shape = _shape(guard)
        found = self._known.get(shape)
        if found is None:
            found = self._known[shape] = len(self._guards)
            self._guards.append(guard)
            self._now.append(any(isinstance(atom.operand, Now) for atom in _atoms(guard)))
        self._keys[id(guard)] = found, guard
        return found

    def knows(self, guard: Guard) -> bool:
        """Whether the variables were made with every comparison in a guard in mind."""
        return all(_shape(atom) in self._atoms for atom in _atoms(guard))

    def guard(self, key: int) -> Guard:
        """The guard of a number."""
        return self._guards[key]

    @cached_property
    def atoms(self) -> tuple[Compare, ...]:
        """Every distinct comparison in a guard of this network."""
        return tuple(self._atoms.values())

    @cached_property
    def _atoms(self) -> dict[object, Compare]:
        found: dict[object, Compare] = {}
        for guard in self._guards:
            for atom in _atoms(guard):
                found.setdefault(_shape(atom), atom)
        return found

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

    def asked(self, key: int) -> frozenset[str]:
        """The attributes that a guard, by its number, asks for."""
        if key not in self._asked:
            self._asked[key] = attributes_of(self._guards[key])
        return self._asked[key]

    def signature(self, name: str, value: Value) -> Iterator[bool | None]:
        """How every comparison with that attribute comes out, at every phase."""
        for atom in self._by_name.get(name, ()):
            for instant in self.instants() if isinstance(atom.operand, Now) else (self.at,):
                yield outcome(atom, {name: value}, self.policy.types, instant)

    def truth(self, guard: Guard, instant: int) -> Truth:
        """When a guard is true, and when false. Raises `TooLarge`."""
        return self.truth_of(self.key(guard), instant)

    def truth_of(self, key: int, instant: int) -> Truth:
        """The same for a guard by its number."""
        fixed = self.phase(instant) if self._now[key] else 0
        found = self._truths.get((key, fixed))
        if found is None:
            found = self._truths[key, fixed] = self._formulas.truth(self._guards[key], fixed)
        return found

    def phase(self, instant: int) -> int:
        """The instant that stands for all those that guards with `now` do not tell apart from this one."""
        if instant == self.at or not self.thresholds:
            return self.at
        phase = bisect.bisect_right(self.thresholds, instant)
        return max(self.at, self.thresholds[phase - 1]) if phase else self.at

    def speaks(self, key: int) -> bool:
        """Whether the truth of a guard, by its number, depends on the instant."""
        return self._now[key]

    @cached_property
    def _formulas(self) -> Formulas:
        return Formulas(self.diagrams, self.policy.types, self.encoding.attribute, self.encoding.values)

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

    def holders(self, role: str) -> tuple[str, ...]:
        """The role itself and those that include it, sorted."""
        return self._holders[role]

    def held(self, segment: str, role: str) -> int:
        """Who acts as a role in a segment: nobody where it does not come from there."""
        return self.acting(self.roles_from(segment), role) if segment in self.policy.roles[role].sources else FALSE

    def acting(self, chosen: tuple[str, ...], role: str) -> int:
        """Who holds a role, of the roles that can be chosen there."""
        key = (chosen, role)
        if key not in self._held:
            names = [name for name in self.holders(role) if name in chosen]
            self._held[key] = self.diagrams.any(self.diagrams.where(self.encoding.role[name], (1,)) for name in reversed(names))
        return self._held[key]

    def apart(self, segment: str) -> int:
        """Who acts in no two separated roles there. Raises `TooLarge`."""
        return self.apart_among(self.roles_from(segment))

    def apart_among(self, chosen: tuple[str, ...]) -> int:
        """The same where just these roles can be chosen."""
        if chosen not in self._apart:
            found = TRUE
            for roles in self.separated(chosen):
                found = self.diagrams.both(found, self._at_most_one([self.acting(chosen, name) for name in roles]))
            self._apart[chosen] = found
        return self._apart[chosen]

    def separated(self, chosen: Iterable[str]) -> list[tuple[str, ...]]:
        """The separations in which whoever chooses among some roles may come to act, in their order."""
        numbers = {number for name in chosen for number in self._separations.get(name, ())}
        return [self.network.intent.separations[number].roles for number in sorted(numbers)]

    @cached_property
    def _separations(self) -> dict[str, list[int]]:
        """By role that can be chosen, in which separations it or one that it includes stands."""
        found: dict[str, list[int]] = {}
        for number, separation in enumerate(self.network.intent.separations):
            for name in {holder for role in separation.roles for holder in self.holders(role)}:
                found.setdefault(name, []).append(number)
        return found

    def _at_most_one(self, sets: list[int]) -> int:
        none, one = TRUE, FALSE
        for each in sets:
            if each != FALSE:
                one = self.diagrams.either(self.diagrams.without(one, each), self.diagrams.both(none, each))
                none = self.diagrams.without(none, each)
        return self.diagrams.either(none, one)


def _family(kind: AttributeType) -> str:
    return kind.kind if isinstance(kind, BoolType | EnumType | CountryType) else "number"


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

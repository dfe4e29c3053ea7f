"""Which rules and ends of flows a change can have changed the meaning of: everything else is the same, and need not be looked at.

Guarantees: an end that is not named here is decided alike by both networks, for every flow. It costs a look at every rule's id, and more
only for those that differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ztosc.ir.flow import Place
from ztosc.ir.guards import attributes_of
from ztosc.ir.intent import Intent, Role, Rule
from ztosc.ir.values import Guard

Name = tuple[str, str]
"""A kind of reference and a name."""

EVERYWHERE: Name = ("segments", "*")


@dataclass(frozen=True)
class Touched:
    """What may mean something else. `rules` are ids of either network; `everything`: every end has to be looked at."""

    names: frozenset[Name]
    attributes: frozenset[str]
    rules: frozenset[str]
    everything: bool


def touched(old: Intent, new: Intent) -> Touched:
    """What differs between two networks, as far as it can matter to a flow."""
    attributes = frozenset(_changed({each.name: each.type for each in old.attributes}, {each.name: each.type for each in new.attributes}))
    names = frozenset(_names(old, new, attributes))
    rules = frozenset(_rules(old, new, names, attributes))
    return Touched(names, attributes, rules, _separated_otherwise(old, new))


def _separated_otherwise(old: Intent, new: Intent) -> bool:
    """Whether somebody may be kept out everywhere by `separate` in one network and not in the other."""
    if _separations(old) != _separations(new):
        return True
    return bool(old.separations) and {role.name: _holding(role) for role in old.roles} != {role.name: _holding(role) for role in new.roles}


def _separations(intent: Intent) -> set[frozenset[str]]:
    return {frozenset(each.roles) for each in intent.separations}


def _changed(old: dict[str, Any], new: dict[str, Any]) -> set[str]:
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def _names(old: Intent, new: Intent, attributes: frozenset[str]) -> Iterator[Name]:
    before, after = ({each.name: each for each in intent.segments} for intent in (old, new))
    if before.keys() != after.keys():
        yield EVERYWHERE
    for name in before.keys() | after.keys():
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            yield "segment", name
        for kind in ("carries", "admits"):
            differing = set(getattr(one, kind, ())) ^ set(getattr(other, kind, ()))
            yield from (("label" if kind == "carries" else "device", each) for each in differing)
            if differing and kind == "carries":
                yield "segment", name  # rules about its labels are about its ends
    services = _changed(*({each.name: (each.segment, each.listen) for each in intent.services} for intent in (old, new)))
    yield from (("service", name) for name in services)
    yield from (("external", name) for name in _changed(*({each.name: True for each in intent.externals} for intent in (old, new))))
    yield from (("system", name) for name in _changed(*({each.name: each.listen for each in intent.systems} for intent in (old, new))))
    yield from (("role", name) for name in _roles(old, new, attributes))


def _roles(old: Intent, new: Intent, attributes: frozenset[str]) -> Iterator[str]:
    """Roles that others hold, that come from elsewhere or that require something else; of one that includes others, those too."""
    before, after = ({each.name: each for each in intent.roles} for intent in (old, new))
    for name in before.keys() | after.keys():
        one, other = before.get(name), after.get(name)
        if one is None or other is None or _holding(one) != _holding(other):
            yield name
            yield from (each for role in (one, other) if role is not None for each in role.includes)
        elif one.requires != other.requires or _asks(one.requires, attributes):
            yield name


def _holding(role: Role) -> tuple[frozenset[str], frozenset[str]]:
    return frozenset(role.sources), frozenset(role.includes)


def _asks(guard: Guard, attributes: frozenset[str]) -> bool:
    return bool(attributes) and not attributes.isdisjoint(attributes_of(guard))


def _rules(old: Intent, new: Intent, names: frozenset[Name], attributes: frozenset[str]) -> Iterator[str]:
    before, after = ({rule.id: rule for rule in intent.rules} for intent in (old, new))
    gone = {_meaning(before[name]): before[name] for name in before.keys() - after.keys()}
    come = {_meaning(after[name]): after[name] for name in after.keys() - before.keys()}
    yield from (rule.id for meaning, rule in gone.items() if meaning not in come)
    yield from (rule.id for meaning, rule in come.items() if meaning not in gone)
    if names or attributes:
        for rule in (*old.rules, *new.rules):
            if _speaks_of(rule, names) or _asks(rule.guard, attributes):
                yield rule.id


def _meaning(rule: Rule) -> object:
    """What of a rule decides flows."""
    ends = tuple(frozenset((ref.kind, ref.name) for ref in refs) for refs in (rule.subjects, rule.targets))
    return rule.effect, ends, rule.ports, rule.guard, rule.validity


def _speaks_of(rule: Rule, names: frozenset[Name]) -> bool:
    return any((ref.kind, ref.name) in names for refs in (rule.subjects, rule.targets) for ref in refs)


def ends(found: Touched, old: Intent, new: Intent) -> tuple[Place, ...]:
    """Every end of a flow that may be decided otherwise, of either network."""
    rules = (rule for intent in (old, new) for rule in intent.rules if rule.id in found.rules)
    named: set[Name] = {*found.names, *((ref.kind, ref.name) for rule in rules for ref in rule.targets)}
    places: dict[Place, None] = {}
    for intent in (old, new):
        carried = {each.name: {("label", label) for label in each.carries} for each in intent.segments}
        for end in _ends(intent):
            names = {(end.kind, end.name), ("service", end.service or ""), *(carried[end.name] if end.kind == "segment" else ())}
            if found.everything or not named.isdisjoint(names):
                places[end] = None
    return tuple(places)


def _ends(intent: Intent) -> Iterator[Place]:
    yield from (Place(kind="segment", name=each.name) for each in intent.segments)
    yield from (Place(kind="segment", name=each.segment, service=each.name) for each in intent.services)
    yield from (Place(kind="external", name=each.name) for each in intent.externals)
    yield from (Place(kind="system", name=each.name) for each in intent.systems)

"""The question whether somebody may, as a formula over roles held, attributes present, and their values.

Terms are nested tuples: `("and", …)`, `("or", …)`, `("not", t)`, `("=", a, b)`, `("<=", a, b)`, `("*", a, b)`, `("div", a, b)`, whole
numbers, `True`, `False`, and names of variables as texts. `|role R|` and `|has A|` are booleans, `|A|` and `now` whole numbers.

Guarantees: means what `ir.evaluate` means; a conjunction of named parts, each of which can be compared with that of a text.

Values as numbers: `false` and `true` 0 and 1, a word its place in its type, a country `XY-abc` the number of `XY` (base 26) times 37³ plus
that of `abc` (base 37, `A` being 1 and `0` being 27, nothing 0), everything else itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from ztosc.ir.flow import Place
from ztosc.ir.guards import atoms, attributes_of
from ztosc.ir.intent import Rule
from ztosc.ir.values import (
    AllOf,
    AnyOf,
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
    Ref,
    Value,
)
from ztosc.recheck.clock import TooMuch
from ztosc.recheck.names import Names, Who

Term = Any
PARTS = 37**3
DIGITS = " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


def conjunction(terms: Iterable[Term]) -> Term:
    """`and`, without what does not matter."""
    found = [term for term in terms if term is not True]
    return False if any(term is False for term in found) else True if not found else found[0] if len(found) == 1 else ("and", *found)


def disjunction(terms: Iterable[Term]) -> Term:
    """`or`, without what does not matter."""
    found = [term for term in terms if term is not False]
    return True if any(term is True for term in found) else False if not found else found[0] if len(found) == 1 else ("or", *found)


def negation(term: Term) -> Term:
    """`not`."""
    return not term if isinstance(term, bool) else term[1] if isinstance(term, tuple) and term[0] == "not" else ("not", term)


class Formula:
    """The named parts of one question."""

    def __init__(
        self,
        names: Names,
        source: Place,
        who: Who,
        allows: tuple[Rule, ...],
        denies: tuple[Rule, ...],
        free: bool,
        outside: tuple[Ref, ...],
    ) -> None:
        self.names, self.source, self.who = names, source, who
        self.types = names.policy.types
        guards = [names.policy.effective_guard(rule, ref) for rule in (*allows, *denies) for ref in rule.subjects if self._may_be(ref)]
        self.attributes = sorted({name for guard in guards for name in attributes_of(guard)})
        self.speaks_of_now = any(isinstance(atom.operand, Now) for guard in guards for atom in atoms(guard))
        self.roles = names.roles_from(source) if who.kind == "person" else ()
        self.parts: dict[str, Term] = dict(self._parts(allows, denies, free, outside))

    def _may_be(self, ref: Ref) -> bool:
        return self.names.may_be(ref, self.source, self.who)

    def _parts(
        self, allows: tuple[Rule, ...], denies: tuple[Rule, ...], free: bool, outside: tuple[Ref, ...]
    ) -> Iterator[tuple[str, Term]]:
        for name in self.attributes:
            yield f"range {name}", self._range(name)
        if self.who.role:
            yield f"holds {self.who.role}", f"role {self.who.role}" if self.who.role in self.roles else False
        if self.who.kind == "person":
            for number, each in enumerate(self.names.intent.separations):
                pairs = [(a, b) for index, a in enumerate(each.roles) for b in each.roles[index + 1 :]]
                yield f"apart {number}", conjunction(negation(conjunction([self._held(a), self._held(b)])) for a, b in pairs)
        for number, ref in enumerate(outside):
            yield f"outside {number}", negation(self._is(ref))
        yield "granted", disjunction([*(self._fires(rule) for rule in allows), free])
        for number, rule in enumerate(denies):
            yield f"denied {number}", negation(self._fires(rule))

    def _fires(self, rule: Rule) -> Term:
        """An allow needs *true*, a deny anything but *false*."""
        found = []
        for ref in rule.subjects:
            true, false = self._truth(self.names.policy.effective_guard(rule, ref)) if self._may_be(ref) else (False, True)
            found.append(conjunction([self._is(ref), true if rule.effect == "allow" else negation(false)]))
        return disjunction(found)

    def _is(self, ref: Ref) -> Term:
        if not self._may_be(ref):
            return False
        return self._held(ref.name) if ref.kind == "role" else True

    def _held(self, role: str) -> Term:
        """Acted in: held, or included in one that is."""
        roles = self.names.policy.roles
        return disjunction(f"role {name}" for name in self.roles if role in (name, *roles[name].includes))

    def _range(self, name: str) -> Term:
        match self.types[name]:
            case BoolType():
                return ("and", ("<=", 0, name), ("<=", name, 1))
            case EnumType(values=values):
                return ("and", ("<=", 0, name), ("<=", name, len(values) - 1))
            case CountryType():
                return ("and", ("<=", 0, name), ("<=", name, 26 * 26 * PARTS - 1))
            case RangeType(low=low, high=high):
                return ("and", ("<=", low, name), ("<=", name, high))
            case _:
                return ("<=", 0, name)

    def _truth(self, guard: Guard) -> tuple[Term, Term]:
        """When a guard is true, and when it is false; otherwise it is unknown."""
        match guard:
            case Compare():
                others = [f"has {guard.operand.attribute}"] if isinstance(guard.operand, OtherAttribute) else []
                known, holds = [f"has {guard.attribute}", *others], self._holds(guard)
                return conjunction([*known, holds]), conjunction([*known, negation(holds)])
            case Negation(part=part):
                true, false = self._truth(part)
                return false, true
            case AllOf(parts=parts) | AnyOf(parts=parts):
                truths = [self._truth(part) for part in parts]
                one, other = (conjunction, disjunction) if isinstance(guard, AllOf) else (disjunction, conjunction)
                return one(true for true, _ in truths), other(false for _, false in truths)

    def _holds(self, atom: Compare) -> Term:
        name = atom.attribute
        if atom.operator in ("==", "in", "!="):
            equal = disjunction(self._equal(atom))
            return negation(equal) if atom.operator == "!=" else equal
        right: Term = "now"
        if isinstance(atom.operand, Constant):
            right = self._code(name, atom.operand.values[0])
        elif isinstance(atom.operand, OtherAttribute):
            right = atom.operand.attribute
        less = {"<=": ("<=", name, right), ">": ("not", ("<=", name, right)), ">=": ("<=", right, name), "<": ("not", ("<=", right, name))}
        return less[atom.operator]

    def _equal(self, atom: Compare) -> Iterator[Term]:
        name, country = atom.attribute, isinstance(self.types[atom.attribute], CountryType)
        match atom.operand:
            case Constant(values=values):
                for value in values:
                    code = self._code(name, value)
                    whole = country and "-" not in str(value)
                    yield conjunction([("<=", code, name), ("<=", name, code + PARTS - 1)]) if whole else ("=", name, code)
            case OtherAttribute(attribute=other):
                yield ("=", name, other)
                if country:
                    yield ("=", ("*", PARTS, ("div", name, PARTS)), other)
            case Now():
                yield ("=", name, "now")

    def _code(self, name: str, value: Value) -> int:
        match self.types[name]:
            case EnumType(values=values):
                return values.index(str(value))
            case CountryType():
                return country_code(str(value))
            case _:
                return int(value)


def country_code(text: str) -> int:
    """The number of a country or a part of one."""
    found = re.fullmatch(r"([A-Z])([A-Z])(?:-([A-Z0-9]{1,3}))?", text)
    if not found:
        raise TooMuch(f"no number for the country `{text[:40]}`")
    part = 0
    for letter in (found[3] or "").ljust(3):
        part = part * 37 + DIGITS.index(letter)
    return (DIGITS.index(found[1]) - 1) * 26 * PARTS + (DIGITS.index(found[2]) - 1) * PARTS + part

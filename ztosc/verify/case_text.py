"""The question whether a kind of initiator may, as SMT-LIB text for a certificate.

Guarantees: one named assertion for each thing that the network says (docs/decisions/0024); the text alone, without Z3 or this program, is
what a solver answers. What cannot be said (a country that is no ISO 3166 code) raises `Unsupported`.

A guard becomes two terms, *is true* and *is false*, as in `symbolic`. Values are numbers: words by their place in their type, countries as
`recheck.formula` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Person
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
from ztosc.verify.scope import Unsupported, roles_from
from ztosc.verify.symbolic import Case

PART = 37**3
"""Numbers of a country: one for each of its parts, and the first for the country itself."""
COUNTRY = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


def text(policy: Policy, case: Case, must: tuple[str, ...]) -> str:
    """A case as text; `must` are roles that are held in any case."""
    return _Text(policy, case, must).render()


class _Text:
    def __init__(self, policy: Policy, case: Case, must: tuple[str, ...]) -> None:
        self.policy, self.case, self.must = policy, case, must
        self.person = isinstance(case.probe.principal, Person)
        self.chosen = roles_from(policy, case.probe.source.name) if self.person else ()
        asked = [(rule, ref) for rule in (*case.allows, *case.denies) for ref in rule.subjects if self._fits(ref)]
        guards = [policy.effective_guard(rule, ref) for rule, ref in asked]
        self.attributes = sorted({name for guard in guards for name in attributes_of(guard)})
        self.now = any(isinstance(atom.operand, Now) for guard in guards for atom in atoms(guard))

    def render(self) -> str:
        lines = ["(set-logic ALL)", *(f"(declare-const |role {name}| Bool)" for name in self.chosen)]
        lines += [line for name in self.attributes for line in (f"(declare-const |has {name}| Bool)", f"(declare-const |{name}| Int)")]
        lines += ["(declare-const |now| Int)"] if self.now else []
        lines += [f"(assert (! {term} :named |{name}!|))" for name, term in self._named()]
        return "\n".join([*lines, "(check-sat)"]) + "\n"

    def _named(self) -> Iterator[tuple[str, str]]:
        case = self.case
        yield from ((f"range {name}", self._range(name)) for name in self.attributes)
        yield from ((f"holds {name}", f"|role {name}|" if name in self.chosen else "false") for name in self.must)
        if self.person:
            for number, each in enumerate(self.policy.intent.separations):
                pairs = [(a, b) for i, a in enumerate(each.roles) for b in each.roles[i + 1 :]]
                yield f"apart {number}", _all(f"(not {_all([self._held(a), self._held(b)])})" for a, b in pairs)
        yield from ((f"outside {number}", f"(not {self._subject(ref)})") for number, ref in enumerate(case.outside))
        yield "granted", _any([*(self._fires(rule) for rule in case.allows), "true" if case.free else "false"])
        yield from ((f"denied {number}", f"(not {self._fires(rule)})") for number, rule in enumerate(case.denies))
        if self.now:
            yield "now", f"(<= {case.probe.instant} |now|)"

    def _fits(self, ref: Ref) -> bool:
        probe = self.case.probe
        if ref.kind == "role":
            return self.person and probe.source.kind == "segment" and probe.source.name in self.policy.roles[ref.name].sources
        return self.policy.is_subject(ref, probe)

    def _subject(self, ref: Ref) -> str:
        if not self._fits(ref):
            return "false"
        return self._held(ref.name) if ref.kind == "role" else "true"

    def _held(self, role: str) -> str:
        return _any(f"|role {name}|" for name in self.chosen if role in (name, *self.policy.roles[name].includes))

    def _fires(self, rule: Rule) -> str:
        parts = []
        for ref in (ref for ref in rule.subjects if self._fits(ref)):
            true, false = self._truth(self.policy.effective_guard(rule, ref))
            parts.append(_all([self._subject(ref), true if rule.effect == "allow" else f"(not {false})"]))
        return _any(parts)

    def _range(self, name: str) -> str:
        match self.policy.types[name]:
            case BoolType():
                high: int | None = 1
                low = 0
            case EnumType(values=values):
                low, high = 0, len(values) - 1
            case CountryType():
                low, high = 0, 26 * 26 * PART - 1
            case RangeType():
                low, high = self.policy.types[name].low, self.policy.types[name].high  # type: ignore[union-attr]
            case _:
                low, high = 0, None
        return _all([f"(<= {low} |{name}|)", *([f"(<= |{name}| {high})"] if high is not None else [])])

    def _truth(self, guard: Guard) -> tuple[str, str]:
        match guard:
            case Compare():
                names = [guard.attribute, *([guard.operand.attribute] if isinstance(guard.operand, OtherAttribute) else [])]
                known, holds = [f"|has {name}|" for name in names], self._holds(guard)
                return _all([*known, holds]), _all([*known, f"(not {holds})"])
            case Negation(part=part):
                true, false = self._truth(part)
                return false, true
            case AllOf(parts=parts):
                truths = [self._truth(part) for part in parts]
                return _all(true for true, _ in truths), _any(false for _, false in truths)
            case AnyOf(parts=parts):
                truths = [self._truth(part) for part in parts]
                return _any(true for true, _ in truths), _all(false for _, false in truths)

    def _holds(self, atom: Compare) -> str:
        left = f"|{atom.attribute}|"
        match atom.operator:
            case "==" | "in":
                return self._equal(atom)
            case "!=":
                return f"(not {self._equal(atom)})"
            case "<=":
                return f"(<= {left} {self._right(atom)})"
            case ">=":
                return f"(<= {self._right(atom)} {left})"
            case "<":
                return f"(not (<= {self._right(atom)} {left}))"
            case ">":
                return f"(not (<= {left} {self._right(atom)}))"

    def _equal(self, atom: Compare) -> str:
        left, country = f"|{atom.attribute}|", isinstance(self.policy.types[atom.attribute], CountryType)
        if isinstance(atom.operand, Constant):
            return _any(self._is(atom.attribute, value, country) for value in atom.operand.values)
        right = self._right(atom)
        part_of = [f"(= (* {PART} (div {left} {PART})) {right})"] if country else []
        return _any([f"(= {left} {right})", *part_of])

    def _is(self, name: str, value: Value, country: bool) -> str:
        code = self._code(name, value)
        if country and "-" not in str(value):
            return _all([f"(<= {code} |{name}|)", f"(<= |{name}| {code + PART - 1})"])
        return f"(= |{name}| {code})"

    def _right(self, atom: Compare) -> str:
        match atom.operand:
            case Constant(values=values):
                return str(self._code(atom.attribute, values[0]))
            case OtherAttribute(attribute=name):
                return f"|{name}|"
            case Now():
                return "|now|"

    def _code(self, name: str, value: Value) -> int:
        match self.policy.types[name]:
            case EnumType(values=values):
                return values.index(str(value))
            case CountryType():
                return _country(str(value))
            case _:
                return int(value)


def _country(code: str) -> int:
    if not COUNTRY.fullmatch(code):
        raise Unsupported(f"`{code}` has no number in a certificate")
    whole = (ord(code[0]) - 65) * 26 + ord(code[1]) - 65
    digits = [0 if each == " " else ord(each) - 64 if each.isalpha() else int(each) + 27 for each in code[3:].ljust(3)]
    return whole * PART + digits[0] * 37**2 + digits[1] * 37 + digits[2]


def _all(terms: Iterable[str]) -> str:
    found = [term for term in terms if term != "true"]
    return "true" if not found else found[0] if len(found) == 1 else f"(and {' '.join(found)})"


def _any(terms: Iterable[str]) -> str:
    found = [term for term in terms if term != "false"]
    return "false" if not found else found[0] if len(found) == 1 else f"(or {' '.join(found)})"

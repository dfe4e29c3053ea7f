"""Questions as SMT-LIB 2 text: what the second engine is asked, and what a certificate holds.

    (declare-const |present user.risk| Bool)          one pair for each attribute that a guard asks for
    (declare-const |value user.risk| Int)
    (declare-const |role nurse| Bool)                 one for each role that can be chosen
    (define-fun |true 3| () Bool …)                   guard 3 is true; |false 3|: it is false; neither: an attribute is absent
    (push 1)
    (assert (! … :named q0))                          there is somebody …
    (check-sat)                                       … if sat
    (pop 1)

Guarantees: the text depends on the questions alone, is the same on every machine, and shares nothing with the diagrams: values are whole
numbers without a bound but those of their type, a country is a number and its subdivision another, and nothing is cut down to
representatives. Names stand between bars, which no name of the language contains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

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
from ztosc.verify.answers import Question, Term
from ztosc.verify.encoding import Reading

HEAD = "(set-logic QF_LIA)"


class Script:
    """One text for some questions of a network."""

    def __init__(self, reading: Reading, questions: Sequence[Question]) -> None:
        self.reading, self.questions = reading, questions
        self.types = reading.policy.types
        self._codes: dict[str, int] = {}
        self._guards: dict[tuple[int, int], str] = {}
        self._definitions: list[str] = []
        self._apart: dict[tuple[str, ...], str] = {}

    def text(self, *, rlimit: int | None = None) -> str:
        """The whole text; with a limit on the steps of each check, if one is given."""
        asked = [line for number, question in enumerate(self.questions) for line in self._asked(number, question)]
        limit = [f"(set-option :rlimit {rlimit})"] if rlimit is not None else []
        return "\n".join([*limit, HEAD, *self._declarations(), *self._definitions, *asked, ""])

    def _asked(self, number: int, question: Question) -> list[str]:
        return ["(push 1)", f"(assert (! {self.formula(question)} :named q{number}))", "(check-sat)", "(pop 1)"]

    def _declarations(self) -> Iterator[str]:
        roles = sorted({name for question in self.questions for name in question.chosen or ()})
        yield from (f"(declare-const {_role(name)} Bool)" for name in roles)
        keys = sorted({key for key, _ in self._guards})
        for name in sorted({name for key in keys for name in self.reading.asked(key)}):
            yield f"(declare-const {_present(name)} Bool)"
            yield f"(declare-const {_value(name)} Int)"
            yield f"(assert {_range(name, self.types[name])})"
            if isinstance(self.types[name], CountryType):
                yield f"(declare-const {_part(name)} Int)"
                yield f"(assert (>= {_part(name)} 0))"

    # Questions

    def formula(self, question: Question) -> str:
        """That there is somebody."""
        allowed = "true" if question.free else _any(self._meets(term, question) for term in sorted(question.allows))
        parts = [allowed, *(_not(self._denied(term, question)) for term in sorted(question.denies))]
        parts += [_not(self._held(role, question)) for role in question.outside]
        parts += [_role(question.must)] if question.must else []
        return _all([*parts, *self._separated(question)])

    def _meets(self, term: Term, question: Question) -> str:
        parts = [self._held(term.role, question)] if term.role else []
        keys = [term.guard, *([term.requires] if term.requires is not None else [])]
        return _all([*parts, *(self._truth(key, question.instant)[0] for key in keys)])

    def _denied(self, term: Term, question: Question) -> str:
        unless = _not(self._truth(term.guard, question.instant)[1])
        return _all([self._held(term.role, question), unless]) if term.role else unless

    def _held(self, role: str, question: Question) -> str:
        """The role itself or one that includes it, of those that can be chosen."""
        chosen = set(question.chosen or ())
        return _any(_role(name) for name in self.reading.holders(role) if name in chosen)

    def _separated(self, question: Question) -> Iterator[str]:
        """No two separated roles; of roles that no rule here speaks of none is held, which only widens what is left."""
        named = [term.role for term in (*question.allows, *question.denies)] + [*question.outside, question.must]
        matter = {name for role in named if role for name in self.reading.holders(role)} & set(question.chosen or ())
        for roles in self.reading.separated(matter):
            held = [_any(_role(name) for name in self.reading.holders(role) if name in matter) for role in roles]
            held = [each for each in held if each != "false"]
            if len(held) > 1:
                yield f"((_ at-most 1) {' '.join(held)})"

    # Guards

    def _truth(self, key: int, instant: int) -> tuple[str, str]:
        """The names of a guard's two formulas."""
        instant = self.reading.phase(instant) if self.reading.speaks(key) else 0
        if (key, instant) not in self._guards:
            name = self._guards[key, instant] = f"{key}@{instant}" if instant else str(key)
            true, false = self._formulas(self.reading.guard(key), instant)
            self._definitions += [f"(define-fun |true {name}| () Bool {true})", f"(define-fun |false {name}| () Bool {false})"]
        name = self._guards[key, instant]
        return f"|true {name}|", f"|false {name}|"

    def _formulas(self, guard: Guard, instant: int) -> tuple[str, str]:
        match guard:
            case Compare():
                known, holds = self._known(guard), self._holds(guard, instant)
                return _all([*known, holds]), _all([*known, _not(holds)])
            case Negation(part=part):
                true, false = self._formulas(part, instant)
                return false, true
            case AllOf(parts=parts):
                both = [self._formulas(part, instant) for part in parts]
                return _all(true for true, _ in both), _any(false for _, false in both)
            case AnyOf(parts=parts):
                both = [self._formulas(part, instant) for part in parts]
                return _any(true for true, _ in both), _all(false for _, false in both)

    def _known(self, atom: Compare) -> list[str]:
        other = [_present(atom.operand.attribute)] if isinstance(atom.operand, OtherAttribute) else []
        return [_present(atom.attribute), *other]

    def _holds(self, atom: Compare, instant: int) -> str:
        match atom.operator:
            case "==" | "in":
                return self._equals(atom, instant)
            case "!=":
                return _not(self._equals(atom, instant))
            case _:
                return f"({atom.operator} {_value(atom.attribute)} {self._right(atom, instant)})"

    def _equals(self, atom: Compare, instant: int) -> str:
        name, operand = atom.attribute, atom.operand
        if isinstance(self.types[name], CountryType):
            return self._lies_in(name, operand)
        match operand:
            case Constant(values=values):
                return _any(f"(= {_value(name)} {_number(self._code(name, value))})" for value in values if self._has(name, value))
            case _:
                return f"(= {_value(name)} {self._right(atom, instant)})"

    def _lies_in(self, name: str, operand: Constant | OtherAttribute | Now) -> str:
        """A subdivision lies in its country, and in itself."""
        match operand:
            case OtherAttribute(attribute=other):
                same = _any([f"(= {_part(other)} 0)", f"(= {_part(name)} {_part(other)})"])
                return _all([f"(= {_value(name)} {_value(other)})", same])
            case Constant(values=values):
                return _any(self._is_country(name, str(value)) for value in values)
            case Now():
                raise AssertionError("a country is no instant")

    def _is_country(self, name: str, code: str) -> str:
        country, _, part = code.partition("-")
        here = f"(= {_value(name)} {self._numbered(country)})"
        return _all([here, f"(= {_part(name)} {self._numbered(code)})"]) if part else here

    def _numbered(self, code: str) -> int:
        """A number for a country or subdivision; those that are not written have all the others. 0: no subdivision."""
        return self._codes.setdefault(code, len(self._codes) + 1)

    def _has(self, name: str, value: Value) -> bool:
        kind = self.types[name]
        return not isinstance(kind, EnumType) or value in kind.values

    def _code(self, name: str, value: Value) -> int:
        kind = self.types[name]
        return kind.values.index(str(value)) if isinstance(kind, EnumType) else int(value)

    def _right(self, atom: Compare, instant: int) -> str:
        match atom.operand:
            case Constant(values=values):
                return _number(self._code(atom.attribute, values[0]))
            case Now():
                return _number(instant)
            case OtherAttribute(attribute=other):
                return _value(other)


def _range(name: str, kind: AttributeType) -> str:
    value = _value(name)
    match kind:
        case BoolType():
            return f"(<= 0 {value} 1)"
        case EnumType(values=values):
            return f"(<= 0 {value} {len(values) - 1})"
        case RangeType(low=low, high=high):
            return f"(<= {_number(low)} {value} {_number(high)})"
        case _:
            return f"(>= {value} 0)"


def _role(name: str) -> str:
    return f"|role {name}|"


def _present(name: str) -> str:
    return f"|present {name}|"


def _value(name: str) -> str:
    return f"|value {name}|"


def _part(name: str) -> str:
    return f"|part {name}|"


def _number(value: int) -> str:
    return str(value) if value >= 0 else f"(- {-value})"


def _not(formula: str) -> str:
    return {"true": "false", "false": "true"}.get(formula, f"(not {formula})")


def _all(formulas: Iterable[str]) -> str:
    parts = [each for each in formulas if each != "true"]
    if "false" in parts:
        return "false"
    return "true" if not parts else parts[0] if len(parts) == 1 else f"(and {' '.join(parts)})"


def _any(formulas: Iterable[str]) -> str:
    parts = [each for each in formulas if each != "false"]
    if "true" in parts:
        return "true"
    return "false" if not parts else parts[0] if len(parts) == 1 else f"(or {' '.join(parts)})"

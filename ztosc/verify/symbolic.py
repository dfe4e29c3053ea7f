"""One question to the solver: is there an initiator whom these rules allow? The only file that knows Z3.

Guarantees: a fresh context and a fixed seed for each question; a limit on the solver's own steps (`rlimit`, not wall-clock time), and
`Undecided` where it is met, never "no". The answer is the least initiator there is, on every machine: roles in alphabetical order,
rather not held; then attributes in alphabetical order, rather absent, otherwise the least value.

A guard becomes two formulas, *is true* and *is false*; where neither holds it is unknown, as in `ztosc.ir.guards.evaluate`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Flow, Person, Principal
from ztosc.ir.guards import COMPARE
from ztosc.ir.intent import Rule
from ztosc.ir.values import AllOf, AnyOf, Compare, Constant, Guard, Negation, Now, OtherAttribute, Ref, Value
from ztosc.verify.domains import Domains
from ztosc.verify.scope import Undecided, roles_from

RLIMIT = 50_000_000
"""Steps of the solver for one check; an ordinary guard takes some thousands."""

Truth = tuple[Any, Any]
"""(is true, is false) as solver terms; terms are untyped because the solver ships no types."""


@dataclass(frozen=True)
class Case:
    """Who may initiate `probe`? Its principal says the kind and, for a person, the roles that are held in any case.

    `allows` and `denies` match in target, ports and time. `free`: allowed without any rule. `outside`: refs of which the
    initiator must be none.
    """

    probe: Flow
    allows: tuple[Rule, ...]
    denies: tuple[Rule, ...]
    free: bool
    outside: tuple[Ref, ...]


def find(policy: Policy, case: Case, rlimit: int = RLIMIT) -> Principal | None:
    """The least principal that is allowed, or `None` where there is none. Raises `Undecided`."""
    return _Question(policy, case, rlimit).answer()


class _Question:
    def __init__(self, policy: Policy, case: Case, rlimit: int) -> None:
        import z3  # type: ignore[import-untyped]

        self.z3, self.policy, self.case = z3, policy, case
        self.context = z3.Context()
        self.solver = z3.Solver(ctx=self.context)
        self.solver.set("rlimit", rlimit)
        self.solver.set("random_seed", 0)
        self.person = isinstance(case.probe.principal, Person)
        self.chosen = {name: self._boolean(f"role {name}") for name in self._roles()}
        self.domains = Domains(self._guards(), policy.types, case.probe.instant)
        self.present = {name: self._boolean(f"present {name}") for name in self.domains.names}
        self.number = {name: z3.Int(f"value {name}", self.context) for name in self.domains.names}

    def answer(self) -> Principal | None:
        self.solver.add(*self._ranges(), self._initiator(), self._allowed())
        return self._least() if self._check() else None

    # What the solver is told

    def _roles(self) -> tuple[str, ...]:
        return roles_from(self.policy, self.case.probe.source.name) if self.person else ()

    def _guards(self) -> list[Guard]:
        rules = (*self.case.allows, *self.case.denies)
        return [self.policy.effective_guard(rule, ref) for rule in rules for ref in rule.subjects]

    def _ranges(self) -> list[Any]:
        terms = []
        for name, number in self.number.items():
            low, high = self.domains.bounds(name)
            terms += [number >= low] + ([number <= high] if high is not None else [])
        return terms

    def _initiator(self) -> Any:
        """The principal is of the kind asked for, holds what it must, acts in no two separated roles, and is none of `outside`."""
        principal = self.case.probe.principal
        must = [self.chosen[name] for name in principal.roles] if isinstance(principal, Person) else []
        apart = [self._at_most_one(each.roles) for each in self.policy.intent.separations]
        return self._all([*must, *apart, *(self._not(self._is_subject(ref)) for ref in self.case.outside)])

    def _at_most_one(self, roles: tuple[str, ...]) -> Any:
        pairs = [(a, b) for i, a in enumerate(roles) for b in roles[i + 1 :]]
        return self._all(self._not(self._all([self._held[a], self._held[b]])) for a, b in pairs)

    def _allowed(self) -> Any:
        allowed = [self._grants(rule) for rule in self.case.allows]
        denied = [self._denies(rule) for rule in self.case.denies]
        return self._all([self._any([*allowed, self._constant(self.case.free)]), self._not(self._any(denied))])

    def _grants(self, rule: Rule) -> Any:
        return self._any(
            self._all([self._is_subject(ref), self._truth(self.policy.effective_guard(rule, ref))[0]]) for ref in rule.subjects
        )

    def _denies(self, rule: Rule) -> Any:
        return self._any(
            self._all([self._is_subject(ref), self._not(self._truth(self.policy.effective_guard(rule, ref))[1])]) for ref in rule.subjects
        )

    @cached_property
    def _held(self) -> dict[str, Any]:
        """For every role, whether it is acted in: chosen, or included by a chosen one."""
        closed = {name: {name, *self.policy.roles[name].includes} for name in self.chosen}
        return {
            role.name: self._any(term for name, term in self.chosen.items() if role.name in closed[name])
            for role in self.policy.intent.roles
        }

    def _is_subject(self, ref: Ref) -> Any:
        if ref.kind == "role":
            here = self.case.probe.source.name in self.policy.roles[ref.name].sources
            return self._held[ref.name] if self.person and here else self._constant(False)
        return self._constant(self.policy.is_subject(ref, self.case.probe))

    # Guards

    def _truth(self, guard: Guard) -> Truth:
        match guard:
            case Compare():
                return self._atom(guard)
            case Negation(part=part):
                true, false = self._truth(part)
                return false, true
            case AllOf(parts=parts):
                truths = [self._truth(part) for part in parts]
                return self._all(true for true, _ in truths), self._any(false for _, false in truths)
            case AnyOf(parts=parts):
                truths = [self._truth(part) for part in parts]
                return self._any(true for true, _ in truths), self._all(false for _, false in truths)

    def _atom(self, atom: Compare) -> Truth:
        known = [self.present[atom.attribute]]
        known += [self.present[atom.operand.attribute]] if isinstance(atom.operand, OtherAttribute) else []
        holds = self._holds(atom)
        return self._all([*known, holds]), self._all([*known, self._not(holds)])

    def _holds(self, atom: Compare) -> Any:
        if atom.operator in ("==", "in"):
            return self._equals(atom)
        if atom.operator == "!=":
            return self._not(self._equals(atom))
        return COMPARE[atom.operator](self.number[atom.attribute], self._right(atom))

    def _equals(self, atom: Compare) -> Any:
        name, operand = atom.attribute, atom.operand
        left = self.number[name]
        match operand:
            case Constant(values=values) if self.domains.few(name):
                return self._any(left == code for value in values for code in self.domains.equal(name, value))
            case Constant(values=values):
                return self._any(left == int(value) for value in values)
            case OtherAttribute(attribute=other) if self.domains.few(name):
                pairs = [(a, value) for value in self.domains.values(other) for a in self.domains.equal(name, value)]
                return self._any(self._all([left == a, self.number[other] == self.domains.code(other, value)]) for a, value in pairs)
            case _:
                return left == self._right(atom)

    def _right(self, atom: Compare) -> Any:
        match atom.operand:
            case Constant(values=values):
                return self.domains.code(atom.attribute, values[0])
            case Now():
                return self.case.probe.instant
            case OtherAttribute(attribute=other):
                return self.number[other]

    # The least answer

    def _least(self) -> Principal:
        roles = tuple(name for name, term in self.chosen.items() if not self._keep(self._not(term)) and self._keep(term))
        attributes = tuple((name, value) for name in self.domains.names for value in self._value(name))
        principal = self.case.probe.principal
        update: dict[str, Any] = {"attributes": attributes} | ({"roles": roles} if self.person else {})
        return principal.model_copy(update=update)

    def _value(self, name: str) -> tuple[Value, ...]:
        """The least value of an attribute, or nothing where it can be absent."""
        if self._keep(self._not(self.present[name])):
            return ()
        for value in self.domains.values(name):
            if self._keep(self._all([self.present[name], self.number[name] == self.domains.code(name, value)])):
                return (value,)
        raise AssertionError(f"no candidate value of {name} fits, though some value does")

    def _keep(self, term: Any) -> bool:
        """Whether the term can hold with all that was decided so far; if so it holds from now on."""
        self.solver.push()
        self.solver.add(term)
        if self._check():
            return True
        self.solver.pop()
        return False

    def _check(self) -> bool:
        outcome = self.solver.check()
        if outcome == self.z3.unknown:
            raise Undecided(f"the solver gave up ({self.solver.reason_unknown()})")
        return bool(outcome == self.z3.sat)

    # Terms of this question's own context

    def _boolean(self, name: str) -> Any:
        return self.z3.Bool(name, self.context)

    def _constant(self, value: bool) -> Any:
        return self.z3.BoolVal(value, self.context)

    def _not(self, term: Any) -> Any:
        return self.z3.Not(term, self.context)

    def _all(self, terms: Iterable[Any]) -> Any:
        return self.z3.And([self._constant(True), *terms])

    def _any(self, terms: Iterable[Any]) -> Any:
        return self.z3.Or([self._constant(False), *terms])

"""The least principal that some rules allow, by diagrams: the same question and the same answer as `symbolic.find`, without the solver.

Guarantees: roles in alphabetical order, rather not held; then attributes in alphabetical order, rather absent, otherwise the least of
the candidates that `Domains` has for the guards of just these rules. Raises `TooLarge`.
"""

from __future__ import annotations

from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Person, Principal
from ztosc.ir.intent import Rule
from ztosc.ir.values import Ref
from ztosc.logic.diagrams import FALSE, TRUE, Diagrams
from ztosc.verify.domains import Domains
from ztosc.verify.formulas import Formulas
from ztosc.verify.scope import roles_from
from ztosc.verify.symbolic import Case


def find(policy: Policy, case: Case) -> Principal | None:
    """The least principal that is allowed, or `None` where there is none."""
    return _Search(policy, case).answer()


class _Search:
    def __init__(self, policy: Policy, case: Case) -> None:
        self.policy, self.case = policy, case
        self.principal = case.probe.principal
        self.diagrams = Diagrams()
        self.chosen = roles_from(policy, case.probe.source.name) if isinstance(self.principal, Person) else ()
        self.role = {name: self.diagrams.variable(2) for name in self.chosen}
        rules = (*case.allows, *case.denies)
        guards = [policy.effective_guard(rule, ref) for rule in rules for ref in rule.subjects]
        domains = Domains(guards, policy.types, case.probe.instant)
        self.values = {name: domains.values(name) for name in domains.names}
        self.attribute = {name: self.diagrams.variable(len(values) + 1) for name, values in self.values.items()}
        self.formulas = Formulas(self.diagrams, policy.types, self.attribute, self.values)

    def answer(self) -> Principal | None:
        diagrams, case = self.diagrams, self.case
        who = TRUE if case.free else diagrams.any(self._decided(rule, ref) for rule in case.allows for ref in rule.subjects)
        for rule in case.denies:
            who = diagrams.without(who, diagrams.any(self._decided(rule, ref) for ref in rule.subjects))
        for ref in case.outside:
            who = diagrams.without(who, self._is_subject(ref))
        if isinstance(self.principal, Person):
            who = diagrams.both(who, diagrams.all(diagrams.where(self.role[name], (1,)) for name in self.principal.roles))
            who = self._apart(who)
        return self._decoded(diagrams.least(who))

    def _decided(self, rule: Rule, ref: Ref) -> int:
        subject = self._is_subject(ref)
        if subject == FALSE:
            return FALSE
        true, false = self.formulas.truth(self.policy.effective_guard(rule, ref), self.case.probe.instant)
        return self.diagrams.both(subject, true) if rule.effect == "allow" else self.diagrams.without(subject, false)

    def _is_subject(self, ref: Ref) -> int:
        if ref.kind == "role":
            here = self.case.probe.source.name in self.policy.roles[ref.name].sources
            return self._held(ref.name) if here and isinstance(self.principal, Person) else FALSE
        return TRUE if self.policy.is_subject(ref, self.case.probe) else FALSE

    def _held(self, role: str) -> int:
        holders = [name for name in self.chosen if role == name or role in self.policy.roles[name].includes]
        return self.diagrams.any(self.diagrams.where(self.role[name], (1,)) for name in reversed(holders))

    def _apart(self, who: int) -> int:
        """Those who act in no two separated roles."""
        for separation in self.policy.intent.separations:
            held = [each for name in separation.roles if (each := self._held(name)) != FALSE]
            for index, one in enumerate(held):
                for other in held[index + 1 :]:
                    who = self.diagrams.without(who, self.diagrams.both(one, other))
        return who

    def _decoded(self, least: dict[int, int] | None) -> Principal | None:
        if least is None:
            return None
        found = ((name, least.get(variable, 0)) for name, variable in self.attribute.items())
        update: dict[str, object] = {"attributes": tuple((name, self.values[name][value - 1]) for name, value in found if value)}
        if isinstance(self.principal, Person):
            update["roles"] = tuple(name for name, variable in self.role.items() if least.get(variable))
        return self.principal.model_copy(update=update)

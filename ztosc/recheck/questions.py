"""Whether anybody may get from a place to an end, as the questions that a solver has to answer.

Guarantees: the questions of a pair cover every kind of initiator, every port and every set of rules that is in force together in the
stretch of time that is asked for; a pair without a question is one that no grant speaks of. Nothing is taken from a certificate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ztosc.ir.flow import Flow, Host, Place
from ztosc.ir.intent import Rule
from ztosc.ir.values import Ref
from ztosc.logic import ports
from ztosc.recheck.clock import Clock
from ztosc.recheck.formula import Formula, Term, conjunction
from ztosc.recheck.names import Names, Who
from ztosc.recheck.smt2 import written
from ztosc.recheck.solver import NoAnswer, Solver


@dataclass(frozen=True)
class Limits:
    """Initiators that do not count (`outside`); where a label is followed, what `releases` it; and services that are `signed` for."""

    outside: tuple[Ref, ...] = ()
    releases: str | None = None
    signed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One kind of initiator, from a place to an end, while some rules speak: may anybody?"""

    source: Place
    who: Who
    destination: Place
    allows: tuple[Rule, ...]
    denies: tuple[Rule, ...]
    free: bool

    @property
    def key(self) -> tuple[Place, str, Place, tuple[str, ...], tuple[str, ...], bool]:
        """As certificates name it."""
        allows, denies = (tuple(sorted(rule.id for rule in rules)) for rules in (self.allows, self.denies))
        return self.source, self.who.text, self.destination, allows, denies, self.free


class Questions:
    """One network, its clock and a solver."""

    def __init__(self, names: Names, clock: Clock, solver: Solver) -> None:
        self.names, self.clock, self.solver = names, clock, solver
        self._cells: dict[Place, tuple[tuple[frozenset[int], bool], ...]] = {}
        self._sources: dict[Place, frozenset[Place]] = {}
        self._may: dict[tuple[Place, Place, int, int | None, Ref | None, Limits], bool] = {}

    @cached_property
    def leading(self) -> dict[Place, tuple[tuple[Place, Place], ...]]:
        """Of each place every end that a grant may lead to from there, with the place it is at."""
        found: dict[Place, list[tuple[Place, Place]]] = {}
        for there in self.names.everywhere:
            for end in self.names.inside(there):
                for source in self.sources(end):
                    found.setdefault(source, []).append((there, end))
        return {source: tuple(ends) for source, ends in found.items()}

    def sources(self, end: Place) -> frozenset[Place]:
        """Every place where somebody may stand whom a grant about an end names, or a replica of the service there."""
        if end not in self._sources:
            refs = (ref for rule in self.names.policy.about(end) if rule.effect == "allow" for ref in rule.subjects)
            found = {place for ref in refs for place in self.names.places(ref)}
            own = {Place(kind="segment", name=end.name)} if end.service else set()
            self._sources[end] = frozenset(found | own)
        return self._sources[end]

    def ask(
        self, source: Place, end: Place, start: int, stop: int | None, ref: Ref | None = None, limits: Limits = Limits()
    ) -> Iterator[Question]:
        """The questions of a pair of ends, from `start` on and before `stop`, each once."""
        if source not in self.sources(end) or self._ends_at(end.service, limits):
            return
        rules = self.names.policy.about(end)
        seen: set[object] = set()
        for force, _ in self.clock.between((rule.validity for rule in rules), start, stop):
            for speaking, listens in self.cells(end):
                active = [rule for number, rule in enumerate(rules) if number in speaking and rule.validity in force]
                for who in self.names.who(source, ref):
                    question = self._question(source, who, end, active, listens, limits)
                    if question is not None and (key := question.key) not in seen:
                        seen.add(key)
                        yield question

    def _question(self, source: Place, who: Who, end: Place, active: list[Rule], listens: bool, limits: Limits) -> Question | None:
        if who.kind == "service" and self._ends_at(who.name, limits):
            return None
        named = [rule for rule in active if any(self.names.may_be(ref, source, who) for ref in rule.subjects)]
        allows = tuple(left for rule in named if rule.effect == "allow" and (left := self.carrying(rule, limits.releases)))
        allows = tuple(rule for rule in allows if any(self.names.may_be(ref, source, who) for ref in rule.subjects))
        denies = tuple(rule for rule in named if rule.effect == "deny")
        free = listens and who.kind == "service" and who.name == end.service and source.name == end.name
        return Question(source, who, end, allows, denies, free) if allows or free else None

    def cells(self, end: Place) -> tuple[tuple[frozenset[int], bool], ...]:
        """For each way to treat a port of an end: which rules about it speak, by position, and whether the service there listens."""
        if end not in self._cells:
            policy = self.names.policy
            probe = Flow(source=end, principal=Host(), destination=end, protocol=0, port=0, instant=0)
            spoken = [
                ports.union(*(policy.rule_ports(rule, ref) for ref in rule.targets if policy.is_target(ref, probe)))
                for rule in policy.about(end)
            ]
            listen = policy.services[end.service].listen if end.service else ()
            found = {
                (frozenset(n for n, boxes in enumerate(spoken) if ports.contains(boxes, *cell)), ports.contains(listen, *cell))
                for cell in ports.samples(listen, *spoken)
            }
            self._cells[end] = tuple(sorted(found, key=lambda each: (sorted(each[0]), each[1])))
        return self._cells[end]

    def carrying(self, rule: Rule, label: str | None) -> Rule | None:
        """What of a grant carries a label on: nothing of one that releases it, and no role that does."""
        if label is None:
            return rule
        roles = self.names.policy.roles
        left = tuple(ref for ref in rule.subjects if not (ref.kind == "role" and roles[ref.name].governance.released(label)))
        if rule.governance.released(label) or not left:
            return None
        return rule if left == rule.subjects else rule.model_copy(update={"subjects": left})

    def _ends_at(self, service: str | None, limits: Limits) -> bool:
        if service is None or limits.releases is None:
            return False
        return service in limits.signed or self.names.policy.services[service].governance.released(limits.releases)

    def formula(self, question: Question, outside: tuple[Ref, ...] = ()) -> Formula:
        """A question as a formula."""
        return Formula(self.names, question.source, question.who, question.allows, question.denies, question.free, outside)

    def nobody(self, formula: Formula, start: int, stop: int | None) -> bool:
        """Whether nobody may. Raises `NoAnswer`, also where somebody may only at instants that the question does not tell apart."""
        parts: dict[str, Term] = dict(formula.parts)
        if conjunction(parts.values()) is False:
            return True
        if formula.speaks_of_now:
            parts["now"] = conjunction([("<=", start, "now"), True if stop is None else ("<=", "now", stop - 1)])
        if not self.solver.satisfiable(written(parts)):
            return True
        if formula.speaks_of_now and stop != start + 1:
            raise NoAnswer("a guard speaks of `now`, and whether somebody may depends on the instant")
        return False

    def may(self, source: Place, end: Place, start: int, stop: int | None, ref: Ref | None = None, limits: Limits = Limits()) -> bool:
        """Whether anybody may, at some instant. Raises `NoAnswer`, `TooMuch`."""
        key = (source, end, start, stop, ref, limits)
        if key not in self._may:
            asked = self.ask(source, end, start, stop, ref, limits)
            self._may[key] = any(not self.nobody(self.formula(each, limits.outside), start, stop) for each in asked)
        return self._may[key]

"""The reference: every question asked of the solver, one for each start, end, cell of ports and instant. Slow and obvious.

Guarantees: nothing is left out for speed but what no rule's subjects and ports can match. The engine (`finder`) is measured against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ztosc.ir.clock import in_force, is_over
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Flow, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.guards import atoms
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import Now, Ref
from ztosc.logic import ports
from ztosc.verify import symbolic
from ztosc.verify.cells import cells, listens, spoken_ports
from ztosc.verify.cuts import Instances
from ztosc.verify.moments import Timeline
from ztosc.verify.questions import NO_LIMITS, Bound, Limits, Passage, Questions
from ztosc.verify.scope import Start, principals, roles_from
from ztosc.verify.topology import Failing, Part


@dataclass(frozen=True)
class Cell:
    """Ports that no rule about a destination tells apart, by one of them; `rules` speak on it, `listens` if the service there does."""

    protocol: int
    port: int
    rules: frozenset[int]
    listens: bool


class Everywhere(Bound):
    """No bound at all."""

    def __init__(self, places: tuple[Place, ...]) -> None:
        self._places = places

    def places(self, start: Place, step: int) -> tuple[Place, ...]:
        """Every segment and external."""
        return self._places


class Explorer(Questions):
    """One network's questions, with their answers remembered."""

    def __init__(self, network: Network, rlimit: int = symbolic.RLIMIT) -> None:
        super().__init__(network, Policy(network.intent), rlimit)
        self.timeline = Timeline(network)
        self._cells: dict[Place, tuple[Cell, ...]] = {}
        self._answers: dict[object, Principal | None] = {}

    def passage(self, start: Start, end: Place, after: int, limits: Limits = NO_LIMITS) -> Passage | None:
        """The first flow from `after` on."""
        if not self._possible(start, end) or self.ends_at(end.service, limits):
            return None
        flow = next((flow for instant in self.timeline.after(after) if (flow := self.at(start, end, instant, limits))), None)
        return Passage(flow.instant, lambda: flow) if flow is not None else None

    def first(self, starts: Iterable[Start], ends: Iterable[Place], limits: Limits = NO_LIMITS) -> Flow | None:
        """The first flow of all pairs."""
        ends = tuple(ends)
        pairs = ((start, end) for start in starts for end in ends)
        found = (passage for start, end in pairs if (passage := self.passage(start, end, self.network.at, limits)))
        return next((passage.flow for passage in found), None)

    def moments(self, start: Start, ends: Iterable[Place]) -> tuple[int, ...]:
        """Those of the whole network."""
        return self.timeline.moments

    def bounds(self, begin: Iterable[Place], goals: Iterable[Place], without: tuple[Place, ...]) -> Iterator[Bound]:
        """None: everything is looked at."""
        yield Everywhere(self.places)

    def around(self, place: Place) -> tuple[Place, ...]:
        """Everywhere."""
        return self.places

    def granted_external(self, place: Place) -> bool:
        """Over all rules."""
        allows = (rule for rule in self.policy.intent.rules if rule.effect == "allow" and not is_over(rule.validity, self.network.at))
        granted = (rule for rule in allows if any(ref.kind == "external" for ref in rule.targets))
        return any(self._stands_in(ref.kind, ref.name, place.name) for rule in granted for ref in rule.subjects)

    def _stands_in(self, kind: str, name: str, segment: str) -> bool:
        match kind:
            case "role":
                return name in roles_from(self.policy, segment)
            case "device":
                return name in self.policy.segments[segment].admits
            case "service":
                return self.policy.services[name].segment == segment
            case "label":
                return name in self.policy.segments[segment].carries
            case _:
                return kind == "segments" or (kind == "segment" and name == segment)

    def logged(self, place: Place) -> tuple[Rule, ...]:
        """All rules."""
        return self.policy.intent.rules

    def cut(self, here: str, instances: Instances, count: int, failing: Failing) -> tuple[Part, ...] | None:
        """Every combination, tried in turn."""
        topology = self.topology
        domains = sorted({name for names in instances for name in names})
        for failed in topology.failures(here, domains, count, failing):
            if not any(topology.connected(here, there, names, failed) for names, there in instances.items()):
                return failed
        return None

    def may_carry(self, label: str) -> None:
        """Anywhere."""
        return

    def at(self, start: Start, end: Place, instant: int, limits: Limits = NO_LIMITS) -> Flow | None:
        """The least flow at an instant, or `None`."""
        in_time = [rule for rule in self.policy.about(end) if in_force(rule.validity, instant)]
        for principal in principals(self.policy, start):
            if isinstance(principal, ServiceEndpoint) and self.ends_at(principal.service, limits):
                continue
            for cell in self.cells(end):
                probe = self._flow(start, principal, end, cell, instant)
                found = self._ask(probe, [rule for rule in in_time if id(rule) in cell.rules], cell.listens, limits)
                if found is not None:
                    return self.replayed(probe.model_copy(update={"principal": found}), limits)
        return None

    def cells(self, end: Place) -> tuple[Cell, ...]:
        """One port for each set of rules that speak there, the most readable first; ports on which nothing is granted are left out."""
        if end not in self._cells:
            found: dict[tuple[frozenset[int], bool], Cell] = {}
            for cell in self._all_cells(end):
                found.setdefault((cell.rules, cell.listens), cell)
            self._cells[end] = tuple(found.values())
        return self._cells[end]

    def _all_cells(self, end: Place) -> Iterator[Cell]:
        policy, rules = self.policy, self.policy.about(end)
        spoken = {id(rule): spoken_ports(policy, rule, end) for rule in rules}
        allows = [id(rule) for rule in rules if rule.effect == "allow"]
        for protocol, port in cells(policy, end):
            speaking = frozenset(key for key, boxes in spoken.items() if ports.contains(boxes, protocol, port))
            free = ports.contains(listens(policy, end), protocol, port)
            if free or any(key in speaking for key in allows):
                yield Cell(protocol, port, speaking, free)

    def _possible(self, start: Start, end: Place) -> bool:
        """Whether any allow about `end` names, at any time, someone who may stand at `start`: a quick no."""
        if end.kind == "segment" and end.service and end.name == start.place.name:
            return True
        allows = [rule for rule in self.policy.about(end) if rule.effect == "allow"]
        probes = [self._flow(start, each, end, Cell(0, 0, frozenset(), False), 0) for each in principals(self.policy, start)]
        return any(self._may_be(ref, probe) for rule in allows for ref in rule.subjects for probe in probes)

    def _may_be(self, ref: Ref, probe: Flow) -> bool:
        """Whether the principal of a probe can be one of `ref`, whatever further roles it holds."""
        if ref.kind == "role":
            return isinstance(probe.principal, Person) and probe.source.name in self.policy.roles[ref.name].sources
        return self.policy.is_subject(ref, probe)

    def _ask(self, probe: Flow, rules: list[Rule], listens: bool, limits: Limits) -> Principal | None:
        named = [rule for rule in rules if any(self._may_be(ref, probe) for ref in rule.subjects)]
        denies = tuple(rule for rule in named if rule.effect == "deny")
        allows = tuple(rule for each in named if each.effect == "allow" and (rule := self.carrying(each, limits.releases)))
        free = listens and self.replica(probe, probe.principal)
        if not allows and not free:
            return None
        rules_key = tuple(id(rule) for rule in (*allows, *denies))
        key = (probe.source, probe.principal, limits, free, rules_key, self._clock(named, probe.instant))
        if key not in self._answers:
            case = symbolic.Case(probe, allows, denies, free, limits.outside)
            self._answers[key] = probe.principal if self._trivial(case) else symbolic.find(self.policy, case, self.rlimit)
        return self._answers[key]

    def _trivial(self, case: symbolic.Case) -> bool:
        """Whether the bare principal, which is the least of all, is the answer as it stands."""
        if any(self.policy.is_subject(ref, case.probe) for ref in case.outside) or self.policy.separated(case.probe):
            return False
        if any(self.policy.miss(rule, case.probe) is None for rule in case.denies):
            return False
        return case.free or any(self.policy.miss(rule, case.probe) is None for rule in case.allows)

    def _clock(self, rules: list[Rule], instant: int) -> int | None:
        """The instant, where an answer depends on it beyond which rules are in force."""
        guards = (self.policy.effective_guard(rule, ref) for rule in rules for ref in rule.subjects)
        return instant if any(isinstance(atom.operand, Now) for guard in guards for atom in atoms(guard)) else None

    def _flow(self, start: Start, principal: Principal, end: Place, cell: Cell, instant: int) -> Flow:
        return Flow(source=start.place, principal=principal, destination=end, protocol=cell.protocol, port=cell.port, instant=instant)

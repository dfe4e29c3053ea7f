"""Which flow is there from a start to an end, at an instant or as early as can be? Every property asks its questions here.

Guarantees: every flow that is handed out was replayed through `Policy.decide` and is allowed; one that does not replay is our bug and
raises `WitnessDoesNotReplay`. No flow means that none exists, for any principal, role, attribute and port; what could not be
decided raises `Undecided`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ztosc.ir.clock import in_force
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Flow, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.guards import atoms
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import Now, Ref
from ztosc.logic import ports
from ztosc.verify import symbolic
from ztosc.verify.cells import cells, listens, spoken_ports
from ztosc.verify.moments import Timeline
from ztosc.verify.scope import Start, principals


class WitnessDoesNotReplay(Exception):
    """The engine found a flow that `decide` denies: an internal error, never a verdict."""


@dataclass(frozen=True)
class Cell:
    """Ports that no rule about a destination tells apart, by one of them; `rules` speak on it, `listens` if the service there does."""

    protocol: int
    port: int
    rules: frozenset[int]
    listens: bool


@dataclass(frozen=True)
class Limits:
    """Whom a question leaves out: initiators that are one of `outside`; where it follows a label, whatever `releases` that label
    (rules, roles, services), and the services in `signed`."""

    outside: tuple[Ref, ...] = ()
    releases: str | None = None
    signed: tuple[str, ...] = ()


NO_LIMITS = Limits()


class Explorer:
    """One network's questions, with their answers remembered."""

    def __init__(self, network: Network, rlimit: int = symbolic.RLIMIT) -> None:
        self.network = network
        self.rlimit = rlimit
        self.policy = Policy(network.intent)
        self.timeline = Timeline(network)
        self._cells: dict[Place, tuple[Cell, ...]] = {}
        self._carriers: dict[tuple[int, str], Rule | None] = {}
        self._answers: dict[object, Principal | None] = {}

    def earliest(self, start: Start, end: Place, after: int | None = None, limits: Limits = NO_LIMITS) -> Flow | None:
        """The first flow from `after` (seconds since 1970; absent: the compiler's `at`) on, or `None` where there never is one."""
        if not self._possible(start, end) or self._ends_at(end.service, limits):
            return None
        instants = self.timeline.after(self.network.at if after is None else after)
        return next((flow for instant in instants if (flow := self.at(start, end, instant, limits))), None)

    def at(self, start: Start, end: Place, instant: int, limits: Limits = NO_LIMITS) -> Flow | None:
        """The least flow at an instant, or `None`."""
        in_time = [rule for rule in self.policy.about(end) if in_force(rule.validity, instant)]
        for principal in principals(self.policy, start):
            if isinstance(principal, ServiceEndpoint) and self._ends_at(principal.service, limits):
                continue
            for cell in self.cells(end):
                probe = self._flow(start, principal, end, cell, instant)
                found = self._ask(probe, [rule for rule in in_time if id(rule) in cell.rules], cell.listens, limits)
                if found is not None:
                    return self._replayed(probe.model_copy(update={"principal": found}), limits)
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

    def _ends_at(self, service: str | None, limits: Limits) -> bool:
        """Whether somebody signs that the label which is followed ends at this service."""
        if service is None or limits.releases is None:
            return False
        return service in limits.signed or self.policy.services[service].governance.released(limits.releases)

    def _carrying(self, rule: Rule, label: str | None) -> Rule | None:
        """What of a grant carries a label further: nothing where it releases the label, and no role that does."""
        if label is None:
            return rule
        if (key := (id(rule), label)) not in self._carriers:
            left = tuple(
                ref for ref in rule.subjects if not (ref.kind == "role" and self.policy.roles[ref.name].governance.released(label))
            )
            ended = rule.governance.released(label) or not left
            self._carriers[key] = None if ended else rule if left == rule.subjects else rule.model_copy(update={"subjects": left})
        return self._carriers[key]

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
        allows = tuple(rule for each in named if each.effect == "allow" and (rule := self._carrying(each, limits.releases)))
        free = listens and isinstance(probe.principal, ServiceEndpoint) and self._own_service(probe, probe.principal)
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

    def _own_service(self, probe: Flow, principal: ServiceEndpoint) -> bool:
        return probe.destination.service == principal.service and probe.source.name == probe.destination.name

    def _clock(self, rules: list[Rule], instant: int) -> int | None:
        """The instant, where an answer depends on it beyond which rules are in force."""
        guards = (self.policy.effective_guard(rule, ref) for rule in rules for ref in rule.subjects)
        return instant if any(isinstance(atom.operand, Now) for guard in guards for atom in atoms(guard)) else None

    def _flow(self, start: Start, principal: Principal, end: Place, cell: Cell, instant: int) -> Flow:
        return Flow(source=start.place, principal=principal, destination=end, protocol=cell.protocol, port=cell.port, instant=instant)

    def _replayed(self, flow: Flow, limits: Limits) -> Flow:
        decision = self.policy.decide(flow)
        if not decision.allowed or any(self.policy.is_subject(ref, flow) for ref in limits.outside):
            raise WitnessDoesNotReplay(f"{decision.reason}: {flow.model_dump_json()}")
        if limits.releases and not self._free(flow) and self.carried(flow, limits.releases) is None:
            raise WitnessDoesNotReplay(f"only a grant that releases {limits.releases} allows {flow.model_dump_json()}")
        return flow

    def carried(self, flow: Flow, label: str | None) -> Rule | None:
        """The first grant that allows a flow and, where a label is named, carries it on."""
        allows = (rule for each in self.policy.about(flow.destination) if each.effect == "allow" and (rule := self._carrying(each, label)))
        return next((rule for rule in allows if self.policy.miss(rule, flow) is None), None)

    def _free(self, flow: Flow) -> bool:
        return isinstance(flow.principal, ServiceEndpoint) and self._own_service(flow, flow.principal)

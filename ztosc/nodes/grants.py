"""Who may initiate what, cut into cells: for each source and each set of hosts, disjoint ports with one condition each.

Guarantees: denies have won before a cell exists; a cell that nobody can fulfil is not there; the ports of the cells of one source
and target are disjoint; a grant that is over leaves nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ztosc.ir.evaluate import Policy
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import TRUE, Ref
from ztosc.logic import ports, regions
from ztosc.logic.ports import Boxes
from ztosc.nodes.conditions import always_beats, combine, from_now
from ztosc.nodes.spec import ActsAs, Anyone, Condition, End, IsDevice, IsEndpoint, Term, Who, spans
from ztosc.source import Span


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """A set of hosts that rules cannot tell apart: an external, a system, a service's endpoints, or the rest of a segment."""

    kind: Literal["segment", "external", "system"]
    name: str
    service: str | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """Sorts with and without a service."""
        return self.kind, self.name, self.service or ""


@dataclass(frozen=True, slots=True)
class Cell:
    """Ports that one condition opens; `None` opens them to whoever sits at the source."""

    ports: Boxes
    condition: Condition | None
    origins: tuple[Span, ...]
    stale: int | None = None
    """Seconds that it may outlive the last confirmation of its facts: the least that any rule or role behind it says."""
    logged: tuple[str, ...] = ()
    """Rules among those that open it whose flows shall be logged, by id."""
    rules: tuple[str, ...] = ()
    """Rules that its condition comes from, allows and denies, by id."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Ports that explicit denies close, whoever asks: each of the rules takes all of a grant away, or speaks of everybody."""

    ports: Boxes
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    effect: Literal["allow", "deny"]
    ports: Boxes
    terms: tuple[Term, ...]
    origin: Span
    stale: int | None = None
    logged: str | None = None
    rule: str | None = None


Source = tuple[Literal["segment", "external"], str]
Cells = dict[Source, dict[Target, tuple[Cell, ...]]]
Bars = dict[Source, dict[Target, tuple[Bar, ...]]]


def grants(network: Network) -> tuple[Cells, Bars]:
    """Every cell of a network, and what denies close, by source and target, both in order."""
    entries = _Entries(network).collect()
    cells: Cells = {}
    bars: Bars = {}
    for source in sorted(entries):
        by_target = {target: cut(entries[source][target]) for target in sorted(entries[source], key=lambda target: target.key)}
        cells[source] = {target: open_ for target, (open_, _) in by_target.items() if open_}
        bars[source] = {target: closed for target, (_, closed) in by_target.items() if closed}
    return cells, bars


def managers(network: Network) -> dict[str, tuple[Cell, ...]]:
    """By segment: the ports of a node itself that `manage` opens to whoever sits there, with one condition each."""
    entries = _Entries(network)
    found: dict[str, list[_Entry]] = defaultdict(list)
    for each in network.intent.network.manage:
        for ref in each.subjects:
            role = entries.policy.roles.get(ref.name) if ref.kind == "role" else None
            for (kind, name), who in entries.who(ref):
                if kind == "segment":
                    term = Term(who=who, guard=role.requires if role else TRUE)
                    found[name].append(_Entry("allow", each.ports, (term,), each.origin, role.stale if role else None))
    return {name: cells for name in sorted(found) if (cells := cut(found[name])[0])}


class _Entries:
    """What each rule says about each pair of source and target."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.policy = Policy(network.intent)
        self.held = {
            role.name: tuple(sorted(other.name for other in network.intent.roles if role.name in (other.name, *other.includes)))
            for role in network.intent.roles
        }

    def collect(self) -> dict[Source, dict[Target, list[_Entry]]]:
        found: dict[Source, dict[Target, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
        for rule in self.network.intent.rules:
            targets = self._targets(rule)
            for source, terms in self._sources(rule).items():
                for target, boxes in targets.items():
                    entry = _Entry(rule.effect, boxes, tuple(terms), rule.origin, self._stale(rule), _logged(rule), rule.id)
                    found[source][target].append(entry)
        for service in self.network.intent.services:
            among = _Entry("allow", service.listen, (Term(who=IsEndpoint(service=service.name)),), service.origin)
            found[("segment", service.segment)][Target("segment", service.segment, service.name)].append(among)
        return found

    def _stale(self, rule: Rule) -> int | None:
        """Of the rule, and of every role that it names."""
        roles = (self.policy.roles[ref.name].stale for ref in rule.subjects if ref.kind == "role")
        return min((bound for bound in (rule.stale, *roles) if bound is not None), default=None)

    def _sources(self, rule: Rule) -> dict[Source, list[Term]]:
        validity = from_now(rule.validity, self.network.at)
        if validity is None:
            return {}
        found: dict[Source, list[Term]] = defaultdict(list)
        for ref in rule.subjects:
            guard = self.policy.effective_guard(rule, ref)
            for source, who in self.who(ref):
                found[source].append(Term(who=who, guard=guard, validity=validity))
        return found

    def who(self, ref: Ref) -> Iterator[tuple[Source, Who]]:
        """Where what a name stands for sits, and as whom."""
        match ref.kind:
            case "role":
                role = self.policy.roles[ref.name]
                yield from ((("segment", name), ActsAs(role=ref.name, held=self.held[ref.name])) for name in role.sources)
            case "segment":
                yield ("segment", ref.name), Anyone()
            case "segments":
                yield from ((("segment", name), Anyone()) for name in self.policy.segments)
            case "label":
                yield from ((("segment", name), Anyone()) for name, segment in self.policy.segments.items() if ref.name in segment.carries)
            case "device":
                found = (name for name, segment in self.policy.segments.items() if ref.name in segment.admits)
                yield from ((("segment", name), IsDevice(device=ref.name)) for name in found)
            case "service":
                yield ("segment", self.policy.services[ref.name].segment), IsEndpoint(service=ref.name)
            case "external":
                yield ("external", ref.name), Anyone()
            case "system":
                return

    def _targets(self, rule: Rule) -> dict[Target, Boxes]:
        found: dict[Target, Boxes] = {}
        for ref in rule.targets:
            boxes = self.policy.rule_ports(rule, ref)
            for target in self._places(ref):
                found[target] = ports.union(found.get(target, ()), boxes)
        return found

    def _places(self, ref: Ref) -> Iterator[Target]:
        match ref.kind:
            case "segment":
                yield from self._within(ref.name)
            case "label":
                for name, segment in self.policy.segments.items():
                    if ref.name in segment.carries:
                        yield from self._within(name)
            case "service":
                yield Target("segment", self.policy.services[ref.name].segment, ref.name)
            case "external":
                yield Target("external", ref.name)
            case "system":
                yield Target("system", ref.name)
            case _:
                return

    def _within(self, segment: str) -> Iterator[Target]:
        yield Target("segment", segment)
        yield from (Target("segment", segment, service.name) for service in self.policy.services.values() if service.segment == segment)


def cut(entries: Iterable[_Entry]) -> tuple[tuple[Cell, ...], tuple[Bar, ...]]:
    """Disjoint cells of ports, each with the condition that the entries about it come to, and beside them what denies close; linear in what
    the ports are cut into."""
    parts = list(entries)
    boxes = [(((low, high), (first, last)), index) for index, entry in enumerate(parts) for low, high, first, last in entry.ports]
    alike: dict[tuple[int, ...], list[ports.Box]] = defaultdict(list)
    for ((low, high), (first, last)), about in regions.cells(boxes):
        alike[about].append((low, high, first, last))
    found: dict[tuple[str, tuple[str, ...]], list[Cell]] = defaultdict(list)
    closed: dict[tuple[str, ...], list[ports.Box]] = defaultdict(list)
    for about, held in alike.items():
        chosen = [parts[index] for index in about]
        cell = _cell(ports.boxes(held), chosen)
        if cell is not None:
            found[(cell.condition.id if cell.condition else "", cell.logged)].append(cell)
        elif rules := _barring(chosen):
            closed[rules].extend(held)
    bars = tuple(Bar(ports.boxes(held), rules) for rules, held in sorted(closed.items()))
    return tuple(_together(cells) for _, cells in sorted(found.items())), bars


def _barring(entries: list[_Entry]) -> tuple[str, ...]:
    """Denies that speak of everybody, or that take away what some allow grants."""
    allows = [term for entry in entries if entry.effect == "allow" for term in entry.terms] or [Term(who=Anyone())]
    denies = [(entry.rule, term) for entry in entries if entry.effect == "deny" for term in entry.terms]
    return tuple(sorted({rule for rule, term in denies if rule and any(always_beats(term, allow) for allow in allows)}))


def _cell(boxes: Boxes, entries: list[_Entry]) -> Cell | None:
    allows = [term for entry in entries if entry.effect == "allow" for term in entry.terms]
    denies = [term for entry in entries if entry.effect == "deny" for term in entry.terms]
    condition = combine(allows, denies)
    if condition is False:
        return None
    logged = tuple(sorted({entry.logged for entry in entries if entry.logged}))
    stale = min((entry.stale for entry in entries if entry.stale is not None), default=None)
    origins = spans(entry.origin for entry in entries)
    if condition is True:
        return Cell(boxes, None, origins, stale, logged)
    asked = {*condition.allows, *condition.denies}
    rules = tuple(sorted({entry.rule for entry in entries if entry.rule and not asked.isdisjoint(entry.terms)}))
    return Cell(boxes, condition, origins, stale, logged, rules)


def _logged(rule: Rule) -> str | None:
    return rule.id if rule.effect == "allow" and rule.governance.log_to else None


def _together(cells: list[Cell]) -> Cell:
    """Cells of one condition as one."""
    boxes = ports.boxes(box for cell in cells for box in cell.ports)
    rules = tuple(sorted({rule for cell in cells for rule in cell.rules}))
    return Cell(boxes, cells[0].condition, spans(span for cell in cells for span in cell.origins), _least(cells), cells[0].logged, rules)


def _least(cells: Iterable[Cell]) -> int | None:
    return min((cell.stale for cell in cells if cell.stale is not None), default=None)


def end(target: Target) -> End:
    """What a target is part of."""
    return End(kind=target.kind, name=target.name)

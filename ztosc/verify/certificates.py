"""Verdicts to certificates: the evidence by which somebody else can check each of them again.

Guarantees: a certificate holds what the checker needs and no more; where there is no such evidence it says so and why, and is then no
proof. Evidence is found anew from the network: a verdict that it does not bear out gets none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ztosc import __version__
from ztosc.ir.assertions import Assertion, Isolated, NeverFlowsDown, NeverReaches, OnlyReach, Reaches, StaysWithin
from ztosc.ir.base import Model, canonical
from ztosc.ir.certificate import Arrival, Certificate, Closed, Evidence, Flows, Nothing, Slices, SliceText
from ztosc.ir.clock import in_force
from ztosc.ir.flow import Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.network import Network, network_digest
from ztosc.ir.values import Ref
from ztosc.ir.verdict import Verdict
from ztosc.logic.closure import bits
from ztosc.verify import case_text, isolated, slices
from ztosc.verify.chains import Reached, State, rounds, steps
from ztosc.verify.explorer import Cell, Explorer
from ztosc.verify.roads import cut_or_shut, paths
from ztosc.verify.scope import Start, Undecided, Unsupported, destinations, held, principals, starts
from ztosc.verify.spread import Spread
from ztosc.verify.symbolic import Case

NETWORK = "network.json"
MOST = 20_000
"""Texts of one certificate."""


def certificates(network: Network, verdicts: Iterable[Verdict]) -> dict[str, bytes]:
    """Files by name: the network, and one certificate for each verdict on an assertion, in their order."""
    maker = _Maker(network)
    claims = {(claim.origin, claim.statement): claim for claim in network.intent.assertions}
    found = [(claims.get((each.origin, each.statement)), each) for each in verdicts if each.kind == "assert" and each.origin]
    made = {f"{number:04}-{each.property}.json": maker.certificate(claim, each) for number, (claim, each) in enumerate(found, 1) if claim}
    return {NETWORK: canonical(network, provenance=True) + b"\n", **{name: _bytes(each) for name, each in made.items()}}


def _bytes(model: Model) -> bytes:
    return canonical(model, provenance=True) + b"\n"


class _Maker:
    def __init__(self, network: Network) -> None:
        self.network, self.digest = network, network_digest(network)
        self.explorer = Explorer(network)
        self.policy = self.explorer.policy
        self.slices = slices.Slices(network)

    def certificate(self, claim: Assertion, verdict: Verdict) -> Certificate:
        try:
            evidence = self._evidence(claim, verdict)
        except (Unsupported, Undecided) as reason:
            evidence = Nothing(reason=str(reason))
        return Certificate(
            ztosc=__version__, network=self.digest, at=self.network.at, claim=claim, outcome=verdict.verdict, evidence=evidence
        )

    def _evidence(self, claim: Assertion, verdict: Verdict) -> Evidence:
        flows = tuple(hop.flow for hop in verdict.witness.hops if hop.flow)
        match verdict.verdict, claim:
            case "refuted", Reaches():
                return cut_or_shut(self.explorer, claim)
            case "refuted", _:
                return Flows(flows=flows)
            case "proved", NeverReaches() | OnlyReach():
                return Slices(slices=tuple(self._texts(claim)))
            case "proved", Isolated():
                return self._closed(self._isolated(claim))
            case "proved", StaysWithin() | NeverFlowsDown():
                signed = tuple(ref.name for ref in claim.through) if isinstance(claim, NeverFlowsDown) else ()
                spread = Spread(self.explorer, claim.label, signed)
                return self._closed(self._all(spread.begin(), spread))
            case "proved", Reaches():
                return paths(self.explorer, claim)
        return Nothing(reason=verdict.reason)

    # Closed sets

    def _closed(self, reached: State) -> Closed:
        known = sorted(((start.place, each.arrival) for start, each in reached.items()), key=lambda pair: (pair[0].kind, pair[0].name))
        return Closed(places=tuple(Arrival(place=place, arrival=arrival) for place, arrival in known))

    def _isolated(self, claim: Isolated) -> State:
        goals = held(self.policy, claim.targets)
        without = tuple(place for ref in claim.through for place in isolated.removed(self.policy, ref) if place not in goals)
        begin = {Start(start.place): Reached(self.network.at) for ref in claim.subjects for start in starts(self.policy, ref)}
        wide = self._widely({start.place for start in begin}, without)
        if not wide & set(goals):
            return {Start(place): Reached(self.network.at) for place in wide}
        found, places = dict(begin), tuple(place for place in self.explorer.places if place not in without)
        for fresh in rounds(begin, lambda start, reached: steps(self.explorer, start, reached, places, without)):
            found.update(fresh)
        return found

    def _all(self, begin: State, spread: Spread) -> State:
        found = dict(begin)
        for fresh in rounds(begin, spread.expand):
            found.update(fresh)
        return found

    def _widely(self, begin: set[Place], without: tuple[Place, ...]) -> set[Place]:
        """Everything that grants lead to, whatever they ask and whenever they hold: where that is enough it is found without a solver."""
        found, places = set(begin), self.slices.places
        reaching = {end: self.slices.slice(end).sources for end in self.slices.ends() if end not in without}
        while True:
            mask = sum(1 << self.slices.bit[place.kind, place.name] for place in found)
            hit = [end for end, sources in reaching.items() if sources & mask]
            more = {Place(kind=end.kind, name=end.name) for end in hit if end.kind != "system"}
            if any(end.kind == "system" for end in hit):
                more |= {place for place in places if place.kind == "external"}
            if (more := {place for place in more if place not in without}) <= found:
                return found
            found |= more

    # Texts

    def _texts(self, claim: NeverReaches | OnlyReach) -> Iterator[SliceText]:
        seen: dict[tuple[object, ...], None] = {}
        for start, end, outside in self._pairs(claim):
            for principal in principals(self.policy, start):
                for cell in self.explorer.cells(end):
                    for text in self._at_all_times(start, principal, end, cell, outside):
                        key = (text.source, text.who, text.destination, text.allows, text.denies, text.free, text.outside)
                        if key not in seen:
                            seen[key] = None
                            yield text
                        if len(seen) > MOST:
                            raise Undecided(f"more than {MOST} texts would be needed")

    def _pairs(self, claim: NeverReaches | OnlyReach) -> Iterator[tuple[Start, Place, tuple[Ref, ...]]]:
        if isinstance(claim, NeverReaches):
            begin = [start for ref in claim.subjects for start in starts(self.policy, ref)]
            ends = dict.fromkeys(end for ref in claim.targets for end in destinations(self.policy, ref))
            yield from ((start, end, ()) for end in ends for start in begin if self._granted(start, end))
            return
        for target in claim.targets:
            for end in destinations(self.policy, target):
                for bit in bits(self.slices.slice(end).sources):
                    yield Start(self.slices.places[bit]), end, (*claim.subjects, target)

    def _granted(self, start: Start, end: Place) -> bool:
        return bool(self.slices.slice(end).sources >> self.slices.bit[start.place.kind, start.place.name] & 1)

    def _at_all_times(self, start: Start, principal: Principal, end: Place, cell: Cell, outside: tuple[Ref, ...]) -> Iterator[SliceText]:
        """A text for each set of rules that is in force together at some instant."""
        probe = Flow(
            source=start.place, principal=principal, destination=end, protocol=cell.protocol, port=cell.port, instant=self.network.at
        )
        about = [rule for rule in self.policy.about(end) if id(rule) in cell.rules]
        rules = [rule for rule in about if any(self._may_be(ref, probe) for ref in rule.subjects)]
        own = isinstance(principal, ServiceEndpoint) and end.service == principal.service and end.name == start.place.name
        free = cell.listens and own
        known: set[tuple[int, ...]] = set()
        for instant in self.explorer.timeline.moments:
            active = [rule for rule in rules if in_force(rule.validity, instant)]
            allows = tuple(rule for rule in active if rule.effect == "allow")
            denies = tuple(rule for rule in active if rule.effect == "deny")
            if (key := tuple(id(rule) for rule in active)) in known or not (allows or free):
                continue
            known.add(key)
            must = (start.ref.name,) if start.ref is not None and start.ref.kind == "role" else ()
            yield SliceText(
                source=start.place,
                who=_who(principal, must),
                destination=end,
                allows=tuple(sorted(rule.id for rule in allows)),
                denies=tuple(sorted(rule.id for rule in denies)),
                outside=tuple(ref.name for ref in outside),
                free=free,
                smt2=case_text.text(self.policy, Case(probe, allows, denies, free, outside), must),
            )

    def _may_be(self, ref: Ref, probe: Flow) -> bool:
        if ref.kind == "role":
            return isinstance(probe.principal, Person) and probe.source.name in self.policy.roles[ref.name].sources
        return self.policy.is_subject(ref, probe)


def _who(principal: Principal, must: tuple[str, ...]) -> str:
    match principal:
        case Person():
            return f"person as {must[0]}" if must else "person"
        case Host():
            return "host"
        case ServiceEndpoint(service=name):
            return f"service {name}"
        case _:
            return f"device {principal.device}"

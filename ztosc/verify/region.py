"""The merged region of what a set of starts may do at a set of ends: one entry for each grant that opens something, not one for each flow.

Guarantees: an entry is only there where somebody may initiate at some instant from the network's clock on, denies and separations counted;
what several grants open is told of each. At most `MOMENTS` instants are looked at for each grant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from operator import or_

from ztosc.ir.flow import Flow, Place
from ztosc.ir.guards import text
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import Ref
from ztosc.ir.verdict import Region
from ztosc.logic import ports
from ztosc.logic.closure import bits
from ztosc.logic.diagrams import FALSE, TRUE
from ztosc.verify import words
from ztosc.verify.moments import validity_text
from ztosc.verify.scope import Start
from ztosc.verify.slices import PERSON, Entry, Kind, PortClass, Slice, Slices
from ztosc.verify.times import Times

MOMENTS = 256
"""The most instants that are looked at for one grant."""


@dataclass(frozen=True)
class Who:
    """Those that count, of all who may initiate."""

    places: int
    """Outside of these places (bits) nobody does."""
    among: Callable[[int, Kind], int]
    """Of the initiators of a kind at a place (its bit), those that count, as a diagram."""


@dataclass
class _Found:
    rule: Rule
    who: dict[str, None] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)
    targets: dict[str, None] = field(default_factory=dict)
    ports: ports.Boxes = ()


class Regions:
    """One network, asked for regions."""

    def __init__(self, network: Network, slices: Slices | None = None) -> None:
        self.network = network
        self.slices = slices or Slices(network)
        self.policy = self.slices.policy
        self.times = Times(network, self.slices.reading.thresholds)

    def is_one_of(self, refs: Iterable[Ref]) -> Who:
        """Whoever is one of some subjects."""
        refs = tuple(refs)
        return Who(self._places(refs), lambda bit, kind: self.slices.diagrams.any(self._is(ref, bit, kind) for ref in refs))

    def is_none_of(self, refs: Iterable[Ref]) -> Who:
        """Whoever is none of them."""
        one = self.is_one_of(refs)
        return Who(-1, lambda bit, kind: self.slices.diagrams.negated(one.among(bit, kind)))

    def at(self, starts: Iterable[Start]) -> Who:
        """Whoever stands at one of some starts, as what that says."""
        known: dict[int, list[Ref | None]] = {}
        for start in starts:
            known.setdefault(self.slices.bit[start.place.kind, start.place.name], []).append(start.ref)

        def among(bit: int, kind: Kind) -> int:
            found = known.get(bit, ())
            return self.slices.diagrams.any(TRUE if ref is None else self._is(ref, bit, kind) for ref in found) if found else FALSE

        return Who(sum(1 << bit for bit in known), among)

    def _places(self, refs: Iterable[Ref]) -> int:
        """Where what some subjects stand for may be."""
        return reduce(or_, (self.slices.mask(ref.kind, "*" if ref.kind == "segments" else ref.name) for ref in refs), 0)

    def _is(self, ref: Ref, bit: int, kind: Kind) -> int:
        if not self._places((ref,)) >> bit & 1:
            return FALSE
        if ref.kind == "role":
            return self.slices.reading.held(self.slices.places[bit].name, ref.name) if kind == PERSON else FALSE
        return TRUE if ref.kind not in ("device", "service") or kind == (ref.kind, ref.name) else FALSE

    def region(self, who: Who, ends: Iterable[Place]) -> tuple[Region, ...]:
        """What those may do at these ends, by the grants in the order of the sources. Raises `TooLarge`."""
        ends = tuple(dict.fromkeys(ends))
        found: dict[tuple[int, str], _Found] = {}
        for end in ends:
            cut = self.slices.slice(end)
            for part in cut.classes:
                for entry in part.allows:
                    for bit, kind in self._opens(who, cut, part, entry):
                        self._note(found, entry, bit, kind, cut, part)
        regions = [
            Region(
                who=tuple(each.who),
                sources=tuple(each.sources),
                targets=tuple(each.targets),
                ports=ports.text(each.ports),
                guard=guard,
                time=validity_text(each.rule.validity),
                rule=each.rule.origin,
            )
            for (_, guard), each in found.items()
        ]
        among = [each for end in ends if end.service for each in self._replicas(who, self.slices.slice(end))]
        return (*among, *sorted(regions, key=lambda region: (region.rule, region.guard)))

    def _replicas(self, who: Who, cut: Slice) -> Iterator[Region]:
        """What replicas of one service may do among themselves, which no rule opens."""
        name, home = cut.end.service or "", cut.end.name
        boxes = ports.union(*(self.slices.region(cut, part) for part in cut.classes if part.listens))
        if boxes and who.among(self.slices.bit["segment", home], Kind("service", name)) != FALSE:
            yield Region(who=(name,), sources=(home,), targets=(name,), ports=ports.text(boxes))

    def _opens(self, who: Who, cut: Slice, part: PortClass, entry: Entry) -> Iterator[tuple[int, Kind]]:
        """Where from, and as what kind, an allow lets somebody in at some instant."""
        sources = entry.sources & who.places
        moments = self._moments([part]) if sources else ()
        instants = [instant for instant in moments if self.slices.in_force(entry.rule.validity, instant)]
        for bit in bits(sources):
            place = self.slices.places[bit]
            kinds = self.slices.kinds(place) if entry.kind.kind == "any" else (entry.kind,)
            for kind in kinds:
                wanted = who.among(bit, kind)
                if wanted != FALSE and any(self._may(wanted, place, kind, cut, part, entry, instant) for instant in instants):
                    yield bit, kind

    def _moments(self, parts: Iterable[PortClass]) -> tuple[int, ...]:
        rules = (entry.rule for part in parts for entry in (*part.allows, *part.denies))
        return self.times.after(rules)[:MOMENTS]

    def _may(self, wanted: int, place: Place, kind: Kind, cut: Slice, part: PortClass, entry: Entry, instant: int) -> bool:
        slices = self.slices
        allowed = slices.initiators(place, kind, cut, part, instant)
        return slices.diagrams.all([wanted, allowed, slices.matches(entry, place, instant)]) != FALSE

    def _note(self, found: dict[tuple[int, str], _Found], entry: Entry, bit: int, kind: Kind, cut: Slice, part: PortClass) -> None:
        guard = self._guard(entry, bit, kind, part)
        each = found.setdefault((id(entry.rule), guard), _Found(entry.rule))
        each.who[self._name(entry, kind)] = None
        each.sources[self.slices.places[bit].name] = None
        each.targets[cut.end.service or cut.end.name] = None
        each.ports = ports.union(each.ports, self.slices.region(cut, part))

    def _name(self, entry: Entry, kind: Kind) -> str:
        return entry.subject.name if entry.kind.kind != "any" else "anyone" if kind.kind in ("host", "person") else kind.name

    def _guard(self, entry: Entry, bit: int, kind: Kind, part: PortClass) -> str:
        """What the grant asks for, and which denies may still keep somebody out."""
        asked = text(self.policy.effective_guard(entry.rule, entry.subject))
        denies = {deny.rule.origin for deny in part.denies if deny.fits(bit, kind)}
        unless = words.listing(f"{span.file}:{span.line}" for span in sorted(denies))
        return ", ".join(filter(None, ["" if asked == "always" else asked, f"unless denied ({unless})" if unless else ""]))

    def first(self, who: Who, ends: Iterable[Place], instants: Iterable[int] | None = None, most: int = 1 << 60) -> Flow | None:
        """The first flow of those to one of these ends, with the least initiator, within so many tries. Raises `TooLarge`."""
        tried = 0
        for end in ends:
            cut = self.slices.slice(end)
            for place, kind, wanted in self._among(who, cut):
                moments = self._moments(cut.classes) if instants is None else tuple(instants)
                for part, instant in product(cut.classes, moments):
                    tried += 1
                    flow = self._flow(wanted, place, kind, cut, part, instant)
                    if flow is not None:
                        return flow
                    if tried >= most:
                        return None
        return None

    def _among(self, who: Who, cut: Slice) -> Iterator[tuple[Place, Kind, int]]:
        """The places and kinds with some of those who count, of those that may initiate to an end."""
        for bit in bits(cut.sources & who.places):
            place = self.slices.places[bit]
            for kind in self.slices.kinds(place):
                wanted = who.among(bit, kind)
                if wanted != FALSE:
                    yield place, kind, wanted

    def _flow(self, wanted: int, place: Place, kind: Kind, cut: Slice, part: PortClass, instant: int) -> Flow | None:
        slices = self.slices
        least = slices.diagrams.least(slices.diagrams.both(wanted, slices.initiators(place, kind, cut, part, instant)))
        if least is None:
            return None
        flow = Flow(
            source=place,
            principal=slices.principal(kind, least),
            destination=cut.end,
            protocol=part.protocol,
            port=part.port,
            instant=instant,
        )
        return flow if self.policy.decide(flow).allowed else None

"""The places that something can come to, each with the first instant at which it may: evidence for chains and for data.

Guarantees: exact, by diagrams: a place is in the set if and only if a chain leads there, and its arrival is that of the earliest one;
no hop comes before the one that led to it. Raises `TooLarge`, `Undecided`.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from ztosc.ir.clock import is_over
from ztosc.ir.flow import Place
from ztosc.ir.intent import Rule
from ztosc.logic.closure import bits
from ztosc.logic.diagrams import FALSE
from ztosc.verify.scope import segments_of
from ztosc.verify.slices import Entry, Kind, PortClass, Slice, Slices
from ztosc.verify.times import Times

Arrivals = dict[Place, int]
Hops = Callable[[Place, int], Iterator[tuple[Place, int]]]


def spreading(begin: Iterable[Place], at: int, hops: Hops) -> Arrivals:
    """Everything that is reached, the earliest first: who arrives earlier misses nothing by waiting."""
    best: Arrivals = dict.fromkeys(begin, at)
    queue = [(at, place.kind, place.name) for place in best]
    heapq.heapify(queue)
    while queue:
        arrival, kind, name = heapq.heappop(queue)
        here = Place(kind=kind, name=name)
        if best[here] < arrival:
            continue
        for there, instant in hops(here, arrival):
            if instant < best.get(there, instant + 1):
                best[there] = instant
                heapq.heappush(queue, (instant, there.kind, there.name))
    return best


class Hopping:
    """One hop in a network: of an attacker, or of a label's data."""

    def __init__(self, slices: Slices, times: Times) -> None:
        self.slices, self.times, self.policy = slices, times, slices.policy
        self.by_source: dict[Place, list[tuple[Place, Place]]] = {}
        """Of each place the ends that somebody there may be granted, each with the place it is at."""
        for end in slices.ends():
            there = Place(kind=end.kind, name=end.name)
            for bit in bits(slices.slice(end).sources):
                self.by_source.setdefault(slices.places[bit], []).append((end, there))
        self._firsts: dict[tuple[Place, Place, int, str | None, tuple[str, ...]], int | None] = {}

    def chain(self, without: tuple[Place, ...]) -> Hops:
        """Hops of an attacker who owns each place that is reached."""
        left_out = frozenset(without)
        outside = [place for place in self.slices.places if place.kind == "external" and place not in left_out]
        resolvers = {each.name for each in self.policy.intent.systems if each.served_by == "resolver"}

        def hops(here: Place, after: int) -> Iterator[tuple[Place, int]]:
            for end, place in self.by_source.get(here, ()):
                if end in left_out or place in left_out:
                    continue
                if end.kind != "system":
                    yield from ((place, instant) for instant in self.first(here, end, after))
                elif end.name in resolvers and self._recurses(here):
                    yield from ((each, instant) for instant in self.first(here, end, after) for each in outside)

        return hops

    def data(self, label: str, signed: tuple[str, ...]) -> Hops:
        """Hops of a label's data: with a flow, against it, and into logs, unless somebody releases it."""
        towards: dict[Place, list[tuple[Place, Place]]] = {}
        for source, ends in self.by_source.items():
            for end, there in ends:
                towards.setdefault(there, []).append((source, end))

        def hops(here: Place, after: int) -> Iterator[tuple[Place, int]]:
            if self._released(here, label):
                return
            for end, place in (pair for pair in self.by_source.get(here, ()) if pair[0].kind != "system"):
                yield from ((place, instant) for instant in self.first(here, end, after, label, signed))
            for source, end in towards.get(here, ()):
                yield from ((source, instant) for instant in self.first(source, end, after, label, signed))
            yield from ((sink, after) for sink in self._sinks(here, after))

        return hops

    def first(self, here: Place, end: Place, after: int, label: str | None = None, signed: tuple[str, ...] = ()) -> Iterator[int]:
        """The first instant at which anybody may, if there is one."""
        key = (here, end, after, label, signed)
        if key not in self._firsts:
            self._firsts[key] = next(self._instants(here, end, after, label, signed), None)
        if (found := self._firsts[key]) is not None:
            yield found

    def _instants(self, here: Place, end: Place, after: int, label: str | None, signed: tuple[str, ...]) -> Iterator[int]:
        cut = self.slices.slice(end)
        if self._ends_at(end.service, label, signed):
            return
        rules = [entry.rule for part in cut.classes for entry in (*part.allows, *part.denies)]
        for instant in self.times.after(rules, after):
            kinds = (kind for kind in self.slices.kinds(here) if not (kind.kind == "service" and self._ends_at(kind.name, label, signed)))
            if any(self._may(here, kind, cut, part, instant, label) for kind in kinds for part in cut.classes):
                yield instant

    def _may(self, here: Place, kind: Kind, cut: Slice, part: PortClass, instant: int, label: str | None) -> bool:
        slices = self.slices
        bit = slices.bit[here.kind, here.name]

        def active(entries: Iterable[Entry]) -> list[Entry]:
            return [each for each in entries if each.fits(bit, kind) and slices.in_force(each.rule.validity, instant)]

        allows = [each for each in active(part.allows) if label is None or self._carries(each, label)]
        free = part.listens and slices.is_replica(here, kind, cut.end)
        return bool(allows or free) and slices.permitted(here, kind, allows, active(part.denies), free, instant) != FALSE

    def _carries(self, entry: Entry, label: str) -> bool:
        role = self.policy.roles.get(entry.role)
        return not entry.rule.governance.released(label) and not (role and role.governance.released(label))

    def _ends_at(self, service: str | None, label: str | None, signed: tuple[str, ...]) -> bool:
        if service is None or label is None:
            return False
        return service in signed or self.policy.services[service].governance.released(label)

    def _released(self, place: Place, label: str) -> bool:
        named = (*self.policy.intent.segments, *self.policy.intent.externals)
        return any(each.name == place.name and each.governance.released(label) for each in named)

    def _sinks(self, here: Place, after: int) -> Iterator[Place]:
        for rule in self.policy.intent.rules:
            sink = self.policy.services.get(rule.governance.log_to or "")
            if sink is not None and not is_over(rule.validity, after) and self._is_about(rule, here):
                yield Place(kind="segment", name=sink.segment)

    def _is_about(self, rule: Rule, place: Place) -> bool:
        for ref in (*rule.subjects, *rule.targets):
            if ref.kind == "external" and (place.kind, place.name) == (ref.kind, ref.name):
                return True
            if place.kind == "segment" and place.name in segments_of(self.policy, ref):
                return True
        return False

    def _recurses(self, here: Place) -> bool:
        """Whether resolvers look names up outside for a segment."""
        return here.kind == "segment" and here.name in self._outward

    @cached_property
    def _outward(self) -> frozenset[str]:
        grants = (rule for rule in self.policy.intent.rules if rule.effect == "allow" and not is_over(rule.validity, self.times.at))
        outward = (rule for rule in grants if any(ref.kind == "external" for ref in rule.targets))
        inner = (ref for rule in outward for ref in rule.subjects if ref.kind != "external")
        return frozenset(name for ref in inner for name in segments_of(self.policy, ref))

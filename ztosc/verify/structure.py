"""Which places any allow may ever join, whatever its guard, its window and the denies: bits over bits, and most claims need no more.

Guarantees: where this has no edge, no flow is ever allowed from the compiler's `at` on; a grant that is over by then is not counted. It
speaks of kinds of principals too: a grant to a device class is no grant to the people beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property

from ztosc.ir.clock import is_over
from ztosc.ir.flow import Place
from ztosc.ir.intent import Rule
from ztosc.logic.closure import bits, transpose
from ztosc.verify.slices import ANYONE, PERSON, Kind, Slices

Granted = dict[Kind, int]
"""By kind of principal (`ANYONE`: all), from which places."""


class Structure:
    """A network's grants as bits over `slices.places`."""

    def __init__(self, slices: Slices) -> None:
        self.slices, self.policy, self.at = slices, slices.policy, slices.network.at
        self._subjects: dict[tuple[str, str], tuple[Kind, int]] = {}
        self._granted: dict[tuple[str, str, str | None], Granted] = {}
        self._union: dict[tuple[str, str, str | None], int] = {}

    @cached_property
    def _by_target(self) -> dict[tuple[str, str], Granted]:
        """By name in a rule, who is granted anything on it."""
        found: dict[tuple[str, str], Granted] = {}
        self._collect(found, self.policy.intent.rules)
        return found

    def _collect(self, found: dict[tuple[str, str], Granted], rules: Iterable[Rule], only: tuple[str, str] | None = None) -> None:
        """What some rules grant, by target; on one target only, where it is named."""
        known = self._subjects
        for rule in rules:
            if rule.effect == "allow" and not is_over(rule.validity, self.at):
                for target in rule.targets:
                    name = (target.kind, target.name)
                    if only is not None and name != only:
                        continue
                    granted = found.setdefault(name, {})
                    for ref in rule.subjects:
                        key = (ref.kind, ref.name)
                        kind, mask = known.get(key) or known.setdefault(key, self._subject(*key))
                        granted[kind] = granted.get(kind, 0) | mask

    def _subject(self, kind: str, name: str) -> tuple[Kind, int]:
        who = PERSON if kind == "role" else Kind(kind, name) if kind in ("device", "service") else ANYONE
        return who, self.slices.mask(kind, name)

    def granted(self, end: Place) -> Granted:
        """Who may ever get to an end."""
        key = (end.kind, end.name, end.service)
        found = self._granted.get(key)
        if found is None:
            found = self._granted[key] = self._collected(end)
        return found

    def _collected(self, end: Place) -> Granted:
        found: Granted = {}
        for name in self.slices.names(end):
            for kind, mask in self._by_target.get(name, {}).items():
                found[kind] = found.get(kind, 0) | mask
        if end.service:
            own = Kind("service", end.service)
            found[own] = found.get(own, 0) | self.slices.mask("segment", end.name)
        return found

    def into(self, end: Place) -> int:
        """From where anybody may ever get to an end."""
        key = (end.kind, end.name, end.service)
        found = self._union.get(key)
        if found is None:
            found = 0
            for mask in self.granted(end).values():
                found |= mask
            self._union[key] = found
        return found

    def possible(self, bit: int, kinds: tuple[Kind, ...], end: Place) -> bool:
        """Whether one of the kinds at a place may ever get to an end."""
        granted = self.granted(end)
        return any(granted.get(kind, 0) >> bit & 1 for kind in (ANYONE, *kinds))

    def forget(self, ends: Collection[tuple[str, str]], names: Iterable[tuple[str, str]]) -> None:
        """Rules that name some targets are others now, and with them those about some ends (by kind and name)."""
        rules, by_target = self.policy.intent.rules, self.policy.by_target
        for name in names:
            said = (rules[position] for position in by_target.get(name, ()))
            self._by_target.pop(name, None)
            self._collect(self._by_target, said, name)
        self._granted = {key: found for key, found in self._granted.items() if key[:2] not in ends}
        self._union = {key: found for key, found in self._union.items() if key[:2] not in ends}
        self.__dict__.pop("granted_external", None)
        if "inward" in self.__dict__:
            for end in ends:
                if end in self.slices.bit:
                    self._redraw(self.slices.bit[end])

    def _redraw(self, index: int) -> None:
        was, now = self.inward[index], self._inward(self.slices.places[index], ())
        self.inward[index] = now
        for source in bits(was ^ now) if "outward" in self.__dict__ else ():
            self.outward[source] ^= 1 << index

    # The graph of places

    @cached_property
    def inward(self) -> list[int]:
        """For each place, from where something there may ever be reached in one hop."""
        return [self._inward(place, ()) for place in self.slices.places]

    @cached_property
    def outward(self) -> list[int]:
        """For each place, what may ever be reached from there in one hop."""
        return transpose(self.inward)

    def inward_without(self, without: tuple[Place, ...]) -> list[int]:
        """`inward`, the ends in `without` left out: a place as a whole, a service, or a system."""
        if not without:
            return self.inward
        rows = list(self.inward)
        touched = {(end.kind, end.name) for end in without}
        if any(end.kind == "system" for end in without):
            touched |= {("external", each.name) for each in self.policy.intent.externals}
        for key in touched:
            if key in self.slices.bit:
                index = self.slices.bit[key]
                rows[index] = self._inward(self.slices.places[index], without)
        return rows

    def _inward(self, place: Place, without: tuple[Place, ...]) -> int:
        if place in without:
            return 0
        found = 0
        for end in self.slices.inside(place):
            if not without or end not in without:
                found |= self.into(end)
        return found | self._asking(without) if place.kind == "external" else found

    def _asking(self, without: tuple[Place, ...]) -> int:
        """The segments for which a resolver recurses: granted some external, and the resolver."""
        systems = (Place(kind="system", name=each.name) for each in self.policy.intent.systems if each.served_by == "resolver")
        asking = 0
        for end in systems:
            asking |= self.into(end) if end not in without else 0
        return asking & self.granted_external & self.slices.mask("segments", "*")

    @cached_property
    def granted_external(self) -> int:
        """From where some external is granted to somebody."""
        found = 0
        for (kind, _), granted in self._by_target.items():
            for mask in granted.values() if kind == "external" else ():
                found |= mask
        return found

    # Data of a label

    @cached_property
    def logging(self) -> list[tuple[Rule, int, int]]:
        """Rules that log, with the places that they are about and the place to which they log."""
        found = []
        for rule in self.policy.intent.rules:
            sink = self.policy.services.get(rule.governance.log_to or "")
            if sink is not None and not is_over(rule.validity, self.at):
                about = 0
                for ref in (*rule.subjects, *rule.targets):
                    about |= self.slices.mask(ref.kind, ref.name)
                found.append((rule, about, self.slices.mask("segment", sink.segment)))
        return found

    def logged(self, bit: int) -> list[Rule]:
        """The rules about a place that log; behind one that never ends, no other that logs to the same place."""
        found: list[Rule] = []
        settled = 0
        for rule, about, sink in self.logging:
            if about >> bit & 1 and not sink & settled:
                found.append(rule)
                settled |= sink if rule.validity.not_after is None else 0
        return found

    def spread(self, start: int, stops: int) -> int:
        """Where data may ever come to from some places: with every hop, against it, and into logs, but not onward from `stops`."""
        found = fresh = start
        while fresh:
            there = 0
            for index in bits(fresh & ~stops):
                there |= self.inward[index] | self.outward[index]
            for _, about, sink in self.logging:
                there |= sink if about & fresh & ~stops else 0
            fresh = there & ~found
            found |= fresh
        return found

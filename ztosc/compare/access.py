"""Access that one network gives and the other does not, exactly: who, from where, to what, on which ports, at which moments.

Guarantees: a flow lies in an area of one side if and only if `decide` allows it there and not in the other network, a source, target,
role, class or service that a network does not have being nobody and nothing there. Areas of one side share no flow. An end that the
change cannot have touched is not looked at (`touched`). Raises `Undecided` where time leads too far; an end whose guards outgrow their
budget is named in `undecided`, never taken for unchanged.

How: both networks are read over the same variables; for each end that is touched, ports are cut where the rules of either network or an
acceptance tell them apart, places likewise, and moments by which of these rules are in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ztosc.compare.areas import Area, Found, Lines, class_of, grid, merged, region
from ztosc.compare.touched import Touched, ends, touched
from ztosc.ir.acceptance import Acceptance
from ztosc.ir.flow import Flow, Host, Place
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.logic import ports
from ztosc.logic.closure import bits
from ztosc.logic.diagrams import FALSE, TooLarge
from ztosc.source import Span
from ztosc.verify import moments
from ztosc.verify.encoding import Encoding
from ztosc.verify.scope import everywhere
from ztosc.verify.slices import ANYONE, HOST, PERSON, Entry, Kind, PortClass, Slice, Slices


@dataclass
class Access:
    """Two networks, and everything in which their access differs."""

    old: Network
    new: Network
    acceptances: tuple[Acceptance, ...]
    touched: Touched
    ends: tuple[Place, ...]
    gained: tuple[Area, ...] = ()
    lost: tuple[Area, ...] = ()
    undecided: dict[Place, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        networks = [self._reduced(network) for network in (self.old, self.new)]
        signed = tuple(_pseudo(each) for each in self.acceptances)
        networks[1] = _with_rules(networks[1], (*networks[1].intent.rules, *signed))
        self.encoding = Encoding(*networks)
        self.diagrams = self.encoding.diagrams
        every = (place for reading in self.encoding.readings for place in everywhere(reading.policy))
        self.places = tuple(dict.fromkeys(every))
        self.sides = tuple(Slices(network, reading, self.places) for network, reading in zip(networks, self.encoding.readings, strict=True))
        self.signed = tuple(tuple(self.sides[1]._entry(rule, ref) for ref in rule.subjects) for rule in signed)
        thresholds = max((reading.thresholds for reading in self.encoding.readings), key=len)
        validities = {rule.validity for network in networks for rule in network.intent.rules}
        self.timeline = moments.Timeline.of(self.new.at, validities, thresholds)
        self.instants = self.timeline.moments
        found: tuple[Found, Found] = ({}, {})
        for end in self.ends:
            try:
                self._compare(end, found)
            except TooLarge as large:
                self.undecided[end] = str(large)
        self.gained, self.lost = (tuple(merged(each)) for each in found)

    def _reduced(self, network: Network) -> Network:
        """The network with the rules about the ends that are looked at."""
        policy_ends = set(self.ends)
        segments = {end.name for end in policy_ends if end.kind == "segment"}
        labels = {("label", label) for each in network.intent.segments if each.name in segments for label in each.carries}
        named = {(end.kind, end.name) for end in policy_ends} | {("service", end.service) for end in policy_ends if end.service} | labels
        rules = tuple(rule for rule in network.intent.rules if any((ref.kind, ref.name) in named for ref in rule.targets))
        return _with_rules(network, rules)

    # One end

    def _compare(self, end: Place, found: tuple[Found, Found]) -> None:
        cuts = tuple(self._cut(side, end) for side in self.sides)
        signed = self._signed_for(end)
        sets = list(dict.fromkeys([boxes for cut in cuts if cut for boxes in cut.spoken] + [boxes for _, boxes in signed.values()]))
        groups = self._groups(cuts, signed)
        for _, _, mask in grid(tuple(sets), self._spoken_of(end, cuts)):
            cell = [boxes for index, boxes in enumerate(sets) if mask >> index & 1]
            classes = tuple(class_of(cut, cell) if cut else None for cut in cuts)
            if not self._differs(cuts, classes):
                continue
            accepting = [number for number, (_, boxes) in signed.items() if boxes in cell]
            where = region(sets, mask)
            for instant, at in groups:
                for part in self._parts(cuts, classes, accepting):
                    self._part(end, cuts, classes, accepting, (where, instant, at, part), found)

    def _cut(self, side: Slices, end: Place) -> Slice | None:
        """The end as a network has it: a service that is not there is a host of its segment."""
        policy = side.policy
        if end.kind == "segment":
            if end.name not in policy.segments:
                return None
            there = end.service in policy.services and policy.services[end.service].segment == end.name
            return side.slice(end if there or not end.service else Place(kind="segment", name=end.name))
        known = policy.systems if end.kind == "system" else {each.name for each in policy.intent.externals}
        return side.slice(end) if end.name in known else None

    def _signed_for(self, end: Place) -> dict[int, tuple[tuple[Entry, ...], ports.Boxes]]:
        """The acceptances that name an end, and the ports on which."""
        policy = self.sides[1].policy
        probe = Flow(source=end, principal=Host(), destination=end, protocol=0, port=0, instant=0)
        known = end.kind != "segment" or end.name in policy.segments
        found = {}
        for number, (each, entries) in enumerate(zip(self.acceptances, self.signed, strict=True)):
            access = each.access
            if access is not None and known:
                fitting = [ref for ref in access.targets if policy.is_target(ref, probe)]
                boxes = ports.union(*(access.ports if access.ports is not None else policy.listens(ref) for ref in fitting))
                if boxes:
                    found[number] = (entries, boxes)
        return found

    def _spoken_of(self, end: Place, cuts: Sequence[Slice | None]) -> ports.Boxes:
        """The ports on which the end may be decided otherwise."""
        if self.touched.everything or None in cuts or ("service", end.service or "") in self.touched.names:
            return ports.ANY
        found: set[ports.Boxes] = set()
        for side, cut in zip(self.sides, cuts, strict=True):
            for entry in (*cut.allows, *cut.denies) if cut else ():
                if entry.rule.id in self.touched.rules and cut is not None:
                    found.add(side._spoken(entry.rule, cut.end))
        return ports.union(*sorted(found))

    def _differs(self, cuts: Sequence[Slice | None], classes: Sequence[PortClass | None]) -> bool:
        """Whether anything about these ports may be decided otherwise."""
        if self.touched.everything or None in cuts:
            return True
        one, other = classes
        if one is None or other is None:
            return one is not other
        if one.listens != other.listens or (cuts[0] and cuts[1] and cuts[0].end != cuts[1].end):
            return True
        rules = [{entry.rule.id for entry in (*each.allows, *each.denies)} for each in (one, other)]
        return rules[0] != rules[1] or not self.touched.rules.isdisjoint(rules[0])

    def _groups(self, cuts: Sequence[Slice | None], signed: dict[int, tuple[tuple[Entry, ...], ports.Boxes]]) -> list[tuple[int, int]]:
        """Moments at which the same of these rules are in force: one of them, and all as bits."""
        entries = [entry for cut in cuts if cut for entry in (*cut.allows, *cut.denies)]
        entries += [entry for each, _ in signed.values() for entry in each]
        validities = tuple(dict.fromkeys(entry.rule.validity for entry in entries))
        asks = any(reading.thresholds for reading in self.encoding.readings)
        found: dict[object, tuple[int, int]] = {}
        for index, instant in enumerate(self.instants):
            phase = sum(1 for each in self.timeline.thresholds if each <= instant) if asks else 0
            key = (phase, *(self.sides[0].in_force(each, instant) for each in validities))
            first, mask = found.get(key, (instant, 0))
            found[key] = (first, mask | 1 << index)
        return list(found.values())

    def _parts(self, cuts: Sequence[Slice | None], classes: Sequence[PortClass | None], accepting: Iterable[int]) -> list[int]:
        """The places from where either network grants something, in sets that nothing tells apart."""
        masks: set[int] = set()
        granted = 0
        for side, cut, each in zip(self.sides, cuts, classes, strict=True):
            if cut is None or each is None:
                continue
            own = side.mask("segment", cut.end.name) if each.listens else 0
            masks |= {own, *(entry.sources for entry in (*each.allows, *each.denies))}
            granted |= own
            for entry in each.allows:
                granted |= entry.sources
        masks |= {entry.sources for number in accepting for entry in self.signed[number]}
        parts = [granted] if granted else []
        for mask in masks:
            parts = [piece for part in parts for piece in (part & mask, part & ~mask) if piece]
        return [piece for part in parts for piece in self._by_people(part)]

    def _by_people(self, part: int) -> list[int]:
        found: dict[object, int] = {}
        for bit in bits(part):
            found[self._people[bit]] = found.get(self._people[bit], 0) | 1 << bit
        return list(found.values())

    @cached_property
    def _people(self) -> tuple[object, ...]:
        """What tells places apart by who may be there, in either network."""
        return tuple(
            (*((place.name in side.policy.segments, side.reading.roles_from(place.name)) for side in self.sides), self.kinds(place))
            for place in self.places
        )

    def kinds(self, place: Place) -> tuple[Kind, ...]:
        """Every kind of principal that either network has at a place."""
        if place.kind != "segment":
            return (HOST,)
        found = [side.kinds(place) for side in self.sides if place.name in side.policy.segments]
        return tuple(sorted({kind for kinds in found for kind in kinds}))

    def _part(
        self,
        end: Place,
        cuts: Sequence[Slice | None],
        classes: Sequence[PortClass | None],
        accepting: list[int],
        where: tuple[ports.Boxes, int, int, int],
        found: tuple[Found, Found],
    ) -> None:
        boxes, instant, at, part = where
        place = self.places[next(bits(part))]
        whole = [[self._may(index, cuts, classes, place, kind, instant) for index in (0, 1)] for kind in self.kinds(place)]
        for index, (has, had) in enumerate(((1, 0), (0, 1))):
            more = {kind: self.diagrams.without(each[has], each[had]) for kind, each in zip(self.kinds(place), whole, strict=True)}
            narrow = has and any(entry.kind != ANYONE for number in accepting for entry in self.signed[number])
            for kind, who in (more if narrow else self._together(place, more, has)).items():
                if who == FALSE:
                    continue
                lines = self._lines(classes, place, kind, who, instant, has)
                for number, share in self._shares(place, kind, who, instant, accepting if has else []):
                    inner = found[index].setdefault((kind, share, *lines, number, end), {}).setdefault(boxes, {})
                    for bit in bits(part):
                        inner[bit] = inner.get(bit, 0) | at

    def _may(
        self, index: int, cuts: Sequence[Slice | None], classes: Sequence[PortClass | None], place: Place, kind: Kind, instant: int
    ) -> int:
        """Who of a kind one network lets in."""
        side, cut, ports_ = self.sides[index], cuts[index], classes[index]
        if cut is None or ports_ is None or (place.kind == "segment" and place.name not in side.policy.segments):
            return FALSE
        if place.kind == "external" and not side.mask("external", place.name):
            return FALSE
        return side.initiators(place, kind, cut, ports_, instant)

    def _together(self, place: Place, more: dict[Kind, int], has: int) -> dict[Kind, int]:
        """One entry for all kinds, where they are treated alike."""
        host = more[HOST]
        people = self.sides[has].separated(place, host) if PERSON in more and host != FALSE else host
        alike = all(who == (people if kind == PERSON else host) for kind, who in more.items())
        return {ANYONE: host} if alike else more

    def _shares(self, place: Place, kind: Kind, who: int, instant: int, accepting: list[int]) -> Iterator[tuple[int, int]]:
        """What of it which acceptance names, and what none does (-1)."""
        side = self.sides[1]
        bit = side.bit[place.kind, place.name]
        for number in accepting:
            for entry in self.signed[number]:
                if not side.in_force(entry.rule.validity, instant) or not entry.sources >> bit & 1 or entry.kind not in (ANYONE, kind):
                    continue
                true, _ = side.reading.truth(entry.rule.guard, instant)
                named = self.diagrams.both(side.reading.held(place.name, entry.role), true) if entry.role else true
                share = self.diagrams.both(who, named)
                if share != FALSE:
                    yield number, share
                    who = self.diagrams.without(who, named)
        if who != FALSE:
            yield -1, who

    # The lines that did it

    def _lines(
        self, classes: Sequence[PortClass | None], place: Place, kind: Kind, who: int, instant: int, has: int
    ) -> tuple[Lines, Lines]:
        """Lines of the old and of the new network: what gives it where it is given, what did not or kept it away where it is not."""
        giving = [entry.rule for entry in self._at_work(has, classes[has], "allow", place, kind, who, instant)]
        changed = [rule for rule in giving if rule.id in self.touched.rules]
        other = 1 - has
        keeping = [entry.rule for entry in self._at_work(other, classes[other], "deny", place, kind, who, instant)]
        keeping += self._former(other, classes[other], place, kind)
        kept = [rule for rule in keeping if rule.id in self.touched.rules]
        here, there = self._spans(has, changed or giving), self._spans(other, kept)
        return (there, here) if has else (here, there)

    def _at_work(
        self, index: int, ports_: PortClass | None, effect: str, place: Place, kind: Kind, who: int, instant: int
    ) -> Iterator[Entry]:
        side = self.sides[index]
        bit = side.bit[place.kind, place.name]
        for entry in (ports_.allows if effect == "allow" else ports_.denies) if ports_ else ():
            fits = bool(entry.sources >> bit & 1) and (kind == ANYONE or entry.kind in (ANYONE, kind))
            if (
                fits
                and side.in_force(entry.rule.validity, instant)
                and self.diagrams.both(side.matches(entry, place, instant), who) != FALSE
            ):
                yield entry

    def _former(self, index: int, ports_: PortClass | None, place: Place, kind: Kind) -> Iterator[Rule]:
        """Allows of the network without it that speak of the same ends: what the changed line was, or has become."""
        bit = self.sides[index].bit[place.kind, place.name]
        for entry in ports_.allows if ports_ else ():
            if entry.sources >> bit & 1 and (kind == ANYONE or entry.kind in (ANYONE, kind)):
                yield entry.rule

    def _spans(self, index: int, rules: Iterable[Rule]) -> Lines:
        """Where rules stand, and the roles that they name where a role is what changed."""
        policy, found = self.sides[index].policy, list[Span]()
        for rule in rules:
            roles = [ref.name for ref in rule.subjects if ref.kind == "role" and ("role", ref.name) in self.touched.names]
            found += [rule.origin, *(policy.roles[name].origin for name in roles if name in policy.roles)]
        return tuple(sorted(set(found)))


def _with_rules(network: Network, rules: tuple[Rule, ...]) -> Network:
    return network.model_copy(update={"intent": network.intent.model_copy(update={"rules": rules})})


def _pseudo(acceptance: Acceptance) -> Rule:
    """What an acceptance names as a rule about nothing, so that its guard and time are known to the encoding."""
    access = acceptance.access
    if access is None:
        return Rule(id="accept", effect="allow", subjects=(), targets=(), origin=acceptance.origin)
    return Rule(
        id="accept",
        effect="allow",
        subjects=access.subjects,
        targets=(),
        ports=access.ports,
        guard=access.guard,
        validity=access.validity,
        origin=acceptance.origin,
    )


def compare_access(old: Network, new: Network, acceptances: Iterable[Acceptance] = ()) -> Access:
    """Everything in which the access of two networks differs."""
    found = touched(old.intent, new.intent)
    return Access(old, new, tuple(acceptances), found, ends(found, old.intent, new.intent))

"""A network cut by destination: for each end of a flow, the rules about it as bitsets of sources, and its ports in classes of its own.

    slices = Slices(network)                              # or Slices(network, encoding.readings[1], places) beside another network
    for end in slices.ends():                             # every place that a flow may end at
        cut = slices.slice(end)
        cut.sources                                       # bits of `slices.places` from where any allow may ever let somebody in
        for ports in cut.classes:                         # ports that the rules about this end do not tell apart
            for area in slices.areas(cut, ports, instant):
                area.sources, area.kind, area.who         # places that are alike, a kind of principal, the diagram of those who may
    slices.initiators(source, kind, cut, ports, instant)  # the same for one place

A *place* is a segment or an external, and its bit its position in `slices.places`. A *kind* is `("host", "")`, `("device", class)`,
`("service", name)` or `("person", "")`; `kinds(place)` lists them, the least first. An *entry* is one rule seen through one of its
subjects: the places where that subject may stand, and which kind of principal it is.

Guarantees: `initiators` is satisfied by exactly the principals of that kind whom `decide` allows a flow from there, on every port of the
class, at that instant; areas are disjoint, and where no area has a place and kind nobody of it is allowed. Everything comes in the order
of the network. What is asked for is made when it is asked for: an index of 20,000 rules costs some tens of milliseconds, and a rule that
nobody asks about costs nothing more. Raises `TooLarge` as `encoding` does.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from operator import itemgetter
from typing import NamedTuple

from ztosc.ir.clock import in_force
from ztosc.ir.flow import DevicePrincipal, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import Ref, Validity, Value
from ztosc.logic import ports
from ztosc.logic.closure import bits
from ztosc.logic.diagrams import FALSE, TRUE
from ztosc.source import Span
from ztosc.verify.cells import READABLE, preference
from ztosc.verify.encoding import Encoding, Reading
from ztosc.verify.scope import everywhere, inside


class Kind(NamedTuple):
    """A kind of principal: `host`, `device`, `service` or `person`, and the name of the device class or service."""

    kind: str
    name: str = ""


NO_RULE = Rule(id="", effect="allow", subjects=(), targets=(), origin=Span("", 1, 1, 1, 1))
HOST, PERSON, ANYONE = Kind("host"), Kind("person"), Kind("any")


class Entry(NamedTuple):
    """One rule through one subject."""

    rule: Rule
    subject: Ref
    sources: int
    """The places where the subject may stand."""
    kind: Kind
    """Which principals it is: `ANYONE` for a place as a whole."""
    role: str
    """The role that a person must act in; empty where none is asked."""

    def fits(self, bit: int, kind: Kind) -> bool:
        """Whether the subject may be that kind of principal at a place."""
        return bool(self.sources >> bit & 1) and self.is_of(kind)

    def is_of(self, kind: Kind) -> bool:
        """Whether the subject may be that kind of principal at all."""
        return self.kind is ANYONE or self.kind == kind


@dataclass(frozen=True, slots=True)
class PortClass:
    """Ports that the rules about an end do not tell apart, by the most readable of them."""

    protocol: int
    port: int
    allows: tuple[Entry, ...]
    denies: tuple[Entry, ...]
    listens: bool
    """Whether the service at the end listens there: its replicas may talk."""
    speaking: int
    """Which of `Slice.spoken` hold the class, as bits."""


@dataclass(frozen=True, slots=True)
class Slice:
    """An end and the rules about it."""

    end: Place
    allows: tuple[Entry, ...]
    denies: tuple[Entry, ...]
    sources: int
    """Where somebody may stand whom an allow names, or a replica of the service itself, at whatever time and with whatever guard."""
    spoken: tuple[ports.Boxes, ...]
    """The distinct sets of ports of the rules, that of what listens last."""
    classes: tuple[PortClass, ...]
    """The most readable port first; ports on which nothing is granted are left out."""


class Area(NamedTuple):
    """Places and a kind of principal that are treated alike, and who of them may initiate."""

    sources: int
    kind: Kind
    who: int


Grid = tuple[tuple[int, int, int], ...]
Spoken = tuple[int, tuple[Entry, ...], bool]
"""The position of a rule, its entries, and whether it is an allow."""


@lru_cache(maxsize=1 << 12)
def _grid(sets: tuple[ports.Boxes, ...]) -> Grid:
    """One (protocol, port) for each way in which sets of ports overlap, the most readable first, with the bits of the sets that hold it."""
    parts = [box for each in (READABLE, *sets) for box in each]
    numbers = sorted({0} | {edge for _, _, low, high in parts for edge in (low, high + 1) if edge <= 65535})
    protocols = {0} | {edge for low, high, _, _ in parts for edge in (low, high + 1) if edge <= 255}
    readable = [*numbers[1:], 0]
    found: dict[int, tuple[int, int, int]] = {}
    for protocol in sorted(protocols, key=lambda each: preference((each, 1))):
        masks = _masks(sets, protocol, numbers)
        for port in readable:
            found.setdefault(masks[port], (protocol, port, masks[port]))
    return tuple(found.values())


def _masks(sets: tuple[ports.Boxes, ...], protocol: int, numbers: list[int]) -> dict[int, int]:
    """By port, the bits of the sets that hold it; `numbers` are ascending and have every end of every set among them."""
    changes: dict[int, int] = {}
    for index, boxes in enumerate(sets):
        for low, high, first, last in boxes:
            if low <= protocol <= high:
                changes[first] = changes.get(first, 0) ^ 1 << index
                changes[last + 1] = changes.get(last + 1, 0) ^ 1 << index
    mask, found = 0, {}
    for port in numbers:
        mask ^= changes.get(port, 0)
        found[port] = mask
    return found


class Slices:
    """One network by destination."""

    def __init__(self, network: Network, reading: Reading | None = None, places: tuple[Place, ...] | None = None) -> None:
        self.reading = reading or Encoding(network).readings[0]
        self.network, self.policy, self.diagrams = network, self.reading.policy, self.reading.diagrams
        self.places = everywhere(self.policy) if places is None else places
        self.bit: dict[tuple[str, str], int] = {(place.kind, place.name): index for index, place in enumerate(self.places)}
        self._entries: dict[int, tuple[Entry, ...]] = {}
        self._slices: dict[Place, Slice] = {}
        self._force: dict[tuple[int, int], bool] = {}
        self._grants: dict[tuple[int, int], int] = {}

    # Places

    def ends(self) -> Iterator[Place]:
        """Every end of a flow: of each place its hosts and its services, and what the nodes offer."""
        for place in everywhere(self.policy):
            yield from self.inside(place)
        yield from (Place(kind="system", name=each.name) for each in self.policy.intent.systems)

    def inside(self, place: Place) -> tuple[Place, ...]:
        """The ends of flows at a place: its hosts, then each of its services."""
        return inside(self.policy, place)

    def mask(self, kind: str, name: str) -> int:
        """The places where what a reference stands for may initiate from, as bits."""
        return self._masks.get((kind, name), 0)

    @cached_property
    def _masks(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for segment in self.policy.intent.segments:
            mark = 1 << self.bit["segment", segment.name]
            names = [("segment", segment.name), ("segments", "*"), *(("label", name) for name in segment.carries)]
            for key in (*names, *(("device", name) for name in segment.admits)):
                found[key] = found.get(key, 0) | mark
        for role in self.policy.intent.roles:
            found["role", role.name] = sum(found["segment", name] for name in set(role.sources))
        found |= {("service", each.name): found["segment", each.segment] for each in self.policy.intent.services}
        return found | {("external", each.name): 1 << self.bit["external", each.name] for each in self.policy.intent.externals}

    def kinds(self, place: Place) -> tuple[Kind, ...]:
        """The kinds of principal at a place, the least first."""
        if place.kind != "segment":
            return (HOST,)
        devices = [Kind("device", name) for name in sorted(self.policy.segments[place.name].admits)]
        services = [Kind("service", end.service) for end in self.inside(place) if end.service]
        return (HOST, *devices, *services, *([PERSON] if self.reading.roles_from(place.name) else []))

    def index(self, kind: str, name: str) -> int:
        """The bit of a place; all systems have one together, behind the places."""
        return self.bit.get((kind, name), len(self.places))

    # Rules

    def positions(self, end: Place) -> list[int]:
        """Which rules are about an end, ascending."""
        return sorted({position for name in self.names(end) for position in self.policy.by_target.get(name, ())})

    def names(self, end: Place) -> list[tuple[str, str]]:
        """The kinds and names by which a rule's target can mean an end."""
        names: list[tuple[str, str]] = [(end.kind, end.name)]
        if end.kind == "segment" and end.name in self.policy.segments:
            names += [("label", label) for label in self.policy.segments[end.name].carries]
            names += [("service", end.service)] if end.service else []
        return names

    def entries(self, position: int) -> tuple[Entry, ...]:
        """A rule through each of its subjects."""
        rule = self.policy.intent.rules[position]
        if id(rule) not in self._entries:
            self._entries[id(rule)] = tuple(self._entry(rule, ref) for ref in rule.subjects)
        return self._entries[id(rule)]

    def entry_of(self, ref: Ref) -> Entry:
        """Who a reference is, without a rule."""
        return self._entry(NO_RULE, ref)

    def _entry(self, rule: Rule, ref: Ref) -> Entry:
        sources = self.mask(ref.kind, "*" if ref.kind == "segments" else ref.name)
        match ref.kind:
            case "role":
                return Entry(rule, ref, sources, PERSON, ref.name)
            case "device" | "service":
                return Entry(rule, ref, sources, Kind(ref.kind, ref.name), "")
            case _:
                return Entry(rule, ref, sources, ANYONE, "")

    def slice(self, end: Place) -> Slice:
        """The rules about an end."""
        if end not in self._slices:
            self._slices[end] = self._cut(end)
        return self._slices[end]

    def _cut(self, end: Place) -> Slice:
        sets: dict[ports.Boxes, int] = {}
        spoken: list[list[Spoken]] = []
        for position in self.positions(end):
            rule = self.policy.intent.rules[position]
            index = sets.setdefault(self._spoken(rule, end), len(sets))
            spoken += [[]] if index == len(spoken) else []
            spoken[index].append((position, self.entries(position), rule.effect == "allow"))
        listen = self.policy.services[end.service].listen if end.service in self.policy.services else ()
        mark = 1 << sets.setdefault(listen, len(sets)) if listen else 0
        classes = tuple(made for cell in _grid(tuple(sets)) if (made := _port_class(cell, spoken, mark)))
        allows, denies = _by_effect(spoken)
        sources = self.mask("segment", end.name) if end.service else 0
        for entry in allows:
            sources |= entry.sources
        return Slice(end, allows, denies, sources, tuple(sets), classes)

    def _spoken(self, rule: Rule, end: Place) -> ports.Boxes:
        """The ports on which a rule speaks of an end."""
        if rule.ports is not None:
            return rule.ports
        if rule.effect == "deny":
            return ports.ANY
        names = (("service", end.service), (end.kind, end.name))
        found = [self.policy.listens(ref) for ref in rule.targets if (ref.kind, ref.name) in names]
        return found[0] if len(found) == 1 else ports.union(*found)

    def region(self, cut: Slice, ports_: PortClass) -> ports.Boxes:
        """Every port of a class."""
        found = ports.ANY
        for index, boxes in enumerate(cut.spoken):
            found = (ports.intersect if ports_.speaking >> index & 1 else ports.subtract)(found, boxes)
        return found

    def forget(self, ends: Container[tuple[str, str]]) -> None:
        """Rules about some ends, by kind and name, are others now."""
        self._slices = {end: cut for end, cut in self._slices.items() if (end.kind, end.name) not in ends}

    # Who may

    def in_force(self, validity: Validity, instant: int) -> bool:
        """As `ir.clock.in_force`, remembered."""
        if not validity.windows:
            return (validity.not_before is None or instant >= validity.not_before) and (
                validity.not_after is None or instant < validity.not_after
            )
        key = (id(validity), instant)
        if key not in self._force:
            self._force[key] = in_force(validity, instant)
        return self._force[key]

    def grants(self, entry: Entry, instant: int) -> int:
        """The attributes with which an allow lets its subject in, or a deny keeps it out; neither role nor time are looked at."""
        reading = self.reading
        true, false = reading.truth(entry.rule.guard, instant)
        if entry.rule.effect == "deny":
            return self.diagrams.negated(false)
        if not entry.role:
            return true
        return self.diagrams.both(true, reading.truth(self.policy.roles[entry.role].requires, instant)[0])

    def matches(self, entry: Entry, place: Place, instant: int) -> int:
        """Who at a place is the subject of an entry, with a guard that decides."""
        who = self.grants(entry, instant)
        return self.diagrams.both(self.reading.held(place.name, entry.role), who) if entry.role else who

    def initiators(self, source: Place, kind: Kind, cut: Slice, ports_: PortClass, instant: int) -> int:
        """Who of a kind may initiate a flow from a place to the end of a slice, on the ports of a class, at an instant."""
        bit = self.bit[source.kind, source.name]
        allows = [each for each in ports_.allows if each.fits(bit, kind) and self.in_force(each.rule.validity, instant)]
        free = ports_.listens and self.is_replica(source, kind, cut.end)
        if not allows and not free:
            return FALSE
        denies = [each for each in ports_.denies if each.fits(bit, kind) and self.in_force(each.rule.validity, instant)]
        return self.permitted(source, kind, allows, denies, free, instant)

    def permitted(self, source: Place, kind: Kind, allows: Iterable[Entry], denies: Iterable[Entry], free: bool, instant: int) -> int:
        """Who of a kind some allow lets in and no deny keeps out, and who acts in no separated roles; all entries speak of it, in force."""
        diagrams = self.diagrams
        who = TRUE if free else diagrams.any(self.matches(each, source, instant) for each in allows)
        for each in denies:
            if who == FALSE:
                return who
            who = diagrams.without(who, self.matches(each, source, instant))
        return self.separated(source, who) if kind == PERSON and self.policy.intent.separations else who

    def separated(self, source: Place, who: int) -> int:
        """Those of a set of people who act in no two roles that `separate` forbids together."""
        return self.diagrams.both(who, self.reading.apart(source.name))

    def is_replica(self, source: Place, kind: Kind, end: Place) -> bool:
        """Whether both ends are replicas of one service."""
        return bool(end.service) and kind == ("service", end.service) and source.name == end.name

    def areas(self, cut: Slice, ports_: PortClass, instant: int) -> list[Area]:
        """Where from, as which kind and who may initiate: places that are treated alike are one area; sets that are empty are left out."""
        allows = [each for each in ports_.allows if self.in_force(each.rule.validity, instant)]
        denies = [each for each in ports_.denies if self.in_force(each.rule.validity, instant)]
        found: dict[tuple[Kind, int], int] = {}
        for mask in self._alike([*allows, *denies], cut, ports_):
            bit = next(bits(mask))
            for kind in self.kinds(self.places[bit]):
                who = self.initiators(self.places[bit], kind, cut, ports_, instant)
                if who != FALSE:
                    found[kind, who] = found.get((kind, who), 0) | mask
        return [Area(mask, kind, who) for (kind, who), mask in found.items()]

    def _alike(self, entries: list[Entry], cut: Slice, ports_: PortClass) -> list[int]:
        """The places from where something is granted, in sets that no entry, kind of principal or role tells apart."""
        own = self.mask("segment", cut.end.name) if ports_.listens else 0
        granted = own
        for each in entries:
            granted |= each.sources if each.rule.effect == "allow" else 0
        parts = [granted] if granted else []
        for mask in {each.sources for each in entries} | {own}:
            parts = [piece for part in parts for piece in (part & mask, part & ~mask) if piece]
        return [piece for part in parts for piece in self._by_people(part)]

    def _by_people(self, part: int) -> list[int]:
        found: dict[object, int] = {}
        for bit in bits(part):
            place = self.places[bit]
            people = self._people.get(place.name) if place.kind == "segment" else None
            found[people] = found.get(people, 0) | 1 << bit
        return list(found.values())

    @cached_property
    def _people(self) -> dict[str, object]:
        """What tells segments apart by who may be in them."""
        return {
            name: (self.reading.roles_from(name), self.kinds(place))
            for place in self.places
            if place.kind == "segment" and (name := place.name) in self.policy.segments
        }

    def principal(self, kind: Kind, assignment: dict[int, int]) -> Principal:
        """The principal of an assignment (`Diagrams.least`)."""
        roles, attributes = self.reading.encoding.decoded(assignment)
        return principal(kind, roles, attributes)


def principal(kind: Kind, roles: tuple[str, ...], attributes: tuple[tuple[str, Value], ...]) -> Principal:
    """A principal of a kind."""
    match kind.kind:
        case "person":
            return Person(roles=roles, attributes=attributes)
        case "device":
            return DevicePrincipal(device=kind.name, attributes=attributes)
        case "service":
            return ServiceEndpoint(service=kind.name, attributes=attributes)
        case _:
            return Host(attributes=attributes)


def _port_class(cell: tuple[int, int, int], spoken: list[list[Spoken]], listen: int) -> PortClass | None:
    """What is decided on some ports; nothing where nothing is granted."""
    protocol, port, mask = cell
    listens = bool(mask & listen)
    allows, denies = _by_effect([spoken[index] for index in bits(mask) if index < len(spoken)])
    return PortClass(protocol, port, allows, denies, listens, mask) if allows or listens else None


def _by_effect(spoken: list[list[Spoken]]) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The allows and the denies of some rules, in the order of the rules."""
    rows = spoken[0] if len(spoken) == 1 else sorted(chain.from_iterable(spoken), key=itemgetter(0))
    allows = tuple([entry for _, entries, allow in rows if allow for entry in entries])
    return allows, tuple([entry for _, entries, allow in rows if not allow for entry in entries])

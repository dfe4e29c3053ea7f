"""What the names in an assertion stand for: who may start, where a flow may end, and which places an attacker then holds.

Guarantees: everything comes in the order of the network (which is sorted) or of the assertion, so no result depends on hashing.
A name that no flow can start from or end at raises `Unsupported`; nothing is ever left out silently.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.values import Ref


class Unsupported(Exception):
    """A claim that this engine cannot express; the text says what, as the end of a sentence."""


class Undecided(Exception):
    """A question that was not answered within its budget; the text says which budget."""


@dataclass(frozen=True)
class Start:
    """Where an initiator stands, and as what: `ref` is a role, device class or service; without it, whoever or whatever is there."""

    place: Place
    ref: Ref | None = None


class _Names:
    """What a policy's names stand for, looked up once: `everywhere`, `inside` and `segments_of` are asked of every claim."""

    def __init__(self, policy: Policy) -> None:
        intent = policy.intent
        self.inside: dict[str, list[Place]] = {each.name: [segment(each.name)] for each in intent.segments}
        self.carrying: dict[str, list[str]] = {}
        self.admitting: dict[str, list[str]] = {}
        for each in intent.segments:
            for names, index in ((each.carries, self.carrying), (each.admits, self.admitting)):
                for name in dict.fromkeys(names):
                    index.setdefault(name, []).append(each.name)
        for service in intent.services:
            self.inside[service.segment].append(Place(kind="segment", name=service.segment, service=service.name))
        externals = [Place(kind="external", name=each.name) for each in intent.externals]
        self.everywhere = (*(ends[0] for ends in self.inside.values()), *externals)
        self.observed = frozenset(each.name for each in intent.segments if each.observe)


_known: WeakKeyDictionary[Policy, _Names] = WeakKeyDictionary()


def _names(policy: Policy) -> _Names:
    found = _known.get(policy)
    if found is None:
        found = _known[policy] = _Names(policy)
    return found


def segment(name: str) -> Place:
    """The bare segment as an end of a flow."""
    return Place(kind="segment", name=name)


def starts(policy: Policy, ref: Ref) -> tuple[Start, ...]:
    """Everywhere that a subject may initiate from. Raises `Unsupported`."""
    match ref.kind:
        case "role":
            return tuple(Start(segment(name), ref) for name in policy.roles[ref.name].sources)
        case "device":
            return tuple(Start(segment(name), ref) for name in segments_of(policy, ref))
        case "service":
            return (Start(segment(policy.services[ref.name].segment), ref),)
        case "segment" | "label" | "segments":
            return tuple(Start(segment(name)) for name in segments_of(policy, ref))
        case "external":
            return (Start(Place(kind="external", name=ref.name)),)
        case "system":
            raise Unsupported(f"`{ref.name}` is offered by the nodes themselves and initiates nothing")


def segments_of(policy: Policy, ref: Ref) -> tuple[str, ...]:
    """The segments where what `ref` stands for lives: of a role those it comes from, of a device class those that admit it."""
    match ref.kind:
        case "segment":
            return (ref.name,)
        case "segments":
            return tuple(each.name for each in policy.intent.segments)
        case "label":
            return tuple(_names(policy).carrying.get(ref.name, ()))
        case "role":
            return policy.roles[ref.name].sources
        case "device":
            return tuple(_names(policy).admitting.get(ref.name, ()))
        case "service":
            return (policy.services[ref.name].segment,)
        case "external" | "system":
            return ()


def destinations(policy: Policy, ref: Ref) -> tuple[Place, ...]:
    """Every end of a flow that counts as reaching `ref`; to reach people or a device class is to reach any segment where they are."""
    match ref.kind:
        case "service":
            return (Place(kind="segment", name=policy.services[ref.name].segment, service=ref.name),)
        case "external":
            return (Place(kind="external", name=ref.name),)
        case "system":
            return (Place(kind="system", name=ref.name),)
        case _:
            return tuple(place for name in segments_of(policy, ref) for place in inside(policy, segment(name)))


def inside(policy: Policy, place: Place) -> tuple[Place, ...]:
    """The ends of flows at a bare place: its hosts, then each service that stands there."""
    if place.kind != "segment":
        return (place,)
    return tuple(_names(policy).inside.get(place.name) or (place,))


def held(policy: Policy, refs: Iterable[Ref]) -> tuple[Place, ...]:
    """The segments and externals of which an attacker holds the whole once anything of `refs` is reached. Raises `Unsupported`."""
    found: list[Place] = []
    for ref in refs:
        if ref.kind == "system":
            raise Unsupported(f"`{ref.name}` is offered by the nodes themselves and is no place that a chain can pass")
        names = segments_of(policy, ref)
        found += [Place(kind="external", name=ref.name)] if ref.kind == "external" else [segment(name) for name in names]
    return tuple(dict.fromkeys(found))


def everywhere(policy: Policy) -> tuple[Place, ...]:
    """Every segment and external: the nodes of a chain."""
    return _names(policy).everywhere


def observed(policy: Policy) -> frozenset[str]:
    """The segments that only log what would be denied."""
    return _names(policy).observed


def principals(policy: Policy, start: Start) -> tuple[Principal, ...]:
    """The kinds of initiator at a start, without attributes; a person holds just the role that the start names.

    The bare host comes first: it is the least, and whatever is granted to a whole segment needs no more.
    """
    ref, place = start.ref, start.place
    if ref is not None:
        match ref.kind:
            case "role":
                return (Person(roles=(ref.name,)),)
            case "device":
                return (DevicePrincipal(device=ref.name),)
            case _:
                return (ServiceEndpoint(service=ref.name),)
    if place.kind != "segment":
        return (Host(),)
    devices = (DevicePrincipal(device=name) for name in sorted(policy.segments[place.name].admits))
    services = (ServiceEndpoint(service=end.service) for end in inside(policy, place) if end.service)
    people = (Person(),) if roles_from(policy, place.name) else ()
    return (Host(), *devices, *services, *people)


def roles_from(policy: Policy, name: str) -> tuple[str, ...]:
    """The roles that people in a segment may act in, sorted; no other role they hold changes what a flow from there may do."""
    return tuple(sorted(role.name for role in policy.intent.roles if name in role.sources))

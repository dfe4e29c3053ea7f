"""What names stand for, read anew from docs/language.md: where a subject may stand, where a target is, who may be at a place.

Guarantees: shares no code with what decides verdicts; nothing is remembered that a network does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ztosc.ir.clock import is_over
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import DevicePrincipal, Flow, Host, Person, Place, Principal, ServiceEndpoint
from ztosc.ir.network import Network
from ztosc.ir.values import BoolType, CountryType, DurationType, EnumType, InstantType, RangeType, Ref, Value


@dataclass(frozen=True)
class Who:
    """A kind of initiator: `host`, `person`, `device` or `service`, with the name of the last two; a person acts in `role` at least."""

    kind: str
    name: str = ""
    role: str = ""

    @property
    def text(self) -> str:
        """As certificates write it."""
        return f"{self.kind} {self.name}" if self.name else f"{self.kind} as {self.role}" if self.role else self.kind

    def principal(self, roles: tuple[str, ...] = ()) -> Principal:
        """One of the kind, without attributes."""
        match self.kind:
            case "person":
                return Person(roles=roles)
            case "device":
                return DevicePrincipal(device=self.name)
            case "service":
                return ServiceEndpoint(service=self.name)
            case _:
                return Host()


class Names:
    """The names of one network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.intent = network.intent
        self.policy = Policy(network.intent)
        self.segments = self.policy.segments
        self.externals = {each.name: each for each in self.intent.externals}
        self.everywhere = (*(_segment(name) for name in self.segments), *(Place(kind="external", name=name) for name in self.externals))

    def homes(self, ref: Ref) -> tuple[str, ...]:
        """The segments in which a subject or target is."""
        match ref.kind:
            case "segment":
                return (ref.name,)
            case "segments":
                return tuple(self.segments)
            case "label":
                return tuple(name for name, each in self.segments.items() if ref.name in each.carries)
            case "role":
                return self.policy.roles[ref.name].sources
            case "device":
                return tuple(name for name, each in self.segments.items() if ref.name in each.admits)
            case "service":
                return (self.policy.services[ref.name].segment,)
            case _:
                return ()

    def places(self, ref: Ref) -> tuple[Place, ...]:
        """Where something is: segments, or the external itself."""
        if ref.kind == "external":
            return (Place(kind="external", name=ref.name),)
        return tuple(_segment(name) for name in self.homes(ref))

    def ends(self, ref: Ref) -> tuple[Place, ...]:
        """Every end of a flow that counts as reaching something."""
        match ref.kind:
            case "service":
                return (Place(kind="segment", name=self.policy.services[ref.name].segment, service=ref.name),)
            case "system":
                return (Place(kind="system", name=ref.name),)
            case _:
                return tuple(end for place in self.places(ref) for end in self.inside(place))

    def inside(self, place: Place) -> tuple[Place, ...]:
        """The hosts of a place and each service there."""
        if place.kind != "segment":
            return (place,)
        return (place, *self._services.get(place.name, ()))

    @cached_property
    def _services(self) -> dict[str, tuple[Place, ...]]:
        found: dict[str, tuple[Place, ...]] = {}
        for each in self.intent.services:
            found[each.segment] = (*found.get(each.segment, ()), Place(kind="segment", name=each.segment, service=each.name))
        return found

    def who(self, place: Place, ref: Ref | None = None) -> Iterator[Who]:
        """The kinds of initiator at a place; with a role, device class or service only those."""
        if ref is not None and ref.kind in ("role", "device", "service"):
            yield Who("person", role=ref.name) if ref.kind == "role" else Who(ref.kind, ref.name)
            return
        yield Who("host")
        if place.kind == "segment":
            yield from (Who("device", name) for name in self.segments[place.name].admits)
            yield from (Who("service", end.service) for end in self.inside(place) if end.service)
            if self.roles_from(place):
                yield Who("person")

    def roles_from(self, place: Place) -> tuple[str, ...]:
        """Roles that come from a place, in alphabetical order."""
        return self._roles.get(place.name, ()) if place.kind == "segment" else ()

    @cached_property
    def _roles(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for role in sorted(self.intent.roles, key=lambda role: role.name):
            found.update({name: (*found.get(name, ()), role.name) for name in dict.fromkeys(role.sources)})
        return found

    def may_be(self, ref: Ref, place: Place, who: Who) -> bool:
        """Whether an initiator of that kind there can be one of a subject, whatever roles it holds."""
        match ref.kind:
            case "role":
                return who.kind == "person" and place.kind == "segment" and place.name in self.policy.roles[ref.name].sources
            case "device" | "service":
                return (who.kind, who.name) == (ref.kind, ref.name) and place.kind == "segment" and place.name in self.homes(ref)
            case _:
                return place in self.places(ref)

    def is_subject(self, refs: Iterable[Ref], flow: Flow) -> bool:
        """Whether the initiator of a flow is one of some subjects."""
        return any(self.policy.is_subject(ref, flow) for ref in refs)

    def has_value(self, name: str, value: Value) -> bool:
        """Whether an attribute of the network has such a value."""
        match self.policy.types.get(name):
            case BoolType():
                return isinstance(value, bool)
            case EnumType(values=values):
                return value in values and isinstance(value, str)
            case CountryType():
                return isinstance(value, str)
            case RangeType(low=low, high=high):
                return not isinstance(value, bool | str) and low <= value <= high
            case InstantType() | DurationType():
                return not isinstance(value, bool | str) and value >= 0
            case _:
                return False

    def recurses(self, place: Place) -> bool:
        """Whether resolvers look names up outside for a segment: some grant leads from it to an external."""
        return place.kind == "segment" and place.name in self._outward

    @cached_property
    def _outward(self) -> frozenset[str]:
        grants = (rule for rule in self.intent.rules if rule.effect == "allow" and not is_over(rule.validity, self.network.at))
        outward = (rule for rule in grants if any(ref.kind == "external" for ref in rule.targets))
        return frozenset(name for rule in outward for ref in rule.subjects for name in self.homes(ref))

    @property
    def resolvers(self) -> tuple[Place, ...]:
        """What resolvers offer."""
        return tuple(Place(kind="system", name=each.name) for each in self.intent.systems if each.served_by == "resolver")

    def observing(self, places: Iterable[Place]) -> str | None:
        """A segment among some places that only observes."""
        return next((place.name for place in places if place.kind == "segment" and self.segments[place.name].observe), None)

    def releases(self, place: Place, label: str) -> bool:
        """Whether somebody signs that a label's data rests at a place."""
        declared = self.segments.get(place.name) if place.kind == "segment" else self.externals.get(place.name)
        return declared is not None and declared.governance.released(label)


def _segment(name: str) -> Place:
    return Place(kind="segment", name=name)

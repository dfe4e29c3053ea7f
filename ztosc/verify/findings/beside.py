"""What other rules do of what one rule does, where they meet: whether it is there at all, what denies leave of it, and what covers it.

Guarantees: exact, over every principal and combination of roles that `separate` permits. A grant is judged by its least holder: somebody
with just the role that it names, or the bare host. Whoever else has the grant has at least as many others, so what others leave of it
they leave of the least holder's. For denies that is not so, for a role that is denied may be another than the one that is granted: they
are judged over all combinations.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from ztosc.ir.flow import Place
from ztosc.ir.intent import Rule
from ztosc.logic.closure import bits
from ztosc.logic.diagrams import FALSE
from ztosc.verify.slices import ANYONE, PERSON, Entry, Kind, PortClass, Slice, Slices

Rules = dict[int, Rule]
"""By the identity of the value: equal rules at two lines are two."""
Speaking = tuple[list[Entry], list[Entry]]
"""The allows and denies in force."""


class Moment:
    """What speaks at a site at an instant."""

    def __init__(self, speaking: Speaking) -> None:
        self.speaking = speaking
        self.own: dict[int, list[Entry]] = {}
        """By rule."""
        for some in speaking:
            for each in some:
                self.own.setdefault(id(each.rule), []).append(each)
        self.met: dict[tuple[Kind, str, int], Speaking] = {}
        """What of it the least holder of a grant meets: grants to the same subject meet the same."""


@dataclass
class Site:
    """Where rules meet: an end and a class of its ports, with the entries of each rule that speaks there."""

    cut: Slice
    ports: PortClass
    instants: tuple[int, ...] = ()
    """One for each way in which the rules that speak there can be in force together."""
    moments: dict[int, Moment] = field(default_factory=dict)
    """By instant."""

    def is_free(self, kind: Kind) -> bool:
        """Whether a kind of principal needs no rule there, being a replica of what listens."""
        return self.ports.listens and kind == ("service", self.cut.end.service)


@dataclass
class State:
    """What is known of one rule so far."""

    rule: Rule
    sites: list[Site] = field(default_factory=list)
    usable: bool = False
    """Somebody matches it."""
    effective: bool = False
    """It grants what no deny takes away, or denies what some allow grants."""
    needed: bool = False
    """It does so where no other rule does."""


class Beside:
    """The rules of a network beside each other."""

    def __init__(self, slices: Slices) -> None:
        self.slices, self.diagrams = slices, slices.diagrams
        self._granted: dict[tuple[int, str, str, int], int] = {}
        self._acting: dict[str, frozenset[str]] = {}
        self._torn: dict[str, bool] = {}
        self._kinds_of: dict[tuple[str, str], tuple[Kind, ...]] = {}
        self._inhabited: dict[tuple[str, str, bool], object] = {}

    def covered(self, state: State, site: Site, instant: int, without: Collection[int], covering: Rules) -> bool:
        """Whether others than those `without` do all that a rule does at a site; notes which. Raises `TooLarge`."""
        if instant not in site.moments:
            force = self.slices.in_force
            allows, denies = (
                [each for each in some if force(each.rule.validity, instant)] for some in (site.ports.allows, site.ports.denies)
            )
            site.moments[instant] = Moment((allows, denies))
        moment = site.moments[instant]
        own = moment.own.get(id(state.rule), [])
        if state.rule.effect == "deny":
            return self._denied_anyway(state, site, own, moment.speaking, instant, without, covering)
        return all(self._granted_anyway(each, state, site, moment, instant, without, covering) for each in own)

    def least(self, entry: Entry, instant: int) -> int:
        """With which attributes the least holder of a grant matches it."""
        return FALSE if entry.role and self._is_torn(entry.role) else self._grants(entry, instant)

    # Grants

    def _granted_anyway(
        self, own: Entry, state: State, site: Site, moment: Moment, instant: int, without: Collection[int], covering: Rules
    ) -> bool:
        who = self.least(own, instant) if own.sources else FALSE
        if who == FALSE:
            return True
        state.usable = True
        key = (own.kind, own.role, own.sources)
        if key not in moment.met:
            allows, denies = (
                [each for each in some if each.sources & own.sources and self._is_held(each, own)] for some in moment.speaking
            )
            moment.met[key] = allows, denies
        allows, denies = moment.met[key]
        others = [] if site.is_free(own.kind) else [each for each in allows if id(each.rule) not in without]
        for part in _parts(own.sources, [*others, *denies]):
            left = self._reduced(who, denies, part, instant)
            state.effective = state.effective or left != FALSE
            if self._reduced(left, others, part, instant, covering) != FALSE and not site.is_free(own.kind):
                return False
        return True

    def _reduced(self, who: int, entries: list[Entry], part: int, instant: int, touching: Rules | None = None) -> int:
        """What some entries leave of a set, at places that they do not tell apart; notes which take any of it."""
        for each in entries:
            if who == FALSE:
                break
            if each.sources & part:
                rest = self.diagrams.without(who, self._grants(each, instant))
                if touching is not None and rest != who:
                    touching.setdefault(id(each.rule), each.rule)
                who = rest
        return who

    def _grants(self, entry: Entry, instant: int) -> int:
        key = (self.slices.reading.key(entry.rule.guard), entry.rule.effect, entry.role, instant)
        found = self._granted.get(key)
        if found is None:
            found = self._granted[key] = self.slices.grants(entry, instant)
        return found

    def _is_held(self, other: Entry, own: Entry) -> bool:
        """Whether the least holder of one is a subject of another."""
        if other.kind is ANYONE or own.kind is ANYONE:
            return other.kind is ANYONE
        return other.role in self._acts_as(own.role) if own.role else other.kind == own.kind

    def _acts_as(self, role: str) -> frozenset[str]:
        found = self._acting.get(role)
        if found is None:
            found = self._acting[role] = frozenset({role, *self.slices.policy.roles[role].includes})
        return found

    def _is_torn(self, role: str) -> bool:
        """Whether holding a role alone is acting in two that are separated."""
        found = self._torn.get(role)
        if found is None:
            acting, separations = self._acts_as(role), self.slices.policy.intent.separations
            found = self._torn[role] = any(len(acting.intersection(each.roles)) > 1 for each in separations)
        return found

    # Denies

    def _denied_anyway(
        self, state: State, site: Site, own: list[Entry], speaking: Speaking, instant: int, without: Collection[int], covering: Rules
    ) -> bool:
        mask = 0
        for each in own:
            mask |= each.sources
        for place in self._unlike(mask, [*speaking[0], *speaking[1]], site):
            bit = self.slices.bit[place.kind, place.name]
            for kind in self._kinds(place):
                if any(each.fits(bit, kind) for each in own):
                    allows, denies = ([each for each in entries if each.fits(bit, kind)] for entries in speaking)
                    if not self._denied_for(state, site, place, kind, (allows, denies), instant, without, covering):
                        return False
        return True

    def _denied_for(
        self,
        state: State,
        site: Site,
        place: Place,
        kind: Kind,
        speaking: Speaking,
        instant: int,
        without: Collection[int],
        covering: Rules,
    ) -> bool:
        diagrams, (allows, denies) = self.diagrams, speaking
        left = diagrams.any(self.slices.matches(each, place, instant) for each in denies if each.rule is state.rule)
        if kind == PERSON and self.slices.policy.intent.separations:
            left = self.slices.separated(place, left)
        if left == FALSE:
            return True
        state.usable = True
        if not site.is_free(kind):
            left = diagrams.both(left, diagrams.any(self.slices.matches(each, place, instant) for each in allows))
        state.effective = state.effective or left != FALSE
        for each in denies:
            if left == FALSE:
                return True
            if id(each.rule) not in without:
                rest = diagrams.without(left, self.slices.matches(each, place, instant))
                if rest != left:
                    covering.setdefault(id(each.rule), each.rule)
                left = rest
        return left == FALSE

    def _unlike(self, mask: int, entries: list[Entry], site: Site) -> list[Place]:
        """One place for each way in which entries and people tell the places of a mask apart."""
        found: dict[object, Place] = {}
        for bit in bits(mask):
            place = self.slices.places[bit]
            alike = tuple([each.sources >> bit & 1 for each in entries])
            home = site.ports.listens and place.name == site.cut.end.name
            found.setdefault((alike, self._inhabitants(place, home), self._served(place, entries)), place)
        return list(found.values())

    def _inhabitants(self, place: Place, home: bool) -> object:
        """What tells places apart by who may be there; services count where one of them may be a replica of the end."""
        key = (place.kind, place.name, home)
        if key not in self._inhabited:
            people = self.slices.reading.roles_from(place.name) if place.kind == "segment" else None
            self._inhabited[key] = people, tuple(kind for kind in self._kinds(place) if kind.kind != "service" or home)
        return self._inhabited[key]

    def _kinds(self, place: Place) -> tuple[Kind, ...]:
        key = (place.kind, place.name)
        if key not in self._kinds_of:
            self._kinds_of[key] = self.slices.kinds(place)
        return self._kinds_of[key]

    def _served(self, place: Place, entries: list[Entry]) -> tuple[str, ...]:
        """The services at a place that an entry names as its subject."""
        named = {each.kind.name for each in entries if each.kind.kind == "service"}
        return tuple(kind.name for kind in self._kinds(place) if kind.kind == "service" and kind.name in named) if named else ()


def _parts(mask: int, entries: list[Entry]) -> list[int]:
    """The places of a mask in sets that no entry tells apart."""
    parts = [mask]
    for sources in {each.sources for each in entries}:
        if mask & ~sources:
            parts = [piece for part in parts for piece in (part & sources, part & ~sources) if piece]
    return parts

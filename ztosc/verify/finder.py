"""The engine: who answers a property's questions by a destination's rules as bits, and by diagrams where guards matter.

Most pairs of ends are settled by one bit (`structure`). For the others the rules about the end that the start can match are taken out, port
class by port class (`slices`), and what is left is a question about principals that many pairs share (`answers`). Time is looked at only
where it matters: first the instant asked for, then whether there is ever anybody, and only then the moments of just these rules.

Guarantees: as `questions`; and the flow found is the one the reference finds: the earliest, then the first kind of principal, the most
readable port, the least roles and attributes. What it says is nobody's is noted for the second engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import NamedTuple

from ztosc.ir.flow import Flow, Person, Place, Principal
from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import CountryType, Validity
from ztosc.logic.closure import bits
from ztosc.logic.diagrams import TooLarge
from ztosc.verify import least, symbolic
from ztosc.verify.answers import NOBODY, SOMEBODY, Answers, Question
from ztosc.verify.changes import Edit
from ztosc.verify.cuts import Instances, first_cut
from ztosc.verify.moments import LATEST, Timeline
from ztosc.verify.questions import NO_LIMITS, Bound, Limits, Passage, Questions
from ztosc.verify.scope import Start
from ztosc.verify.slices import PERSON, Entry, Kind, PortClass, Slices, principal
from ztosc.verify.structure import Structure
from ztosc.verify.topology import Failing, Part
from ztosc.verify.within import bounds

EVERYTHING = -1


class Case(NamedTuple):
    """A kind of principal and a class of ports, and what is said of it in some window of time."""

    kind: Kind
    ports: PortClass
    allows: tuple[Entry, ...]
    denies: tuple[Entry, ...]
    free: bool


class Finder(Questions):
    """One network's questions, answered."""

    def __init__(self, network: Network, rlimit: int = symbolic.RLIMIT) -> None:
        self.slices = Slices(network)
        super().__init__(network, self.slices.policy, rlimit)
        self.structure = Structure(self.slices)
        self.answers = Answers(self.slices.reading)
        self._cases: dict[tuple[object, ...], tuple[Case, ...]] = {}
        self._timelines: dict[object, Timeline] = {}
        self._validity: dict[int, tuple[int, Validity]] = {}  # with the validity, so that its id stays its own
        self._validities: dict[Validity, int] = {}
        self._settled: int | None = None
        self._kept: list[Rule] = []  # rules that were edited away: what is remembered by their id stays theirs
        self.touched = 0
        """The ends that were looked at since this was last 0, as bits: rules about others change nothing of what was answered."""

    # Questions

    def at(self, start: Start, end: Place, instant: int, limits: Limits = NO_LIMITS) -> Flow | None:
        """The least flow at an instant."""
        if not self._possible(start, end):
            return None
        case = self._first_case(start, self.cases(start, end, limits), instant, limits)
        return self._flow(start, end, limits, instant, case) if case else None

    def passage(self, start: Start, end: Place, after: int, limits: Limits = NO_LIMITS) -> Passage | None:
        """The first flow from `after` on."""
        if not self._possible(start, end) or self.ends_at(end.service, limits):
            return None
        cases = self.cases(start, end, limits)
        case = self._first_case(start, cases, after, limits)
        if case is not None:
            return Passage(after, partial(self._flow, start, end, limits, after, case))
        if not self._timed(cases):
            return None
        cases = tuple(case for case in cases if self._ever(start, case, limits))
        for instant in self._timeline(cases).after(after) if cases else ():
            case = self._first_case(start, cases, instant, limits)
            if case is not None:
                return Passage(instant, partial(self._flow, start, end, limits, instant, case))
        return None

    def first(self, starts: Iterable[Start], ends: Iterable[Place], limits: Limits = NO_LIMITS) -> Flow | None:
        """The first flow of all pairs; most are never looked at."""
        ends = tuple(ends)
        anywhere = 0
        for end in ends:
            anywhere |= self.structure.into(end)
            self.touched |= self._mark(end)
        for ref in limits.outside:
            if ref.kind in ("segment", "segments", "label", "external"):
                anywhere &= ~self.slices.mask(ref.kind, ref.name)  # whoever is there is left out
        for start in self._among(starts, anywhere) if anywhere else ():
            for end in ends:
                passage = self.passage(start, end, self.network.at, limits)
                if passage is not None:
                    return passage.flow
        return None

    def _among(self, starts: Iterable[Start], mask: int) -> Iterator[Start]:
        """Those starts that lie in a mask."""
        if starts is self.anywhere:
            return (self.anywhere[index] for index in bits(mask))
        return (start for start in starts if mask >> self._bit(start) & 1)

    def moments(self, start: Start, ends: Iterable[Place]) -> tuple[int, ...]:
        """Those of the rules between them alone."""
        cases = tuple(case for end in ends for case in self.cases(start, end, NO_LIMITS))
        for end in ends:
            self.touched |= self._mark(end)
        return self._timeline(cases).after(self.network.at) if self._timed(cases) else (self.network.at,)

    def bounds(self, begin: Iterable[Place], goals: Iterable[Place], without: tuple[Place, ...]) -> Iterator[Bound]:
        """First what a shortest chain may pass, then all that a chain may."""
        region, found = bounds(self.structure, self._mask(begin), self._mask(goals), without)
        self.touched |= region
        return iter(found)

    def around(self, place: Place) -> tuple[Place, ...]:
        """The neighbours in the graph of what may ever be."""
        bit = self.slices.bit[place.kind, place.name]
        self.touched = EVERYTHING
        there = self.structure.inward[bit] | self.structure.outward[bit]
        return tuple(self.slices.places[index] for index in bits(there))

    def logged(self, place: Place) -> list[Rule]:
        """The rules about a place that log."""
        self.touched = EVERYTHING
        return self.structure.logged(self.slices.bit[place.kind, place.name])

    def cut(self, here: str, instances: Instances, count: int, failing: Failing) -> tuple[Part, ...] | None:
        """Only those are looked at that hit a way which still stands."""
        return first_cut(self.topology, here, instances, count, failing)

    def granted_external(self, place: Place) -> bool:
        """By bits."""
        return bool(self.structure.granted_external >> self.slices.bit[place.kind, place.name] & 1)

    def may_carry(self, label: str) -> tuple[Place, ...]:
        """Everything that hops and logs may ever lead to."""
        self.touched = EVERYTHING
        stops = [each for each in self.policy.intent.segments if each.governance.released(label)]
        ends = [each for each in self.policy.intent.externals if each.governance.released(label)]
        mask = sum(self.slices.mask("segment", each.name) for each in stops) | sum(self.slices.mask("external", each.name) for each in ends)
        return tuple(self.slices.places[index] for index in bits(self.structure.spread(self.slices.mask("label", label), mask)))

    # Edits

    def edited(self, edit: Edit) -> int | None:
        """Takes over a network in which some rules are others, and says which ends those are about, as bits of `touched`.

        `None` where that cannot be taken over: a new guard compares something that no guard compared before.
        """
        reading, slices = self.slices.reading, self.slices
        if not all(reading.knows(rule.guard) for rule in edit.after):
            return None
        rules = (*edit.before, *edit.after)
        names = {(ref.kind, ref.name) for rule in rules for ref in rule.targets}
        ends = self._ends_of(names)
        by_target = edit.by_target(self.policy.by_target)
        self._kept += edit.before
        self.network = slices.network = reading.network = edit.network
        self.policy.edited(edit.network.intent, by_target, ends)
        slices.forget(ends)
        self.structure.forget(ends, names)
        logs = any(rule.governance.log_to for rule in rules)
        if logs:
            self.structure.__dict__.pop("logging", None)
        self._cases = {key: cases for key, cases in self._cases.items() if key[2:4] not in ends}
        if any(_bounded(rule.validity) for rule in rules):
            self._timelines, self._settled = {}, None
        return EVERYTHING if logs else self._mask_of(ends)

    def _ends_of(self, names: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """What targets may mean, by kind and name; with externals go all of them, for a resolver that recurses leads to each."""
        found: set[tuple[str, str]] = set()
        for kind, name in names:
            if kind == "service":
                found.add(("segment", self.policy.services[name].segment))
            elif kind == "label":
                found |= {(place.kind, place.name) for place in (self.slices.places[bit] for bit in bits(self.slices.mask(kind, name)))}
            else:
                found.add((kind, name))
        if any(kind in ("external", "system") for kind, _ in found):
            found |= {("external", each.name) for each in self.policy.intent.externals}
        return found

    def _mask_of(self, ends: Iterable[tuple[str, str]]) -> int:
        mask = 0
        for end in ends:
            mask |= 1 << self.slices.index(*end)
        return mask

    # Who and where

    def _bit(self, start: Start) -> int:
        return self.slices.bit[start.place.kind, start.place.name]

    def _mask(self, places: Iterable[Place]) -> int:
        mask = 0
        for place in places:
            mask |= 1 << self.slices.bit[place.kind, place.name]
        return mask

    def _kinds(self, start: Start) -> tuple[Kind, ...]:
        if start.ref is None:
            return self.slices.kinds(start.place)
        return (PERSON,) if start.ref.kind == "role" else (Kind(start.ref.kind, start.ref.name),)

    def _mark(self, end: Place) -> int:
        """An end among what a claim looked at; all systems are one bit, behind the places."""
        return 1 << self.slices.index(end.kind, end.name)

    def _possible(self, start: Start, end: Place) -> bool:
        self.touched |= self._mark(end)
        bit = self._bit(start)
        if not self.structure.into(end) >> bit & 1:
            return False
        return start.ref is None or self.structure.possible(bit, self._kinds(start), end)

    def cases(self, start: Start, end: Place, limits: Limits) -> tuple[Case, ...]:
        """What rules say of a start at an end, whenever: kinds of principals in their order, and of each the classes of ports in theirs."""
        ref = (start.ref.kind, start.ref.name) if start.ref else None
        key = (self._bit(start), ref, end.kind, end.name, end.service, None if limits is NO_LIMITS else limits)
        found = self._cases.get(key)
        if found is None:
            found = self._cases[key] = tuple(self._made(start, end, limits))
        return found

    def _made(self, start: Start, end: Place, limits: Limits) -> Iterator[Case]:
        bit = self._bit(start)
        cut = self.slices.slice(end)
        said = [
            (
                each,
                [entry for entry in each.allows if entry.sources >> bit & 1],
                [entry for entry in each.denies if entry.sources >> bit & 1],
            )
            for each in cut.classes
        ]
        for kind in self._kinds(start):
            if kind.kind == "service" and self.ends_at(kind.name, limits):
                continue
            replica = self.slices.is_replica(start.place, kind, end)
            for each, allows, denies in said:
                granted = tuple(entry for entry in allows if entry.is_of(kind) and self._carries(entry, limits.releases))
                if granted or (replica and each.listens):
                    yield Case(kind, each, granted, tuple(entry for entry in denies if entry.is_of(kind)), replica and each.listens)

    def _carries(self, entry: Entry, label: str | None) -> bool:
        rule = self.carrying(entry.rule, label)
        return rule is entry.rule or (rule is not None and entry.subject in rule.subjects)

    # Answers

    def _first_case(self, start: Start, cases: tuple[Case, ...], instant: int, limits: Limits) -> Case | None:
        """The first case in which somebody gets through, as it stands at an instant."""
        for case in cases:
            now = self._in_force(case, instant)
            if now is not None and self._somebody(start, now, instant, limits):
                return now
        return None

    def _in_force(self, case: Case, instant: int) -> Case | None:
        force = self.slices.in_force
        allows = tuple(entry for entry in case.allows if force(entry.rule.validity, instant))
        if not allows and not case.free:
            return None
        denies = tuple(entry for entry in case.denies if force(entry.rule.validity, instant))
        return Case(case.kind, case.ports, allows, denies, case.free)

    def _ever(self, start: Start, case: Case, limits: Limits) -> bool:
        """Whether there may be anybody at any time: with all the grants there are, and those denials alone that always hold."""
        always = tuple(entry for entry in case.denies if not _bounded(entry.rule.validity))
        if any(self._speaks_of_now(entry) for entry in (*case.allows, *always)):
            return True
        return self._somebody(start, case._replace(denies=always), self.network.at, limits)

    def _somebody(self, start: Start, case: Case, instant: int, limits: Limits) -> bool:
        question = self._question(start, case, instant, limits)
        if question is None:
            return False
        try:
            return self.answers.who(question) != NOBODY
        except TooLarge:
            found = symbolic.find(self.policy, self._whole(start, case, self._probe(start, case, instant), limits), self.rlimit)
            self.answers.settle(question, found is not None)
            return found is not None

    def _question(self, start: Start, case: Case, instant: int, limits: Limits) -> Question | None:
        """What is asked of principals; nothing where whoever stands there is left out."""
        outside: list[str] = []
        for ref in limits.outside:
            if ref.kind == "role":
                comes = case.kind == PERSON and start.place.name in self.policy.roles[ref.name].sources
                outside += [ref.name] if comes and start.place.kind == "segment" else []
            elif self.slices.entry_of(ref).fits(self._bit(start), case.kind):
                return None
        allows = frozenset(map(self.answers.term, case.allows))
        denies = frozenset(map(self.answers.term, case.denies))
        person = case.kind == PERSON
        chosen = self.slices.reading.roles_from(start.place.name) if person else None
        must = start.ref.name if start.ref is not None and person else ""
        moment = self.answers.instant((*allows, *denies), instant)
        return Question(chosen, must, allows, denies, case.free, tuple(outside), moment)

    # Time

    def _timed(self, cases: Iterable[Case]) -> bool:
        """Whether what the rules say changes with time."""
        return any(_bounded(entry.rule.validity) or self._speaks_of_now(entry) for case in cases for entry in (*case.allows, *case.denies))

    def _speaks_of_now(self, entry: Entry) -> bool:
        if not self.slices.reading.thresholds:
            return False
        term = self.answers.term(entry)
        speaks = self.slices.reading.speaks
        return speaks(term.guard) or (term.requires is not None and speaks(term.requires))

    def _timeline(self, cases: Iterable[Case]) -> Timeline:
        """The moments of the rules of some cases."""
        entries = {id(entry): entry for case in cases for entry in (*case.allows, *case.denies)}.values()
        numbers = frozenset(self._number(entry.rule.validity) for entry in entries if _bounded(entry.rule.validity))
        thresholds = self.slices.reading.thresholds if any(map(self._speaks_of_now, entries)) else ()
        key = (numbers, bool(thresholds))
        if key not in self._timelines:
            known = list(self._validities)
            picked = [known[number] for number in numbers]
            # A rule that always holds is there too, so that its moments are seen after the last window as well.
            self._timelines[key] = Timeline.of(self.network.at, [Validity(), *picked], thresholds, self._last_constant())
        return self._timelines[key]

    def _number(self, validity: Validity) -> int:
        known = self._validity.get(id(validity))
        if known is None:
            known = self._validity[id(validity)] = self._validities.setdefault(validity, len(self._validities)), validity
        return known[0]

    def _last_constant(self) -> int:
        """The last instant written anywhere, after which everything repeats."""
        if self._settled is None:
            edges = {edge for rule in self.policy.intent.rules for edge in (rule.validity.not_before, rule.validity.not_after) if edge}
            self._settled = max((edge for edge in edges | set(self.slices.reading.thresholds) if edge < LATEST), default=0)
        return self._settled

    # Witnesses

    def _flow(self, start: Start, end: Place, limits: Limits, instant: int, case: Case) -> Flow:
        """The least flow of a case, replayed."""
        flow = self._probe(start, case, instant, end)
        found = self._least(start, case, flow, limits)
        return self.replayed(flow.model_copy(update={"principal": found}), limits)

    def _probe(self, start: Start, case: Case, instant: int, end: Place | None = None) -> Flow:
        someone = Person(roles=(start.ref.name,)) if start.ref is not None and case.kind == PERSON else principal(case.kind, (), ())
        ports = case.ports
        return Flow(
            source=start.place,
            principal=someone,
            destination=end or start.place,
            protocol=ports.protocol,
            port=ports.port,
            instant=instant,
        )

    def _least(self, start: Start, case: Case, probe: Flow, limits: Limits) -> Principal:
        """The least principal: read off the diagram, where candidates do not depend on which rules are looked at."""
        question = self._question(start, case, probe.instant, limits)
        assert question is not None  # it had an answer
        who = self.answers.who(question)
        if who != SOMEBODY and self._plain(case):
            assignment = self.slices.diagrams.least(who) or {}
            return self.slices.principal(case.kind, assignment)
        whole = self._whole(start, case, probe, limits)
        try:
            found = least.find(self.policy, whole)
        except TooLarge:
            found = symbolic.find(self.policy, whole, self.rlimit)
        assert found is not None  # the same question
        return found

    def _plain(self, case: Case) -> bool:
        """Whether no guard speaks of `now` or of countries, which are chosen from those that are written in the rules at hand."""
        rules = {id(entry.rule): entry.rule for entry in (*case.allows, *case.denies)}.values()
        if any(self._speaks_of_now(entry) for entry in (*case.allows, *case.denies)):
            return False
        names = {name for rule in rules for ref in rule.subjects for name in self._asked(rule, ref.name if ref.kind == "role" else "")}
        return not any(isinstance(self.policy.types[name], CountryType) for name in names)

    def _asked(self, rule: Rule, role: str) -> frozenset[str]:
        """The attributes that a rule asks for of a subject."""
        reading = self.slices.reading
        asked = reading.asked(reading.key(rule.guard))
        return asked | reading.asked(reading.key(self.policy.roles[role].requires)) if role and rule.effect == "allow" else asked

    def _whole(self, start: Start, case: Case, probe: Flow, limits: Limits) -> symbolic.Case:
        """The case as the reference puts it, in whole rules."""
        allows = {id(entry.rule): self.carrying(entry.rule, limits.releases) for entry in case.allows}
        denies = {id(entry.rule): entry.rule for entry in case.denies}
        carried = tuple(rule for rule in allows.values() if rule is not None)
        return symbolic.Case(probe, carried, tuple(denies.values()), case.free, limits.outside)


def _bounded(validity: Validity) -> bool:
    """Whether it does not always hold."""
    return validity.not_before is not None or validity.not_after is not None or bool(validity.windows)

"""Rules that could go: that nobody can use, that denies take away whole, that others cover, denies that deny nothing; and void roles.

Guarantees: exact. A rule is reported only where, at every instant from `at` on, for every principal, absent attributes included, and for
every combination of roles that `separate` permits, it grants or denies nothing, or nothing that the rules named beside it do not grant or
deny as well. Rules are withdrawn one by one, the last of the sources first, so all that are reported as covered could go together. What
outgrows the budget of the diagrams is said to be undecided.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from ztosc.diagnostics import Diagnostic, Label, Severity
from ztosc.ir.clock import is_over
from ztosc.ir.intent import Role, Rule
from ztosc.ir.values import Validity, Window
from ztosc.logic.diagrams import FALSE, TooLarge
from ztosc.verify import words
from ztosc.verify.findings.beside import Beside, Rules, Site, State
from ztosc.verify.moments import Timeline
from ztosc.verify.slices import Entry, PortClass, Slice, Slices


class Needs:
    """Which rules of a network are needed."""

    def __init__(self, slices: Slices, timeline: Timeline) -> None:
        self.slices, self.timeline, self.diagrams = slices, timeline, slices.diagrams
        self.beside = Beside(slices)
        self.states: dict[int, State] = {
            id(rule): State(rule)
            for rule in slices.policy.intent.rules
            if not is_over(rule.validity, timeline.at) and not rule.quarantine and not any(ref.kind == "system" for ref in rule.targets)
        }
        self.undecided: list[Rule] = []
        self._instants: dict[frozenset[tuple[bool, ...]], tuple[int, ...]] = {}
        self._force: dict[tuple[int | None, int | None, tuple[Window, ...]], tuple[bool, ...]] = {}
        self._positions: dict[int, int] = {}
        self._matched: dict[tuple[int, str, Validity | None], bool] = {}

    def find(self) -> Iterator[Diagnostic]:
        """Every finding of this file."""
        for end in self.slices.ends():
            cut = self.slices.slice(end)
            for ports in cut.classes:
                self._look(cut, ports)
        suspects = [state for state in self.states.values() if not state.needed]
        covered = self._withdrawn(suspects)
        for state in sorted(suspects, key=lambda each: each.rule.origin):
            if any(rule is state.rule for rule in self.undecided):
                yield _undecided(state.rule)
            elif not state.usable or (state.rule.effect == "deny" and not state.effective):
                yield self._idle(state)
            elif not state.effective:
                yield self._taken_away(state)
            elif id(state.rule) in covered:
                yield _covered(state.rule, covered[id(state.rule)], len(covered))
        yield from self._roles()

    # At first sight

    def _look(self, cut: Slice, ports: PortClass) -> None:
        """Note where each rule that may not be needed speaks; one that is alone somewhere, with nothing in its way, is needed."""
        entries = (*ports.allows, *ports.denies)
        pending = {id(each.rule) for each in entries if id(each.rule) in self.states and not self.states[id(each.rule)].needed}
        if not pending:
            return
        site = Site(cut, ports)
        for key in pending:
            self.states[key].sites.append(site)
        twice, denied = _crowded(ports.allows), 0
        for each in ports.denies:
            denied |= each.sources
        for each in ports.allows:
            state, alone = self.states.get(id(each.rule)), each.sources & ~twice & ~denied
            if state and not state.needed and alone and self._plain(each, site):
                state.usable = state.effective = state.needed = True

    def _plain(self, entry: Entry, site: Site) -> bool:
        """Whether plainly somebody is the subject of an allow, whenever it is in force, and would not get there without it."""
        if site.is_free(entry.kind):
            return False
        clock = self.slices.reading.speaks_of_now(entry.rule.guard) or self._asks_now(entry.role)
        key = (self.slices.reading.key(entry.rule.guard), entry.role, entry.rule.validity if clock else None)
        if key not in self._matched:
            instants = self._open(entry.rule.validity)
            self._matched[key] = self._somebody(entry, instants if clock else instants[:1])
        return self._matched[key]

    def _somebody(self, entry: Entry, instants: tuple[int, ...]) -> bool:
        """Whether anybody is the subject of an allow at some instant."""
        try:
            return any(self.beside.least(entry, at) != FALSE for at in instants)
        except TooLarge:
            return False

    def _open(self, validity: Validity) -> tuple[int, ...]:
        """The moments at which something is in force."""
        flags, moments = self._flags(validity), self.timeline.moments
        return tuple(at for at, open_ in zip(moments, flags, strict=True) if open_) if flags else moments

    def _flags(self, validity: Validity) -> tuple[bool, ...]:
        """For each moment, whether it is in force; empty where it always is."""
        if validity.not_before is None and validity.not_after is None and not validity.windows:
            return ()
        key = (validity.not_before, validity.not_after, validity.windows)
        if key not in self._force:
            flags = tuple(self.slices.in_force(validity, at) for at in self.timeline.moments)
            self._force[key] = () if all(flags) else flags
        return self._force[key]

    # In detail

    def _withdrawn(self, suspects: list[State]) -> dict[int, list[Rule]]:
        """The rules that could go together, by identity, with those that cover each; the last of the sources is tried first."""
        gone: dict[int, list[Rule]] = {}
        without: set[int] = set()  # one for all of them: they are thousands, and so are those that go
        for state in sorted(suspects, key=lambda each: each.rule.origin, reverse=True):
            without.add(id(state.rule))
            try:
                covering = self._covering(state, without)
            except TooLarge:
                self.undecided.append(state.rule)
            else:
                state.needed = covering is None
                if covering is not None and state.effective:
                    gone[id(state.rule)] = list(covering.values())
            if id(state.rule) not in gone:
                without.remove(id(state.rule))
        return gone

    def _covering(self, state: State, without: Collection[int]) -> Rules | None:
        """The rules that do all of what one does, without it and those that are gone; `None` where it is needed. Raises `TooLarge`."""
        covering: Rules = {}
        for site in state.sites:
            for instant in self._moments(site):
                if self.slices.in_force(state.rule.validity, instant) and not self.beside.covered(state, site, instant, without, covering):
                    return None
        return covering

    def _moments(self, site: Site) -> tuple[int, ...]:
        """One instant for each way in which what speaks at a site can be in force together, and guards with `now` can come out."""
        if not site.instants:
            entries = (*site.ports.allows, *site.ports.denies)
            if any(self.slices.reading.speaks_of_now(each.rule.guard) or self._asks_now(each.role) for each in entries):
                site.instants = self.timeline.moments
            else:
                flags = frozenset(flags for each in entries if (flags := self._flags(each.rule.validity)))
                if flags not in self._instants:
                    first = dict(zip(zip(*sorted(flags), strict=True), self.timeline.moments, strict=False))
                    self._instants[flags] = tuple(first.values()) if flags else self.timeline.moments[:1]
                site.instants = self._instants[flags]
        return site.instants

    def _asks_now(self, role: str) -> bool:
        return bool(role) and self.slices.reading.speaks_of_now(self.slices.policy.roles[role].requires)

    # In words

    def _idle(self, state: State) -> Diagnostic:
        rule = state.rule
        if rule.effect == "deny":
            message, label = "this deny denies nothing: no allow grants what it could take away", ""
            help_ = "as a safeguard write `assert … never reaches …`, which is proved; otherwise delete it"
            return Diagnostic("ZT446", message, rule.origin, label=label, help=help_, severity=Severity.WARNING)
        help_ = "delete it, or correct what stands in its way"
        return Diagnostic("ZT440", f"nobody can use this grant: {self._obstacle(rule)}", rule.origin, help=help_, severity=Severity.WARNING)

    def _obstacle(self, rule: Rule) -> str:
        entries = self.slices.entries(self._position(rule))
        nowhere = [entry.subject.name for entry in entries if not entry.sources]
        if nowhere or not entries:
            return f"{words.listing(f'`{name}`' for name in nowhere) or 'its subject'} is nowhere in the network"
        bare = [ref.name for ref in rule.targets if ref.kind == "label" and not self._carried(ref.name)]
        if bare and len(bare) == len(rule.targets):
            return f"no segment carries {words.listing(f'`{name}`' for name in bare)}"
        return "no principal satisfies its guard with what its subjects require"

    def _position(self, rule: Rule) -> int:
        if not self._positions:
            self._positions = {id(each): index for index, each in enumerate(self.slices.policy.intent.rules)}
        return self._positions[id(rule)]

    def _carried(self, label: str) -> bool:
        return any(label in segment.carries for segment in self.slices.policy.intent.segments)

    def _taken_away(self, state: State) -> Diagnostic:
        denies: Rules = {id(each.rule): each.rule for site in state.sites for each in site.ports.denies}
        related = tuple(Label(rule.origin, "this deny wins") for rule in sorted(denies.values(), key=lambda each: each.origin))
        message = "everything that this grant allows is denied"
        help_ = "delete it, or narrow what denies it"
        return Diagnostic("ZT450", message, state.rule.origin, help=help_, related=related, severity=Severity.WARNING)

    # Roles

    def _roles(self) -> Iterator[Diagnostic]:
        for role in self.slices.policy.intent.roles:
            try:
                void = bool(role.sources) and not self._held_by_someone(role)
            except TooLarge:
                continue
            if void:
                message = f"nobody can act in role `{role.name}`: what it requires is never true of somebody who may hold it"
                help_ = "correct what it requires or includes, or delete it"
                yield Diagnostic("ZT445", message, role.origin, help=help_, severity=Severity.WARNING)

    def _held_by_someone(self, role: Role) -> bool:
        reading = self.slices.reading
        for segment in role.sources:
            held = self.diagrams.both(reading.held(segment, role.name), reading.apart(segment))
            if any(self.diagrams.both(held, reading.truth(role.requires, at)[0]) != FALSE for at in self.timeline.moments):
                return True
        return False


def _crowded(entries: Iterable[Entry]) -> int:
    """The places where entries of two rules speak."""
    once: dict[int, int] = {}
    for each in entries:
        once[id(each.rule)] = once.get(id(each.rule), 0) | each.sources
    seen = twice = 0
    for mask in once.values():
        twice |= seen & mask
        seen |= mask
    return twice


def _covered(rule: Rule, covering: list[Rule], together: int) -> Diagnostic:
    does, do = ("grants", "grant") if rule.effect == "allow" else ("denies", "deny")
    related = tuple(Label(each.origin, f"this {does} it too") for each in sorted(covering, key=lambda each: each.origin))
    others = f"; with it could go {together - 1} more that are reported so" if together > 1 else ""
    message = f"everything that this rule {does}, other rules {do} as well"
    return Diagnostic(
        "ZT441", message, rule.origin, help=f"delete it, or narrow the others{others}", related=related, severity=Severity.WARNING
    )


def _undecided(rule: Rule) -> Diagnostic:
    message = "it was not decided whether this rule is needed: its guards are too many for the budget"
    return Diagnostic("ZT441", message, rule.origin, severity=Severity.INFO)

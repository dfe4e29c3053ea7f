"""Questions about principals, each asked once: is there anybody whom these grants let in and these denials do not keep out?

A question knows guards by their number and nothing of places or ports, so that thousands of pairs of ends share a few; every one that was
answered *nobody* is kept for the second engine (`confirm`), by the claim that relied on it.

Guarantees: the answer is exact, as a diagram; where that outgrows its budget, as the solver's own answer (`Undecided` past its limit).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ztosc.logic.diagrams import FALSE, TRUE
from ztosc.verify.encoding import Reading
from ztosc.verify.slices import Entry

NOBODY = FALSE
SOMEBODY = -1
"""Somebody, whom no diagram tells: the solver says so."""


class Term(NamedTuple):
    """What one entry asks: a role or none, the rule's guard, and for an allow what the role requires (numbers of `Reading`)."""

    role: str
    guard: int
    requires: int | None


class Question(NamedTuple):
    """Is there anybody …? `instant` where guards speak of `now`."""

    chosen: tuple[str, ...] | None
    """The roles that a person may hold there; absent: not a person."""
    must: str
    """A role that is held in any case."""
    allows: frozenset[Term]
    denies: frozenset[Term]
    free: bool
    outside: tuple[str, ...]
    """Roles in which the initiator must not act."""
    instant: int


class Answers:
    """The questions of one network with their answers."""

    def __init__(self, reading: Reading) -> None:
        self.reading, self.diagrams = reading, reading.diagrams
        self._known: dict[Question, int] = {}
        self._terms: dict[int, tuple[Term, Entry]] = {}  # with the entry, so that its id stays its own
        self._by_solver: set[Question] = set()
        self.nobody: dict[Question, None] = {}
        """Questions answered *nobody* since this was last emptied, in their order."""

    def term(self, entry: Entry) -> Term:
        """What an entry asks."""
        known = self._terms.get(id(entry))
        if known is None:
            role = self.reading.policy.roles[entry.role] if entry.role and entry.rule.effect == "allow" else None
            requires = self.reading.key(role.requires) if role else None
            known = self._terms[id(entry)] = Term(entry.role, self.reading.key(entry.rule.guard), requires), entry
        return known[0]

    def who(self, question: Question) -> int:
        """The diagram of those there are; `NOBODY`; or `SOMEBODY`. Raises `TooLarge` for a question that has to be put to the solver."""
        found = self._known.get(question)
        if found is None:
            found = self._known[question] = self._worked_out(question)
        if found == NOBODY and question not in self._by_solver:
            self.nobody[question] = None
        return found

    def settle(self, question: Question, somebody: bool) -> None:
        """What the solver said of a question that was too large."""
        self._known[question] = SOMEBODY if somebody else NOBODY
        self._by_solver.add(question)

    def instant(self, asked: Iterable[Term], instant: int) -> int:
        """An instant of the same phase where some guard speaks of `now`, otherwise 0: questions that are one get one number."""
        speaks = self.reading.speaks
        now = any(speaks(term.guard) or (term.requires is not None and speaks(term.requires)) for term in asked)
        return self.reading.phase(instant) if now else 0

    def _worked_out(self, question: Question) -> int:
        diagrams = self.diagrams
        who = TRUE if question.free else diagrams.any(self._meets(term, question) for term in sorted(question.allows))
        for term in sorted(question.denies) if who != FALSE else ():
            who = diagrams.without(who, self._denied(term, question))
        for role in question.outside:
            who = diagrams.without(who, self._held(role, question))
        if question.must:
            who = diagrams.both(who, diagrams.where(self.reading.encoding.role[question.must], (1,)))
        if question.chosen and who != FALSE and self.reading.network.intent.separations:
            who = diagrams.both(who, self._apart(question.chosen, who))
        return who

    def _held(self, role: str, question: Question) -> int:
        return self.reading.acting(question.chosen or (), role)

    def _meets(self, term: Term, question: Question) -> int:
        true = self.reading.truth_of(term.guard, question.instant)[0]
        if term.requires is not None:
            true = self.diagrams.both(true, self.reading.truth_of(term.requires, question.instant)[0])
        return self.diagrams.both(self._held(term.role, question), true) if term.role else true

    def _denied(self, term: Term, question: Question) -> int:
        unless = self.diagrams.negated(self.reading.truth_of(term.guard, question.instant)[1])
        return self.diagrams.both(self._held(term.role, question), unless) if term.role else unless

    def _apart(self, chosen: tuple[str, ...], who: int) -> int:
        """Separation among the roles that matter; to hold another one never helps, so that leaving it out changes no least answer."""
        support = self.diagrams.support(who)
        role = self.reading.encoding.role
        return self.reading.apart_among(tuple(name for name in chosen if role[name] in support))

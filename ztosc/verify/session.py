"""A network in memory whose claims are judged again after each edit, as far as the edit matters to them.

    session = Session(network)
    session.verdicts                    # what `verify(network)` says
    session.update(edited).verdicts     # what `verify(edited)` says; unchanged rules have to be the same objects

Guarantees: the same verdicts as those of a fresh look. A claim is judged again where rules about an end changed that it looked at, or
where it is new; the second engine is asked what it was not asked before. Anything but rules and claims that differs starts afresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ztosc.collector import uncollected
from ztosc.ir.assertions import Assertion
from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.verify.answers import Question
from ztosc.verify.changes import edit
from ztosc.verify.confirm import confirmed
from ztosc.verify.controls import controls
from ztosc.verify.finder import Finder
from ztosc.verify.judging import judge
from ztosc.verify.outcome import verdict
from ztosc.verify.symbolic import RLIMIT

Progress = Callable[[int, int, str], None]
"""Called before each assertion with how many are done, how many there are, and its statement."""

EDITS = 1_000
"""Edits after which everything is looked at afresh: what was edited away is kept until then."""


class Judged(NamedTuple):
    """A verdict, and what it rests on."""

    claim: Assertion
    verdict: Verdict
    rests_on: tuple[Question, ...]
    """Questions whose answer was *nobody*."""
    looked_at: int
    """`Finder.touched`."""


class Session:
    """One network and its verdicts."""

    def __init__(self, network: Network, progress: Progress | None = None, *, rlimit: int = RLIMIT) -> None:
        self.rlimit = rlimit
        self._start(network, progress)

    def _start(self, network: Network, progress: Progress | None = None) -> None:
        with uncollected():
            self.finder = Finder(network, self.rlimit)
            self._agreed: dict[Question, bool] = {}
            self._judged: dict[int, Judged] = {}
            self._edits = 0
            self._judge(network, self._judged, progress)

    def update(self, network: Network) -> Session:
        """Takes an edited network."""
        change = edit(self.finder.network, network) if self._edits < EDITS else None
        with uncollected():
            touched = self.finder.edited(change) if change is not None else None
            if touched is None:
                self._start(network)
            else:
                self._edits += 1
                self._judge(network, {key: each for key, each in self._judged.items() if not each.looked_at & touched})
        return self

    def _judge(self, network: Network, known: dict[int, Judged], progress: Progress | None = None) -> None:
        """Judges the claims that are not known, and asks the second engine what it was not asked before. Raises `EnginesDisagree`."""
        claims = sorted(network.intent.assertions, key=lambda claim: claim.origin)
        judged: dict[int, Judged] = {}
        for number, claim in enumerate(claims):
            if progress:
                progress(number, len(claims), claim.statement)
            judged[id(claim)] = known.get(id(claim)) or self._afresh(claim)
        self._judged = judged
        self._confirm(question for each in judged.values() for question in each.rests_on)
        self.verdicts = (*map(self._final, judged.values()), *controls(network.intent))

    def _afresh(self, claim: Assertion) -> Judged:
        self.finder.answers.nobody.clear()
        self.finder.touched = 0
        found = judge(self.finder, claim)
        rests_on = tuple(self.finder.answers.nobody) if found.verdict == "proved" else ()
        return Judged(claim, found, rests_on, self.finder.touched)

    def _confirm(self, questions: Iterable[Question]) -> None:
        asked = [question for question in dict.fromkeys(questions) if question not in self._agreed]
        if asked:
            answers = confirmed(self.finder.slices.reading, asked, self.rlimit)
            self._agreed.update(zip(asked, answers, strict=True))

    def _final(self, judged: Judged) -> Verdict:
        if all(self._agreed[question] for question in judged.rests_on):
            return judged.verdict
        return verdict(judged.claim, "unknown", "the second solver did not confirm this proof within its limit")

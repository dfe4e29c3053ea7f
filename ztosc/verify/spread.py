"""Where the data of a label goes: with each flow and against it (answers), and into logs, in the order of time.

Guarantees: only what somebody signs for stops it: a rule, role or service that `releases` the label, or a segment or external that does,
at which it rests and from which it goes no further.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ztosc.ir.clock import is_over
from ztosc.ir.flow import Place
from ztosc.ir.intent import Rule
from ztosc.ir.values import Ref
from ztosc.ir.verdict import Hop
from ztosc.verify import words
from ztosc.verify.chains import Reached, State, onward
from ztosc.verify.questions import Limits, Passage, Questions
from ztosc.verify.scope import Start, segment, segments_of, starts


class Spread:
    """The flows that the data of one label takes; `signed` are services at which it ends by exception."""

    def __init__(self, explorer: Questions, label: str, signed: tuple[str, ...] = ()) -> None:
        self.explorer, self.label = explorer, label
        self.limits = Limits(releases=label, signed=signed)
        self.moves: list[tuple[Place, Place, Reached]] = []

    def begin(self) -> State:
        """Every segment that carries the label, now."""
        carriers = starts(self.explorer.policy, Ref(kind="label", name=self.label))
        return {start: Reached(self.explorer.network.at) for start in carriers}

    def released_at(self, place: Place) -> bool:
        """Whether somebody signs that the label ends at a segment or external."""
        policy = self.explorer.policy
        if place.kind == "segment":
            return policy.segments[place.name].governance.released(self.label)
        return any(each.name == place.name and each.governance.released(self.label) for each in policy.intent.externals)

    def expand(self, start: Start, reached: Reached) -> Iterator[tuple[Start, Reached]]:
        """Where one more hop takes the data; each move is noted, for what may relay it."""
        if self.released_at(start.place):
            return
        for place in self.explorer.around(start.place):
            for there in self._with_and_against(start.place, place, reached):
                self.moves.append((start.place, place, there))
                yield Start(place), there
        for place, there in self._logs(start.place, reached):
            self.moves.append((start.place, place, there))
            yield Start(place), there

    def _with_and_against(self, here: Place, there: Place, reached: Reached) -> Iterator[Reached]:
        for begin, end, note in ((here, there, ""), (there, here, "; what it is answered flows back")):
            passage = onward(self.explorer, Start(begin), reached.arrival, end, (), self.limits)
            if passage is not None:
                yield Reached(passage.instant, reached, partial(self._told, passage, note))

    def _told(self, passage: Passage, note: str) -> tuple[Hop, ...]:
        hop = words.hop(self.explorer, passage.flow, self.label)
        return (hop.model_copy(update={"text": hop.text + note}),)

    def _logs(self, place: Place, reached: Reached) -> Iterator[tuple[Place, Reached]]:
        """The segments to which rules about what is here log."""
        policy = self.explorer.policy
        for rule in self.explorer.logged(place):
            sink = policy.services.get(rule.governance.log_to or "")
            if sink and not is_over(rule.validity, reached.arrival) and self._about(rule, place):
                hop = Hop(text=f"flows of `{place.name}` are logged to `{sink.name}`{words.at(rule.origin)}", rule=rule.origin)
                yield segment(sink.segment), Reached(reached.arrival, reached, partial(tuple[Hop, ...], (hop,)))

    def _about(self, rule: Rule, place: Place) -> bool:
        return any(self._stands_for(ref, place) for ref in (*rule.subjects, *rule.targets))

    def _stands_for(self, ref: Ref, place: Place) -> bool:
        if ref.kind in ("external", "system") or place.kind != "segment":
            return (ref.kind, ref.name) == (place.kind, place.name)
        return place.name in segments_of(self.explorer.policy, ref)

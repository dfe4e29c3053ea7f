"""The instants that matter to some rules alone, and not to a whole network.

Guarantees: as `moments` says of all rules, for those that are given; instants up to the last date of the whole network are followed.
"""

from __future__ import annotations

from collections.abc import Iterable

from ztosc.ir.intent import Rule
from ztosc.ir.network import Network
from ztosc.ir.values import Validity
from ztosc.verify.moments import Timeline

ALWAYS = Validity()


class Times:
    """Timelines of one network; `thresholds` are the instants at which guards that speak of `now` may change."""

    def __init__(self, network: Network, thresholds: tuple[int, ...] = ()) -> None:
        self.at, self.thresholds = network.at, thresholds
        valid = (rule.validity for rule in network.intent.rules)
        dates = [edge for each in valid for edge in (each.not_before, each.not_after) if edge is not None]
        self.last = max([self.at, *dates])
        self._timelines: dict[frozenset[Validity], Timeline] = {}

    def after(self, rules: Iterable[Rule], instant: int | None = None) -> tuple[int, ...]:
        """For each way in which the rules can be in force together, its first instant, ascending. Raises `Undecided`."""
        validities = frozenset(rule.validity for rule in rules if rule.validity != ALWAYS)
        start = self.at if instant is None else instant
        if not validities and not self.thresholds:
            return (start,)
        if validities not in self._timelines:
            self._timelines[validities] = Timeline.of(self.at, [ALWAYS, *validities], self.thresholds, self.last)
        return self._timelines[validities].after(start)

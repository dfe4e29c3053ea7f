"""The instants that matter: one for each way in which the rules can be in force together, and when each way comes back.

Guarantees: for every instant t from `at` on there is a representative at which exactly the same rules are in force and, where guards
speak of `now`, the same sets of guards can be satisfied; `after(t)` gives, for each such way that still occurs, its first instant
from t on. The zone database is the pinned one.

How: time is cut into *eras* at every `not_before` and `not_after`, and wherever a zone used by a window changes its offset. Within
an era all offsets stand still, so what is in force repeats weekly, and one week of it tells the rest. The last constant is followed by
`YEARS` more years where some zone changes its offset: 28 years hold every pairing of date, weekday and leap year between two
centuries (the Gregorian cycle within a century), so every alignment of a weekday window with a change of the clock is seen.
What recurs only beyond that is `Undecided`, never taken for absent.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from ztosc.ir.clock import DAY, in_force, instant_text, offset, offset_changes
from ztosc.ir.guards import atoms
from ztosc.ir.network import Network
from ztosc.ir.values import Constant, Guard, InstantType, Now, Validity, Window
from ztosc.verify.scope import Undecided

YEARS = 28
WEEK = 7 * DAY
YEAR = 366 * DAY
LATEST = int(datetime(9999, 12, 1, tzinfo=UTC).timestamp())
"""The calendar ends in 9999 (`datetime`); nothing is looked at beyond. No date that can be written lies so late."""

Key = tuple[object, ...]
"""Which of the distinct validities are in force, and how many instants written in guards have passed."""


@dataclass(frozen=True)
class Piece:
    """`key` holds for start <= t < end, and at every week's distance from it within its era."""

    start: int
    end: int
    key: Key

    def first(self, after: int, end: int) -> int | None:
        """The first instant from `after` on, and before `end`, at which the piece or a weekly repetition of it holds."""
        start = self.start + (after - self.start) // WEEK * WEEK
        found = after if after < start + self.end - self.start else start + WEEK
        return found if found < end else None


@dataclass(frozen=True)
class Era:
    """A stretch of time without a change of offset or a constant boundary inside; the last may be endless."""

    start: int
    end: int
    pieces: tuple[Piece, ...]


class Timeline:
    """The eras of one network, from its `at` on."""

    def __init__(self, network: Network) -> None:
        found = (rule.validity for rule in network.intent.rules)
        distinct = {(each.not_before, each.not_after, each.windows): each for each in found}  # tuples are compared faster than models
        self._cut(network.at, set(distinct.values()), thresholds(network))

    @classmethod
    def of(cls, at: int, validities: Iterable[Validity], thresholds: tuple[int, ...] = (), settled: int | None = None) -> Timeline:
        """The eras of some validities alone, `thresholds` being the instants at which guards that speak of `now` may change.

        `settled` is the last constant of the whole network: repetitions are followed as long as there, so that an instant that another
        rule leads to still lies inside.
        """
        timeline = cls.__new__(cls)
        timeline._cut(at, set(validities), thresholds, settled)
        return timeline

    def _cut(self, at: int, validities: set[Validity], thresholds: tuple[int, ...], settled: int | None = None) -> None:
        self.at = at
        self.validities = sorted(validities, key=lambda each: each.model_dump_json())
        self.windows = sorted({window for each in self.validities for window in each.windows}, key=lambda each: each.model_dump_json())
        self.windowed = [index for index, each in enumerate(self.validities) if each.windows]
        self.thresholds = thresholds
        edges = {edge for each in self.validities for edge in (each.not_before, each.not_after) if edge is not None}
        self.constants = [edge for edge in sorted(edges | set(self.thresholds)) if self.at < edge < LATEST]
        self.settled = max(self.constants[-1] if self.constants else self.at, settled or self.at)
        self.eras = tuple(self._eras())
        self._after: dict[int, tuple[int, ...]] = {}

    @property
    def moments(self) -> tuple[int, ...]:
        """One instant for every way the rules can be in force together, earliest first."""
        return self.after(self.at)

    @property
    def ways(self) -> tuple[Key, ...]:
        """The ways themselves, in the order of `moments`: all that time can mean to the rules from `at` on."""
        return tuple(key for _, key in sorted((start, key) for key, start in self._first(self.at).items()))

    def after(self, instant: int) -> tuple[int, ...]:
        """For each way that still occurs, its first instant from `instant` on, ascending. Raises `Undecided` past the horizon."""
        if instant not in self._after:
            self._after[instant] = self._search(instant)
        return self._after[instant]

    def _search(self, instant: int) -> tuple[int, ...]:
        return tuple(sorted(self._first(instant).values()))

    def _first(self, instant: int) -> dict[Key, int]:
        """The first instant of each way."""
        first: dict[Key, int] = {}
        for era in self.eras:
            for piece in era.pieces if era.end > instant else ():
                found = piece.first(max(instant, era.start), era.end)
                if found is not None and found < first.get(piece.key, found + 1):
                    first[piece.key] = found
        self._check_horizon(instant, first)
        return first

    def _check_horizon(self, instant: int, found: dict[Key, int]) -> None:
        recurring = {piece.key for era in self.eras if era.start >= self.settled for piece in era.pieces}
        if recurring - found.keys():
            raise Undecided(f"what happens more than {YEARS} years after the last date in the rules is not searched (from {instant} on)")

    def _eras(self) -> Iterator[Era]:
        horizon = min(self.settled + YEARS * YEAR, LATEST)
        changes = {change for name in sorted({each.zone for each in self.windows}) for change in offset_changes(name, self.at, horizon)}
        edges = sorted({self.at, *self.constants, *changes})
        known: dict[tuple[object, ...], tuple[Piece, ...]] = {}
        for start, end in pairwise([*edges, horizon if changes else LATEST]):
            yield Era(start, end, self._pieces(start, end, bisect.bisect_right(self.constants, start), known))

    def _pieces(self, start: int, end: int, phase: int, known: dict[tuple[object, ...], tuple[Piece, ...]]) -> tuple[Piece, ...]:
        """A week of an era, or all of it where it is shorter; taken from an earlier era with the same offsets and constants."""
        like = (phase, *(offset(each.zone, start) for each in self.windows))
        if like in known:
            return known[like]
        points = sorted({start, *(edge for each in self.windows for edge in _edges(each, start, min(end, start + WEEK)))})
        standing = [in_force(each, start) for each in self.validities]  # no date passes within an era: windows alone open and close
        pieces = tuple(Piece(low, high, self._key(low, standing)) for low, high in pairwise([*points, min(end, start + WEEK)]))
        if end - start >= WEEK:
            known[like] = pieces
        return pieces

    def key(self, instant: int) -> Key:
        """The way at an instant."""
        return self._key(instant, [in_force(each, instant) for each in self.validities])

    def _key(self, instant: int, standing: list[bool]) -> Key:
        force = standing.copy()
        for index in self.windowed:
            force[index] = in_force(self.validities[index], instant)
        return (bisect.bisect_right(self.thresholds, instant), *force)


def _edges(window: Window, start: int, end: int) -> Iterator[int]:
    """Instants in start < t < end at which the window may open or close, given that its zone's offset stands still there."""
    shift = offset(window.zone, start)
    midnight = (start + shift) // DAY * DAY - shift
    while midnight < end:
        for edge in (midnight, midnight + window.start, midnight + window.end):
            if start < edge < end:
                yield edge
        midnight += DAY


def thresholds(*networks: Network) -> tuple[int, ...]:
    """Instants around the constants that guards compare attributes with, where some guard also speaks of `now`.

    A chain of strict comparisons over n attributes can put n whole seconds between `now` and a constant, no more; past that, only the
    order of the two counts.
    """
    intents = [network.intent for network in networks]
    guards = [guard for each in intents for guard in (*(rule.guard for rule in each.rules), *(role.requires for role in each.roles))]
    if not any(isinstance(atom.operand, Now) for guard in guards for atom in atoms(guard)):
        return ()
    names = {attribute.name for each in intents for attribute in each.attributes if isinstance(attribute.type, InstantType)}
    constants = {0, *(value for guard in guards for value in _instants(guard, names))}
    reach = len(names) + 1
    return tuple(sorted({constant + step for constant in constants for step in range(-reach, reach + 1)}))


def _instants(guard: Guard, names: set[str]) -> Iterator[int]:
    for atom in atoms(guard):
        if atom.attribute in names and isinstance(atom.operand, Constant):
            yield from (int(value) for value in atom.operand.values)


def validity_text(validity: Validity) -> str:
    """A validity in words: `from … until … between 06:00 and 20:00 (UTC)`; empty where it always holds."""
    parts = [f"from {instant_text(validity.not_before)}"] if validity.not_before is not None else []
    parts += [f"until {instant_text(validity.not_after)}"] if validity.not_after is not None else []
    parts += [" or ".join(_window_text(each) for each in validity.windows)] if validity.windows else []
    return " ".join(parts)


def _window_text(window: Window) -> str:
    clock = " and ".join(f"{second // 3600:02}:{second % 3600 // 60:02}" for second in (window.start, window.end))
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    days = "" if len(window.days) == len(names) else " on " + ", ".join(names[day] for day in window.days)
    return f"between {clock}{days} ({window.zone})"

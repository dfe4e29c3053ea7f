"""Which rules are in force together, and when: every stretch of time from the network's clock on, one after the other.

Guarantees: nothing is folded or taken to repeat within the horizon: every edge of every window of every day is visited. The horizon is 28
years behind the last date in the rules, after which dates and weekdays come round; without windows there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from ztosc.ir.clock import in_window, zone
from ztosc.ir.network import Network
from ztosc.ir.values import Validity, Window

YEARS = 28
LATEST = int(datetime(9999, 12, 1, tzinfo=UTC).timestamp())
MOST = 3_000_000
"""Edges of windows that are visited: those of some fifty windows."""
EDGES = 6
"""Instants that are looked at for each window and day."""

Force = frozenset[Validity]
"""Those of some validities that are in force."""


class TooMuch(Exception):
    """More than the checker looks at; the text says of what."""


class Clock:
    """The stretches of one network, for whichever rules are asked about."""

    def __init__(self, network: Network) -> None:
        self.at = network.at
        valid = {rule.validity for rule in network.intent.rules}
        dates = [edge for each in valid for edge in (each.not_before, each.not_after) if edge is not None]
        windows = {window for each in valid for window in each.windows}
        last = max([self.at, *dates])
        self.horizon = min(last + YEARS * 366 * 86_400, LATEST) if windows else LATEST
        self._turns: dict[Window, tuple[tuple[int, bool], ...]] = {}
        self._visited = 0
        self._open: dict[frozenset[Window], dict[int, frozenset[Window]]] = {}
        self._stretches: dict[Force, tuple[tuple[int, Force], ...]] = {}
        self._between: dict[tuple[Force, int, int | None], tuple[tuple[Force, int], ...]] = {}

    def between(self, validities: Iterable[Validity], start: int, end: int | None) -> tuple[tuple[Force, int], ...]:
        """Each way in which they are in force from `start` on and before `end` (absent: ever), with the first instant. Raises `TooMuch`."""
        if start >= self.horizon:
            raise TooMuch(f"instants behind the horizon of {YEARS} years")
        asked = frozenset(validities)
        key = (asked, start, end)
        if key not in self._between:
            found: dict[Force, int] = {}
            stretches = self._cut(asked)
            for index, (begin, force) in enumerate(stretches):
                stop = stretches[index + 1][0] if index + 1 < len(stretches) else None
                if (end is None or begin < end) and (stop is None or stop > start):
                    found.setdefault(force, max(begin, start))
            self._between[key] = tuple(found.items()) if end is None or start < end else ()
        return self._between[key]

    def _cut(self, asked: Force) -> tuple[tuple[int, Force], ...]:
        if asked not in self._stretches:
            self._stretches[asked] = tuple(self._pieces(asked))
        return self._stretches[asked]

    def _pieces(self, asked: Force) -> Iterator[tuple[int, Force]]:
        windows = self._open_from(frozenset(window for each in asked for window in each.windows))
        dates = {edge for each in asked for edge in (each.not_before, each.not_after) if edge is not None and edge > self.at}
        known: dict[frozenset[Window], Force] = {}
        before: Force | None = None
        is_open = windows[self.at]
        for instant in sorted(dates | windows.keys()):
            if instant in dates:
                known = {}
            is_open = windows.get(instant, is_open)
            if is_open not in known:
                known[is_open] = frozenset(each for each in asked if _valid(each, instant, is_open))
            if known[is_open] != before:
                yield instant, known[is_open]
            before = known[is_open]

    def _open_from(self, windows: frozenset[Window]) -> dict[int, frozenset[Window]]:
        """Which of some windows are open from each instant on at which one of them opens or closes, the clock's own first."""
        if windows not in self._open:
            turns: dict[int, list[tuple[Window, bool]]] = {}
            for window in windows:
                for instant, now in self._turning(window):
                    turns.setdefault(instant, []).append((window, now))
            is_open = {window: in_window(window, self.at) for window in windows}
            alike: dict[frozenset[Window], frozenset[Window]] = {}
            found: dict[int, frozenset[Window]] = {}
            for instant in [self.at, *sorted(turns)]:
                is_open.update(turns.get(instant, ()))
                these = frozenset(window for window in windows if is_open[window])
                found[instant] = alike.setdefault(these, these)
            self._open[windows] = found
        return self._open[windows]

    def _turning(self, window: Window) -> tuple[tuple[int, bool], ...]:
        """When a window opens and closes, within the horizon."""
        if window not in self._turns:
            self._visited += EDGES * (self.horizon - self.at) // 86_400
            if self._visited > MOST:
                raise TooMuch(f"more than {MOST} edges of windows")
            found, known = [], in_window(window, self.at)
            for instant in _edges(window, self.at, self.horizon):
                if (now := in_window(window, instant)) != known:
                    found.append((instant, now))
                    known = now
            self._turns[window] = tuple(found)
        return self._turns[window]


def _valid(validity: Validity, instant: int, is_open: frozenset[Window]) -> bool:
    late = validity.not_before is None or validity.not_before <= instant
    early = validity.not_after is None or instant < validity.not_after
    return late and early and (not validity.windows or any(window in is_open for window in validity.windows))


def _edges(window: Window, start: int, end: int) -> list[int]:
    """Every instant at which the clock on the wall passes midnight or an edge of the window, or is put forward or back."""
    place = zone(window.zone)
    found: set[int] = set()
    day, last = _local(start, window.zone) - timedelta(days=1), _local(end, window.zone)
    before: timedelta | None = None
    while day <= last:
        for second in (0, window.start % 86_400, window.end % 86_400):
            clock = time(second // 3600, second % 3600 // 60, second % 60)
            for fold in (0, 1):
                found.add(int(datetime.combine(day, clock.replace(fold=fold), place).timestamp()))
        offset = datetime.combine(day, time(), place).utcoffset()
        if before is not None and offset != before:
            found |= _changes(window.zone, day - timedelta(days=1))
        before, day = offset, day + timedelta(days=1)
    return sorted(instant for instant in found if start < instant < end)


def _changes(name: str, day: date) -> set[int]:
    """The instants within a day and the next at which a zone's clock jumps, to the second."""
    first = int(datetime.combine(day, time(), zone(name)).timestamp())
    found = set()
    for low in range(first, first + 2 * 86_400, 900):
        if _offset(name, low) != _offset(name, low + 900):
            a, b = low, low + 900
            while b - a > 1:
                middle = (a + b) // 2
                a, b = (middle, b) if _offset(name, middle) == _offset(name, low) else (a, middle)
            found.add(b)
    return found


def _offset(name: str, instant: int) -> timedelta | None:
    return datetime.fromtimestamp(instant, UTC).astimezone(zone(name)).utcoffset()


def _local(instant: int, name: str) -> date:
    return datetime.fromtimestamp(instant, UTC).astimezone(zone(name)).date()

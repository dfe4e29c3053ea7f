"""Which rules are in force together, and when: every stretch of time from the network's clock on, one after the other.

Guarantees: nothing is folded or taken to repeat within the horizon: every edge of every window of every day is visited. The horizon is 28
years behind the last date in the rules, after which dates and weekdays come round; without windows there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from ztosc.ir.clock import in_force, in_window, zone
from ztosc.ir.network import Network
from ztosc.ir.values import Validity, Window

YEARS = 28
LATEST = int(datetime(9998, 1, 1, tzinfo=UTC).timestamp())
MOST = 3_000_000
"""Edges of windows that are visited: those of some fifty windows."""
EDGES = 6
"""Instants that are looked at for each window and day."""

Mask = int


class TooMuch(Exception):
    """More than the checker looks at; the text says of what."""


class Clock:
    """The stretches of one network: validities by number, as bits of a mask."""

    def __init__(self, network: Network) -> None:
        self.at = network.at
        self.number: dict[Validity, int] = {}
        for rule in network.intent.rules:
            self.number.setdefault(rule.validity, len(self.number))
        dates = [edge for each in self.number for edge in (each.not_before, each.not_after) if edge is not None]
        last = max([self.at, *dates])
        windows = {window for each in self.number for window in each.windows}
        self.horizon = min(last + YEARS * 366 * 86_400, LATEST) if windows else LATEST
        self.stretches = tuple(self._stretches(windows, dates))
        self._between: dict[tuple[int, int | None], tuple[tuple[Mask, int], ...]] = {}

    def holds(self, validity: Validity, mask: Mask) -> bool:
        """Whether a rule with this validity is in force during stretches of a mask."""
        return bool(mask >> self.number[validity] & 1)

    def between(self, start: int, end: int | None) -> tuple[tuple[Mask, int], ...]:
        """Every mask that occurs from `start` on and before `end` (absent: ever), with the first instant of it."""
        if start >= self.horizon:
            raise TooMuch(f"instants behind the horizon of {YEARS} years")
        key = (start, end)
        if key not in self._between:
            found: dict[Mask, int] = {}
            for index, (begin, mask) in enumerate(self.stretches):
                stop = self.stretches[index + 1][0] if index + 1 < len(self.stretches) else None
                if (end is None or begin < end) and (stop is None or stop > start):
                    found.setdefault(mask, max(begin, start))
            self._between[key] = tuple(found.items()) if end is None or start < end else ()
        return self._between[key]

    def mask(self, instant: int) -> Mask:
        """What is in force at an instant."""
        return sum(1 << number for validity, number in self.number.items() if in_force(validity, instant))

    def _stretches(self, windows: set[Window], dates: list[int]) -> Iterator[tuple[int, Mask]]:
        events: dict[int, list[tuple[Window, bool]]] = {self.at: [], **{edge: [] for edge in dates if edge > self.at}}
        is_open = {window: in_window(window, self.at) for window in windows}
        if len(windows) * EDGES * (self.horizon - self.at) // 86_400 > MOST:
            raise TooMuch(f"more than {MOST} edges of windows")
        for window in windows:
            known = is_open[window]
            for instant in _edges(window, self.at, self.horizon):
                now = in_window(window, instant)
                if now != known:
                    events.setdefault(instant, []).append((window, now))
                    known = now
        before: Mask | None = None
        for instant in sorted(events):
            is_open.update(dict(events[instant]))
            mask = sum(1 << number for each, number in self.number.items() if _valid(each, instant, is_open))
            if mask != before:
                yield instant, mask
            before = mask


def _valid(validity: Validity, instant: int, is_open: dict[Window, bool]) -> bool:
    late = validity.not_before is None or validity.not_before <= instant
    early = validity.not_after is None or instant < validity.not_after
    return late and early and (not validity.windows or any(is_open[window] for window in validity.windows))


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

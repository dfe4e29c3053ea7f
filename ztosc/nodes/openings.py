"""When a condition holds for somebody of whom nothing has to be known: as instants, for the life of what is built.

Guarantees: inside the life of a build, and from the compiler's clock on, an instant lies in `openings` exactly if `holds` is true of that
principal then; behind it nothing is open. All instants of one calendar year give the same life, so a build on another day changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from ztosc.ir.clock import DAY, offset, offset_changes
from ztosc.ir.flow import Host, Principal, ServiceEndpoint
from ztosc.ir.guards import Types, evaluate
from ztosc.ir.values import Validity, Window
from ztosc.logic import intervals
from ztosc.logic.intervals import Intervals
from ztosc.nodes.conditions import always_holds_for, is_who
from ztosc.nodes.contract_spec import Opening, Times
from ztosc.nodes.spec import Condition, Term

YEARS = 2
"""Calendar years (UTC) of a life, the one that the compiler's clock stands in included."""
THURSDAY = 3
"""1970-01-01."""


def life(at: int) -> tuple[int, int]:
    """The first instant for which times are written, and the first behind them, at which everything is closed."""
    year = datetime.fromtimestamp(at, UTC).year
    first, last = (int(datetime(each, 1, 1, tzinfo=UTC).timestamp()) for each in (year, min(year + YEARS, MAXYEAR)))
    return first, last


def of_time(condition: Condition, types: Types, at: int) -> tuple[Opening, ...]:
    """Of a condition of time alone: whoever asks."""
    return _opening(None, condition, Host(), types, at)


def of_endpoint(condition: Condition, service: str, address: str, types: Types, at: int) -> tuple[Opening, ...]:
    """Of an endpoint that fulfils a condition by being what it is, but not always."""
    if always_holds_for(condition, service, types):
        return ()
    return _opening(address, condition, ServiceEndpoint(service=service), types, at)


def _opening(address: str | None, condition: Condition, principal: Principal, types: Types, at: int) -> tuple[Opening, ...]:
    times = openings(condition, principal, types, *life(at))
    return (Opening(address=address, times=times),) if times or address is None else ()


def openings(condition: Condition, principal: Principal, types: Types, first: int, last: int) -> Times:
    """When it holds for a principal without attributes, in first <= t < last: half-open, sorted, apart."""
    allowed = _firing(condition.allows, principal, types, "allow", first, last)
    denied = _firing(condition.denies, principal, types, "deny", first, last)
    return tuple((low, high + 1) for low, high in intervals.subtract(allowed, denied))


def _firing(
    terms: Iterable[Term], principal: Principal, types: Types, effect: Literal["allow", "deny"], first: int, last: int
) -> Intervals:
    """When some term fires. A guard that asks for an attribute is unknown at every instant: that denies, and allows nothing."""
    asked = ((term, evaluate(term.guard, {}, types, first)) for term in terms if is_who(term.who, principal))
    firing = (term for term, value in asked if (value is True if effect == "allow" else value is not False))
    return intervals.union(*(_in_force(term.validity, first, last) for term in firing))


@lru_cache(maxsize=4096)
def _in_force(validity: Validity, first: int, last: int) -> Intervals:
    low = max(first, validity.not_before if validity.not_before is not None else first)
    high = min(last, validity.not_after if validity.not_after is not None else last)
    if low >= high:
        return ()
    whole: Intervals = ((low, high - 1),)
    open_ = (part for window in validity.windows for part in _of_window(window, first, last))
    return intervals.intersect(whole, intervals.normalize(open_)) if validity.windows else whole


@lru_cache(maxsize=4096)
def _of_window(window: Window, first: int, last: int) -> Intervals:
    """Stretch by stretch between two changes of the zone's offset: what the clock shows counts, not when the window opened."""
    edges = (first, *offset_changes(window.zone, first, last), last)
    found = (
        (max(begin, low), min(end, high) - 1)
        for low, high in pairwise(edges)
        for begin, end in _days(window, low, high, offset(window.zone, low))
        if max(begin, low) < min(end, high)
    )
    return intervals.normalize(found)


def _days(window: Window, low: int, high: int, shift: int) -> Iterator[tuple[int, int]]:
    """Each day's, as if the offset always were what it is from `low` to `high`; the day before may reach into it."""
    length = window.end - window.start + (DAY if window.end <= window.start else 0)
    for day in range((low + shift) // DAY - 1, (high + shift) // DAY + 1):
        if (day + THURSDAY) % 7 in window.days:
            begin = day * DAY + window.start - shift
            yield begin, begin + length

"""Wall-clock time of a zone, from the pinned zone database alone, so that every machine agrees.

Guarantees: no use of the machine's own zone files or local time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo

from ztosc.ir.values import Validity, Window

DAY = 86_400


@cache
def zone_names() -> frozenset[str]:
    """Every IANA zone name of the pinned database."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@cache
def zone(name: str) -> ZoneInfo:
    """The zone of a name in `zone_names()`. Raises `KeyError` for any other."""
    if name not in zone_names():
        raise KeyError(name)
    with resources.files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def in_window(window: Window, instant: int) -> bool:
    """Whether the window is open at an instant (seconds since 1970, UTC)."""
    local = datetime.fromtimestamp(instant, UTC).astimezone(zone(window.zone))
    second = local.hour * 3600 + local.minute * 60 + local.second
    if window.start < window.end:
        return window.start <= second < window.end and local.weekday() in window.days
    began_today = second >= window.start and local.weekday() in window.days
    began_yesterday = second < window.end and (local.weekday() - 1) % 7 in window.days
    return began_today or began_yesterday


def in_force(validity: Validity, instant: int) -> bool:
    """Whether a rule with this validity is in force at an instant."""
    if validity.not_before is not None and instant < validity.not_before:
        return False
    if validity.not_after is not None and instant >= validity.not_after:
        return False
    return not validity.windows or any(in_window(window, instant) for window in validity.windows)


def is_over(validity: Validity, instant: int) -> bool:
    """Whether a rule can never be in force again at or after an instant."""
    return validity.not_after is not None and instant >= validity.not_after


def instant_text(instant: int) -> str:
    """An instant in RFC 3339, UTC."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def offset(name: str, instant: int) -> int:
    """Seconds that a zone's clock is ahead of UTC."""
    found = datetime.fromtimestamp(instant, UTC).astimezone(zone(name)).utcoffset()
    return int(found.total_seconds()) if found is not None else 0


@lru_cache(maxsize=256)
def offset_changes(name: str, start: int, end: int) -> tuple[int, ...]:
    """Every instant in start < t < end at which a zone's offset changes; two changes within one day that cancel are not seen."""
    days = [(instant, offset(name, instant)) for instant in (*range(start, end, DAY), end)]
    found = (_bisect(name, low, high) for (low, before), (high, behind) in pairwise(days) if before != behind)
    return tuple(change for change in found if change < end)


def _bisect(name: str, low: int, high: int) -> int:
    before = offset(name, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(name, middle) == before else (low, middle)
    return high

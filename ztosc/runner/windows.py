"""Windows of time: elements of dynamic sets that the clock alone opens, each with the instants at which it does.

Guarantees: what an element guarantees of its set and key; instants of one key are in order and apart, or all of it is a `BadFile`; behind
the end of the file nothing is open.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ztosc.runner.elements import SCHEMA, Element, instant, place
from ztosc.runner.wanted import BadFile


@dataclass(frozen=True, slots=True)
class Window:
    """A key of a set, and when it stands there: from the first instant of a pair on, until the second."""

    set: str
    key: str
    open: tuple[tuple[int, int], ...]

    def at(self, now: float) -> Element | None:
        """What stands there now."""
        return next((Element(self.set, self.key, last) for first, last in self.open if first <= now < last), None)

    def begins(self, now: float) -> int | None:
        """When it opens next."""
        return next((first for first, _ in self.open if first > now), None)


@dataclass(frozen=True, slots=True)
class Windows:
    """A file. From `until` on it says nothing more."""

    until: int
    windows: tuple[Window, ...]


def parse(content: bytes) -> Windows | None:
    """The file, or nothing where it is one of elements. Raises `BadFile`."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"it is no JSON: {error}") from error
    if not isinstance(found, dict) or "windows" not in found:
        return None
    if found.keys() != {"schema_version", "since", "until", "windows"} or found["schema_version"] != SCHEMA:
        raise BadFile(f"windows of version {SCHEMA} are expected")
    if not isinstance(found["windows"], list):
        raise BadFile("`windows` is no list")
    since, until = instant(found["since"]), instant(found["until"])
    windows = tuple(_window(each, since, until) for each in found["windows"])
    if len({(each.set, each.key) for each in windows}) < len(windows):
        raise BadFile("a key is there twice")
    return Windows(until, windows)


def _window(found: Any, since: int, until: int) -> Window:
    if not isinstance(found, dict) or found.keys() != {"set", "key", "open"} or not isinstance(found["open"], list):
        raise BadFile("a window has `set`, `key` and a list `open`")
    times = tuple(_pair(each) for each in found["open"])
    edges = [since - 1, *(instant for pair in times for instant in pair), until + 1]
    if any(left >= right for left, right in pairwise(edges)):
        raise BadFile(f"the times of {found['key']!r} are not in order, or not between `since` and `until`")
    return Window(*place(found["set"], found["key"]), times)


def _pair(found: Any) -> tuple[int, int]:
    if not isinstance(found, list) or len(found) != 2:
        raise BadFile("a time is a pair of instants")
    return instant(found[0]), instant(found[1])


def standing(windows: Iterable[Window], now: float) -> tuple[Element, ...]:
    """What is open now."""
    return tuple(element for each in windows if (element := each.at(now)) is not None)


def following(windows: Iterable[Window], now: float) -> int | None:
    """When something opens next: an instant at which somebody must make it."""
    return min((first for each in windows if (first := each.begins(now)) is not None), default=None)

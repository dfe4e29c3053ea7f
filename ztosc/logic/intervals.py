"""Sets of integers as sorted, disjoint, non-adjacent closed intervals.

Guarantees: every function returns the one normal form, so equal sets are equal tuples.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from operator import itemgetter

Interval = tuple[int, int]
Intervals = tuple[Interval, ...]


def normalize(parts: Iterable[Interval]) -> Intervals:
    """The union of closed intervals, merged where they touch."""
    merged: list[Interval] = []
    for low, high in sorted(parts):
        if low > high:
            raise ValueError(f"interval {low}-{high} is reversed")
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)


def union(*sets: Intervals) -> Intervals:
    """What is in any of the sets."""
    return normalize(part for each in sets for part in each)


def subtract(left: Intervals, right: Intervals) -> Intervals:
    """What is in `left` and not in `right`; both in normal form."""
    result: list[Interval] = []
    position = bisect_left(right, left[0][0], key=itemgetter(1)) if left else 0
    for low, high in left:
        while position < len(right) and right[position][1] < low:
            position += 1
        index, start = position, low
        while index < len(right) and right[index][0] <= high:
            if right[index][0] > start:
                result.append((start, right[index][0] - 1))
            start = max(start, right[index][1] + 1)
            index += 1
        if start <= high:
            result.append((start, high))
    return tuple(result)


def intersect(left: Intervals, right: Intervals) -> Intervals:
    """What is in both sets; both in normal form."""
    result: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        low, high = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if low <= high:
            result.append((low, high))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return tuple(result)


def covers(outer: Intervals, inner: Intervals) -> bool:
    """Whether all of `inner` is in `outer`; both in normal form."""
    return intersect(outer, inner) == inner


def contains(intervals: Intervals, value: int) -> bool:
    """Whether `value` is in the set."""
    return any(low <= value <= high for low, high in intervals)


def first_overlap(named: Iterable[tuple[int, int, str]]) -> list[tuple[str, str]]:
    """Pairs of names whose closed intervals overlap: each interval with the widest-reaching one before it. O(n log n)."""
    pairs: list[tuple[str, str]] = []
    reach: tuple[int, str] | None = None
    for low, high, name in sorted(named):
        if reach is not None and low <= reach[0]:
            pairs.append((reach[1], name))
        if reach is None or high > reach[0]:
            reach = (high, name)
    return pairs

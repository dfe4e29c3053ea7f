"""Sets of points in several dimensions as boxes of closed integer intervals.

Guarantees: one normal form, disjoint and sorted, so equal sets are equal tuples; nothing in here knows what a dimension means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from math import prod
from typing import TypeVar

from ztosc.logic import intervals
from ztosc.logic.intervals import Interval

Box = tuple[Interval, ...]
"""One closed interval a dimension."""

Boxes = tuple[Box, ...]

Item = TypeVar("Item")


def normalize(boxes: Iterable[Box]) -> Boxes:
    """The union of boxes of one dimensionality, cut at the first dimension first and merged where slices agree."""
    parts = sorted(set(boxes))
    if len(parts) < 2:
        return tuple(parts)  # as most remainders are
    if len(parts[0]) == 1:
        return tuple((part,) for part in intervals.normalize(box[0] for box in parts))
    slices: list[tuple[int, int, Boxes]] = []
    for low, high, rests in _slices(parts):
        rest = normalize(rests)
        if slices and slices[-1][1] + 1 == low and slices[-1][2] == rest:
            slices[-1] = (slices[-1][0], high, rest)
        else:
            slices.append((low, high, rest))
    return tuple(((low, high), *box) for low, high, rest in slices for box in rest)


def _slices(parts: list[Box]) -> Iterator[tuple[int, int, list[Box]]]:
    """Maximal runs of the first dimension over which the same boxes stand, with what remains of those."""
    for low, high, active in _sweep([(box[0], box) for box in parts]):
        yield low, high, [box[1:] for box in active]


def cells(parts: Sequence[tuple[Box, int]]) -> Iterator[tuple[Box, tuple[int, ...]]]:
    """What labelled boxes cut the space into: disjoint boxes, each with the sorted labels of those that hold it."""
    for low, high, active in _sweep([(box[0], (box, label)) for box, label in parts]):
        if len(active[0][0]) == 1:
            yield ((low, high),), tuple(sorted({label for _, label in active}))
        else:
            yield from ((((low, high), *box), labels) for box, labels in cells([(box[1:], label) for box, label in active]))


def _sweep(parts: Sequence[tuple[Interval, Item]]) -> Iterator[tuple[int, int, list[Item]]]:
    """Runs of integers over which the same intervals stand, with what hangs on those."""
    events = sorted(
        [(span[0], 1, index) for index, (span, _) in enumerate(parts)] + [(span[1] + 1, 0, index) for index, (span, _) in enumerate(parts)]
    )
    active: dict[int, None] = {}
    previous = 0
    for position, changes in groupby(events, key=lambda event: event[0]):
        if active:
            yield previous, position - 1, [parts[index][1] for index in active]
        for _, starts, index in changes:
            if starts:
                active[index] = None
            else:
                del active[index]
        previous = position


def volume(boxes: Iterable[Box]) -> int:
    """How many points the boxes hold, counted once a box."""
    return sum(prod(high - low + 1 for low, high in box) for box in boxes)


def disjoint(boxes: Iterable[Box]) -> bool:
    """Whether no point lies in two of the boxes (equal boxes count as two)."""
    parts = tuple(boxes)
    return volume(parts) == volume(normalize(parts))

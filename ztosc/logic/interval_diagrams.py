"""Decision diagrams over integers: sets of points in several dimensions, whose branches are intervals; equal sets are equal integers.

A *set* is a number: `FALSE` holds no point, `TRUE` every one. A dimension is its position; a point gives each a value from 0 to its
highest. Dimensions that a set does not mention are free in it.

    diagrams = IntervalDiagrams((3, 65535))
    web = diagrams.boxes((0, 1), [((1, 2), (443, 443))])
    diagrams.least(web)  # {0: 1, 1: 443}

Guarantees: hash-consed and reduced, so two sets are equal if and only if their numbers are; every result is remembered. More nodes than
`budget`, or more dimensions than recursion can follow, raise `TooLarge`. Nothing in here knows what a dimension means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby, islice, pairwise
from operator import eq, itemgetter

from ztosc.logic.diagrams import TooLarge
from ztosc.logic.intervals import Interval, Intervals

FALSE, TRUE = 0, 1
BUDGET = 40_000_000
"""Branches of all nodes together; a branch takes some 100 bytes with what is remembered of it."""
TERMINAL = 1 << 30

Operation = tuple[Callable[[int, int], int | None], dict[tuple[int, int], int]]


class IntervalDiagrams:
    """One store of diagrams; numbers of different stores have nothing to do with each other."""

    def __init__(self, highest: Iterable[int], budget: int = BUDGET) -> None:
        self.highest = list(highest)
        self.left = budget
        self._top: list[int] = [TERMINAL, TERMINAL]
        self._ends: list[tuple[int, ...]] = [(), ()]
        """Of each node the last value of every branch."""
        self._kids: list[tuple[int, ...]] = [(), ()]
        self._unique: dict[tuple[int, tuple[int, ...], tuple[int, ...]], int] = {}
        self._and: Operation = (_conjunction, {})
        self._or: Operation = (_disjunction, {})
        self._minus: Operation = (_remainder, {})

    def dimension(self, highest: int) -> int:
        """A further dimension, behind all that there are."""
        self.highest.append(highest)
        return len(self.highest) - 1

    # Sets from values

    def where(self, dimension: int, parts: Intervals) -> int:
        """The points whose value in a dimension is in the intervals, which are in normal form."""
        return self._spread(dimension, [(low, high, TRUE) for low, high in parts])

    def boxes(self, dimensions: Sequence[int], boxes: Iterable[Sequence[Interval]]) -> int:
        """The union of boxes, each with one interval for each of the dimensions, in whatever order those are given."""
        order = sorted(range(len(dimensions)), key=dimensions.__getitem__)
        turned = boxes if order == [*range(len(order))] else ([box[index] for index in order] for box in boxes)
        items = sorted(set(map(tuple, turned)))
        return self._built(tuple(sorted(dimensions)), items, {}) if items else FALSE

    def _built(self, dimensions: tuple[int, ...], items: Sequence[tuple[Interval, ...]], known: dict[object, int]) -> int:
        if not dimensions:
            return TRUE
        key = (dimensions, tuple(items))
        found = known.get(key)
        if found is None:
            runs = [(part, [item[1:] for item in group]) for part, group in groupby(items, key=itemgetter(0))]
            if any(one[0][1] >= other[0][0] for one, other in pairwise(runs)):
                runs = _cut(runs)
            found = self._spread(dimensions[0], [(*part, self._built(dimensions[1:], rests, known)) for part, rests in runs])
            known[key] = found
        return found

    def _spread(self, dimension: int, parts: Iterable[tuple[int, int, int]]) -> int:
        """A node from disjoint intervals in order, with where each leads; elsewhere it is empty."""
        ends, kids, start = [], [], 0
        for low, high, kid in parts:
            if low > start:
                ends.append(low - 1)
                kids.append(FALSE)
            ends.append(high)
            kids.append(kid)
            start = high + 1
        if start <= self.highest[dimension]:
            ends.append(self.highest[dimension])
            kids.append(FALSE)
        return self._node(dimension, ends, kids)

    # Sets of sets

    def both(self, one: int, other: int) -> int:
        """What is in both. Raises `TooLarge`, as everything that follows does."""
        return self._apply(self._and, one, other)

    def either(self, one: int, other: int) -> int:
        """What is in one of them."""
        return self._apply(self._or, one, other)

    def without(self, one: int, other: int) -> int:
        """What is in `one` and not in `other`."""
        return self._apply(self._minus, one, other)

    def all(self, sets: Iterable[int]) -> int:
        """What is in each; everything, where there is none."""
        found = TRUE
        for each in sets:
            found = self.both(found, each)
        return found

    def any(self, sets: Iterable[int]) -> int:
        """What is in some; nothing, where there is none. Halves first: many small sets are not each merged into a large one."""
        found = list(sets)
        while len(found) > 1:
            pairs = [found[index : index + 2] for index in range(0, len(found), 2)]
            found = [self.either(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
        return found[0] if found else FALSE

    def at(self, one: int, dimension: int, value: int) -> int:
        """The set with its first dimension fixed, which matters no longer. No dimension before that may matter."""
        if self._top[one] > dimension:
            return one
        if self._top[one] < dimension:
            raise ValueError("a dimension before that one matters")
        return self._kids[one][next(index for index, end in enumerate(self._ends[one]) if value <= end)]

    # Looking into a set

    def least(self, one: int) -> dict[int, int] | None:
        """The lexicographically least point, the first dimension first; dimensions that are left out are 0. `None` for `FALSE`."""
        if one == FALSE:
            return None
        found: dict[int, int] = {}
        while one != TRUE:
            index = next(index for index, kid in enumerate(self._kids[one]) if kid != FALSE)
            found[self._top[one]] = self._ends[one][index - 1] + 1 if index else 0
            one = self._kids[one][index]
        return found

    def holds(self, one: int, values: Mapping[int, int]) -> bool:
        """Whether a point is in the set; dimensions that it leaves out are 0."""
        while one > TRUE:
            value = values.get(self._top[one], 0)
            one = self._kids[one][next(index for index, end in enumerate(self._ends[one]) if value <= end)]
        return one == TRUE

    # Nodes

    def _node(self, top: int, ends: list[int], kids: list[int]) -> int:
        """A node, its neighbouring branches merged where they lead to the same."""
        if any(map(eq, kids, islice(kids, 1, None))):
            kept = [index for index in range(len(kids)) if index + 1 == len(kids) or kids[index] != kids[index + 1]]
            ends, kids = [ends[index] for index in kept], [kids[index] for index in kept]
        if len(kids) == 1:
            return kids[0]
        key = (top, tuple(ends), tuple(kids))
        node = self._unique.get(key)
        if node is None:
            self.left -= len(kids)
            if self.left < 0:
                raise TooLarge("the diagrams of a firewall outgrow their budget")
            node = self._unique[key] = len(self._top)
            self._top.append(top)
            self._ends.append(key[1])
            self._kids.append(key[2])
        return node

    def _apply(self, operation: Operation, one: int, other: int) -> int:
        try:
            return self._combined(*operation, one, other)
        except RecursionError:
            raise TooLarge("more dimensions than recursion can follow") from None

    def _combined(self, short: Callable[[int, int], int | None], known: dict[tuple[int, int], int], one: int, other: int) -> int:
        found = short(one, other)
        if found is not None:
            return found
        found = known.get((one, other))
        if found is not None:
            return found
        first, second = self._top[one], self._top[other]
        if first == second:
            ends, kids = self._merged(short, known, one, other)
        elif first < second:
            ends, kids = list(self._ends[one]), [self._combined(short, known, kid, other) for kid in self._kids[one]]
        else:
            ends, kids = list(self._ends[other]), [self._combined(short, known, one, kid) for kid in self._kids[other]]
        found = known[(one, other)] = self._node(min(first, second), ends, kids)
        return found

    def _merged(
        self, short: Callable[[int, int], int | None], known: dict[tuple[int, int], int], one: int, other: int
    ) -> tuple[list[int], list[int]]:
        """Two nodes of one dimension, run by run."""
        left, right = self._ends[one], self._ends[other]
        first, second = self._kids[one], self._kids[other]
        ends: list[int] = []
        kids: list[int] = []
        i, j, last, before = 0, 0, left[-1], -1
        while True:
            a, b, x, y = left[i], right[j], first[i], second[j]
            kid = short(x, y)
            if kid is None:
                kid = known.get((x, y))
                if kid is None:
                    kid = self._combined(short, known, x, y)
            end = a if a < b else b
            if kid == before:
                ends[-1] = end
            else:
                ends.append(end)
                kids.append(kid)
                before = kid
            if end == last:
                return ends, kids
            if a == end:
                i += 1
            if b == end:
                j += 1


def _conjunction(one: int, other: int) -> int | None:
    if one == FALSE or other == FALSE:
        return FALSE
    return one if other in (TRUE, one) else other if one == TRUE else None


def _disjunction(one: int, other: int) -> int | None:
    if one == TRUE or other == TRUE:
        return TRUE
    return one if other in (FALSE, one) else other if one == FALSE else None


def _remainder(one: int, other: int) -> int | None:
    if one in (FALSE, other) or other == TRUE:
        return FALSE
    return one if other == FALSE else None


def _cut(runs: list[tuple[Interval, list[tuple[Interval, ...]]]]) -> list[tuple[Interval, list[tuple[Interval, ...]]]]:
    """Intervals that overlap, cut where one begins or ends; over each piece stands what stands over any of them."""
    starts = [(low, 1, index) for index, ((low, _), _) in enumerate(runs)]
    events = sorted([*starts, *((high + 1, 0, index) for index, ((_, high), _) in enumerate(runs))])
    active: set[int] = set()
    found: list[tuple[Interval, list[tuple[Interval, ...]]]] = []
    for (position, begins, index), (following, _, _) in pairwise([*events, (events[-1][0], 0, 0)]):
        (active.add if begins else active.discard)(index)
        if active and following > position:
            found.append(((position, following - 1), sorted({rest for each in active for rest in runs[each][1]})))
    return found

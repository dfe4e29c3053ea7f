"""Interval diagrams against sets of points that are counted out."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ztosc.logic.diagrams import TooLarge
from ztosc.logic.interval_diagrams import FALSE, TRUE, IntervalDiagrams

HIGHEST = (2, 4, 3)
POINTS = tuple(product(*(range(high + 1) for high in HIGHEST)))


def spans(high: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, high), st.integers(0, high)).map(lambda ends: (min(ends), max(ends)))


BOXES = st.lists(st.tuples(*(spans(high) for high in HIGHEST)), max_size=6)


def held(boxes: list[tuple[tuple[int, int], ...]]) -> set[tuple[int, ...]]:
    return {each for each in POINTS if any(all(low <= x <= high for x, (low, high) in zip(each, box, strict=True)) for box in boxes)}


def points(diagrams: IntervalDiagrams, one: int) -> set[tuple[int, ...]]:
    return {each for each in POINTS if diagrams.holds(one, dict(enumerate(each)))}


@settings(max_examples=100, deadline=None)
@given(BOXES, BOXES)
def test_they_are_the_sets_that_they_stand_for(left: list[tuple[tuple[int, int], ...]], right: list[tuple[tuple[int, int], ...]]) -> None:
    d = IntervalDiagrams(HIGHEST)
    one, other = d.boxes((0, 1, 2), left), d.boxes((0, 1, 2), right)
    assert points(d, one) == held(left)
    assert points(d, d.both(one, other)) == held(left) & held(right)
    assert points(d, d.either(one, other)) == held(left) | held(right)
    assert points(d, d.without(one, other)) == held(left) - held(right)
    assert (one == other) is (held(left) == held(right)), "equal sets are equal numbers"
    least = d.least(one)
    assert least is None if not held(left) else tuple(least.get(i, 0) for i in range(3)) == min(held(left))  # type: ignore[union-attr]
    assert all(points(d, d.at(one, 0, value)) == {p for p in POINTS if (value, *p[1:]) in held(left)} for value in range(3))


@settings(max_examples=50, deadline=None)
@given(BOXES)
def test_the_order_of_the_dimensions_of_boxes_does_not_matter(found: list[tuple[tuple[int, int], ...]]) -> None:
    d = IntervalDiagrams(HIGHEST)
    assert d.boxes((0, 1, 2), found) == d.boxes((2, 0, 1), [(box[2], box[0], box[1]) for box in found])
    assert d.any(d.boxes((0, 1, 2), [box]) for box in found) == d.boxes((0, 1, 2), found)


def test_a_dimension_may_come_later_and_nothing_is_everything_or_nothing() -> None:
    d = IntervalDiagrams(HIGHEST)
    asked = d.where(d.dimension(1), ((1, 1),))
    assert d.both(asked, d.without(TRUE, asked)) == FALSE and d.either(asked, d.without(TRUE, asked)) == TRUE
    assert d.least(asked) == {3: 1} and d.all(()) == TRUE and d.any(()) == FALSE and d.boxes((0,), ()) == FALSE


def test_what_outgrows_its_budget_is_told() -> None:
    small = IntervalDiagrams((1000, 1000), budget=100)
    with pytest.raises(TooLarge):
        small.boxes((0, 1), [((n, n), (n, n)) for n in range(0, 1000, 2)])
    d = IntervalDiagrams(HIGHEST)
    with pytest.raises(ValueError, match="before"):
        d.at(d.where(0, ((1, 1),)), 1, 0)

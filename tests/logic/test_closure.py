"""Reachability by rows of bits, against the obvious."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ztosc.logic.closure import bits, closure, components, layers, reached, transpose

graphs = st.integers(0, 9).flatmap(lambda size: st.lists(st.integers(0, (1 << size) - 1), min_size=size, max_size=size))


def plain(rows: list[int]) -> list[set[int]]:
    """Warshall's algorithm."""
    found = [set(bits(row)) for row in rows]
    for middle in range(len(rows)):
        for each in found:
            if middle in each:
                each |= found[middle]
    return found


@settings(derandomize=True, database=None, max_examples=300)
@given(graphs)
def test_closure_is_what_warshall_says(rows: list[int]) -> None:
    assert [set(bits(row)) for row in closure(rows)] == plain(rows)


@settings(derandomize=True, database=None, max_examples=300)
@given(graphs)
def test_components_are_mutual_reachability_in_order(rows: list[int]) -> None:
    found, there = components(rows), plain(rows)
    assert sum(found) == (1 << len(rows)) - 1
    for position, mask in enumerate(found):
        for index in bits(mask):
            assert set(bits(mask)) == {index} | {other for other in there[index] if index in there[other]}
            assert all(any(earlier >> other & 1 for earlier in found[: position + 1]) for other in there[index])


@settings(derandomize=True, database=None, max_examples=300)
@given(graphs)
def test_layers_are_the_least_numbers_of_steps(rows: list[int]) -> None:
    if not rows:
        return
    found = layers(rows, 1)
    assert sum(found) == reached(rows, 1) == 1 | sum(1 << other for other in plain(rows)[0] - {0})
    for before, mask in pairwise(found):
        assert all(any(rows[index] >> other & 1 for index in bits(before)) for other in bits(mask))
    assert transpose(transpose(rows)) == rows


def test_a_step_to_the_first_vertex_counts() -> None:
    assert reached([0b00, 0b01], 0b10) == 0b11
    assert layers([0b00, 0b01], 0b10) == [0b10, 0b01]
    assert reached([0b010, 0b100, 0b001], 0b001, within=0b011) == 0b011

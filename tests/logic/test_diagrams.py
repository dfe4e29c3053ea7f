"""Diagrams against sets of assignments, written out."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ztosc.logic.diagrams import FALSE, TRUE, Diagrams, TooLarge

SIZES = (2, 3, 2, 4)
EVERY = list(itertools.product(*(range(size) for size in SIZES)))

literals = st.integers(0, 3).flatmap(lambda variable: st.tuples(st.just(variable), st.sets(st.integers(0, SIZES[variable] - 1))))
formulas: st.SearchStrategy[Any] = st.recursive(
    literals, lambda inner: st.tuples(st.sampled_from(["both", "either", "without"]), inner, inner), max_leaves=8
)


def built(diagrams: Diagrams, formula: Any) -> int:
    if isinstance(formula[0], str):
        made: int = getattr(diagrams, formula[0])(built(diagrams, formula[1]), built(diagrams, formula[2]))
        return made
    return diagrams.where(*formula)


def written(formula: Any) -> set[tuple[int, ...]]:
    if not isinstance(formula[0], str):
        return {each for each in EVERY if each[formula[0]] in formula[1]}
    one, other = written(formula[1]), written(formula[2])
    return {"both": one & other, "either": one | other, "without": one - other}[formula[0]]


def store() -> Diagrams:
    diagrams = Diagrams()
    for size in SIZES:
        diagrams.variable(size)
    return diagrams


@settings(derandomize=True, database=None, max_examples=300)
@given(formulas, formulas)
def test_equal_sets_are_equal_numbers(one: Any, other: Any) -> None:
    diagrams = store()
    assert (built(diagrams, one) == built(diagrams, other)) == (written(one) == written(other))
    assert diagrams.negated(built(diagrams, one)) == diagrams.without(TRUE, built(diagrams, one))


@settings(derandomize=True, database=None, max_examples=300)
@given(formulas)
def test_least_holds_and_cubes_are_those_of_the_set(formula: Any) -> None:
    diagrams = store()
    node, wanted = built(diagrams, formula), written(formula)
    least = diagrams.least(node)
    assert (None if least is None else tuple(least.get(index, 0) for index in range(4))) == min(wanted, default=None)
    assert {each for each in EVERY if diagrams.holds(node, dict(enumerate(each)))} == wanted
    listed = [
        each for cube in diagrams.cubes(node) for each in itertools.product(*(cube.get(index, range(SIZES[index])) for index in range(4)))
    ]
    assert len(listed) == len(set(listed))
    assert set(listed) == wanted


@settings(derandomize=True, database=None, max_examples=200)
@given(formulas, st.integers(0, 1))
def test_fixed_and_hidden_variables_matter_no_longer(formula: Any, value: int) -> None:
    diagrams = store()
    node, wanted = built(diagrams, formula), written(formula)
    fixed, hidden = diagrams.restrict(node, {1: value}), diagrams.exists(node, {1})
    assert 1 not in diagrams.support(fixed) | diagrams.support(hidden)
    for a, _, b, c in EVERY:
        values = {0: a, 2: b, 3: c}
        assert diagrams.holds(fixed, values) == ((a, value, b, c) in wanted)
        assert diagrams.holds(hidden, values) == any((a, each, b, c) in wanted for each in range(SIZES[1]))


@settings(derandomize=True, database=None, max_examples=200)
@given(formulas)
def test_support_is_what_membership_depends_on(formula: Any) -> None:
    diagrams = store()
    node, wanted = built(diagrams, formula), written(formula)
    matters = {
        index
        for index, size in enumerate(SIZES)
        if any(((*each[:index], value, *each[index + 1 :]) in wanted) != (each in wanted) for each in EVERY for value in range(size))
    }
    assert diagrams.support(node) == matters
    assert diagrams.implies(node, node) and diagrams.implies(FALSE, node) and diagrams.implies(node, TRUE)
    assert diagrams.implies(TRUE, node) == (wanted == set(EVERY))


def test_a_budget_ends_what_grows() -> None:
    diagrams = Diagrams(budget=24)
    for _ in range(16):
        diagrams.variable(2)
    pairs = [diagrams.both(diagrams.where(index, (1,)), diagrams.where(index + 8, (1,))) for index in range(4)]
    with pytest.raises(TooLarge):
        diagrams.any(pairs)
    assert diagrams.both(pairs[0], diagrams.where(0, (1,))) == pairs[0]
    assert FALSE not in pairs


def test_more_variables_than_recursion_follows_is_too_large() -> None:
    diagrams = Diagrams()
    chain = diagrams.all(diagrams.where(index, (1,)) for index in reversed([diagrams.variable(2) for _ in range(5000)]))
    with pytest.raises(TooLarge):
        diagrams.negated(chain)

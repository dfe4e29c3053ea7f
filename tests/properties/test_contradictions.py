"""A guard that is said to contradict itself has no values that make it true; and small guards without values are all found."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from ztosc.ir.contradictions import contradicts
from ztosc.ir.guards import evaluate
from ztosc.ir.values import AllOf, AnyOf, BoolType, Compare, Constant, CountryType, EnumType, Guard, Negation, RangeType

TYPES = {
    "user.mfa": BoolType(),
    "user.level": EnumType(values=("low", "middle", "high"), ordered=True),
    "user.risk": RangeType(low=0, high=6),
    "user.country": CountryType(),
}
VALUES = {
    "user.mfa": (True, False),
    "user.level": ("low", "middle", "high"),
    "user.risk": tuple(range(7)),
    "user.country": ("US", "US-CA", "US-NY", "DE", "FR"),
}


def compares(name: str, operators: tuple[str, ...]) -> st.SearchStrategy[Guard]:
    some = st.lists(st.sampled_from(VALUES[name]), min_size=1, max_size=2, unique=True)
    return st.builds(
        lambda operator, values: Compare(
            attribute=name, operator=operator, operand=Constant(values=tuple(values if operator == "in" else values[:1]))
        ),
        st.sampled_from(operators),
        some,
    )


ATOMS = st.one_of(
    compares("user.mfa", ("==", "!=")),
    compares("user.level", ("==", "!=", "<", "<=", ">", ">=", "in")),
    compares("user.risk", ("==", "!=", "<", "<=", ">", ">=", "in")),
    compares("user.country", ("==", "!=", "in")),
)
GUARDS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda parts: AllOf(parts=tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: AnyOf(parts=tuple(parts)), st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: Negation(part=part), inner),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(GUARDS)
def test_it_is_what_trying_all_values_says(guard: Guard) -> None:
    names = sorted(VALUES)
    known = {**VALUES, "user.country": (*VALUES["user.country"], "ZZ")}
    tried = (dict(zip(names, values, strict=True)) for values in product(*(known[name] for name in names)))
    satisfiable = any(evaluate(guard, values, TYPES, 0) is True for values in tried)
    assert contradicts(guard, TYPES) == (not satisfiable)

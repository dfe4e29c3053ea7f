"""Decision diagrams over variables with finite domains: sets of assignments as integers, equal sets as equal integers.

A *set* is a number: `FALSE` holds no assignment, `TRUE` every one. Variables are numbered in the order in which they are declared, and
that is their order in the diagrams; the values of one are 0, 1, … size-1.

    diagrams = Diagrams()
    red, size = diagrams.variable(2), diagrams.variable(3)
    either = diagrams.either(diagrams.where(red, (1,)), diagrams.where(size, (0, 2)))
    diagrams.least(either)                 # {}: every variable that is not named is 0
    list(diagrams.cubes(either))           # disjoint: ({0: (0,), 1: (0, 2)}, {0: (1,)})

Guarantees: hash-consed and reduced, so two sets are equal if and only if their numbers are; every result is remembered. More nodes than
`budget`, or more variables than recursion can follow, raise `TooLarge`; whatever was made before stays good. Nothing in here knows what
a variable means.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

FALSE, TRUE = 0, 1
BUDGET = 200_000
"""Nodes; one takes some 200 bytes with what is remembered of it."""
TERMINAL = 1 << 60
"""The variable of `FALSE` and `TRUE`: behind all others."""


_Make = Callable[[int, tuple[int, ...]], int]


class TooLarge(Exception):
    """A diagram that outgrew its budget."""


class Diagrams:
    """One store of diagrams; numbers of different stores have nothing to do with each other."""

    def __init__(self, budget: int = BUDGET) -> None:
        self.budget = budget
        self.sizes: list[int] = []
        self._top: list[int] = [TERMINAL, TERMINAL]
        self._kids: list[tuple[int, ...]] = [(), ()]
        self._unique: dict[tuple[int, tuple[int, ...]], int] = {}
        self._conjunctions: dict[tuple[int, int], int] = {}
        self._negations: dict[int, int] = {FALSE: TRUE, TRUE: FALSE}

    def __len__(self) -> int:
        return len(self._top)

    def variable(self, size: int) -> int:
        """A further variable with that many values, behind all that there are."""
        self.sizes.append(size)
        return len(self.sizes) - 1

    def where(self, variable: int, values: Collection[int]) -> int:
        """The assignments that give the variable one of the values."""
        return self._node(variable, tuple(TRUE if value in values else FALSE for value in range(self.sizes[variable])))

    # Sets of sets

    def both(self, one: int, other: int) -> int:
        """What is in both. Raises `TooLarge`, as everything that follows does."""
        try:
            return self._both(one, other)
        except RecursionError:
            raise TooLarge("more variables than recursion can follow") from None

    def either(self, one: int, other: int) -> int:
        """What is in one of them."""
        if one == other or other == FALSE:
            return one
        if one == FALSE:
            return other
        return self.negated(self.both(self.negated(one), self.negated(other)))

    def without(self, one: int, other: int) -> int:
        """What is in `one` and not in `other`."""
        return one if other == FALSE else self.both(one, self.negated(other))

    def negated(self, one: int) -> int:
        """What is not in it."""
        try:
            return self._negated(one)
        except RecursionError:
            raise TooLarge("more variables than recursion can follow") from None

    def implies(self, one: int, other: int) -> bool:
        """Whether everything in `one` is in `other`."""
        return self.without(one, other) == FALSE

    def all(self, sets: Iterable[int]) -> int:
        """What is in each; everything, where there is none."""
        found = TRUE
        for each in sets:
            found = self.both(found, each)
            if found == FALSE:
                break
        return found

    def any(self, sets: Iterable[int]) -> int:
        """What is in some; nothing, where there is none."""
        found = FALSE
        for each in sets:
            found = self.either(found, each)
            if found == TRUE:
                break
        return found

    def restrict(self, one: int, values: Mapping[int, int]) -> int:
        """The set with some variables fixed; they matter no longer."""
        return self._rebuilt(one, lambda top, kids: kids[values[top]] if top in values else self._node(top, kids))

    def exists(self, one: int, variables: Collection[int]) -> int:
        """What is in the set for some values of these variables; they matter no longer."""
        return self._rebuilt(one, lambda top, kids: self.any(kids) if top in variables else self._node(top, kids))

    # Looking into a set

    def least(self, one: int) -> dict[int, int] | None:
        """The lexicographically least assignment, the first variable first; variables that are left out are 0. `None` for `FALSE`."""
        if one == FALSE:
            return None
        found: dict[int, int] = {}
        while one != TRUE:
            kids = self._kids[one]
            value = next(index for index, kid in enumerate(kids) if kid != FALSE)
            if value:
                found[self._top[one]] = value
            one = kids[value]
        return found

    def holds(self, one: int, values: Mapping[int, int]) -> bool:
        """Whether an assignment is in the set; variables that it leaves out are 0."""
        while one > TRUE:
            one = self._kids[one][values.get(self._top[one], 0)]
        return one == TRUE

    def support(self, one: int) -> frozenset[int]:
        """The variables that matter."""
        seen: set[int] = set()
        pending = [one]
        while pending:
            node = pending.pop()
            if node > TRUE and node not in seen:
                seen.add(node)
                pending.extend(self._kids[node])
        return frozenset(self._top[node] for node in seen)

    def cubes(self, one: int) -> Iterator[dict[int, tuple[int, ...]]]:
        """The set as disjoint products, least first: for each variable that matters there the values it may take, the others being free.

        Their number can be exponential in the diagram: take as many as are wanted.
        """
        pending: list[tuple[int, dict[int, tuple[int, ...]]]] = [(one, {})]
        while pending:
            node, taken = pending.pop()
            if node == TRUE:
                yield taken
            elif node != FALSE:
                ways: dict[int, list[int]] = {}
                for value, kid in enumerate(self._kids[node]):
                    ways.setdefault(kid, []).append(value)
                pending += [(kid, {**taken, self._top[node]: tuple(values)}) for kid, values in reversed(ways.items())]

    # Nodes

    def _node(self, top: int, kids: tuple[int, ...]) -> int:
        if kids.count(kids[0]) == len(kids):
            return kids[0]
        key = (top, kids)
        node = self._unique.get(key)
        if node is None:
            node = len(self._top)
            if node >= self.budget:
                raise TooLarge(f"a diagram has more than {self.budget} nodes")
            self._unique[key] = node
            self._top.append(top)
            self._kids.append(kids)
        return node

    def _both(self, one: int, other: int) -> int:
        if one == other or other == TRUE:
            return one
        if one == TRUE:
            return other
        if one == FALSE or other == FALSE:
            return FALSE
        key = (one, other) if one < other else (other, one)
        found = self._conjunctions.get(key)
        if found is None:
            first, second = self._top[one], self._top[other]
            if first == second:
                pairs = zip(self._kids[one], self._kids[other], strict=True)
                found = self._node(first, tuple([self._both(a, b) for a, b in pairs]))
            elif first < second:
                found = self._node(first, tuple([self._both(kid, other) for kid in self._kids[one]]))
            else:
                found = self._node(second, tuple([self._both(one, kid) for kid in self._kids[other]]))
            self._conjunctions[key] = found
        return found

    def _negated(self, one: int) -> int:
        found = self._negations.get(one)
        if found is None:
            found = self._node(self._top[one], tuple([self._negated(kid) for kid in self._kids[one]]))
            self._negations[one] = found
            self._negations[found] = one
        return found

    def _rebuilt(self, one: int, make: _Make) -> int:
        """The set with each of its nodes made anew, from below."""
        made = {FALSE: FALSE, TRUE: TRUE}
        pending = [one]
        while pending:
            node = pending[-1]
            missing = [kid for kid in self._kids[node] if kid not in made] if node not in made else []
            if missing:
                pending += missing
                continue
            if node not in made:
                made[node] = make(self._top[node], tuple(made[kid] for kid in self._kids[node]))
            pending.pop()
        return made[one]

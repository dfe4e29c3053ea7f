"""Directed graphs as rows of bits: bit j of `rows[i]` says that an edge leads from i to j.

    rows = (0b010, 0b100, 0b000)           # 0 → 1 → 2
    closure(rows)                          # [0b110, 0b100, 0b000]: what one or more steps lead to
    reached(rows, 0b001)                   # 0b111: what any number of steps leads to, none included
    layers(rows, 0b001)                    # [0b001, 0b010, 0b100]: by the least number of steps

Guarantees: exact; near to linear in edges for sparse graphs, because strongly connected components are closed as one and a row that is
already covered is not looked at again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

Rows = Sequence[int]


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits that are set, ascending."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def transpose(rows: Rows) -> list[int]:
    """The same edges, backwards."""
    found = [0] * len(rows)
    for index, row in enumerate(rows):
        mark = 1 << index
        for other in bits(row):
            found[other] |= mark
    return found


def reached(rows: Rows, start: int, within: int = -1) -> int:
    """Everything that any number of steps leads to from the bits of `start`, themselves included; steps only to what is in `within`."""
    found = start
    fresh = start
    while fresh:
        found, fresh = _further(rows, found, fresh, within)
    return found


def layers(rows: Rows, start: int, within: int = -1) -> list[int]:
    """What is reached, by the least number of steps: first `start`, then what one step leads to from there, and so on."""
    found = fresh = start
    result = []
    while fresh:
        result.append(fresh)
        found, fresh = _further(rows, found, fresh, within)
    return result


def _further(rows: Rows, found: int, fresh: int, within: int) -> tuple[int, int]:
    there = 0
    for index in bits(fresh):
        there |= rows[index]
    there &= within & ~found
    return found | there, there


def components(rows: Rows, back: Rows | None = None) -> list[int]:
    """The strongly connected components as masks; each comes after all those that it leads to. `back` is the transpose, if at hand."""
    back = transpose(rows) if back is None else back
    left = (1 << len(rows)) - 1
    found: list[int] = []
    for root in reversed(_finished(back)):
        if left >> root & 1:
            mask = reached(rows, 1 << root, left)
            found.append(mask)
            left &= ~mask
    return found


def _finished(rows: Rows) -> list[int]:
    """Every vertex, after all those that a search in depth came to from it."""
    left = (1 << len(rows)) - 1
    order: list[int] = []
    while left:
        stack = [left.bit_length() - 1]
        left ^= 1 << stack[0]
        while stack:
            ahead = rows[stack[-1]] & left
            if ahead:
                stack.append(ahead.bit_length() - 1)
                left ^= 1 << stack[-1]
            else:
                order.append(stack.pop())
    return order


def closure(rows: Rows, back: Rows | None = None) -> list[int]:
    """For each vertex what one or more steps lead to. `back` is the transpose, if it is at hand."""
    result = [0] * len(rows)
    for mask in components(rows, back):
        members = list(bits(mask))
        direct = 0
        for index in members:
            direct |= rows[index]
        there = mask if direct & mask else 0
        ahead = direct & ~mask
        while ahead:
            low = ahead & -ahead
            there |= low | result[low.bit_length() - 1]
            ahead &= ~there
        for index in members:
            result[index] = there
    return result

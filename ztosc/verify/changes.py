"""What an edit changed, of a network in memory: which rules went and came, and whether anything else did.

Guarantees: all other rules are the same objects, in the same order, before and after; where anything but rules and claims differs there
is no `Edit`, and everything has to be looked at again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress, count, islice
from operator import is_not

from ztosc.ir.evaluate import ByTarget
from ztosc.ir.intent import Intent, Rule
from ztosc.ir.network import Network

CLAIMS = frozenset({"rules", "assertions", "tests", "profiles", "compliance", "waivers", "inventory", "public_keys"})
"""What of an intent answers to questions about flows do not depend on; rules are looked at one by one."""
NUMBERS = frozenset({"intent", "zones", "generation"})


@dataclass(frozen=True)
class Shift:
    """Where the rules that stayed are now."""

    gone: tuple[int, ...]
    """The positions, before, of those that went, ascending."""
    placed: tuple[int, ...]
    """The positions, now, of those that came, ascending."""
    named: dict[tuple[str, str], list[int]]
    """The latter by target."""

    def moved(self, name: tuple[str, str], positions: Sequence[int]) -> list[int]:
        """The positions of the rules that name a target, from those before."""
        stayed = [self._now(each) for each in positions if not self._went(each)]
        return sorted([*stayed, *self.named.get(name, ())])

    def _went(self, position: int) -> bool:
        index = bisect_left(self.gone, position)
        return index < len(self.gone) and self.gone[index] == position

    def _now(self, position: int) -> int:
        rank = position - bisect_left(self.gone, position)
        return rank + bisect_left(range(len(self.placed)), rank + 1, key=lambda index: self.placed[index] - index)


class Moved:
    """The positions of rules by target, moved along with one edit after another when they are asked for."""

    def __init__(self, known: ByTarget) -> None:
        self.known = known
        self.shifts: list[Shift] = []
        self._found: dict[tuple[str, str], tuple[int, Sequence[int]]] = {}

    def get(self, name: tuple[str, str], default: tuple[()], /) -> Sequence[int]:
        """As of a dictionary."""
        age, positions = self._found.get(name) or (0, self.known.get(name, default))
        for shift in self.shifts[age:]:
            positions = shift.moved(name, positions)
        self._found[name] = len(self.shifts), positions
        return positions


@dataclass(frozen=True)
class Edit:
    """The rules that went and those that came."""

    network: Network
    before: tuple[Rule, ...]
    after: tuple[Rule, ...]
    shift: Shift

    def by_target(self, known: ByTarget) -> Moved:
        """The positions of rules by target (`Policy.by_target`), moved along."""
        moved = known if isinstance(known, Moved) else Moved(known)
        moved.shifts.append(self.shift)
        return moved


def edit(old: Network, new: Network) -> Edit | None:
    """What changed between two networks; `None` where it is more than rules and claims."""
    if not _alike(old, new, NUMBERS) or not _alike(old.intent, new.intent, CLAIMS):
        return None
    before, after = old.intent.rules, new.intent.rules
    most = min(len(before), len(after))
    first = _first(before, after, most)
    tail = _first(reversed(before), reversed(after), most - first)
    were, are = ([*map(id, rules[first : len(rules) - tail])] for rules in (before, after))
    stayed = _stayed(were, are)
    gone, placed = (tuple(compress(count(first), map((set(ids) - stayed).__contains__, ids))) for ids in (were, are))
    named: dict[tuple[str, str], list[int]] = {}
    for position in placed:
        for ref in after[position].targets:
            named.setdefault((ref.kind, ref.name), []).append(position)
    return Edit(new, tuple(before[each] for each in gone), tuple(after[each] for each in placed), Shift(gone, placed, named))


def _first(some: Iterable[Rule], others: Iterable[Rule], most: int) -> int:
    """The first position, of so many, at which two are not the same object."""
    return next(compress(count(), map(is_not, islice(some, most), others)), most)


def _stayed(were: list[int], are: list[int]) -> set[int]:
    """Which rules, by their ids, are in both; none where their order changed or one stands there twice, which makes every rule another."""
    both = set(were).intersection(are)
    some, others = (list(filter(both.__contains__, ids)) for ids in (were, are))
    return both if len(some) == len(both) and some == others else set()


def _alike(old: Network | Intent, new: Network | Intent, apart: frozenset[str]) -> bool:
    names = [name for name in type(old).model_fields if name not in apart]
    return all(getattr(old, name) is getattr(new, name) or getattr(old, name) == getattr(new, name) for name in names)

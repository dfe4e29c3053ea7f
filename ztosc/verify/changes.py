"""What an edit changed, of a network in memory: which rules went and came, and whether anything else did.

Guarantees: all other rules are the same objects, in the same order, before and after; where anything but rules and claims differs there
is no `Edit`, and everything has to be looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ztosc.ir.intent import Intent, Rule
from ztosc.ir.network import Network

CLAIMS = frozenset({"rules", "assertions", "tests", "profiles", "compliance", "waivers", "inventory", "public_keys"})
"""What of an intent answers to questions about flows do not depend on; rules are looked at one by one."""
NUMBERS = frozenset({"intent", "zones", "generation"})


@dataclass(frozen=True)
class Edit:
    """The rules that went and those that came; everything that changed lies from `first` on, and before `last` as positions were."""

    network: Network
    before: tuple[Rule, ...]
    after: tuple[Rule, ...]
    first: int
    last: int
    moved: Mapping[int, int]
    """By position before, the one that a rule in between has now."""
    placed: tuple[int, ...]
    """The positions of those that came."""

    def by_target(self, known: Mapping[tuple[str, str], list[int]]) -> dict[tuple[str, str], list[int]]:
        """The positions of rules by target (`Policy.by_target`), moved along."""
        found = dict(known)
        for name, positions in known.items():
            if positions[-1] >= self.first:
                found[name] = [place for each in positions if (place := self._place(each)) >= 0]
        for position, rule in zip(self.placed, self.after, strict=True):
            for ref in rule.targets:
                name = (ref.kind, ref.name)
                found[name] = sorted([*found.get(name, ()), position])
        return {name: positions for name, positions in found.items() if positions}

    def _place(self, position: int) -> int:
        if position < self.first:
            return position
        return self.moved.get(position, -1) if position < self.last else position + len(self.after) - len(self.before)


def edit(old: Network, new: Network) -> Edit | None:
    """What changed between two networks; `None` where it is more than rules and claims."""
    if not _alike(old, new, NUMBERS) or not _alike(old.intent, new.intent, CLAIMS):
        return None
    before, after = old.intent.rules, new.intent.rules
    most = min(len(before), len(after))
    first = next((index for index in range(most) if before[index] is not after[index]), most)
    tail = next((index for index in range(most - first) if before[-1 - index] is not after[-1 - index]), most - first)
    were, are = before[first : len(before) - tail], after[first : len(after) - tail]
    stayed = _stayed(were, are)
    places = {id(rule): position for position, rule in enumerate(are, first) if id(rule) in stayed}
    placed = tuple(position for position, rule in enumerate(are, first) if id(rule) not in stayed)
    return Edit(
        network=new,
        before=tuple(rule for rule in were if id(rule) not in stayed),
        after=tuple(after[position] for position in placed),
        first=first,
        last=len(before) - tail,
        moved={position: places[id(rule)] for position, rule in enumerate(were, first) if id(rule) in stayed},
        placed=placed,
    )


def _stayed(were: tuple[Rule, ...], are: tuple[Rule, ...]) -> set[int]:
    """Which rules are in both, by their ids; none where their order changed or one stands there twice, which makes every rule another."""
    known = set(map(id, were))
    both = known & set(map(id, are))
    some, others = ([rule for rule in each if id(rule) in both] for each in (were, are))
    return both if len(some) == len(others) == len(both) and _in_order(some, others) else set()


def _in_order(some: Iterable[Rule], others: Iterable[Rule]) -> bool:
    return all(one is other for one, other in zip(some, others, strict=True))


def _alike(old: Network | Intent, new: Network | Intent, apart: frozenset[str]) -> bool:
    names = [name for name in type(old).model_fields if name not in apart]
    return all(getattr(old, name) is getattr(new, name) or getattr(old, name) == getattr(new, name) for name in names)

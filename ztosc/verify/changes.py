"""What an edit changed, of a network in memory: one run of rules, and whether anything else did.

Guarantees: rules outside the run are the same objects, in the same order, before and after; where anything but rules and claims differs
there is no `Edit`, and everything has to be looked at again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ztosc.ir.intent import Intent, Rule
from ztosc.ir.network import Network

CLAIMS = frozenset({"rules", "assertions", "tests", "profiles", "compliance", "waivers", "inventory", "public_keys"})
"""What of an intent answers to questions about flows do not depend on; rules are looked at one by one."""
NUMBERS = frozenset({"intent", "zones", "generation"})


@dataclass(frozen=True)
class Edit:
    """The rules from `first` on that were there before, and those that stand there now."""

    network: Network
    first: int
    before: tuple[Rule, ...]
    after: tuple[Rule, ...]

    def by_target(self, known: Mapping[tuple[str, str], list[int]]) -> dict[tuple[str, str], list[int]]:
        """The positions of rules by target (`Policy.by_target`), moved along."""
        last, shift = self.first + len(self.before), len(self.after) - len(self.before)
        found = dict(known)
        if shift:
            for name, positions in known.items():
                if positions[-1] >= last:
                    found[name] = [each + shift if each >= last else each for each in positions]
        for name in {(ref.kind, ref.name) for rule in self.before for ref in rule.targets}:
            kept = [each for each in known.get(name, ()) if not self.first <= each < last]
            found[name] = [each + shift if each >= last else each for each in kept]
        for position, rule in enumerate(self.after, self.first):
            for ref in rule.targets:
                name = (ref.kind, ref.name)
                found[name] = sorted([*found.get(name, ()), position])
        return {name: positions for name, positions in found.items() if positions}


def edit(old: Network, new: Network) -> Edit | None:
    """What changed between two networks; `None` where it is more than rules and claims."""
    if not _alike(old, new, NUMBERS) or not _alike(old.intent, new.intent, CLAIMS):
        return None
    before, after = old.intent.rules, new.intent.rules
    most = min(len(before), len(after))
    first = next((index for index in range(most) if before[index] is not after[index]), most)
    tail = next((index for index in range(most - first) if before[-1 - index] is not after[-1 - index]), most - first)
    return Edit(new, first, before[first : len(before) - tail], after[first : len(after) - tail])


def _alike(old: Network | Intent, new: Network | Intent, apart: frozenset[str]) -> bool:
    names = [name for name in type(old).model_fields if name not in apart]
    return all(getattr(old, name) is getattr(new, name) or getattr(old, name) == getattr(new, name) for name in names)

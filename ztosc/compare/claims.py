"""Assertions and tests that the old revision has: kept, said otherwise and no less, or lost.

Guarantees: an assertion is kept only if assertions of the new revision say at least as much, thing by thing: fewer exceptions, the same or
more failures, the same or fewer places. What is judged is what is written; whether it holds, the verifier says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ztosc.compare.model import Guarantee
from ztosc.ir.acceptance import Topic
from ztosc.ir.assertions import Assertion, Isolated, NeverFlowsDown, NeverReaches, OnlyReach, Reaches, StaysWithin, Test
from ztosc.ir.base import canonical
from ztosc.ir.intent import Intent
from ztosc.ir.values import Ref

Atom = tuple[tuple[str, str], tuple[str, str]]
NOTHING = ("", "")


def assertions_lost(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Assertions of the old revision of which the new one says less, or nothing."""
    for claim in old.assertions:
        if kept(claim, new.assertions):
            continue
        nearest = next((each for each in new.assertions if _is_like(claim, each)), None)
        yield Guarantee(
            topic=Topic(kind="assert", name=" ".join(claim.statement.split())),
            loss="weakened" if nearest else "removed",
            text=f"`assert {claim.statement}` says less than it did" if nearest else f"`assert {claim.statement}` is gone",
            before=claim.statement,
            after=nearest.statement if nearest else "",
            old=claim.origin,
            new=nearest.origin if nearest else None,
        )


def kept(claim: Assertion, among: Iterable[Assertion]) -> bool:
    """Whether assertions say together at least what one says."""
    among = tuple(among)
    return all(any(_says(each, claim, atom) for each in among) for atom in _atoms(claim))


def _key(ref: Ref) -> tuple[str, str]:
    return ref.kind, ref.name


def _keys(refs: Iterable[Ref]) -> frozenset[tuple[str, str]]:
    return frozenset(_key(ref) for ref in refs)


def _atoms(claim: Assertion) -> list[Atom]:
    """The pairs of ends that an assertion speaks of."""
    match claim:
        case NeverReaches() | Isolated() | Reaches():
            return [(_key(one), _key(other)) for one in claim.subjects for other in claim.targets]
        case OnlyReach():
            return [(NOTHING, _key(other)) for other in claim.targets]
        case _:
            return [(NOTHING, NOTHING)]


def _says(new: Assertion, old: Assertion, atom: Atom) -> bool:
    """Whether one assertion says of two ends what another said of them."""
    subject, target = atom
    match old, new:
        case (NeverReaches(), NeverReaches()):
            return subject in _keys(new.subjects) and target in _keys(new.targets)
        case (NeverReaches(), Isolated()):
            return subject in _keys(new.subjects) and target in _keys(new.targets) and not new.through
        case (Isolated(), Isolated()):
            return subject in _keys(new.subjects) and target in _keys(new.targets) and _keys(new.through) <= _keys(old.through)
        case (OnlyReach(), OnlyReach()):
            return target in _keys(new.targets) and _keys(new.subjects) <= _keys(old.subjects)
        case (Reaches(), Reaches()):
            fails = old.failures == 0 or new.failing in (old.failing, "any")
            return subject in _keys(new.subjects) and target in _keys(new.targets) and new.failures >= old.failures and fails
        case (StaysWithin(), StaysWithin()):
            return new.label == old.label and all(old.jurisdiction.holds(country) for country in new.jurisdiction.countries)
        case (NeverFlowsDown(), NeverFlowsDown()):
            return new.label == old.label and _keys(new.through) <= _keys(old.through)
        case _:
            return False


def _is_like(old: Assertion, new: Assertion) -> bool:
    """Whether an assertion looks like what became of another."""
    if old.kind != new.kind:
        return False
    if isinstance(old, StaysWithin | NeverFlowsDown):
        return getattr(new, "label", "") == old.label
    one, other = (_keys(each.targets) for each in (old, new) if not isinstance(each, StaysWithin | NeverFlowsDown))
    if isinstance(old, OnlyReach):
        return bool(one & other)
    subjects = [_keys(each.subjects) for each in (old, new) if not isinstance(each, StaysWithin | NeverFlowsDown)]
    return bool(one & other) and bool(subjects[0] & subjects[1])


def tests_lost(old: Intent, new: Intent) -> Iterator[Guarantee]:
    """Tests of the old revision that are gone, or expect something else; one that says more under the same name is kept."""
    there = {_meaning(test) for test in new.tests}
    named = {test.name: test for test in new.tests}
    for test in old.tests:
        other = named.get(test.name)
        if _meaning(test) in there or (other is not None and _covers(other, test)):
            continue
        yield Guarantee(
            topic=Topic(kind="test", name=" ".join(test.name.split())),
            loss="changed" if other else "removed",
            text=f"test `{test.name}` {'asks something else' if other else 'is gone'}",
            old=test.origin,
            new=other.origin if other else None,
        )


def _meaning(test: Test) -> bytes:
    return canonical(test.model_copy(update={"name": ""}))


def _covers(new: Test, old: Test) -> bool:
    """Whether a test asks at least what another asked, in the same situation."""
    same = canonical(new.given) == canonical(old.given)
    return same and {canonical(each) for each in old.expects} <= {canonical(each) for each in new.expects}

"""Claims that say less than they seem to: what they speak of is nowhere in the network, so they hold whatever the rules are.

Guarantees: a claim is reported only where a name in it stands for no place at all, or a group in it for nothing; judged from declarations,
without deciding any flow. A claim that something *reaches* something is refuted then, and not reported here.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.diagnostics import Diagnostic, Severity
from ztosc.ir.assertions import Assertion, Isolated, NeverFlowsDown, NeverReaches, OnlyReach, StaysWithin
from ztosc.ir.evaluate import Policy
from ztosc.ir.values import Ref
from ztosc.verify import words
from ztosc.verify.scope import segments_of
from ztosc.verify.stays_within import DIRECTORY_LABEL


def find(policy: Policy) -> Iterator[Diagnostic]:
    """Claims of which a side, or a name on a side, is nowhere."""
    for claim in policy.intent.assertions:
        sides = tuple(_sides(claim))
        nowhere = tuple(dict.fromkeys(ref for side in sides for ref in side if not _stands(policy, ref)))
        void = any(all(ref in nowhere for ref in side) for side in sides)
        if void or nowhere:
            what = words.names(nowhere)
            says = "holds whatever the rules are" if void else f"says nothing of {'it' if len(nowhere) == 1 else 'them'}"
            yield Diagnostic(
                "ZT451",
                f"this claim {says}: {what} {'is' if len(nowhere) < 2 else 'are'} nowhere in the network",
                claim.origin,
                help="name what is meant, give it a place, or delete the claim",
                severity=Severity.WARNING,
            )


def _sides(claim: Assertion) -> Iterator[tuple[Ref, ...]]:
    """What a claim speaks of: where any of these is nowhere as a whole it says nothing."""
    match claim:
        case NeverReaches() | Isolated():
            yield from (claim.subjects, claim.targets)
        case OnlyReach():
            yield claim.targets
        case StaysWithin() | NeverFlowsDown():
            at_rest = isinstance(claim, StaysWithin) and claim.label.split(".")[-1] == DIRECTORY_LABEL  # in the directory
            yield from () if at_rest else ((Ref(kind="label", name=claim.label),),)


def _stands(policy: Policy, ref: Ref) -> bool:
    return ref.kind in ("external", "system") or bool(segments_of(policy, ref))

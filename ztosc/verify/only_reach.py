"""`only A, B reach C`: every initiator outside C is one of A, B.

Guarantees: every segment and external is tried as a start, with every kind of initiator; one who is A and something else besides is
still A. *Outside* a service is everything that is not an endpoint of it, its own segment's other hosts included.
"""

from __future__ import annotations

from ztosc.ir.assertions import OnlyReach
from ztosc.ir.verdict import Verdict
from ztosc.verify import words
from ztosc.verify.outcome import refuted, unless_observed
from ztosc.verify.questions import Limits, Questions
from ztosc.verify.scope import destinations


def check(explorer: Questions, claim: OnlyReach) -> Verdict:
    """The verdict on one claim. Raises `Undecided`."""
    who, what = words.names(claim.subjects), words.names(claim.targets)
    for target in claim.targets:
        limits = Limits(outside=(*claim.subjects, target))
        for end in destinations(explorer.policy, target):
            flow = explorer.first(explorer.anywhere, [end], limits)
            if flow is not None:
                hop = words.hop(explorer, flow)
                return refuted(claim, f"not only {who} can reach {what}: {hop.text}", [hop])
    ends = [end for target in claim.targets for end in destinations(explorer.policy, target)]
    return unless_observed(claim, explorer.policy, ends, f"whoever reaches {what} from outside is one of {who}")

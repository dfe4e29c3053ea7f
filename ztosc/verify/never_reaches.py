"""`A never reaches B`: no flow from A may be initiated to B.

Guarantees: every start of A, end of B, port, instant from `at` on, value of every attribute (absent included), and every further role
that a member of A may hold is considered. Reaching a role or a device class means reaching any segment it can be in.
"""

from __future__ import annotations

from ztosc.ir.assertions import NeverReaches
from ztosc.ir.verdict import Verdict
from ztosc.verify import words
from ztosc.verify.outcome import refuted, unless_observed
from ztosc.verify.questions import Questions
from ztosc.verify.scope import destinations, starts


def check(explorer: Questions, claim: NeverReaches) -> Verdict:
    """The verdict on one claim. Raises `Undecided`, `Unsupported`."""
    begin = [start for ref in claim.subjects for start in starts(explorer.policy, ref)]
    ends = [end for ref in claim.targets for end in destinations(explorer.policy, ref)]
    flow = explorer.first(begin, ends)
    if flow is not None:
        hop = words.hop(explorer, flow)
        return refuted(claim, f"{words.names(claim.subjects)} can reach {words.names(claim.targets)}: {hop.text}", [hop])
    places = [*(start.place for start in begin), *ends]
    reason = f"no flow from {words.names(claim.subjects)} to {words.names(claim.targets)} is ever allowed"
    return unless_observed(claim, explorer.policy, places, reason)

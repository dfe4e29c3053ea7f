"""One assertion to its verdict, by whichever engine answers the questions.

Guarantees: what cannot be expressed is `unsupported`, what was not decided within its budget `unknown`, and neither is ever `proved`.
"""

from __future__ import annotations

from ztosc.ir.assertions import Assertion, Isolated, NeverFlowsDown, NeverReaches, OnlyReach, Reaches, StaysWithin
from ztosc.ir.verdict import Verdict
from ztosc.verify import isolated, never_flows_down, never_reaches, only_reach, reaches, stays_within
from ztosc.verify.outcome import verdict
from ztosc.verify.questions import Questions
from ztosc.verify.scope import Undecided, Unsupported


def judge(explorer: Questions, claim: Assertion) -> Verdict:
    """The verdict on one assertion."""
    try:
        return _check(explorer, claim)
    except Unsupported as missing:
        return verdict(claim, "unsupported", str(missing))
    except Undecided as limit:
        return verdict(claim, "unknown", str(limit))


def _check(explorer: Questions, claim: Assertion) -> Verdict:
    match claim:
        case NeverReaches():
            return never_reaches.check(explorer, claim)
        case Isolated():
            return isolated.check(explorer, claim)
        case OnlyReach():
            return only_reach.check(explorer, claim)
        case Reaches():
            return reaches.check(explorer, claim)
        case StaysWithin():
            return stays_within.check(explorer, claim)
        case NeverFlowsDown():
            return never_flows_down.check(explorer, claim)

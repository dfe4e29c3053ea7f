"""`verify` by the reference: what the engine is measured against. The same properties, each question asked of the solver by itself."""

from __future__ import annotations

from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.verify.explorer import Explorer
from ztosc.verify.judging import judge
from ztosc.verify.symbolic import RLIMIT


def verify(network: Network, *, rlimit: int = RLIMIT) -> tuple[Verdict, ...]:
    """The verdicts on all assertions, in the order of their origins."""
    explorer = Explorer(network, rlimit)
    return tuple(judge(explorer, claim) for claim in sorted(network.intent.assertions, key=lambda claim: claim.origin))

"""`verify`: every assertion of a network to its verdict.

Guarantees: one verdict for each assertion, in the order of their origins; what cannot be expressed is `unsupported`, what was not decided
within its budget `unknown`, and neither is ever `proved`. The same network gives the same verdicts and witnesses on every machine.
"""

from __future__ import annotations

from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.verify.session import Progress, Session
from ztosc.verify.symbolic import RLIMIT


def verify(network: Network, progress: Progress | None = None, *, rlimit: int = RLIMIT) -> tuple[Verdict, ...]:
    """The verdicts on all assertions, and on what the profiles ask that the network complies with.

    `rlimit` bounds each check of the solver, in its own steps.
    """
    return Session(network, progress, rlimit=rlimit).verdicts

"""`verify`: every assertion of a network to its verdict.

Guarantees: one verdict for each assertion, in the order of their origins; what cannot be expressed is `unsupported`, what was not decided
within its budget `unknown`, and neither is ever `proved`. The same network gives the same verdicts and witnesses on every machine.
"""

from __future__ import annotations

from collections.abc import Callable

from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.verify.controls import controls
from ztosc.verify.explorer import Explorer
from ztosc.verify.judging import judge
from ztosc.verify.symbolic import RLIMIT

Progress = Callable[[int, int, str], None]
"""Called before each assertion with how many are done, how many there are, and its statement."""


def verify(network: Network, progress: Progress | None = None, *, rlimit: int = RLIMIT) -> tuple[Verdict, ...]:
    """The verdicts on all assertions, and on what the profiles ask that the network complies with.

    `rlimit` bounds each check of the solver, in its own steps.
    """
    explorer = Explorer(network, rlimit)
    claims = sorted(network.intent.assertions, key=lambda claim: claim.origin)
    verdicts: list[Verdict] = []
    for claim in claims:
        if progress:
            progress(len(verdicts), len(claims), claim.statement)
        verdicts.append(judge(explorer, claim))
    return (*verdicts, *controls(network.intent))

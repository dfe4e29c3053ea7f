"""`verify`: every assertion of a network to its verdict.

Guarantees: one verdict for each assertion, in the order of their origins; what cannot be expressed is `unsupported`, what was not decided
within its budget `unknown`, and neither is ever `proved`. The same network gives the same verdicts and witnesses on every machine.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from ztosc.ir.assertions import Assertion
from ztosc.ir.network import Network
from ztosc.ir.verdict import Verdict
from ztosc.verify.answers import Question
from ztosc.verify.confirm import confirmed
from ztosc.verify.controls import controls
from ztosc.verify.finder import Finder
from ztosc.verify.judging import judge
from ztosc.verify.outcome import verdict
from ztosc.verify.symbolic import RLIMIT

Progress = Callable[[int, int, str], None]
"""Called before each assertion with how many are done, how many there are, and its statement."""


def verify(network: Network, progress: Progress | None = None, *, rlimit: int = RLIMIT) -> tuple[Verdict, ...]:
    """The verdicts on all assertions, and on what the profiles ask that the network complies with.

    `rlimit` bounds each check of the solver, in its own steps.
    """
    with uncollected():
        finder = Finder(network, rlimit)
        claims = sorted(network.intent.assertions, key=lambda claim: claim.origin)
        judged: list[Judged] = []
        for claim in claims:
            if progress:
                progress(len(judged), len(claims), claim.statement)
            judged.append(_judged(finder, claim))
        return (*_confirmed(finder, judged), *controls(network.intent))


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the collector of cycles, of which there are none: it would walk a whole network, over and over."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


class Judged(NamedTuple):
    """A verdict, and what it rests on: questions whose answer was *nobody*."""

    claim: Assertion
    verdict: Verdict
    rests_on: tuple[Question, ...]


def _judged(finder: Finder, claim: Assertion) -> Judged:
    finder.answers.nobody.clear()
    found = judge(finder, claim)
    return Judged(claim, found, tuple(finder.answers.nobody) if found.verdict == "proved" else ())


def _confirmed(finder: Finder, judged: Sequence[Judged]) -> Iterator[Verdict]:
    """The verdicts, after the second engine looked at what proofs rest on. Raises `EnginesDisagree`."""
    asked = list(dict.fromkeys(question for each in judged for question in each.rests_on))
    agreed = dict(zip(asked, confirmed(finder.slices.reading, asked, finder.rlimit), strict=True))
    for claim, found, rests_on in judged:
        if all(agreed[question] for question in rests_on):
            yield found
        else:
            yield verdict(claim, "unknown", "the second solver did not confirm this proof within its limit")

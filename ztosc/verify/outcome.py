"""Verdicts of assertions, from what a property found.

Guarantees: `proved` is said nowhere else, and only for a search that ended; a segment that merely observes can carry no proof.
"""

from __future__ import annotations

from collections.abc import Iterable

from ztosc.ir.assertions import Assertion
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Place
from ztosc.ir.verdict import Hop, Outcome, Verdict, Witness
from ztosc.verify.scope import observed


def verdict(claim: Assertion, outcome: Outcome, reason: str, hops: Iterable[Hop] = ()) -> Verdict:
    """A verdict about an assertion; `reason` is one sentence."""
    return Verdict(
        kind="assert",
        property=claim.kind,
        statement=claim.statement,
        origin=claim.origin,
        verdict=outcome,
        reason=reason,
        witness=Witness(hops=tuple(hops)),
    )


def proved(claim: Assertion, reason: str) -> Verdict:
    """The claim holds."""
    return verdict(claim, "proved", reason)


def refuted(claim: Assertion, reason: str, hops: Iterable[Hop]) -> Verdict:
    """The claim fails, and here is how."""
    return verdict(claim, "refuted", reason, hops)


def unless_observed(claim: Assertion, policy: Policy, places: Iterable[Place], reason: str) -> Verdict:
    """Proved, unless one of the places only logs what would be denied: there, nothing is kept out."""
    lax = sorted({place.name for place in places if place.kind == "segment"} & observed(policy)) if observed(policy) else []
    if lax:
        return verdict(claim, "unsupported", f"`{lax[0]}` only observes: what is denied there passes, so nothing is kept apart from it")
    return proved(claim, reason)

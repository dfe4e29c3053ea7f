"""`L never flows down except by S`: no data of L reaches what carries only labels below it.

Guarantees: the data is followed as `stays within` follows it. Below L is every label that L, or a label below it, is `above`; a segment
that carries no label at all, and every external, carries nothing that is not below. What a service of the exception opens or
answers carries nothing down: somebody trusts it to let through only what may pass.
"""

from __future__ import annotations

from ztosc.ir.assertions import NeverFlowsDown
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Place
from ztosc.ir.verdict import Verdict
from ztosc.verify import words
from ztosc.verify.chains import rounds
from ztosc.verify.outcome import refuted, unless_observed
from ztosc.verify.questions import Questions
from ztosc.verify.spread import Spread


def check(explorer: Questions, claim: NeverFlowsDown) -> Verdict:
    """The verdict on one claim. Raises `Undecided`."""
    policy = explorer.policy
    spread = Spread(explorer, claim.label, tuple(ref.name for ref in claim.through))
    lower = below(policy, claim.label)
    for fresh in rounds(spread.begin(), spread.expand) if _may_come_down(explorer, claim.label, lower) else ():
        for start, reached in fresh.items():
            place = start.place
            if _only(policy, place, lower) and not (place.kind == "external" and spread.released_at(place)):
                reason = f"`{claim.label}` flows down to `{place.name}`, which {_carries(policy, place)}"
                way = "; then ".join(hop.text for hop in reached.hops)
                return refuted(claim, f"{reason}: {way}", reached.hops)
    without = f", other than by {words.names(claim.through)}" if claim.through else ""
    return unless_observed(claim, policy, explorer.places, f"no data of `{claim.label}` reaches what lies below it{without}")


def _may_come_down(explorer: Questions, label: str, lower: frozenset[str]) -> bool:
    """Whether, of all the places that the label may ever come to, there is one below it."""
    places = explorer.may_carry(label)
    return places is None or any(_only(explorer.policy, place, lower) for place in places)


def below(policy: Policy, label: str) -> frozenset[str]:
    """Every label that is less sensitive."""
    above = {each.name: each.above for each in policy.intent.labels}
    found: set[str] = set()
    pending = list(above.get(label, ()))
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(above.get(name, ()))
    return frozenset(found)


def _only(policy: Policy, place: Place, lower: frozenset[str]) -> bool:
    """Whether nothing that a place carries is above or beside: nothing but lower labels, or none at all."""
    return place.kind == "external" or set(policy.segments[place.name].carries) <= lower


def _carries(policy: Policy, place: Place) -> str:
    carried = policy.segments[place.name].carries if place.kind == "segment" else ()
    return "carries only " + words.listing(f"`{name}`" for name in carried) if carried else "carries nothing"

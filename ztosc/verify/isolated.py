"""`A isolated from B except through S`: no chain of flows either.

Guarantees: the chain is a shortest one, in order of time, each hop a flow that `decide` allows at its instant, and each hop has fresh
attributes. The reading: once any endpoint in a segment is reached the attacker holds all of it, and every role that comes from it;
so reaching B means reaching any segment that B is in. That holds of the start too: where A is a role, device class or service, the
attacker sits at its endpoint, owns the segment around it, and waits for whoever else signs in there. Externals are hops, and so is a
resolver that recurses. Where A and B live in one segment, nothing stands between them and the claim is refuted.
"""

from __future__ import annotations

from ztosc.ir.assertions import Isolated
from ztosc.ir.evaluate import Policy
from ztosc.ir.flow import Place
from ztosc.ir.values import Ref
from ztosc.ir.verdict import Hop, Verdict
from ztosc.verify import words
from ztosc.verify.chains import Reached, shortest
from ztosc.verify.outcome import refuted, unless_observed
from ztosc.verify.questions import Questions
from ztosc.verify.scope import Start, Unsupported, destinations, held, starts


def check(explorer: Questions, claim: Isolated) -> Verdict:
    """The verdict on one claim. Raises `Undecided`, `Unsupported`."""
    policy = explorer.policy
    goals = held(policy, claim.targets)
    without = tuple(place for ref in claim.through for place in removed(policy, ref) if place not in goals)
    begin = {Start(start.place): Reached(explorer.network.at) for ref in claim.subjects for start in starts(policy, ref)}
    together = [start.place for start in begin if start.place in goals]
    if together:
        shared = f"`{together[0].name}` is on both sides"
        return refuted(
            claim, f"nothing separates {words.names(claim.subjects)} from {words.names(claim.targets)}: {shared}", [Hop(text=shared)]
        )
    chain = shortest(explorer, begin, goals, without)
    if chain is not None:
        return refuted(claim, _sentence(claim, chain), chain.hops)
    return unless_observed(claim, policy, explorer.places, f"no chain of flows leads from {_who(claim)}{_except(claim)}")


def removed(policy: Policy, ref: Ref) -> tuple[Place, ...]:
    """What a chain may not pass when `ref` is the exception: a place as a whole, or the ends that are one service. Raises `Unsupported`."""
    match ref.kind:
        case "segment" | "label" | "external":
            return held(policy, [ref])
        case "service" | "system":
            return destinations(policy, ref)
        case _:
            raise Unsupported(f"`{ref.name}` is no place that a chain passes through; name a segment, service or external")


def _who(claim: Isolated) -> str:
    return f"{words.names(claim.subjects)} to {words.names(claim.targets)}"


def _except(claim: Isolated) -> str:
    return f", other than through {words.names(claim.through)}" if claim.through else ""


def _sentence(claim: Isolated, chain: Reached) -> str:
    count = len(chain.hops)
    length = "one hop" if count == 1 else f"{count} hops"
    way = "; then ".join(hop.text for hop in chain.hops)
    return f"a chain of {length} leads from {_who(claim)}{_except(claim)}: {way}"

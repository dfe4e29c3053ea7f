"""`A reaches B despite k failures`: some principal of A gets to B, from every place of A, whatever k links and nodes fail.

Guarantees: the claim is checked at every instant from `at` on, like every assertion: a grant that ends, or that a window closes, is not
a standing way, and the verdict names the instant at which it is shut. Of several subjects and targets each subject must reach each
target. For each node that A is attached to, every combination of at most k failures is tried (that node itself stays up), and some
instance of B must answer over links whose tunnels admit both ends' isolation domains. What stands on one node alone
survives no node failure. Externals are reached through the nodes that serve `nat64`; where one enters is not modelled.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.ir.assertions import Reaches
from ztosc.ir.clock import instant_text
from ztosc.ir.flow import Flow, Place
from ztosc.ir.values import Ref
from ztosc.ir.verdict import Hop, Verdict
from ztosc.verify import words
from ztosc.verify.outcome import proved, refuted
from ztosc.verify.questions import Questions
from ztosc.verify.scope import Start, Unsupported, destinations, starts
from ztosc.verify.topology import Part, failure_text


class _Search:
    """One claim, with the failures that were already tried."""

    def __init__(self, explorer: Questions, claim: Reaches) -> None:
        self.explorer, self.claim = explorer, claim
        self.topology = explorer.topology
        self._tried: dict[object, tuple[Part, ...] | None] = {}

    def broken(self, start: Start, target: Ref) -> tuple[str, tuple[Hop, ...]] | None:
        """How the claim fails for one start and one target, and the steps that show it; `None` where it holds."""
        ends = self._ends(target)
        for instant in self.explorer.moments(start, ends):
            flows = [flow for end in ends if (flow := self.explorer.at(start, end, instant))]
            if not flows:
                return self._shut(start, target, instant)
            cut = self._cut(start, target, flows)
            if cut is not None:
                return cut
        return None

    def _ends(self, target: Ref) -> tuple[Place, ...]:
        if target.kind in ("role", "device"):
            raise Unsupported(f"`{target.name}` does not answer; name the segment or service that should be reached")
        return destinations(self.explorer.policy, target)

    def _shut(self, start: Start, target: Ref, instant: int) -> tuple[str, tuple[Hop, ...]]:
        who = f"`{start.ref.name}` in `{start.place.name}`" if start.ref else f"`{start.place.name}`"
        text = f"nobody of {who} may reach `{target.name}` at {instant_text(instant)}"
        return text, (Hop(text=text),)

    def _cut(self, start: Start, target: Ref, flows: list[Flow]) -> tuple[str, tuple[Hop, ...]] | None:
        for here in self._attached(start):
            instances = self._instances(flows)
            failed = self._failure(start.place, here, instances)
            if failed is not None:
                step = Hop(text=self._cut_text(start, here, target, failed, tuple(sorted({node for node, _ in instances}))))
                return step.text, (words.hop(self.explorer, flows[0]), step)
        return None

    def _cut_text(self, start: Start, here: str, target: Ref, failed: tuple[Part, ...], instances: tuple[str, ...]) -> str:
        after = f"after the failure of {failure_text(failed)}, " if failed else ""
        where = words.listing(f"`{node}`" for node in instances) or "no node"
        from_ = f"`{start.place.name}` on node `{here}`" if here else f"`{start.place.name}`"
        return f"{after}no instance of `{target.name}` (on {where}) answers {from_}"

    def _attached(self, start: Start) -> tuple[str, ...]:
        """The nodes of a start; of an external none is known, which only a claim about failures minds."""
        if start.place.kind == "segment":
            return self.topology.segment_nodes(start.place.name)
        if self.claim.failures:
            raise Unsupported(f"it is not modelled at which node `{start.place.name}` enters, so no failure can be judged")
        return ()

    def _instances(self, flows: list[Flow]) -> tuple[tuple[str, Place], ...]:
        return tuple((node, flow.destination) for flow in flows for node in self.topology.instances(flow.destination))

    def _failure(self, start: Place, here: str, instances: tuple[tuple[str, Place], ...]) -> tuple[Part, ...] | None:
        key = (start.name, here, instances)
        if key not in self._tried:
            self._tried[key] = next(self._failures(start, here, instances), None)
        return self._tried[key]

    def _failures(self, start: Place, here: str, instances: tuple[tuple[str, Place], ...]) -> Iterator[tuple[Part, ...]]:
        """Failures after which no instance answers."""
        claim, topology = self.claim, self.topology
        by_domains: dict[tuple[str, ...], set[str]] = {}
        for node, end in instances:
            by_domains.setdefault(topology.domains(start, end), set()).add(node)
        nodes = {node for node, _ in instances}
        if claim.failures and claim.failing != "links" and len(nodes) == 1:
            yield (("node", min(nodes)),)
        cut = self.explorer.cut(here, by_domains, claim.failures, claim.failing)
        if cut is not None:
            yield cut


def check(explorer: Questions, claim: Reaches) -> Verdict:
    """The verdict on one claim. Raises `Undecided`, `Unsupported`."""
    if not claim.subjects or not claim.targets:
        return refuted(claim, f"{words.names(())} {'is nowhere' if claim.subjects else 'comes from nowhere'}", ())
    search = _Search(explorer, claim)
    for subject in claim.subjects:
        begin = starts(explorer.policy, subject)
        for target in claim.targets:
            broken = [found for start in begin if (found := search.broken(start, target))]
            if broken or not begin:
                reason, hops = broken[0] if broken else (f"`{subject.name}` comes from nowhere", ())
                return refuted(claim, reason, hops)
    return proved(claim, f"{words.names(claim.subjects)} can reach {words.names(claim.targets)} at every instant{_despite(claim)}")


def _despite(claim: Reaches) -> str:
    if not claim.failures:
        return ""
    what = {"any": "links and nodes", "links": "links", "nodes": "nodes"}[claim.failing]
    return f", whichever {claim.failures} of the {what} on the way fail"

"""Where things are: segments on nodes, replicas on places, isolation domains over nodes and links, and grants without a path.

Guarantees: placement depends on names and on the order of `at` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from ztosc.diagnostics import Label, Report
from ztosc.ir.evaluate import Policy
from ztosc.ir.intent import Intent, Rule, Segment
from ztosc.ir.values import Jurisdiction, Ref

MAIN = "main"


def country_of(intent: Intent) -> dict[str, str | None]:
    """Node to country."""
    regions = {region.name: region.country for region in intent.regions}
    sites = {site.name: regions.get(site.region) for site in intent.sites}
    return {node.name: sites.get(node.site) for node in intent.nodes}


def living_nodes(intent: Intent, segment: Segment) -> dict[str, tuple[str, ...]]:
    """Site to the nodes a segment lives on there: those that attach it, else all gateways. In the order of `at`."""
    found: dict[str, tuple[str, ...]] = {}
    for site in segment.at:
        gateways = [node for node in intent.nodes if node.site == site and "gateway" in node.serves]
        attached = [node for node in gateways if any(each.segment == segment.name for each in node.attachments)]
        found[site] = tuple(sorted(node.name for node in attached or gateways))
    return {site: nodes for site, nodes in found.items() if nodes}


def effective_within(intent: Intent, segment: Segment) -> Jurisdiction | None:
    """What bounds a segment: its own `within` and those of the labels it carries, all at once."""
    labels = {label.name: label.within for label in intent.labels}
    bounds = [bound for bound in (segment.within, *(labels.get(name) for name in segment.carries)) if bound is not None]
    if not bounds:
        return None
    countries = {code for bound in bounds for code in bound.countries if all(other.holds(code) for other in bounds)}
    return Jurisdiction(text=" and ".join(sorted({bound.text for bound in bounds})), countries=tuple(sorted(countries)))


def domain_name(within: Jurisdiction | None) -> str:
    """`main`, or `within-…` by what bounds it."""
    if within is None:
        return MAIN
    return "within-" + "-".join(part for part in "".join(c if c.isalnum() else " " for c in within.text.lower()).split())


def domain_nodes(intent: Intent, within: Jurisdiction | None) -> tuple[str, ...]:
    """The nodes that may hold or relay a domain."""
    countries = country_of(intent)
    return tuple(node.name for node in intent.nodes if within is None or within.holds(countries[node.name]))


def check_paths(intent: Intent, domains: dict[str, frozenset[str]], segment_domain: dict[str, str], report: Report) -> None:
    """Report each grant whose source, somewhere, has no path to any place of its target inside what bounds both."""
    policy = Policy(intent)
    lives = {segment.name: living_nodes(intent, segment) for segment in intent.segments}
    components = _Components(intent, domains, lives)
    for rule in intent.rules:
        if rule.effect == "allow":
            for source in sorted(_sources(rule, policy)):
                for target in sorted(_targets(rule, policy)):
                    _check_path(intent, rule, source, target, lives, components, segment_domain, report)


def _sources(rule: Rule, policy: Policy) -> set[str]:
    return {name for ref in rule.subjects for name in segments_of(ref, policy)}


def _targets(rule: Rule, policy: Policy) -> set[str]:
    return {name for ref in rule.targets for name in segments_of(ref, policy)}


def segments_of(ref: Ref, policy: Policy) -> Iterable[str]:
    """The segments in which what a reference stands for is found; none for externals and the nodes' own services."""
    match ref.kind:
        case "segment":
            return (ref.name,)
        case "role":
            return policy.roles[ref.name].sources
        case "service":
            return (policy.services[ref.name].segment,) if ref.name in policy.services else ()
        case "label":
            return tuple(name for name, segment in policy.segments.items() if ref.name in segment.carries)
        case "device":
            return tuple(name for name, segment in policy.segments.items() if ref.name in segment.admits)
        case _:
            return ()


def _check_path(
    intent: Intent,
    rule: Rule,
    source: str,
    target: str,
    lives: dict[str, dict[str, tuple[str, ...]]],
    components: _Components,
    segment_domain: dict[str, str],
    report: Report,
) -> None:
    if source not in segment_domain or target not in segment_domain:
        return
    bounds = segment_domain[source], segment_domain[target]
    if components.joined(source, target, *bounds):
        return
    groups = components.within(*bounds)
    ends = {groups.get(node) for nodes in lives[target].values() for node in nodes} - {None}
    at_source = [(site, node) for site, nodes in lives[source].items() for node in nodes if ends and groups.get(node) not in ends]
    # What the two exchange may be on nodes inside both bounds alone: a place of the target outside would have no route to the source.
    at_target = [(site, node) for site, nodes in lives[target].items() for node in nodes if node not in groups]
    if at_source or at_target:
        site, node = (at_source or at_target)[0]
        where = f"from `{source}` at site `{site}` (node `{node}`) to `{target}`"
        outside = f"from `{source}` to `{target}` at site `{site}` (node `{node}`), which may not hold what the two exchange"
        origin = next(segment.origin for segment in intent.segments if segment.name == target)
        report.error(
            "ZT316",
            f"this grant has no path {where if at_source else outside}",
            rule.origin,
            help="add a link between nodes that may carry it, or narrow the grant",
            related=[Label(origin, "the target lives where this says")],
        )


class _Components:
    """Connected components of the links, inside the nodes that two domains share."""

    def __init__(self, intent: Intent, domains: dict[str, frozenset[str]], lives: dict[str, dict[str, tuple[str, ...]]]) -> None:
        self._intent, self._domains, self._lives = intent, domains, lives
        self._known: dict[frozenset[str], dict[str, int]] = {}
        self.within = cache(self._within)
        self._of = cache(self._numbers)

    def joined(self, source: str, target: str, *bounds: str) -> bool:
        """Whether, inside two domains, all nodes of one segment have a path to another, and that is nowhere else."""
        there = self._of(target, *bounds)
        return None not in there and self._of(source, *bounds) <= there

    def _numbers(self, segment: str, *bounds: str) -> frozenset[int | None]:
        """The components that a segment has nodes in; `None` for nodes that are not in both domains."""
        groups = self.within(*bounds)
        return frozenset(groups.get(node) for nodes in self._lives[segment].values() for node in nodes)

    def _within(self, one: str, other: str) -> dict[str, int]:
        """Node to the number of its component, for the nodes in both domains."""
        nodes = self._domains[one] & self._domains[other]
        if nodes not in self._known:
            self._known[nodes] = self._components(nodes)
        return self._known[nodes]

    def _components(self, nodes: frozenset[str]) -> dict[str, int]:
        neighbours: dict[str, list[str]] = {node: [] for node in nodes}
        for link in self._intent.links:
            if link.a in nodes and link.b in nodes:
                neighbours[link.a].append(link.b)
                neighbours[link.b].append(link.a)
        found: dict[str, int] = {}
        for number, start in enumerate(sorted(nodes)):
            pending = [start]
            while pending:
                node = pending.pop()
                if node not in found:
                    found[node] = number
                    pending.extend(neighbours[node])
        return found

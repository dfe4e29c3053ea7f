"""`prove`: each file says what its node must be, and the files agree with each other.

Guarantees: for each node and target, and each target of the network, the emitted bytes are read back and compared with the spec
lowered anew, what they let pass, less what the network withholds, with what the spec demands, and the real tools judge them where they
are; every name that is published leads to an address that exists. Anything that was not compared is refuted or unsupported, never proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from ztosc.backends.base import (
    Artifact,
    Backend,
    Bundle,
    Enforcement,
    Enforces,
    NetworkBackend,
    NetworkSpec,
    Placement,
    Publishes,
    ReadFault,
    Withholds,
    network_wide,
    on_nodes,
)
from ztosc.backends.registry import is_network_wide
from ztosc.backends.registry import targets as registered
from ztosc.ir.network import Network
from ztosc.ir.verdict import Outcome, Verdict
from ztosc.logic import regions
from ztosc.logic.intervals import Intervals
from ztosc.nodes.records import node_names
from ztosc.nodes.spec import NodeSpec
from ztosc.prove.demand import demanded, unreached
from ztosc.prove.difference import difference
from ztosc.prove.ends import both_ends
from ztosc.prove.firewall import judge
from ztosc.prove.tools import Tools
from ztosc.prove.withheld import withheld, without


def prove(
    network: Network,
    specs: Iterable[NodeSpec],
    bundle: Bundle,
    tools: Tools | None = None,
    *,
    targets: Iterable[Backend | NetworkBackend] | None = None,
) -> tuple[Verdict, ...]:
    """Every verdict on a bundle, in order of nodes and targets, the network's last. `tools` absent, or missing here: our readers alone."""
    placements = _placements(network, tuple(specs), bundle, tuple(registered() if targets is None else targets))
    expected = {(placement.node, placement.target.name, placement.place) for placement in placements}
    strange = sorted(file.path for file in bundle.files if (file.node, file.target, file.place) not in expected)
    reason = f"`{strange[0]}` does not" if strange else ""
    found = [_verdict("bundle", "every file belongs to the network, or to a node and target of it", reason)]
    gone = withheld(placements, bundle)
    for placement in placements:
        found.extend(_of_target(network, placement, bundle.at(placement.place), tools, gone))
        found.extend(_executed(network, placement, placements, bundle, tools))
    return (*found, *(_verdict("both-ends", statement, reason) for statement, reason in both_ends(placements, bundle)))


def _placements(
    network: Network, specs: tuple[NodeSpec, ...], bundle: Bundle, targets: tuple[Backend | NetworkBackend, ...]
) -> tuple[Placement, ...]:
    """Every place where files must be. What the network's targets say about nodes' files, they must say about those that are there."""
    local = (cast(Backend, target) for target in targets if not is_network_wide(target))
    wide = (target for target in targets if is_network_wide(target))
    return (*on_nodes(specs, local), *network_wide(NetworkSpec(network, bundle.on_nodes()), wide))


def _verdict(name: str, statement: str, reason: str, outcome: Outcome = "refuted") -> Verdict:
    """Proved where there is no reason against it."""
    return Verdict(kind="proof", property=name, statement=statement, origin=None, verdict=outcome if reason else "proved", reason=reason)


def _of_target(
    network: Network, placement: Placement, artifacts: tuple[Artifact, ...], tools: Tools | None, gone: Intervals
) -> Iterator[Verdict]:
    place, backend, subject = placement.place, placement.target, placement.subject
    try:
        model = backend.read(artifacts)
        yield _verdict("read-back", f"{place} says what the network says", _differs(placement, model, artifacts))
        if isinstance(backend, Enforces):
            unlike = _unlike(without(backend.enforcement(model), gone), demanded(network, subject))
            yield _verdict("enforcement", f"{place} lets pass what the network grants", unlike)
        if isinstance(backend, Publishes):
            yield _verdict("names", f"{place} publishes addresses that exist", _dangling(network, backend.published(model)))
    except ReadFault as fault:
        yield _verdict("read-back", f"{place} says what the network says", f"{place}/{fault.path}:{fault.line}: {fault.reason}")
    for result in tools.judge(backend.manifest, artifacts) if tools else ():
        if result.outcome != "missing":
            where = f"{place}/{result.path}" if result.path else place
            refused = result.output or "it gives no reason"
            yield _verdict("accepted", f"{result.tool} accepts {where}", refused if result.outcome == "rejected" else "")


def _executed(
    network: Network, placement: Placement, placements: tuple[Placement, ...], bundle: Bundle, tools: Tools | None
) -> Iterator[Verdict]:
    """What a real tool holds once it has loaded a node's files and those of the network, for every packet at once."""
    if tools is None or not isinstance(placement.target, Enforces):
        return
    whole = [each for each in placements if each.node is None and isinstance(each.target, Withholds)]
    others = [(each.target.manifest.folder, artifact) for each in whole for artifact in bundle.at(each.place)]
    listed = tools.listing(placement.target.manifest, bundle.at(placement.place), others)
    if listed is None or listed.outcome == "missing":
        return
    outcome: Outcome = "refuted"
    reason = listed.output or "it gives no reason"
    if listed.outcome == "accepted":
        outcome, reason = judge(listed.output, placement.subject, unreached(network))
    statement = f"{placement.place}, loaded by {listed.tool}, lets pass what the node must, and nothing else"
    yield _verdict("executed", statement, reason, outcome)


def _differs(placement: Placement, model: Any, artifacts: tuple[Artifact, ...]) -> str:
    wanted = placement.target.lower(placement.subject)
    if model == wanted:
        return ""
    path, line, words = difference(wanted, model, artifacts, placement.target.render(wanted))
    return f"{placement.place}/{path}:{line}: {words}"


def _unlike(found: Enforcement, wanted: Enforcement) -> str:
    """In which part the two differ."""
    for name, left, right in (
        ("what segments may initiate", found.segments, wanted.segments),
        ("what may come from outside", found.outside, wanted.outside),
        ("who may reach the node itself", found.management, wanted.management),
        ("what is only observed", found.observed, wanted.observed),
        ("what may sit behind a port", found.hosts, wanted.hosts),
        ("when it is time", found.times, wanted.times),
        ("who may have a session", found.sessions, wanted.sessions),
    ):
        if dict(left) != dict(right):
            keys = sorted({str(key) for key in (*left, *right) if left.get(key) != right.get(key)})
            return f"{name} differs for {', '.join(keys)}"
    if found.leaving != wanted.leaving:
        return f"what may leave the translator differs{_where(found.leaving, wanted.leaving)}"
    return "" if found.inbound == wanted.inbound else f"what may arrive from other nodes differs{_where(found.inbound, wanted.inbound)}"


def _where(found: regions.Boxes, wanted: regions.Boxes) -> str:
    more, less = len(set(found) - set(wanted)), len(set(wanted) - set(found))
    return f" in {more} regions that are there and {less} that should be"


def _dangling(network: Network, published: Mapping[str, frozenset[str]]) -> str:
    """Names that lead nowhere, or not to all that they stand for."""
    wanted: dict[str, set[str]] = {}
    domain = network.intent.network.domain
    dns_names = {service.name: service.dns_name for service in network.intent.services}
    for endpoint in network.endpoints:
        for name in (f"{dns_names[endpoint.service]}.{domain}.", f"{endpoint.replica}.{dns_names[endpoint.service]}.{domain}."):
            wanted.setdefault(name, set()).add(endpoint.address)
    names = node_names(network)
    for node in network.nodes:
        wanted[names[node.node]] = {loopback.address for loopback in node.loopbacks[:1]}
    for name in sorted({*published, *wanted}):
        if published.get(name, frozenset()) != wanted.get(name, set()):
            return f"`{name}` leads to {sorted(published.get(name, ())) or 'nothing'}, not to {sorted(wanted.get(name, ())) or 'nothing'}"
    return ""

"""FRR: eBGP over each tunnel for loopbacks, EVPN between loopbacks for segments, and nothing that no grant asks for.

Guarantees: the file is in FRR's own canonical form (8.4), so reloading what runs changes nothing; every filter ends in a deny; every
name that is used is defined and the other way round; filters are named by their content.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path

from ztosc import resources
from ztosc.backends.base import Artifact, ReadFault
from ztosc.backends.frr.lower import MAX_COST, address_number, routing
from ztosc.backends.frr.model import LAST, Overlay, Routing, Underlay
from ztosc.backends.frr.read import DAEMONS, MATCH_WORDS, SET_WORDS, read_conf, read_daemons
from ztosc.backends.manifest import Manifest, load
from ztosc.backends.template import fill
from ztosc.diagnostics import Diagnostic, Severity
from ztosc.ir.network import Network
from ztosc.nodes.fabric import crossings, meshes
from ztosc.nodes.spec import NodeSpec, spans
from ztosc.source import Span

CONF = "frr.conf"
MESH = 16
"""Nodes of a domain without a reflector, above which that is worth a warning."""


class Frr:
    """Routing on a node."""

    name = "frr"

    @cached_property
    def folder(self) -> Path:
        return resources.target_file(self.name, "target.toml").parent

    @cached_property
    def manifest(self) -> Manifest:
        return load(self.folder / "target.toml")

    def applies(self, spec: NodeSpec) -> bool:
        """Every node: where there is nobody to route to, what is ours still must not leave in clear."""
        return True

    def lower(self, spec: NodeSpec) -> Routing:
        """The routing of a node."""
        return routing(spec)

    def render(self, model: Routing) -> tuple[Artifact, ...]:
        """`frr.conf`, and which daemons run."""
        values = {
            "r": model,
            "neighbours": _neighbours(model),
            "families": (("ipv4", model.networks4), ("ipv6", model.networks6)),
            "match_words": MATCH_WORDS,
            "set_words": SET_WORDS,
            "last": LAST,
        }
        files: tuple[tuple[str, str, dict[str, object]], ...] = ((CONF, "frr.conf.j2", values), (DAEMONS, "daemons.j2", {}))
        found = []
        for path, template, given in files:
            kind = self.manifest.kind(path)
            assert kind is not None, path
            found.append(Artifact(path, fill(self.folder, template, given, {}), kind.mode, kind.owner))
        return tuple(found)

    def read(self, artifacts: Iterable[Artifact]) -> Routing:
        """The routing that the files mean."""
        found = {artifact.path: artifact.content for artifact in artifacts}
        if set(found) != {CONF, DAEMONS}:
            raise ReadFault(CONF, 1, f"exactly `{CONF}` and `{DAEMONS}` are expected")
        read_daemons(found[DAEMONS])
        return read_conf(CONF, found[CONF])

    def origins(self, spec: NodeSpec, path: str) -> tuple[Span, ...]:
        """The node, its links, and what its segments' routes come from."""
        if path == DAEMONS:
            return (spec.origin,)
        parts = (*(each.origin for each in spec.segments), *(each.origin for each in spec.tunnels))
        sent = (span for permit in spec.permits for span in permit.origins)
        return spans([spec.origin, *parts, *sent, *(span for each in spec.inbound for span in each.origins)])

    def unsupported(self, network: Network) -> tuple[Diagnostic, ...]:
        """What FRR 8.4 cannot route, each where it is asked."""
        return (*_of_segments(network), *_of_links(network), *_of_grants(network), *_of_meshes(network))


def _neighbours(model: Routing) -> list[tuple[Underlay | Overlay, bool]]:
    """All of them by address, as FRR shows them, and whether each is of the underlay."""
    found: list[tuple[Underlay | Overlay, bool]] = [*((each, True) for each in model.underlay), *((each, False) for each in model.overlay)]
    return sorted(found, key=lambda pair: address_number(pair[0].address))


def _of_segments(network: Network) -> Iterator[Diagnostic]:
    for segment in network.intent.segments:
        if segment.stretched and len(segment.at) > 1:
            message = f"segment `{segment.name}` is stretched over sites, which target `frr` cannot do yet"
            yield Diagnostic("ZT603", message, segment.origin, help="leave out `stretched`: each site then has a routed prefix of its own")


def _of_links(network: Network) -> Iterator[Diagnostic]:
    for link in network.intent.links:
        if link.cost > MAX_COST:
            message = f"link `{link.name}` has cost {link.cost}, and target `frr` counts up to {MAX_COST}"
            yield Diagnostic("ZT603", message, link.origin, help="costs count as hops: scale them down")


def _of_grants(network: Network) -> Iterator[Diagnostic]:
    granted = {rule.origin for rule in network.intent.rules if rule.effect == "allow"}
    for span, one, other in (each for each in crossings(network) if each[0] in granted):
        message = f"this joins `{one}` and `{other}`, and no isolation domain may hold what the two exchange on all nodes of both"
        yield Diagnostic("ZT603", message, span, help="let the `within` of one be inside that of the other")


def _of_meshes(network: Network) -> Iterator[Diagnostic]:
    for domain, count in meshes(network):
        if count > MESH:
            message = f"{count} nodes exchange routes of isolation domain `{domain}` without a reflector, each with each other"
            help_ = "let two nodes that may hold its data `serves reflector`"
            yield Diagnostic("ZT603", message, network.intent.network.origin, help=help_, severity=Severity.WARNING)


BACKEND = Frr()

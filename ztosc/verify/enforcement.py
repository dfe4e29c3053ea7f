"""On which nodes a flow is let through or stopped: the source edge decides, the destination edge has a bound of its own.

Guarantees: only nodes that a place of the network is on; the tests compare it with what the node specs hold. A destination edge is named
where packets can come to it from another node: on one and the same node the source edge has decided already.
"""

from __future__ import annotations

from ztosc.ir.base import Model
from ztosc.ir.flow import Flow, Place, ServiceEndpoint
from ztosc.ir.network import Network


class Edges(Model):
    """The nodes that decide who may initiate (`source`), and those that check what arrives (`destination`)."""

    source: tuple[str, ...]
    destination: tuple[str, ...]


def edges(network: Network, flow: Flow) -> Edges:
    """Where a flow is enforced."""
    there = _nodes(network, flow.destination)
    if flow.source.kind == "external":
        return Edges(source=there, destination=())
    here = _endpoints(network, flow.principal.service) if isinstance(flow.principal, ServiceEndpoint) else _nodes(network, flow.source)
    return Edges(source=here, destination=tuple(node for node in there if set(here) - {node}))


def _nodes(network: Network, place: Place) -> tuple[str, ...]:
    if place.kind == "external":
        return tuple(sorted(node.name for node in network.intent.nodes if "nat64" in node.serves))
    if place.kind == "system":
        return tuple(sorted(node for each in network.anycast if each.system == place.name for node in each.nodes))
    if place.service:
        return _endpoints(network, place.service)
    plans = (plan for plan in network.segments if plan.segment == place.name)
    return tuple(sorted({node for plan in plans for each in plan.places for node in each.nodes}))


def _endpoints(network: Network, service: str) -> tuple[str, ...]:
    return tuple(sorted({each.node for each in network.endpoints if each.service == service}))

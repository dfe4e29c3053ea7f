"""A flow through NodeSpecs, packet by packet: source edge, then destination edge. The oracle's other side in several tests."""

from __future__ import annotations

from ztosc.ir.flow import Principal
from ztosc.ir.network import Network
from ztosc.logic import addresses, intervals
from ztosc.nodes import NodeSpec, holds
from ztosc.nodes.edges import admits, find_permit
from ztosc.nodes.spec import End, intervals_of


def homes(specs: tuple[NodeSpec, ...], address: str) -> list[str]:
    """The nodes behind whose ports an address may sit."""
    number = addresses.value(address)
    return [spec.node for spec in specs for each in spec.segments if intervals.contains(intervals_of(each.hosts), number)]


def passes(
    network: Network, specs: tuple[NodeSpec, ...], way: tuple[str, str, str, str], principal: Principal, what: tuple[int, int], instant: int
) -> bool:
    """Whether a flow may be initiated: `way` is (source node, source segment, source address, destination address)."""
    node, segment, source, destination = way
    by_name = {spec.node: spec for spec in specs}
    spec = by_name[node]
    permit = find_permit(spec, End(kind="segment", name=segment), destination, *what)
    if permit is None:
        return False
    types = dict(spec.attributes)
    conditions = {condition.id: condition for condition in spec.conditions}
    if permit.condition is not None and not holds(conditions[permit.condition], principal, instant, types):
        return False
    return all(arrives(by_name[home], node, source, destination, what) for home in homes(specs, destination))


def arrives(spec: NodeSpec, origin: str, source: str, destination: str, what: tuple[int, int]) -> bool:
    """Whether the destination's node takes what the source's node let out."""
    return spec.node == origin or admits(spec, source, destination, *what)

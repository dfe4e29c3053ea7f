"""Who may reach the node itself (`manage from WHO on PORTS`), and who may not although `manage` names them.

Guarantees: a node is reached at its own address in the segment that the manager sits in, and at no other; where no such segment lives
on a node, nobody reaches it; what `manage` says and no node can do is told.
"""

from __future__ import annotations

from collections.abc import Iterator

from ztosc.ir.network import Network
from ztosc.nodes.grants import managers
from ztosc.nodes.spec import End, Permit
from ztosc.nodes.view import Local
from ztosc.source import Span


def management(local: Local) -> tuple[Permit, ...]:
    """Of a node: disjoint in (in-port, protocol, port)."""
    return tuple(_permits(local))


def _permits(local: Local) -> Iterator[Permit]:
    for name in sorted(local.places.keys() & local.whole.managers.keys()):
        gateway = local.places[name].gateway
        for cell in local.whole.managers[name]:
            yield Permit(
                source=End(kind="segment", name=name),
                interface=local.whole.plans[name].interface,
                sources=(),
                to=End(kind="node", name=local.node.name),
                destinations=((gateway, gateway),),
                ports=cell.ports,
                condition=cell.condition.id if cell.condition else None,
                origins=cell.origins,
                stale=cell.stale,
            )


def strangers(network: Network) -> Iterator[tuple[str, Span]]:
    """Who manages by name and has no way in: what is no segment's is not known to a node."""
    for each in network.intent.network.manage:
        yield from ((ref.name, each.origin) for ref in each.subjects if ref.kind == "external")


def unmanaged(network: Network) -> tuple[str, ...]:
    """Nodes that nobody can reach, although `manage` is said."""
    named = managers(network)
    reached = {node for plan in network.segments if plan.segment in named for place in plan.places for node in place.nodes}
    return tuple(sorted({node.name for node in network.intent.nodes} - reached)) if network.intent.network.manage else ()
